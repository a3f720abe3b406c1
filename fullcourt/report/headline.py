"""The headline figures of a report beside what was promised: the service levels of domain section 8.3."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import alerts
from fullcourt.report.gather import Facts


@dataclass(frozen=True)
class Figure:
    """One headline.  state: met, missed (the target), broken (the limit), or no data."""

    name: str
    value: str
    state: str
    promise: str
    note: str


def band(ready_pct: float | None) -> str:
    return "NO_DATA" if ready_pct is None else alerts.ready_band(ready_pct)


def figures(facts: Facts) -> list[Figure]:
    """Readiness, completeness, breakers, response and coverage."""
    everything, last = facts.tallies[""], facts.last_tallies[""]
    return [
        Figure(
            "Production ready",
            percent(everything.ready_pct),
            alerts.level(everything.ready_pct, alerts.READY_TARGET, alerts.READY_LIMIT),
            f"more than {alerts.READY_TARGET} %; alert below {alerts.READY_LIMIT} %",
            f"{band(everything.ready_pct)}: of {everything.rows:,} rows; "
            f"{percent(last.ready_pct)} on {facts.last_day}, the last day judged",
        ),
        Figure(
            "Mean completeness",
            percent(everything.mean_pct),
            alerts.level(everything.mean_pct, alerts.COMPLETENESS_TARGET, alerts.COMPLETENESS_LIMIT),
            f"more than {alerts.COMPLETENESS_TARGET} %; alert below {alerts.COMPLETENESS_LIMIT} %",
            f"{percent(last.mean_pct)} on {facts.last_day}",
        ),
        *_breakers(facts),
        _coverage(facts.coverage),
    ]


def _breakers(facts: Facts) -> list[Figure]:
    """Those open now, and the longest that one of them waits; what is open now may concern any game day."""
    active, now = facts.breakers.num_rows, f"{facts.now:%Y-%m-%d %H:%M} UTC"
    hours = pc.max(facts.unanswered["oldest_hours"]).as_py()
    late = pc.sum(facts.unanswered["beyond_target"]).as_py() or 0
    trips = pc.sum(facts.activity["trips"]).as_py() or 0
    return [
        Figure(
            "Open breakers",
            f"{active:,}",
            alerts.level(active, alerts.BREAKERS_TARGET, alerts.BREAKERS_LIMIT),
            f"fewer than {alerts.BREAKERS_TARGET}; alert above {alerts.BREAKERS_LIMIT}",
            f"at {now}; {trips:,} trips over the range",
        ),
        Figure(
            "Breaker response",
            "none waits" if hours is None else f"{hours:,.1f} h",
            alerts.MET
            if hours is None
            else alerts.level(hours, alerts.RESPONSE_TARGET_HOURS, alerts.RESPONSE_LIMIT_HOURS),
            f"less than {alerts.RESPONSE_TARGET_HOURS} h; at most {alerts.RESPONSE_LIMIT_HOURS} h",
            f"of the oldest open one that nobody acted on; {late:,} wait longer than the target",
        ),
    ]


def _coverage(coverage: pa.Table) -> Figure:
    owed = coverage.filter(pc.greater(coverage["expected_keys"], 0))
    share = covered_pct(owed)
    low = owed.filter(pc.less(owed["coverage_pct"], alerts.COVERAGE_LIMIT))
    days = pc.count_distinct(low["analysis_date"]).as_py()
    return Figure(
        "Coverage",
        percent(share),
        alerts.NO_DATA if share is None else alerts.BROKEN if low.num_rows else alerts.MET,
        f"every day and processor at least {alerts.COVERAGE_LIMIT} %",
        f"{low.num_rows:,} of {owed.num_rows:,} processor-days are below, on {days} game days",
    )


def covered_pct(coverage: pa.Table) -> float | None:
    """Keys with a row or an excuse, of those owed; None if none were."""
    owed, lacking = (pc.sum(coverage[name]).as_py() or 0 for name in ("expected_keys", "lacking_keys"))
    return 100 * (owed - lacking) / owed if owed else None


def percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} %"
