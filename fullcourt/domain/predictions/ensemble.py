"""ensemble_v1: the other systems' confidence-weighted mean (domain section 6.8).

It is made from their published, rounded points, so that it can be recomputed from their rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress, product

import numpy as np
import pyarrow as pa

from fullcourt.domain.errors import UsageError
from fullcourt.domain.numbers import Bools
from fullcourt.domain.predictions import gradient_boosting, moving_average, similarity, zone_matchup
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.rules import Threshold, bands, convincing, edge, published
from fullcourt.domain.predictions.slate import OVER, PASS, UNDER, Codes, Prediction, Slate

SYSTEM_ID = "ensemble_v1"
THRESHOLD = Threshold(edge=1.5, confidence=65.0)
MEMBERS = (moving_average.SYSTEM_ID, zone_matchup.SYSTEM_ID, similarity.SYSTEM_ID, gradient_boosting.SYSTEM_ID)
FEWEST_SYSTEMS = 2


@dataclass(frozen=True)
class _Votes:
    """(members, rows): 0 in all of them where a system has no prediction."""

    there: Bools
    points: Floats
    confidence: Floats
    over: Bools
    under: Bools


def predict(slate: Slate, systems: Mapping[str, Prediction]) -> Prediction:
    """Nothing is predicted from fewer than 2 systems. UsageError for a system that is none of the four."""
    votes = _collect(slate, systems)
    count = votes.there.sum(axis=0)
    spread = _spread(votes, count)
    prediction = published(
        slate,
        _sum(votes.confidence * votes.points) / np.maximum(_sum(votes.confidence), 1.0),
        _confidence(votes, count, spread),
        THRESHOLD,
        {"prediction_variance": spread * spread, "system_agreement_score": _agreement(spread)},
        key_factors={
            "spread": spread,
            "systems": count.astype(np.float64),
            "over_votes": votes.over.sum(axis=0).astype(np.float64),
            "under_votes": votes.under.sum(axis=0).astype(np.float64),
        },
        texts={"contributing_systems": _contributing(votes.there)},
        there=count >= FEWEST_SYSTEMS,
    )
    return replace(prediction, recommendation=_recommend(slate, prediction, votes))


def _collect(slate: Slate, systems: Mapping[str, Prediction]) -> _Votes:
    unknown = [name for name in systems if name not in MEMBERS]
    if unknown:
        raise UsageError(f"unknown system {', '.join(unknown)}; {SYSTEM_ID} combines {', '.join(MEMBERS)}")
    no, nothing = np.zeros((len(MEMBERS), len(slate)), np.bool_), np.zeros((len(MEMBERS), len(slate)))
    votes = _Votes(no.copy(), nothing.copy(), nothing.copy(), no.copy(), no.copy())
    for number, name in enumerate(MEMBERS):
        if name in systems:
            made = systems[name]
            votes.there[number] = made.there
            votes.points[number] = np.where(made.there, made.points, 0.0)
            votes.confidence[number] = np.where(made.there, made.confidence, 0.0)
            votes.over[number] = made.there & (made.recommendation == OVER)
            votes.under[number] = made.there & (made.recommendation == UNDER)
    return votes


def _spread(votes: _Votes, count: np.ndarray) -> Floats:
    """Population deviation of the points. Sums are of whole tenths, so that they are exact."""
    tenths = np.rint(10 * votes.points)
    total, squares, size = _sum(tenths), _sum(tenths * tenths), np.maximum(count, 1)
    return np.sqrt(size * squares - total * total) / (10 * size)


def _confidence(votes: _Votes, count: np.ndarray, spread: Floats) -> Floats:
    """Their mean confidence, more if they agree and if all are there; 20-95."""
    mean = _sum(votes.confidence) / np.maximum(count, 1)
    agreeing = bands([spread < 2, spread < 3, spread < 6], [10, 5, -5], -10)
    return np.clip(mean + agreeing + np.where(count == len(MEMBERS), 5, 0), 20, 95)


def _agreement(spread: Floats) -> Floats:
    """Percent, 50-95."""
    return np.where(spread < 6, bands([spread < 2, spread < 3], [95, 85], 70), np.maximum(50, 100 - 5 * spread))


def _recommend(slate: Slate, prediction: Prediction, votes: _Votes) -> Codes:
    """What more than half of the systems recommend, else the sign of the edge; PASS where that is not convincing."""
    count = votes.there.sum(axis=0)
    over, under = 2 * votes.over.sum(axis=0) > count, 2 * votes.under.sum(axis=0) > count
    margin = edge(prediction.points, slate.line)
    direction = np.select([over, under, margin > 0], [OVER, UNDER, OVER], UNDER)
    return np.where(convincing(margin, prediction.confidence, THRESHOLD), direction, PASS).astype(np.int8)


def _contributing(there: Bools) -> pa.Array:
    """The members that have a prediction, comma-separated; null where fewer than 2 have."""
    choices = [tuple(compress(MEMBERS, chosen)) for chosen in product((False, True), repeat=len(MEMBERS))]
    texts = pa.array([",".join(names) if len(names) >= FEWEST_SYSTEMS else None for names in choices], pa.string())
    code = np.zeros(there.shape[1], np.int64)
    for member in there:  # product() counts in binary, the first member being the highest digit
        code = 2 * code + member
    return texts.take(pa.array(code))


def _sum(values: Floats) -> Floats:
    """(rows,): over the members, in their order, whatever the memory layout."""
    total = np.zeros(values.shape[1])
    for member in values:
        total = total + member
    return total
