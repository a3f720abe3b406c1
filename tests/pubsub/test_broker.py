"""Messages through Google's emulator: sent, taken in, repeated, lost. docs/events.md has the promises."""

import json

import pytest

from fullcourt.domain.errors import EngineError
from fullcourt.domain.events import COMPLETIONS, LISTENED, TOPICS
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events import outbox
from fullcourt.orchestration.events.handle import dead_letters
from fullcourt.orchestration.events.reconcile import look, repair
from fullcourt.orchestration.events.subscriber import Subscriber
from fullcourt.pubsub.address import Address
from fullcourt.pubsub.client import PubSub
from tests import pubsub_emulator
from tests.events import PRECOMPUTE, Books

LEASE_SECONDS = 10  # the broker's least


def listen(world, address, until=lambda: True):
    """Until that is so and nothing comes any more. Returns the decisions, and the warnings."""
    decisions, warnings, patience = [], [], iter([True] * 60)
    broker = PubSub(address, lease_seconds=LEASE_SECONDS, wait_seconds=2.0)
    subscriber = Subscriber(world.warehouse, world, broker, world.tick, decisions.append, warnings.append)

    def idle():
        return subscriber.send() > 0 or (not until() and next(patience, False))

    broker.listen(subscriber.take, idle, 1.0)
    return decisions, warnings


def send(world, address):
    return outbox.send(world.warehouse, PubSub(address), world.tick())


def test_topics_and_subscriptions_are_made_once(address):
    assert PubSub(address).set_up() == []
    fresh = PubSub(Address(f"{address.project}-2"))
    assert len(fresh.set_up()) == len(TOPICS) + len(LISTENED)


def test_from_the_last_report_to_the_launch(world, days, address):
    """Completion, trigger and launch, each through the broker; duplicates and a message nobody can read among them."""
    for name in PRECOMPUTE:
        world.report(name, days[5])
    assert send(world, address) == outbox.Sent(5, {})
    with world.warehouse.transaction({}) as session:  # as if it had been killed before it marked them
        session.execute("UPDATE nba_orchestration.outbox_events SET sent_at = NULL WHERE TRUE")
    assert send(world, address).count == 5
    poison = outbox.Message("poison", COMPLETIONS[Phase.PRECOMPUTE], b"{", {"event_id": "poison"})
    assert PubSub(address).publish([poison]) == {}
    decisions, warnings = listen(world, address, lambda: world.launched)
    assert warnings == []
    assert world.launched == [("predictions", days[5])]
    assert len(decisions) == 5 + 5 + 1 + 1  # twice the reports, the poison, the trigger
    assert sum("repeat" in decision for decision in decisions) == 5
    assert [letter["topic"] for letter in dead_letters(world.warehouse)] == [COMPLETIONS[Phase.PRECOMPUTE]]
    assert len(world.triggers(Phase.PREDICTIONS)) == 1
    assert listen(world, address) == ([], [])  # all of it is acknowledged


def test_what_fails_comes_again(world, days, address):
    for name in PRECOMPUTE:
        world.report(name, days[5])
    send(world, address)
    world.refuses = EngineError("the file is held by process 7")
    _, warnings = listen(world, address, lambda: world.launched)
    assert len(warnings) == 1
    assert world.launched == [("predictions", days[5])]


def test_fault_16_a_lost_message_is_reconciled(world, days, address):
    for name in PRECOMPUTE:
        world.report(name, days[5])
    outbox.send(world.warehouse, Books(), world.tick())  # acknowledged, and never seen again
    assert listen(world, address) == ([], [])
    world.tick(hours=1)
    repair(world.warehouse, look(world.warehouse, days[0], days[-1], world.now), world.tick())
    listen(world, address, lambda: world.launched)  # sends what waits, once it is idle
    assert world.launched == [("predictions", days[5])]


def test_a_broker_that_is_away_fails_no_message_for_good(world, days, address, monkeypatch):
    event = world.report(PRECOMPUTE[0], days[5])
    with monkeypatch.context() as away:
        away.setenv(pubsub_emulator.VARIABLE, "127.0.0.1:9")
        sent = outbox.send(world.warehouse, PubSub(address, send_seconds=1.0), world.tick())
    assert (sent.count, list(sent.failed)) == (0, [event])
    assert send(world, address).count == 1


def test_subscriptions_that_are_missing_are_named(world, address):
    with pytest.raises(EngineError, match=r"Pub/Sub of .*: NotFound.*Subscription does not exist"):
        listen(world, Address(f"{address.project}-3"))


@pytest.mark.parametrize("wanted", [(), ("--until-idle", "1")], ids=["send", "listen"])
def test_the_commands_speak_to_it(cli, world, days, address, wanted):
    world.report(PRECOMPUTE[0], days[5])
    on = ("--pubsub", f"pubsub://{address.project}", "--warehouse", world.house.url, "--now", world.now.isoformat())
    if not wanted:
        code, out, _ = cli("events", "send", *on, "--format", "json")
        assert (code, json.loads(out)) == (0, [{"sent": 1, "failed": 0}])
    else:
        code, out, _ = cli("events", "listen", *on, *wanted)
        assert code == 0
        assert out.startswith(f"{PRECOMPUTE[0]} {days[5]}: waiting (predictions of {days[5]} waits for")
