"""Writes docs/reliability.md from the list of faults, the tests' names and the figures of their last count.

`python -m tests.faults.reliability` writes it; with `LANE FILE` behind it first takes over what a lane's tests counted.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import figures
from tests.faults.matrix import FAULTS, TESTS, THEMES, Fault, Proof, proofs

DOCUMENT = TESTS.parent / "docs" / "reliability.md"
FIGURES = Path(__file__).with_name("figures.json")  # lane -> what was counted
LANES = {
    "default": "`make test` and `make test-long`",
    "fuzz": "`pytest -m slow tests/fuzz`",  # of `make test-slow`
    "cloud": "`make test-cloud`",
}
_HEAD = """\
# Faults, what must come of them, and the tests that try them

Made by `make generate` from `tests/faults/matrix.py` and the names of tests: one of fault 7 is `test_fault_07_…`.
Terms are those of [backfills.md](backfills.md), [events.md](events.md) and [concepts.md](concepts.md).

"""


def document() -> str:
    found, counted = proofs(), json.loads(FIGURES.read_text())
    tried = {number for proof in found for number in proof.faults}
    parts = [_HEAD, _summary(len(tried & FAULTS.keys()), len(found), counted)]
    for theme, faults in THEMES.items():
        parts.append(f"\n## {theme}\n\n| | fault | what must come of it |\n|---|---|---|\n")
        parts += [_row(number, fault) for number, fault in faults.items()]
        parts.append("\n| | test | file |\n|---|---|---|\n")
        parts += [_tests(number, found) for number in faults]
    return "".join(parts)


def _summary(tried: int, tests: int, counted: Mapping[str, Mapping[str, int]]) -> str:
    lines = [f"- Faults tried: **{tried} of {len(FAULTS)}**, by {tests} tests.\n"]
    for what, sentence in (
        (figures.KILLS, "Processes killed with SIGKILL, each followed by what must still hold"),
        (figures.BAD_INPUTS, "Bad and made-up inputs: files, rows, messages, arguments; none is half taken"),
    ):
        sums = [f"{sums[what]:,} in {LANES[lane]}" for lane, sums in counted.items() if sums.get(what)]
        lines.append(f"- {sentence}: **{', '.join(sums) or 'not counted'}**.\n")
    lines.append("\nCounts are of one run of each test, which passed; `make reliability` counts again.\n")
    return "".join(lines)


def _row(number: int, fault: Fault) -> str:
    outcome = fault.outcome + (f". Here: {fault.instead}" if fault.instead else "")
    return f"| {number} | {fault.fault} | {outcome} |\n"


def _tests(number: int, found: list[Proof]) -> str:
    return "".join(f"| {number} | `{proof.name}` | `{proof.file}` |\n" for proof in found if number in proof.faults)


def take_over(lane: str, file: Path) -> None:
    counted = json.loads(FIGURES.read_text()) | {lane: figures.total(file)}
    FIGURES.write_text(json.dumps({name: counted[name] for name in LANES if name in counted}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:]:
        take_over(sys.argv[1], Path(sys.argv[2]))
    DOCUMENT.write_text(document())
