"""Wires the gate for a chain of processors: what each reads, and how rows of one flow on to the next.

Every table is read once a job, with the columns of all who want it.  A processor that the job computes is not read
back: its rows flow to the later ones as they are made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain import breaker, records
from fullcourt.domain.days import to_date
from fullcourt.domain.features import BOX as BOX_TABLE
from fullcourt.domain.features import INACTIVES as INACTIVES_TABLE
from fullcourt.domain.features import SCHEDULE as SCHEDULE_TABLE
from fullcourt.domain.features import columns_wanted, tables_read
from fullcourt.domain.processors import BY_NAME, Entity, Processor
from fullcourt.domain.rows import Stamp
from fullcourt.warehouse import BREAKER_STATE, Read, Snapshot
from schemas import TABLES
from transforms.judge_entities import BOX, BREAKER, INACTIVES, SCHEDULE, UPSTREAM, Flow, JudgeEntities, Leaving
from transforms.read_shards import Source
from transforms.stage_rows import StageRows

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
Sharded = Mapping[str, beam.PCollection]  # table -> (shard key, packed batch)


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


def reads(processors: Sequence[Processor], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """Whole seasons of the games, the days' rows of other processors, the days' breakers."""
    dates = [to_date(day) for day in days]
    wanted = []
    for table, columns in columns_wanted(processors).items():
        if not _is_gated(table):
            wanted.append(Read(table, columns, {"season_year": list(seasons)}))
        elif not any(processor.name == table for processor in processors):
            wanted.append(Read(table, columns, {BY_NAME[table].day_column: dates}))
    named = [processor.name for processor in processors]
    breakers = Read(BREAKER_STATE, tuple(breaker.STATE.names), {"processor_name": named, "analysis_date": dates})
    wanted.append(breakers)
    return wanted


def sources(wanted: Sequence[Read], snapshot: Snapshot, made_here: Mapping[str, tuple[int, ...]]) -> dict[str, Source]:
    """How to deal the tables read out to the shards; made_here: table -> the days whose rows the job makes anew."""
    found = {}
    for read in wanted:
        days = made_here.get(read.table, ())
        found[read.table] = Source(
            files=snapshot[read.key],
            season_column="analysis_date" if read.table == BREAKER_STATE else "season_year",
            entity_column=_dealt_by(read.table),
            dictionaries=tuple(
                name for name in DICTIONARIES if name in read.columns and read.table != SCHEDULE_TABLE
            ),  # the schedule is small, and sorted by its texts
            day_column=(TABLES[read.table].day or "") if days else "",
            without_days=days,
        )
    return found


def judge_chain(pipeline: beam.Pipeline, config: Config, sharded: Sharded) -> list[beam.PCollection]:
    """Judges the processors in DAG order and stages what comes out: PCollections of Staged and of Tallied.

    sharded: of all that reads() names, and what earlier steps of the job have made.
    """
    tables, parts, others = dict(sharded), [], []
    chain = {processor.name: processor for processor in config.processors}
    schemas = {table: TABLES[table].arrow_schema for table in (*RECORDS, *chain)}
    wanted = columns_wanted(config.processors)
    for processor in config.processors:
        inputs, read_as = {}, {}
        for table, names in tables_read(processor).items():
            role = _role(processor, table)
            inputs[role], read_as[role] = tables[table], TABLES[table].arrow_subset(names)
        if config.stamp.recording:
            inputs[BREAKER], read_as[BREAKER] = tables[BREAKER_STATE], breaker.STATE
        flow = Flow(wanted[processor.name], DICTIONARIES, config.parts) if processor.name in wanted else None
        verdicts = inputs | f"Judge {processor.name}" >> JudgeEntities(
            processor,
            config.days,
            read_as,
            TABLES[processor.name].arrow_schema,
            config.stamp,
            parts=1 if processor.whole_season else config.parts,
            flow=flow,
            synthetic_days=config.synthetic_days,
        )
        if flow:
            tables[processor.name] = verdicts.flow
        # A Flatten materialises what flows through it, so the bulk of the rows is staged where it is judged.
        fed = verdicts.ready | f"Feed {processor.name}" >> beam.FlatMap(_feed, chain, config.stamp)
        parts += [verdicts.tally, fed | f"Stage {processor.name}" >> StageRows(schemas, config.staging)]
        others += [getattr(verdicts, verdict) for verdict in FEEDS if verdict != "ready"]
    if others:  # few: one step for all of them, as a job of many small steps takes longer to set up than to run
        fed = others | "EveryOtherRow" >> beam.Flatten() | "FeedOthers" >> beam.FlatMap(_feed, chain, config.stamp)
        parts.append(fed | "StageOthers" >> StageRows(schemas, config.staging))
    return parts


def _is_gated(table: str) -> bool:
    return table in BY_NAME and bool(BY_NAME[table].windows)


def _dealt_by(table: str) -> str | None:
    """Rows of a player's own go to his part; what everybody is compared with goes to every part."""
    player = table in BY_NAME and BY_NAME[table].entity is Entity.PLAYER
    return "player_lookup" if player else None


def _role(processor: Processor, table: str) -> str:
    """The tag under which a processor's step expects the table."""
    assert processor.upstream is not None
    roles = {SCHEDULE_TABLE: SCHEDULE, processor.upstream.table: UPSTREAM}
    if processor.entity is Entity.PLAYER:
        roles |= {BOX_TABLE: BOX, INACTIVES_TABLE: INACTIVES}
    return roles.get(table, table)


def _feed(leaving: Leaving, chain: Mapping[str, Processor], stamp: Stamp) -> Iterator[tuple[str, pa.Table]]:
    """One way out's rows to the tables it feeds: (table name, rows)."""
    written, recorded = FEEDS[leaving.verdict]
    if written:
        yield leaving.processor, leaving.rows
    for table in recorded:
        yield table, RECORDS[table](leaving.rows, chain[leaving.processor], TABLES[table].arrow_schema, stamp)
