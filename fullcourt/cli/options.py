"""Options that several commands share."""

import datetime as dt
import enum
from pathlib import Path
from typing import Annotated

import typer


class Format(enum.StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


WarehouseOption = Annotated[
    str,
    typer.Option(
        "--warehouse",
        envvar="FULLCOURT_WAREHOUSE",
        help="duckdb:///path/to/file.duckdb, or a path that ends in .duckdb.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the result on stdout.")]
NowOption = Annotated[
    str | None,
    typer.Option("--now", help="Take this instant for now (ISO 8601 with zone), for tests and drills."),
]
DEFAULT_WAREHOUSE = "fullcourt.duckdb"
PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": False}  # Beam's own options, after `--`


def parse_now(text: str | None) -> dt.datetime:
    """The one reading of the clock."""
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant: expected such as 2024-01-15T06:00:00-05:00") from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: expected such as 2024-01-15T06:00:00-05:00")
    return instant.astimezone(dt.UTC)


def parse_day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day: expected YYYY-MM-DD") from None


DirectoryArgument = Annotated[Path, typer.Argument(help="Directory with landing files.", show_default=False)]
