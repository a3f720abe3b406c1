"""`fullcourt backfill`: past days computed anew, in parallel, and done only when what was published covers them."""

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fullcourt.cli import logs
from fullcourt.cli.confirm import ByOption, DryRunOption, YesOption, confirm
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    PASS_THROUGH,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, progress, show, show_one
from fullcourt.cli.paste import pasted
from fullcourt.cli.phases import PHASES
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import (
    EXIT_GATE,
    EXIT_INTERRUPTED,
    EXIT_LEFT_OVER,
    EngineError,
    InputsMovedError,
    UsageError,
)
from fullcourt.domain.processors import CascadePolicy

app = typer.Typer(no_args_is_help=True)

_SHOWN = 10
_DEFAULT_DAYS = 7
_NAMED = "raw, analytics, precompute, predictions, or all, which is the first three"

StartOption = Annotated[
    str | None, typer.Option(help="First day, YYYY-MM-DD; a week ago by default.", show_default=False)
]
EndOption = Annotated[
    str | None, typer.Option(help="Last day; belongs to the range; yesterday by default.", show_default=False)
]
DatesOption = Annotated[str | None, typer.Option(help="Comma-separated days instead of a range.")]
PhasesOption = Annotated[str, typer.Option(help=f"Comma-separated: {_NAMED}.")]
ProcessorsOption = Annotated[str | None, typer.Option(help="Comma-separated; all of the phases by default.")]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Gates and coverage stop nothing, what is incomplete is computed; all of it stamped."),
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict-preflight", help="Refuse where a day has a stale rest of its context, do not fall back."),
]
DemotionOption = Annotated[
    bool, typer.Option("--allow-demotion", help="Publish even where many ready rows would stop being ready.")
]
TriggerOption = Annotated[
    bool, typer.Option("--trigger-downstream", help="Send the completion messages of the last phase.")
]
CascadeOption = Annotated[
    CascadePolicy, typer.Option(help="An entity whose upstream processor is not ready: computed and flagged, or not.")
]
SliceOption = Annotated[int, typer.Option(min=1, help="Game days that are claimed, computed and published together.")]
ModelOption = Annotated[
    Path | None, typer.Option(envvar="FULLCOURT_MODEL", help="Predictions: the model of xgboost_v1; else its stand-in.")
]
ParallelOption = Annotated[
    int, typer.Option(min=1, help="Slices at once.", default_factory=lambda: os.cpu_count() or 1, show_default="cores")
]
OnErrorOption = Annotated[
    str, typer.Option(help="stop: begin nothing after a day that failed. continue: go on to the end, and list them.")
]
PlanArgument = Annotated[str, typer.Argument(help="The plan's id, or its beginning.", show_default=False)]


@app.command()
def plan(
    by: ByOption,
    start: StartOption = None,
    end: EndOption = None,
    dates: DatesOption = None,
    phases: PhasesOption = "all",
    processors: ProcessorsOption = None,
    force: ForceOption = False,
    strict_preflight: StrictOption = False,
    allow_demotion: DemotionOption = False,
    trigger_downstream: TriggerOption = False,
    cascade_policy: CascadeOption = CascadePolicy.FLAG,
    slice_days: SliceOption = 60,
    model: ModelOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and do not store it.")] = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Says what a backfill would do: days, what is done already, what stands in the way; and freezes it under an id."""
    instant = parse_now(now)
    options = _options(force, strict_preflight, allow_demotion, trigger_downstream, cascade_policy, slice_days, model)
    made = _make(warehouse, instant, _days(start, end, dates, instant), phases, processors, options)
    shown = _show_plan(warehouse, made, instant, form)
    if dry_run:
        _say("dry run: the plan is not stored")
        return
    _store(warehouse, made, shown, by)
    _say(f"stored; go on with `{pasted(f'fullcourt backfill apply {made.plan_id}', warehouse)}`")


@app.command(context_settings=PASS_THROUGH)
def apply(
    context: typer.Context,
    plan_id: PlanArgument,
    by: ByOption,
    parallel: ParallelOption,
    on_error: OnErrorOption = "stop",
    replan: Annotated[
        bool, typer.Option("--replan", help="Where its inputs moved since, plan the same again, and apply that.")
    ] = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Applies a plan: what of it is not done. Ctrl-C lets what is running end; twice stops at once.

    Exit codes: 0 all days are done; 1 a day failed, a phase did not verify, or the inputs moved; 4 days are left
    over, or another run owns them; 130 interrupted.
    """
    from fullcourt.orchestration.backfill import plans
    from fullcourt.warehouse import open_warehouse

    found = plans.load(open_warehouse(warehouse), plan_id)
    confirm(f"Apply {found.plan_id}?", yes, or_look=f"`fullcourt backfill status {found.plan_id}`")
    _apply(
        warehouse,
        found,
        by=by,
        parallel=parallel,
        on_error=on_error,
        replan=replan,
        uncancel=False,
        form=form,
        now=now,
        beam_args=context.args,
    )


@app.command(context_settings=PASS_THROUGH)
def resume(
    context: typer.Context,
    plan_id: PlanArgument,
    by: ByOption,
    parallel: ParallelOption,
    on_error: OnErrorOption = "stop",
    replan: Annotated[
        bool, typer.Option("--replan", help="Where its inputs moved since, plan the same again, and apply that.")
    ] = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Goes on with a plan that was killed, interrupted, cancelled, or that had failed days: exactly what is left."""
    from fullcourt.orchestration.backfill import plans
    from fullcourt.warehouse import open_warehouse

    found = plans.load(open_warehouse(warehouse), plan_id)
    confirm(f"Go on with {found.plan_id}?", yes, or_look=f"`fullcourt backfill status {found.plan_id}`")
    _apply(
        warehouse,
        found,
        by=by,
        parallel=parallel,
        on_error=on_error,
        replan=replan,
        uncancel=True,
        form=form,
        now=now,
        beam_args=context.args,
    )


@app.command(context_settings=PASS_THROUGH)
def run(
    context: typer.Context,
    by: ByOption,
    parallel: ParallelOption,
    start: StartOption = None,
    end: EndOption = None,
    dates: DatesOption = None,
    phases: PhasesOption = "all",
    processors: ProcessorsOption = None,
    force: ForceOption = False,
    strict_preflight: StrictOption = False,
    allow_demotion: DemotionOption = False,
    trigger_downstream: TriggerOption = False,
    cascade_policy: CascadeOption = CascadePolicy.FLAG,
    slice_days: SliceOption = 60,
    model: ModelOption = None,
    on_error: OnErrorOption = "stop",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and neither store nor apply it.")] = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Plans and applies at once: verifies the raw tables, computes and reads back phase by phase.

    Days that were done before from the same inputs are left alone. Exit codes as of `apply`.
    """
    instant = parse_now(now)
    _check_policy(on_error)
    options = _options(force, strict_preflight, allow_demotion, trigger_downstream, cascade_policy, slice_days, model)
    made = _make(warehouse, instant, _days(start, end, dates, instant), phases, processors, options)
    shown = _show_plan(warehouse, made, instant, Format.TABLE if form is Format.TABLE else None)
    if dry_run:
        _say("dry run: nothing was stored or computed")
        if form is not Format.TABLE:
            show_one(shown) if form is Format.JSON else show([_flat(shown)], form)
        return
    if not shown["days_left"]:
        _nothing_to_do(warehouse, made, instant, shown, form)
        return
    confirm(f"Compute {_counted(shown['days_left'], 'processor-day')} anew?", yes)
    _store(warehouse, made, shown, by)
    _apply(
        warehouse,
        made,
        by=by,
        parallel=parallel,
        on_error=on_error,
        replan=False,
        uncancel=False,
        form=form,
        now=now,
        beam_args=context.args,
    )


@app.command()
def status(
    plan_id: PlanArgument,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows how far a plan has come: slices by state, days done and failed, who is at it, time left, messages held."""
    from fullcourt.orchestration.backfill import plans, status
    from fullcourt.warehouse import open_warehouse

    store, instant = open_warehouse(warehouse), parse_now(now)
    found = plans.load(store, plan_id)
    slices = status.slices(store, found.plan_id)
    stages, failures = status.stages(found, slices, instant), status.failures(found, slices)
    held = status.held(store, found)
    state = status.plan_state(store, found, slices, instant)
    if form is Format.JSON:
        show_one({"plan": found.plan_id, "state": state, "stages": stages, "failures": failures, "held": held})
        return
    show(stages, form, f"Backfill {found.plan_id}: {state}")
    if form is Format.TABLE:
        _show_failures(failures, status.again(found, failures), warehouse)
        show(held, form, "Completion messages held")


@app.command(name="list")
def list_plans(
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE, now: NowOption = None
) -> None:
    """Lists the backfills, the newest first, with their states."""
    from fullcourt.orchestration.backfill import status
    from fullcourt.orchestration.run import check_schema
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    check_schema(store)
    show(status.plans(store, parse_now(now)), form, "Backfills")


@app.command()
def cancel(
    plan_id: PlanArgument,
    by: ByOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Tells a backfill to stop: no slice begins any more, what is running ends. `resume` goes on from there."""
    from fullcourt.orchestration.backfill import plans, status
    from fullcourt.warehouse import open_warehouse

    store, instant = open_warehouse(warehouse), parse_now(now)
    found = plans.load(store, plan_id)
    if dry_run:
        _say(f"dry run: {found.plan_id} would be cancelled; nothing was changed")
    else:
        confirm(f"Cancel {found.plan_id}?", yes)
        plans.cancel(store, found, instant, by)
    show(status.stages(found, status.slices(store, found.plan_id), instant), form, f"Backfill {found.plan_id}")


def _options(
    force: bool,
    strict_preflight: bool,
    allow_demotion: bool,
    trigger_downstream: bool,
    cascade_policy: CascadePolicy,
    slice_days: int,
    model: Path | None,
) -> Any:
    from fullcourt.orchestration.backfill.plans import Options

    return Options(
        force=force,
        strict_preflight=strict_preflight,
        allow_demotion=allow_demotion,
        trigger_downstream=trigger_downstream,
        cascade_policy=cascade_policy,
        slice_days=slice_days,
        model=str(model.absolute()) if model else None,
    )


def _days(start: str | None, end: str | None, dates: str | None, now: dt.datetime) -> list[dt.date]:
    """Every day asked for, game day or not."""
    if dates is not None:
        if start is not None or end is not None:
            raise UsageError("--dates excludes --start and --end")
        return sorted({parse_day(text.strip()) for text in dates.split(",")})
    yesterday = sports_day(now) - dt.timedelta(1)
    last = parse_day(end) if end is not None else yesterday
    first = parse_day(start) if start is not None else last - dt.timedelta(_DEFAULT_DAYS - 1)
    if first > last:
        raise UsageError(f"the first day must not be after the last: start={first}, end={last}")
    return [first + dt.timedelta(number) for number in range((last - first).days + 1)]


def _make(
    warehouse: str, now: dt.datetime, days: Sequence[dt.date], phases: str, processors: str | None, options: Any
) -> Any:
    from fullcourt.orchestration.backfill import planning
    from fullcourt.warehouse import open_warehouse

    chosen = planning.select_phases([name.strip() for name in phases.split(",")])
    names = [name.strip() for name in processors.split(",")] if processors is not None else None
    with progress("backfill plan") as say:
        say("reading the inputs")
        return planning.make(open_warehouse(warehouse), days, chosen, names, options, now, PHASES)


def _show_plan(warehouse: str, made: Any, now: dt.datetime, form: Format | None) -> dict[str, Any]:
    """Prints the plan unless no format is given; returns it as data."""
    from fullcourt.orchestration.backfill import inputs, planning
    from fullcourt.orchestration.backfill.apply import read_back
    from fullcourt.orchestration.backfill.plans import RAW
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    with progress("backfill plan") as say:
        say("reading what is done")
        done = inputs.done_days(store, made, now, PHASES)
        say("asking the gates")
        inspected = planning.findings(store, made, now)
        runs = planning.upstream_runs(store, made, now)
        unverified = read_back(made, RAW, store, now, say) if RAW in made.phases else []
        estimated = planning.estimate(store, made, done, PHASES)
    stages = [
        {
            "phase": stage.phase,
            "processors": list(stage.names),
            "game_days": len(made.days),
            "done_before": len(there),
            "to_do": len(made.days) - len(there),
        }
        for stage, there in zip(made.stages, done, strict=True)
    ]
    found = [
        {"day": finding.day, "phase": stage.phase, "stops": finding.stops, "finding": finding.what}
        for stage, inspection in inspected
        for finding in inspection.findings
    ]
    left = sum(row["to_do"] * len(row["processors"]) for row in stages)
    report = {
        "plan": made.plan_id,
        "first_day": made.days[0],
        "last_day": made.days[-1],
        "game_days": len(made.days),
        "off_days": list(made.off_days),
        "phases": list(made.phases),
        "slices": len(made.slices),
        "days_left": left,
        "estimated_rows": estimated["rows"],
        "estimated_bytes": estimated["bytes"],
        "stages": stages,
        "findings": found,
        "upstream_runs": runs,
        "unverified": unverified,
    }
    if form is Format.JSON:
        show_one(report)
    elif form is Format.CSV:
        show(stages, form)
    elif form is Format.TABLE:
        _print_plan(report)
    return report


def _print_plan(report: dict[str, Any]) -> None:
    off = report["off_days"]
    days = f"{_counted(report['game_days'], 'game day')}, {report['first_day']} to {report['last_day']}"
    skipped = f"; without games: {_first(off)}" if off else ""
    show(report["stages"], Format.TABLE, f"Backfill {report['plan']}: {days}{skipped}")
    typer.echo(
        f"about {report['estimated_rows']:,} rows to write, {report['estimated_bytes'] / 1e6:,.0f} MB to read, "
        f"in {_counted(report['slices'], 'slice')}"
    )
    found = report["findings"]
    if found:
        rows = [{**row, "stops": "STOPS" if row["stops"] else "goes on"} for row in found[:_SHOWN]]
        more = f"; the first {_SHOWN} of {len(found)}" if len(found) > _SHOWN else ""
        show(rows, Format.TABLE, f"Found before anything is computed{more}")
    for text in report["unverified"]:
        typer.echo(f"does not verify, and stops the backfill: {text}")
    for row in report["upstream_runs"][:_SHOWN]:
        typer.echo(f"upstream run: {row['processor']} of {row['day']} is {row['status']}: {row['why']}")
    if report["stages"] and not report["days_left"]:
        typer.echo("Nothing to do: every day was done before, from the inputs as they are now.")


def _nothing_to_do(warehouse: str, made: Any, now: dt.datetime, shown: dict[str, Any], form: Format) -> None:
    """Reads back what was done before: it must still hold."""
    from fullcourt.orchestration.backfill.apply import read_back
    from fullcourt.warehouse import open_warehouse

    with progress("backfill") as say:
        wrong = [text for phase in made.phases for text in read_back(made, phase, open_warehouse(warehouse), now, say)]
    if form is Format.JSON:
        show_one({**shown, "state": "UNVERIFIED" if wrong else "DONE", "unverified": wrong})
    elif form is Format.CSV:
        show(shown["stages"], form)
    for text in wrong:
        _say(f"verification failed: {text}")
    if wrong:
        raise typer.Exit(EXIT_GATE)


def _store(warehouse: str, made: Any, shown: dict[str, Any], by: str) -> None:
    from fullcourt.crash import crash_point
    from fullcourt.orchestration.backfill import plans
    from fullcourt.warehouse import open_warehouse

    estimated = {"rows": shown["estimated_rows"], "bytes": shown["estimated_bytes"]}
    plans.store(open_warehouse(warehouse), made, estimated, by)
    crash_point("planned")


def _apply(
    warehouse: str,
    found: Any,
    *,
    by: str,
    parallel: int,
    on_error: str,
    replan: bool,
    uncancel: bool,
    form: Format,
    now: str | None,
    beam_args: Sequence[str],
) -> None:
    from fullcourt.orchestration.backfill import apply as applying
    from fullcourt.orchestration.backfill import status
    from fullcourt.orchestration.backfill.work import FixedClock, wall_clock
    from fullcourt.warehouse import open_warehouse

    _check_policy(on_error)
    store, instant = open_warehouse(warehouse), parse_now(now)
    if replan:
        found = _replanned(warehouse, found, instant, by)
    clock = wall_clock if now is None else FixedClock(instant)
    how = applying.How(
        store.url,
        PHASES,
        clock,
        parallel,
        goes_on=on_error == "continue",
        beam_args=tuple(beam_args),
        begin=logs.as_here(),
        uncancel=uncancel,
    )
    with progress("backfill") as say:
        try:
            result = applying.apply(found, how, say)
        except KeyboardInterrupt:
            _say(f"stopped at once; {_resumed(found, warehouse)}")
            raise
        except EngineError as error:
            raise EngineError(f"{error}; {_resumed(found, warehouse)}") from error
        except InputsMovedError as error:
            raise InputsMovedError(f"{error}; {_replanning(found, warehouse)}") from error
    slices = status.slices(store, found.plan_id)
    failures, held = status.failures(found, slices), status.held(store, found)
    state = status.plan_state(store, found, slices, clock())
    report = {
        "plan": found.plan_id,
        "state": state,
        "computed_days": result.computed_days,
        "unchanged_days": result.unchanged_days,
        "rows": result.rows,
        "synthetic_days": sorted(result.synthetic_days),
        "failures": failures,
        "unverified": result.unverified,
        "held": held,
    }
    if form is Format.JSON:
        show_one(report)
    else:
        show(status.stages(found, slices, clock()), form, f"Backfill {found.plan_id}: {state}")
    if form is Format.TABLE:
        _show_outcome(report)
        _show_failures(failures, status.again(found, failures), warehouse)
    _end(found, result, failures, state, warehouse)


def _replanned(warehouse: str, found: Any, now: dt.datetime, by: str) -> Any:
    """The same plan on its inputs as they are now, stored, the old one cancelled; that one if they never moved."""
    from fullcourt.orchestration.backfill import inputs, planning, plans
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    fresh = planning.again(store, found, now, PHASES)
    if fresh is None:
        return found
    done = inputs.done_days(store, fresh, now, PHASES)
    plans.store(store, fresh, planning.estimate(store, fresh, done, PHASES), by)
    plans.cancel(store, found, now, by)
    _say(f"the inputs moved: {found.plan_id} is cancelled, {fresh.plan_id} goes on in its place")
    return fresh


def _show_outcome(report: dict[str, Any]) -> None:
    typer.echo(
        f"{_counted(report['computed_days'], 'stage-day')} computed, {report['unchanged_days']} unchanged, "
        f"{report['rows']:,} rows"
    )
    if synthetic := report["synthetic_days"]:
        typer.echo(f"synthetic context, made of box scores: {_first(synthetic)}")
    if held := report["held"]:
        messages = sum(row["messages"] for row in held)
        typer.echo(f"{messages} completion messages held in: {', '.join(row['processor_name'] for row in held)}")


def _show_failures(failures: Sequence[dict[str, Any]], again: Sequence[str], warehouse: str) -> None:
    if not failures:
        return
    rows = [{"phase": row["phase"], "day": row["day"], "why": row["why"]} for row in failures[:_SHOWN]]
    more = f"; the first {_SHOWN} of {len(failures)}" if len(failures) > _SHOWN else ""
    show(rows, Format.TABLE, f"Days that are not done{more}")
    for command in again:
        typer.echo(f"once repaired: {pasted(command, warehouse)}")


def _resumed(made: Any, warehouse: str) -> str:
    return f"resume with `{pasted(f'fullcourt backfill resume {made.plan_id}', warehouse)}`"


def _replanning(made: Any, warehouse: str) -> str:
    command = pasted(f"fullcourt backfill resume {made.plan_id} --replan", warehouse)
    return f"plan the same again and go on with `{command}`"


def _end(made: Any, result: Any, failures: Sequence[Any], state: str, warehouse: str) -> None:
    """Says what is left, and ends in the code for it."""
    resumed = _resumed(made, warehouse)
    for text in result.unverified:
        phase = text.partition(":")[0]
        command = f"fullcourt verify {phase} --start {made.days[0]} --end {made.days[-1]}"
        _say(f"verification failed: {text}; see `{pasted(command, warehouse)}`")
    if result.moved:
        _say(f"{result.moved}; {_replanning(made, warehouse)}")
        raise typer.Exit(EXIT_GATE)
    if result.ownership:
        _say(f"{result.ownership}; {resumed}")
        raise typer.Exit(EXIT_LEFT_OVER)
    if result.interrupted:
        _say(f"interrupted; {resumed}")
        raise typer.Exit(EXIT_INTERRUPTED)
    if failures:
        _say(f"{_counted(len(failures), 'day')} not done")
    elif result.unverified and state != "DONE":
        _say(f"stopped at the verification; once repaired, {resumed}")
    if failures or result.unverified:
        raise typer.Exit(EXIT_GATE)
    if state != "DONE":
        _say(f"days are left over; {resumed}")
        raise typer.Exit(EXIT_LEFT_OVER)


def _check_policy(on_error: str) -> None:
    if on_error not in ("stop", "continue"):
        raise UsageError(f"unknown --on-error {on_error!r}: expected stop or continue")


def _flat(report: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in report.items()
        if name not in ("stages", "findings", "upstream_runs", "unverified")
    }


def _first(days: Sequence[Any]) -> str:
    more = f" and {len(days) - _SHOWN} more" if len(days) > _SHOWN else ""
    return ", ".join(map(str, days[:_SHOWN])) + more


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    STDERR.print(text, markup=False, highlight=False, soft_wrap=True)
