"""How far backfills have come, read from the ledger: nothing here is remembered by a process."""

import datetime as dt
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fullcourt.domain.backfill import State, seconds_left
from fullcourt.domain.processors import PROCESSORS
from fullcourt.orchestration.backfill.claims import stands
from fullcourt.orchestration.backfill.plans import COMPUTED, RAW, Options, Plan
from fullcourt.orchestration.backfill.work import held_reason
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES

Row = dict[str, Any]


def slices(warehouse: Warehouse, plan_id: str | None = None) -> list[Row]:
    """Rows of backfill_slices, in the order in which they run; of all plans without an id."""
    of_plan = " WHERE plan_id = @plan_id" if plan_id else ""
    parameters = {"plan_id": plan_id} if plan_id else {}
    return warehouse.query(
        f"SELECT * FROM nba_orchestration.backfill_slices{of_plan} ORDER BY plan_id, slice_number", **parameters
    ).to_pylist()


def state(row: Mapping[str, Any], found: Sequence[Row], now: dt.datetime) -> str:
    """Of a plan: DONE, UNVERIFIED, RUNNING, CANCELLED, FAILED, PENDING, or STOPPED half-way.

    row: of backfill_plans.  found: its slices.  DONE is when every phase was read back, too, and held.
    """
    states = Counter(State(each["state"]) for each in found)
    verified: dict[str, str] = json.loads(row["verified"] or "null") or {}
    finished = sum(states[each] for each in State if each.finished) == len(found)
    if finished and all(verified.get(phase) == "" for phase in row["phases"]):
        return "DONE"
    if any(each["state"] == State.RUNNING and stands(each, now) for each in found):
        return "RUNNING"
    if row["cancelled_at"] is not None:
        return "CANCELLED"
    if states[State.FAILED]:
        return "FAILED"
    if any(verified.values()):
        return "UNVERIFIED"
    return "PENDING" if states[State.PENDING] == len(found) and not verified else "STOPPED"


def plan_state(warehouse: Warehouse, plan: Plan, found: Sequence[Row], now: dt.datetime) -> str:
    """The same of one plan."""
    (row,) = warehouse.query(
        "SELECT phases, verified, cancelled_at FROM nba_orchestration.backfill_plans WHERE plan_id = @plan_id",
        plan_id=plan.plan_id,
    ).to_pylist()
    return state(row, found, now)


def plans(warehouse: Warehouse, now: dt.datetime) -> list[Row]:
    """Every plan, the newest first: its state, and how many of its processor-days are done and failed."""
    by_plan: dict[str, list[Row]] = {}
    for row in slices(warehouse):
        by_plan.setdefault(row["plan_id"], []).append(row)
    rows = warehouse.query(
        "SELECT plan_id, created_at, created_by, first_day, last_day, phases, verified, cancelled_at "
        "FROM nba_orchestration.backfill_plans ORDER BY created_at DESC, plan_id DESC"
    ).to_pylist()
    return [
        {
            "plan": row["plan_id"],
            "state": state(row, by_plan.get(row["plan_id"], []), now),
            **_done(by_plan.get(row["plan_id"], [])),
            **{name: row[name] for name in ("first_day", "last_day", "phases", "created_at", "created_by")},
        }
        for row in rows
    ]


def stages(plan: Plan, found: Sequence[Row], now: dt.datetime) -> list[Row]:
    """A row per stage: slices by state, days done and failed, who is at it, and the seconds left at its pace so far."""
    rows = []
    for number, stage in enumerate(plan.stages):
        mine = [row for row in found if row["stage"] == number]
        states = Counter(row["state"] for row in mine)
        owners = sorted({row["owner"] for row in mine if row["state"] == State.RUNNING and stands(row, now)})
        rows.append(
            {
                "phase": stage.phase,
                "processors": list(stage.names),
                **{str(each).lower(): states[each] for each in State},
                **_done(mine),
                "owner": " ".join(owners) or None,
                "seconds_left": _seconds_left(mine, max(1, states[State.RUNNING])),
            }
        )
    return rows


def jobs(found: Sequence[Row]) -> list[Row]:
    """A row per slice whose newest claim has a job of Dataflow; job_id is null until the service has answered."""
    return [
        {
            "slice": row["slice_number"],
            "state": row["state"],
            "job": row["job_name"],
            "job_id": row["job_id"],
            "where": row["owner"],
        }
        for row in found
        if row["job_name"] is not None
    ]


def failures(plan: Plan, found: Sequence[Row]) -> list[Row]:
    """A row per day and stage that is not done: why, and the command that does it again."""
    rows = []
    for row in found:
        phase = plan.stages[row["stage"]].phase
        for day, why in (json.loads(row["failed_days"] or "null") or {}).items():
            command = f"fullcourt backfill run --dates {day} --phases {phase}{_told(plan, [phase])}"
            rows.append({"phase": phase, "day": day, "why": why, "again": command})
    return rows


def again(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Commands for failed days, once they are repaired; none if none failed.

    The whole plan on its inputs as they are then, later days too, as far as they changed; or those days alone.
    """
    if not rows:
        return []
    days, failed = sorted({row["day"] for row in rows}), {row["phase"] for row in rows}
    phases = [phase for phase in plan.phases if phase != RAW]
    first = min(phases.index(phase) for phase in failed)
    after = phases[first:]
    alone = f"fullcourt backfill run --dates {','.join(days)} --phases {','.join(after)}{_told(plan, after)}"
    return [f"fullcourt backfill resume {plan.plan_id} --replan", alone]


def _told(plan: Plan, phases: Sequence[str]) -> str:
    """The options that the plan was made with, as far as they are not the usual ones; processors of these phases."""
    options, usual = plan.options, Options()
    words = [
        f" --{name.replace('_', '-')}"
        for name in ("force", "strict_preflight", "allow_demotion", "trigger_downstream")
        if getattr(options, name)
    ]
    if options.cascade_policy != usual.cascade_policy:
        words.append(f" --cascade-policy {options.cascade_policy}")
    if options.model:
        words.append(f" --model {shlex.quote(options.model)}")
    named = [name for stage in plan.stages if stage.phase in phases for name in stage.names]
    if named != [p.name for p in PROCESSORS if p.phase in {COMPUTED[phase] for phase in phases}]:
        words.append(f" --processors {','.join(named)}")
    return "".join(words)


def held(warehouse: Warehouse, plan: Plan) -> list[Row]:
    """The completion messages that the backfill kept in: how many of each topic and processor, and of which days."""
    return warehouse.query(
        QUERIES["held_events"].sql,
        reason=held_reason(plan.plan_id),
    ).to_pylist()


def _done(found: Sequence[Row]) -> Row:
    """In processor-days: each is a day of one processor."""
    done = failed = total = 0
    for row in found:
        size, lost = len(row["processors"]), len(json.loads(row["failed_days"] or "null") or {})
        total += size * len(row["days"])
        failed += size * lost
        if State(row["state"]) in (State.DONE, State.UNCHANGED, State.FAILED):
            done += size * (len(row["days"]) - lost)
    return {"done_days": done, "failed_days": failed, "all_days": total}


def _seconds_left(found: Sequence[Row], workers: int) -> float | None:
    """By how long the settled slices took; None while none has been, or nothing is left."""
    timed = [row for row in found if row["started_at"] and row["ended_at"] and row["state"] == State.DONE]
    left = sum(len(row["days"]) for row in found if row["state"] in (State.PENDING, State.RUNNING))
    done = sum(len(row["days"]) for row in timed)
    spent = sum((row["ended_at"] - row["started_at"]).total_seconds() for row in timed)
    seconds = seconds_left(done, done + left, spent / workers)
    return None if seconds is None or not left else round(seconds, 1)
