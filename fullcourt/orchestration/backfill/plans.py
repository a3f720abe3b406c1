"""Plans: which days and processors a backfill is for, the inputs it was planned on, and what is found about them.

A plan is frozen: its id derives from its definition, so one that was altered is refused.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from fullcourt.domain.backfill import SLICE_DAYS, State, slices, stages
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import sports_day, to_date, to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.processors import BY_NAME, PROCESSORS, CascadePolicy, Phase, Processor
from fullcourt.orchestration import policy
from fullcourt.orchestration.backfill.gates import Inspection, inspect
from fullcourt.orchestration.backfill.inputs import Prints, inputs_hash, season_reads, unchanged_days
from fullcourt.orchestration.models import prediction_settings
from fullcourt.orchestration.publish import insert_records
from fullcourt.orchestration.run import PhasePipeline, check_schema, days_to_run
from fullcourt.orchestration.upstream import statuses
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES

RAW = "raw"
COMPUTED: dict[str, Phase] = {phase.name.lower(): phase for phase in Phase if phase is not Phase.INGEST}
ALL = (RAW, "analytics", "precompute")  # from raw to feature store; predictions are asked for by name
_PLANS = "nba_orchestration.backfill_plans"


class PipelineOf(Protocol):
    """Names a phase's pipeline module, which is imported where it is needed."""

    @property
    def module(self) -> str: ...

    def pipeline(self) -> PhasePipeline: ...


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


@dataclass(frozen=True)
class Plan:
    """days: game days, ascending.  off_days: asked for, and no game is scheduled.  verified: phases to be read back.

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


def select_phases(text: Sequence[str]) -> tuple[str, ...]:
    """The phases named, in the order in which they run; `all` is raw to precompute."""
    known = (RAW, *COMPUTED)
    if unknown := [name for name in text if name not in (*known, "all")]:
        raise UsageError(f"unknown phase {unknown[0]!r}: expected some of {', '.join((*known, 'all'))}")
    wanted = {name for given in text for name in (ALL if given == "all" else (given,))}
    return tuple(name for name in known if name in wanted)


def select_processors(phases: Sequence[str], names: Sequence[str] | None) -> tuple[Processor, ...]:
    """Of the phases, in DAG order; UsageError names one that is in none of them."""
    known = [processor for processor in PROCESSORS if processor.phase in {COMPUTED.get(name) for name in phases}]
    for name in names or ():
        if name not in {processor.name for processor in known}:
            listed = ", ".join(processor.name for processor in known)
            raise UsageError(f"unknown processor {name!r} in {', '.join(phases)}: expected some of {listed}")
    return tuple(processor for processor in known if not names or processor.name in names)


def make(
    warehouse: Warehouse,
    asked: Sequence[dt.date],
    phases: Sequence[str],
    names: Sequence[str] | None,
    options: Options,
    now: dt.datetime,
    pipelines: Pipelines,
) -> Plan:
    """A plan, not stored yet. asked: days, game days or not.

    UsageError: none asked for, or one that is not over.  GateError: no schedule, or no game on any of them.
    """
    check_schema(warehouse)
    if not asked:
        raise UsageError("no day was asked for")
    if (last := max(asked)) >= sports_day(now):
        raise UsageError(f"{last} is not over: a backfill is of days before {sports_day(now)}, US Eastern")
    if options.slice_days < 1:
        raise UsageError(f"--slice-days must be 1 or more, got {options.slice_days}")
    processors = select_processors(phases, names)
    game_days = set(map(to_date, days_to_run(warehouse, processors, min(asked), last)))
    days = tuple(sorted(game_days.intersection(asked)))
    if not days:
        raise GateError(f"no games from {min(asked)} to {last}: nothing to backfill")
    if options.model:
        _settings("predictions", options, days, now)
    named = {phase: name for name, phase in COMPUTED.items()}
    cut = tuple(Stage(named[stage[0].phase], tuple(p.name for p in stage)) for stage in stages(processors))
    off = tuple(sorted(set(asked) - game_days))
    plan = Plan("", now, days, off, tuple(phases), cut, options)
    plan = replace(plan, inputs=external_inputs(warehouse, plan, now, pipelines))
    return replace(plan, plan_id=identified(plan))


def external_inputs(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines) -> dict[str, Prints]:
    """Fingerprints of what the plan's stages read and its own processors do not write, by season."""
    made = {name for stage in plan.stages for name in stage.names}
    found: dict[str, Prints] = {}
    for season in seasons(plan.days):
        prints: Prints = {}
        for number, stage in enumerate(plan.stages):
            processors = stage.processors(warehouse, plan.options, now)
            reads = season_reads(pipelines[stage.phase].pipeline(), processors, season)
            outside = [read for read in reads if read.table not in made]
            prints |= {f"{number}:{name}": text for name, text in warehouse.fingerprints(outside).items()}
            prints[f"{number}:configuration"] = inputs_hash({}, processors, {})
        found[str(season)] = prints
    return found


def moved(plan: Plan, now_there: Mapping[str, Prints]) -> list[str]:
    """The inputs that are not what they were when the plan was made, such as `nbac_schedule of 2022`."""
    differing = {
        (name.partition(":")[2], season)
        for season, prints in plan.inputs.items()
        for name, text in prints.items()
        if now_there.get(season, {}).get(name) != text
    }
    return [f"{table} of {season}" for table, season in sorted(differing)]


def stage_hash(
    warehouse: Warehouse, plan: Plan, stage: Stage, season: int, now: dt.datetime, pipelines: Pipelines
) -> str:
    """Of all that a season's rows of a stage depend on, as it is now."""
    processors = stage.processors(warehouse, plan.options, now)
    prints = warehouse.fingerprints(season_reads(pipelines[stage.phase].pipeline(), processors, season))
    return inputs_hash(prints, processors, _settings(stage.phase, plan.options, plan.days, now))


def done_days(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines) -> list[set[dt.date]]:
    """Per stage, the days that were done before from the inputs as they are now."""
    done = []
    for stage in plan.stages:
        found: set[dt.date] = set()
        for season in seasons(plan.days):
            wanted = stage_hash(warehouse, plan, stage, season, now, pipelines)
            found |= done_of_season(warehouse, plan, stage, season, wanted)
        done.append(found)
    return done


def done_of_season(warehouse: Warehouse, plan: Plan, stage: Stage, season: int, wanted: str) -> set[dt.date]:
    """The season's days that were done before from the inputs of that hash."""
    days = [day for day in plan.days if season_of_day(to_number(day)) == season]
    return unchanged_days(warehouse, [BY_NAME[name] for name in stage.names], days, wanted)


def findings(warehouse: Warehouse, plan: Plan, now: dt.datetime) -> list[tuple[Stage, Inspection]]:
    """What stands in the way of each stage, of those whose upstream phase the plan does not compute itself."""
    computed = [stage.phase for stage in plan.stages]
    before = {"precompute": "analytics", "predictions": "precompute"}
    return [
        (stage, inspect(warehouse, stage.processors(warehouse, plan.options, now), plan.days))
        for stage in plan.stages
        if before.get(stage.phase) not in computed
    ]


def settings_of(stage: Stage, plan: Plan, days: Sequence[dt.date], now: dt.datetime) -> dict[str, Any]:
    """More fields of the pipeline's Config."""
    return _settings(stage.phase, plan.options, days, now)


def _settings(phase: str, options: Options, days: Sequence[dt.date], now: dt.datetime) -> dict[str, Any]:
    if phase != "predictions":
        return {}
    from pathlib import Path

    return prediction_settings(
        start=min(days),
        end=max(days),
        today=sports_day(now),
        historical=True,
        model_file=Path(options.model) if options.model else None,
        rules=Rules(),
    )


def estimate(warehouse: Warehouse, plan: Plan, pipelines: Pipelines) -> dict[str, int]:
    """rows: to be written, at most; bytes: to be read, every slice reading its season anew."""
    sizes = warehouse.query(QUERIES["backfill_sizes"].sql, days=list(plan.days)).to_pylist()
    rows = 0
    for name in (name for stage in plan.stages for name in stage.names):
        column = {
            "team_defense_zone_analysis": "season_teams",
            "player_shot_zone_analysis": "season_players",
        }.get(name, "team_games" if BY_NAME[name].key_column == "team_abbr" else "listed_players")
        rows += sum(row[column] for row in sizes)
    times = Counter((number, season_of_day(to_number(days[0]))) for number, days in plan.slices)
    scanned = 0
    for number, stage in enumerate(plan.stages):
        processors = tuple(BY_NAME[name] for name in stage.names)
        for season in seasons(plan.days):
            reads = season_reads(pipelines[stage.phase].pipeline(), processors, season)
            scanned += times[number, season] * warehouse.scanned_bytes(reads)
    return {"rows": rows, "bytes": scanned}


def store(warehouse: Warehouse, plan: Plan, estimated: Mapping[str, int], by: str) -> None:
    """The plan and its slices, all pending; one that is stored already, being made twice at one instant, stays."""
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
    with warehouse.transaction({}) as session:
        known = session.query(f"SELECT plan_id FROM {_PLANS} WHERE plan_id = @plan_id", plan_id=plan.plan_id)
        if known.num_rows:
            return
        insert_records(session, "backfill_plans", [row])
        insert_records(session, "backfill_slices", cut)


def load(warehouse: Warehouse, plan_id: str) -> Plan:
    """UsageError for an id that no plan has, or several begin with; GateError for a plan that was altered."""
    check_schema(warehouse)
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
    _mark(warehouse, plan.plan_id, now, by)


def is_cancelled(warehouse: Warehouse, plan: Plan) -> bool:
    rows = warehouse.query(f"SELECT cancelled_at FROM {_PLANS} WHERE plan_id = @plan_id", plan_id=plan.plan_id)
    return rows["cancelled_at"][0].is_valid


def again(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines) -> Plan | None:
    """The same plan on its inputs as they are now; None where they are what they were."""
    inputs = external_inputs(warehouse, plan, now, pipelines)
    if not moved(plan, inputs):
        return None
    fresh = replace(plan, created_at=now, inputs=inputs)
    return replace(fresh, plan_id=identified(fresh))


def upstream_runs(warehouse: Warehouse, plan: Plan, now: dt.datetime) -> list[dict[str, Any]]:
    """Days on which the newest run of a processor that the plan reads, and does not run itself, is not safe."""
    made = {name for stage in plan.stages for name in stage.names}
    read = {d.processor for name in made for d in BY_NAME[name].depends}
    read |= {upstream.table for name in made if (upstream := BY_NAME[name].upstream)}
    rows = []
    for name in sorted(read - made):
        for day, found in statuses(warehouse, BY_NAME[name], plan.days, now).items():
            if not found.safe_to_process:
                rows.append({"processor": name, "day": day, "status": found.status.value, "why": found.error_message})
    return rows


def uncancel(warehouse: Warehouse, plan: Plan) -> None:
    _mark(warehouse, plan.plan_id, None, None)


def _mark(warehouse: Warehouse, plan_id: str, at: dt.datetime | None, by: str | None) -> None:
    with warehouse.transaction({}) as session:
        session.execute(
            f"UPDATE {_PLANS} SET cancelled_at = @at, cancelled_by = @by WHERE plan_id = @plan_id",
            at=at,
            by=by,
            plan_id=plan_id,
        )


def seasons(days: Sequence[dt.date]) -> list[int]:
    return sorted({season_of_day(to_number(day)) for day in days})
