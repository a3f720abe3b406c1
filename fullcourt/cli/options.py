"""Options that several commands share, and groups of them."""

import datetime as dt
import enum
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fullcourt.warehouse import Warehouse


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
DetachOption = Annotated[
    bool,
    typer.Option(
        "--detach",
        help="Hand the job to the service whose --runner is named after `--`, and do not wait: it publishes by itself.",
    ),
]
SkipTriggerOption = Annotated[
    bool, typer.Option("--skip-downstream-trigger", help="Keep the completion messages in; nothing else starts.")
]
DEFAULT_WAREHOUSE = "fullcourt.duckdb"
PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": False}  # Beam's own options, after `--`


@dataclass(frozen=True)
class Common:
    """What nearly every command can be told."""

    warehouse: WarehouseOption = DEFAULT_WAREHOUSE
    form: FormatOption = Format.TABLE
    now: NowOption = None

    def open(self) -> "Warehouse":
        from fullcourt.warehouse import open_warehouse

        return open_warehouse(self.warehouse)


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command that has, in place of each parameter whose type is a dataclass, the options that are its fields.

    So options that several commands share are written once, with their defaults and what is made of them.  In --help
    they stand where the parameter stands.  ValueError: two options have one name.
    """
    groups: dict[str, tuple[Any, list[str]]] = {}
    options: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        group: Any = parameter.annotation
        if isinstance(group, type) and is_dataclass(group):
            fields = inspect.signature(group, eval_str=True).parameters
            groups[parameter.name] = (group, list(fields))
            options += fields.values()
        else:
            options.append(parameter)

    @functools.wraps(command)
    def expanded(**given: Any) -> None:
        made = {
            name: group(**{field: given.pop(field) for field in fields}) for name, (group, fields) in groups.items()
        }
        command(**given, **made)

    expanded.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in options]
    )
    return expanded


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


DirectoryArgument = Annotated[
    str, typer.Argument(help="Directory with landing files, or gs://bucket/directory.", show_default=False)
]
