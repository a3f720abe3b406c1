"""Which days a processor or a table lacks, read from the warehouse."""

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Any

from fullcourt.domain.errors import UsageError
from fullcourt.domain.gaps import Gaps, calendar_days, check_range, find_gaps
from fullcourt.domain.names import suggestions
from fullcourt.domain.processors import Processor
from fullcourt.domain.tables import Table
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES


class Frequency(enum.StrEnum):
    """Which days are expected."""

    GAME_DAYS = "game_days"  # those of the schedule
    ALL_DAYS = "all_days"


def processor_gaps(
    warehouse: Warehouse, processors: Sequence[Processor], start: dt.date, end: dt.date, frequency: Frequency
) -> list[dict[str, Any]]:
    """Per processor, the days of the closed range that it has not published completely.

    A day whose newest receipt says less than COMPLETE is a gap, and one of incomplete_dates too.
    GateError when no schedule is loaded for the range.
    """
    check_range(start, end)
    game_days = scheduled_days(warehouse, start, end)
    expected = game_days if frequency is Frequency.GAME_DAYS else calendar_days(start, end)
    lacking = warehouse.query(QUERIES["game_day_gaps"].sql, start=start, end=end).to_pylist()
    found = []
    for processor in processors:
        mine = {row["analysis_date"]: row["status"] for row in lacking if row["processor_name"] == processor.name}
        gaps = find_gaps(start, end, expected, set(game_days).difference(mine))
        incomplete = [day for day in gaps.missing_dates if mine.get(day, "MISSING") != "MISSING"]
        found.append({"processor": processor.name, **_figures(gaps), "incomplete_dates": incomplete})
    return found


def table_gaps(
    warehouse: Warehouse, table: Table, date_column: str | None, start: dt.date, end: dt.date, frequency: Frequency
) -> Gaps:
    """The days of the closed range without a row in the table; a row that was held back is none.

    date_column: None for the table's own day.  GateError when game days are expected and no schedule is loaded.
    """
    check_range(start, end)
    column = day_column(table, date_column)
    scheduled = frequency is Frequency.GAME_DAYS
    expected = scheduled_days(warehouse, start, end) if scheduled else calendar_days(start, end)
    return find_gaps(start, end, expected, rows_per_day(warehouse, table, column, start, end))


def table_report(
    warehouse: Warehouse, name: str, date_column: str | None, start: dt.date, end: dt.date, frequency: Frequency
) -> dict[str, Any]:
    """The gaps of a table named by a user, as a row to show."""
    table = find_table(name)
    return {"table": table.id, **_figures(table_gaps(warehouse, table, date_column, start, end, frequency))}


def rows_per_day(
    warehouse: Warehouse, table: Table, date_column: str, start: dt.date, end: dt.date
) -> dict[dt.date, int]:
    """How many rows the table holds of each day that has any; stubs, which carry a verdict and no figures, left out."""
    computed = " AND processing_decision_reason IN UNNEST(@reasons)" if table.readiness else ""
    reasons = {"reasons": list(COMPUTED_REASONS)} if table.readiness else {}
    rows = warehouse.query(
        f"SELECT {date_column} AS day, COUNT(*) AS row_count FROM {table.id} "
        f"WHERE {date_column} BETWEEN @start AND @end{computed} GROUP BY {date_column}",
        start=start,
        end=end,
        **reasons,
    )
    return {row["day"]: row["row_count"] for row in rows.to_pylist()}


def _figures(gaps: Gaps) -> dict[str, Any]:
    return {
        "expected_days": gaps.expected_days,
        "present_days": gaps.expected_days - gaps.gap_count,
        "gap_count": gaps.gap_count,
        "coverage_pct": gaps.coverage_pct,
        "missing_dates": list(gaps.missing_dates),
    }


def find_table(name: str) -> Table:
    """A table of the registry by `name` or `dataset.name`; UsageError suggests names for an unknown one."""
    for table in TABLES.values():
        if name in (table.name, table.id):
            return table
    close = suggestions(name.rpartition(".")[2], list(TABLES))
    hint = f"did you mean {', '.join(close)}?" if close else f"expected one of {', '.join(TABLES)}"
    raise UsageError(f"unknown table {name!r}: {hint}")


def day_column(table: Table, name: str | None) -> str:
    """The column asked for, which must hold dates: an entity's column has as many gaps as there are days."""
    dates = [column.name for column in table.columns if column.type == "DATE"]
    wanted = name if name is not None else table.day
    if wanted not in dates:
        raise UsageError(
            f"{table.id} has no date column {wanted!r}: expected one of {', '.join(dates)}"
            if dates
            else f"{table.id} has no column of dates"
        )
    return wanted
