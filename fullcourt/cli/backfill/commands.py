"""The commands: each says what is asked of the rest of the package."""

from typing import Annotated

import typer

from fullcourt.cli.backfill import applying, making, said
from fullcourt.cli.backfill.options import Applying, Asked, PlanArgument, TakingUp
from fullcourt.cli.confirm import ByOption, DryRunOption, YesOption, confirm
from fullcourt.cli.on import On
from fullcourt.cli.options import PASS_THROUGH, Common, DetachOption, Format, grouped, parse_day, parse_now
from fullcourt.cli.output import show, show_one
from fullcourt.cli.paste import pasted

app = typer.Typer(no_args_is_help=True)


@app.command()
@grouped
def plan(
    *,
    by: ByOption,
    asked: Asked,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do not store it.")] = False,
    common: Common,
) -> None:
    """Says what a backfill would do: days, what is done already, what stands in the way; and freezes it under an id."""
    store, now = common.open(), parse_now(common.now)
    made = making.make(store, asked, now)
    looked = making.look(store, made, now)
    said.planned(looked, common.form)
    if dry_run:
        said.say("dry run: the plan is not stored")
        return
    making.store_looked_at(store, made, looked, by)
    said.say(f"stored; go on with `{pasted(f'fullcourt backfill apply {made.plan_id}', common.warehouse)}`")


@app.command(context_settings=PASS_THROUGH)
@grouped
def apply(*, context: typer.Context, taking: TakingUp, where: On, common: Common) -> None:
    """Applies a plan: what of it is not done. Ctrl-C lets what is running end; twice stops at once.

    Jobs of Dataflow end by themselves, whatever becomes of the command; `resume` goes on waiting for them.

    Exit codes: 0 all days are done; 1 a day failed, a phase did not verify, or the inputs moved; 4 days are left
    over, or another run owns them; 130 interrupted.
    """
    applying.take_up("Apply", taking, where, common, context.args, uncancel=False)


@app.command(context_settings=PASS_THROUGH)
@grouped
def resume(*, context: typer.Context, taking: TakingUp, where: On, common: Common) -> None:
    """Goes on with a plan that was killed, interrupted, cancelled, or that had failed days: exactly what is left."""
    applying.take_up("Go on with", taking, where, common, context.args, uncancel=True)


@app.command(context_settings=PASS_THROUGH)
@grouped
def run(
    *,
    context: typer.Context,
    how: Applying,
    asked: Asked,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and neither store nor apply it.")] = False,
    yes: YesOption = False,
    where: On,
    common: Common,
) -> None:
    """Plans and applies at once: verifies the raw tables, computes and reads back phase by phase.

    Days that were done before from the same inputs are left alone. Exit codes as of `apply`.
    """
    store, now = common.open(), parse_now(common.now)
    made = making.make(store, asked, now)
    looked = making.look(store, made, now)
    if common.form is Format.TABLE:
        said.planned(looked, common.form)
    if dry_run:
        said.say("dry run: nothing was stored or computed")
        said.dry_run(looked, common.form)
        return
    if not looked["days_left"]:
        said.nothing_to_do(looked, applying.read_back(store, made, now), common.form)
        return
    confirm(f"Compute {said.counted(looked['days_left'], 'processor-day')} anew?", yes)
    making.store_looked_at(store, made, looked, how.by)
    applying.apply_stored(store, made, how, where, common, context.args)


@app.command(name="slice", context_settings=PASS_THROUGH, hidden=True)
@grouped
def compute_slice(
    *,
    context: typer.Context,
    plan_id: PlanArgument,
    slice_number: Annotated[int, typer.Argument(help="The slice's number in the plan.")],
    token: Annotated[int, typer.Argument(help="Of the claim under which it is computed; a stale one is refused.")],
    days: Annotated[str, typer.Option(help="Comma-separated days of the slice that are not done.")],
    detach: DetachOption = False,
    common: Common,
) -> None:
    """Computes a slice that was claimed for a job: what the job of a template runs."""
    applying.compute(
        plan_id, slice_number, token, list(map(parse_day, days.split(","))), common, context.args, detach=detach
    )


@app.command()
@grouped
def status(*, plan_id: PlanArgument, common: Common) -> None:
    """Shows how far a plan has come: slices by state, days done and failed, who is at it, time left, messages held."""
    from fullcourt.orchestration.backfill import plans, status

    store, now, form = common.open(), parse_now(common.now), common.form
    found = plans.load(store, plan_id)
    slices = status.slices(store, found.plan_id)
    stages, failures = status.stages(found, slices, now), status.failures(found, slices)
    held, jobs = status.held(store, found), status.jobs(slices)
    state = status.plan_state(store, found, slices, now)
    if form is Format.JSON:
        report = {"plan": found.plan_id, "state": state, "stages": stages, "failures": failures}
        show_one({**report, "held": held, "jobs": jobs})
        return
    show(stages, form, f"Backfill {found.plan_id}: {state}")
    if form is Format.TABLE:
        said.failed(failures, status.again(found, failures), common.warehouse)
        show(held, form, "Completion messages held")
        if jobs:
            show(jobs, form, "Jobs of Dataflow")


@app.command(name="list")
@grouped
def list_plans(*, common: Common) -> None:
    """Lists the backfills, the newest first, with their states."""
    from fullcourt.orchestration.backfill import status
    from fullcourt.warehouse.ddl import check_schema

    store = common.open()
    check_schema(store)
    show(status.plans(store, parse_now(common.now)), common.form, "Backfills")


@app.command()
@grouped
def cancel(
    *, plan_id: PlanArgument, by: ByOption, dry_run: DryRunOption = False, yes: YesOption = False, common: Common
) -> None:
    """Tells a backfill to stop: no slice begins any more, what is running ends. `resume` goes on from there."""
    from fullcourt.orchestration.backfill import plans, status

    store, now = common.open(), parse_now(common.now)
    found = plans.load(store, plan_id)
    if dry_run:
        said.say(f"dry run: {found.plan_id} would be cancelled; nothing was changed")
    else:
        confirm(f"Cancel {found.plan_id}?", yes)
        plans.cancel(store, found, now, by)
    slices = status.slices(store, found.plan_id)
    show(status.stages(found, slices, now), common.form, f"Backfill {found.plan_id}")
    if running := [f"{row['job']} ({row['job_id']})" for row in status.jobs(slices) if row["state"] == "RUNNING"]:
        said.say(f"what runs ends by itself: {', '.join(running)}")
