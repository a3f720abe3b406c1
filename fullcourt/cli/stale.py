"""`fullcourt stale`: published rows whose inputs changed since, and the fewest runs that renew them."""

from typing import Annotated, Any

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
from fullcourt.cli.output import show, show_one
from fullcourt.cli.paste import pasted

_GAMES_SHOWN = 20


def stale(
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last day; belongs to the range.")],
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Lists published rows whose inputs changed since, such as a corrected box score, and what to run again."""
    from fullcourt.orchestration.stale import stale as find_stale
    from fullcourt.warehouse import open_warehouse

    report = find_stale(open_warehouse(warehouse), parse_day(start), parse_day(end), parse_now(now))
    for run in report["commands"]:
        run["command"] = pasted(run["command"], warehouse)
    render(report, form)


def render(report: dict[str, Any], form: Format) -> None:
    """Tables of games and of processors, with the commands; one nested JSON; or CSV with one row an entity-day."""
    if form is Format.JSON:
        show_one(report)
        return
    if form is Format.CSV:
        show(report["entity_days"], form)
        return
    if not report["processors"]:
        typer.echo(f"Nothing published from {report['start']} to {report['end']} is stale")
        return
    games = [
        {
            "game_id": game["game_id"],
            "nba_game_id": game["nba_game_id"],
            "changed": [f"{name}: {rows}" for name, rows in game["summaries"].items()],
        }
        for game in report["games"]
    ]
    show(games[:_GAMES_SHOWN], form, f"Games whose summaries would change: {len(games)}, rows of each")
    show(report["processors"], form, "Stale rows")
    typer.echo("To run, in this order:")
    for run in report["commands"]:
        typer.echo(f"  {run['command']}")
    if demoted := sum(line["demoted"] for line in report["processors"]):
        typer.echo(f"{demoted} ready rows would not be ready any more: see --allow-demotion")
