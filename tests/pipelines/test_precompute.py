"""The gate in a pipeline: the same results however the work is dealt out."""

import apache_beam as beam
import pyarrow.compute as pc
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from fullcourt.domain.days import to_number
from fullcourt.domain.processors import BY_NAME, Phase, select
from fullcourt.domain.rows import Stamp
from pipelines import gated
from pipelines.reads import of_gated
from schemas import TABLES
from transforms.judge_entities import JudgeEntities
from transforms.read_shards import ReadShards

TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
PRECOMPUTED = [processor.name for processor in select(Phase.PRECOMPUTE)]
CONTROL = ("precompute_failures", "reprocess_attempts", "publish_receipts")


class OneWayOut:
    """Asserts that each (entity, day) is in exactly one output, and that the tally counts them."""

    def __init__(self, processor):
        self._name, self._key = processor.name, processor.key_column

    def __call__(self, outputs):
        seen, counted = [], 0
        for label, out in outputs:
            if label == "tally":
                names = [name for name in out.counts.column_names if name in LABELS]
                counted += sum(sum(out.counts[name].to_pylist()) for name in names)
            else:
                assert (out.processor, out.verdict) == (self._name, label)
                seen += zip(out.rows[self._key].to_pylist(), out.rows["analysis_date"].to_pylist(), strict=True)
        assert len(seen) == len(set(seen)) == counted > 0


LABELS = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")


@pytest.mark.parametrize(("name", "parts"), [(TDZA, 1), (PSZA, 1), (PSZA, 3)])
def test_each_entity_day_leaves_through_one_way_out(season, tmp_path, name, parts):
    processor = BY_NAME[name]
    days = tuple(to_number(day) for day in season.judged)
    wanted = of_gated((processor,), [2024], days)
    tables = {"step": [read.table for read in wanted]}
    sources = gated.sources(wanted, season.house.warehouse.snapshot(wanted, str(tmp_path)), tables)
    schemas = {read.table: read.schema for read in wanted}
    stamp = Stamp("run", int(season.house.now.timestamp() * 1e6))
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        verdicts = (
            pipeline
            | ReadShards(sources, (2024,), parts)
            | JudgeEntities((processor,), days, schemas, {name: TABLES[name].arrow_schema}, stamp, parts)
        )
        labelled = [
            getattr(verdicts, label) | f"Label {label}" >> beam.Map(lambda out, label: (label, out), label)
            for label in (*LABELS, "tally")
        ]
        assert_that(labelled | beam.Flatten(), OneWayOut(processor))


def same(house, published):
    """Every precomputed table and what the control tables say of it."""
    for name in (*PRECOMPUTED, *CONTROL):
        # Run ids are part of the keys of receipts; their content is what counts here.
        columns = [c for c in TABLES[name].content_columns if c != "run_id"]
        left, right = (h.table(name) for h in (house, published))
        if name in CONTROL:
            left, right = (t.filter(pc.field("processor_name").isin(PRECOMPUTED)) for t in (left, right))
        assert left.select(columns).equals(right.select(columns)), name
        assert left.num_rows > 0, name


@pytest.mark.parametrize("parts", [2, 3])
def test_the_number_of_parts_changes_nothing(season, season_house, chain, parts):
    season_house.run("precompute", season.judged[0], season.judged[-1], settings={"parts": parts})
    same(season_house, chain.house)


def test_threads_change_nothing(season, season_house, chain):
    threads = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    season_house.run("precompute", season.judged[0], season.judged[-1], beam_args=threads, settings={"parts": 2})
    same(season_house, chain.house)


def test_threads_change_nothing_in_analytics(season, season_house):
    day = season.days[5]
    names = [processor.name for processor in select(Phase.ANALYTICS)]
    before = season_house.tables(*names)
    threads = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    report = season_house.run("analytics", day, beam_args=threads)
    assert [(p["processor"], p["unchanged_days"]) for p in report["processors"]] == [(name, 1) for name in names]
    assert season_house.tables(*names) == before
