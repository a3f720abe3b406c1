"""Phase 5: who is predicted, and every system's prediction, one job for any range of days.

Reads the days' contexts, features and caches, and the season's game summaries and defence analyses; writes
predictions, of which the newest of a system, player and day is the active one, and a record of everybody held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import apache_beam as beam

from fullcourt.domain.predictions.assembly import CONTEXT
from fullcourt.domain.predictions.assembly import TABLES as READ
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.warehouse import Snapshot
from pipelines import gated
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.finish_run import Finish, FinishRun
from transforms.predict_points import FAILURES, PREDICTIONS, PredictPoints
from transforms.read_shards import ReadShards, Source
from transforms.stage_rows import StageRows


@dataclass(frozen=True)
class Config(gated.Config):
    """What to predict, by which rules and systems; model_file: the trained model, None for its stand-in."""

    rules: Rules = field(default_factory=Rules)
    systems: tuple[str, ...] = SYSTEMS
    model_file: str | None = None


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of what pipelines.reads has of the phase."""
    sources = {
        table: Source(
            snapshot[table],
            to=("required",) if table == CONTEXT else ("present",),
            entity_column="player_lookup" if "player_lookup" in columns else None,
        )
        for table, columns in READ.items()
    }
    schemas = {table: TABLES[table].arrow_schema for table in (PREDICTIONS, FAILURES)}
    made = (
        pipeline
        | "ReadTables" >> ReadShards(sources, config.seasons, config.parts)
        | "PredictPoints"
        >> PredictPoints(
            days=config.days,
            schemas={table: TABLES[table].arrow_subset(columns) for table, columns in READ.items()},
            output=schemas[PREDICTIONS],
            failures=schemas[FAILURES],
            stamp=config.stamp,
            rules=config.rules,
            systems=config.systems,
            model_file=config.model_file,
        )
    )
    parts = [
        rows | f"Stage {name}" >> StageRows(schemas, config.staging)
        for name, rows in (("predictions", made.predicted), ("held", made.held))
    ]
    parts.append(made.tally)
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)
