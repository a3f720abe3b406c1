"""Transactions on BigQuery wait for each other, and for no one who is gone."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse import open_warehouse
from fullcourt.warehouse.bigquery import turn
from fullcourt.warehouse.bigquery.address import IN_BUCKET
from fullcourt.warehouse.bigquery.staging import DATASET
from fullcourt.warehouse.ddl import create_schema, create_table
from schemas import TABLES

pytestmark = pytest.mark.cloud
TABLE = TABLES["cleanup_operations"]
COUNT = f"SELECT COUNT(*) AS n FROM {TABLE.id}"
INSERT = f"INSERT INTO {TABLE.id} (cleanup_id, cleanup_type, cleanup_time) VALUES (@name, @name, CURRENT_TIMESTAMP())"


@pytest.fixture
def url(emulators):
    url = emulators.url(IN_BUCKET)
    warehouse = open_warehouse(url)
    warehouse.apply([create_schema(TABLE.dataset), create_table(TABLE)])
    with warehouse.transaction({}):  # makes the staging dataset, which the emulator cannot for three at once
        pass
    return url


def test_who_comes_meanwhile_waits_and_writes_on_what_was_written(url):
    counted = []

    def write_too():
        with open_warehouse(url).transaction({}) as session:
            counted.append(session.query(COUNT)["n"][0].as_py())
            session.execute(INSERT, name="second")

    with ThreadPoolExecutor() as pool, open_warehouse(url).transaction({}) as session:
        counted.append(session.query(COUNT)["n"][0].as_py())
        other = pool.submit(write_too)
        time.sleep(2)
        assert not other.done()
        session.execute(INSERT, name="first")
    other.result()
    assert counted == [0, 1]
    assert sorted(rows(url)) == ["first", "second"]


def test_who_does_not_end_is_named(url, monkeypatch):
    monkeypatch.setattr(turn, "WAIT_SECONDS", 0.5)
    with (
        open_warehouse(url).transaction({}),
        pytest.raises(EngineError, match=r".+:\d+ is writing to .+; waited 0.5 s"),
        open_warehouse(url).transaction({}),
    ):
        pytest.fail("two wrote at once")


def test_fault_09_what_a_killed_process_held_is_taken_over_and_rolled_back(url, monkeypatch):
    killed = open_warehouse(url)
    held = killed.transaction({})
    session = held.__enter__()
    session.execute(INSERT, name="half of it")
    description = killed._jobs.client.get_table(f"{DATASET}.{turn.TABLE}").description
    assert json.loads(description)["session"] == session._session
    monkeypatch.setattr(turn, "LEASE_SECONDS", 0.5)
    time.sleep(0.6)
    with open_warehouse(url).transaction({}) as other:
        assert other.query(COUNT)["n"].to_pylist() == [0]
        other.execute(INSERT, name="all of it")
    with pytest.raises(EngineError, match="lost its turn") as lost:
        session.execute(INSERT, name="too late")
    assert not held.__exit__(EngineError, lost.value, None)
    assert rows(url) == ["all of it"]


def rows(url):
    return open_warehouse(url).query(f"SELECT cleanup_id FROM {TABLE.id}")["cleanup_id"].to_pylist()
