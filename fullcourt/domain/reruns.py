"""The fewest runs that bring given (processor, day) pairs up to date, in the order of the DAG."""

import datetime as dt
from collections.abc import Mapping, Set
from dataclasses import dataclass

from fullcourt.domain.processors import PROCESSORS, Phase

# Days that are not stale may be run along: one job of a week more costs less than a second job.  A run leaves what is
# the same alone, but for one more attempt of what is incomplete; so no run goes on much longer than it has to.
LONGEST_GAP_DAYS = 7


@dataclass(frozen=True)
class Rerun:
    """One run: a phase, some of its processors, a closed range of days."""

    phase: Phase
    processors: tuple[str, ...]
    first: dt.date
    last: dt.date


def reruns(stale: Mapping[str, Set[dt.date]]) -> list[Rerun]:
    """stale: days by processor.  One run for each phase and stretch of days with no gap longer than a week."""
    planned = []
    for phase in dict.fromkeys(processor.phase for processor in PROCESSORS):
        days_of = {p.name: stale[p.name] for p in PROCESSORS if p.phase is phase and stale.get(p.name)}
        for first, last in _stretches(set().union(*days_of.values())):
            named = tuple(name for name, days in days_of.items() if any(first <= day <= last for day in days))
            planned.append(Rerun(phase, named, first, last))
    return planned


def _stretches(days: Set[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """(first, last) of each stretch, ascending."""
    found: list[tuple[dt.date, dt.date]] = []
    for day in sorted(days):
        if found and (day - found[-1][1]).days <= LONGEST_GAP_DAYS:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
