"""Clocks that jump: a breaker holds back until its stored instant, and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from fullcourt.domain import breaker
from fullcourt.domain.breaker import State
from tests.breakers import Nights, micros

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(hours=168)
NOW = datetime(2024, 3, 10, 6, 30, tzinfo=UTC)  # half an hour before New York loses one
LOST = (18, 19)  # of the last 15 games


def opened():
    """Three attempts, an hour apart; open for a week from the third."""
    nights = Nights()
    for hour in range(3):
        nights.run(NOW + hour * HOUR, *LOST)
    (row,) = nights.state.to_pylist()
    assert row["open_until"] == NOW + 2 * HOUR + WEEK
    return nights, row["open_until"]


def state(nights, until, now):
    facts = breaker.Facts.none(1)
    facts.attempts[:] = nights.state["attempt_number"][0].as_py()
    facts.until[:] = micros(until)
    (now_is,) = facts.state(micros(now)).tolist()
    return now_is


@pytest.mark.parametrize("jump", [-DAY, -WEEK, DAY], ids=["a day back", "a week back", "a day ahead"])
def test_fault_29_a_jump_of_the_clock_moves_no_end_of_a_cooldown(jump):
    nights, until = opened()
    row = nights.run(NOW + 2 * HOUR + jump, *LOST).to_pylist()[0]
    assert (row["circuit_breaker_active"], row["circuit_breaker_until"]) == (True, until)
    assert nights.numbers == [1, 2, 3]
    assert state(nights, until, until - timedelta(microseconds=1)) == State.OPEN
    assert state(nights, until, until) == State.HALF_OPEN
    nights.run(until, *LOST)
    assert nights.numbers == [1, 2, 3, 4]


def test_fault_29_an_attempt_under_a_clock_that_fell_back_is_the_newest_all_the_same():
    """The first is dated a day ahead; those after it are behind by the clock, and count on."""
    nights = Nights()
    for at in (NOW + DAY, NOW, NOW + HOUR):
        nights.run(at, *LOST)
    assert nights.numbers == [1, 2, 3]
    (row,) = nights.state.to_pylist()
    assert NOW + DAY + WEEK < row["open_until"] <= NOW + DAY + WEEK + HOUR


@pytest.mark.parametrize("jump", [-DAY, DAY], ids=["a day back", "a day ahead"])
def test_fault_29_whatever_the_clock_says_data_that_is_there_is_computed(jump):
    nights, _ = opened()
    row = nights.run(NOW + 2 * HOUR + jump).to_pylist()[0]
    assert row["processing_decision_reason"] == "processed_successfully"
    (closed,) = nights.state.to_pylist()
    assert (closed["attempt_number"], closed["open_until"]) == (0, None)


def test_fault_31_two_overrides_let_two_attempts_through_and_both_are_on_record():
    nights, until = opened()
    for number in (1, 2):
        at = NOW + (2 + 2 * number) * HOUR
        nights.act("override", at)
        assert nights.state["open_until"].to_pylist() == [None]
        nights.run(at + HOUR, *LOST)
        (row,) = nights.state.to_pylist()
        assert (row["attempt_number"], row["open_until"]) == (3 + number, at + HOUR + WEEK)
    assert nights.actions["action"].to_pylist() == ["override"] * 2
    assert row["open_until"] > until
