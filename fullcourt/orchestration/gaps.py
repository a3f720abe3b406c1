"""Which days a processor or a table lacks, read from the warehouse."""

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.gaps import Gaps, calendar_days, check_range, find_gaps
from fullcourt.domain.names import suggestions
from fullcourt.domain.processors import PROCESSORS, Processor
from fullcourt.domain.records import WHOLE_DAY
from fullcourt.domain.tables import Table
from fullcourt.orchestration import coverage
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.queries import QUERIES
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES


class Frequency(enum.StrEnum):
    """Which days are expected."""

    GAME_DAYS = "game_days"  # those of the schedule
    ALL_DAYS = "all_days"


def rolled_out(warehouse: Warehouse) -> list[Processor]:
    """The processors that were ever published; all of them where none was. One that never ran owes nothing yet."""
    rows = warehouse.query("SELECT DISTINCT processor_name FROM nba_orchestration.latest_receipts").to_pylist()
    ran = {row["processor_name"] for row in rows}
    return [processor for processor in PROCESSORS if processor.name in ran or not ran]


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


def output_gaps(
    warehouse: Warehouse, processors: Sequence[Processor], start: dt.date | None, end: dt.date | None, now: dt.datetime
) -> list[dict[str, Any]]:
    """Per processor, the outputs that game days owe and that are not there, over all seasons that are loaded.

    start, end: only days of this closed range.  Days from now's sports day on owe nothing yet.
    GateError when no schedule is loaded for the range.
    """
    first, last = _owed_range(warehouse, start, end, now)
    rows = warehouse.query(QUERIES["output_days"].sql, start=first, end=last).to_pylist()
    found = []
    for processor in processors:
        mine = {row["analysis_date"]: row["status"] for row in rows if row["processor_name"] == processor.name}
        there = [day for day, status in mine.items() if status in ("COMPLETE", "EMPTY_OK")]
        figures = _figures(find_gaps(first, max(first, last), mine, there))
        found.append(
            {
                "phase": processor.phase.name.lower(),
                "processor": processor.name,
                **figures,
                "incomplete_dates": [day for day, status in sorted(mine.items()) if status == "DEGRADED"],
                "empty_ok_days": sum(status == "EMPTY_OK" for status in mine.values()),
            }
        )
    return found


def flag_incomplete(
    warehouse: Warehouse,
    processors: Sequence[Processor],
    start: dt.date | None,
    end: dt.date | None,
    now: dt.datetime,
    *,
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Leaves a failure INCOMPLETE_COVERAGE for every processor and day that `output_gaps` finds, and no other.

    The entity of such a row is '*'; the same again changes nothing but created_at.  A complete publish of the day
    removes it.  Returns a row for each: processor, day, reason.
    """
    first, last = _owed_range(warehouse, start, end, now)
    names = [processor.name for processor in processors]
    if dry_run:
        failures = _coverage_failures(warehouse, names, first, last, now)
    else:
        with warehouse.transaction({}) as session:
            failures = _coverage_failures(session, names, first, last, now)
            session.execute(
                f"DELETE FROM {TABLES['precompute_failures'].id} WHERE entity_id = '{WHOLE_DAY}' "
                "AND processor_name IN UNNEST(@processors) AND analysis_date BETWEEN @first AND @last",
                processors=names,
                first=first,
                last=last,
            )
            rows = pa.Table.from_pylist(failures, TABLES["precompute_failures"].arrow_schema)
            session.insert("precompute_failures", rows)
    shown = ("processor_name", "analysis_date", "failure_reason")
    return [{name: failure[name] for name in shown} for failure in failures]


def _coverage_failures(
    source: Warehouse | Session, names: Sequence[str], first: dt.date, last: dt.date, now: dt.datetime
) -> list[dict[str, Any]]:
    owed = source.query(QUERIES["output_days"].sql, start=first, end=last).to_pylist()
    lacking = (row for row in owed if row["status"] in ("EXPECTED", "DEGRADED"))
    return [coverage.failure(row, now) for row in lacking if row["processor_name"] in names]


def _owed_range(
    warehouse: Warehouse, start: dt.date | None, end: dt.date | None, now: dt.datetime
) -> tuple[dt.date, dt.date]:
    """The closed range cut to days that are over; from the first game that is loaded, where no start is given."""
    if start is not None and end is not None:
        check_range(start, end)
    yesterday = sports_day(now) - dt.timedelta(1)
    (held,) = warehouse.query("SELECT MIN(game_date) AS first FROM nba_raw.counted_team_games").to_pylist()
    if start is None and held["first"] is None:
        raise GateError("no schedule is loaded: expected one, see `fullcourt ingest`")
    first, last = start or held["first"], min(end or yesterday, yesterday)
    if start is not None and first <= last:
        scheduled_days(warehouse, first, last)
    return first, last


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
        f"SELECT {date_column} AS day, COUNT(*) AS row_count FROM {table.read_id} "
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
