"""A month of the real season through every phase, in DuckDB and in BigQuery's emulator: every table holds the same."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fullcourt.cli.schema import apply_plan
from fullcourt.domain.processors import PROCESSORS
from fullcourt.warehouse.bigquery.address import IN_BUCKET
from schemas import TABLES
from tests.cloud.houses import CloudHouse, in_bucket, rows
from tests.houses import LEDGER, RAW, House
from tests.real.conftest import DATA

pytestmark = pytest.mark.cloud

DAYS = [dt.date(2022, 10, 18) + dt.timedelta(number) for number in range(31)]
NOW = dt.datetime(2022, 11, 18, 12, tzinfo=dt.UTC)
PRODUCED = tuple(processor.name for processor in PROCESSORS if processor.name in TABLES)
OF_THE_RUN = {"outbox_events": ("event_id", "correlation_id", "payload")}
COMPARED = tuple(dict.fromkeys((*RAW, *PRODUCED, *LEDGER)))


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """The season's landing files, cut to the month."""
    if not (DATA / "schedule.parquet").is_file():
        pytest.skip(f"the real seasons are not here: expected their Parquet files in {DATA}")
    directory = tmp_path_factory.mktemp("landing")
    for file in DATA.glob("*.parquet"):
        table = pq.read_table(file)
        for column in {"game_date", "resolved_game_date"}.intersection(table.column_names):
            table = table.filter(pc.is_in(table[column], pa.array(DAYS, pa.date32())))
        if table.num_rows:
            pq.write_table(table, directory / file.name)
    return directory


@pytest.fixture(scope="module")
def months(emulators, landed, tmp_path_factory):
    local = House.new(tmp_path_factory.mktemp("month") / "local.duckdb", NOW)
    cloud = CloudHouse(emulators.url(IN_BUCKET), NOW)
    apply_plan(cloud.url)
    local.ingest(landed)
    cloud.ingest(in_bucket(landed, cloud.url))
    for house in (local, cloud):
        for phase in ("analytics", "precompute", "predictions"):
            house.run(phase, DAYS[0], DAYS[-1])
    return local, cloud


@pytest.mark.parametrize("name", COMPARED)
def test_tables_hold_the_same(months, name):
    assert content(months[1], name) == content(months[0], name)


def content(house, name):
    """Without what an event says of the run it tells of; BigQuery writes JSON without spaces."""
    found = house.table(name, content=True).drop_columns(list(OF_THE_RUN.get(name, ()))).to_pylist()
    documents = {column.name for column in TABLES[name].columns if column.type == "JSON"}
    for row in found:
        row |= {column: row[column] and json.loads(row[column]) for column in documents.intersection(row)}
    return rows(found)


def test_every_phase_had_rows(months):
    local, _ = months
    assert {name for name in PRODUCED if not local.table(name).num_rows} == set()
