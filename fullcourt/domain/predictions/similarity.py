"""similarity_balanced_v1: what the player scored in games like tonight's (domain section 6.8).

Sums over a row's games are taken one game after the other: NumPy's own order may depend on the memory layout, and
so on the rows beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fullcourt.domain.numbers import Bools
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.rules import NOISE, Threshold, bands, published, venue
from fullcourt.domain.predictions.slate import Prediction, Slate

SYSTEM_ID = "similarity_balanced_v1"
THRESHOLD = Threshold(edge=2.0, confidence=65.0)
SIMILAR_SCORE = 70
MOST_GAMES = 20
FEWEST_GAMES = 5
_MOST_REST = 3

Scores = NDArray[np.int64]


@dataclass(frozen=True)
class _Similar:
    """(rows,): the similar games used. count is 0 or more; the rest means nothing where it is 0.

    baseline: score-weighted mean points.  mean, lowest: of their scores, 70-100.  deviation: of their points
    (population).
    """

    count: Scores
    baseline: Floats
    mean: Floats
    lowest: Floats
    deviation: Floats


def predict(slate: Slate) -> Prediction:
    """Nothing is predicted from fewer than 5 similar games. The adjustments are in points."""
    similar = _similar(slate)
    adjustments = {
        "fatigue_adjustment": 0.015 * (slate.feature("fatigue_score") - 70),
        "shot_zone_adjustment": 0.4 * slate.feature("shot_zone_mismatch_score"),
        "pace_adjustment": 0.8 * slate.feature("pace_score"),
        "usage_spike_adjustment": 0.8 * slate.feature("usage_spike_score"),
        "home_away_adjustment": venue(slate, 0.8, -0.5),
    }
    return published(
        slate,
        sum(adjustments.values(), similar.baseline),
        _confidence(similar),
        THRESHOLD,
        {
            "similarity_baseline": similar.baseline,
            **adjustments,
            "similar_games_count": similar.count.astype(np.float64),
            "avg_similarity_score": similar.mean,
            "min_similarity_score": similar.lowest,
        },
        key_factors={"similar_games_std": similar.deviation, "form": _form_now(slate), "days_rest": slate.days_rest},
        there=similar.count >= FEWEST_GAMES,
    )


def scores(slate: Slate) -> Scores:
    """(rows, 30): how much each past game is like tonight's, 0-100; 0 where there is no game."""
    history = slate.history
    tier = np.abs(_tier(history.opponent_rating) - _tier(slate.feature("opponent_def_rating"))[:, None])
    rest = np.abs(_rest(history.days_rest) - _rest(slate.days_rest)[:, None])
    same_venue = history.home == (slate.feature("home_away") == 1)[:, None]
    same_form = _form(history.form) == _form(_form_now(slate))[:, None]
    score = (
        np.select([tier == 0, tier == 1], [40, 20], 0)
        + np.select([rest == 0, rest == 1], [30, 15], 0)
        + np.where(same_venue, 15, 0)
        + np.where(same_form, 15, 5)
    )
    return np.where(history.there, score, 0)


def _similar(slate: Slate) -> _Similar:
    """The 20 most similar games of those that score 70 or more; of equal ones, the newest."""
    score = scores(slate)
    best = np.argsort(-score, axis=1, kind="stable")[:, :MOST_GAMES]
    score = np.take_along_axis(score, best, axis=1)
    used = score >= SIMILAR_SCORE
    points = np.where(used, np.take_along_axis(slate.history.points, best, axis=1), 0.0)
    weight = np.where(used, score, 0)
    count = used.sum(axis=1)  # whole numbers: any order gives the same
    size, weights = np.maximum(count, 1), np.maximum(weight.sum(axis=1), 1)
    total, squares = _sum(points), _sum(points * points)
    return _Similar(
        count=count,
        baseline=_sum(weight * points) / weights,
        mean=weight.sum(axis=1) / size,
        lowest=np.where(used, score, 100).min(axis=1).astype(np.float64),
        deviation=np.sqrt(np.maximum(size * squares - total * total, 0.0)) / size,
    )


def _confidence(similar: _Similar) -> Floats:
    """From 50. Games used are at least 5 and score at least 70, so that the lower bands of 6.8 cannot be met."""
    size = bands([similar.count >= 15, similar.count >= 10, similar.count >= 7], [20, 15, 10], -15)
    likeness = bands([similar.mean >= 85, similar.mean >= 75], [20, 15], 10)
    spread = similar.deviation
    steadiness = bands([spread < 4, spread < 6, spread < 8], [15, 8, 3], -5)
    return 50 + size + likeness + steadiness


def _tier(rating: Floats) -> Scores:
    """0 elite defence, 1 average, 2 weak."""
    return np.where(rating < 110, 0, np.where(rating < 115, 1, 2))


def _rest(days_rest: Floats) -> Scores:
    """Free days before the game, 0 to 3 or more. days_rest is 1 on a back-to-back; a first game follows a summer."""
    free: Scores = np.clip(np.nan_to_num(days_rest - 1, nan=_MOST_REST), 0, _MOST_REST).astype(np.int64)
    return free


def _form_now(slate: Slate) -> Floats:
    return slate.feature("points_avg_last_5") - slate.feature("points_avg_season")


def _form(difference: Floats) -> Scores:
    """1 hot, -1 cold, 0 neither; 0 also where nothing is known, as nothing says that he is hot or cold."""
    hot: Bools = difference >= 3 - NOISE
    return np.where(hot, 1, np.where(difference <= -3 + NOISE, -1, 0))


def _sum(values: Floats) -> Floats:
    """(rows,): the sum of each row, from its first column to its last."""
    total = np.zeros(len(values))
    for column in range(values.shape[1]):
        total = total + values[:, column]
    return total
