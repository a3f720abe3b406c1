"""The registry of feature versions: which features a prediction is made from, in order (domain section 6.5).

Each feature has its default and its valid range, so that what is written and what is accepted cannot drift apart:
the worker gate of section 6.8 checks against the version's own names.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fullcourt.domain.errors import UsageError
from fullcourt.domain.numbers import Bools

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: the value that stands for an unknown one, and the valid range, both ends included.

    whole: only whole numbers are valid, as for a flag.
    """

    name: str
    default: float
    low: float
    high: float
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"default of {self.name} must be in [{self.low}, {self.high}], got {self.default}")


@dataclass(frozen=True)
class FeatureVersion:
    """An ordered list of features under a name."""

    name: str
    features: tuple[FeatureSpec, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self.features)

    @cached_property
    def defaults(self) -> Floats:
        """(features,): one default a feature, in order."""
        return np.array([spec.default for spec in self.features])

    def index(self, name: str) -> int:
        """The feature's column; UsageError if the version lacks it: a missing mapping is never a silent default."""
        if name not in self.names:
            raise UsageError(f"feature version {self.name} has no feature {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)


def _flag(name: str) -> FeatureSpec:
    return FeatureSpec(name, 0.0, 0.0, 1.0, whole=True)


# Ranges of averages, fatigue, the opponent's rating and flags: domain section 6.8, "worker ranges".  The others
# are the limits of their formulas in section 6.5, or, for pace and offence, twice as wide as seasons have been.
V1_BASELINE_25 = FeatureVersion(
    "v1_baseline_25",
    (
        FeatureSpec("points_avg_last_5", 10.0, 0.0, 80.0),  # points
        FeatureSpec("points_avg_last_10", 10.0, 0.0, 80.0),
        FeatureSpec("points_avg_season", 10.0, 0.0, 60.0),
        FeatureSpec("points_std_last_10", 5.0, 0.0, 60.0),
        FeatureSpec("games_in_last_7_days", 3.0, 0.0, 7.0),
        FeatureSpec("fatigue_score", 50.0, 0.0, 100.0),  # 100 is fresh
        FeatureSpec("shot_zone_mismatch_score", 0.0, -10.0, 10.0),
        FeatureSpec("pace_score", 0.0, -3.0, 3.0),
        FeatureSpec("usage_spike_score", 0.0, -3.0, 3.0),
        FeatureSpec("rest_advantage", 0.0, -2.0, 2.0),  # days
        FeatureSpec("injury_risk", 0.0, 0.0, 3.0),  # 0 available to 3 doubtful or out
        FeatureSpec("recent_trend", 0.0, -2.0, 2.0),
        FeatureSpec("minutes_change", 0.0, -2.0, 2.0),
        FeatureSpec("opponent_def_rating", 112.0, 95.0, 125.0),  # points per 100 possessions
        FeatureSpec("opponent_pace", 100.0, 80.0, 125.0),  # possessions per 48 minutes
        _flag("home_away"),  # 1 at home
        _flag("back_to_back"),
        _flag("playoff_game"),
        FeatureSpec("pct_paint", 0.30, 0.0, 1.0),  # share of his shots
        FeatureSpec("pct_mid_range", 0.20, 0.0, 1.0),
        FeatureSpec("pct_three", 0.35, 0.0, 1.0),
        FeatureSpec("pct_free_throw", 0.15, 0.0, 0.5),  # share of his points
        FeatureSpec("team_pace", 100.0, 80.0, 125.0),
        FeatureSpec("team_off_rating", 112.0, 80.0, 140.0),
        FeatureSpec("team_win_pct", 0.5, 0.0, 1.0),  # a share, for all its name
    ),
)

VERSIONS: dict[str, FeatureVersion] = {V1_BASELINE_25.name: V1_BASELINE_25}


def version(name: str) -> FeatureVersion:
    """The version of that name; UsageError if there is none."""
    if name not in VERSIONS:
        raise UsageError(f"unknown feature version {name!r}; known: {', '.join(VERSIONS)}")
    return VERSIONS[name]


def violations(of: FeatureVersion, matrix: Floats) -> Bools:
    """(rows, features): values outside their range; NaN and infinity are in none."""
    if matrix.ndim != 2 or matrix.shape[1] != len(of.features):
        raise UsageError(f"features of {of.name} must be (rows, {len(of.features)}), got {matrix.shape}")
    low = np.array([spec.low for spec in of.features])
    high = np.array([spec.high for spec in of.features])
    whole = np.array([spec.whole for spec in of.features])
    valid = (matrix >= low) & (matrix <= high) & (~whole | (matrix == np.rint(matrix)))
    return ~valid


def out_of_range(of: FeatureVersion, matrix: Floats) -> Bools:
    """(rows,): rows with a value outside its range."""
    return np.logical_or.reduce(violations(of, matrix), axis=1)
