"""How a backfill is divided: into stages that wait for each other, and slices of days that do not."""

import datetime as dt
import enum
import itertools
from collections.abc import Iterable

from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.processors import Processor

SLICE_DAYS = 60


class State(enum.StrEnum):
    """Of a slice."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"  # published, read back and covered
    UNCHANGED = "UNCHANGED"  # done before, from the very inputs that are there now
    FAILED = "FAILED"  # a day of it, or all of them

    @property
    def finished(self) -> bool:
        """Nothing is left to do."""
        return self in (State.DONE, State.UNCHANGED)


def stages(processors: Iterable[Processor]) -> list[tuple[Processor, ...]]:
    """The processors, in DAG order, cut where one looks back over days that another of them makes.

    Within a stage every day can be computed by itself.
    """
    cut: list[list[Processor]] = []
    for processor in processors:
        waits = cut and (
            cut[-1][0].phase is not processor.phase
            or (processor.upstream is not None and any(p.name == processor.upstream.table for p in cut[-1]))
        )
        if not cut or waits:
            cut.append([])
        cut[-1].append(processor)
    return [tuple(stage) for stage in cut]


def slices(days: Iterable[dt.date], length: int = SLICE_DAYS) -> list[tuple[dt.date, ...]]:
    """The days, each once, ascending, in runs of one season and of at most so many days, as even as can be."""
    cut = []
    for _, of_season in itertools.groupby(sorted(set(days)), lambda day: season_of_day(to_number(day))):
        whole = list(of_season)
        count = -(-len(whole) // length)
        bounds = [len(whole) * number // count for number in range(count + 1)]
        cut += [tuple(whole[first:last]) for first, last in itertools.pairwise(bounds)]
    return cut


def job_name(plan_id: str, number: int, token: int) -> str:
    """Of the Dataflow job of a slice and claim: the same claim can have no second job while one is active."""
    return f"fullcourt-backfill-{plan_id.lower()}-{number}-{token}"


def seconds_left(done: float, total: float, elapsed: float) -> float | None:
    """At the pace so far; None before anything is done. done, total: in the same unit of work; elapsed: seconds."""
    return None if done <= 0 else max(0.0, elapsed * (total - done) / done)
