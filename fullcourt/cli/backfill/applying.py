"""Applies stored plans, and says what came of it."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fullcourt.cli import logs
from fullcourt.cli.backfill import said
from fullcourt.cli.backfill.options import Applying, TakingUp, jobs
from fullcourt.cli.confirm import confirm
from fullcourt.cli.on import On
from fullcourt.cli.options import Common, parse_now
from fullcourt.cli.output import progress
from fullcourt.cli.phases import PHASES
from fullcourt.domain.errors import EngineError, InputsMovedError

if TYPE_CHECKING:
    from fullcourt.orchestration.backfill.apply import How, Result
    from fullcourt.orchestration.backfill.claims import Clock
    from fullcourt.orchestration.backfill.plans import Plan
    from fullcourt.warehouse import Warehouse


def take_up(
    verb: str, taking: TakingUp, where: On, common: Common, beam_args: Sequence[str], *, uncancel: bool
) -> None:
    """A stored plan, or what `--replan` puts in its place. verb: as the person is asked."""
    from fullcourt.orchestration.backfill import planning, plans

    store = common.open()
    plan = plans.load(store, taking.plan_id)
    confirm(f"{verb} {plan.plan_id}?", taking.yes, or_look=f"`fullcourt backfill status {plan.plan_id}`")
    if taking.replan:
        old, plan = plan, planning.replan(store, plan, parse_now(common.now), PHASES, taking.by)
        if plan.plan_id != old.plan_id:
            said.say(f"the inputs moved: {old.plan_id} is cancelled, {plan.plan_id} goes on in its place")
    apply_stored(store, plan, taking, where, common, beam_args, uncancel=uncancel)


def apply_stored(
    store: "Warehouse",
    plan: "Plan",
    applying: Applying,
    where: On,
    common: Common,
    beam_args: Sequence[str],
    *,
    uncancel: bool = False,
) -> None:
    """Ends the command in the code for what came of it."""
    from fullcourt.orchestration.backfill import status
    from fullcourt.orchestration.backfill.apply import How

    clock = _clock(common)
    how = How(
        store.url,
        PHASES,
        clock,
        applying.parallel,
        goes_on=applying.goes_on,
        beam_args=tuple(beam_args),
        begin=logs.as_here(),
        uncancel=uncancel,
        jobs=jobs(where, plan, store.url, beam_args),
    )
    resumed = said.resume(plan, common.warehouse, where.words)
    result = _apply(plan, how, common.warehouse, resumed)
    slices, now = status.slices(store, plan.plan_id), clock()
    failures, state = status.failures(plan, slices), status.plan_state(store, plan, slices, now)
    report = {
        "plan": plan.plan_id,
        "state": state,
        "computed_days": result.computed_days,
        "unchanged_days": result.unchanged_days,
        "rows": result.rows,
        "synthetic_days": sorted(result.synthetic_days),
        "failures": failures,
        "unverified": result.unverified,
        "held": status.held(store, plan),
    }
    again = status.again(plan, failures)
    said.outcome(report, status.stages(plan, slices, now), again, common)
    said.end(plan, result, len(failures), state, common.warehouse, resumed)


def _clock(common: Common) -> "Clock":
    from fullcourt.orchestration.backfill.work import FixedClock, wall_clock

    return wall_clock if common.now is None else FixedClock(parse_now(common.now))


def _apply(plan: "Plan", how: "How", warehouse: str, resumed: str) -> "Result":
    """With the command that goes on, wherever it is ended."""
    from fullcourt.orchestration.backfill import apply as orchestrated

    with progress("backfill") as say:
        try:
            return orchestrated.apply(plan, how, say)
        except KeyboardInterrupt:
            said.say(f"stopped at once; {resumed}")
            raise
        except EngineError as error:
            raise EngineError(f"{error}; {resumed}") from error
        except InputsMovedError as error:
            raise InputsMovedError(f"{error}; {said.replan(plan, warehouse)}") from error


def read_back(store: "Warehouse", plan: "Plan", now: dt.datetime) -> list[str]:
    """What does not hold any more of what was done before."""
    from fullcourt.orchestration.backfill.apply import read_back as read_phase

    with progress("backfill") as say:
        return [text for phase in plan.phases for text in read_phase(plan, phase, store, now, say)]


def compute(
    plan_id: str,
    number: int,
    token: int,
    days: Sequence[dt.date],
    common: Common,
    beam_args: Sequence[str],
    *,
    detach: bool,
) -> None:
    """A slice, as the job that it was claimed for; ends the command in the gate's code if a day of it is not done."""
    from fullcourt.orchestration.backfill import jobs, plans

    store = common.open()
    plan = plans.load(store, plan_id)
    came = jobs.compute(store.url, plan, number, token, days, _clock(common), PHASES, tuple(beam_args), detached=detach)
    said.settled(plan, came, common.form)
