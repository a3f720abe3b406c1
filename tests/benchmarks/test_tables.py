"""What the harness prints: medians, ratios of a round, targets met or not; and what it says of a program that fails."""

import json
import sys

import pytest

from benchmarks.contest import Result, ratios
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import ProgramError, Timing, measure
from benchmarks.product import Step
from benchmarks.tables import Figures, as_json, markdown
from benchmarks.targets import targets

BY_NAME = {contestant.name: contestant for contestant in CONTESTANTS}


def result(name: str, seasons: int, *seconds: float, peak_mib: float = 100.0) -> Result:
    return Result(BY_NAME[name], seasons, 1234, [Timing(each, peak_mib) for each in seconds])


def step(name: str, *seconds: float) -> Step:
    return Step(name, name, [Timing(each, 100.0) for each in seconds])


@pytest.mark.parametrize(
    ("mine", "other", "expected"),
    [
        pytest.param((2.0, 6.0), (1.0, 2.0), [2.0, 3.0], id="of one round where both ran in every round"),
        pytest.param((60.0,), (1.0, 2.0, 3.0), [30.0], id="of the medians where one ran once"),
    ],
)
def test_ratios(mine: tuple[float, ...], other: tuple[float, ...], expected: list[float]):
    assert ratios(result("beam", 1, *mine), result("sql", 1, *other)) == expected


@pytest.mark.parametrize(
    ("results", "steps", "what", "measured", "met"),
    [
        pytest.param(
            [result("beam", 1, 3.0), result("sql", 1, 1.0)], [], "the gate at ×1, wall, of the SQL's", 3.0, True,
            id="at the limit is met",
        ),
        pytest.param(
            [result("beam", 10, 1.2), result("sql", 10, 1.0)], [], "the gate at ×10, wall, of the SQL's", 1.2, False,
            id="above it is not",
        ),
        pytest.param(
            [result("beam", 10, 2.0), result("beam2", 10, 1.0), result("sql", 10, 1.0)], [],
            "the gate at ×10, wall, of the SQL's", 1.0, True,
            id="the faster of one worker and two",
        ),
        pytest.param(
            [result("beam", 100, 1.0, peak_mib=300.0), result("sql", 100, 1.0, peak_mib=1000.0)], [],
            "the gate at ×100, memory, of the SQL's", 0.3, False,
            id="memory",
        ),
        pytest.param(
            [result("beam", 10, 1.0), result("per_date", 10, 120.0)], [],
            "the per-date style at ×10, wall, of the gate's", 120.0, True,
            id="at least so many times faster",
        ),
        pytest.param(
            [result("sql", 10, 2.0)], [step("chain10", 31.0)],
            "ten seasons through phases 3 to 5, wall, of the SQL's gate at ×10", 15.5, False,
            id="the product beside the SQL",
        ),
        pytest.param([], [step("explain", 0.8, 0.9, 5.0)], "`explain`", 0.9, True, id="the median of a command"),
        pytest.param([], [], "`explain`", None, None, id="what was not run is not measured"),
    ],
)  # fmt: skip
def test_a_target_is_met_or_not(
    results: list[Result], steps: list[Step], what: str, measured: float | None, met: bool | None
):
    (found,) = (target for target in targets(results, steps) if target.what == what)
    assert (found.measured, found.met) == (measured, met)


def test_the_tables_show_medians_ranges_and_what_was_left_out():
    timed = [result("beam", 10, 2.0, 4.0, 3.0), result("sql", 10, 1.0, 1.0, 1.0), result("per_date", 10, 250.0)]
    timed[2].dates = (20, 1640)
    ingest = Step("ingest1", "`ingest`, 1 season", [Timing(2.0, 300.0)], rows=100_000)
    text = markdown(Figures(timed, ["in memory"], [ingest], {"Polars": "there is no python"}))
    for line in (
        "| Full Court through Beam, 1 worker | 3.00 | 3.00 (2.00-4.00) | 100 | 1,234 | 3 |",
        "| per date and window, then a loop | 250.00 | 250.00 | 100 | 1,234 | 1, from 20 of 1640 dates |",
        "| `ingest`, 1 season | 2.00 | 300 | 50,000 | 1 |",
        "| the gate at ×10, wall, of the SQL's | ≤ 1.1 × | 3.00 × | **not met** |",
        "Not run: Polars: there is no python.",
        "- in memory",
    ):
        assert line in text.splitlines()


def test_the_json_holds_every_run_and_every_target():
    figures = Figures([result("beam", 1, 2.0, 4.0), result("sql", 1, 1.0, 1.0)], steps=[step("explain", 0.5)])
    kept = json.loads(json.dumps(as_json(figures)))
    assert kept["gate"][0] == {
        "contestant": "beam",
        "title": "Full Court through Beam, 1 worker",
        "seasons": 1,
        "rows": 1234,
        "timings": [{"seconds": 2.0, "peak_mib": 100.0}, {"seconds": 4.0, "peak_mib": 100.0}],
        "dates": None,
        "seconds": 3.0,
        "peak_mib": 100.0,
    }
    assert [target["met"] for target in kept["targets"] if target["what"] == "`explain`"] == [True]


def test_memory_is_that_of_a_whole_tree_of_processes_and_not_of_who_measures():
    held = "x = bytearray(60 << 20); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', '{held}']); {held}; child.wait()"
    alone, both = (measure([sys.executable, "-c", program]).peak_mib for program in (held, parent))
    assert 60 < alone < 110
    assert both > 120


def test_a_program_that_fails_is_quoted():
    with pytest.raises(ProgramError, match=r"ended in 3: no such season"):
        measure([sys.executable, "-c", "import sys; sys.stderr.write('no such season'); sys.exit(3)"])
