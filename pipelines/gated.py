"""Wires the gate for a chain of processors: what each reads, and how rows of one flow on to the next.

Every table is read once a job, with the columns of all who want it.  A processor that the job computes is not read
back: its rows flow to the later ones as they are made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain import records
from fullcourt.domain.days import to_date
from fullcourt.domain.features import BOX as BOX_TABLE
from fullcourt.domain.features import INACTIVES as INACTIVES_TABLE
from fullcourt.domain.features import SCHEDULE as SCHEDULE_TABLE
from fullcourt.domain.features import tables_read
from fullcourt.domain.processors import BY_NAME, Entity, Processor
from fullcourt.domain.rows import Stamp
from fullcourt.warehouse import Read, Snapshot
from schemas import TABLES
from transforms.finish_run import Tallied
from transforms.judge_entities import ACTIONS, ATTEMPTS, BOX, INACTIVES, SCHEDULE, UPSTREAM, Flow, JudgeEntities
from transforms.read_shards import Source
from transforms.stage_rows import StageRows

ATTEMPT_COLUMNS = (
    "processor_name",
    "entity_id",
    "analysis_date",
    "attempt_number",
    "attempted_at",
    "circuit_breaker_until",
    "missing_games_hash",
)
ACTION_COLUMNS = ("processor_name", "entity_id", "analysis_date", "action", "acted_at")
BREAKER = {"reprocess_attempts": ATTEMPT_COLUMNS, "breaker_actions": ACTION_COLUMNS}
# Control table -> how its rows are made from judged rows.
RECORDS: Mapping[str, records.Maker] = {
    "precompute_failures": records.failure_rows,
    "reprocess_attempts": records.attempt_rows,
    "breaker_actions": records.closing_actions,
    "dead_letters": records.dead_letter_rows,
}
# Each way out of the gate -> whether it has rows in the output table, and the control tables it feeds.
FEEDS: Mapping[str, tuple[bool, tuple[str, ...]]] = {
    "ready": (True, ("breaker_actions",)),
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
    """What to compute: the processors, the days (days since 1970), the seasons they lie in, shards a season."""

    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    seasons: tuple[int, ...]
    stamp: Stamp
    staging: str
    parts: int = 1


def columns_wanted(processors: Sequence[Processor]) -> dict[str, tuple[str, ...]]:
    """Every table that any of the gated processors reads, with the columns that any of them wants."""
    wanted: dict[str, tuple[str, ...]] = {}
    for processor in processors:
        for table, columns in tables_read(processor).items():
            wanted[table] = tuple(dict.fromkeys((*wanted.get(table, ()), *columns)))
    return wanted


def reads(processors: Sequence[Processor], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """Whole seasons of the games, the days' rows of other processors, the days' attempts and actions."""
    dates = [to_date(day) for day in days]
    wanted = []
    for table, columns in columns_wanted(processors).items():
        if not _is_gated(table):
            wanted.append(Read(table, columns, {"season_year": list(seasons)}))
        elif not any(processor.name == table for processor in processors):
            wanted.append(Read(table, columns, {BY_NAME[table].day_column: dates}))
    named = [processor.name for processor in processors]
    for table, columns in BREAKER.items():
        wanted.append(Read(table, columns, {"processor_name": named, "analysis_date": dates}))
    return wanted


def sources(wanted: Sequence[Read], snapshot: Snapshot, made_here: Mapping[str, tuple[int, ...]]) -> dict[str, Source]:
    """How to deal the tables read out to the shards; made_here: table -> the days whose rows the job makes anew."""
    found = {}
    for read in wanted:
        days = made_here.get(read.table, ())
        found[read.table] = Source(
            files=snapshot[read.key],
            season_column="analysis_date" if read.table in BREAKER else "season_year",
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
    tables, staged, others = dict(sharded), [], []
    schemas = {table: TABLES[table].arrow_schema for table in (*RECORDS, *(p.name for p in config.processors))}
    wanted = columns_wanted(config.processors)
    for processor in config.processors:
        columns = {_role(processor, table): (table, names) for table, names in tables_read(processor).items()}
        if config.stamp.recording:
            columns |= {ATTEMPTS: ("reprocess_attempts", ATTEMPT_COLUMNS), ACTIONS: ("breaker_actions", ACTION_COLUMNS)}
        flow = Flow(wanted[processor.name], DICTIONARIES, config.parts) if processor.name in wanted else None
        verdicts = {
            tag: tables[table] for tag, (table, _) in columns.items()
        } | f"Judge {processor.name}" >> JudgeEntities(
            processor,
            config.days,
            {tag: TABLES[table].arrow_subset(names) for tag, (table, names) in columns.items()},
            TABLES[processor.name].arrow_schema,
            config.stamp,
            parts=1 if processor.whole_season else config.parts,
            flow=flow,
        )
        if flow:
            tables[processor.name] = verdicts.flow
        for verdict in FEEDS:
            judged = getattr(verdicts, verdict)
            fed = judged | f"Feed {processor.name} {verdict}" >> beam.FlatMap(_feed, verdict, processor, config.stamp)
            # A Flatten materialises what flows through it, so the bulk of the rows is staged where it is judged.
            if verdict == "ready":
                staged.append(fed | f"Stage {processor.name}" >> StageRows(schemas, config.staging))
            else:
                others.append(fed)
        staged.append(verdicts.tally | f"Tally {processor.name}" >> beam.Map(_tally, processor.name))
    if others:
        staged.append(others | "EveryOtherRow" >> beam.Flatten() | "StageOthers" >> StageRows(schemas, config.staging))
    return staged


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


def _feed(judged: pa.Table, verdict: str, processor: Processor, stamp: Stamp) -> Iterator[tuple[str, pa.Table]]:
    """One way out's rows to the tables it feeds: (table name, rows)."""
    written, recorded = FEEDS[verdict]
    if written:
        yield processor.name, judged
    for table in recorded:
        yield table, RECORDS[table](judged, processor, TABLES[table].arrow_schema, stamp)


def _tally(counts: pa.Table, name: str) -> Tallied:
    return Tallied(name, counts)
