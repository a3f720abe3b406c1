"""Phase 2: landing files to raw tables, one job for a whole directory.

Reads the files, and of the warehouse the schedule and the player registry already loaded; writes the raw tables
the files cover and dead letters.  The same files again change nothing; a corrected file replaces the games in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from fullcourt.domain.landing import Games, Players
from fullcourt.domain.rows import Stamp
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.files import readable
from transforms.finish_run import Finish, FinishRun
from transforms.load_landing import LandingFile as LandingFile
from transforms.load_landing import LoadLanding, with_row_number
from transforms.packing import pack
from transforms.stage_rows import StageRows

SCHEDULE, ALIASES, DEAD = "nbac_schedule", "player_aliases", "dead_letters"
# What every other row is resolved against: of the files of this run, and of what is already loaded.
SIDE_INPUTS = {
    table: pa.schema([TABLES[table].arrow_schema.field(column) for column in columns])
    for table, columns in ((SCHEDULE, Games.COLUMNS), (ALIASES, Players.COLUMNS))
}


@dataclass(frozen=True)
class Config:
    """What to load: the files by raw table."""

    files: Mapping[str, tuple[LandingFile, ...]]
    stamp: Stamp
    staging: str


def build(pipeline: beam.Pipeline, config: Config, snapshot: Mapping[str, tuple[str, ...]], finish: Finish) -> None:
    """snapshot: Parquet files of the schedule and the aliases already loaded, by table name."""
    stored = {
        table: pipeline
        | f"Stored {table}" >> beam.Create(list(snapshot[table]), reshuffle=False)
        | f"Pack {table}" >> beam.FlatMap(_packed)
        for table in (SCHEDULE, ALIASES)
    }
    parts: list[beam.PCollection] = []
    dead: list[beam.PCollection] = []
    schemas = {table: with_row_number(TABLES[table].arrow_schema) for table in (*config.files, SCHEDULE, ALIASES)}
    schemas[DEAD] = TABLES[DEAD].arrow_schema

    def load(table: str, games: beam.PCollection[bytes], players: beam.PCollection[bytes]) -> beam.PCollection[bytes]:
        loaded = pipeline | f"Load {table}" >> LoadLanding(
            config.files.get(table, ()),
            games,
            players,
            SIDE_INPUTS[SCHEDULE],
            SIDE_INPUTS[ALIASES],
            TABLES[DEAD].arrow_schema,
            config.stamp,
            packs=SIDE_INPUTS.get(table),
        )
        named = loaded.rows | f"Name {table}" >> beam.WithKeys(table)
        parts.append(named | f"Stage {table}" >> StageRows(schemas, config.staging))
        parts.append(loaded.counts)
        dead.append(loaded.dead | f"Name dead {table}" >> beam.WithKeys(DEAD))
        return loaded.packed

    games = (load(SCHEDULE, *stored.values()), stored[SCHEDULE]) | "Games" >> beam.Flatten()
    players = (load(ALIASES, *stored.values()), stored[ALIASES]) | "Players" >> beam.Flatten()
    for table in config.files:
        if table not in (SCHEDULE, ALIASES):
            load(table, games, players)
    parts.append(dead | "EveryDeadLetter" >> beam.Flatten() | "StageDead" >> StageRows(schemas, config.staging))
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def launch(
    config: Config, snapshot: Mapping[str, tuple[str, ...]], finish: Finish, beam_args: Sequence[str] = ()
) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)


def _packed(path: str) -> list[bytes]:
    with readable(path) as file:
        return [pack(batch) for batch in pq.read_table(file).to_batches()]
