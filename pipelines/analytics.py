"""Phase 3: raw tables to game summaries, one job for any range of days.

Reads nbac_schedule, nbac_team_boxscore, nbac_gamebook_player_stats and shot_zones; writes the summaries asked for.
A rerun replaces the days' rows with identical ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain import summaries
from fullcourt.domain.calendar import SCHEDULE_COLUMNS
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Stamp
from fullcourt.warehouse import Read, Snapshot
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.finish_run import Finish, FinishRun, Tallied
from transforms.read_shards import ReadShards, Source
from transforms.stage_rows import StageRows
from transforms.summarise_games import BOX, SCHEDULE, SHOTS, TEAM_BOX, SummariseGames

# Tag -> table and columns read.
SOURCES = {
    SCHEDULE: ("nbac_schedule", SCHEDULE_COLUMNS),
    TEAM_BOX: ("nbac_team_boxscore", summaries.TEAM_BOX_COLUMNS),
    BOX: ("nbac_gamebook_player_stats", summaries.BOX_COLUMNS),
    SHOTS: ("shot_zones", summaries.SHOT_COLUMNS),
}


@dataclass(frozen=True)
class Config:
    """What to compute: the summaries, the days (days since 1970), the seasons they lie in."""

    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    seasons: tuple[int, ...]
    stamp: Stamp
    staging: str


def reads(processors: tuple[Processor, ...], seasons: Sequence[int]) -> list[Read]:
    """The snapshot the pipeline needs: every raw table, the seasons in question."""
    return [Read(table, columns, {"season_year": list(seasons)}) for table, columns in SOURCES.values()]


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of reads()."""
    sources = {tag: Source(snapshot[table]) for tag, (table, _) in SOURCES.items()}
    schemas = {tag: TABLES[table].arrow_subset(columns) for tag, (table, columns) in SOURCES.items()}
    outputs = {processor.name: TABLES[processor.name].arrow_schema for processor in config.processors}
    summarised = (
        pipeline
        | "ReadSeasons" >> ReadShards(sources, config.seasons)
        | "SummariseGames" >> SummariseGames(config.days, schemas, outputs, config.stamp)
    )
    parts: list[beam.PCollection] = []
    for name, rows in summarised.items():  # staged where they are made: a Flatten would materialise them
        named = rows | f"Name {name}" >> beam.WithKeys(name)
        parts.append(named | f"Stage {name}" >> StageRows(outputs, config.staging))
        parts.append(named | f"Tally {name}" >> beam.MapTuple(_tally))
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)


def _tally(name: str, rows: pa.Table) -> Tallied:
    return Tallied(name, summaries.day_tally(rows))
