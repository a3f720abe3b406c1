"""Phase 4: the gate, and the features of what passes it, one job for any range of days.

Reads the schedule, each processor's upstream table and, for players, raw box scores and inactive lists; writes
rows and stubs, attempts, breaker actions, failures and dead letters.  A rerun replaces the days' rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain import observation, records
from fullcourt.domain.calendar import SCHEDULE_COLUMNS
from fullcourt.domain.features import upstream_columns
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.rows import Stamp
from fullcourt.warehouse import Read, Snapshot
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.finish_run import Finish, FinishRun, Tallied
from transforms.judge_entities import (
    ACTIONS,
    ATTEMPTS,
    BOX,
    INACTIVES,
    SCHEDULE,
    UPSTREAM,
    JudgeEntities,
)
from transforms.read_shards import ReadShards, Source
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
ACTION_COLUMNS = ("processor_name", "entity_id", "analysis_date", "action", "acted_at")


@dataclass(frozen=True)
class Config:
    """What to judge: the processors, the days (days since 1970), the seasons they lie in, shards a season."""

    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    seasons: tuple[int, ...]
    stamp: Stamp
    staging: str
    parts: int = 1


@dataclass(frozen=True)
class Input:
    """One input of a processor: table, columns, the column that names the season, how it is dealt out."""

    table: str
    columns: tuple[str, ...]
    season_column: str = "season_year"
    entity_column: str | None = None
    dictionaries: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        return TABLES[self.table].arrow_subset(self.columns)

    def source(self, files: tuple[str, ...]) -> Source:
        return Source(files, self.season_column, self.entity_column, self.dictionaries)


_KEYS = ("game_id", "team_abbr", "player_lookup", "defending_team_abbr", "universal_player_id")


def inputs_of(processor: Processor, recording: bool) -> dict[str, Input]:
    """Everything one processor reads, by tag."""
    assert processor.upstream is not None
    upstream = processor.upstream
    player = processor.entity is Entity.PLAYER
    names = upstream_columns(processor)
    reads = {
        SCHEDULE: Input("nbac_schedule", SCHEDULE_COLUMNS),
        UPSTREAM: Input(
            upstream.table,
            names,
            entity_column=upstream.entity_column if player else None,
            dictionaries=tuple(name for name in _KEYS if name in names),
        ),
    }
    if player:
        reads[BOX] = Input("nbac_gamebook_player_stats", observation.BOX_COLUMNS, dictionaries=_KEYS[:3])
        reads[INACTIVES] = Input("inactive_lists", observation.INACTIVE_COLUMNS, dictionaries=_KEYS[:3])
    if recording:
        reads[ATTEMPTS] = Input("reprocess_attempts", ATTEMPT_COLUMNS, "analysis_date")
        reads[ACTIONS] = Input("breaker_actions", ACTION_COLUMNS, "analysis_date")
    return reads


def reads(processors: tuple[Processor, ...], seasons: Sequence[int]) -> list[Read]:
    """The snapshot the pipeline needs; attempts and actions of the processor, all else of the seasons in question."""
    wanted = []
    for processor in processors:
        for tag, source in inputs_of(processor, recording=True).items():
            only = (
                {"processor_name": [processor.name]} if tag in (ATTEMPTS, ACTIONS) else {"season_year": list(seasons)}
            )
            wanted.append(Read(source.table, source.columns, only, snapshot_name(processor, tag)))
    return wanted


def snapshot_name(processor: Processor, tag: str) -> str:
    """How a processor's input is called in the snapshot."""
    return f"{processor.name}.{tag}"


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of reads()."""
    ready: list[beam.PCollection] = []
    others: list[beam.PCollection] = []
    tallies: list[beam.PCollection] = []
    for processor in config.processors:
        inputs = inputs_of(processor, config.stamp.recording)
        parts = _parts(processor, config)
        sources = {tag: i.source(snapshot[snapshot_name(processor, tag)]) for tag, i in inputs.items()}
        verdicts = (
            pipeline
            | f"Read for {processor.name}" >> ReadShards(sources, config.seasons, parts)
            | f"Judge {processor.name}"
            >> JudgeEntities(
                processor,
                config.days,
                {tag: i.schema for tag, i in inputs.items()},
                TABLES[processor.name].arrow_schema,
                config.stamp,
                parts,
            )
        )
        for verdict in FEEDS:
            judged = getattr(verdicts, verdict)
            fed = judged | f"Feed {processor.name} {verdict}" >> beam.FlatMap(_feed, verdict, processor, config.stamp)
            (ready if verdict == "ready" else others).append(fed)
        tallies.append(verdicts.tally | f"Tally {processor.name}" >> beam.Map(_tally, processor.name))
    schemas = {table: TABLES[table].arrow_schema for table in (*RECORDS, *(p.name for p in config.processors))}
    # A Flatten materialises what flows through it, so the bulk of the rows is staged where it is judged.
    staged = [rows | f"StageReady {number}" >> StageRows(schemas, config.staging) for number, rows in enumerate(ready)]
    staged.append(others | "EveryOtherRow" >> beam.Flatten() | "StageOthers" >> StageRows(schemas, config.staging))
    _ = (*staged, *tallies) | "FinishRun" >> FinishRun(finish)


def _feed(judged: pa.Table, verdict: str, processor: Processor, stamp: Stamp) -> Iterator[tuple[str, pa.Table]]:
    """One way out's rows to the tables it feeds: (table name, rows)."""
    written, recorded = FEEDS[verdict]
    if written:
        yield processor.name, judged
    for table in recorded:
        yield table, RECORDS[table](judged, processor, TABLES[table].arrow_schema, stamp)


def _tally(counts: pa.Table, name: str) -> Tallied:
    return Tallied(name, counts)


def _parts(processor: Processor, config: Config) -> int:
    """Teams are few and compared with each other: always one shard a season."""
    return config.parts if processor.entity is Entity.PLAYER else 1


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)
