"""A processor's gate as people set it: its threshold, or the gate off. Facts, with who and why; the newest holds."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from fullcourt.domain.errors import UsageError
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import BY_NAME, GATED, Processor
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES

GATE_OFF = 0
_TICK = dt.timedelta(microseconds=1)


def active(source: Warehouse | Session, now: dt.datetime) -> list[dict[str, Any]]:
    """Gates that are not as the code has them, as of now: thresholds in percent, who set them, why and until when."""
    rows = source.query(QUERIES["active_policies"].sql, now=now).to_pylist()
    return [
        {
            "processor": row["processor_name"],
            "gate": "off" if row["threshold_per_mille"] == GATE_OFF else "on",
            "threshold_pct": row["threshold_per_mille"] / 10,
            "default_pct": BY_NAME[row["processor_name"]].threshold_per_mille / 10,
            "set_at": row["set_at"],
            "set_by": row["set_by"],
            "reason": row["reason"],
            "valid_until": row["valid_until"],
        }
        for row in rows
        if row["processor_name"] in BY_NAME
    ]


def effective(source: Warehouse | Session, processors: Sequence[Processor], now: dt.datetime) -> tuple[Processor, ...]:
    """The processors with the thresholds that hold now."""
    rows = source.query(QUERIES["active_policies"].sql, now=now).to_pylist()
    held = {row["processor_name"]: row["threshold_per_mille"] for row in rows}
    return tuple(
        dataclasses.replace(processor, threshold_per_mille=held[processor.name])
        if processor.name in held
        else processor
        for processor in processors
    )


def change(
    warehouse: Warehouse,
    processor: str,
    threshold_per_mille: int | None,
    now: dt.datetime,
    by: str,
    reason: str,
    valid_until: dt.datetime | None = None,
) -> dict[str, Any]:
    """Records a change, which the next run obeys; returns its row.

    threshold_per_mille: 1-1000; 0 switches the gate off; None: the code's own again.
    UsageError as `check` says.
    """
    check(processor, threshold_per_mille, now, reason, valid_until)
    with warehouse.transaction({}) as session:
        newest = session.query(QUERIES["policy_changes"].sql, processors=[processor])["set_at"].to_pylist()
        at = max([now, *(previous + _TICK for previous in newest)])  # the newest holds, though the clock jumped back
        row = {
            "processor_name": processor,
            "threshold_per_mille": threshold_per_mille,
            "set_at": at,
            "set_by": by,
            "reason": reason.strip(),
            "valid_until": valid_until,
        }
        row = {"policy_id": hash_settings({name: str(value) for name, value in row.items()}), **row}
        session.insert("processor_policies", pa.Table.from_pylist([row], TABLES["processor_policies"].arrow_schema))
    return row


def check(
    processor: str, threshold_per_mille: int | None, now: dt.datetime, reason: str, valid_until: dt.datetime | None
) -> None:
    """UsageError for a processor without a gate, a threshold out of range, an end in the past, an empty reason."""
    if processor not in BY_NAME or BY_NAME[processor] not in GATED:
        raise UsageError(f"unknown processor {processor!r}: expected one of {', '.join(p.name for p in GATED)}")
    if threshold_per_mille is not None and not GATE_OFF <= threshold_per_mille <= 1000:
        raise UsageError(f"the threshold must be from 0.1 to 100 percent, got {threshold_per_mille / 10:g}")
    if valid_until is not None and valid_until <= now:
        raise UsageError(f"the end must lie after now: valid_until={valid_until}, now={now}")
    if not reason.strip():
        raise UsageError("the reason is empty: say why, for those who read it later")


def changes(warehouse: Warehouse, processors: Sequence[str]) -> list[dict[str, Any]]:
    """Every change of the processors, the newest first."""
    return warehouse.query(QUERIES["policy_changes"].sql, processors=list(processors)).to_pylist()
