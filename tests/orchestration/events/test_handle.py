"""One message in, one decision out: by the tables, in whatever order, however often, however late."""

import datetime as dt
import json
import re
from itertools import permutations

import pytest

from fullcourt.domain.errors import EngineError, GateError
from fullcourt.domain.events import COMPLETIONS, MAX_BYTES, TRIGGERS, Completion
from fullcourt.domain.processors import BY_NAME, Phase
from fullcourt.orchestration.events.handle import Decision, dead_letters
from fullcourt.orchestration.events.readiness import computed_on, follows, range_of, upstream
from tests.events import ANALYTICS, PRECOMPUTE, completion, topic_of

SUMMARY, CONTEXT = "player_game_summary", "upcoming_player_game_context"


# ---- what follows what


def test_what_follows_a_completion(loaded_file, days):
    """Summaries, and box scores, of a day are for the next game day; everything else is for its own."""
    first, second, last = days[0], days[1], days[-1]
    table = {
        ("nbac_gamebook_player_stats", first): (Phase.ANALYTICS, second),
        ("nbac_gamebook_player_stats", last): (Phase.ANALYTICS, last),
        (SUMMARY, first): (Phase.PRECOMPUTE, second),
        (SUMMARY, last): None,
        (CONTEXT, first): (Phase.PRECOMPUTE, first),
        ("ml_feature_store_v2", last): (Phase.PREDICTIONS, last),
        ("player_prop_predictions", last): None,
    }
    for (name, day), expected in table.items():
        phase = BY_NAME[name].phase if name in BY_NAME else Phase.INGEST
        assert follows(loaded_file.warehouse, Completion(name, phase, day, "c")) == expected, (name, day)


def test_analytics_run_over_the_game_day_before_too(loaded_file, days):
    assert range_of(loaded_file.warehouse, Phase.ANALYTICS, days[3]) == (days[2], days[3])
    assert range_of(loaded_file.warehouse, Phase.ANALYTICS, days[0]) == (days[0], days[0])
    assert range_of(loaded_file.warehouse, Phase.PRECOMPUTE, days[3]) == (days[3], days[3])


def test_a_seasons_first_day_needs_no_summaries(world, days):
    events = world.report_analytics(days[0], None)
    assert len(events) == 2
    assert [world.take(event).decision for event in events] == [Decision.TRIGGERED, Decision.ALREADY_TRIGGERED]


# ---- five of five, in whatever order


@pytest.mark.parametrize("order", [*list(permutations(range(5)))[::37], (4, 3, 2, 1, 0)], ids=str)
def test_fault_15_the_last_to_report_triggers_whatever_the_order(world, days, order):
    decisions = []
    for index in order:
        name = ANALYTICS[index]
        event = world.report(name, days[5] if BY_NAME[name].windows else days[4])
        decisions.append(world.take(event).decision)
    assert decisions == [Decision.WAITING] * 4 + [Decision.TRIGGERED]
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    assert json.loads(trigger["payload"]) == {
        "game_date": days[5].isoformat(),
        "correlation_id": world.outbox()[-1]["correlation_id"],
        "trigger_source": "pubsub",
        "triggered_by": ANALYTICS[order[-1]],
        "upstream_processors_count": 5,
        "timestamp": world.now.isoformat(),
    }


def test_fault_15_messages_that_overtake_each_other_trigger_once(world, days):
    events = world.report_analytics(days[5], days[4])
    decisions = [world.take(event).decision for event in reversed(events)]
    assert decisions == [Decision.TRIGGERED] + [Decision.ALREADY_TRIGGERED] * 4
    assert len(world.triggers(Phase.PRECOMPUTE)) == 1


def test_fault_33_a_processor_that_found_nothing_is_waited_for(world, days):
    for name in PRECOMPUTE[:-1]:
        world.report(name, days[5])
    handled = world.take(world.report(PRECOMPUTE[-1], days[5], status="NO_DATA"))
    assert (handled.decision, handled.reason) == (
        Decision.WAITING,
        f"predictions of {days[5]} waits for ml_feature_store_v2 of {days[5]}",
    )


def test_the_whole_of_precompute_starts_the_predictions(world, days):
    for name in PRECOMPUTE[:-1]:
        world.report(name, days[5], status="INCOMPLETE")
    world.take(world.report(PRECOMPUTE[-1], days[5]))
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    assert trigger["topic"] == "nba-phase4-precompute-complete"
    message = json.loads(trigger["payload"])
    assert (
        message
        | {
            "processor_name": "ml_feature_store_v2",
            "phase": "phase_4_precompute",
            "game_date": days[5].isoformat(),
            "status": "partial",
            "record_count": 150,
            "trigger_source": "pubsub",
        }
        == message
    )
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED
    assert world.launched == [("predictions", days[5])]


# ---- what counts as new


@pytest.mark.parametrize(
    ("contents", "triggers"),
    [
        pytest.param(["a"], 1, id="once"),
        pytest.param(["a", "a"], 1, id="the same rows over again, such as after the day's games"),
        pytest.param(["a", "b"], 2, id="other rows"),
        pytest.param(["a", "b", "a"], 3, id="there and back"),
    ],
)
def test_a_phase_starts_again_for_new_content_only(world, days, contents, triggers):
    for name in PRECOMPUTE[1:]:
        world.report(name, days[5])
    for content in contents:
        world.take(world.report(PRECOMPUTE[0], days[5], content))
    assert len(world.triggers(Phase.PREDICTIONS)) == triggers


def test_what_a_run_has_computed_needs_no_trigger(world, days):
    """As after `run all`, which drives the phases itself."""
    events = world.report_analytics(days[5], days[4])
    world.run(Phase.PRECOMPUTE, days[5])
    assert {world.take(event).decision for event in events} == {Decision.UP_TO_DATE}
    assert world.triggers(Phase.PRECOMPUTE) == []


def test_real_runs_say_what_they_were_built_on(chain):
    """Phase by phase, everything in the chain is up to date; a day on which a phase did not run is not."""
    house, days = chain.house.warehouse, list(chain.days)
    for phase in (Phase.ANALYTICS, Phase.PRECOMPUTE, Phase.PREDICTIONS):
        found, computed = upstream(house, phase, days), computed_on(house, phase, days)
        for day in days:
            assert found[day].ready, (phase, day, found[day].waits_for)
            assert computed[day] == {found[day].state}, (phase, day)
    earlier = days[0] - dt.timedelta(20)
    assert computed_on(house, Phase.PRECOMPUTE, [earlier])[earlier] == set()


# ---- repeats, late ones, lost acknowledgements


def test_fault_14_a_repeat_finds_the_decision_and_does_nothing(world, days):
    events = world.report_analytics(days[5], days[4])
    first = [world.take(event) for event in events]
    again = [world.take(event, "another delivery") for event in events]
    assert [handled.decision for handled in again] == [handled.decision for handled in first]
    assert all(handled.repeated for handled in again)
    assert len(world.house.table("consumed_events")) == 5
    assert len(world.triggers(Phase.PRECOMPUTE)) == 1


def test_fault_14_a_message_that_comes_days_late_starts_nothing_that_was_done(world, days):
    *events, late = world.report_analytics(days[5], days[4])
    for event in events:
        world.take(event)
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED
    world.tick(days=6)
    assert world.take(late).decision is Decision.UP_TO_DATE
    assert world.take(trigger["event_id"]).repeated
    assert world.launched == [("precompute", days[5])]


def test_a_trigger_that_comes_late_starts_what_was_not_done(world, days):
    for event in world.report_analytics(days[5], days[4]):
        world.take(event)
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    world.tick(days=6)
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED


def test_killed_after_the_run_and_before_the_record_the_run_is_not_repeated(world, days):
    for event in world.report_analytics(days[5], days[4]):
        world.take(event)
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    world.dies = EngineError("the machine is gone")
    with pytest.raises(EngineError):
        world.take(trigger["event_id"])
    assert world.take(trigger["event_id"]).decision is Decision.UP_TO_DATE
    assert world.launched == [("precompute", days[5])]


def test_what_may_work_later_leaves_nothing_on_record(world, days):
    for event in world.report_analytics(days[5], days[4]):
        world.take(event)
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    world.refuses = EngineError("the file is held by process 7")
    with pytest.raises(EngineError):
        world.take(trigger["event_id"])
    assert len(world.house.table("consumed_events")) == 5
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED


def test_what_a_gate_refuses_is_not_tried_over_and_over(world, days):
    for event in world.report_analytics(days[5], days[4]):
        world.take(event)
    (trigger,) = world.triggers(Phase.PRECOMPUTE)
    why = "30 days would lose more than 10 % of their ready rows"
    world.refuses = GateError(why)
    handled = world.take(trigger["event_id"])
    assert (handled.decision, handled.reason) == (Decision.REFUSED, why)
    assert world.take(trigger["event_id"]).repeated
    assert world.launched == []


def test_a_trigger_nobody_earned_starts_nothing(world, days):
    fields = {
        "game_date": days[5].isoformat(),
        "correlation_id": "c",
        "trigger_source": "manual",
        "triggered_by": "somebody",
        "upstream_processors_count": 5,
        "timestamp": "2024-10-25T12:00:00+00:00",
    }
    assert world.receive(TRIGGERS[Phase.PRECOMPUTE], fields).decision is Decision.WAITING
    assert world.launched == []


# ---- what cannot be handled

CACHE = "player_daily_cache"
POISON = {
    "no JSON": (topic_of(CACHE), b"\xff\xfe{", "the message is no JSON: .*"),
    "cut off": (topic_of(CACHE), b'{"processor_name": ', "the message is no JSON: .*"),
    "nested without end": (topic_of(CACHE), b"[" * 100_000, "the message is no JSON: .*"),
    "no object": (topic_of(CACHE), b"[1]", "the message is a JSON list, expected an object"),
    "oversize": (topic_of(CACHE), b" " * (MAX_BYTES + 1), "the message has 262145 bytes, expected 262144 at most"),
    "field missing": (topic_of(CACHE), completion(status=None), "status is 'None', expected a text"),
    "field of another type": (topic_of(CACHE), completion(game_date=1), "game_date is '1', expected a text"),
    "half a character": (
        topic_of(CACHE),
        completion(correlation_id="\ud800"),
        r"correlation_id is '\\ud800', expected a text",
    ),
    "unknown processor": (topic_of(CACHE), completion("PlayerDailyCache"), "processor_name is 'PlayerDailyCache', .*"),
    "another phase's topic": (topic_of(SUMMARY), completion(CACHE), "processor_name is 'player_daily_cache', .*"),
    "another phase": (topic_of(CACHE), completion(CACHE, phase="phase_9"), "phase is 'phase_9', .*"),
    "unknown status": (topic_of(CACHE), completion(status="done"), "status is 'done', expected one of .*"),
    "no date": (topic_of(CACHE), completion(day="yesterday"), "game_date is 'yesterday', expected YYYY-MM-DD"),
    "a day off": (topic_of(CACHE), completion(day="2025-07-01"), "game_date is 2025-07-01, expected a game day .*"),
    "unknown topic": ("some-topic", completion(), "topic is 'some-topic', expected one of .*"),
    "endless topic": ("x" * 5_000, completion(), f"topic is '{'x' * 80}', expected one of .*"),
    "trigger without a day": (TRIGGERS[Phase.PRECOMPUTE], {"correlation_id": "c"}, "game_date is 'None', .*"),
}


@pytest.mark.parametrize("case", POISON)
def test_poison_is_put_aside_once_and_said_why(world, case):
    topic, fields, reason = POISON[case]
    handled = world.receive(topic, fields, message_id="17")
    assert handled.decision is Decision.DEAD_LETTER
    assert world.receive(topic, fields, message_id="17").repeated
    (letter,) = dead_letters(world.warehouse)
    assert (letter["topic"], letter["message_id"]) == (topic, "17")
    assert re.fullmatch(reason, letter["reason"]), letter["reason"]
    assert world.launched == []


def test_an_event_id_that_can_be_none_is_not_believed(world):
    """An endless one would be no key; the broker's own id stands in."""
    handled = world.receive("some-topic", {}, event_id="x" * 5_000, message_id="18")
    assert handled.event_id == "message:18"


def test_a_day_that_is_no_game_day_any_more_is_none_off(world):
    """What was published of it has to go, all the way down."""
    summer = dt.date(2025, 7, 1)
    for name in PRECOMPUTE:
        event = world.report(name, summer)
    assert world.take(event).decision is Decision.TRIGGERED


def test_nothing_follows_the_last_phase(world, days):
    event = world.report("player_prop_predictions", days[5])
    assert world.take(event).decision is Decision.NOTHING_FOLLOWS
    assert world.outbox()[0]["topic"] == COMPLETIONS[Phase.PREDICTIONS]
