"""`fullcourt repair-plan`: what to repair first."""

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

_TABLE = ("rank", "game_id", "game_date", "lacking", "table", "alone", "gain", "cumulative", "cumulative_pct")


def repair_plan(
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last day; belongs to the range.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many cells; all by default.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Ranks the missing games by how many held-back entity-days each unblocks, and what to run against them."""
    from fullcourt.orchestration.repair import repair_plan as plan
    from fullcourt.warehouse import open_warehouse

    report = plan(open_warehouse(warehouse), parse_day(start), parse_day(end), limit, parse_now(now))
    for cell in report["cells"]:
        cell["command"] = pasted(cell["command"], warehouse)
    report["commands"] = [pasted(command, warehouse) for command in report["commands"]]
    render(report, form)


def render(report: dict[str, Any], form: Format) -> None:
    """Tables of cells and of games, and what to run; one nested JSON; or CSV with one row a cell."""
    if form is Format.JSON:
        show_one(report)
        return
    cells = report["cells"]
    if form is Format.CSV:
        show(cells, form)
        return
    typer.echo(_headline(report))
    if not cells:
        return
    show([{name: cell[name] for name in _TABLE} for cell in cells], form, "Missing cells, best first: entity-days")
    games = [
        {name: game[name] for name in ("game_id", "nba_game_id", "gain", "tables", "files")} for game in report["games"]
    ]
    show(games, form, "The same by game: load these files of them again, as many games as can be had")
    typer.echo("Then run, once for all of them:")
    for command in report["commands"]:
        typer.echo(f"  {command}")
    typer.echo(
        "A run ends in 1 while other games are missing: go on. Whoever still waits has one more attempt recorded."
    )


def _headline(report: dict[str, Any]) -> str:
    cells = report["cells"]
    unblocked = cells[-1]["cumulative"] if cells else 0
    parts = [f"{report['held_back']} entity-days are held back from {report['start']} to {report['end']}"]
    if cells:
        parts.append(f"{len(cells)} missing cells of {len(report['games'])} games unblock {unblocked} of them")
    if report["for_a_rerun"]:
        parts.append(f"{report['for_a_rerun']} are complete by now and wait for a run")
    if report["beyond_repair"]:
        parts.append(f"{report['beyond_repair']} wait for a processor that owes them no row")
    if dead := report["dead_letters"]:
        first = f"{dead[0]['entity_id']} --date {dead[0]['analysis_date']} --processor {dead[0]['processor_name']}"
        parts.append(f"{len(dead)} more have an upstream row that contradicts itself: `fullcourt explain {first}`")
    return "; ".join(parts)
