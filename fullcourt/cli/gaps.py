"""`fullcourt gaps`: the days that processors, or a table, lack."""

from typing import Annotated, Any

import typer

from fullcourt.cli.confirm import DryRunOption, YesOption, confirm
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, show
from fullcourt.domain.errors import EXIT_GATE, UsageError

_SHOWN_DAYS = 5


def gaps(
    start: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD; --outputs needs none.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day; belongs to the range; --outputs needs none.")] = None,
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
    outputs: Annotated[
        bool, typer.Option("--outputs", help="All that game days owe, of whole seasons, up to yesterday.")
    ] = False,
    flag: Annotated[
        bool,
        typer.Option(
            "--flag-incomplete", help="With --outputs: leave a failure INCOMPLETE_COVERAGE for each such day."
        ),
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Lists the game days that each processor has not published completely. Ends in 1 when there is one.

    incomplete dates are those of the missing ones that were published, but with less than 90 % of what they owed.
    A processor that was never published is asked about only by name.
    With --outputs no range is needed: a hole in October shows in May.
    """
    from fullcourt.orchestration.gaps import (
        Frequency,
        flag_incomplete,
        output_gaps,
        processor_gaps,
        rolled_out,
        table_report,
    )
    from fullcourt.orchestration.upstream import find_processor
    from fullcourt.warehouse import open_warehouse
    from fullcourt.warehouse.ddl import check_schema

    first, last = (parse_day(day) if day is not None else None for day in (start, end))
    if table is not None and processor is not None:
        raise UsageError("--processor and --table exclude each other")
    if date_column is not None and table is None:
        raise UsageError("--date-column goes with --table")
    if outputs and (table is not None or calendar_days):
        raise UsageError("--outputs excludes --table and --calendar-days")
    if flag and not outputs:
        raise UsageError("--flag-incomplete goes with --outputs")
    frequency = Frequency.ALL_DAYS if calendar_days else Frequency.GAME_DAYS
    named = [find_processor(processor)] if processor is not None else None
    store, instant = open_warehouse(warehouse), parse_now(now)
    check_schema(store)
    asked = named or rolled_out(store)
    if outputs:
        rows = output_gaps(store, asked, first, last, instant)
        title = f"Outputs owed from {first or 'the first game'} to {last or 'yesterday'}"
    elif first is None or last is None:
        raise UsageError("expected --start and --end, or --outputs, which needs neither")
    else:
        title = f"{'Calendar' if calendar_days else 'Game'} days from {first} to {last}"
        if table is not None:
            rows = [table_report(store, table, date_column, first, last, frequency)]
        else:
            rows = processor_gaps(store, asked, first, last, frequency)
    show([shortened(row) for row in rows] if form is Format.TABLE else rows, form, title)
    lacking = sum(row["gap_count"] for row in rows)
    if flag:
        if lacking and not dry_run:
            confirm(f"Leave a failure INCOMPLETE_COVERAGE for each of {lacking} processor-days?", yes)
        flagged = len(flag_incomplete(store, asked, first, last, instant, dry_run=dry_run))
        text = f"dry run: {flagged} processor-days would be flagged; nothing was changed"
        STDERR.print(text if dry_run else f"{flagged} processor-days are flagged", highlight=False, soft_wrap=True)
    if lacking:
        raise typer.Exit(EXIT_GATE)


def shortened(row: dict[str, Any]) -> dict[str, Any]:
    """The first few of each list of days."""
    return {name: _first(value) if isinstance(value, list) else value for name, value in row.items()}


def _first(days: list[Any]) -> str:
    more = f" and {len(days) - _SHOWN_DAYS} more" if len(days) > _SHOWN_DAYS else ""
    return " ".join(map(str, days[:_SHOWN_DAYS])) + more
