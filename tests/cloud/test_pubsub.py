"""The chain of a day by messages alone, through Google's emulator, with the listener killed at each of its points."""

import json
import os
import signal
import subprocess
import sys
import uuid

import pytest

from fullcourt.cli.schema import apply_plan
from fullcourt.crash import VARIABLE as CRASH
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events.handle import Decision, dead_letters
from fullcourt.orchestration.events.outbox import send
from fullcourt.orchestration.events.readiness import upstream
from fullcourt.orchestration.events.reconcile import Found, look
from fullcourt.pubsub.address import Address
from fullcourt.pubsub.client import PubSub
from tests import pubsub_emulator
from tests.events import PRECOMPUTE, Books, World
from tests.houses import House
from tests.verified import game_days

pytestmark = pytest.mark.cloud

LEASE_SECONDS = 10  # the broker's least
COMMAND = [sys.executable, "-c", "from fullcourt.cli.main import main; main()"]
WRITTEN = (*PRECOMPUTE, "player_prop_predictions", "reprocess_attempts", "precompute_failures")


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    if lacking := pubsub_emulator.missing():
        pytest.skip(lacking)
    with pubsub_emulator.running(tmp_path_factory.mktemp("pubsub")) as host:
        yield host


@pytest.fixture
def address(broker, monkeypatch):
    monkeypatch.setenv(pubsub_emulator.VARIABLE, broker)
    found = Address(f"test-{uuid.uuid4().hex[:12]}")
    PubSub(found, lease_seconds=LEASE_SECONDS).set_up()
    return found


@pytest.fixture(scope="session")
def by_hand(season, tmp_path_factory):
    """The same day, run by commands."""
    house = season.house.copy(tmp_path_factory.mktemp("by_hand") / "house.duckdb")
    for phase in ("precompute", "predictions"):
        house.run(phase, season.judged[0])
    assert len(house.table("reprocess_attempts")) > 0
    return house


@pytest.fixture
def house(season_house, season):
    """Analytics of every day have been run; only the messages about one day's are still to be sent."""
    day = season.judged[0]
    ids = list(upstream(season_house.warehouse, Phase.PRECOMPUTE, [day])[day].events)
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_orchestration.outbox_events SET sent_at = created_at WHERE event_id NOT IN UNNEST(@ids)",
            ids=ids,
        )
    return season_house


def listen(house: House, address: Address, crash_at: str = "") -> int:
    """Until nothing comes for longer than a lease; returns the exit code."""
    options = f"--pubsub pubsub://{address.project} --until-idle {LEASE_SECONDS + 5} --lease-seconds {LEASE_SECONDS}"
    where = ["--warehouse", house.url, "--now", house.now.isoformat()]
    ended = subprocess.run(
        [*COMMAND, "events", "listen", *options.split(), *where],
        env=os.environ | {CRASH: crash_at},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode


@pytest.mark.parametrize("crash_at", ["", "sent", "in_transaction", "launched", "decided", "decided:6"])
def test_fault_05_14_a_listener_killed_anywhere_does_the_work_once(house, by_hand, season, address, crash_at):
    assert (listen(house, address, crash_at) == 0) == (crash_at == "")
    if crash_at:
        assert listen(house, address) == 0
    assert house.tables(*WRITTEN, content=True) == by_hand.tables(*WRITTEN, content=True)
    receipts = house.query(
        "SELECT processor_name, COUNT(*) AS n FROM nba_orchestration.publish_receipts "
        "WHERE analysis_date = @day AND phase <> 'phase_3_analytics' GROUP BY processor_name",
        day=season.judged[0],
    )
    assert {row["processor_name"]: row["n"] for row in receipts} == dict.fromkeys(
        [*PRECOMPUTE, "player_prop_predictions"], 1
    )
    assert {row["trigger_source"] for row in house.query(
        "SELECT trigger_source FROM nba_reference.processor_run_history WHERE phase <> 'phase_3_analytics'"
    )} == {"pubsub"}  # fmt: skip
    consumed = [row["event_id"] for row in house.table("consumed_events").to_pylist()]
    assert len(consumed) == len(set(consumed)) == 5 + 1 + 5 + 1  # reports, trigger, reports, trigger
    waits = house.query("SELECT * FROM nba_orchestration.outbox_events WHERE sent_at IS NULL")
    assert waits == []


def test_a_run_announces_itself(house, season, address):
    """With a Pub/Sub in the environment; without one, and with one that is away, it ends as it would."""
    day = season.judged[0]

    def run(phase, url, *more):
        command = [*COMMAND, "run", phase, "--date", str(day), "--warehouse", house.url, "--now", house.now.isoformat()]
        return subprocess.run(
            [*command, *more, "--format", "json"],
            env=os.environ | {"FULLCOURT_PUBSUB": url},
            capture_output=True,
            text=True,
        )

    def waiting():
        return house.query(
            "SELECT processor_name FROM nba_orchestration.outbox_events WHERE sent_at IS NULL AND NOT held "
            "AND phase = 'phase_4_precompute'"
        )

    ended = run("precompute", "")
    assert (ended.returncode, len(waiting())) == (0, len(PRECOMPUTE)), ended.stderr
    ended = run("precompute", f"pubsub://{address.project}")
    assert (ended.returncode, waiting()) == (0, []), ended.stderr
    ended = run("predictions", f"pubsub://{address.project}-is-not-there")
    assert ended.returncode == 0
    assert "1 messages were not acknowledged and wait in the outbox" in ended.stderr
    assert json.loads(ended.stdout)


def test_decisions_are_the_same_on_bigquery(emulators, loaded_file, tmp_path):
    """Completion, trigger, launch, repeat, poison, and what is looked for, on the emulated warehouse."""
    house = House(tmp_path / "none", loaded_file.now)
    house.url = emulators.url(tmp_path / "staging")
    apply_plan(house.url)
    with house.warehouse.transaction({}) as session:
        session.insert("nbac_schedule", loaded_file.table("nbac_schedule"))
    world, day = World(house, house.now), game_days(house)[5]
    events = [world.report(name, day) for name in PRECOMPUTE]
    books = Books()
    assert send(world.warehouse, books, world.tick()).count == len(PRECOMPUTE)
    assert [message.event_id for message in books.kept] == events
    world.tick(hours=1)
    found = look(world.warehouse, day, day, world.now)
    assert [(one.phase, one.found) for one in found] == [(Phase.PREDICTIONS, Found.NOT_TRIGGERED)]
    assert world.take(events[0]).decision is Decision.TRIGGERED
    assert world.take(events[1]).decision is Decision.ALREADY_TRIGGERED
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED
    assert world.take(trigger["event_id"]).repeated
    assert world.take(events[2]).decision is Decision.UP_TO_DATE
    assert world.receive(trigger["topic"], b"{").decision is Decision.DEAD_LETTER
    assert [letter["begins_with"] for letter in dead_letters(world.warehouse)] == ["{"]
    assert look(world.warehouse, day, day, world.now) == []
