"""One slice of a backfill, from claim to settlement. It runs in a process of its own where several do at once."""

import datetime as dt
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fullcourt.crash import crash_point
from fullcourt.domain.backfill import State
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import micros, to_number
from fullcourt.domain.errors import FullCourtError, GateError, InputsMovedError, OwnershipError
from fullcourt.domain.fallback import reads_context
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.backfill import claims
from fullcourt.orchestration.backfill.claims import Claim, Clock
from fullcourt.orchestration.backfill.gates import Inspection, inspect, refuse_stale
from fullcourt.orchestration.backfill.inputs import stage_hash
from fullcourt.orchestration.backfill.plans import PipelineOf, Plan
from fullcourt.orchestration.publish import BACKFILL, Publish
from fullcourt.orchestration.run import execute, new_run_id, upstream_states
from fullcourt.warehouse import Warehouse, open_warehouse

LOG = logging.getLogger(__name__)


def wall_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class FixedClock:
    """It stands still, for drills."""

    now: dt.datetime

    def __call__(self) -> dt.datetime:
        return self.now


@dataclass(frozen=True)
class Work:
    """A slice to do, and all that is needed to do it elsewhere.

    days: those of the slice that are not done yet.  seen: the slice's token when that was found out.
    owner: as claims name the process that hands it out.
    detached: its job is handed over to a service, and settles the slice itself.
    """

    warehouse: str
    plan: Plan
    slice_number: int
    days: tuple[dt.date, ...]
    seen: int | None
    inputs_hash: str
    owner: str
    pipeline: PipelineOf
    clock: Clock
    beam_args: tuple[str, ...] = ()
    detached: bool = False


@dataclass(frozen=True)
class Settled:
    """What came of a slice. failed: its days that are not done, and why.  rows: of the days that were published.

    state: RUNNING where its job was handed over, and settles it later.
    """

    slice_number: int
    state: State
    failed: dict[str, str]
    rows: int = 0
    synthetic_days: tuple[str, ...] = ()


def held_reason(plan_id: str) -> str:
    """Why a completion message is kept in."""
    return f"backfill {plan_id}"


def run_slice(work: Work) -> Settled:
    """Claims the slice, asks the gates of each day, computes the days that pass, publishes and settles.

    A day that a gate refuses stops no other day.  OwnershipError: somebody else has the days, or has taken them over.
    EngineError, InputsMovedError: the slice is given back, to be done again.
    """
    warehouse, now = open_warehouse(work.warehouse), work.clock()
    number, plan = work.slice_number, work.plan
    with warehouse.transaction({}) as session:
        claim = claims.claim(
            session,
            plan.plan_id,
            number,
            work.owner,
            work.clock,
            work.inputs_hash,
            seen=work.seen,
            forced=plan.options.force,
        )
    if claim is None:
        return Settled(number, State.DONE, {})
    crash_point("claimed")
    try:
        return _run(work, warehouse, claim, now)
    except OwnershipError:
        raise
    except InputsMovedError:
        with warehouse.transaction({}) as session:
            claims.give_back(session, claim)
        raise
    except GateError as error:
        claim = replace(claim, refused=dict.fromkeys(work.days, str(error)))
        return _settle(work, warehouse, claim, {})
    except BaseException:
        with warehouse.transaction({}) as session:
            claims.give_back(session, claim)
        raise


def run_claimed(work: Work, claim: Claim) -> Settled:
    """The same of a slice that was claimed elsewhere, for this job: what stops it is settled too, as nobody listens.

    OwnershipError: the claim does not stand any more.
    """
    warehouse = open_warehouse(work.warehouse)
    try:
        return _run(work, warehouse, claim, work.clock())
    except OwnershipError:
        raise
    except FullCourtError as error:
        return _settle(work, warehouse, replace(claim, refused=dict.fromkeys(work.days, str(error))), {})


def _run(work: Work, warehouse: Warehouse, claim: Claim, now: dt.datetime) -> Settled:
    plan, days = work.plan, work.days
    stage = plan.stages[plan.slices[work.slice_number][0]]
    processors = stage.processors(warehouse, plan.options, now)
    inspection = inspect(warehouse, processors, days)
    _log(inspection)
    if plan.options.strict_preflight:
        refuse_stale(inspection)
    refused = {} if plan.options.force else inspection.stopped
    passed = tuple(to_number(day) for day in days if day not in refused)
    claim = replace(claim, refused=refused)
    crash_point("gates_passed")
    if not passed:
        return _settle(work, warehouse, claim, {})
    stamp = Stamp(run_id=new_run_id(now), now=micros(now), recording=False)
    # Processors that do not read the context, or cannot fall back, compute the day as it is.
    synthetic = tuple(number for day in inspection.synthetic_days if (number := to_number(day)) in passed)
    synthetic = synthetic if any(map(reads_context, processors)) else ()
    announced = plan.options.trigger_downstream and stage.phase == plan.phases[-1]
    finish = Publish(
        work.warehouse,
        processors,
        passed,
        stamp,
        str(warehouse.staging(stamp.run_id)),
        micros(dt.datetime.now(dt.UTC)),
        plan.options.allow_demotion,
        mode=BACKFILL,
        forced=plan.options.force,
        held={} if announced else dict.fromkeys((p.name for p in processors), held_reason(plan.plan_id)),
        claim=claim,
        synthetic_days=synthetic,
        inputs=work.inputs_hash,
    )
    finish = replace(finish, upstream=upstream_states(warehouse, finish))
    settings = stage.settings(plan.options, days, now)
    if synthetic:
        settings["synthetic_days"] = synthetic
    report: dict[str, Any] = {}
    try:
        report = execute(
            warehouse,
            work.pipeline,
            finish,
            settings,
            work.beam_args,
            LOG.info,
            inputs=lambda: _inputs(work),
            detached=work.detached,
        )
    finally:
        if "detached" not in report:  # else the job still reads it
            warehouse.sweep(stamp.run_id)
        crash_point("swept")
    rows = sum(row[kind] for row in report["processors"] for kind in ("ready", "flagged", "incomplete", "blocked"))
    return settled(work, warehouse, rows, inspection.synthetic_days)


def _inputs(work: Work) -> str:
    """The hash of what was read; InputsMovedError unless it is what the slice is to be recorded as computed from."""
    plan, (number, days) = work.plan, work.plan.slices[work.slice_number]
    stage, season = plan.stages[number], season_of_day(to_number(days[0]))
    found = stage_hash(open_warehouse(work.warehouse), plan, stage, season, work.clock(), {stage.phase: work.pipeline})
    if found != work.inputs_hash:
        raise InputsMovedError(f"the inputs of {stage.phase} in season {season} moved while they were being read")
    return found


def _settle(work: Work, warehouse: Warehouse, claim: Claim, short: dict[dt.date, str]) -> Settled:
    """Without a job."""
    with warehouse.transaction({}) as session:
        claim.settle(session, short, None)
    return settled(work, warehouse, 0, ())


def settled(work: Work, warehouse: Warehouse, rows: int, synthetic_days: Sequence[dt.date]) -> Settled:
    """As the ledger has it: what was settled there, with the rows, is what counts."""
    (row,) = warehouse.query(
        "SELECT state, failed_days FROM nba_orchestration.backfill_slices "
        "WHERE plan_id = @plan_id AND slice_number = @number",
        plan_id=work.plan.plan_id,
        number=work.slice_number,
    ).to_pylist()
    failed: dict[str, str] = json.loads(row["failed_days"] or "null") or {}
    return Settled(work.slice_number, State(row["state"]), failed, rows, tuple(map(str, synthetic_days)))


def _log(inspection: Inspection) -> None:
    """Every day's context with both counts; what stops a day, and what does not."""
    for context in inspection.contexts:
        LOG.log(logging.WARNING if context.falls_back else logging.INFO, "%s", context.text)
    for finding in inspection.findings:
        if finding.stops:
            LOG.warning("%s: %s", finding.day, finding.what)
