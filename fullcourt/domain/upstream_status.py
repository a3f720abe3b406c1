"""Whether a processor's newest run of a day leaves something to build on, and who must ask before it builds.

A run covers a closed range of days and its status speaks for all of them; what it published of one day, that day's
receipt says.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from fullcourt.domain.processors import BY_NAME

STALE_AFTER = dt.timedelta(hours=4)
COMPLETE = "COMPLETE"  # of a receipt


class Status(enum.StrEnum):
    SUCCESS = "success"
    NOT_FOUND = "not_found"  # no run covers the day
    FAILED = "failed"
    PARTIAL = "partial"  # it published, but not all that the day owed
    RUNNING = "running"
    STALE_RUNNING = "stale_running"  # says it runs, and began so long ago that it is taken for dead


@dataclass(frozen=True)
class ProcessorRun:
    """One row of processor_run_history. error: what it says went wrong; None if nothing."""

    run_id: str
    status: str
    started_at: dt.datetime
    error: str | None = None


@dataclass(frozen=True)
class DayPublish:
    """The day's newest receipt. status: COMPLETE, INCOMPLETE or NO_DATA; coverage_pct: None if nothing was owed."""

    run_id: str
    status: str
    coverage_pct: float | None = None


@dataclass(frozen=True)
class UpstreamStatus:
    """The answer. error_message: why it is not safe, or why it is in spite of its status; None on success.

    run_id: of the newest run; None without one.  stale_age_hours: how long a running one has been running, else None.
    """

    status: Status
    safe_to_process: bool
    error_message: str | None = None
    run_id: str | None = None
    stale_age_hours: float | None = None

    @property
    def processor_succeeded(self) -> bool:
        return self.status is Status.SUCCESS


_NOT_FOUND = UpstreamStatus(Status.NOT_FOUND, False, "no run covers the day")


def upstream_status(
    runs: Iterable[ProcessorRun], published: DayPublish | None, row_count: int, now: dt.datetime
) -> UpstreamStatus:
    """The status of a processor on a day.

    runs: those that cover the day, in any order; the newest by start decides, of two that began together the one
    whose id sorts last.  published: the day's newest receipt, None without one; it decides where no run is on record
    or the newest is partial.
    row_count: computed rows of the day in the processor's table; asked only when the newest run has been running for
    four hours or more, which is no success: then the table itself decides.
    """
    newest = max(runs, key=lambda run: (run.started_at, run.run_id), default=None)
    if newest is None:
        return _published(published.run_id, published) if published else _NOT_FOUND
    if newest.status == Status.RUNNING:
        return _running(newest, row_count, now - newest.started_at)
    if newest.status == Status.SUCCESS:
        return UpstreamStatus(Status.SUCCESS, True, None, newest.run_id)
    if newest.status == Status.PARTIAL:  # perhaps another of its days is what it left short
        partial = UpstreamStatus(Status.PARTIAL, False, newest.error or "not all days are covered", newest.run_id)
        return _published(newest.run_id, published) if published else partial
    error = newest.error or "no error on record"
    if newest.status != Status.FAILED:
        error = f"unknown status {newest.status!r}: {error}"
    return UpstreamStatus(Status.FAILED, False, error, newest.run_id)


def _running(run: ProcessorRun, row_count: int, age: dt.timedelta) -> UpstreamStatus:
    hours = max(0.0, round(age / dt.timedelta(hours=1), 1))
    if age < STALE_AFTER:
        return UpstreamStatus(Status.RUNNING, False, f"running for {hours} hours", run.run_id, hours)
    found = f"the table holds {row_count} rows of the day" if row_count else "the table holds no rows of the day"
    text = f"running for {hours} hours and taken for dead; {found}"
    return UpstreamStatus(Status.STALE_RUNNING, row_count > 0, text, run.run_id, hours)


def _published(run_id: str, published: DayPublish) -> UpstreamStatus:
    """By what the day's receipt says."""
    if published.status == COMPLETE:
        return UpstreamStatus(Status.SUCCESS, True, None, run_id)
    covered = "" if published.coverage_pct is None else f", {published.coverage_pct:.1f} % covered"
    return UpstreamStatus(Status.PARTIAL, False, f"published as {published.status}{covered}", run_id)


@dataclass(frozen=True)
class Defence:
    """What a consumer asks before it builds on an upstream processor. lookback_days: calendar days before D."""

    upstream: str
    lookback_days: int


DEFENCES: dict[str, Defence] = {
    "team_defense_zone_analysis": Defence("team_defense_game_summary", 15),
    "player_shot_zone_analysis": Defence("player_game_summary", 10),
    "player_daily_cache": Defence("player_game_summary", 10),
    "player_composite_factors": Defence("upcoming_player_game_context", 14),
    "ml_feature_store_v2": Defence("player_game_summary", 10),
}


def describes_its_own_day(processor: str) -> bool:
    """Whether rows keyed to D describe D's games: then who builds for D needs those of the game day before.

    Rows of every other processor say what was knowable before D, and whoever builds for D reads those of D.
    """
    return not BY_NAME[processor].windows
