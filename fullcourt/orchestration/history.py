"""The rows a run leaves about itself: its history, and the events it announces."""

import datetime as dt
import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.events import COMPLETIONS
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Stamp
from fullcourt.domain.tables import Table
from schemas import TABLES

TOPICS = {phase.value: topic for phase, topic in COMPLETIONS.items()}
MANUAL, PUBSUB = "manual", "pubsub"  # what started a run: somebody's command, or a message
MAX_NULL_SHARE = 0.2  # above it a day's figures are published, with a warning: unknown is null, not zero
FAILED = "failed"
_EVENT_STATUS = {"COMPLETE": "success", "INCOMPLETE": "partial", "NO_DATA": "no_data"}


def completion_event(
    receipt: dict[str, Any], table: Table, now: dt.datetime, held_reason: str | None, trigger_source: str = MANUAL
) -> dict[str, Any]:
    """The outbox row of one published (processor, day); null fields are left out of the message.

    held_reason: why it is kept in, so that nothing downstream starts; None: it is sent.
    """
    message = {
        **_message(receipt, table, now, trigger_source),
        "status": _EVENT_STATUS[receipt["status"]],
        "record_count": receipt["row_count"],
    }
    return _outbox_row(receipt, message, now, held_reason)


def failure_event(
    receipt: dict[str, Any], table: Table, now: dt.datetime, held_reason: str | None, trigger_source: str, error: str
) -> dict[str, Any]:
    """The outbox row of one (processor, day) that a run was to publish and did not. receipt: of unpublished()."""
    message = {**_message(receipt, table, now, trigger_source), "status": FAILED, "error_message": error}
    return _outbox_row(receipt, message, now, held_reason)


def unpublished(run_id: str, processor: Processor, day: dt.date) -> dict[str, Any]:
    """What stands for the receipt of what was not published."""
    return {
        "publish_id": f"{FAILED} {processor.name} {day}",
        "run_id": run_id,
        "processor_name": processor.name,
        "phase": processor.phase.value,
        "analysis_date": day,
    }


def _message(receipt: Mapping[str, Any], table: Table, now: dt.datetime, trigger_source: str) -> dict[str, Any]:
    return {
        "processor_name": receipt["processor_name"],
        "phase": receipt["phase"],
        "execution_id": receipt["run_id"],
        "correlation_id": receipt["analysis_date"].isoformat(),
        "game_date": receipt["analysis_date"].isoformat(),
        "timestamp": now.isoformat(),
        "output_dataset": table.dataset,
        "output_table": table.name,
        "trigger_source": trigger_source,
    }


def _outbox_row(
    receipt: Mapping[str, Any], message: Mapping[str, Any], now: dt.datetime, held_reason: str | None
) -> dict[str, Any]:
    return {
        "event_id": event_id(receipt),
        "topic": TOPICS[receipt["phase"]],
        "processor_name": receipt["processor_name"],
        "phase": receipt["phase"],
        "game_date": receipt["analysis_date"],
        "status": message["status"],
        "correlation_id": message["correlation_id"],
        "payload": json.dumps(message),
        "created_at": now,
        "sent_at": None,
        "held": held_reason is not None,
        "held_reason": held_reason,
    }


def event_id(receipt: Mapping[str, Any]) -> str:
    """Of the message that tells of a publish."""
    return hash_settings({"publish_id": receipt["publish_id"], "run_id": receipt["run_id"]})


def raw_receipt(run_id: str, table: str, day: dt.date) -> dict[str, str]:
    """What stands for a receipt of the rows of a day that a load brought to a raw table."""
    return {"publish_id": f"{table} {day}", "run_id": run_id}


def history_row(
    processor: Processor,
    stamp: Stamp,
    started: int,
    mode: str,
    days: Sequence[dt.date],
    receipts: Sequence[dict[str, Any]],
    statuses: Mapping[dt.date, str],
    skip_reason: str | None = None,
    error: str | None = None,
    first_day: dt.date | None = None,
    forced: bool = False,
    upstream: Mapping[dt.date, str] | None = None,
    trigger_source: str = MANUAL,
    inputs: str | None = None,
    publishes: str | None = None,
    report: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """processor_run_history of one processor's part in a run; columns not named stay null.

    receipts: of the days it recorded.  statuses: of all its days.  first_day: of the range asked for, where that is
    not the first of its days.  forced: refusals before it were overridden.  upstream: per day, what it was built on.
    inputs, publishes: hashes of what it computed from, and of the newest publishes of its days.  report: what it said.
    """
    short = {day: status for day, status in sorted(statuses.items()) if status != "COMPLETE"}
    warnings = [f"{day}: {status}" for day, status in short.items()]
    warnings += [
        f"{receipt['analysis_date']}: {100 * receipt['max_null_share']:.0f} % of a column is unknown"
        for receipt in receipts
        if (receipt.get("max_null_share") or 0) > MAX_NULL_SHARE
    ]
    figures: dict[str, Any] = {"days": len(days), "published_days": len(receipts)}
    if days:
        figures["first_day"] = (first_day or min(days)).isoformat()  # data_date is the last
    if report:
        figures["report"] = report
    held_back = ("incomplete_count", "blocked_count", "excluded_count", "dead_letter_count")
    return {
        "processor_name": processor.name,
        "run_id": stamp.run_id,
        "season_year": season_of_day(to_number(max(days))) if days else None,
        "data_date": max(days, default=None),
        "phase": processor.phase.value,
        "status": "failed" if error else "skipped" if skip_reason else "partial" if short else "success",
        "started_at": instant(stamp.now),
        "processed_at": instant(stamp.now),
        "duration_seconds": max(0.0, time.time() - started / 1_000_000),
        "records_processed": sum(r["row_count"] for r in receipts),
        "records_skipped": sum(r[name] for r in receipts for name in held_back),
        "output_dataset": TABLES[processor.name].dataset,
        "output_table": processor.name,
        "data_source_primary": processor.upstream.table if processor.upstream else None,
        "backfill_mode": mode == "backfill",
        "force_reprocess": forced,
        "test_mode": False,
        "triggered_by": "command",
        "trigger_source": trigger_source,
        "execution_host": socket.gethostname(),
        "upstream_dependencies": json.dumps({str(day): state for day, state in upstream.items()}) if upstream else None,
        "inputs_hash": inputs,
        "publishes_hash": publishes,
        "retry_attempt": 0,
        "skipped": skip_reason is not None,
        "skip_reason": skip_reason,
        "errors": json.dumps([error]) if error else None,
        "warnings": json.dumps(warnings) if warnings else None,
        "summary": json.dumps(figures),
    }


def instant(micros: int) -> dt.datetime:
    """Microseconds since 1970 as a UTC instant."""
    return dt.datetime.fromtimestamp(micros / 1_000_000, dt.UTC)
