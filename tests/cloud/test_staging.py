"""Files on their way into BigQuery: landing files found; staged ones loaded once, counted, and gone in the end."""

import dataclasses

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.orchestration.landing_files import find
from fullcourt.warehouse import open_warehouse
from fullcourt.warehouse.bigquery.address import IN_BUCKET
from fullcourt.warehouse.bigquery.staging import DATASET
from fullcourt.warehouse.ddl import create_schema, create_table
from fullcourt.warehouse.files import opened
from schemas import TABLES
from tests.cloud.houses import in_bucket

pytestmark = pytest.mark.cloud
RUN = "20241103T120000-abcdef12"


@pytest.fixture(scope="module", params=["local", IN_BUCKET])
def warehouse(emulators, tmp_path_factory, request):
    """Staging on this machine, or in the bucket."""
    staging = IN_BUCKET if request.param == IN_BUCKET else tmp_path_factory.mktemp("staging")
    warehouse = open_warehouse(emulators.url(staging))
    tables = [TABLES["cleanup_operations"], TABLES["inactive_lists"]]
    warehouse.apply([*(create_schema(table.dataset) for table in tables), *map(create_table, tables)])
    return warehouse


@pytest.fixture
def staged(warehouse):
    """A file of two rows in the run's staging directory; the run is swept afterwards."""
    path = f"{warehouse.staging(RUN)}/rows.parquet"
    names = ["nba_game_id", "team_abbr", "player_name", "name_status"]
    rows = pa.table([["1", "2"], ["A", "B"], ["a", "b"], ["x", "y"]], TABLES["inactive_lists"].arrow_subset(names))
    with opened(path, "wb") as file:
        pq.write_table(rows, file)
    yield {"inactive_lists": [path]}
    warehouse.sweep(RUN)


def staging_tables(warehouse):
    listed = warehouse._jobs.client.list_tables(DATASET)
    return {table.table_id: table.labels["run"] for table in listed}


def count(warehouse, staged):
    with warehouse.transaction(staged) as session:
        return session.query(f"SELECT COUNT(*) AS n FROM {session.staged('inactive_lists')}")["n"].to_pylist()[0]


def test_fault_38_the_same_files_again_find_the_load_that_was_done(warehouse, staged):
    assert [count(warehouse, staged), count(warehouse, staged)] == [2, 2]
    assert list(staging_tables(warehouse).values()) == [RUN.lower()]


def test_a_staging_table_that_is_gone_is_loaded_again(warehouse, staged):
    assert count(warehouse, staged) == 2
    (name,) = staging_tables(warehouse)
    warehouse._jobs.client.delete_table(f"{DATASET}.{name}")
    assert count(warehouse, staged) == 2
    assert name not in staging_tables(warehouse)


def test_fault_39_rows_that_were_not_all_loaded_are_not_published(warehouse, staged):
    assert count(warehouse, staged) == 2
    (name,) = staging_tables(warehouse)
    warehouse._jobs.run(f"DELETE FROM {DATASET}.{name} WHERE team_abbr = 'A'")
    with pytest.raises(EngineError, match="holds 1 rows after its load, expected the 2 of 1 staged files"):
        count(warehouse, staged)


def test_a_sweep_removes_what_the_run_staged_and_nothing_else(warehouse, staged):
    count(warehouse, staged)
    other = f"{warehouse.staging('other-run')}/rows.parquet"
    with opened(staged["inactive_lists"][0], "rb") as source, opened(other, "wb") as target:
        target.write(source.read())
    count(warehouse, {"inactive_lists": [other]})
    assert [staging.run_id for staging in warehouse.stagings()] == [RUN, "other-run"]
    warehouse.discard(RUN)
    assert [staging.run_id for staging in warehouse.stagings()] == ["other-run"]
    assert set(staging_tables(warehouse).values()) == {"other-run"}
    warehouse.sweep("other-run")
    assert warehouse.stagings() == []
    assert staging_tables(warehouse) == {}


def test_json_is_json_again_when_it_is_published(warehouse, tmp_path):
    table = TABLES["cleanup_operations"]
    names = [name for name in table.by_name if table.by_name[name].required or table.by_name[name].type == "JSON"]
    schema = table.arrow_subset(names)
    (column,) = [name for name in names if table.by_name[name].type == "JSON"]
    row = {field.name: {"string": "x"}.get(str(field.type)) for field in schema} | {column: '{"a":1}'}
    row |= {f.name: 0 for f in schema if row[f.name] is None and pa.types.is_timestamp(f.type)}
    pq.write_table(pa.Table.from_pylist([row], schema), tmp_path / "one.parquet")
    with warehouse.transaction({table.name: [str(tmp_path / "one.parquet")]}) as session:
        columns = ", ".join(names)
        session.execute(f"INSERT INTO {table.id} ({columns}) SELECT {columns} FROM {session.staged(table.name)}")
    assert warehouse.query(f"SELECT JSON_VALUE({column}, '$.a') AS a FROM {table.id}")["a"].to_pylist() == ["1"]


def test_landing_files_are_found_and_described_in_a_bucket_as_on_this_machine(emulators, landing_files):
    copied = in_bucket(landing_files, emulators.url(IN_BUCKET))
    described = [
        [dataclasses.replace(found, path=found.name) for found in find(place)] for place in (str(landing_files), copied)
    ]
    assert described[0] == described[1]
    assert described[0]
    with pytest.raises(UsageError, match="no directory gs://"):
        find(f"{copied}/nowhere")
