"""Phase 5: who is predicted, and every system's prediction, one job for any range of days.

Reads the days' contexts, features and caches, and the season's game summaries and defence analyses; writes
predictions, of which the newest of a system, player and day is the active one, and a record of everybody held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import apache_beam as beam
import pyarrow as pa

from fullcourt.domain.days import to_date
from fullcourt.domain.predictions.assembly import OF_THE_DAY
from fullcourt.domain.predictions.assembly import TABLES as READ
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.domain.processors import BY_NAME, Processor
from fullcourt.warehouse import Read, Snapshot
from pipelines import gated
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.finish_run import Finish, FinishRun, Tallied
from transforms.predict_points import PredictPoints
from transforms.read_shards import ReadShards, Source
from transforms.stage_rows import StageRows

PREDICTIONS, FAILURES, SUMMARY = "player_prop_predictions", "precompute_failures", "coordinator"


@dataclass(frozen=True)
class Config(gated.Config):
    """What to predict, by which rules and systems; model_file: the trained model, None for its stand-in."""

    rules: Rules = field(default_factory=Rules)
    systems: tuple[str, ...] = SYSTEMS
    model_file: str | None = None


def reads(processors: tuple[Processor, ...], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """The snapshot the pipeline needs."""
    dates = [to_date(day) for day in days]
    return [
        Read(
            table,
            columns,
            {BY_NAME[table].day_column: dates} if table in OF_THE_DAY else {"season_year": list(seasons)},
        )
        for table, columns in READ.items()
    ]


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of reads()."""
    sources = {
        table: Source(snapshot[table], entity_column="player_lookup" if "player_lookup" in columns else None)
        for table, columns in READ.items()
    }
    output, failures = (TABLES[table].arrow_schema for table in (PREDICTIONS, FAILURES))
    made = (
        pipeline
        | "ReadTables" >> ReadShards(sources, config.seasons, config.parts)
        | "PredictPoints"
        >> PredictPoints(
            days=config.days,
            schemas={table: TABLES[table].arrow_subset(columns) for table, columns in READ.items()},
            output=output,
            failures=failures,
            stamp=config.stamp,
            rules=config.rules,
            systems=config.systems,
            model_file=config.model_file,
        )
    )
    schemas = {PREDICTIONS: output, FAILURES: failures}
    parts = [
        rows | f"Name {name}" >> beam.WithKeys(name) | f"Stage {name}" >> StageRows(schemas, config.staging)
        for name, rows in ((PREDICTIONS, made.predicted), (FAILURES, made.held))
    ]
    parts += [
        counts | f"Tally {name}" >> beam.Map(_tally, name)
        for name, counts in ((PREDICTIONS, made.tally), (SUMMARY, made.summary))
    ]
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)


def _tally(counts: pa.Table, name: str) -> Tallied:
    return Tallied(name, counts)
