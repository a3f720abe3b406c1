"""Trains the model of points: one configuration, chosen on the last days of the training range alone.

No day outside the range plays a part: the last fifth of its rows validates, and all of them then fit it again.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fullcourt.domain.days import to_date
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.fingerprint import hash_rows, to_hex
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.predictions.features import FeatureVersion, Floats
from fullcourt.domain.predictions.model import THREADS, PointsModel

OBJECTIVES = ("reg:squarederror", "reg:absoluteerror")
VALIDATION_SHARE = 0.2
MINIMUM_DAYS = 5  # so that a fifth of them is a day
MOST_ROUNDS = 800
PATIENCE_ROUNDS = 50

# Shallow trees and large leaves: of a few shapes the best on the last fifth of the season 2022-23.
# No sampling of rows or columns, one thread whatever the machine: the same rows make the same trees.
_LEAF_ROWS, _LEAVES = 200, 100  # rows a leaf must hold, fewer where that would leave under a hundred leaves' worth
_PARAMETERS: dict[str, Any] = {
    "tree_method": "hist",
    "max_depth": 3,
    "eta": 0.03,
    "seed": 0,
    "nthread": THREADS,
    "eval_metric": "mae",
    "verbosity": 0,
}


@dataclass(frozen=True)
class _Rows:
    """Training rows in an order that depends on their content alone. features: (n, features)."""

    names: tuple[str, ...]
    features: Floats
    points: Floats
    days: Ints

    def where(self, mask: Bools) -> "_Rows":
        return _Rows(self.names, self.features[mask], self.points[mask], self.days[mask])

    def matrix(self) -> Any:
        import xgboost

        return xgboost.DMatrix(self.features, self.points, feature_names=list(self.names), nthread=THREADS)


@dataclass(frozen=True)
class _Choice:
    mae: float
    objective: str
    rounds: int


def train(version: FeatureVersion, features: Floats, points: Floats, days: Ints) -> PointsModel:
    """Fits points to features.

    Args:
        features: (n, features of the version), all finite.
        points: (n,) actual points.
        days: (n,) game days since 1970; at least 5 different ones.

    Raises:
        GateError: too few days, or values that are not finite.
    """
    import xgboost

    rows = _ordered(version, features, points, days)
    first = validation_day(rows.days)
    choice = _choose(rows.where(rows.days < first), rows.where(rows.days >= first))
    parameters = _parameters(choice.objective, len(rows.days))
    booster = xgboost.train(parameters, rows.matrix(), num_boost_round=choice.rounds)
    text = json.loads(booster.save_raw("json").decode())
    return PointsModel(
        feature_version=version.name,
        feature_names=version.names,
        trained_from=to_date(rows.days[0]),
        trained_to=to_date(rows.days[-1]),
        validation_from=to_date(first),
        rows=len(rows.days),
        rounds=choice.rounds,
        objective=choice.objective,
        validation_mae=round(choice.mae, 6),
        data_fingerprint=fingerprint(rows.names, rows.features, rows.points, rows.days),
        average_rating=round(float(rows.features[:, version.index("opponent_def_rating")].mean()), 2),
        xgboost_version=xgboost.__version__,
        booster=json.dumps(text, sort_keys=True, separators=(",", ":")),
    )


def validation_day(days: Ints) -> int:
    """The first day of the last fifth of the rows, days kept whole; GateError if there are fewer than 5 days.

    Rows, not days: a season ends in weeks of one or two games a day, which say little of the others.
    """
    distinct, count = np.unique(days, return_counts=True)
    if len(distinct) < MINIMUM_DAYS:
        raise GateError(f"training needs at least {MINIMUM_DAYS} game days, got {len(distinct)}")
    later = np.cumsum(count[::-1])[::-1]  # rows of each day or after it
    enough = np.flatnonzero(later >= VALIDATION_SHARE * len(days))
    return int(distinct[max(enough[-1], 1)])  # the first day is always for fitting


def fingerprint(names: tuple[str, ...], features: Floats, points: Floats, days: Ints) -> str:
    """16 hexadecimal digits of the set of rows; their order does not matter."""
    columns = {name: pa.array(np.ascontiguousarray(features[:, place])) for place, name in enumerate(names)}
    hashes = hash_rows({"game day": pa.array(days), "actual points": pa.array(points), **columns})
    return str(to_hex(hashes.sum(keepdims=True, dtype=np.uint64))[0].as_py())


def _ordered(version: FeatureVersion, features: Floats, points: Floats, days: Ints) -> _Rows:
    if features.shape != (len(points), len(version.features)) or days.shape != points.shape:
        raise UsageError(
            f"training takes (n, {len(version.features)}) features, (n,) points and (n,) days, "
            f"got {features.shape}, {points.shape} and {days.shape}"
        )
    if not (np.isfinite(features).all() and np.isfinite(points).all()):
        raise GateError("training rows hold a feature or points that are not finite numbers")
    keys: list[NDArray[Any]] = [*features.T, points, days]  # lexsort goes by the last key first
    order = np.lexsort(keys)
    return _Rows(version.names, features[order], points[order], days[order])


def _parameters(objective: str, rows: int) -> dict[str, Any]:
    return {**_PARAMETERS, "objective": objective, "min_child_weight": max(1, min(_LEAF_ROWS, rows // _LEAVES))}


def _choose(earlier: _Rows, later: _Rows) -> _Choice:
    """The objective with the lower error on the later days, and after how many rounds it is lowest."""
    import xgboost

    known, unknown = earlier.matrix(), later.matrix()
    choices = []
    for objective in OBJECTIVES:
        booster = xgboost.train(
            _parameters(objective, len(earlier.days)),
            known,
            num_boost_round=MOST_ROUNDS,
            evals=[(unknown, "later")],
            early_stopping_rounds=PATIENCE_ROUNDS,
            verbose_eval=False,
        )
        choices.append(_Choice(float(booster.best_score), objective, int(booster.best_iteration) + 1))
    return min(choices, key=lambda choice: choice.mae)  # the first of equal ones
