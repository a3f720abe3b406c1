"""Strict mode of a run: refuses before anything is computed, or says after publishing who is not ready."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from fullcourt.domain.errors import DependencyError
from fullcourt.domain.processors import BY_NAME, Processor
from fullcourt.domain.upstream_status import DEFENCES, Defence
from fullcourt.orchestration.upstream import days_relied_on, statuses
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES

_SHOWN = 3
_NOTHING_THERE = ("MISSING", "NO_DATA")  # a day published in part is no gap: the gate judges its entities one by one


def refuse_unsafe(
    warehouse: Warehouse, processors: Sequence[Processor], days: Sequence[dt.date], now: dt.datetime
) -> None:
    """DependencyError when one of the processors would build a day on an upstream that is not safe or has gaps.

    days: the game days to be computed, ascending.  A gap is a game day in the consumer's look-back of which the
    upstream has published nothing; what was cleaned up since is none.
    """
    consumers: dict[Defence, list[str]] = {}
    for processor in processors:
        if processor.name in DEFENCES:
            consumers.setdefault(DEFENCES[processor.name], []).append(processor.name)
    unsafe: list[dict[str, Any]] = []
    gaps: list[dict[str, Any]] = []
    for defence, names in consumers.items():
        named = {"upstream_processor": defence.upstream, "processors": names}
        unsafe += [named | found for found in _unsafe_days(warehouse, BY_NAME[defence.upstream], days, now)]
        if missing := _days_lacked(warehouse, defence, days):
            gaps.append({**named, "lookback_days": defence.lookback_days, "missing_dates": missing})
    if unsafe or gaps:
        text = "; ".join([*_unsafe_texts(unsafe), *map(_gap_text, gaps)])
        raise DependencyError(f"strict: {text}; nothing was computed", {"unsafe": unsafe, "gaps": gaps})


def _unsafe_days(
    warehouse: Warehouse, upstream: Processor, days: Sequence[dt.date], now: dt.datetime
) -> list[dict[str, Any]]:
    """Of the days that the given ones rely on, those that are not safe."""
    relied_on = sorted(set(days_relied_on(warehouse, upstream, days).values()))
    return [
        {"day": day, "status": status.status.value, "error_message": status.error_message}
        for day, status in statuses(warehouse, upstream, relied_on, now).items()
        if not status.safe_to_process
    ]


def _days_lacked(warehouse: Warehouse, defence: Defence, days: Sequence[dt.date]) -> list[dt.date]:
    """The gaps that lie in the look-back of one of the days, ascending."""
    lookback = dt.timedelta(defence.lookback_days)
    rows = warehouse.query(
        QUERIES["game_day_gaps"].sql, start=days[0] - lookback, end=days[-1] - dt.timedelta(1)
    ).to_pylist()
    return [
        row["analysis_date"]
        for row in rows
        if row["processor_name"] == defence.upstream
        and row["status"] in _NOTHING_THERE
        and any(row["analysis_date"] < day <= row["analysis_date"] + lookback for day in days)
    ]


def refuse_incomplete(
    warehouse: Warehouse,
    processors: Sequence[Processor],
    start: dt.date,
    end: dt.date,
    reports: Sequence[Mapping[str, Any]],
) -> None:
    """DependencyError when an entity of the processors is not ready on a day of the closed range, as published.

    reports: what the run said of each processor.
    """
    not_ready = ("flagged", "incomplete", "blocked", "dead_letter")
    if not any(report[verdict] for report in reports for verdict in not_ready):
        return
    means = {report["processor"]: report["mean_completeness_pct"] for report in reports}
    rows = warehouse.query(QUERIES["not_ready"].sql, start=start, end=end).to_pylist()
    found = []
    for processor in processors:
        mine = [row for row in rows if row["processor_name"] == processor.name]
        if mine and processor.upstream:
            found.append(_incomplete(processor, mine, (start, end), means[processor.name]))
    if found:
        text = "; ".join(map(_incomplete_text, found))
        raise DependencyError(f"published, but not all is ready: {text}", {"processors": found})


def _incomplete(
    processor: Processor, rows: list[dict[str, Any]], days: tuple[dt.date, dt.date], mean: float | None
) -> dict[str, Any]:
    """One processor's details; its results are the rows that are not ready."""
    assert processor.upstream is not None
    return {
        "processor": processor.name,
        "upstream_table": TABLES[processor.upstream.table].id,
        "analysis_date": days[0] if days[0] == days[1] else days,
        "threshold": processor.threshold_per_mille / 10,
        "incomplete_entities": sorted({row["entity_id"] for row in rows}),
        "avg_completeness": mean,
        "total_missing_games": sum(row["missing_games_count"] or 0 for row in rows),
        "results": rows,
    }


def _incomplete_text(details: Mapping[str, Any]) -> str:
    shown = [f"{row['entity_id']} on {row['analysis_date']}" for row in details["results"][:_SHOWN]]
    return (
        f"{details['processor']} (threshold {details['threshold']:g} %, mean completeness "
        f"{details['avg_completeness']} %, {details['total_missing_games']} games missing): "
        f"{_listed(shown, len(details['results']))}"
    )


def _unsafe_texts(unsafe: list[dict[str, Any]]) -> list[str]:
    """One sentence an upstream; of many days the first few."""
    texts = []
    for upstream in dict.fromkeys(row["upstream_processor"] for row in unsafe):
        mine = [row for row in unsafe if row["upstream_processor"] == upstream]
        shown = [f"{row['day']} is {row['status']} ({row['error_message']})" for row in mine[:_SHOWN]]
        texts.append(f"{upstream} of {_listed(shown, len(mine))}, needed by {', '.join(mine[0]['processors'])}")
    return texts


def _gap_text(gap: dict[str, Any]) -> str:
    shown = [day.isoformat() for day in gap["missing_dates"][:_SHOWN]]
    return (
        f"{gap['upstream_processor']} lacks {_listed(shown, len(gap['missing_dates']))}, within the "
        f"{gap['lookback_days']}-day look-back of {', '.join(gap['processors'])}"
    )


def _listed(shown: list[str], count: int) -> str:
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")
