"""The contest: every contestant on the same seasons, results compared cell by cell, runs interleaved."""

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compare import compare
from benchmarks.contestants import Contestant
from benchmarks.measure import Timing, fresh, measure

PATIENCE_SECONDS = 40  # who takes longer runs once: the first run, which gives the cells to compare, is the figure
REFERENCE = "kernel"
BASELINE = "sql"
Say = Callable[[str], None]


@dataclass
class Result:
    """What a contestant took for so many seasons.

    rows: compared with the reference.  dates: (computed, of all) where only sampled dates were: `timings` are then
    extrapolated from them.
    """

    contestant: Contestant
    seasons: int
    rows: int
    timings: list[Timing] = field(default_factory=list)
    dates: tuple[int, int] | None = None

    @property
    def seconds(self) -> float:
        return statistics.median(timing.seconds for timing in self.timings)

    @property
    def peak_mib(self) -> float:
        return statistics.median(timing.peak_mib for timing in self.timings)


def ratios(mine: Result, other: Result) -> list[float]:
    """Of runs of one round where both took part in every round; else of the medians."""
    if len(mine.timings) == len(other.timings):
        return [a.seconds / b.seconds for a, b in zip(mine.timings, other.timings, strict=True)]
    return [mine.seconds / other.seconds]


def contest(
    contestants: Sequence[Contestant], seasons: int, data: Path, scratch: Path, python: Path, runs: int, say: Say
) -> list[Result]:
    """Runs of all contestants; RuntimeError when one's cells differ from the kernel's."""
    taking_part = [contestant for contestant in contestants if seasons <= contestant.largest]
    taking_part.sort(key=lambda contestant: contestant.name != REFERENCE)  # the others are compared with it
    results = {}
    for contestant in taking_part:
        say(f"{seasons} seasons: {contestant.title}")
        results[contestant.name] = _first(contestant, seasons, data, scratch, python)
    patient = [
        result for name, result in results.items() if name == BASELINE or result.timings[0].seconds <= PATIENCE_SECONDS
    ]
    for result in patient:
        result.timings.clear()  # it warmed the file cache
    for number in range(runs):
        say(f"{seasons} seasons: round {number + 1} of {runs}, {len(patient)} contestants")
        for result in patient:
            result.timings.append(_run(result.contestant, seasons, data, scratch, python)[0])
    shutil.rmtree(scratch)
    return [results[contestant.name] for contestant in contestants if contestant.name in results]


def _first(contestant: Contestant, seasons: int, data: Path, scratch: Path, python: Path) -> Result:
    timing, dates = _run(contestant, seasons, data, scratch, python)
    mine, reference = scratch / contestant.name, scratch / REFERENCE
    rows = compare(mine, reference, some_days=dates is not None)
    if mine != reference:
        shutil.rmtree(mine)
    return Result(contestant, seasons, rows, [timing], dates)


def _run(
    contestant: Contestant, seasons: int, data: Path, scratch: Path, python: Path
) -> tuple[Timing, tuple[int, int] | None]:
    out = fresh(scratch / contestant.name)
    timing = measure(contestant.command(data, out, python, seasons))
    if not contestant.samples(seasons):
        return timing, None
    sample = json.loads((out / "sample.json").read_text())
    per_date = (timing.seconds - sample["loading_seconds"]) / sample["dates"]
    whole = Timing(sample["loading_seconds"] + per_date * sample["of"], timing.peak_mib)
    return whole, (sample["dates"], sample["of"])


def say_missing(contestants: Sequence[Contestant], python: Path) -> tuple[list[Contestant], dict[str, str]]:
    """Those that can run here; and by title why the others cannot, said aloud."""
    missing = {c.title: why for c in contestants if (why := c.missing(python)) is not None}
    for title, why in missing.items():
        print(f"NOT RUN: {title}: {why}; see docs/performance.md", file=sys.stderr)
    return [contestant for contestant in contestants if contestant.title not in missing], missing
