"""`fullcourt explain`: the whole reason tree of one entity on one day."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

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
from fullcourt.domain.days import sports_day

Node = Mapping[str, Any]


def explain(
    entity: Annotated[str, typer.Argument(help="A team's tricode or a player's name.", show_default=False)],
    date: Annotated[str | None, typer.Option(help="The game day, YYYY-MM-DD; today's sports day by default.")] = None,
    processor: Annotated[str | None, typer.Option(help="Only this processor, and what it waits for.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows why an entity is held back, down to the lost games, and what repairs it."""
    from fullcourt.orchestration.explain import explain as run_explain
    from fullcourt.warehouse import open_warehouse

    instant = parse_now(now)
    day = sports_day(instant) if date is None else parse_day(date)
    report = run_explain(open_warehouse(warehouse), entity, day, instant, processor)
    if "repair" in report:
        report["repair"]["commands"] = [pasted(command, warehouse) for command in report["repair"]["commands"]]
    render(report, form)


def render(report: dict[str, Any], form: Format) -> None:
    """An indented tree; one nested JSON; or CSV with one row a processor and game that is not simply there."""
    if form is Format.JSON:
        show_one(report)
        return
    if form is Format.CSV:
        show([row for node in report["nodes"] for row in _rows(report, node)], form)
        return
    console = Console()
    console.width = console.width if console.is_terminal else 200  # a pipe has no width to fit
    console.print(_tree(report), highlight=False, soft_wrap=True)


def _tree(report: dict[str, Any]) -> Tree:
    tree = Tree(f"[bold]{escape(report['entity'])}[/bold] ({report['kind']}) on {report['date']}")
    if note := report.get("note"):
        tree.add(escape(note))
        return tree
    _add_repair(tree, report)  # first, as what follows may be long
    nodes = {(node["processor"], node["entity"]): node for node in report["nodes"]}
    shown: set[tuple[str, str]] = set()
    aside: dict[str, list[str]] = {}
    # Last in the chain first: what it waits for is inside it.
    for name in reversed(report["roots"]):
        node = nodes[name, report["entity"]]
        if node["verdict"] == "not judged":
            aside.setdefault(node["reason"], []).append(name)
        elif (name, report["entity"]) not in shown:
            _add(tree, nodes, (name, report["entity"]), shown, "")
    for reason, names in aside.items():
        tree.add(f"not judged ({escape(reason)}): {', '.join(names)}")
    return tree


def _add(
    tree: Tree, nodes: Mapping[tuple[str, str], Node], key: tuple[str, str], shown: set[tuple[str, str]], how: str
) -> None:
    node = nodes[key]
    title = f"{how}[bold]{node['processor']}[/bold] of {escape(node['entity'])}: {_verdict(node)}"
    if key in shown:
        tree.add(f"{title}, see above")
        return
    shown.add(key)
    branch = tree.add(title)
    branch.add(f"published: {escape(node['published'] or 'no row')}")
    for window in node["windows"]:
        branch.add(_window(window))
    for game in node["games"]:
        if game["standing"] in ("missing", "unreadable"):
            branch.add(_game(game))
    if excused := [game for game in node["games"] if game["standing"] == "excused"]:
        listed = branch.add(f"[cyan]excused[/cyan] {len(excused)} games")
        for game in excused:
            listed.add(_game(game))
    _add_breaker(branch, node["breaker"])
    for upstream in node["upstream"]:
        how = "waits for " if upstream["gates"] else "reads, not gated by, "
        other = upstream["processor"], upstream["entity"]
        if other in nodes and not upstream["ready"]:
            _add(branch, nodes, other, shown, how)
        else:
            ready = "ready" if upstream["ready"] else "not ready"
            branch.add(f"{how}{upstream['processor']} of {escape(upstream['entity'])}: {ready}")
    if later := node["affected"]:
        branch.add(_later(later))


def _verdict(node: Node) -> str:
    colour = "green" if node["verdict"] == "ready" else "yellow" if node["verdict"] == "flagged" else "red"
    return f"[{colour}]{node['verdict']}[/{colour}] ({escape(node['reason'])})"


def _window(window: Node) -> str:
    share = "none" if window["percentage"] is None else f"{window['percentage']} %"
    missing = len(window["missing"])
    return (
        f"{window['window']}: expected {window['expected']}, "
        f"excused {window['excused']}, required {window['required']}, present {window['present']}, missing {missing} "
        f"({window['permitted_misses']} permitted): {share}, {window['verdict']}"
    )


def _game(game: Node) -> str:
    standing = "" if game["standing"] == "excused" else f"[red]{game['standing']}[/red] "
    windows = ", ".join(game["windows"])
    return (
        f"{standing}{game['game_id']} ({game['nba_game_id']}), {game['game_date']} "
        f"{game['opponent']}, in {windows}: {escape(game['evidence'])} ({game['table']})"
    )


def _add_breaker(tree: Tree, breaker: Node | None) -> None:
    if breaker is None or not (breaker["attempts"] or breaker["actions"]):
        return
    until = f" until {breaker['until']:%Y-%m-%d %H:%M} UTC" if breaker["state"] == "open" else ""
    branch = tree.add(f"breaker {breaker['state'].replace('_', '-')}{until}")
    facts = [(attempt["attempted_at"], _attempt(attempt)) for attempt in breaker["attempts"]]
    facts += [(action["acted_at"], _action(action)) for action in breaker["actions"]]
    for at, text in sorted(facts):
        branch.add(f"{at:%Y-%m-%d %H:%M} UTC {escape(text)}")


def _attempt(attempt: Node) -> str:
    tripped = ", tripped" if attempt["circuit_breaker_tripped"] else ""
    share = "none" if attempt["completeness_pct"] is None else f"{attempt['completeness_pct']} %"
    return f"attempt {attempt['attempt_number']}: {share}, {attempt['skip_reason']}{tripped}"


def _action(action: Node) -> str:
    return f"{action['action']} by {action['acted_by']}: {action['reason']}"


def _later(later: Node) -> str:
    if not later["days"]:
        return "no later day's windows hold these games"
    return (
        f"until repaired: the windows of {later['days']} later days, {later['first_day']} to {later['last_day']}, hold "
        "these games, "
        f"more than permitted on {later['held_back']} of them"
    )


def _add_repair(tree: Tree, report: dict[str, Any]) -> None:
    repair = report["repair"]
    if not repair["commands"]:
        return
    branch = tree.add("[bold]to repair[/bold]")
    for lost in repair["reload"]:
        branch.add(f"load again {', '.join(lost['files'])} of {lost['game']} ({lost['day']})")
    for command in repair["commands"]:
        branch.add(escape(command))


def _rows(report: dict[str, Any], node: Node) -> Iterator[dict[str, Any]]:
    """One row a game that is missing or excused; one without a game where there is none."""
    named = {
        "asked": report["entity"],
        "date": report["date"],
        "processor": node["processor"],
        "entity": node["entity"],
        "verdict": node["verdict"],
        "reason": node["reason"],
        "breaker": node["breaker"]["state"] if node["breaker"] else None,
    }
    columns = ("standing", "game_id", "nba_game_id", "game_date", "opponent", "windows", "table", "evidence")
    games = [game for game in node["games"] if game["standing"] != "present"]
    for game in games or [dict.fromkeys(columns)]:
        yield {**named, **{column: game[column] for column in columns}}
