"""The feature registry: section 6.5's list, and what its ranges let through."""

import numpy as np
import pytest

from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions.features import (
    V1_BASELINE_25,
    VERSIONS,
    FeatureSpec,
    out_of_range,
    version,
)

NUMBERED = """
0 points_avg_last_5 10        9 rest_advantage 0          18 pct_paint .30
1 points_avg_last_10 10       10 injury_risk 0            19 pct_mid_range .20
2 points_avg_season 10        11 recent_trend 0           20 pct_three .35
3 points_std_last_10 5        12 minutes_change 0         21 pct_free_throw .15
4 games_in_last_7_days 3      13 opponent_def_rating 112  22 team_pace 100
5 fatigue_score 50            14 opponent_pace 100        23 team_off_rating 112
6 shot_zone_mismatch_score 0  15 home_away 0              24 team_win_pct .5
7 pace_score 0                16 back_to_back 0
8 usage_spike_score 0         17 playoff_game 0
""".split()


def test_names_and_defaults_are_those_of_section_6_5():
    listed = sorted(zip(map(int, NUMBERED[::3]), NUMBERED[1::3], map(float, NUMBERED[2::3]), strict=True))
    found = zip(range(25), V1_BASELINE_25.names, V1_BASELINE_25.defaults.tolist(), strict=True)
    assert list(found) == listed


def test_the_defaults_are_in_range():
    assert out_of_range(V1_BASELINE_25, V1_BASELINE_25.defaults[None]).tolist() == [False]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("points_avg_season", 0, 60),
        ("points_avg_last_5", 0, 80),
        ("points_avg_last_10", 0, 80),
        ("fatigue_score", 0, 100),
        ("opponent_def_rating", 95, 125),
        ("home_away", 0, 1),
        ("games_in_last_7_days", 0, 7),
        ("shot_zone_mismatch_score", -10, 10),
        ("points_std_last_10", 0, 60),
        ("pace_score", -3, 3),
        ("usage_spike_score", -3, 3),
        ("rest_advantage", -2, 2),
        ("injury_risk", 0, 3),
        ("recent_trend", -2, 2),
        ("minutes_change", -2, 2),
        ("opponent_pace", 80, 125),
        ("back_to_back", 0, 1),
        ("playoff_game", 0, 1),
        ("pct_paint", 0, 1),
        ("pct_mid_range", 0, 1),
        ("pct_three", 0, 1),
        ("pct_free_throw", 0, 0.5),
        ("team_pace", 80, 125),
        ("team_off_rating", 80, 140),
        ("team_win_pct", 0, 1),
    ],
)
def test_both_ends_are_valid_and_nothing_beyond(name, low, high):
    matrix = np.tile(V1_BASELINE_25.defaults, (5, 1))
    matrix[:, V1_BASELINE_25.index(name)] = [low, high, np.nextafter(low, -99), np.nextafter(high, 999), np.nan]
    assert out_of_range(V1_BASELINE_25, matrix).tolist() == [False, False, True, True, True]


def test_a_flag_is_0_or_1():
    matrix = V1_BASELINE_25.defaults[None].copy()
    matrix[0, V1_BASELINE_25.index("back_to_back")] = 0.5
    assert out_of_range(V1_BASELINE_25, matrix).tolist() == [True]


def test_unknown_names_are_errors():
    assert version("v1_baseline_25") is V1_BASELINE_25
    assert list(VERSIONS) == ["v1_baseline_25"]
    with pytest.raises(UsageError, match="unknown feature version 'v2_33features'; known: v1_baseline_25"):
        version("v2_33features")
    with pytest.raises(UsageError, match="no feature 'opponent_pace_last_15'; it has points_avg_last_5"):
        V1_BASELINE_25.index("opponent_pace_last_15")


def test_a_matrix_of_another_width_is_refused():
    with pytest.raises(UsageError, match=r"must be \(rows, 25\), got \(2, 24\)"):
        out_of_range(V1_BASELINE_25, np.zeros((2, 24)))


def test_a_default_lies_in_its_range():
    with pytest.raises(ValueError, match=r"default of pace must be in \[80.0, 125.0\], got 0.0"):
        FeatureSpec("pace", 0.0, 80.0, 125.0)
