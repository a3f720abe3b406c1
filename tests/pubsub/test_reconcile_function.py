"""The clock's look at what may start: as the command does it, and again if the broker was away."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from fullcourt.cli.cleanup_function import TRIGGER, WAREHOUSE
from fullcourt.cli.reconcile_function import handler
from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.domain.events import TRIGGERS
from fullcourt.domain.processors import Phase
from tests.events import PRECOMPUTE, Books

ROOT = Path(__file__).parents[2] / "templates"
SCHEDULED = SimpleNamespace(
    data={"message": {"data": base64.b64encode(json.dumps(TRIGGER).encode()).decode(), "messageId": "1"}}
)


@pytest.fixture
def environment(world):
    return {WAREHOUSE: world.house.url, "FULLCOURT_PUBSUB": "pubsub://test-project"}


@pytest.fixture
def due(world, days):
    """Everything that predictions of a day need is there, and its messages never reached anybody."""
    for name in PRECOMPUTE:
        world.report(name, days[-1])
    return world


def test_a_look_triggers_what_the_tables_allow_once(due, environment):
    books, instant = Books(), due.tick(hours=2)
    reconcile = handler(environment, books, lambda: instant)
    reconcile(SCHEDULED)
    topics = [message.topic for message in books.kept]
    assert topics.count(TRIGGERS[Phase.PREDICTIONS]) == 1
    reconcile(SCHEDULED)
    assert [message.topic for message in books.kept] == topics


def test_before_a_season_is_loaded_there_is_nothing_to_look_at(due, environment, caplog):
    books, instant = Books(), due.tick(hours=24 * 400)
    waiting = {row["event_id"] for row in due.outbox()}
    handler(environment, books, lambda: instant)(SCHEDULED)
    assert {message.event_id for message in books.kept} == waiting
    assert "nothing is looked at: no schedule is loaded" in caplog.text


def test_it_comes_again_while_the_broker_is_away(due, environment):
    event = next(row["event_id"] for row in due.outbox())
    with pytest.raises(EngineError, match="1 messages were not acknowledged, such as: Unavailable"):
        handler(environment, Books(fails=(event,)), lambda: due.tick(hours=2))(SCHEDULED)


def test_what_is_no_trigger_is_taken(due, environment):
    books = Books()
    handler(environment, books, due.tick)(SimpleNamespace(data={}))
    assert books.kept == []


@pytest.mark.parametrize("lacks", [WAREHOUSE, "FULLCOURT_PUBSUB"])
def test_nothing_is_served_without_its_settings(environment, lacks):
    with pytest.raises(UsageError, match=f"the environment lacks {lacks}"):
        handler({name: value for name, value in environment.items() if name != lacks})


def test_the_file_that_is_deployed_serves_it(world, environment, monkeypatch):
    framework = pytest.importorskip("functions_framework", reason="functions-framework is not installed")
    monkeypatch.setattr("fullcourt.cli.logs.configure", lambda **_: None)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = framework.create_app("reconcile", str(ROOT / "reconcile" / "main.py"), "cloudevent").test_client()
    message = {"data": base64.b64encode(b"no trigger").decode(), "messageId": "1"}
    assert client.post("/", json={"message": message, "subscription": "s"}).status_code == 200
    assert client.post("/", json={}).status_code == 400
