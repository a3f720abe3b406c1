"""The five script names that operators know, as console scripts: each is a command under its old name and flags."""

from typing import Annotated

import typer

from fullcourt.cli.main import check, main
from fullcourt.cli.options import DEFAULT_WAREHOUSE, Format, FormatOption, NowOption, WarehouseOption

_completeness = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def check_circuit_breaker_status() -> None:
    main("breaker", "status")


def override_circuit_breaker() -> None:
    main("breaker", "override")


def bulk_override_circuit_breaker() -> None:
    main("breaker", "bulk-override")


def reset_circuit_breaker() -> None:
    main("breaker", "reset")


def check_completeness() -> None:
    main(commands=_completeness)


@_completeness.command()
def _check_completeness(
    entity: Annotated[str, typer.Option(help="A team's tricode or a player's name.")],
    date: Annotated[str | None, typer.Option(help="The game day, YYYY-MM-DD; today's sports day by default.")] = None,
    processor: Annotated[str | None, typer.Option(help="Only this processor.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows what an entity's windows need on a day, what is there, and the verdict."""
    check(entity, date, processor, warehouse, form, now)
