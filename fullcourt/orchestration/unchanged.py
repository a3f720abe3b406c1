"""A run that would compute what is there already, and therefore computes nothing.

The proof is in the history of the run before: the hash of all that it computed its rows from, and that of the
publishes it left.  If the first is today's, and the second and the rows behind it still stand, so do its rows.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from fullcourt.domain.days import sports_day, to_date, to_number
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Processor
from fullcourt.orchestration.history import history_row, instant
from fullcourt.orchestration.publish import (
    Publish,
    covered,
    insert_records,
    newest_receipts,
    publishes_hash,
    stored_rows,
)
from fullcourt.orchestration.receipts import NOTHING_OWED, config_hash, coverage_of
from fullcourt.warehouse import Read, Session, Warehouse

_CODE = ("fullcourt", "pipelines", "transforms", "schemas")


def inputs_hash(
    prints: Mapping[str, str], processors: Sequence[Processor], mode: str, settings: Mapping[str, Any]
) -> str:
    """Of everything that the processors' rows depend on: content, configuration, options, the model itself.

    prints: table -> fingerprint of its content.
    """
    configured = [config_hash(processor, mode) for processor in processors]
    if settings.get("model_file"):
        settings = {**settings, "model": hashlib.sha256(Path(settings["model_file"]).read_bytes()).hexdigest()}
    return hash_settings({"content": sorted(prints.items()), "configured": configured, "settings": repr(settings)})


def inputs_of(warehouse: Warehouse, finish: Publish, reads: Sequence[Read], settings: Mapping[str, Any]) -> str:
    """The hash of a live run's inputs as they are now.

    The clock decides two things: which breakers are still open, and which days are past.  Content and order are in the
    fingerprints and the days, so that their numbers say which.
    """
    now = instant(finish.stamp.now)
    still_open = warehouse.query(
        "SELECT COUNT(*) AS breakers FROM nba_orchestration.breaker_state WHERE processor_name IN UNNEST(@processors) "
        "AND analysis_date IN UNNEST(@days) AND open_until > @now",
        processors=[processor.name for processor in finish.processors],
        days=[to_date(day) for day in finish.days],
        now=now,
    )
    asked = {
        **settings,
        "days": finish.days,
        "open": still_open["breakers"][0].as_py(),
        "past": sum(day < to_number(sports_day(now)) for day in finish.days),
        "code": _code(),
    }
    return inputs_hash(warehouse.fingerprints(reads), finish.processors, finish.mode, asked)


def settle(warehouse: Warehouse, finish: Publish) -> dict[str, Any] | None:
    """Records a run that finds its result there, and returns what it reports; None: it has to compute.

    The report is that of the run that computed it, `unchanged_since`, with every day unchanged.
    """
    last = _last(warehouse, finish)
    if last.keys() != {processor.name for processor in finish.processors}:
        return None
    reports, rows = [], []
    with warehouse.transaction({}) as session:
        for processor in finish.processors:
            row = last[processor.name]
            statuses = _standing(session, finish, processor, row["publishes_hash"])
            if statuses is None:
                return None
            report = {**json.loads(row["summary"])["report"], "unchanged_days": len(finish.days), "demoted": 0}
            reports.append(report)
            rows.append(
                history_row(
                    processor,
                    finish.stamp,
                    finish.started,
                    finish.mode,
                    [to_date(day) for day in finish.days],
                    [],
                    statuses,
                    upstream=finish.upstream,
                    trigger_source=finish.trigger_source,
                    inputs=finish.inputs,
                    publishes=row["publishes_hash"],
                    report=report,
                )
            )
        insert_records(session, "processor_run_history", rows)
    since = {row["run_id"] for row in last.values()}
    return {"run_id": finish.stamp.run_id, "unchanged_since": max(since), "processors": reports}


def _last(warehouse: Warehouse, finish: Publish) -> dict[str, dict[str, Any]]:
    """By processor, its part in the newest run that published what it computed from these inputs."""
    found = warehouse.query(
        "SELECT processor_name, run_id, publishes_hash, summary FROM nba_reference.processor_run_history "
        "WHERE inputs_hash = @inputs AND publishes_hash IS NOT NULL ORDER BY processed_at, run_id",
        inputs=finish.inputs,
    )
    return {row["processor_name"]: row for row in found.to_pylist()}


def _standing(session: Session, finish: Publish, processor: Processor, publishes: str) -> dict[dt.date, str] | None:
    """The days' statuses, if they still have those publishes, all their rows, and cover what they covered."""
    days = [to_date(day) for day in finish.days]
    receipts = newest_receipts(session, processor, days)
    if receipts.keys() != set(days) or publishes_hash(receipts.values()) != publishes:
        return None
    stored = stored_rows(session, processor, days)
    owed = covered(session, processor, days, instant(finish.stamp.now))
    for day, receipt in receipts.items():
        coverage = coverage_of(owed.get(day, NOTHING_OWED), receipt["row_count"])
        if stored.get(day, 0) != receipt["row_count"] or not coverage.items() <= receipt.items():
            return None
    return {day: receipt["status"] for day, receipt in receipts.items()}


@cache
def _code() -> str:
    """Of the source that computes: a changed rule is computed with, whether or not anybody raised a version."""
    found = hashlib.sha256()
    for package in _CODE:
        (directory,) = import_module(package).__path__
        for file in sorted(Path(directory).rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
