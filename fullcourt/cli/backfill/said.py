"""All that the commands print: plans, what came of them, days that failed, and the command to go on with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from fullcourt.cli.options import Common, Format
from fullcourt.cli.output import STDERR, show, show_one
from fullcourt.cli.paste import pasted
from fullcourt.domain.errors import EXIT_GATE, EXIT_INTERRUPTED, EXIT_LEFT_OVER

if TYPE_CHECKING:
    from fullcourt.orchestration.backfill.apply import Result
    from fullcourt.orchestration.backfill.plans import Plan
    from fullcourt.orchestration.backfill.work import Settled

Report = dict[str, Any]

_SHOWN = 10
_NESTED = ("stages", "findings", "upstream_runs", "unverified")


def say(text: str) -> None:
    """On stderr."""
    STDERR.print(text, markup=False, highlight=False, soft_wrap=True)


# ---- before anything is computed


def planned(looked: Report, form: Format) -> None:
    if form is Format.JSON:
        show_one(looked)
    elif form is Format.CSV:
        show(looked["stages"], form)
    else:
        _print_plan(looked)


def dry_run(looked: Report, form: Format) -> None:
    """Of `run`, whose table is printed whether it is a dry run or not."""
    if form is Format.JSON:
        show_one(looked)
    elif form is Format.CSV:
        show([{name: value for name, value in looked.items() if name not in _NESTED}], form)


def _print_plan(looked: Report) -> None:
    off, found = looked["off_days"], looked["findings"]
    days = f"{counted(looked['game_days'], 'game day')}, {looked['first_day']} to {looked['last_day']}"
    skipped = f"; without games: {_first(off)}" if off else ""
    show(looked["stages"], Format.TABLE, f"Backfill {looked['plan']}: {days}{skipped}")
    typer.echo(
        f"about {looked['estimated_rows']:,} rows to write, {looked['estimated_bytes'] / 1e6:,.0f} MB to read, "
        f"in {counted(looked['slices'], 'slice')}"
    )
    if found:
        rows = [{**row, "stops": "STOPS" if row["stops"] else "goes on"} for row in found[:_SHOWN]]
        show(rows, Format.TABLE, f"Found before anything is computed{_of(found)}")
    for text in looked["unverified"]:
        typer.echo(f"does not verify, and stops the backfill: {text}")
    for row in looked["upstream_runs"][:_SHOWN]:
        typer.echo(f"upstream run: {row['processor']} of {row['day']} is {row['status']}: {row['why']}")
    if looked["stages"] and not looked["days_left"]:
        typer.echo("Nothing to do: every day was done before, from the inputs as they are now.")


def nothing_to_do(looked: Report, wrong: Sequence[str], form: Format) -> None:
    """Ends the command in 1 where something is wrong: what did not hold when it was read back."""
    if form is Format.JSON:
        show_one({**looked, "state": "UNVERIFIED" if wrong else "DONE", "unverified": wrong})
    elif form is Format.CSV:
        show(looked["stages"], form)
    for text in wrong:
        say(f"verification failed: {text}")
    if wrong:
        raise typer.Exit(EXIT_GATE)


# ---- afterwards


def outcome(report: Report, stages: Sequence[Report], again: Sequence[str], common: Common) -> None:
    """again: commands for the days that failed."""
    if common.form is Format.JSON:
        show_one(report)
        return
    show(stages, common.form, f"Backfill {report['plan']}: {report['state']}")
    if common.form is Format.TABLE:
        _print_outcome(report)
        failed(report["failures"], again, common.warehouse)


def _print_outcome(report: Report) -> None:
    typer.echo(
        f"{counted(report['computed_days'], 'stage-day')} computed, {report['unchanged_days']} unchanged, "
        f"{report['rows']:,} rows"
    )
    if synthetic := report["synthetic_days"]:
        typer.echo(f"synthetic context, made of box scores: {_first(synthetic)}")
    if held := report["held"]:
        messages = sum(row["messages"] for row in held)
        typer.echo(f"{messages} completion messages held in: {', '.join(row['processor_name'] for row in held)}")


def failed(failures: Sequence[Report], again: Sequence[str], warehouse: str) -> None:
    """A table, and the commands for it; nothing where no day failed."""
    if not failures:
        return
    rows = [{"phase": row["phase"], "day": row["day"], "why": row["why"]} for row in failures[:_SHOWN]]
    show(rows, Format.TABLE, f"Days that are not done{_of(failures)}")
    for command in again:
        typer.echo(f"once repaired: {pasted(command, warehouse)}")


def end(plan: "Plan", result: "Result", failures: int, state: str, warehouse: str, resumed: str) -> None:
    """Says what is left, and ends the command in the code for it. failures: days that failed.  resumed: as `resume`."""
    for text in result.unverified:
        phase = text.partition(":")[0]
        command = f"fullcourt verify {phase} --start {plan.days[0]} --end {plan.days[-1]}"
        say(f"verification failed: {text}; see `{pasted(command, warehouse)}`")
    if result.moved:
        say(f"{result.moved}; {replan(plan, warehouse)}")
        raise typer.Exit(EXIT_GATE)
    if result.ownership:
        say(f"{result.ownership}; {resumed}")
        raise typer.Exit(EXIT_LEFT_OVER)
    if running := result.left_running:
        say(f"left running, for `resume` to adopt: {', '.join(running)}")
    if result.interrupted:
        say(f"interrupted; {resumed}")
        raise typer.Exit(EXIT_INTERRUPTED)
    if failures:
        say(f"{counted(failures, 'day')} not done")
    elif result.unverified and state != "DONE":
        say(f"stopped at the verification; once repaired, {resumed}")
    if failures or result.unverified:
        raise typer.Exit(EXIT_GATE)
    if state != "DONE":
        say(f"days are left over; {resumed}")
        raise typer.Exit(EXIT_LEFT_OVER)


def settled(plan: "Plan", came: "Settled", form: Format) -> None:
    """Of one slice, computed by a job; ends the command in 1 where a day is not done."""
    row = {"plan": plan.plan_id, "slice": came.slice_number, "state": str(came.state), "rows": came.rows}
    show([{**row, "failed_days": len(came.failed)}], form, "Slice")
    for day, why in came.failed.items():
        say(f"{day}: {why}")
    if came.failed:
        raise typer.Exit(EXIT_GATE)


# ---- pieces


def resume(plan: "Plan", warehouse: str, where: str = "") -> str:
    """where: options that say where slices are computed."""
    return f"resume with `{pasted(f'fullcourt backfill resume {plan.plan_id}{where}', warehouse)}`"


def replan(plan: "Plan", warehouse: str) -> str:
    command = pasted(f"fullcourt backfill resume {plan.plan_id} --replan", warehouse)
    return f"plan the same again and go on with `{command}`"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _first(days: Sequence[Any]) -> str:
    more = f" and {len(days) - _SHOWN} more" if len(days) > _SHOWN else ""
    return ", ".join(map(str, days[:_SHOWN])) + more


def _of(rows: Sequence[Report]) -> str:
    """For the title of a table that is cut."""
    return f"; the first {_SHOWN} of {len(rows)}" if len(rows) > _SHOWN else ""
