"""What people may do to circuit breakers: look, let through, count anew. Facts are added; nothing is taken away.

Neither an override nor a reset processes anything: the next run of the processor does.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import breaker, records
from fullcourt.domain.days import micros
from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import BY_NAME, GATED
from fullcourt.orchestration.check import resolve
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES

FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(9999, 12, 31)


@dataclass(frozen=True)
class Breakers:
    """Which ones: of some processors, one entity or all, the closed range of game days."""

    processors: tuple[str, ...]
    entity: str | None = None
    start: dt.date = FIRST_DAY
    end: dt.date = LAST_DAY

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise UsageError(f"the first day must not be after the last: start={self.start}, end={self.end}")


def select(
    warehouse: Warehouse,
    processor: str | None = None,
    entity: str | None = None,
    start: dt.date = FIRST_DAY,
    end: dt.date = LAST_DAY,
) -> Breakers:
    """The breakers that these words name; UsageError for an unknown processor, entity or a range turned round.

    processor: with or without its dataset; None: all.  entity: a tricode, or a player's name in any spelling.
    """
    check_schema(warehouse)
    known = [gated.name for gated in GATED]
    name = processor.rpartition(".")[2] if processor else None
    if name is not None and name not in known:
        raise UsageError(f"unknown processor {processor!r}: expected one of {', '.join(known)}")
    key = resolve(warehouse, entity)[1] if entity is not None else None
    return Breakers((name,) if name else tuple(known), key, start, end)


def status(
    warehouse: Warehouse, chosen: Breakers, now: dt.datetime, *, active_only: bool = False
) -> list[dict[str, Any]]:
    """One row a breaker that ever had an attempt, the open ones first: state, newest attempt, last action."""
    rows = _rows(warehouse, chosen, now)
    return (rows.filter(pc.equal(rows["state"], "open")) if active_only else rows).to_pylist()


def summary(warehouse: Warehouse, chosen: Breakers, now: dt.datetime) -> list[dict[str, Any]]:
    """Per processor: attempts, entities, trips, breakers open and overridden; all its days."""
    rows = warehouse.query(QUERIES["breaker_summary"].sql, now=now).to_pylist()
    return [row for row in rows if row["processor_name"] in chosen.processors]


def affected(warehouse: Warehouse, action: str, chosen: Breakers, now: dt.datetime) -> list[dict[str, Any]]:
    """The breakers that the action would change: an override the open ones, a reset those with attempts."""
    return _touched(_rows(warehouse, chosen, now), action).to_pylist()


def act(warehouse: Warehouse, action: str, chosen: Breakers, now: dt.datetime, by: str, reason: str) -> int:
    """Records the action on every breaker that it changes, in one transaction; how many.

    UsageError for an empty reason: an override without a why is no audit.
    """
    if not reason.strip():
        raise UsageError("the reason is empty: say why, for those who read it later")
    with warehouse.transaction({}) as session:
        touched = _touched(_rows(session, chosen, now), action)
        if touched.num_rows:
            schema = TABLES["breaker_actions"].arrow_schema
            session.insert(
                "breaker_actions", records.action_rows(touched, action, by, reason.strip(), schema, micros(now))
            )
    return touched.num_rows


def rerun_commands(rows: Sequence[dict[str, Any]], warehouse: str) -> list[str]:
    """What makes the next attempt: one command a processor, over the days concerned."""
    days: dict[str, list[dt.date]] = {}
    for row in rows:
        days.setdefault(row["processor_name"], []).append(row["analysis_date"])
    return [
        f"fullcourt run {BY_NAME[name].phase.name.lower()} --processors {name} --start {min(of)} --end {max(of)} "
        f"--warehouse {warehouse}"
        for name, of in days.items()
    ]


def _rows(source: Warehouse | Session, chosen: Breakers, now: dt.datetime) -> pa.Table:
    return source.query(
        QUERIES["breaker_status"].sql,
        processors=list(chosen.processors),
        entity=chosen.entity or "",
        start=chosen.start,
        end=chosen.end,
        now=now,
    )


def _touched(rows: pa.Table, action: str) -> pa.Table:
    if action == breaker.OVERRIDE:
        return rows.filter(pc.equal(rows["state"], "open"))
    return rows.filter(pc.greater(rows["attempt_number"], 0))
