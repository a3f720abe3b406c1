"""The embedded warehouse as a file: missing, held by another process, torn, in a place that cannot be written."""

import os
import re
import subprocess
import sys
import time

import duckdb
import pytest

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.warehouse import Read, open_warehouse
from fullcourt.warehouse.duckdb import DuckDBWarehouse
from schemas import TABLES

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def file(empty_house):
    return empty_house.path


@pytest.fixture
def holder(file):
    """A second process that holds the file open for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.communicate("\n", timeout=30)


def test_a_missing_file_says_what_creates_it(tmp_path):
    warehouse = DuckDBWarehouse(str(tmp_path / "none.duckdb"))
    expected = f"no warehouse at {tmp_path}/none.duckdb: create it with `fullcourt init`"
    with pytest.raises(EngineError, match=re.escape(expected)):
        warehouse.query("SELECT 1 AS one")
    with pytest.raises(EngineError, match=re.escape(expected)):
        warehouse.snapshot([Read("inactive_lists", ("player_name",))], str(tmp_path))
    with pytest.raises(EngineError, match=re.escape(expected)), warehouse.transaction({}):
        pytest.fail("a transaction on a warehouse that does not exist")
    assert not (tmp_path / "none.duckdb").exists()


def test_rows_are_stored_in_small_groups(file):
    """Each is one thread's work when rows are inserted, and skipped as one when days are looked for."""
    table = TABLES["breaker_actions"].id
    with DuckDBWarehouse(str(file)).transaction({}) as session:
        session.execute(
            f"INSERT INTO {table} (action_id, action, processor_name, entity_id, analysis_date, acted_at) "
            "SELECT 'a', 'open', 'p', 'e', DATE '2024-01-15', TIMESTAMP '2024-01-15 12:00:00+00' "
            "FROM UNNEST(GENERATE_ARRAY(1, 100000))"
        )
    with duckdb.connect(str(file), read_only=True) as store:
        groups = store.execute(
            f"SELECT row_group_id, MAX(count) FROM pragma_storage_info('{table}') GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert [rows for _, rows in groups] == [30_720, 30_720, 30_720, 7_840]


def test_nobody_writes_between_the_queries_of_a_block(file):
    reader, writer = (DuckDBWarehouse(str(file), lock_wait_seconds=0.1) for _ in range(2))
    with reader.reading():
        reader.query("SELECT 1 AS one")
        with pytest.raises(EngineError, match="is held by"), writer.transaction({}):
            pytest.fail("a writer between two queries")
        reader.query("SELECT 1 AS one")
    with writer.transaction({}) as session:
        assert session.query("SELECT 1 AS one")["one"].to_pylist() == [1]


def test_a_held_file_is_waited_for_and_its_holder_named(file, holder):
    warehouse = DuckDBWarehouse(str(file), lock_wait_seconds=0.3)
    expected = f"{file} is held by process {holder.pid}; waited 0.3 s, expected it to be released"
    started = time.monotonic()
    with pytest.raises(EngineError, match=re.escape(expected)):
        warehouse.query("SELECT 1 AS one")
    assert 0.2 < time.monotonic() - started < 10
    with pytest.raises(EngineError, match=re.escape(expected)), warehouse.transaction({}):
        pytest.fail("two writers at once")


def test_a_released_file_is_read_at_once(file, holder):
    warehouse = DuckDBWarehouse(str(file), lock_wait_seconds=0.1)
    with pytest.raises(EngineError, match="held by process"):
        warehouse.columns()
    holder.communicate("\n", timeout=30)
    assert warehouse.columns()


def test_the_wait_ends_when_the_holder_lets_go(file, holder):
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert DuckDBWarehouse(str(file), lock_wait_seconds=30).query("SELECT 1 AS one")["one"].to_pylist() == [1]


def test_two_warehouses_read_the_same_file_at_once(file):
    reader = (
        "from fullcourt.warehouse import open_warehouse; import sys; print(len(open_warehouse(sys.argv[1]).columns()))"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", reader, str(file)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert len({other.communicate(timeout=60)[0] for other in others}) == 1


@pytest.mark.parametrize("content", [b"this is no database" * 500, b"PAR1" + bytes(8192)])
def test_a_file_that_is_no_database_is_named(tmp_path, content):
    path = tmp_path / "torn.duckdb"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=re.escape(f"cannot open {path} as a DuckDB file")):
        DuckDBWarehouse(str(path)).columns()
    assert path.read_bytes() == content


def test_fault_13_a_torn_database_is_named_and_left_alone(file):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    warehouse = DuckDBWarehouse(str(file))
    with pytest.raises(EngineError, match=re.escape(str(file))):  # noqa: PT012
        for table in warehouse.columns():
            warehouse.query(f"SELECT * FROM {table}")


def test_a_name_with_the_word_lock_in_it_is_not_taken_for_a_lock(tmp_path):
    path = tmp_path / "blocked" / "shotclock.duckdb"
    path.mkdir(parents=True)
    started = time.monotonic()
    with pytest.raises(EngineError, match="cannot open"):
        DuckDBWarehouse(str(path), lock_wait_seconds=5).columns()
    assert time.monotonic() - started < 3


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "house.duckdb"
    with pytest.raises(EngineError, match=re.escape(str(tmp_path / "file"))):
        DuckDBWarehouse(str(path)).apply(["CREATE SCHEMA nba_raw"])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_directory_is_named(tmp_path, file):
    locked = tmp_path / "read_only"
    locked.mkdir()
    file.rename(locked / "house.duckdb")
    locked.chmod(0o555)
    warehouse = DuckDBWarehouse(str(locked / "house.duckdb"))
    try:
        with pytest.raises(EngineError, match=re.escape(str(locked))):
            warehouse.staging("run")
        with pytest.raises(EngineError, match=re.escape(str(locked))):
            DuckDBWarehouse(str(locked / "new.duckdb")).apply(["CREATE SCHEMA nba_raw"])
    finally:
        locked.chmod(0o755)


@pytest.mark.parametrize("url", ["postgres://x", "house.sqlite", "", "bigquery"])
def test_an_unknown_url_is_refused(url):
    with pytest.raises(UsageError, match=re.escape(f"unknown warehouse {url!r}: expected duckdb:///")):
        open_warehouse(url)


def test_both_spellings_of_a_url_name_the_same_file(file):
    assert open_warehouse(str(file)).url == open_warehouse(f"duckdb://{file}").url == f"duckdb://{file}"
