"""`fullcourt gaps`: the days that processors, or a table, lack."""

from typing import Annotated, Any

import typer

from fullcourt.cli.models import EndOption, StartOption
from fullcourt.cli.options import DEFAULT_WAREHOUSE, Format, FormatOption, WarehouseOption, parse_day
from fullcourt.cli.output import show
from fullcourt.domain.errors import EXIT_GATE, UsageError
from fullcourt.domain.processors import PROCESSORS

_SHOWN_DAYS = 5


def gaps(
    start: StartOption,
    end: EndOption,
    processor: Annotated[str | None, typer.Option(help="Only this processor.")] = None,
    table: Annotated[
        str | None, typer.Option(help="Of this table instead, as dataset.table: the days on which it has no row.")
    ] = None,
    date_column: Annotated[
        str | None, typer.Option(help="With --table: its column of days; its own day by default.")
    ] = None,
    calendar_days: Annotated[
        bool, typer.Option("--calendar-days", help="Expect every calendar day, days off too.")
    ] = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
) -> None:
    """Lists the game days that each processor has not published completely. Ends in 1 when there is one.

    incomplete dates are those of the missing ones that were published, but with less than 90 % of what they owed.
    """
    from fullcourt.orchestration.gaps import Frequency, processor_gaps, table_report
    from fullcourt.orchestration.run import check_schema
    from fullcourt.orchestration.upstream import find_processor
    from fullcourt.warehouse import open_warehouse

    first, last = parse_day(start), parse_day(end)
    if table is not None and processor is not None:
        raise UsageError("--processor and --table exclude each other")
    if date_column is not None and table is None:
        raise UsageError("--date-column goes with --table")
    frequency = Frequency.ALL_DAYS if calendar_days else Frequency.GAME_DAYS
    asked = [find_processor(processor)] if processor is not None else PROCESSORS
    store = open_warehouse(warehouse)
    check_schema(store)
    if table is not None:
        rows = [table_report(store, table, date_column, first, last, frequency)]
    else:
        rows = processor_gaps(store, asked, first, last, frequency)
    shown = [_shortened(row) for row in rows] if form is Format.TABLE else rows
    show(shown, form, f"{'Calendar' if calendar_days else 'Game'} days from {first} to {last}")
    if any(row["gap_count"] for row in rows):
        raise typer.Exit(EXIT_GATE)


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    """The first few of each list of days."""
    return {name: _first(value) if isinstance(value, list) else value for name, value in row.items()}


def _first(days: list[Any]) -> str:
    more = f" and {len(days) - _SHOWN_DAYS} more" if len(days) > _SHOWN_DAYS else ""
    return " ".join(map(str, days[:_SHOWN_DAYS])) + more
