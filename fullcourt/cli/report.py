"""`fullcourt report`: a range of days as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import progress, show


def report(
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last day; belongs to the range.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("report.html"),
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Writes what a range of days came to as one HTML file that opens anywhere, without a network."""
    from fullcourt.report.page import write_report
    from fullcourt.warehouse import open_warehouse

    first, last, instant = parse_day(start), parse_day(end), parse_now(now)
    with progress("report") as say:
        written = write_report(open_warehouse(warehouse), first, last, instant, output, say)
    show([written], form, "Report")
