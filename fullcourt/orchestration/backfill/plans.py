"""What a plan is, and how it is kept: days, stages, options and the inputs it was made on.

A plan is frozen: its id derives from its definition, so one that was altered is refused.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from fullcourt.crash import crash_point
from fullcourt.domain.backfill import SLICE_DAYS, State, slices
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import sports_day, to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.processors import BY_NAME, CascadePolicy, Phase, Processor
from fullcourt.orchestration import policy
from fullcourt.orchestration.models import prediction_settings
from fullcourt.orchestration.publish import insert_records
from fullcourt.orchestration.run import PhasePipeline
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.ddl import check_schema

RAW = "raw"
COMPUTED: dict[str, Phase] = {phase.name.lower(): phase for phase in Phase if phase is not Phase.INGEST}
Prints = dict[str, str]  # table -> fingerprint of its content in one season
_PLANS = "nba_orchestration.backfill_plans"


class PipelineOf(PhasePipeline, Protocol):
    """A phase's pipeline, and the name of its module, which worker processes import before they are forked."""

    @property
    def module(self) -> str: ...


Pipelines = Mapping[str, PipelineOf]  # by the phase's name


@dataclass(frozen=True)
class Options:
    """How the days are to be computed; part of the plan.

    force: gates and coverage stop nothing, incomplete entities are computed and flagged; receipts say so.
    strict_preflight: a day with a stale rest of its context stops the backfill instead of falling back.
    trigger_downstream: completion messages of the last phase are sent; all others are kept in.
    """

    force: bool = False
    strict_preflight: bool = False
    allow_demotion: bool = False
    trigger_downstream: bool = False
    cascade_policy: CascadePolicy = CascadePolicy.FLAG
    slice_days: int = SLICE_DAYS
    model: str | None = None


@dataclass(frozen=True)
class Stage:
    """Processors that one job computes, any day by itself; stages of a plan run one after the other."""

    phase: str
    names: tuple[str, ...]

    def processors(self, warehouse: Warehouse, options: Options, now: dt.datetime) -> tuple[Processor, ...]:
        """As people have set their thresholds, and as the options say."""
        chosen = policy.effective(warehouse, [BY_NAME[name] for name in self.names], now)
        return tuple(
            replace(
                processor,
                always_written=processor.always_written or (options.force and bool(processor.windows)),
                cascade_policy=options.cascade_policy if processor.hard else processor.cascade_policy,
            )
            for processor in chosen
        )

    def settings(self, options: Options, days: Sequence[dt.date], now: dt.datetime) -> dict[str, Any]:
        """More fields of the pipeline's Config; a model that cannot predict the days is refused."""
        if self.phase != Phase.PREDICTIONS.name.lower():
            return {}
        return prediction_settings(
            start=min(days),
            end=max(days),
            today=sports_day(now),
            historical=True,
            model_file=Path(options.model) if options.model else None,
            rules=Rules(),
        )


@dataclass(frozen=True)
class Plan:
    """days: game days, ascending.  off_days: asked for, and no game is scheduled.

    inputs: season -> stage number and table -> fingerprint, of all that the plan's own processors do not write.
    """

    plan_id: str
    created_at: dt.datetime
    days: tuple[dt.date, ...]
    off_days: tuple[dt.date, ...]
    phases: tuple[str, ...]
    stages: tuple[Stage, ...]
    options: Options
    inputs: Mapping[str, Prints] = field(default_factory=dict)

    @property
    def slices(self) -> list[tuple[int, tuple[dt.date, ...]]]:
        """(stage, days) of each slice, in the order in which they run."""
        cut = slices(self.days, self.options.slice_days)
        return [(number, days) for number in range(len(self.stages)) for days in cut]

    @property
    def definition(self) -> str:
        """All that was frozen, as JSON."""
        return json.dumps(
            {
                "days": [str(day) for day in self.days],
                "off_days": [str(day) for day in self.off_days],
                "phases": self.phases,
                "stages": [asdict(stage) for stage in self.stages],
                "options": asdict(self.options),
                "inputs": self.inputs,
            },
            sort_keys=True,
        )


def identified(plan: Plan) -> str:
    """The id that the plan's definition gives it; sorts by time."""
    content = hash_settings({"definition": plan.definition, "created_at": plan.created_at.isoformat()})
    return f"{plan.created_at:%Y%m%dT%H%M%S}-{content[:8]}"


def store(warehouse: Warehouse, plan: Plan, estimated: Mapping[str, int], by: str) -> None:
    """The plan and its slices, all pending; one that is stored already, being made twice at one instant, stays."""
    with warehouse.transaction({}) as session:
        _insert(session, plan, estimated, by)
    crash_point("planned")


def supersede(
    warehouse: Warehouse, old: Plan, new: Plan, estimated: Mapping[str, int], now: dt.datetime, by: str
) -> None:
    """The new plan is stored, unless it is already, and the old one cancelled: both, or neither."""
    with warehouse.transaction({}) as session:
        _insert(session, new, estimated, by)
        _mark(session, old, now, by)
    crash_point("planned")


def stored_alike(warehouse: Warehouse, plan: Plan) -> Plan | None:
    """The newest plan that was stored with this one's definition, at whatever time, unless it was cancelled."""
    rows = warehouse.query(
        f"SELECT plan_id, created_at FROM {_PLANS} WHERE first_day = @first AND last_day = @last "
        "AND cancelled_at IS NULL ORDER BY created_at DESC, plan_id",
        first=plan.days[0],
        last=plan.days[-1],
    ).to_pylist()
    found = (replace(plan, plan_id=row["plan_id"], created_at=row["created_at"]) for row in rows)
    return next((other for other in found if identified(other) == other.plan_id), None)


def _insert(session: Session, plan: Plan, estimated: Mapping[str, int], by: str) -> None:
    known = session.query(f"SELECT plan_id FROM {_PLANS} WHERE plan_id = @plan_id", plan_id=plan.plan_id)
    if known.num_rows:
        return
    row = {
        "plan_id": plan.plan_id,
        "created_at": plan.created_at,
        "created_by": by,
        "first_day": plan.days[0],
        "last_day": plan.days[-1],
        "day_count": len(plan.days),
        "phases": list(plan.phases),
        "definition": plan.definition,
        "estimated_rows": estimated["rows"],
        "estimated_bytes": estimated["bytes"],
    }
    cut = [
        {
            "plan_id": plan.plan_id,
            "slice_number": number,
            "stage": stage,
            "phase": COMPUTED[plan.stages[stage].phase].value,
            "processors": list(plan.stages[stage].names),
            "season_year": season_of_day(to_number(days[0])),
            "days": [str(day) for day in days],
            "state": State.PENDING.value,
        }
        for number, (stage, days) in enumerate(plan.slices)
    ]
    insert_records(session, "backfill_plans", [row])
    insert_records(session, "backfill_slices", cut)


def load(warehouse: Warehouse, plan_id: str) -> Plan:
    """UsageError for an id that no plan has, or several begin with; GateError for a plan that was altered."""
    check_schema(warehouse)
    if not plan_id:
        raise UsageError("the plan's id is empty: expected one, or its beginning")
    rows = warehouse.query(
        f"SELECT plan_id, created_at, definition FROM {_PLANS} WHERE STARTS_WITH(plan_id, @plan_id) ORDER BY plan_id",
        plan_id=plan_id,
    ).to_pylist()
    if len(rows) != 1:
        known = warehouse.query(f"SELECT plan_id FROM {_PLANS} ORDER BY plan_id DESC LIMIT 3")["plan_id"].to_pylist()
        newest = f"the newest are {', '.join(known)}" if known else "there is none"
        found = "no backfill has" if not rows else f"{len(rows)} backfills have"
        raise UsageError(f"{found} an id that begins with {plan_id!r}: {newest}")
    try:
        plan = _decode(rows[0])
        altered = identified(plan) != rows[0]["plan_id"]
    except (ValueError, TypeError, KeyError, AttributeError):
        altered = True
    if altered:
        raise GateError(
            f"the plan {rows[0]['plan_id']} is not what was planned: its definition does not give that id; make a new "
            "plan, the days already done are not done again"
        )
    return plan


def _decode(row: Mapping[str, Any]) -> Plan:
    read = json.loads(row["definition"])
    options = {**read["options"], "cascade_policy": CascadePolicy(read["options"]["cascade_policy"])}
    return Plan(
        plan_id=row["plan_id"],
        created_at=row["created_at"],
        days=tuple(map(dt.date.fromisoformat, read["days"])),
        off_days=tuple(map(dt.date.fromisoformat, read["off_days"])),
        phases=tuple(read["phases"]),
        stages=tuple(Stage(stage["phase"], tuple(stage["names"])) for stage in read["stages"]),
        options=Options(**options),
        inputs=read["inputs"],
    )


def cancel(warehouse: Warehouse, plan: Plan, now: dt.datetime, by: str) -> None:
    """Nothing more is begun; what is running ends as it would. `resume` goes on from there."""
    with warehouse.transaction({}) as session:
        _mark(session, plan, now, by)


def record_verified(warehouse: Warehouse, plan: Plan, phase: str, wrong: Sequence[str]) -> None:
    """What did not hold when the phase was read back; nothing, if all did."""
    with warehouse.transaction({}) as session:
        known = session.query(f"SELECT verified FROM {_PLANS} WHERE plan_id = @plan_id", plan_id=plan.plan_id)
        found = json.loads(known["verified"][0].as_py() or "null") or {}
        session.execute(
            f"UPDATE {_PLANS} SET verified = PARSE_JSON(@verified) WHERE plan_id = @plan_id",
            verified=json.dumps({**found, phase: "; ".join(wrong)}),
            plan_id=plan.plan_id,
        )


def uncancel(warehouse: Warehouse, plan: Plan) -> None:
    with warehouse.transaction({}) as session:
        _mark(session, plan, None, None)


def _mark(session: Session, plan: Plan, at: dt.datetime | None, by: str | None) -> None:
    session.execute(
        f"UPDATE {_PLANS} SET cancelled_at = @at, cancelled_by = @by WHERE plan_id = @plan_id",
        at=at,
        by=by,
        plan_id=plan.plan_id,
    )
