"""Who is dispatched, why the others are not, from which line, on which days."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions.assembly import Assembled, summaries, summary
from fullcourt.domain.predictions.coordinator import (
    Held,
    Players,
    Rules,
    Summary,
    check_day,
    estimate_line,
    hold_back,
    texts,
)

NAN = float("nan")


def players(**changes) -> Players:
    """One player with nothing against him, changed."""
    fine = {
        "status": None,
        "minutes": 30.0,
        "context_ready": True,
        "context_bootstrap": False,
        "has_features": True,
        "features_ready": True,
        "features_bootstrap": False,
        "quality": 100.0,
        "out_of_range": False,
    }
    row = {**fine, **changes}
    return Players(pa.array([row.pop("status")], pa.string()), **{name: np.array([v]) for name, v in row.items()})


def reason(rules: Rules | None = None, **changes) -> str | None:
    return texts(hold_back(players(**changes), rules or Rules())).to_pylist()[0]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({}, None, id="dispatched"),
        pytest.param({"status": "out"}, "player_out", id="out"),
        pytest.param({"status": "OUT"}, "player_out", id="as-the-original-compared"),
        pytest.param({"status": " Doubtful "}, "player_out", id="doubtful"),
        pytest.param({"status": "questionable"}, None, id="questionable-plays"),
        pytest.param({"minutes": 14.9}, "low_minutes", id="few-minutes"),
        pytest.param({"minutes": 15.0}, None, id="15-are-enough"),
        pytest.param({"minutes": NAN}, "low_minutes", id="no-game-in-7-days"),
        pytest.param({"context_ready": False}, "context_not_production_ready", id="context-not-ready"),
        pytest.param({"context_ready": False, "context_bootstrap": True}, None, id="bootstrap-context"),
        pytest.param({"has_features": False}, "no_features", id="no-row"),
        pytest.param({"features_ready": False}, "features_not_production_ready", id="features-not-ready"),
        pytest.param({"features_ready": False, "features_bootstrap": True}, None, id="bootstrap-features"),
        pytest.param({"quality": 69.99}, "low_feature_quality", id="low-quality"),
        pytest.param({"quality": 70.0}, None, id="70-is-enough"),
        pytest.param({"quality": NAN}, "low_feature_quality", id="unknown-quality"),
        pytest.param({"out_of_range": True}, "invalid_features", id="out-of-range"),
    ],
)
def test_reasons(changes, wanted):
    assert reason(**changes) == wanted


def test_the_first_failing_rule_is_the_reason():
    failing = {
        "player_out": {"status": "out"},
        "context_not_production_ready": {"context_ready": False},
        "low_minutes": {"minutes": 0.0},
        "no_features": {"has_features": False},
        "features_not_production_ready": {"features_ready": False},
        "low_feature_quality": {"quality": 0.0},
        "invalid_features": {"out_of_range": True},
    }
    changes: dict = {}
    for wanted, change in reversed(failing.items()):  # the last alone, then one more in front of it
        changes |= change
        assert reason(**changes) == wanted
    assert [held.text for held in Held][1:] == list(failing)


def test_rules_are_settings():
    assert reason(Rules(minimum_minutes=0), minutes=NAN) is None
    assert reason(Rules(minimum_minutes=20), minutes=19.0) == "low_minutes"
    assert reason(Rules(minimum_quality=50), quality=50.0) is None
    assert reason(Rules(minimum_quality=0), quality=0.0) is None


@pytest.mark.parametrize(
    "settings", [{"minimum_minutes": -1}, {"minimum_minutes": 48.5}, {"minimum_minutes": NAN}, {"minimum_quality": 101}]
)
def test_senseless_settings_are_refused(settings):
    with pytest.raises(UsageError, match=next(iter(settings))):
        Rules(**settings)


def test_nobody_is_on_the_injury_report():
    nobody = replace(players(), status=pa.nulls(1))
    assert hold_back(nobody, Rules()).tolist() == [Held.DISPATCHED]


TODAY = dt.date(2025, 1, 15)


@pytest.mark.parametrize("day", ["2024-12-16", "2025-01-15", "2025-01-29"])
def test_days_that_are_predicted(day):
    check_day(dt.date.fromisoformat(day), TODAY)


@pytest.mark.parametrize("day", ["2024-12-15", "2025-01-30"])
def test_days_that_are_not(day):
    with pytest.raises(GateError, match=f"2024-12-16 to 2025-01-29 .* not for {day}"):
        check_day(dt.date.fromisoformat(day), TODAY)


@pytest.mark.parametrize(
    ("average", "line"),
    [(20.0, 20.0), (20.2, 20.0), (20.25, 20.5), (20.7, 20.5), (20.75, 21.0), (0.3, 0.5), (0.0, 15.5), (NAN, 15.5)],
)
def test_estimated_lines(average, line):
    assert estimate_line(np.array([average]), np.array([True])).tolist() == [line]
    assert estimate_line(np.array([average]), np.array([False])).tolist() == [15.5]


@given(st.integers(1, 6000).map(lambda n: n / 100))
def test_an_estimated_line_is_the_nearest_half(average):
    line = estimate_line(np.array([average]), np.array([True]))[0]
    assert line % 0.5 == 0
    assert abs(line - average) <= 0.25 + 1e-12


DAY = dt.date(2024, 1, 15)


def summary_of(ready, completeness, held, shards=1):
    """As the shards count the day and the publish adds them up; completeness: None where nothing is expected."""
    parts = []
    for shard in range(shards):
        contexts = pa.table(
            {
                "game_date": pa.array([DAY] * len(ready[shard::shards]), pa.date32()),
                "is_production_ready": pa.array(ready[shard::shards], pa.bool_()),
                "completeness_percentage": pa.array(completeness[shard::shards], pa.float64()),
            }
        )
        counted = Assembled(contexts, np.array(held[shard::shards], np.int8), None, None, None, None)
        parts.append(summary(counted))
    return summaries(parts)


@pytest.mark.parametrize("shards", [1, 3])
def test_summary_of_domain_section_9(shards):
    """450 players, 420 ready, mean 94.5, 420 dispatched."""
    ready = [number < 420 for number in range(450)]
    completeness = [98.0 if fine else 45.5 for fine in ready]
    held = [Held.DISPATCHED if fine else Held.CONTEXT_NOT_PRODUCTION_READY for fine in ready]
    found = summary_of(ready, completeness, held, shards)
    assert found == {DAY: Summary(450, 420, 94.5, 420)}
    assert found[DAY].text == "450 players, 420 ready, mean completeness 94.5 %, 420 dispatched"


def test_summary_without_anybody():
    assert summaries([]) == summary_of([], [], []) == {}
    unknown = summary_of([False], [None], [Held.LOW_MINUTES])[DAY]
    assert unknown.text == "1 players, 0 ready, mean completeness unknown, 0 dispatched"


def test_unknown_completeness_is_outside_the_mean():
    found = summary_of([True] * 4, [90.0, 90.0, None, 91.0], [Held.DISPATCHED] * 4)
    assert found[DAY].mean_completeness == 90.3
