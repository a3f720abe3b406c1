"""Trigger messages: a phase of a day may start. One for each content it would be computed on, written to the outbox.

The id is made of phase, day, that content and the attempt, so whoever comes to the same decision finds it taken.
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from fullcourt.domain.events import TRIGGERS
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Phase, select
from fullcourt.orchestration.events.readiness import Upstream
from fullcourt.orchestration.history import PUBSUB
from fullcourt.orchestration.publish import insert_records
from fullcourt.warehouse import Session


def trigger_id(phase: Phase, day: dt.date, state: str, attempt: int = 1) -> str:
    return hash_settings({"phase": phase.value, "day": day, "state": state, "attempt": attempt})


def is_written(session: Session, trigger: str) -> bool:
    found = session.query(
        "SELECT COUNT(*) AS n FROM nba_orchestration.outbox_events WHERE event_id = @trigger", trigger=trigger
    )
    return bool(found["n"][0].as_py())


def write(
    session: Session,
    phase: Phase,
    day: dt.date,
    on: Upstream,
    now: dt.datetime,
    triggered_by: str,
    correlation_id: str,
    source: str = PUBSUB,
    attempt: int = 1,
) -> str | None:
    """Writes the trigger and returns its id; None where it had been written before.

    triggered_by: the processor whose completion was the last one, or what found the day.  source: pubsub, scheduler or
    manual.
    """
    trigger = trigger_id(phase, day, on.state, attempt)
    if is_written(session, trigger):
        return None
    fields: dict[str, Any] = {"game_date": day.isoformat(), "correlation_id": correlation_id, "trigger_source": source}
    if phase is Phase.PREDICTIONS:
        fields |= _whole_phase(session, day)
    else:
        fields |= {"triggered_by": triggered_by, "upstream_processors_count": on.reported}
    fields["timestamp"] = now.isoformat()
    row = {
        "event_id": trigger,
        "topic": TRIGGERS[phase],
        "processor_name": fields.get("processor_name", triggered_by),
        "phase": phase.value,
        "game_date": day,
        "status": fields.get("status"),
        "correlation_id": correlation_id,
        "payload": json.dumps(fields),
        "created_at": now,
        "held": False,
    }
    insert_records(session, "outbox_events", [row])
    return trigger


def _whole_phase(session: Session, day: dt.date) -> dict[str, Any]:
    """Precompute's completion as a whole: it speaks in the name of its last processor, and counts all rows."""
    names = [processor.name for processor in select(Phase.PRECOMPUTE)]
    receipts = _newest_receipts(session, names, day)
    last = max(receipts, key=lambda receipt: names.index(receipt["processor_name"]))
    return {
        "processor_name": last["processor_name"],
        "phase": Phase.PRECOMPUTE.value,
        "execution_id": last["run_id"],
        "status": "success" if all(receipt["status"] == "COMPLETE" for receipt in receipts) else "partial",
        "record_count": sum(receipt["row_count"] for receipt in receipts),
    }


def _newest_receipts(session: Session, names: Sequence[str], day: dt.date) -> list[dict[str, Any]]:
    return session.query(
        "SELECT processor_name, run_id, status, row_count FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@processors) AND analysis_date = @day",
        processors=list(names),
        day=day,
    ).to_pylist()
