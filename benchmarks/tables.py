"""The figures as Markdown tables, and as JSON."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from benchmarks.contest import BASELINE, Result, ratios
from benchmarks.product import Step
from benchmarks.targets import Target, targets

_MET = {True: "met", False: "**not met**", None: "not measured"}


@dataclass
class Figures:
    """All that one `make bench` finds out.

    not_run: by contestant, why.  identical: the ways in which the Beam job was run.
    """

    results: list[Result] = field(default_factory=list)
    identical: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> list[Target]:
        return targets(self.results, self.steps)


def markdown(figures: Figures) -> str:
    parts = [_machine_line()]
    for seasons in sorted({result.seasons for result in figures.results}):
        results = [result for result in figures.results if result.seasons == seasons]
        parts.append(f"## The gate, {seasons} {'season' if seasons == 1 else 'seasons'}\n\n{_contest_table(results)}")
    parts += [f"Not run: {title}: {why}." for title, why in figures.not_run.items()]
    if figures.identical:
        ways = f"Bit-identical to the kernel in {len(figures.identical)} ways of running the Beam job:\n\n"
        parts.append(ways + "\n".join(f"- {way}" for way in figures.identical))
    if figures.steps:
        parts.append(f"## The product\n\n{_step_table(figures.steps)}")
    parts.append(f"## Targets\n\n{_target_table(figures.targets)}")
    return "\n\n".join(parts) + "\n"


def as_json(figures: Figures) -> dict[str, Any]:
    return {
        "machine": _machine(),
        "gate": [_result(result) for result in figures.results],
        "not_run": figures.not_run,
        "bit_identical": figures.identical,
        "product": [asdict(step) | {"seconds": step.seconds, "peak_mib": step.peak_mib} for step in figures.steps],
        "targets": [asdict(target) | {"met": target.met} for target in figures.targets],
    }


def _contest_table(results: Sequence[Result]) -> str:
    baseline = next((result for result in results if result.contestant.name == BASELINE), None)
    rows = [
        (
            result.contestant.title,
            f"{result.seconds:.2f}",
            _range(ratios(result, baseline)) if baseline else "",
            f"{result.peak_mib:.0f}",
            f"{result.rows:,}",
            _runs(result),
        )
        for result in results
    ]
    return _table(("contestant", "wall s", "× SQL (range)", "peak MiB", "rows compared", "runs"), rows)


def _runs(result: Result) -> str:
    if result.dates is None:
        return str(len(result.timings))
    return f"{len(result.timings)}, from {result.dates[0]} of {result.dates[1]} dates"


def _step_table(steps: Sequence[Step]) -> str:
    rows = [
        (step.title, f"{step.seconds:.2f}", f"{step.peak_mib:.0f}", _speed(step), str(len(step.timings)))
        for step in steps
    ]
    return _table(("command", "wall s", "peak MiB", "rows/s", "runs"), rows)


def _speed(step: Step) -> str:
    return f"{step.rows / step.seconds:,.0f}" if step.rows else ""


def _target_table(found: Iterable[Target]) -> str:
    rows = [
        (
            target.what,
            f"{'≥' if target.at_least else '≤'} {target.limit:g} {target.unit}",
            "" if target.measured is None else f"{target.measured:.2f} {target.unit}",
            _MET[target.met],
        )
        for target in found
    ]
    return _table(("target", "limit", "measured", ""), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _range(values: Sequence[float]) -> str:
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}-{max(values):.2f})"


def _result(result: Result) -> dict[str, Any]:
    named = {"contestant": result.contestant.name, "title": result.contestant.title}
    rest = {name: value for name, value in asdict(result).items() if name != "contestant"}
    return named | rest | {"seconds": result.seconds, "peak_mib": result.peak_mib}


def _machine() -> Mapping[str, Any]:
    engines = {name: version(name) for name in ("apache-beam", "duckdb", "numpy", "pyarrow")}
    return {"cpus": os.cpu_count(), "python": platform.python_version(), **engines}


def _machine_line() -> str:
    return ", ".join(f"{name} {value}" for name, value in _machine().items())
