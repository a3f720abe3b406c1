"""The five prediction systems, in the order in which they predict (domain section 6.8)."""

from collections.abc import Sequence

from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions import ensemble, gradient_boosting, moving_average, similarity, zone_matchup
from fullcourt.domain.predictions.model import PointsModel
from fullcourt.domain.predictions.slate import Prediction, Slate

SYSTEMS = (*ensemble.MEMBERS, ensemble.SYSTEM_ID)


def predict_all(slate: Slate, model: PointsModel | None, only: Sequence[str] = SYSTEMS) -> dict[str, Prediction]:
    """The predictions of each system asked for, by system_id, in the order of SYSTEMS.

    The ensemble combines all four others, whether they are asked for or not.  UsageError for an unknown system.
    """
    unknown = [name for name in only if name not in SYSTEMS]
    if unknown:
        raise UsageError(f"unknown prediction system {', '.join(unknown)}; known: {', '.join(SYSTEMS)}")
    rating = zone_matchup.AVERAGE_RATING if model is None else model.average_rating
    members = {
        moving_average.SYSTEM_ID: moving_average.predict(slate),
        zone_matchup.SYSTEM_ID: zone_matchup.predict(slate, rating),
        similarity.SYSTEM_ID: similarity.predict(slate),
        gradient_boosting.SYSTEM_ID: gradient_boosting.predict(slate, model),
    }
    made = {**members, ensemble.SYSTEM_ID: ensemble.predict(slate, members)}
    return {name: made[name] for name in SYSTEMS if name in only}
