"""The circuit breaker of one (processor, entity, day): closed, open after the third incomplete attempt, half-open
after the cooldown or as soon as the set of missing games changes, closed again by readiness.

Attempts and actions are append-only facts; the state is derived here, and nowhere else.  Evaluation is free in a
columnar job, so readiness is always computed first and the breaker only decides whether a not-ready entity is
another attempt (incomplete) or not (blocked).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain.fingerprint import Hashes
from fullcourt.domain.numbers import Longs
from fullcourt.domain.windows import Bools, Ints

ATTEMPTS_BEFORE_TRIP = 3
COOLDOWN_HOURS = 168
_HOUR = 3_600_000_000  # microseconds
CLOSING_ACTIONS = ("reset", "close")
AUTO_CLOSE_NOTE = "auto_reset_on_data"

_KEY = ["entity_id", "analysis_date"]


@dataclass(frozen=True)
class Facts:
    """One value a row: attempts since the breaker last closed, and what the newest of them left behind.

    last_at, until: microseconds since 1970 UTC, 0 where there is none; an override clears until.
    missing: hash of the newest attempt's missing games, 0 where there is none.
    """

    attempts: Ints
    last_at: Longs
    until: Longs
    missing: Hashes

    @classmethod
    def none(cls, rows: int) -> "Facts":
        zeros = np.zeros(rows, dtype=np.int64)
        return cls(np.zeros(rows, np.int32), zeros, zeros, zeros.view(np.uint64))

    def is_open(self, now: int) -> Bools:
        return self.until > now


def newest(attempts: pa.Table, actions: pa.Table) -> pa.Table:
    """One row per (entity_id, analysis_date) with attempts since its last reset or close.

    attempts: reprocess_attempts rows of one processor; actions: its breaker_actions rows.
    Returns entity_id, analysis_date, attempt_number, attempted_at, until (null: not tripped, or overridden),
    missing_games_hash.
    """
    acted = actions.select([*_KEY, "action", "acted_at"])
    closed = acted.filter(pc.is_in(acted["action"], pa.array(CLOSING_ACTIONS)))
    overridden = acted.filter(pc.equal(acted["action"], "override"))
    rows = attempts
    for name, kind in (("closed_at", closed), ("overridden_at", overridden)):
        latest = kind.group_by(_KEY).aggregate([("acted_at", "max")]).rename_columns([*_KEY, name])
        rows = rows.join(latest, _KEY, join_type="left outer")
    live = pc.fill_null(pc.greater(rows["attempted_at"], rows["closed_at"]), True)
    rows = rows.filter(live).sort_by([("attempted_at", "ascending"), ("attempt_number", "ascending")])
    last = rows.group_by(_KEY, use_threads=False).aggregate(
        [
            (column, "last")
            for column in (
                "attempt_number",
                "attempted_at",
                "circuit_breaker_until",
                "missing_games_hash",
                "overridden_at",
            )
        ]
    )
    standing = pc.fill_null(pc.greater(last["attempted_at_last"], last["overridden_at_last"]), True)
    until = pc.if_else(
        standing,
        last["circuit_breaker_until_last"],
        pa.scalar(None, attempts.schema.field("circuit_breaker_until").type),
    )
    return pa.table(
        {
            "entity_id": last["entity_id"],
            "analysis_date": last["analysis_date"],
            "attempt_number": last["attempt_number_last"],
            "attempted_at": last["attempted_at_last"],
            "until": until,
            "missing_games_hash": last["missing_games_hash_last"],
        }
    )


def align(facts: pa.Table, entities: pa.Array, entity: Ints, day: Ints) -> Facts:
    """The facts of each row (entity index, day number); none where there was no attempt."""
    aligned = Facts.none(len(entity))
    if facts.num_rows == 0:
        return aligned
    known = pc.index_in(facts["entity_id"].combine_chunks(), entities).fill_null(-1).to_numpy().astype(np.int64)
    key = (known << 32) + facts["analysis_date"].combine_chunks().cast(pa.int32()).to_numpy()
    order = np.argsort(key)
    wanted = (entity.astype(np.int64) << 32) + day
    place = np.minimum(np.searchsorted(key, wanted, sorter=order), len(key) - 1)
    source = order[place]
    found = key[source] == wanted

    def pick(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.where(found, values[source], np.zeros(1, values.dtype))

    micros = {
        name: facts[name].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
        for name in ("attempted_at", "until")
    }
    missing = np.array([int(text, 16) if text else 0 for text in facts["missing_games_hash"].to_pylist()], np.uint64)
    return Facts(
        attempts=pick(facts["attempt_number"].combine_chunks().to_numpy().astype(np.int32)),  # type: ignore[arg-type]
        last_at=pick(micros["attempted_at"]),  # type: ignore[arg-type]
        until=pick(micros["until"]),  # type: ignore[arg-type]
        missing=pick(missing),  # type: ignore[arg-type]
    )


def blocked(facts: Facts, missing: Hashes, now: int) -> Bools:
    """Of rows that are not ready: the breaker is open and the same games are missing as at the last attempt."""
    return facts.is_open(now) & (facts.missing == missing)


def trips(attempt_number: Ints) -> Bools:
    return attempt_number >= ATTEMPTS_BEFORE_TRIP


def cooldown_end(now: int) -> int:
    """Microseconds since 1970 UTC."""
    return now + COOLDOWN_HOURS * _HOUR
