"""Published rows whose inputs changed since, such as a corrected or late box score, and the fewest runs for them."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import GATED, PROCESSORS, Phase, Processor
from fullcourt.domain.reruns import reruns
from fullcourt.domain.staleness import CHANGED, GONE, NEW
from fullcourt.orchestration import policy
from fullcourt.orchestration.recomputed import Found, Recomputed
from fullcourt.orchestration.remedies import command
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema


def stale(warehouse: Warehouse, start: dt.date, end: dt.date, now: dt.datetime) -> dict[str, Any]:
    """What is published of the days from start to end, and is not what a run would write now.

    The summaries that these days rest on are looked at back to the start of the season.  A day that was never
    published is no stale one: `gaps` names it.  now: the thresholds that people have set by then hold.

    Returns {"games", "processors", "entity_days", "commands"}: the games whose summaries would change; the stale rows
    by processor in figures; each of them with what changed; the fewest runs that renew them, in the order to run.
    GateError when no schedule is loaded for the range.
    """
    check_schema(warehouse)
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
    scheduled_days(warehouse, start, end)  # refuses a season that is not loaded
    gated = {processor.name: processor for processor in policy.effective(warehouse, GATED, now)}
    found = Found()
    for season in range(season_of_day(to_number(start)), season_of_day(to_number(end)) + 1):
        Recomputed(warehouse, season, start, end, gated, found).compare_all()
    by_processor: dict[str, list[Mapping[str, Any]]] = {}
    for row in found.entity_days:
        by_processor.setdefault(row["processor"], []).append(row)
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "games": sorted(found.games.values(), key=lambda game: (game["game_date"], game["game_id"])),
        "processors": [_line(p, by_processor[p.name]) for p in PROCESSORS if p.name in by_processor],
        "entity_days": found.entity_days,
        "commands": [
            {
                "phase": run.phase.name.lower(),
                "processors": list(run.processors),
                "start": run.first.isoformat(),
                "end": run.last.isoformat(),
                "command": _command(run.phase, run.first, run.last, run.processors),
            }
            for run in reruns(found.days)
        ],
    }


def _line(processor: Processor, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One processor's stale rows in figures. demoted, promoted: rows that would not be ready any more, or now would."""
    changes = Counter(row["change"] for row in rows)
    days = {row["day"] for row in rows}
    return {
        "phase": processor.phase.name.lower(),
        "processor": processor.name,
        "rows": len(rows),
        **{change: changes[change] for change in (CHANGED, NEW, GONE)},
        "demoted": sum(row["was_ready"] and not row["is_ready"] for row in rows),
        "promoted": sum(row["is_ready"] and not row["was_ready"] for row in rows),
        "entities": len({row["entity"] for row in rows}),
        "days": len(days),
        "first_day": min(days).isoformat(),
        "last_day": max(days).isoformat(),
    }


def _command(phase: Phase, first: dt.date, last: dt.date, processors: Sequence[str]) -> str:
    if phase is Phase.PREDICTIONS:
        return f"{command(phase, first, last)} --historical"  # of days long past too
    return command(phase, first, last, processors)
