"""A trained model of points, as one JSON text: what it was trained on, the trees, and a checksum over all of it.

JSON and not pickle: reading a model must not run what somebody put into the file.  The checksum shows damage and
careless edits, such as of the days it was trained on; it is no signature.
"""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions.features import FeatureVersion, Floats, version

FORMAT = "fullcourt-model-2"
THREADS = 1  # xgboost's threads wait for each other in busy loops: two on two busy cores took ten times as long


@dataclass(frozen=True)
class PointsModel:
    """Boosted trees that answer points for a row of features.

    trained_from, trained_to: first and last game day of the training rows.  validation_from: from this day on they
    chose the objective and the number of rounds; validation_mae: mean absolute error on those days of the model
    fitted to the days before.  data_fingerprint: 16 hexadecimal digits, whatever the order of the rows.
    average_rating: mean opponent_def_rating of the training rows, points per 100 possessions, two decimals.
    booster: the trees, xgboost's own JSON.
    """

    feature_version: str
    feature_names: tuple[str, ...]
    trained_from: dt.date
    trained_to: dt.date
    validation_from: dt.date
    rows: int
    rounds: int
    objective: str
    validation_mae: float
    data_fingerprint: str
    average_rating: float
    xgboost_version: str
    booster: str

    @property
    def model_id(self) -> str:
        return f"xgboost-{self.trained_from}-{self.trained_to}-{self.data_fingerprint[:8]}"

    def predict(self, features: Floats) -> Floats:
        """(n,): points, as the trees say: neither clamped nor rounded."""
        import xgboost

        if features.ndim != 2 or features.shape[1] != len(self.feature_names):
            raise UsageError(f"{self.model_id} takes (n, {len(self.feature_names)}) features, got {features.shape}")
        rows = xgboost.DMatrix(features, feature_names=list(self.feature_names), nthread=THREADS)
        return self._trees.predict(rows).astype(np.float64)

    def check(self, version_name: str, first_day: dt.date) -> None:
        """GateError unless the model is made for those features and knows no result of first_day or later."""
        self.check_features(version(version_name))
        if first_day <= self.trained_to:
            raise GateError(
                f"model {self.model_id} knows results up to {self.trained_to}: it must not predict {first_day}, "
                "only days after that"
            )

    def check_features(self, wanted: FeatureVersion) -> None:
        if self.feature_version != wanted.name:
            raise GateError(f"model {self.model_id} is made for features {self.feature_version}, not {wanted.name}")
        if self.feature_names != wanted.names:
            theirs, ours = set(self.feature_names), set(wanted.names)
            differing = ", ".join(sorted(theirs ^ ours)) or "their order"
            raise GateError(f"model {self.model_id} was trained on another {wanted.name}: different are {differing}")

    def to_text(self) -> str:
        """One JSON document; from_text reads it back to an equal model."""
        days = {name: day.isoformat() for name, day in vars(self).items() if isinstance(day, dt.date)}
        content = {"format": FORMAT, **asdict(self), **days, "booster": json.loads(self.booster)}
        return json.dumps({**content, "checksum": _checksum(content)})

    @classmethod
    def from_text(cls, text: str) -> "PointsModel":
        """GateError that names what is wrong, for a text that is damaged or no model of this format."""
        content = _content(text)
        try:
            days = {name: dt.date.fromisoformat(content[name]) for name in _DAYS}
            names = tuple(content["feature_names"])
            rating, booster = float(content["average_rating"]), _canonical(content["booster"])
            model = cls(**{**content, **days, "feature_names": names, "average_rating": rating, "booster": booster})
        except (TypeError, ValueError) as error:
            raise GateError(f"the model file has a field of the wrong type: {error}") from None
        if (width := model._trees.num_features()) != len(names):
            raise GateError(f"the model file names {len(names)} features, but its booster was trained on {width}")
        return model

    @cached_property
    def _trees(self) -> Any:
        import xgboost

        trees = xgboost.Booster({"nthread": THREADS})
        try:
            trees.load_model(bytearray(self.booster.encode()))
        except xgboost.core.XGBoostError as error:
            raise GateError(f"xgboost cannot read the model file's booster: {str(error).splitlines()[0]}") from None
        return trees


_DAYS = ("trained_from", "trained_to", "validation_from")
_FIELDS = frozenset(PointsModel.__dataclass_fields__)


def _content(text: str) -> dict[str, Any]:
    """The fields of a model's text, checked for completeness and against its checksum."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GateError(f"the model file is not whole JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise GateError(f"the model file has format {found!r}, expected {FORMAT!r}")
    checksum = content.pop("checksum", None)
    if checksum != (actual := _checksum(content)):
        raise GateError(f"the model file was changed or damaged: its checksum is {checksum}, its content's {actual}")
    del content["format"]
    if differing := _FIELDS ^ set(content):
        raise GateError(f"the model file lacks, or has beyond format {FORMAT}: {', '.join(sorted(differing))}")
    return content


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.blake2b(_canonical(content).encode(), digest_size=16).hexdigest()


def _canonical(content: Any) -> str:
    """The same text for the same content, however it was laid out."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
