"""`fullcourt breaker`: what circuit breakers hold back, and letting through what should not be."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from fullcourt.cli.confirm import ByOption, DryRunOption, ReasonOption, YesOption, confirm, confirm_by_typing
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, show, show_one
from fullcourt.domain.errors import UsageError

app = typer.Typer(no_args_is_help=True)
ProcessorOption = Annotated[str | None, typer.Option(help="Only this processor.")]
_SHOWN, _SAMPLE = 50, 10
_COLUMNS = (
    "processor_name",
    "entity_id",
    "analysis_date",
    "state",
    "attempt_number",
    "completeness_pct",
    "skip_reason",
)


@app.command()
def status(
    processor: ProcessorOption = None,
    entity: Annotated[str | None, typer.Option(help="Only this team or player.")] = None,
    active_only: Annotated[bool, typer.Option("--active-only", help="Only breakers that are open.")] = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Lists breakers, the open ones first, and sums them up per processor.

    Open: three attempts found the data incomplete, the cooldown lasts, and nobody has overridden it.
    """
    from fullcourt.orchestration import breakers
    from fullcourt.warehouse import open_warehouse

    store, instant = open_warehouse(warehouse), parse_now(now)
    chosen = breakers.select(store, processor, entity)
    rows = breakers.status(store, chosen, instant, active_only=active_only)
    sums = breakers.summary(store, chosen, instant)
    if form is Format.JSON:
        show_one({"breakers": rows, "processors": sums})
    elif form is Format.CSV:
        show(rows, form)
    else:
        shown = "" if len(rows) <= _SHOWN else f", the first {_SHOWN} of {len(rows)}"
        show([_short(row) for row in rows[:_SHOWN]], form, f"Breakers{shown}")
        show(sums, form, "By processor, all entities and days")
        if not any(row["state"] == "open" for row in rows):
            typer.echo("No breaker is open.")


@app.command()
def override(
    processor: Annotated[str, typer.Option(help="The processor.")],
    entity: Annotated[str, typer.Option(help="A team's tricode or a player's name.")],
    date: Annotated[str, typer.Option(help="The game day, YYYY-MM-DD.")],
    reason: ReasonOption,
    by: ByOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Lets one entity's open breaker through to the next run, which it does not start."""
    from fullcourt.domain.breaker import OVERRIDE

    day = parse_day(date)
    _change(OVERRIDE, processor, entity, (day, day), reason, by, dry_run, yes, warehouse, form, parse_now(now))


@app.command(name="bulk-override")
def bulk_override(
    date_from: Annotated[str, typer.Option(help="First game day, YYYY-MM-DD.")],
    date_to: Annotated[str, typer.Option(help="Last game day; belongs to the range.")],
    reason: ReasonOption,
    by: ByOption,
    processor: ProcessorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Overrides every open breaker of a range of game days, as after an outage."""
    from fullcourt.domain.breaker import OVERRIDE

    days = parse_day(date_from), parse_day(date_to)
    _change(OVERRIDE, processor, None, days, reason, by, dry_run, yes, warehouse, form, parse_now(now))


@app.command()
def reset(
    processor: Annotated[str, typer.Option(help="The processor.")],
    entity: Annotated[str, typer.Option(help="A team's tricode or a player's name.")],
    date: Annotated[str, typer.Option(help="The game day, YYYY-MM-DD.")],
    reason: ReasonOption,
    by: ByOption,
    understood: Annotated[
        bool, typer.Option("--i-understand-this-is-destructive", help="Without it nothing is reset.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Counts an entity's attempts from none again: the next incomplete run is attempt 1. Asks three times."""
    from fullcourt.domain.breaker import RESET

    if not understood and not dry_run:
        raise UsageError("a reset forgets the attempts: expected --i-understand-this-is-destructive, or --dry-run")
    day = parse_day(date)
    _change(RESET, processor, entity, (day, day), reason, by, dry_run, yes, warehouse, form, parse_now(now))


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """What fits a line: the newest attempt, until when it holds back, and what was last done."""
    done = f"{row['action']} by {row['acted_by']}: {row['reason']}" if row["action"] else None
    until = row["circuit_breaker_until"]
    return {
        **{name: row[name] for name in _COLUMNS},
        "until": f"{until:%Y-%m-%d %H:%M}" if until else None,
        "days_remaining": row["days_remaining"],
        "last_action": done,
    }


def _change(
    action: str,
    processor: str | None,
    entity: str | None,
    days: tuple[dt.date, dt.date],
    reason: str,
    by: str,
    dry_run: bool,
    yes: bool,
    warehouse: str,
    form: Format,
    now: dt.datetime,
) -> None:
    """Shows what would change, asks, changes it, and says what to run then."""
    from fullcourt.domain.breaker import OVERRIDE, RESET
    from fullcourt.orchestration import breakers
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    chosen = breakers.select(store, processor, entity, *days)
    rows = breakers.affected(store, action, chosen, now)
    if not rows:
        what = "open breaker" if action == OVERRIDE else "attempt"
        STDERR.print(f"no {what} is there to {action}: nothing to do", highlight=False)
        show([], form) if form is not Format.TABLE else None
        return
    _preview(rows, action)
    if dry_run:
        STDERR.print("dry run: nothing was changed", highlight=False)
        show(_acted(rows[: _shown(form)], action, False), form, f"Would {action} {_breakers(len(rows))}")
        return
    if action == RESET and not yes:
        confirm_by_typing(str(chosen.entity), f"the entity, {chosen.entity},")
        confirm_by_typing("DELETE", "DELETE")
        confirm_by_typing("yes", "yes")
    elif len(rows) > _SAMPLE and not yes:  # more than were shown
        confirm_by_typing(str(len(rows)), f"their number, {len(rows)},")
    else:
        confirm(f"{action.capitalize()} {_breakers(len(rows))}?", yes)
    count = breakers.act(store, action, chosen, now, by, reason)
    show(_acted(rows[: _shown(form)], action, True), form, f"{action}: {_breakers(count)}, by {by}")
    STDERR.print("Nothing was processed. The next run tries again:", highlight=False)
    for command in breakers.rerun_commands(rows, warehouse):
        STDERR.print(f"  {command}", highlight=False, soft_wrap=True)


def _shown(form: Format) -> int | None:
    """A screen holds so many rows; a file all."""
    return _SHOWN if form is Format.TABLE else None


def _preview(rows: Sequence[dict[str, Any]], action: str) -> None:
    """How many of each processor, and a few of them, on stderr."""
    for name, count in sorted(Counter(row["processor_name"] for row in rows).items()):
        STDERR.print(f"{action}: {count} of {name}", highlight=False)
    for row in rows[:_SAMPLE]:
        STDERR.print(
            f"  {row['entity_id']} on {row['analysis_date']}: {row['state']}, attempt {row['attempt_number']}, "
            f"{row['completeness_pct']} % complete",
            highlight=False,
        )
    if len(rows) > _SAMPLE:
        STDERR.print(f"  and {len(rows) - _SAMPLE} more", highlight=False)


def _breakers(count: int) -> str:
    return f"{count} breaker{'' if count == 1 else 's'}"


def _acted(rows: Sequence[dict[str, Any]], action: str, done: bool) -> list[dict[str, Any]]:
    return [{**{name: row[name] for name in _COLUMNS}, "action": action, "done": done} for row in rows]
