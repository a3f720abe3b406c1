"""Phase 4: the gate, and the features of what passes it, one job for any range of days.

Reads the schedule, each processor's upstream table and, for players, raw box scores and inactive lists; writes
rows and stubs, attempts, breaker actions, failures and dead letters.  A rerun replaces the days' rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain import gate, records
from fullcourt.domain.calendar import SCHEDULE_COLUMNS
from fullcourt.domain.features import FEATURES
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
    Verdicts,
)
from transforms.read_shards import ReadShards
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
class Source:
    """One input of a processor: table, columns, the column that names the season, how it is dealt out."""

    table: str
    columns: tuple[str, ...]
    season_column: str = "season_year"
    entity_column: str | None = None
    dictionaries: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        return TABLES[self.table].arrow_subset(self.columns)


_KEYS = ("game_id", "team_abbr", "player_lookup", "defending_team_abbr", "universal_player_id")


def sources(processor: Processor, recording: bool) -> dict[str, Source]:
    """Everything one processor reads, by tag."""
    assert processor.upstream is not None
    upstream = processor.upstream
    player = processor.entity is Entity.PLAYER
    names = (
        *FEATURES[processor.name].reads,
        *(("universal_player_id",) if player else ()),
        "season_year",
        "processed_at",
    )
    reads = {
        SCHEDULE: Source("nbac_schedule", SCHEDULE_COLUMNS),
        UPSTREAM: Source(
            upstream.table,
            tuple(dict.fromkeys(names)),
            entity_column=upstream.entity_column if player else None,
            dictionaries=tuple(name for name in _KEYS if name in names),
        ),
    }
    if player:
        reads[BOX] = Source("nbac_gamebook_player_stats", gate.BOX_COLUMNS, dictionaries=_KEYS[:3])
        reads[INACTIVES] = Source("inactive_lists", gate.INACTIVE_COLUMNS, dictionaries=_KEYS[:3])
    if recording:
        reads[ATTEMPTS] = Source("reprocess_attempts", ATTEMPT_COLUMNS, "analysis_date")
        reads[ACTIONS] = Source("breaker_actions", ACTION_COLUMNS, "analysis_date")
    return reads


def reads(processors: tuple[Processor, ...], seasons: Sequence[int]) -> list[Read]:
    """The snapshot the pipeline needs; attempts and actions of the processor, all else of the seasons in question."""
    wanted = []
    for processor in processors:
        for tag, source in sources(processor, recording=True).items():
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
    parts: list[beam.PCollection] = []
    for processor in config.processors:
        reads = sources(processor, config.stamp.recording)
        inputs = {
            tag: pipeline
            | f"Read {processor.name} {tag}"
            >> ReadShards(
                snapshot[snapshot_name(processor, tag)],
                config.seasons,
                source.season_column,
                _parts(processor, config),
                source.entity_column,
                source.dictionaries,
            )
            for tag, source in reads.items()
        }
        verdicts = inputs | f"Judge {processor.name}" >> JudgeEntities(
            processor,
            config.days,
            {tag: source.schema for tag, source in reads.items()},
            TABLES[processor.name].arrow_schema,
            config.stamp,
            _parts(processor, config),
        )
        parts += _stage(verdicts, processor, config)
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def _stage(verdicts: Verdicts, processor: Processor, config: Config) -> list[beam.PCollection]:
    """Each way out to the tables it feeds."""
    name, stamp = processor.name, config.stamp

    def stage(rows: beam.PCollection[pa.Table], table: str) -> beam.PCollection:
        return rows | f"Stage {name} {table}" >> StageRows(table, TABLES[table].arrow_schema, config.staging)

    def derive(rows: beam.PCollection[pa.Table], make: records.Maker, table: str) -> beam.PCollection:
        schema = TABLES[table].arrow_schema
        made = rows | f"Make {name} {table}" >> beam.Map(make, processor=processor, schema=schema, stamp=stamp)
        return stage(made, table)

    written = (
        verdicts.ready,
        verdicts.flagged,
        verdicts.incomplete,
        verdicts.blocked,
    ) | f"Rows {name}" >> beam.Flatten()
    held_back = (
        verdicts.incomplete,
        verdicts.blocked,
        verdicts.excluded,
        verdicts.dead_letter,
    ) | f"HeldBack {name}" >> beam.Flatten()
    return [
        stage(written, name),
        derive(verdicts.incomplete, records.attempt_rows, "reprocess_attempts"),
        derive(verdicts.ready, records.closing_actions, "breaker_actions"),
        derive(held_back, records.failure_rows, "precompute_failures"),
        derive(verdicts.dead_letter, records.dead_letter_rows, "dead_letters"),
        verdicts.tally | f"Tally {name}" >> beam.Map(_tally, name),
    ]


def _tally(counts: pa.Table, name: str) -> Tallied:
    return Tallied(name, counts)


def _parts(processor: Processor, config: Config) -> int:
    """Teams are few and compared with each other: always one shard a season."""
    return config.parts if processor.entity is Entity.PLAYER else 1


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)
