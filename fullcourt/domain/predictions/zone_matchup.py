"""zone_matchup_v1: the season average, and how the opponent's defence meets the player's shots (domain section 6.8).

Section 6.8 measures a defence against 110 points per 100 possessions.  Where scoring has grown, every opponent then
looks weak: of 2022-23, with a mean of 112.4, it predicts two points too many.  So a trained model brings the mean
rating of the season it learned from, and 110 holds without one.
"""

import numpy as np

from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.rules import Threshold, bands, fatigue, published, steady_confidence, venue
from fullcourt.domain.predictions.slate import Prediction, Slate

SYSTEM_ID = "zone_matchup_v1"
THRESHOLD = Threshold(edge=2.0, confidence=45.0, strict=True)
AVERAGE_RATING = 110.0  # points per 100 possessions, section 6.8
# Zone: the feature that holds its share of the player's shots (of his points, for free throws), and how much a
# defence's strength counts there.
ZONES = {
    "paint": ("pct_paint", 1.2),
    "mid_range": ("pct_mid_range", 1.0),
    "three_pt": ("pct_three", 1.1),
    "free_throw": ("pct_free_throw", 0.8),
}


def predict(slate: Slate, average_rating: float = AVERAGE_RATING) -> Prediction:
    """The adjustments are in points; a zone's lies within 3 before it is weighted by the player's use of it."""
    matchups = {f"{zone}_matchup": _matchup(slate, *of_zone, average_rating) for zone, of_zone in ZONES.items()}
    adjustments = {
        "shot_zone_adjustment": sum(matchups.values(), np.zeros(len(slate))),
        "pace_adjustment": 0.4 * slate.feature("pace_score"),
        "home_away_adjustment": venue(slate, 0.8, -0.8),
        "fatigue_adjustment": fatigue(slate, -1.5, -0.8),
    }
    season = slate.feature("points_avg_season")
    return published(
        slate,
        sum(adjustments.values(), season),
        steady_confidence(slate),
        THRESHOLD,
        adjustments,
        key_factors={
            "points_avg_season": season,
            "opponent_def_rating": slate.feature("opponent_def_rating"),
            "average_rating": np.full(len(slate), average_rating),
            **matchups,
        },
    )


def _matchup(slate: Slate, share_feature: str, weight: float, average_rating: float) -> Floats:
    """Against a weak defence, one that allows more than the average, he scores more."""
    weakness = slate.feature("opponent_def_rating") - average_rating
    share = slate.feature(share_feature)
    used = bands([share >= 0.40, share >= 0.20], [1.0, 0.7], 0.4)
    return np.clip(0.3 * weakness * weight, -3.0, 3.0) * used
