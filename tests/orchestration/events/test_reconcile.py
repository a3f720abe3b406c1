"""What a lost message left is found in the tables, whichever message it was; what is nobody's loss is left alone."""

import datetime as dt

import pytest

from fullcourt.domain.errors import GateError
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events import outbox
from fullcourt.orchestration.events.handle import Decision
from fullcourt.orchestration.events.reconcile import Found, look, repair
from tests.events import PRECOMPUTE, Books


def findings(world, days):
    """Of one day on, as (phase, day, what is found)."""
    found = look(world.warehouse, days[0], days[-1], world.now)
    return [(finding.phase, finding.day, finding.found) for finding in found]


def send(world):
    broker = Books()
    outbox.send(world.warehouse, broker, world.tick())
    return broker.kept


def reported(world, days, **how):
    """Precompute of a day has reported; its messages are sent, and lost. Returns their event ids."""
    events = [world.report(name, days[5], **how) for name in PRECOMPUTE]
    send(world)
    return events


def triggered(world, days):
    """The last of the messages has arrived. Returns the trigger's event id."""
    for event in reported(world, days):
        handled = world.take(event)
    assert handled.decision is Decision.ALREADY_TRIGGERED
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    return trigger["event_id"]


def test_fault_16_lost_completions_are_made_good_once(world, days):
    reported(world, days)
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.UNDER_WAY)]
    world.tick(hours=1)
    found = look(world.warehouse, days[0], days[-1], world.now)
    assert [(one.day, one.found) for one in found] == [(days[5], Found.NOT_TRIGGERED)]
    assert repair(world.warehouse, found, world.tick()) == 1
    assert repair(world.warehouse, found, world.tick()) == 1  # looked at twice, written once
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.TRIGGER_WAITS)]
    assert [message.event_id for message in send(world)] == [trigger["event_id"]]
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED
    assert findings(world, days) == []


def test_fault_16_completions_that_were_not_lost_after_all_change_nothing(world, days):
    events = reported(world, days)
    world.tick(hours=1)
    repair(world.warehouse, look(world.warehouse, days[0], days[-1], world.now), world.tick())
    assert {world.take(event).decision for event in events} == {Decision.ALREADY_TRIGGERED}
    assert len(world.triggers(Phase.PREDICTIONS)) == 1


def test_fault_16_a_lost_trigger_is_sent_again_under_its_id(world, days):
    trigger = triggered(world, days)
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.TRIGGER_WAITS)]
    assert [message.event_id for message in send(world)] == [trigger]
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.UNDER_WAY)]
    world.tick(hours=1)
    found = look(world.warehouse, days[0], days[-1], world.now)
    assert [one.found for one in found] == [Found.TRIGGER_LOST]
    repair(world.warehouse, found, world.tick())
    assert [message.event_id for message in send(world)] == [trigger]


def test_a_run_that_came_to_nothing_is_launched_again(world, days, monkeypatch):
    """Such as a job that its service lost: launched, and four hours later nothing is published."""
    trigger = triggered(world, days)
    send(world)
    monkeypatch.setattr(type(world), "run", lambda *_: "job-1")
    assert world.take(trigger).run_id == "job-1"
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.UNDER_WAY)]
    world.tick(hours=4)
    assert findings(world, days) == [(Phase.PREDICTIONS, days[5], Found.RUN_LOST)]
    repair(world.warehouse, look(world.warehouse, days[0], days[-1], world.now), world.tick())
    (message,) = send(world)
    assert message.event_id != trigger
    monkeypatch.undo()
    assert world.take(message.event_id).decision is Decision.LAUNCHED
    assert findings(world, days) == []


def test_what_was_refused_is_told_and_not_tried_again(world, days):
    trigger = triggered(world, days)
    send(world)
    world.refuses = GateError("days further back need --historical")
    world.take(trigger)
    world.tick(days=1)
    (finding,) = look(world.warehouse, days[0], days[-1], world.now)
    assert (finding.found, finding.reason, finding.due) == (Found.REFUSED, "days further back need --historical", False)
    assert repair(world.warehouse, [finding], world.tick()) == 0


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param({"held": "skip_downstream_trigger"}, Found.HELD, id="kept in on purpose"),
        pytest.param({"status": "NO_DATA"}, Found.WAITING, id="nothing was found"),
    ],
)
def test_what_is_no_loss_starts_nothing(world, days, how, expected):
    for name in PRECOMPUTE[:-1]:
        world.report(name, days[5], held=how.get("held"))
    world.report(PRECOMPUTE[-1], days[5], **how)
    world.tick(hours=2)
    (finding,) = look(world.warehouse, days[0], days[-1], world.now)
    assert (finding.found, finding.due) == (expected, False)
    assert world.triggers(Phase.PREDICTIONS) == []


def test_days_that_nobody_announced_are_left_out(world, days):
    """A season that is loaded, and of which nothing was run, is not a season of lost messages."""
    world.tick(days=1)
    assert findings(world, days) == []


def test_what_ran_without_messages_is_up_to_date(chain):
    """Real runs one after the other, whose messages nobody sent."""
    now = chain.house.now + dt.timedelta(1)
    assert look(chain.house.warehouse, chain.days[0], chain.days[-1], now) == []
