"""The circuit breaker of one (processor, entity, day): closed; open from the third incomplete attempt; half-open after
the cooldown or an override; closed again as soon as a run publishes the day and the entity is not held back.

Attempts and actions are append-only facts.  The view breaker_state says what they leave behind, and everybody reads
that: the gate, the commands, the dashboards.  Evaluation is free in a columnar job, so readiness is always computed
first, and the breaker only decides what becomes of an entity that is not ready: one more attempt, or nothing, while
the breaker is open and the same games are missing.
"""

import enum
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.fingerprint import Hashes, from_hex
from fullcourt.domain.numbers import TIMESTAMP, Bools, Ints, Longs

ATTEMPTS_BEFORE_TRIP = 3
COOLDOWN_HOURS = 168
COOLDOWN = COOLDOWN_HOURS * 3_600_000_000  # microseconds
OVERRIDE, RESET, CLOSE = "override", "reset", "close"  # breaker_actions: two by people, one by new data
AUTO_CLOSE_NOTE = "auto_reset_on_data"

BREAKER_STATE = "breaker_state"  # the view
# What the gate reads of it; one row a processor, entity and day with an attempt.
STATE = pa.schema(
    [
        ("processor_name", pa.string()),
        ("entity_id", pa.string()),
        ("analysis_date", pa.date32()),
        ("attempt_number", pa.int64()),  # 0: none since the last reset or close
        ("attempted_at", TIMESTAMP),
        ("open_until", TIMESTAMP),  # null: not tripped, or overridden
        ("missing_games_hash", pa.string()),
        ("last_fact_at", TIMESTAMP),  # of any attempt or action
    ]
)


class State(enum.IntEnum):
    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


@dataclass(frozen=True)
class Facts:
    """One value a row: attempts since the breaker last closed, and what the newest of them left behind.

    last_at, until, fact_at: microseconds since 1970 UTC, 0 where there is none: the newest attempt's, the end of its
    cooldown (an override clears it), and the newest attempt's or action's.
    missing: hash of what the newest attempt waited for, 0 where there was none.
    """

    attempts: Ints
    last_at: Longs
    until: Longs
    missing: Hashes
    fact_at: Longs

    @classmethod
    def none(cls, rows: int) -> "Facts":
        zeros = np.zeros(rows, dtype=np.int64)
        return cls(np.zeros(rows, np.int32), zeros, zeros, zeros.view(np.uint64), zeros)

    def at(self, index: Longs | Bools | slice) -> "Facts":
        return Facts(*(values[index] for values in vars(self).values()))

    def state(self, now: int) -> NDArray[np.int8]:
        """State codes at an instant."""
        return np.select(
            [self.attempts < ATTEMPTS_BEFORE_TRIP, self.until > now], [State.CLOSED, State.OPEN], State.HALF_OPEN
        ).astype(np.int8)


def blocked(facts: Facts, missing: Hashes, now: int) -> Bools:
    """Of rows that are not ready: nothing is attempted, as the breaker is open and the same games are missing.

    missing: hash of what the entity waits for now.  now: microseconds since 1970 UTC.  Every other row that is not
    ready is one more attempt (domain section 4.2, decisions 30).
    """
    return (facts.state(now) == State.OPEN) & (facts.missing == missing)


def attempted_at(facts: Facts, now: int) -> Longs:
    """When an attempt is made, were it made now: later than every fact before it, though the clock jumped back."""
    at: Longs = np.maximum(now, facts.fact_at + (facts.fact_at > 0))
    return at


def align(state: pa.Table, entities: pa.Array, entity: Ints, day: Ints) -> Facts:
    """The facts of each row (entity index, day number); none where there was no attempt. state: rows of STATE."""
    key = codes(state["entity_id"], entities)
    days = state["analysis_date"].combine_chunks().cast(pa.int32()).to_numpy()
    place = places(pair(key, days), pair(entity, day), key >= 0)
    found = place >= 0
    if not found.any():
        return Facts.none(len(entity))

    def pick(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.where(found, values[place], np.zeros(1, values.dtype))

    def micros(name: str) -> NDArray[np.generic]:
        return pick(pc.fill_null(state[name].combine_chunks().cast(pa.int64()), 0).to_numpy())

    return Facts(
        attempts=pick(state["attempt_number"].to_numpy().astype(np.int32)),  # type: ignore[arg-type]
        last_at=micros("attempted_at"),  # type: ignore[arg-type]
        until=micros("open_until"),  # type: ignore[arg-type]
        missing=pick(from_hex(state["missing_games_hash"])),  # type: ignore[arg-type]
        fact_at=micros("last_fact_at"),  # type: ignore[arg-type]
    )
