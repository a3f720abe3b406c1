"""`fullcourt verify`: whether what stands in a phase's tables is what its game days owe."""

import itertools
from typing import Annotated, Any

import typer

from fullcourt.cli.gaps import shortened
from fullcourt.cli.models import EndOption, StartOption
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import show
from fullcourt.domain.errors import GateError

_SHOWN_DAYS = 3


def verify(
    phase: Annotated[
        str,
        typer.Argument(
            help="1 to 5, or landing, raw, analytics, precompute, predictions.", show_default=False, metavar="PHASE"
        ),
    ],
    start: StartOption,
    end: EndOption,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Reads a phase's tables back and checks every game day of a range. Ends in 1 when one fails.

    game_days: days with rows, of those with a final game. files_listed: files behind a day's rows that a manifest
    lists. final_games: games that are over, of days gone by. whole_team_games: box scores whose players' points make
    the score. team_rows: two a game. players: 90 % of those who entered a game. unknown_zones_pct: below 20.
    repeated_keys: none. coverage_pct: of what the day owed, at least 90 is there or explained. complete_receipts:
    published, and complete then. published_rows: as many stand as were published. A check that no day fails is one
    row: totals, or the worst percentage.
    """
    from fullcourt.orchestration.verify import failure, phase_name
    from fullcourt.orchestration.verify import verify as run_checks
    from fullcourt.warehouse import open_warehouse

    first, last = parse_day(start), parse_day(end)
    name = phase_name(phase)
    rows = run_checks(open_warehouse(warehouse), name, first, last, parse_now(now))
    render(rows, form, f"{name}, game days from {first} to {last}")
    if failed := failure(rows):
        raise GateError(f"verify {name}: {failed}")


def render(rows: list[dict[str, Any]], form: Format, title: str) -> None:
    """The checks; a range without game days says that nothing was due."""
    if form is Format.TABLE and not rows:
        typer.echo(f"{title}: no game has been played, nothing to verify")
        return
    show(_folded(rows) if form is Format.TABLE else rows, form, f"Checks of {title}")


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first few failing days of each check, and how many more there are."""
    shown: list[dict[str, Any]] = []
    for (check, table), alike in itertools.groupby(rows, lambda row: (row["check"], row["table"])):
        listed = [{**shortened(row), "ok": "yes" if row["ok"] else "NO"} for row in alike]
        shown += listed[:_SHOWN_DAYS]
        if (more := len(listed) - _SHOWN_DAYS) > 0:
            rest = {"days": f"and {more} more days", "found": None, "expected": None, "ok": "NO"}
            shown.append({"check": check, "table": table, **rest})
    return shown
