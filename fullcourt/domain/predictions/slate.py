"""What a prediction is made from, and what it is: one value a row, a row is a player on a game day (domain 6.8)."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fullcourt.domain.errors import UsageError
from fullcourt.domain.numbers import Bools
from fullcourt.domain.predictions.features import FeatureVersion, Floats

RECOMMENDATIONS = ("OVER", "UNDER", "PASS")
OVER, UNDER, PASS = range(3)
HISTORY_GAMES = 30

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class History:
    """(rows, 30): the player's games of the last 90 days, newest first; what lies beyond them is not there.

    points: whole points.  opponent_rating: defensive_rating_last_15 of the opponent on that game's day, 112.0 where
    unknown.  days_rest: days since the game before, 1 is a back-to-back, NaN for a first game.  form: the L5 average
    less the season average, both before that game; NaN without a game before it.
    """

    there: Bools
    points: Floats
    opponent_rating: Floats
    days_rest: Floats
    home: Bools
    form: Floats

    def __post_init__(self) -> None:
        shapes = {name: values.shape for name, values in vars(self).items()}
        if any(shape != (len(self.there), HISTORY_GAMES) for shape in shapes.values()):
            raise UsageError(f"a history is (rows, {HISTORY_GAMES}) in all its arrays, got {shapes}")


@dataclass(frozen=True)
class Slate:
    """The rows to predict.

    features: (rows, features of the version), none NaN.
    days_rest: 1 is a back-to-back; NaN: no game yet.  usage_rate: percent, minutes_avg: minutes, both over the
    last 10 games; NaN: unknown.
    line: points, in tenths; never NaN, as the coordinator estimates one where no bookmaker has it (line_estimated).
    quality: feature_quality_score, 0-100.
    """

    version: FeatureVersion
    features: Floats
    days_rest: Floats
    usage_rate: Floats
    minutes_avg: Floats
    line: Floats
    line_estimated: Bools
    quality: Floats
    history: History

    def __post_init__(self) -> None:
        rows, wanted = len(self.line), len(self.version.features)
        if self.features.shape != (rows, wanted):
            raise UsageError(f"features of {self.version.name} must be {(rows, wanted)}, got {self.features.shape}")
        lengths = {name: len(v) for name, v in vars(self).items() if isinstance(v, np.ndarray)}
        lengths["history"] = len(self.history.there)
        if set(lengths.values()) != {rows}:
            raise UsageError(f"a slate has one value a row in all its arrays, got {lengths}")

    def __len__(self) -> int:
        return len(self.line)

    def feature(self, name: str) -> Floats:
        """(rows,): the feature of that name; UsageError if the version lacks it, never a silent default."""
        column: Floats = self.features[:, self.version.index(name)]
        return column


@dataclass(frozen=True)
class Prediction:
    """One system's predictions, a row each; nothing is predicted where `there` is false.

    points: 0-60, one decimal.  confidence: 0-100, two decimals.  Both NaN where not there.
    recommendation: codes into RECOMMENDATIONS, made from the rounded points and confidence, so that it can be
    recomputed from the row; PASS where not there.
    components: by their column in player_prop_predictions, two decimals; NaN: not used.
    texts: likewise; null: not used.
    key_factors: what drove it, name to value; NaN: unknown.
    """

    there: Bools
    points: Floats
    confidence: Floats
    recommendation: Codes
    components: dict[str, Floats] = field(default_factory=dict)
    texts: dict[str, pa.Array] = field(default_factory=dict)
    key_factors: dict[str, Floats] = field(default_factory=dict)
