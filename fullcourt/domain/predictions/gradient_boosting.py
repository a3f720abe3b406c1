"""xgboost_v1: a trained model, or a deterministic stand-in where there is none (domain section 6.8).

The original stand-in added random noise, so that a rerun predicted something else: there is none here.
"""

import numpy as np
import pyarrow as pa

from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.model import PointsModel
from fullcourt.domain.predictions.rules import Threshold, back_to_back, bands, fatigue, published, venue
from fullcourt.domain.predictions.slate import Prediction, Slate

SYSTEM_ID = "xgboost_v1"
STAND_IN = "stand_in_v1"
THRESHOLD = Threshold(edge=1.5, confidence=60.0)


def predict(slate: Slate, model: PointsModel | None) -> Prediction:
    """The model's points, or the stand-in's with its adjustments; GateError if the model knows other features."""
    factors = {
        "opponent_def_rating": slate.feature("opponent_def_rating"),
        "fatigue_score": slate.feature("fatigue_score"),
        "usage_rate": slate.usage_rate,
        "minutes_avg": slate.minutes_avg,
    }
    adjustments: dict[str, Floats] = {}
    if model is None:
        average, adjustments = _average(slate), _adjustments(slate)
        points = sum(adjustments.values(), average)
        factors = {"weighted_average": average, **factors}
    else:
        model.check_features(slate.version)
        points = model.predict(slate.features)
    name = pa.repeat(STAND_IN if model is None else model.model_id, len(slate))
    texts = {"ml_model_id": name}
    return published(slate, points, _confidence(slate), THRESHOLD, adjustments, key_factors=factors, texts=texts)


def _average(slate: Slate) -> Floats:
    return (
        0.35 * slate.feature("points_avg_last_5")
        + 0.40 * slate.feature("points_avg_last_10")
        + 0.25 * slate.feature("points_avg_season")
    )


def _adjustments(slate: Slate) -> dict[str, Floats]:
    """In points. What is unknown (NaN) meets no condition and adjusts nothing."""
    return {
        "fatigue_adjustment": fatigue(slate, -2.5, -1.0, fresh=0.5),
        "shot_zone_adjustment": 0.35 * slate.feature("shot_zone_mismatch_score") + _favourite_zone(slate),
        "pace_adjustment": np.where(slate.usage_rate > 28, 0.12, 0.08) * slate.feature("pace_score"),
        # Section 6.8 has .35 for a spike beyond 5, which the score, clamped to 3, never is.
        "usage_spike_adjustment": 0.25 * slate.feature("usage_spike_score"),
        "home_away_adjustment": venue(slate, 1.0, -0.6),
        "other_adjustment": _opponent(slate) + back_to_back(slate, -2.2) + _minutes(slate),
    }


def _favourite_zone(slate: Slate) -> Floats:
    """Shares are compared as shares: 100 x .29 is no longer 29 in binary."""
    rating = slate.feature("opponent_def_rating")
    paint = (slate.feature("pct_paint") > 0.45) & (rating > 115)
    three = (slate.feature("pct_three") > 0.40) & (rating < 110)
    return np.where(paint, 0.8, 0.0) + np.where(three, -0.5, 0.0)


def _opponent(slate: Slate) -> Floats:
    rating = slate.feature("opponent_def_rating")
    return bands([rating < 108, rating > 118], [-1.5, 1.0], 0.0)


def _minutes(slate: Slate) -> Floats:
    return bands([slate.minutes_avg > 36, slate.minutes_avg < 25], [0.8, -1.2], 0.0)


def _confidence(slate: Slate) -> Floats:
    """From 70, more for good features and for steady scoring; 72-90."""
    quality, deviation = slate.quality, slate.feature("points_std_last_10")
    good = bands([quality >= 90, quality >= 80, quality >= 70, quality >= 60], [10, 7, 5, 2], 0)
    steady = bands([deviation < 4, deviation < 6, deviation < 8], [10, 7, 5], 2)
    return 70 + good + steady
