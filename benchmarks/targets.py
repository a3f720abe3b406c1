"""What the figures are meant to be, beside what they are."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.contest import Result, ratios
from benchmarks.product import Step

GATE_LIMITS = {1: 3.0, 10: 1.1, 100: 0.5}  # seasons -> Beam's wall time, as a multiple of the SQL's


@dataclass(frozen=True)
class Target:
    """measured: None where this run says nothing of it.  at_least: the limit is a lower one."""

    what: str
    limit: float
    measured: float | None
    unit: str = "×"
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def targets(results: Sequence[Result], steps: Sequence[Step]) -> list[Target]:
    return [*_gate(results), *_product(results, {step.name: step for step in steps})]


def _gate(results: Sequence[Result]) -> Iterator[Target]:
    """Full Court with 1 worker or 2, whichever is faster."""
    found = {(result.contestant.name, result.seasons): result for result in results}
    for seasons, limit in GATE_LIMITS.items():
        beam, sql = _faster(found, seasons), found.get(("sql", seasons))
        yield Target(f"the gate at ×{seasons}, wall, of the SQL's", limit, _wall(beam, sql))
    beam, sql = _faster(found, 100), found.get(("sql", 100))
    yield Target("the gate at ×100, memory, of the SQL's", 0.25, beam.peak_mib / sql.peak_mib if beam and sql else None)
    yield Target(
        "the gate at ×100, wall, of the kernel's alone on 2 threads", 1.8, _wall(beam, found.get(("kernel2", 100)))
    )
    for seasons in GATE_LIMITS:
        slow = _wall(found.get(("per_date", seasons)), _faster(found, seasons))
        yield Target(f"the per-date style at ×{seasons}, wall, of the gate's", 100, slow, at_least=True)


def _product(results: Sequence[Result], steps: dict[str, Step]) -> Iterator[Target]:
    sql = next((result for result in results if (result.contestant.name, result.seasons) == ("sql", 10)), None)
    ten, one = steps.get("chain10"), steps.get("chain1")
    yield Target(
        "ten seasons through phases 3 to 5, wall, of the SQL's gate at ×10",
        15,
        ten.seconds / sql.seconds if ten and sql else None,
    )
    yield Target(
        "one season through phases 3 to 5, wall, of ten seasons'",
        0.33,
        one.seconds / ten.seconds if one and ten else None,
    )
    for name, what, limit in (
        ("day", "`run precompute` of one day", 3.0),
        ("noop", "`run precompute` of one day again", 1.5),
        ("noop1", "`run precompute` of one season again", 1.5),
        ("explain", "`explain`", 1.0),
    ):
        yield Target(what, limit, steps[name].seconds if name in steps else None, unit="s")


def _faster(found: dict[tuple[str, int], Result], seasons: int) -> Result | None:
    beams = [found[name, seasons] for name in ("beam", "beam2") if (name, seasons) in found]
    return min(beams, key=lambda result: result.seconds, default=None)


def _wall(mine: Result | None, other: Result | None) -> float | None:
    return statistics.median(ratios(mine, other)) if mine and other else None
