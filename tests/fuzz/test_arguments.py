"""Whatever is typed ends in a documented exit code, failures in a line that says why; what is refused writes nothing.

The commands and their parameters are those of the program itself, so a new one is tried without a word here.
"""

import enum
import io
import logging
import os
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st
from typer.main import get_command

from fullcourt.cli.main import app, main
from fullcourt.cli.phases import PHASES
from fullcourt.domain.processors import BY_NAME
from schemas import TABLES
from tests.fuzz.lanes import lanes, texts, try_all

NOT_TRIED = {
    "demo": "whatever its directory is called, it simulates half a season: minutes",
    "events listen": "waits for messages until it is interrupted",
}
DOCUMENTED = {0, 1, 2, 3, 4, 130}
# Codes of what was refused, or could not be done. After 1 and 4 something may have been published before.
NOTHING_DONE = {2, 3}
HOUSE = "THE HOUSE"  # stands for the warehouse that is there
DAYS = st.sampled_from(["2024-10-22", "2024-10-23", "2024-11-02", "2025-07-01"])
# What parameters of these names are usually given; to those of others, any of it.
USUAL = {
    **dict.fromkeys(("date", "start", "end", "date_from", "date_to", "days", "dates"), DAYS),
    **dict.fromkeys(("now", "until"), st.just("2024-11-03T12:00:00Z")),
    **dict.fromkeys(("processor", "processors", "table"), st.sampled_from([*BY_NAME, *sorted(TABLES)])),
    **dict.fromkeys(("phase", "phases", "template"), st.sampled_from([*PHASES, "all"])),
    **dict.fromkeys(("label", "parameter"), st.sampled_from(["a=b", "a=|;~#@%"])),
    **dict.fromkeys(("entity", "reason", "by"), st.sampled_from(["LAL", "somebody"])),
    **dict.fromkeys(("region", "project"), st.sampled_from(["us-east1", "a-project"])),
    **dict.fromkeys(("location", "temp_location"), st.just("gs://bucket/path")),
    "service_account": st.just("somebody@somewhere"),
}
NUMBERS = st.sampled_from(["0", "1", "7", "100"])
# No argument holds a zero byte; nothing is written outside the directory the test runs in.
HARD = texts.map(lambda text: text.replace("\0", "").lstrip("/"))


def leaves(command, words=()):
    """(words, command) of every command that does something."""
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*words, name))
    if not hasattr(command, "commands"):
        yield words, command


COMMANDS = dict(leaves(get_command(app)))


@st.composite
def arguments(draw):
    """argv of a command: what it requires, mostly, and some of the rest, each with something typed."""
    words = draw(st.sampled_from(sorted(words for words in COMMANDS if " ".join(words) not in NOT_TRIED)))
    options, positional = [], []
    for parameter in COMMANDS[words].params:
        if not draw(st.integers(0, 9 if parameter.required else 2)):
            continue
        if getattr(parameter, "is_flag", False):
            options.append(parameter.opts[0])
        elif parameter.param_type_name == "argument":
            positional.append(draw(values(parameter)))
        elif parameter.name != "warehouse":
            options.append(f"{parameter.opts[0]}={draw(values(parameter))}")
    if any(parameter.name == "warehouse" for parameter in COMMANDS[words].params):
        options.append(f"--warehouse={draw(st.one_of(st.just(HOUSE), st.just(HOUSE), st.just(HOUSE), HARD))}")
    more = ["--", *draw(st.lists(HARD, max_size=2))] if COMMANDS[words].allow_extra_args and draw(st.booleans()) else []
    return [*words, *options, *positional, *more]


def values(parameter):
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        usual = st.sampled_from([member.value for member in kind])
    elif kind in (int, float):
        usual = NUMBERS
    else:
        usual = USUAL.get(parameter.name, st.one_of(NUMBERS, *USUAL.values()))
    return st.one_of(usual, usual, usual, HARD)


def test_what_is_not_tried_is_there():
    assert set(NOT_TRIED) < {" ".join(words) for words in COMMANDS}


@pytest.fixture
def typed(monkeypatch, capfd, tmp_path):
    """Runs argv where nothing answers, nobody sits at a terminal, and no cloud knows us: (exit code, what was said)."""
    for name in [name for name in os.environ if name.startswith("FULLCOURT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    (tmp_path / "some" / "where").mkdir(parents=True)  # below, so that `../..` stays inside
    monkeypatch.chdir(tmp_path / "some" / "where")
    levels = {name: logging.getLogger(name).level for name in ("", "fullcourt", "apache_beam")}

    def run(argv):
        monkeypatch.setattr(sys, "argv", ["fullcourt", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return ended.value.code or 0, said.out, said.err

    yield run
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@lanes(slow=2_000)
def test_arguments(inputs, loaded_file, tmp_path, typed):
    whole = loaded_file.path.read_bytes()
    house = loaded_file.copy(tmp_path / "house.duckdb")

    def check(argv):
        code, out, err = typed([word.replace(HOUSE, house.url) for word in argv])
        assert code in DOCUMENTED
        assert "Traceback" not in out + err
        assert "fullcourt --debug" not in err, f"unforeseen: {err}"
        assert code == 0 or out or err
        if house.path.read_bytes() != whole:
            same = code not in NOTHING_DONE or house.everything() == loaded_file.everything()
            Path(house.path).write_bytes(whole)
            assert same
        assert not Path(f"{house.path}.staging").exists()

    try_all(inputs, arguments(), check)
