"""Messages leave at least once, under one event id, and what is held does not."""

import json

import pytest

from fullcourt.orchestration.events import outbox
from tests.events import PRECOMPUTE, Books

REQUIRED = ("processor_name", "phase", "execution_id", "correlation_id", "game_date", "status", "timestamp")


def waiting(world):
    return {row["event_id"] for row in world.outbox() if row["sent_at"] is None}


def test_a_message_has_the_fields_and_no_nulls(world, days):
    event, broker = world.report(PRECOMPUTE[0], days[5]), Books()
    outbox.send(world.warehouse, broker, world.tick())
    (message,) = broker.kept
    fields = json.loads(message.data)
    assert (message.event_id, message.topic) == (event, "nba-phase4-processor-complete")
    assert set(REQUIRED) <= set(fields)
    assert None not in fields.values()
    assert (fields["processor_name"], fields["output_table"], fields["record_count"]) == (*[PRECOMPUTE[0]] * 2, 30)
    assert message.attributes == {
        "event_id": event,
        "processor_name": PRECOMPUTE[0],
        "phase": "phase_4_precompute",
        "game_date": days[5].isoformat(),
        "correlation_id": fields["correlation_id"],
    }


def test_what_was_sent_is_not_sent_again(world, days):
    broker = Books()
    for name in PRECOMPUTE:
        world.report(name, days[5])
    assert outbox.send(world.warehouse, broker, world.tick()) == outbox.Sent(5, {})
    assert outbox.send(world.warehouse, broker, world.tick()) == outbox.Sent(0, {})
    assert len(broker.kept) == 5


def test_what_the_broker_does_not_acknowledge_waits(world, days):
    first, second = (world.report(name, days[5]) for name in PRECOMPUTE[:2])
    broker = Books(fails=(first,))
    assert outbox.send(world.warehouse, broker, world.tick()) == outbox.Sent(1, {first: "Unavailable"})
    assert waiting(world) == {first}
    broker.fails = ()
    outbox.send(world.warehouse, broker, world.tick())
    assert [message.event_id for message in broker.kept] == [second, first]


def test_fault_05_killed_before_it_is_marked_a_message_leaves_again_under_its_id(world, days):
    class Dying(Books):
        def publish(self, messages):
            super().publish(messages)
            raise KeyboardInterrupt

    event, dying, broker = world.report(PRECOMPUTE[0], days[5]), Dying(), Books()
    with pytest.raises(KeyboardInterrupt):
        outbox.send(world.warehouse, dying, world.tick())
    outbox.send(world.warehouse, broker, world.tick())
    assert [message.event_id for message in (*dying.kept, *broker.kept)] == [event, event]


def test_fault_41_what_is_held_stays_until_it_is_released(world, days):
    event = world.report(PRECOMPUTE[0], days[5], held="skip_downstream_trigger")
    world.report(PRECOMPUTE[1], days[5], held="backfill")
    broker = Books()
    outbox.send(world.warehouse, broker, world.tick())
    assert broker.kept == []
    assert [(row["state"], row["held_reason"], row["messages"]) for row in outbox.waiting(world.warehouse)] == [
        ("held", "backfill", 1),
        ("held", "skip_downstream_trigger", 1),
    ]
    assert outbox.release(world.warehouse, days[0], days[4], "skip_downstream_trigger") == 0
    assert outbox.release(world.warehouse, days[5], days[5], "skip_downstream_trigger") == 1
    outbox.send(world.warehouse, broker, world.tick())
    assert [message.event_id for message in broker.kept] == [event]


def test_many_leave_in_batches(world, days, monkeypatch):
    monkeypatch.setattr(outbox, "_BATCH", 2)
    broker = Books()
    for name in PRECOMPUTE:
        world.report(name, days[5])
    assert outbox.send(world.warehouse, broker, world.tick()).count == 5
    assert [message.attributes["processor_name"] for message in broker.kept] == list(PRECOMPUTE)
