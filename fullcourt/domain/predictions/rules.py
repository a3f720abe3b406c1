"""What the systems share: rounding, the adjustments they have in common, and the recommendation (domain 6.8)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fullcourt.domain.numbers import Bools
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.slate import OVER, PASS, UNDER, Codes, Prediction, Slate

MOST_POINTS = 60.0
# Sums of decimals are off by some 1e-14 in binary; a half or a threshold that is met on paper is met here.
NOISE = 1e-9


@dataclass(frozen=True)
class Threshold:
    """What a recommendation needs: points of edge and a confidence, reached (or exceeded, where strict)."""

    edge: float
    confidence: float
    strict: bool = False


def half_away(values: Floats, places: int) -> Floats:
    """Rounds to decimal places, half away from zero; NaN stays."""
    scale = 10.0**places
    rounded: Floats = np.copysign(np.floor(np.abs(values) * scale + 0.5 + NOISE), values) / scale
    return rounded + 0.0  # -0.0 becomes 0.0


def edge(points: Floats, line: Floats) -> Floats:
    """Predicted points less the line, to the tenth: 20.7 against 18.7 is 2, not a hair less."""
    tenths: Floats = np.rint(10 * points) - np.rint(10 * line)
    return tenths / 10


def convincing(margin: Floats, confidence: Floats, threshold: Threshold) -> Bools:
    """Where edge and confidence are enough for a recommendation; NaN never is."""
    if threshold.strict:
        return (np.abs(margin) > threshold.edge) & (confidence > threshold.confidence)
    return (np.abs(margin) >= threshold.edge) & (confidence >= threshold.confidence)


def recommend(margin: Floats, confidence: Floats, threshold: Threshold) -> Codes:
    """OVER or UNDER by the sign of the edge where that is convincing, else PASS."""
    direction = np.where(margin > 0, OVER, UNDER)
    return np.where(convincing(margin, confidence, threshold), direction, PASS).astype(np.int8)


def published(
    slate: Slate,
    raw_points: Floats,
    raw_confidence: Floats,
    threshold: Threshold,
    components: dict[str, Floats],
    *,
    key_factors: dict[str, Floats],
    texts: dict[str, pa.Array] | None = None,
    there: Bools | None = None,
) -> Prediction:
    """The prediction as its row will say it: clamped, rounded, and blank where there is none."""
    there = np.ones(len(slate), np.bool_) if there is None else there
    points = np.where(there, half_away(np.clip(raw_points, 0.0, MOST_POINTS), 1), np.nan)
    confidence = np.where(there, half_away(np.clip(raw_confidence, 0.0, 100.0), 2), np.nan)
    return Prediction(
        there=there,
        points=points,
        confidence=confidence,
        recommendation=recommend(edge(points, slate.line), confidence, threshold),
        components={name: np.where(there, half_away(values, 2), np.nan) for name, values in components.items()},
        texts=texts or {},
        key_factors={name: np.where(there, values, np.nan) for name, values in key_factors.items()},
    )


def bands(conditions: list[Bools], values: list[float], otherwise: float) -> Floats:
    """The value of the first condition that holds."""
    chosen: Floats = np.select(conditions, [np.float64(v) for v in values], np.float64(otherwise))
    return chosen


def fatigue(slate: Slate, tired: float, weary: float, fresh: float = 0.0) -> Floats:
    """By fatigue score, of which 100 is fresh: `tired` under 50, `weary` under 70, `fresh` above 85, else 0."""
    score = slate.feature("fatigue_score")
    return bands([score < 50, score < 70, score > 85], [tired, weary, fresh], 0.0)


def venue(slate: Slate, home: float, away: float) -> Floats:
    return np.where(slate.feature("home_away") == 1, home, away)


def back_to_back(slate: Slate, points: float) -> Floats:
    return np.where(slate.feature("back_to_back") == 1, points, 0.0)


def steady_confidence(slate: Slate) -> Floats:
    """50, less for erratic scoring, more for a full schedule; 20-80 (moving_average and zone_matchup_v1)."""
    deviation, games = slate.feature("points_std_last_10"), slate.feature("games_in_last_7_days")
    erratic = bands([deviation > 6, deviation > 4], [-15, -8], 0)
    active = bands([games >= 3, games == 2], [10, 5], -10)
    return np.clip(50 + erratic + active, 20, 80)
