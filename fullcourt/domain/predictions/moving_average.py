"""moving_average: the player's recent averages, adjusted for tonight (domain section 6.8)."""

from fullcourt.domain.predictions.rules import Threshold, back_to_back, fatigue, published, steady_confidence, venue
from fullcourt.domain.predictions.slate import Prediction, Slate

SYSTEM_ID = "moving_average"
THRESHOLD = Threshold(edge=2.0, confidence=45.0, strict=True)  # .45 on the 0-100 scale


def predict(slate: Slate) -> Prediction:
    """Half the last 5 games, .3 the last 10, .2 the season; the adjustments in points."""
    average = (
        0.5 * slate.feature("points_avg_last_5")
        + 0.3 * slate.feature("points_avg_last_10")
        + 0.2 * slate.feature("points_avg_season")
    )
    adjustments = {
        "fatigue_adjustment": fatigue(slate, -2.5, -1.0),
        "shot_zone_adjustment": 0.3 * slate.feature("shot_zone_mismatch_score"),
        "other_adjustment": back_to_back(slate, -1.5),
        "pace_adjustment": 0.3 * slate.feature("pace_score"),
        "home_away_adjustment": venue(slate, 0.5, -0.5),
        "usage_spike_adjustment": 0.4 * slate.feature("usage_spike_score"),
    }
    return published(
        slate,
        sum(adjustments.values(), average),
        steady_confidence(slate),  # no mock source exists, so nothing is discounted for one
        THRESHOLD,
        adjustments,
        key_factors={
            "weighted_average": average,
            "fatigue_score": slate.feature("fatigue_score"),
            "points_std_last_10": slate.feature("points_std_last_10"),
            "games_in_last_7_days": slate.feature("games_in_last_7_days"),
        },
    )
