"""Wires the gate for a chain of processors: what each reads, and how rows of one flow on to the next.

Every table is read once a job, with the columns of all who want it.  A processor that the job computes is not read
back: its rows flow to the later ones as they are made.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam

from fullcourt.domain import breaker, records
from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.features import SCHEDULE, columns_wanted
from fullcourt.domain.processors import BY_NAME, Entity, Processor
from fullcourt.domain.rows import Stamp
from fullcourt.warehouse import Read, Snapshot
from schemas import TABLES
from transforms.judge_entities import Flow, JudgeEntities, Leaving
from transforms.read_shards import Source
from transforms.stage_rows import Named, StageRows

# Control table -> how its rows are made from judged rows.
RECORDS: Mapping[str, records.Maker] = {
    "precompute_failures": records.failure_rows,
    "reprocess_attempts": records.attempt_rows,
    "dead_letters": records.dead_letter_rows,
}
# Each way out of the gate -> whether it has rows in the output table, and the control tables it feeds.
FEEDS: Mapping[str, tuple[bool, tuple[str, ...]]] = {
    "ready": (True, ()),
    "flagged": (True, ()),
    "incomplete": (True, ("precompute_failures", "reprocess_attempts")),
    "blocked": (True, ("precompute_failures",)),
    "excluded": (False, ("precompute_failures",)),
    "dead_letter": (False, ("precompute_failures", "dead_letters")),
}
DICTIONARIES = ("game_id", "team_abbr", "player_lookup", "defending_team_abbr", "universal_player_id")
SEASONS, PARTS = "JudgeSeasons", "JudgeParts"  # the steps that judge
Dealt = Mapping[str, beam.PCollection]  # output of the reading step -> (shard key, Packed)


@dataclass(frozen=True)
class Config:
    """What to compute: the processors, the days (days since 1970), the seasons they lie in, shards a season.

    synthetic_days: of a backfill, the days on which a synthetic context replaces the stored one; a live run has none.
    """

    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    seasons: tuple[int, ...]
    stamp: Stamp
    staging: str
    parts: int = 1
    synthetic_days: tuple[int, ...] = ()


def sources(
    wanted: Sequence[Read],
    snapshot: Snapshot,
    joins: Mapping[str, Collection[str]],
    made_here: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, Source]:
    """How to deal the tables read out to the shards of each step that joins.

    joins: step -> the tables it joins.  made_here: table -> the days whose rows the job makes anew.
    """
    found = {}
    for read in wanted:
        days = (made_here or {}).get(read.table, ())
        output = required if read.table == SCHEDULE else present
        found[read.table] = Source(
            files=snapshot[read.key],
            to=tuple(output(step) for step, tables in joins.items() if read.table in tables),
            season_column="analysis_date" if read.table == BREAKER_STATE else "season_year",
            entity_column=_dealt_by(read.table),
            dictionaries=tuple(
                name for name in DICTIONARIES if name in read.columns and read.table != SCHEDULE
            ),  # the schedule is small, and sorted by its texts
            day_column=(TABLES[read.table].day or "") if days else "",
            without_days=days,
        )
    return found


def required(step: str) -> str:
    """The output of the reading step with what must be there: the schedule."""
    return f"{step}.required"


def present(step: str) -> str:
    """That with what is there."""
    return f"{step}.present"


def steps(config: Config) -> dict[str, tuple[Processor, ...]]:
    """The processors by the step that judges them: those dealt alike; whole seasons first, as the parts read them."""
    seasons = tuple(p for p in config.processors if p.whole_season or config.parts == 1)
    of_parts = tuple(p for p in config.processors if p not in seasons)
    return {step: chain for step, chain in ((SEASONS, seasons), (PARTS, of_parts)) if chain}


def joins(config: Config) -> dict[str, frozenset[str]]:
    """The tables that each step joins, as sources() wants them."""
    return {
        step: frozenset((*columns_wanted(processors), *((BREAKER_STATE,) if config.stamp.recording else ())))
        for step, processors in steps(config).items()
    }


def judge_chain(config: Config, dealt: Dealt, made: Sequence[beam.PCollection] = ()) -> list[beam.PCollection]:
    """Judges the processors in DAG order and stages what comes out: PCollections of Staged and of Tallied.

    dealt: by the sources of joins(config).  made: what earlier steps of the job have made of what is read.
    """
    chain = {processor.name: processor for processor in config.processors}
    schemas = {table: TABLES[table].arrow_schema for table in (*RECORDS, *chain)}
    feed = partial(_feed, chain=chain, stamp=config.stamp)
    flows, parts, others = list(made), [], []
    for step, processors in steps(config).items():
        later = columns_wanted([p for p in config.processors if p not in processors])
        inputs = {"required": dealt[required(step)], "present": dealt[present(step)]}
        inputs |= {f"made {number}": flow for number, flow in enumerate(flows)}
        schemas_read = {
            table: TABLES[table].arrow_subset(columns) for table, columns in columns_wanted(processors).items()
        }
        if config.stamp.recording:
            schemas_read[BREAKER_STATE] = breaker.STATE
        verdicts = inputs | step >> JudgeEntities(
            processors,
            config.days,
            schemas_read,
            {processor.name: schemas[processor.name] for processor in processors},
            config.stamp,
            parts=config.parts if step == PARTS else 1,
            dictionaries=DICTIONARIES,
            flow=Flow({name: later[name] for name in chain if name in later}, config.parts),
            synthetic_days=config.synthetic_days,
        )
        flows.append(verdicts.flow)
        # A Flatten materialises what flows through it, so the bulk of the rows is staged where it is judged.
        parts += [verdicts.tally, verdicts.ready | f"StageFrom{step}" >> StageRows(schemas, config.staging, feed)]
        others += [getattr(verdicts, verdict) for verdict in FEEDS if verdict != "ready"]
    # Few: one step for all of them, as a job of many small steps takes longer to set up than to run.
    every_other = others | "EveryOtherRow" >> beam.Flatten()
    return [*parts, every_other | "StageOthers" >> StageRows(schemas, config.staging, feed)]


def _dealt_by(table: str) -> str | None:
    """Rows of a player's own go to his part; what everybody is compared with goes to every part."""
    player = table in BY_NAME and BY_NAME[table].entity is Entity.PLAYER
    return "player_lookup" if player else None


def _feed(leaving: Leaving, chain: Mapping[str, Processor], stamp: Stamp) -> Iterator[Named]:
    """One way out's rows to the tables it feeds."""
    written, recorded = FEEDS[leaving.verdict]
    if written:
        yield Named(leaving.processor, leaving.rows)
    for table in recorded:
        made = RECORDS[table](leaving.rows, chain[leaving.processor], TABLES[table].arrow_schema, stamp)
        yield Named(table, made)
