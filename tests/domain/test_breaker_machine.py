"""The breaker as a state machine, driven by runs, people and a clock that jumps, beside a model of a few lines.

Runs go through the gate, what they leave through the view: the model knows neither.
"""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fullcourt.domain import breaker
from fullcourt.domain.breaker import State
from tests.breakers import Nights, micros

WEEK = timedelta(hours=168)
TICK = timedelta(microseconds=1)
CLOCKS = (
    datetime(2024, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),  # before a leap day
    datetime(2024, 3, 10, 6, 59, tzinfo=UTC),  # a minute before New York loses an hour
    datetime(2024, 11, 3, 5, 59, tzinfo=UTC),  # and before it gets one back
)
JUMPS = st.sampled_from(
    [
        timedelta(),
        timedelta(hours=1),
        timedelta(days=1),
        WEEK - TICK,
        WEEK,
        WEEK + TICK,
        timedelta(days=366),
        -TICK,
        -timedelta(hours=1),
        -timedelta(days=1),
        -WEEK,
        -timedelta(days=366),
    ]
)
# Games missing of the last 15: one is permitted, two are not.
READY = ((), (18,))
INCOMPLETE = ((18, 19), (17, 18), (17, 18, 19))


class Breaker(RuleBasedStateMachine):
    """attempts, until, missing: what the model remembers; last: the newest fact's time, in the order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.nights = Nights()
        self.attempts, self.until, self.missing, self.last = 0, None, None, None
        self.written = 0

    @initialize(now=st.sampled_from(CLOCKS))
    def begin(self, now):
        self.now = now

    @rule(jump=JUMPS)
    def clock(self, jump):
        self.now += jump

    @precondition(lambda self: self.until)
    @rule(jump=st.sampled_from([-TICK, timedelta(), TICK]))
    def clock_to_the_end_of_the_cooldown(self, jump):
        self.now = self.until + jump

    @property
    def is_open(self) -> bool:
        return self.until is not None and self.until > self.now

    def later(self, tick=timedelta()) -> datetime:
        """Now, or the newest fact's time where the clock is behind it."""
        return self.now if self.last is None else max(self.now, self.last + tick)

    @rule(missing=st.sampled_from(INCOMPLETE))
    def run_incomplete(self, missing):
        (row,) = self.nights.run(self.now, *missing).to_pylist()
        if self.is_open and missing == self.missing:
            assert row["processing_decision_reason"] == "circuit_breaker_active"
            assert (row["circuit_breaker_active"], row["circuit_breaker_until"]) == (True, self.until)
            assert row["reprocess_attempt_count"] == self.attempts
            return
        self.attempts, self.missing, self.last = self.attempts + 1, missing, self.later(TICK)
        self.until = self.last + WEEK if self.attempts >= 3 else None
        self.written += 1
        assert row["processing_decision_reason"] == "incomplete_upstream_data"
        assert (row["reprocess_attempt_count"], row["last_reprocess_attempt_at"]) == (self.attempts, self.last)
        assert row["manual_override_required"] == (self.attempts >= 3)

    @rule(missing=st.sampled_from(READY))
    def run_ready(self, missing):
        """Whatever the breaker says: data that is there is processed."""
        (row,) = self.nights.run(self.now, *missing).to_pylist()
        assert row["processing_decision_reason"] == "processed_successfully"
        self.forget()

    @rule(missing=st.sampled_from((*READY, *INCOMPLETE)))
    def backfill(self, missing):
        (row,) = self.nights.run(self.now, *missing, recording=False).to_pylist()
        assert (row["reprocess_attempt_count"], row["circuit_breaker_active"]) == (0, False)

    @precondition(lambda self: self.attempts)
    @rule()
    def override(self):
        self.nights.act("override", self.now)
        self.until, self.last = None, self.later()

    @precondition(lambda self: self.attempts)
    @rule()
    def reset(self):
        self.nights.act("reset", self.now)
        self.forget()

    def forget(self):
        if self.attempts:
            self.last = self.later()
        self.attempts, self.until, self.missing = 0, None, None

    @invariant()
    def the_view_and_the_state_agree_with_the_model(self):
        assert self.nights.attempts.num_rows == self.written, "attempts are appended, never taken away"
        rows = self.nights.state.to_pylist()
        if not self.written:
            assert rows == []
            return
        (row,) = rows
        assert (row["attempt_number"], row["open_until"]) == (self.attempts, self.until)
        expected = State.OPEN if self.is_open else State.HALF_OPEN if self.attempts >= 3 else State.CLOSED
        until = micros(self.until) if self.until else 0
        facts = breaker.Facts.none(1)
        facts.attempts[:], facts.until[:] = self.attempts, until
        assert facts.state(micros(self.now)).tolist() == [expected]


TestBreaker = Breaker.TestCase
TestBreaker.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
