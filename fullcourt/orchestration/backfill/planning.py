"""Making plans: what is asked for, what stands in the way of it, and how much it is."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from fullcourt.domain.backfill import stages
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import sports_day, to_date, to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import BY_NAME, PROCESSORS, Entity, Processor
from fullcourt.orchestration.backfill import plans
from fullcourt.orchestration.backfill.gates import Inspection, inspect
from fullcourt.orchestration.backfill.inputs import done_days, external_inputs, moved, season_reads
from fullcourt.orchestration.backfill.plans import COMPUTED, RAW, Options, Pipelines, Plan, Stage, identified
from fullcourt.orchestration.run import days_to_run
from fullcourt.orchestration.upstream import statuses
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES

ALL = (RAW, "analytics", "precompute")  # from raw to feature store; predictions are asked for by name


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
        if not known:
            raise UsageError(f"{', '.join(phases)} has no processors: expected none, got {name!r}")
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
    named = {phase: name for name, phase in COMPUTED.items()}
    cut = tuple(Stage(named[stage[0].phase], tuple(p.name for p in stage)) for stage in stages(processors))
    off = tuple(sorted(set(asked) - game_days))
    plan = Plan("", now, days, off, tuple(phases), cut, options)
    for stage in cut:
        stage.settings(options, days, now)
    plan = replace(plan, inputs=external_inputs(warehouse, plan, now, pipelines))
    return replace(plan, plan_id=identified(plan))


def again(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines) -> Plan | None:
    """The same request on the inputs as they are now, off days that became game days too; None where none moved."""
    if not moved(plan, external_inputs(warehouse, plan, now, pipelines)):
        return None
    names = [name for stage in plan.stages for name in stage.names]
    return make(warehouse, [*plan.days, *plan.off_days], plan.phases, names, plan.options, now, pipelines)


def replan(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines, by: str) -> Plan:
    """Puts the same request, on the inputs as they are now, in the plan's place; the plan itself where none moved.

    One that is stored already, by a command that was killed since, is taken up.
    """
    fresh = again(warehouse, plan, now, pipelines)
    if fresh is None:
        return plan
    fresh = plans.stored_alike(warehouse, fresh) or fresh
    estimated = estimate(warehouse, fresh, done_days(warehouse, fresh, now, pipelines), pipelines)
    plans.supersede(warehouse, plan, fresh, estimated, now, by)
    return fresh


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


def findings(warehouse: Warehouse, plan: Plan, now: dt.datetime) -> list[tuple[Stage, Inspection]]:
    """What stands in the way of each stage, of those whose upstream phase the plan does not compute itself."""
    computed = [stage.phase for stage in plan.stages]
    before = {"precompute": "analytics", "predictions": "precompute"}
    return [
        (stage, inspect(warehouse, stage.processors(warehouse, plan.options, now), plan.days))
        for stage in plan.stages
        if before.get(stage.phase) not in computed
    ]


def estimate(warehouse: Warehouse, plan: Plan, done: Sequence[Set[dt.date]], pipelines: Pipelines) -> dict[str, int]:
    """rows: to be written, at most; bytes: to be read, every slice reading its season anew. done: days, by stage."""
    sizes = warehouse.query(QUERIES["backfill_sizes"].sql, days=list(plan.days)).to_pylist()
    rows = scanned = 0
    for number, stage in enumerate(plan.stages):
        processors = tuple(BY_NAME[name] for name in stage.names)
        left = [row for row in sizes if row["game_date"] not in done[number]]
        rows += sum(row[_size(processor)] for processor in processors for row in left)
        begun = [days for of_stage, days in plan.slices if of_stage == number and not done[number] >= set(days)]
        times = Counter(season_of_day(to_number(days[0])) for days in begun)
        for season, slices in times.items():
            reads = season_reads(pipelines[stage.phase], processors, season)
            scanned += slices * warehouse.scanned_bytes(reads)
    return {"rows": rows, "bytes": scanned}


def _size(processor: Processor) -> str:
    """The column of backfill_sizes that says how many rows a day of it may have."""
    whole_season = {"team_defense_zone_analysis": "season_teams", "player_shot_zone_analysis": "season_players"}
    of_the_day = "team_games" if processor.entity is Entity.TEAM else "listed_players"
    return whole_season.get(processor.name, of_the_day)
