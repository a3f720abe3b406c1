"""The gate in a pipeline: the same results however the work is dealt out."""

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from fullcourt.domain.days import to_number
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.rows import Stamp
from pipelines.precompute import inputs_of, reads, snapshot_name
from schemas import TABLES
from transforms.judge_entities import JudgeEntities
from transforms.read_shards import ReadShards

TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
RUN_TABLES = (TDZA, PSZA, "precompute_failures", "reprocess_attempts", "publish_receipts")


class OneWayOut:
    """Asserts that each (entity, day) is in exactly one output, and that the tally counts them."""

    def __init__(self, key):
        self._key = key

    def __call__(self, outputs):
        seen, counted = [], 0
        for label, table in outputs:
            if label == "tally":
                names = [name for name in table.column_names if name in LABELS]
                counted += sum(sum(table[name].to_pylist()) for name in names)
            else:
                seen += zip(table[self._key].to_pylist(), table["analysis_date"].to_pylist(), strict=True)
        assert len(seen) == len(set(seen)) == counted > 0


LABELS = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")


@pytest.mark.parametrize(("name", "parts"), [(TDZA, 1), (PSZA, 1), (PSZA, 3)])
def test_each_entity_day_leaves_through_one_way_out(season, tmp_path, name, parts):
    processor = BY_NAME[name]
    snapshot = season.house.warehouse.snapshot(reads((processor,), [2024]), tmp_path)
    inputs = inputs_of(processor, recording=True)
    days = tuple(to_number(day) for day in season.judged)
    stamp = Stamp("run", int(season.house.now.timestamp() * 1e6))
    sources = {tag: i.source(snapshot[snapshot_name(processor, tag)]) for tag, i in inputs.items()}
    schemas = {tag: i.schema for tag, i in inputs.items()}
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        verdicts = (
            pipeline
            | ReadShards(sources, (2024,), parts)
            | JudgeEntities(processor, days, schemas, TABLES[name].arrow_schema, stamp, parts)
        )
        labelled = [
            out | f"Label {label}" >> beam.Map(lambda table, label: (label, table), label)
            for label, out in verdicts._asdict().items()
        ]
        assert_that(labelled | beam.Flatten(), OneWayOut(processor.key_column))


@pytest.fixture(scope="session")
def published(season, tmp_path_factory):
    """The judged days, published by one shard in one thread."""
    house = season.house.copy(tmp_path_factory.mktemp("published") / "house.duckdb")
    house.run("precompute", season.judged[0], season.judged[-1])
    return house


def same(house, published):
    for name in RUN_TABLES:
        # Run ids are part of the keys of receipts; their content is what counts here.
        columns = [c for c in TABLES[name].content_columns if c != "run_id"]
        left, right = (pa.table({c: t[c] for c in columns}) for t in (house.table(name), published.table(name)))
        assert left.equals(right), name


@pytest.mark.parametrize("parts", [2, 3])
def test_the_number_of_parts_changes_nothing(season, season_house, published, parts):
    season_house.run("precompute", season.judged[0], season.judged[-1], settings={"parts": parts})
    same(season_house, published)


def test_threads_change_nothing(season, season_house, published):
    threads = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    season_house.run("precompute", season.judged[0], season.judged[-1], beam_args=threads, settings={"parts": 2})
    same(season_house, published)


def test_threads_change_nothing_in_analytics(season, season_house):
    day = season.days[5]
    names = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
    before = season_house.tables(*names)
    threads = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    report = season_house.run("analytics", day, beam_args=threads)
    assert [p["unchanged_days"] for p in report["processors"]] == [1, 1, 1]
    assert season_house.tables(*names) == before
