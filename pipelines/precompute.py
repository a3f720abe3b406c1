"""Phase 4: the gate, and the features of what passes it, one job for any range of days.

Reads the schedule, each processor's upstream tables, raw box scores, inactive lists and injury reports; writes rows
and stubs, attempts, breaker actions, failures and dead letters.  A rerun replaces the days' rows.
"""

from collections.abc import Sequence

import apache_beam as beam

from fullcourt.warehouse import Snapshot
from pipelines import gated
from pipelines.gated import Config as Config
from pipelines.reads import of_gated
from pipelines.runner import make_pipeline
from transforms.finish_run import Finish, FinishRun
from transforms.read_shards import ReadShards


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of what pipelines.reads has of the phase."""
    wanted = of_gated(config.processors, config.seasons, config.days)
    sources = gated.sources(wanted, snapshot, gated.joins(config))
    dealt = pipeline | "ReadTables" >> ReadShards(sources, config.seasons, config.parts)
    _ = tuple(gated.judge_chain(config, dealt)) | "FinishRun" >> FinishRun(finish)


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)
