"""What upstream processors left of a day, by their newest runs."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import BY_NAME, Processor
from fullcourt.domain.upstream_status import (
    DayPublish,
    ProcessorRun,
    UpstreamStatus,
    describes_its_own_day,
    upstream_status,
)
from fullcourt.orchestration.gaps import rows_per_day
from fullcourt.orchestration.schedule import game_days_before
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES


def find_processor(name: str) -> Processor:
    if name not in BY_NAME:
        raise UsageError(f"unknown processor {name!r}: expected one of {', '.join(BY_NAME)}")
    return BY_NAME[name]


def statuses(
    warehouse: Warehouse, processor: Processor, days: Sequence[dt.date], now: dt.datetime
) -> dict[dt.date, UpstreamStatus]:
    """The processor's status on each day, from three queries however many the days are."""
    if not days:
        return {}
    start, end = min(days), max(days)
    runs = warehouse.query(QUERIES["runs_of_days"].sql, processor=processor.name, start=start, end=end).to_pylist()
    receipts = warehouse.query(
        "SELECT analysis_date, run_id, status, coverage_pct FROM nba_orchestration.latest_receipts "
        "WHERE processor_name = @processor AND analysis_date BETWEEN @start AND @end",
        processor=processor.name,
        start=start,
        end=end,
    ).to_pylist()
    published = {
        row["analysis_date"]: DayPublish(row["run_id"], row["status"], row["coverage_pct"]) for row in receipts
    }
    stored = rows_per_day(warehouse, TABLES[processor.name], processor.day_column, start, end)
    return {
        day: upstream_status(
            [_run(run) for run in runs if run["first_day"] <= day <= run["data_date"]],
            published.get(day),
            stored.get(day, 0),
            now,
        )
        for day in days
    }


def days_relied_on(warehouse: Warehouse, upstream: Processor, days: Sequence[dt.date]) -> dict[dt.date, dt.date]:
    """Per day D built for, the day that the upstream must have: the game day before D, or D itself.

    Days that rely on nothing, a season's first, are left out.
    """
    if describes_its_own_day(upstream.name):
        return game_days_before(warehouse, days)
    return {day: day for day in days}


def _run(row: dict[str, Any]) -> ProcessorRun:
    said = [str(text) for name in ("errors", "warnings") for text in json.loads(row[name] or "[]")]
    return ProcessorRun(row["run_id"], row["status"], row["started_at"], "; ".join(said) or row["failure_category"])
