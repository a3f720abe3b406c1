"""How the platform is on one game day: bands, service levels, runs, cascade, coverage, breakers, and what is wrong."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from fullcourt.domain import alerts
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import BY_NAME, GATED
from fullcourt.orchestration import policy
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]


def health(warehouse: Warehouse, day: dt.date, now: dt.datetime, processor: str | None = None) -> dict[str, Any]:
    """The state of the newest game day up to the day asked for, as of now.

    processor: only what concerns this one.  healthy: no alert is critical or a warning; symptoms of an alert are
    listed apart, as explained.  GateError when the schedule holds no game up to the day.
    """
    if processor is not None and processor not in BY_NAME:
        raise UsageError(f"unknown processor {processor!r}: expected one of {', '.join(BY_NAME)}")
    check_schema(warehouse)

    def ask(name: str, **parameters: Any) -> Rows:
        return warehouse.query(QUERIES[name].sql, **parameters).to_pylist()

    with warehouse.reading():
        newest = [row["game_date"] for row in ask("newest_game_days", date=day)]
        if not newest:
            raise GateError(f"no schedule is loaded up to {day}: load one with `fullcourt ingest`")
        date, earlier = newest[0], newest[-1]
        raised, explained = _alerts(ask, date, now, processor)
        processors = _processors(ask, date, now, processor)
        return {
            "date": date,
            "asked": day,
            "healthy": all(alert["severity"] == alerts.Severity.INFO for alert in raised),
            "alerts": raised,
            "explained": explained,
            "policies": [row for row in policy.active(warehouse, now) if processor in (None, row["processor"])],
            "processors": processors,
            "service_levels": _levels(processors),
            "cascade": _cascade(ask, date),
            "coverage": _of(ask("coverage_parts", start=earlier, end=date), processor),
        }


def _alerts(ask: Ask, date: dt.date, now: dt.datetime, processor: str | None) -> tuple[Rows, Rows]:
    """What is wrong, the worst first, and the symptoms that a lost game day explains."""
    order = {cause.id: place for place, cause in enumerate(alerts.CAUSES)}
    rows = ask("alerts", date=date, now=now)
    if processor is not None:
        concerned = {row["game_date"] for row in ask("lost_game_days", date=date, processor=processor)}
        rows = [row for row in rows if _concerns(row, processor, concerned)]
    severities = list(alerts.Severity)
    rows.sort(key=lambda row: (severities.index(row["severity"]), order[row["cause"]], -row["value"]))
    said = [_said(row, date) for row in rows]
    return [row for row in said if not row["explained_by"]], [row for row in said if row["explained_by"]]


def _concerns(row: Mapping[str, Any], processor: str, lost_days: set[dt.date]) -> bool:
    if row["cause"] == "LOST_GAME_DAY":
        return row["analysis_date"] in lost_days
    return row["processor_name"] in (None, processor)


def _said(row: dict[str, Any], date: dt.date) -> dict[str, Any]:
    """An alert in words, with the command that answers it."""
    cause = alerts.CAUSE[row["cause"]]
    named = {
        "day": row["analysis_date"],
        "processor": row["processor_name"],
        "phase": row["phase"],
        "affected": row["affected"],
        "games": row["games"],
        "value": None if row["value"] is None else f"{row['value']:g}",
        "today": date,
    }
    return {
        "severity": row["severity"],
        "cause": row["cause"],
        "processor": row["processor_name"],
        "day": row["analysis_date"],
        "affected": row["affected"],
        "text": cause.text.format_map(named),
        "command": cause.command.format_map(named),
        "explained_by": row["explained_by"],
    }


def _processors(ask: Ask, date: dt.date, now: dt.datetime, processor: str | None) -> Rows:
    """One row a processor: its rows of the day, their band, its newest run and its open breakers."""
    judged = {row["processor_name"]: row for row in ask("completeness_health", date=date)}
    runs = {row["processor_name"]: row for row in ask("newest_runs", now=now)}
    breakers = {row["processor_name"]: row for row in ask("unanswered_breakers", now=now)}
    rows = []
    for name in BY_NAME if processor is None else [processor]:
        share, run, response = judged.get(name, {}), runs.get(name, {}), breakers.get(name, {})
        rows.append(
            {
                "processor": name,
                "rows": share.get("total_rows"),
                "ready": share.get("ready_rows"),
                "ready_pct": share.get("ready_pct"),
                "band": share.get("status"),
                "mean_pct": share.get("mean_completeness_pct"),
                "run": run.get("status", "not_found"),
                "run_day": run.get("data_date"),
                "run_id": run.get("run_id"),
                "open_breakers": response.get("active", 0),
                "oldest_hours": response.get("oldest_hours"),
            }
        )
    return rows


def _levels(processors: Rows) -> Rows:
    """The service levels: of processors their own, of breakers the sum and the oldest of those shown."""
    gated = {p.name for p in GATED}
    rows = []
    for row in processors:
        if row["processor"] in gated and row["rows"]:
            name = row["processor"]
            rows.append(_level("ready_pct", name, row["ready_pct"], alerts.READY_TARGET, alerts.READY_LIMIT))
            limits = (alerts.COMPLETENESS_TARGET, alerts.COMPLETENESS_LIMIT)
            rows.append(_level("mean_pct", name, row["mean_pct"], *limits))
    active = sum(row["open_breakers"] for row in processors)
    oldest = max((row["oldest_hours"] for row in processors if row["oldest_hours"] is not None), default=0)
    rows.append(_level("open_breakers", None, active, alerts.BREAKERS_TARGET, alerts.BREAKERS_LIMIT))
    limits = (alerts.RESPONSE_TARGET_HOURS, alerts.RESPONSE_LIMIT_HOURS)
    rows.append(_level("breaker_response_hours", None, oldest, *limits))
    return rows


def _level(name: str, processor: str | None, value: float | None, target: float, limit: float) -> dict[str, Any]:
    row = {"level": name, "processor": processor, "value": value, "target": target, "limit": limit}
    return {**row, "status": alerts.level(value, target, limit)}


def _cascade(ask: Ask, date: dt.date) -> dict[str, Any] | None:
    """For how many feature rows each upstream was ready, and the band of the lowest share; None without rows."""
    rows = ask("cascade_health", date=date)
    if not rows:
        return None
    return {**rows[0], "band": alerts.ready_band(rows[0]["lowest_pct"])}


def _of(rows: Rows, processor: str | None) -> Rows:
    return [row for row in rows if processor in (None, row["processor_name"])]
