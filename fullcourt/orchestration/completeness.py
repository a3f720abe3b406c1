"""The completeness checker as a Python library: many entities at once, ranges of days, upstream processors.

A warehouse is an open one or its URL.  docs/python-api.md has examples.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TypedDict, TypeVar

from fullcourt.domain.errors import DependencyError, UsageError
from fullcourt.domain.processors import Entity
from fullcourt.domain.tables import Table
from fullcourt.domain.windows import Span, Window
from fullcourt.orchestration.batch import OWN_DATA_INCOMPLETE, Asked, EntityCompleteness, judged
from fullcourt.orchestration.gaps import Frequency, find_table, table_gaps
from fullcourt.orchestration.upstream import days_relied_on, find_processor, statuses
from fullcourt.warehouse import Warehouse, open_warehouse
from fullcourt.warehouse.ddl import check_schema

UPSTREAM_PROCESSOR_FAILED = "upstream_processor_failed"
HISTORICAL_GAPS = "historical_gaps"
_ISSUES = (OWN_DATA_INCOMPLETE, UPSTREAM_PROCESSOR_FAILED, HISTORICAL_GAPS)  # in the order of the checks

_SHOWN = 5
Chosen = TypeVar("Chosen", Entity, Span, Frequency)


class DateRangeCompleteness(TypedDict):
    """The days of a range that a table lacks. date_range: (first day, last day), both belong to it."""

    has_gaps: bool
    missing_dates: list[dt.date]
    gap_count: int
    coverage_pct: float
    date_range: tuple[dt.date, dt.date]
    is_continuous: bool


class UpstreamProcessorStatus(TypedDict):
    """The newest run of a processor on a day.

    status: success, not_found, failed, partial, running, or stale_running (running for four hours or more), which is
    no success, but safe when the table holds the day.  stale_age_hours: since when it runs; None if it does not.
    """

    processor_succeeded: bool
    status: str
    safe_to_process: bool
    error_message: str | None
    run_id: str | None
    stale_age_hours: float | None


def check_completeness_batch(
    warehouse: Warehouse | str,
    entity_ids: Sequence[str],
    entity_type: str,
    analysis_date: dt.date,
    upstream_table: str,
    upstream_entity_field: str | None = None,
    lookback_window: int = 10,
    window_type: str = "games",
    season_start_date: dt.date | None = None,
    *,
    fail_on_incomplete: bool = False,
    check_historical_gaps: bool = False,
    historical_lookback_days: int = 30,
    date_column: str | None = None,
    upstream_processor: str | None = None,
    completeness_threshold: float | None = None,
    now: dt.datetime | None = None,
) -> dict[str, EntityCompleteness]:
    """How complete each entity's window before analysis_date is: one evaluation for all of them, by the gate's kernel.

    entity_ids: tricodes, or players' names in any spelling; the result has an entry under each as it was given.
    entity_type: team or player.  upstream_table: the table counted against, with or without dataset.
    upstream_entity_field: its column that names the entity; None for the one that the processors use.
    lookback_window, window_type: so many games (which no excused game uses up) or days.
    season_start_date: no game before it counts; None for the season's first game in the schedule.
    completeness_threshold: percent, above 0 and at most 100, at one decimal; None for 90.
    upstream_processor: must have a safe newest run of the game day before (or of the day itself, if its rows say what
    was knowable before it), else no entity is ready.
    check_historical_gaps: the table must have rows of every game day of the historical_lookback_days before
    analysis_date, in date_column (None for the table's own), else no entity is ready.
    fail_on_incomplete: raise DependencyError when any entity is not ready; without it the mapping is always returned.
    now: an instant with time zone, by which a running upstream is stale; None for the clock.

    UsageError for an unknown table, column, processor or type; GateError when the season's schedule is not loaded.
    """
    store, day = _opened(warehouse), analysis_date
    window = _window(lookback_window, window_type)
    per_mille = _per_mille(completeness_threshold)
    asked = Asked(_chosen(Entity, entity_type, "entity type"), find_table(upstream_table), upstream_entity_field)
    processor = asked.processor(window, per_mille)
    if season_start_date is not None and season_start_date > day:
        raise UsageError(f"the season must start before the day: season_start_date={season_start_date}, day={day}")
    results = judged(store, asked, processor, entity_ids, day, season_start_date)
    if upstream_processor is not None and not _upstream_is_safe(store, upstream_processor, day, now):
        _force_not_ready(results, UPSTREAM_PROCESSOR_FAILED)
    if check_historical_gaps and _lacks_days(store, asked.table, date_column, day, historical_lookback_days):
        _force_not_ready(results, HISTORICAL_GAPS)
    if fail_on_incomplete:
        _raise_if_incomplete(asked.table, day, per_mille / 10, results)
    return results


def check_date_range_completeness(
    warehouse: Warehouse | str,
    table: str,
    date_column: str | None,
    start_date: dt.date,
    end_date: dt.date,
    expected_frequency: str = "game_days",
) -> DateRangeCompleteness:
    """Which days of the closed range have no row in the table; a row that was held back is none.

    date_column: None for the table's own day.  expected_frequency: game_days, by the schedule, or all_days.
    A range in which no day is expected is continuous, with a coverage of 100.

    UsageError for an unknown table or a column that holds no dates; GateError when no schedule is loaded for the range.
    """
    frequency = _chosen(Frequency, expected_frequency, "frequency")
    gaps = table_gaps(_opened(warehouse), find_table(table), date_column, start_date, end_date, frequency)
    return {
        "has_gaps": gaps.has_gaps,
        "missing_dates": list(gaps.missing_dates),
        "gap_count": gaps.gap_count,
        "coverage_pct": gaps.coverage_pct,
        "date_range": (start_date, end_date),
        "is_continuous": gaps.is_continuous,
    }


def check_upstream_processor_status(
    warehouse: Warehouse | str, processor_name: str, data_date: dt.date, *, now: dt.datetime | None = None
) -> UpstreamProcessorStatus:
    """Whether what the processor left of a day can be built on, by its newest run that covers the day.

    now: an instant with time zone, by which a running one is stale; None for the clock.
    UsageError for an unknown processor.
    """
    found = statuses(_opened(warehouse), find_processor(processor_name), [data_date], _instant(now))[data_date]
    return {
        "processor_succeeded": found.processor_succeeded,
        "status": found.status.value,
        "safe_to_process": found.safe_to_process,
        "error_message": found.error_message,
        "run_id": found.run_id,
        "stale_age_hours": found.stale_age_hours,
    }


def _upstream_is_safe(warehouse: Warehouse, name: str, day: dt.date, now: dt.datetime | None) -> bool:
    processor = find_processor(name)
    relied_on = list(days_relied_on(warehouse, processor, [day]).values())
    found = statuses(warehouse, processor, relied_on, _instant(now))
    return all(status.safe_to_process for status in found.values())


def _lacks_days(warehouse: Warehouse, table: Table, date_column: str | None, day: dt.date, lookback: int) -> bool:
    if lookback < 1:
        raise UsageError(f"historical_lookback_days must be 1 or more, got {lookback}")
    first, last = day - dt.timedelta(lookback), day - dt.timedelta(1)
    return table_gaps(warehouse, table, date_column, first, last, Frequency.GAME_DAYS).has_gaps


def _force_not_ready(results: Mapping[str, EntityCompleteness], issue: str) -> None:
    for result in results.values():
        result["is_production_ready"] = False
        result["data_quality_issues"].append(issue)


def _raise_if_incomplete(
    table: Table, day: dt.date, threshold: float, results: Mapping[str, EntityCompleteness]
) -> None:
    incomplete = [name for name, result in results.items() if not result["is_production_ready"]]
    if not incomplete:
        return
    known = [result["completeness_pct"] for result in results.values() if result["completeness_pct"] is not None]
    mean = round(sum(known) / len(known), 1) if known else None
    missing = sum(result["missing_count"] for result in results.values())
    met = {issue for result in results.values() for issue in result["data_quality_issues"]}
    issues = [issue for issue in _ISSUES if issue in met]
    shown = ", ".join(incomplete[:_SHOWN]) + (f" and {len(incomplete) - _SHOWN} more" if incomplete[_SHOWN:] else "")
    raise DependencyError(
        f"{len(incomplete)} of {len(results)} entities are not ready on {day} by {table.id}: {shown}; threshold "
        f"{threshold:g} %, mean completeness {'none' if mean is None else f'{mean} %'}, {missing} games missing"
        + (f"; issues: {', '.join(issues)}" if issues else ""),
        {
            "upstream_table": table.id,
            "analysis_date": day,
            "threshold": threshold,
            "incomplete_entities": incomplete,
            "avg_completeness": mean,
            "total_missing_games": missing,
            "results": dict(results),
        },
    )


def _opened(warehouse: Warehouse | str) -> Warehouse:
    opened = open_warehouse(warehouse) if isinstance(warehouse, str) else warehouse
    check_schema(opened)
    return opened


def _instant(now: dt.datetime | None) -> dt.datetime:
    if now is None:
        return dt.datetime.now(dt.UTC)
    if now.tzinfo is None:
        raise UsageError(f"now needs a time zone, got {now.isoformat()}")
    return now


def _window(length: int, kind: str) -> Window:
    if length < 1:
        raise UsageError(f"lookback_window must be 1 or more, got {length}")
    return Window(_chosen(Span, kind, "window type"), length)


def _per_mille(percent: float | None) -> int:
    if percent is None:
        return 900
    per_mille = round(10 * percent)
    if not 0 < per_mille <= 1000 or abs(per_mille - 10 * percent) > 1e-9:
        raise UsageError(f"completeness_threshold must be a percentage above 0 to 100 at one decimal, got {percent}")
    return per_mille


def _chosen(kind: type[Chosen], value: str, what: str) -> Chosen:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(
            f"unknown {what} {value!r}: expected one of {', '.join(member.value for member in kind)}"
        ) from None
