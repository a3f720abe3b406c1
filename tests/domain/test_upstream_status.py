"""What the newest run of a processor says of a day, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from fullcourt.domain.processors import BY_NAME, GATED
from fullcourt.domain.upstream_status import (
    DEFENCES,
    DayPublish,
    ProcessorRun,
    describes_its_own_day,
    upstream_status,
)

NOW = datetime(2024, 1, 10, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def run(status: str, hours_ago: float = 1, run_id: str = "r1", error: str | None = None) -> ProcessorRun:
    return ProcessorRun(run_id, status, NOW - hours_ago * HOUR, error)


def publish(status: str, coverage: float | None = None) -> DayPublish:
    return DayPublish("p1", status, coverage)


COMPLETE, HALF, NO_DATA = publish("COMPLETE", 100.0), publish("INCOMPLETE", 48.0), publish("NO_DATA")
# runs, the day's receipt, rows in the table; then status, safe, words of the message, run id
CASES = {
    "success": ([run("success")], COMPLETE, 9, "success", True, None, "r1"),
    "success, and no receipt": ([run("success")], None, 9, "success", True, None, "r1"),
    "no run": ([], None, 0, "not_found", False, "no run covers the day", None),
    "no run, yet rows": ([], None, 9, "not_found", False, "no run covers the day", None),
    "no run on record, yet a receipt": ([], COMPLETE, 9, "success", True, None, "p1"),
    "no run on record, a receipt of half": ([], HALF, 9, "partial", False, "INCOMPLETE, 48.0 % covered", "p1"),
    "failed": ([run("failed", error="disk full")], None, 0, "failed", False, "disk full", "r1"),
    "failed, though published before": ([run("failed")], COMPLETE, 9, "failed", False, "no error on record", "r1"),
    "partial": ([run("partial")], HALF, 9, "partial", False, "INCOMPLETE, 48.0 % covered", "r1"),
    "partial without rows": ([run("partial")], NO_DATA, 0, "partial", False, "published as NO_DATA", "r1"),
    "partial for another day": ([run("partial")], COMPLETE, 9, "success", True, None, "r1"),
    "partial, and no receipt": ([run("partial", error="2024-01-09: short")], None, 9, "partial", False, "short", "r1"),
    "running": ([run("running", 1)], COMPLETE, 9, "running", False, "running for 1.0 hours", "r1"),
    "stale, rows there": ([run("running", 5)], None, 9, "stale_running", True, "holds 9 rows", "r1"),
    "stale, nothing there": ([run("running", 5)], COMPLETE, 0, "stale_running", False, "holds no rows", "r1"),
    "unknown status": ([run("paused")], COMPLETE, 9, "failed", False, "unknown status 'paused'", "r1"),
    "failed, then success": (
        [run("failed", 2, "r1"), run("success", 1, "r2")], COMPLETE, 9, "success", True, None, "r2",
    ),
    "success, then failed": (
        [run("success", 2, "r1"), run("failed", 1, "r2", "audit")], COMPLETE, 9, "failed", False, "audit", "r2",
    ),
    "success, then stuck": (
        [run("success", 9, "r1"), run("running", 6, "r2")], COMPLETE, 9, "stale_running", True, "6.0 hours", "r2",
    ),
    "newest by start, not by id": (
        [run("success", 1, "r1"), run("failed", 2, "r2")], COMPLETE, 9, "success", True, None, "r1",
    ),
    "begun together: the id that sorts last": (
        [run("success", 1, "r2"), run("failed", 1, "r1")], COMPLETE, 9, "success", True, None, "r2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("runs", "published", "rows", "status", "safe", "words", "run_id"), CASES.values(), ids=CASES)
def test_the_newest_run_decides(runs, published, rows, status, safe, words, run_id):
    for ordered in (runs, runs[::-1]):
        found = upstream_status(ordered, published, rows, NOW)
        assert (found.status, found.safe_to_process, found.run_id) == (status, safe, run_id)
        assert found.processor_succeeded == (status == "success")
        assert (found.error_message is None) == (words is None)
        assert (words or "") in (found.error_message or "")


AGES = {
    "just begun": (timedelta(0), "running", 0.0),
    "an instant short of four hours": (4 * HOUR - INSTANT, "running", 4.0),
    "four hours": (4 * HOUR, "stale_running", 4.0),
    "a day": (24 * HOUR, "stale_running", 24.0),
    "begun after now, by a clock that is ahead": (-HOUR, "running", 0.0),
}


@pytest.mark.parametrize(("age", "status", "hours"), AGES.values(), ids=AGES)
def test_i57_a_run_is_taken_for_dead_after_exactly_four_hours_and_blocks_nobody(age, status, hours):
    """Runs that crashed stayed `running` for ever, and whoever waited for them waited too."""
    found = upstream_status([ProcessorRun("r1", "running", NOW - age)], None, 9, NOW)
    assert (found.status, found.stale_age_hours) == (status, hours)
    assert found.safe_to_process == (status == "stale_running")
    assert not found.processor_succeeded


def test_only_a_running_run_has_an_age():
    assert upstream_status([run("failed", 9)], None, 9, NOW).stale_age_hours is None


def test_who_asks_whom_before_building():
    """Domain section 3.8."""
    assert {name: (defence.upstream, defence.lookback_days) for name, defence in DEFENCES.items()} == {
        "team_defense_zone_analysis": ("team_defense_game_summary", 15),
        "player_shot_zone_analysis": ("player_game_summary", 10),
        "player_daily_cache": ("player_game_summary", 10),
        "ml_feature_store_v2": ("player_game_summary", 10),
        "player_composite_factors": ("upcoming_player_game_context", 14),
    }
    assert all(name in BY_NAME for name in DEFENCES)


def test_summaries_are_asked_for_the_day_before_and_rows_of_a_day_for_the_day_itself():
    asked = {defence.upstream: describes_its_own_day(defence.upstream) for defence in DEFENCES.values()}
    assert asked == {
        "team_defense_game_summary": True,
        "player_game_summary": True,
        "upcoming_player_game_context": False,
    }
    assert not any(describes_its_own_day(processor.name) for processor in GATED)
