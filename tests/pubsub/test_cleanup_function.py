"""The scheduled clean-up: the file that is deployed, served by functions-framework, fed by Google's emulator."""

import base64
import datetime as dt
import json
import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from fullcourt.cli.cleanup_function import TOPIC, TRIGGER, WAREHOUSE, handler
from fullcourt.domain.errors import EngineError, GateError, UsageError
from fullcourt.orchestration import cleanup
from schemas import TABLES

FILE = Path(__file__).parents[2] / "templates" / "cleanup" / "main.py"
NOW = dt.datetime(2024, 11, 20, 9, tzinfo=dt.UTC)  # 04:00 in New York
SCHEDULED = json.dumps(TRIGGER).encode()


@pytest.fixture
def house(empty_house):
    """A team's context of today, and one of twenty days ago."""
    put(empty_house, 0)
    put(empty_house, 20)
    return empty_house


def put(house, days_ago):
    day = NOW.date() - dt.timedelta(days_ago)
    game = {"game_id": f"{day:%Y%m%d}_AAA_BBB", "nba_game_id": f"00224{day:%m%d}0", "game_date": day}
    row = {**game, "season_year": 2024, "team_abbr": "AAA"}
    with house.warehouse.transaction({}) as session:
        table = TABLES["upcoming_team_game_context"]
        session.insert(table.name, pa.Table.from_pylist([row], table.arrow_subset(row)))


def standing(house):
    rows = house.query("SELECT game_date AS day FROM nba_analytics.upcoming_team_game_context ORDER BY day")
    return [(NOW.date() - row["day"]).days for row in rows]


def audits(house):
    return house.query("SELECT cleanup_id, errors FROM nba_orchestration.cleanup_operations")


def message(data=SCHEDULED, number="1"):
    """As functions-framework hands it over."""
    return SimpleNamespace(data={"message": {"data": base64.b64encode(data).decode(), "messageId": number}})


@pytest.fixture
def clean(house):
    return handler({WAREHOUSE: house.url}, lambda: NOW)


def test_it_does_what_the_command_does(house, clean, tmp_path):
    other = house.copy(tmp_path / "other.duckdb")
    clean(message())
    report = cleanup.clean(other.warehouse, NOW)
    assert report["total_records_deleted"] == 1
    for table in ("upcoming_team_game_context", "upcoming_team_game_context_history"):
        assert house.table(table, content=True) == other.table(table, content=True)
    assert [row["rows"] for row in cleanup.backups(house.warehouse)] == [1]


def test_a_message_that_comes_again_finds_what_was_done(house, clean):
    clean(message())
    put(house, 30)
    clean(message())
    assert (standing(house), len(audits(house))) == ([30, 0], 1)
    clean(message(number="2"))  # the next day's
    assert (standing(house), len(audits(house))) == ([0], 2)


def test_a_message_before_another_is_not_taken_for_it(house, clean):
    clean(message(number="12"))
    put(house, 30)
    clean(message(number="1"))
    assert standing(house) == [0]


@pytest.mark.parametrize(
    ("error", "comes_again"), [(EngineError("locked"), True), (GateError("a checksum differs"), False)], ids=str
)
def test_what_cannot_be_done_comes_again_if_that_may_help(house, clean, monkeypatch, caplog, error, comes_again):
    real = cleanup._clean_table

    def fails(warehouse, table, *rest):
        if table.name == "upcoming_player_game_context":
            raise error
        return real(warehouse, table, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(cleanup, "_clean_table", fails)
        if comes_again:
            with pytest.raises(EngineError, match="has to be tried again: upcoming_player_game_context: locked"):
                clean(message())
        else:
            clean(message())
            assert "a checksum differs" in caplog.text
    assert standing(house) == [0]  # the other table is clean all the same
    clean(message())
    assert [len(row["errors"] or []) for row in audits(house)].count(0) == 1


def test_a_warehouse_that_is_not_there_comes_again(tmp_path):
    with pytest.raises(EngineError, match="no warehouse"):
        handler({WAREHOUSE: str(tmp_path / "none.duckdb")}, lambda: NOW)(message())


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'"scheduled"', b'{"trigger": "else"}', b"\xff", b"[" * 100_000],
    ids=["nothing", "no JSON", "a list", "a text", "another trigger", "no text", "a deep one"],
)
def test_what_is_no_trigger_is_told_and_taken(house, clean, caplog, data):
    with caplog.at_level(logging.WARNING):
        clean(message(data))
    assert "is no trigger, expected" in caplog.text
    assert (standing(house), audits(house)) == ([20, 0], [])


@pytest.mark.parametrize("data", [None, {}, {"message": None}, {"message": {"data": "ü", "messageId": "1"}}], ids=str)
def test_so_is_what_is_no_message(house, clean, data):
    clean(SimpleNamespace(data=data))
    assert audits(house) == []


def test_nothing_is_served_without_a_warehouse():
    with pytest.raises(UsageError, match="the environment lacks FULLCOURT_WAREHOUSE"):
        handler({})


@pytest.fixture
def served(house, monkeypatch):
    """The deployed file's address, on a free port of the loopback interface, and the statuses it has answered."""
    framework = pytest.importorskip("functions_framework", reason="functions-framework is not installed")
    from werkzeug.serving import make_server

    monkeypatch.setenv(WAREHOUSE, house.url)
    monkeypatch.setattr("fullcourt.cli.logs.configure", lambda **_: None)  # the tests' own stands
    app = framework.create_app("clean", str(FILE), "cloudevent")
    statuses = []

    @app.after_request
    def keep(response):
        statuses.append(response.status_code)
        return response

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", statuses
    server.shutdown()


@pytest.fixture
def publish(address, served):
    """Sends data to the topic, whose subscription pushes to the function."""
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    endpoint, _ = served
    name = f"projects/{address.project}/topics/{TOPIC}"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(name=name)
        subscriber.create_subscription(
            request={
                "name": f"projects/{address.project}/subscriptions/{TOPIC}-fullcourt",
                "topic": name,
                "push_config": {"push_endpoint": endpoint},
                "ack_deadline_seconds": 10,
            }
        )
        yield lambda data: publisher.publish(name, data).result(timeout=30)


def until(reached, seconds=60):
    ends = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < ends, "not in time"
        time.sleep(0.05)


def test_from_the_topic_to_the_table(house, publish, served):
    """By the clock of the machine, to which both contexts have long expired."""
    _, statuses = served
    publish(b"not a trigger")
    until(lambda: statuses)
    assert (statuses, len(standing(house))) == ([200], 2)
    publish(SCHEDULED)
    until(lambda: len(statuses) == 2)
    assert (statuses[1], standing(house), len(audits(house))) == (200, [], 1)


def test_the_broker_brings_what_failed_again(house, publish, served, tmp_path):
    _, statuses = served
    away = house.path.rename(tmp_path / "away.duckdb")
    publish(SCHEDULED)
    until(lambda: statuses)
    away.rename(house.path)
    until(lambda: statuses[-1] == 200)
    assert statuses[0] == 500
    assert (standing(house), len(audits(house))) == ([], 1)
