"""Phase 3: raw tables to game summaries, and from these the contexts of fixtures, one job for any range of days.

Reads the raw tables and the summaries of other days; writes the summaries of the days' games, and for their fixtures
contexts and stubs, attempts, breaker actions, failures and dead letters.  A rerun replaces the days' rows.
"""

from collections.abc import Sequence

import apache_beam as beam

from fullcourt.domain import summaries
from fullcourt.domain.features import columns_wanted
from fullcourt.warehouse import Snapshot
from pipelines import gated
from pipelines.gated import Config as Config
from pipelines.reads import of_analytics, split
from pipelines.runner import make_pipeline
from schemas import TABLES
from transforms.finish_run import Finish, FinishRun
from transforms.read_shards import ReadShards
from transforms.stage_rows import StageRows
from transforms.summarise_games import SummariseGames

SUMMARISE = "SummariseGames"  # the step


def build(pipeline: beam.Pipeline, config: Config, snapshot: Snapshot, finish: Finish) -> None:
    """snapshot: of what pipelines.reads has of the phase."""
    of_games, contexts = split(config.processors)
    chain = gated.Config(contexts, config.days, config.seasons, config.stamp, config.staging)
    joins = gated.joins(chain) | ({SUMMARISE: frozenset(summaries.RAW)} if of_games else {})
    # Summaries of the days asked for are made here; those of other days are read.
    made_here = {processor.name: config.days for processor in of_games}
    sources = gated.sources(of_analytics(config.processors, config.seasons, config.days), snapshot, joins, made_here)
    dealt = pipeline | "ReadTables" >> ReadShards(sources, config.seasons)
    parts: list[beam.PCollection] = []
    made: list[beam.PCollection] = []
    if of_games:
        outputs = {processor.name: TABLES[processor.name].arrow_schema for processor in of_games}
        wanted = columns_wanted(contexts)
        summarised = {
            "required": dealt[gated.required(SUMMARISE)],
            "present": dealt[gated.present(SUMMARISE)],
        } | SUMMARISE >> SummariseGames(
            config.days,
            {table: TABLES[table].arrow_subset(columns) for table, columns in summaries.RAW.items()},
            outputs,
            config.stamp,
            {name: wanted[name] for name in outputs if name in wanted},
            gated.DICTIONARIES,
        )
        # Staged where they are made: a Flatten would materialise them.
        parts += [summarised.rows | "StageSummaries" >> StageRows(outputs, config.staging), summarised.tally]
        made.append(summarised.flow)
    if contexts:
        parts += gated.judge_chain(chain, dealt, made)
    _ = tuple(parts) | "FinishRun" >> FinishRun(finish)


def launch(config: Config, snapshot: Snapshot, finish: Finish, beam_args: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end."""
    with make_pipeline(beam_args) as pipeline:
        build(pipeline, config, snapshot, finish)
