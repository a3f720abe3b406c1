"""The outbox: messages written with what they tell of, in one transaction, and sent after it, at least once.

A message is marked as sent when the broker has acknowledged it.  Killed in between, it is sent again under the same
event id, on which consumers drop repeats.  What is held is not sent.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fullcourt.crash import crash_point
from fullcourt.warehouse import Warehouse

_BATCH = 500
_WAITING = "sent_at IS NULL AND NOT COALESCE(held, FALSE)"
_ATTRIBUTES = ("event_id", "processor_name", "phase", "game_date", "correlation_id")


@dataclass(frozen=True)
class Message:
    """attributes: what subscriptions may filter on; among them event_id."""

    event_id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]


class Broker(Protocol):
    def publish(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Sends them; event id -> why, for those that the broker has not acknowledged."""


@dataclass(frozen=True)
class Sent:
    """failed: event id -> why; these wait for the next time."""

    count: int
    failed: Mapping[str, str]


def send(warehouse: Warehouse, broker: Broker, now: dt.datetime) -> Sent:
    """Sends what waits, the oldest first, and stops after a batch of which something failed."""
    count = 0
    while rows := _waiting(warehouse):
        failed = broker.publish([_message(row) for row in rows])
        crash_point("sent")
        acknowledged = [row["event_id"] for row in rows if row["event_id"] not in failed]
        _mark(warehouse, acknowledged, now)
        count += len(acknowledged)
        if failed:
            return Sent(count, failed)
    return Sent(count, {})


def waiting(warehouse: Warehouse) -> list[dict[str, Any]]:
    """What is in the outbox and has not been sent, by topic: waiting to be, or held and why."""
    return warehouse.query(
        "SELECT topic, CASE WHEN held THEN 'held' ELSE 'waiting' END AS state, held_reason, COUNT(*) AS messages, "
        "MIN(game_date) AS first_day, MAX(game_date) AS last_day "
        "FROM nba_orchestration.outbox_events WHERE sent_at IS NULL "
        "GROUP BY topic, state, held_reason ORDER BY topic, state, held_reason"
    ).to_pylist()


def release(warehouse: Warehouse, start: dt.date, end: dt.date, reason: str) -> int:
    """Lets go of the messages of the closed range that are held for a reason: the next sending takes them along."""
    held = "COALESCE(held, FALSE) AND sent_at IS NULL AND held_reason = @reason AND game_date BETWEEN @start AND @end"
    bound = {"reason": reason, "start": start, "end": end}
    with warehouse.transaction({}) as session:
        found = session.query(f"SELECT COUNT(*) AS n FROM nba_orchestration.outbox_events WHERE {held}", **bound)
        session.execute(f"UPDATE nba_orchestration.outbox_events SET held = FALSE WHERE {held}", **bound)
    return int(found["n"][0].as_py())


def _waiting(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.query(
        f"SELECT topic, payload, {', '.join(_ATTRIBUTES)} FROM nba_orchestration.outbox_events WHERE {_WAITING} "
        f"ORDER BY created_at, event_id LIMIT {_BATCH}"
    ).to_pylist()


def _message(row: Mapping[str, Any]) -> Message:
    fields = {name: value for name, value in json.loads(row["payload"]).items() if value is not None}
    attributes = {name: str(row[name]) for name in _ATTRIBUTES if row[name] is not None}
    return Message(row["event_id"], row["topic"], json.dumps(fields).encode(), attributes)


def _mark(warehouse: Warehouse, event_ids: Sequence[str], now: dt.datetime) -> None:
    if event_ids:
        with warehouse.transaction({}) as session:
            session.execute(
                "UPDATE nba_orchestration.outbox_events SET sent_at = @now "
                f"WHERE event_id IN UNNEST(@ids) AND {_WAITING}",
                now=now,
                ids=list(event_ids),
            )
