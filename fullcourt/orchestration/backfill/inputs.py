"""What a stage of a backfill is computed from, as fingerprints: of whole seasons, whatever days are asked for."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.processors import BY_NAME, Processor
from fullcourt.orchestration.backfill.claims import newest_publishes
from fullcourt.orchestration.backfill.plans import Pipelines, Plan, Prints, Stage
from fullcourt.orchestration.publish import BACKFILL, stored_rows
from fullcourt.orchestration.run import PhasePipeline, seasons_of
from fullcourt.orchestration.unchanged import inputs_hash
from fullcourt.warehouse import Read, Warehouse


def season_reads(pipeline: PhasePipeline, processors: tuple[Processor, ...], season: int) -> list[Read]:
    """All that the processors read of a season, but for breakers, which a backfill does not ask."""
    reads = pipeline.reads(processors, [season], [])
    return [Read(r.table, r.columns, {"season_year": [season]}, r.name) for r in reads if r.table != BREAKER_STATE]


def unchanged_days(
    warehouse: Warehouse, processors: Sequence[Processor], days: Sequence[dt.date], wanted: str, *, forced: bool
) -> set[dt.date]:
    """Days done before from the very inputs that are there now, and untouched since.

    wanted: the inputs' hash.  forced: days that were forced through count.  A day that anybody published since, or
    that lost rows, is not among them.
    """
    names = [processor.name for processor in processors]
    settled = warehouse.query(
        "SELECT processors, failed_days, published FROM nba_orchestration.backfill_slices "
        "WHERE inputs_hash = @wanted AND state IN ('DONE', 'FAILED')",
        wanted=wanted,
    ).to_pylist()
    done: dict[str, set[str]] = {}  # day -> what stood there when it was settled
    for row in settled:
        if row["processors"] == names:
            failed = json.loads(row["failed_days"] or "null") or {}
            for day, publishes in json.loads(row["published"]).items():
                done.setdefault(day, set()).update({publishes} if day not in failed else ())
    newest = newest_publishes(warehouse, names, [str(day) for day in days])
    candidates = {day for day in days if newest.get(str(day)) in done.get(str(day), ())}
    if not candidates:
        return set()
    receipts = warehouse.query(
        "SELECT processor_name, analysis_date, row_count FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@names) AND analysis_date IN UNNEST(@days) "
        "AND (status = 'COMPLETE' OR (forced AND @forced))",
        names=names,
        days=sorted(candidates),
        forced=forced,
    ).to_pylist()
    stored = {processor.name: stored_rows(warehouse, processor, sorted(candidates)) for processor in processors}
    whole = Counter(
        row["analysis_date"]
        for row in receipts
        if row["row_count"] == stored[row["processor_name"]].get(row["analysis_date"], 0)
    )
    return {day for day in candidates if whole[day] == len(names)}


def external_inputs(warehouse: Warehouse, plan: Plan, now: dt.datetime, pipelines: Pipelines) -> dict[str, Prints]:
    """Fingerprints of what the plan's stages read and its own processors do not write, by season."""
    made = {name for stage in plan.stages for name in stage.names}
    found: dict[str, Prints] = {}
    for season in seasons(plan.days):
        prints: Prints = {}
        for number, stage in enumerate(plan.stages):
            processors = stage.processors(warehouse, plan.options, now)
            reads = season_reads(pipelines[stage.phase], processors, season)
            outside = [read for read in reads if read.table not in made]
            prints |= {f"{number}:{name}": text for name, text in warehouse.fingerprints(outside).items()}
            prints[f"{number}:configuration"] = inputs_hash({}, processors, BACKFILL, {})
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
    prints = warehouse.fingerprints(season_reads(pipelines[stage.phase], processors, season))
    return inputs_hash(prints, processors, BACKFILL, stage.settings(plan.options, plan.days, now))


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
    processors = [BY_NAME[name] for name in stage.names]
    return unchanged_days(warehouse, processors, days, wanted, forced=plan.options.force)


def seasons(days: Sequence[dt.date]) -> list[int]:
    return list(seasons_of([to_number(day) for day in days]))
