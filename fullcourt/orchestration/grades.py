"""How well the predictions of a range of days did, by what the players then scored."""

import datetime as dt
import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions.assembly import current_version
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.grading import Comparison, compare, grade
from fullcourt.domain.predictions.slate import RECOMMENDATIONS
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.orchestration.publish import insert_records
from fullcourt.orchestration.run import Progress
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema

# Baseline -> the feature it is.
BASELINES = {"season_average": "points_avg_season", "last_5_average": "points_avg_last_5"}


def grade_range(
    warehouse: Warehouse, start: dt.date, end: dt.date, now: dt.datetime, say: Progress = lambda _: None
) -> list[dict[str, Any]]:
    """Grades every system's ready, active predictions of the closed range, records and returns the grades.

    Beside each system stand two baselines over the same rows, the season average and that of the last five games.
    GateError when there is nothing to grade.
    """
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
    check_schema(warehouse)
    say("reading predictions and results")
    rows = warehouse.query(_rows_sql(), start=start, end=end)
    if not rows.num_rows:
        raise GateError(f"no ready predictions with a result from {start} to {end}: run predictions over it first")
    ready = warehouse.query(_READY, version=current_version().name, start=start, end=end)["n"][0].as_py()
    say(f"grading {rows.num_rows} predictions")
    grade_id = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    grades = []
    for system in SYSTEMS:
        of_system = rows.filter(pc.equal(rows["system_id"], system))
        if of_system.num_rows:
            grades.append(
                {
                    "grade_id": grade_id,
                    "system_id": system,
                    "ml_model_id": _model(of_system),
                    "start_date": start,
                    "end_date": end,
                    "ready_count": ready,
                    **_figures(of_system),
                    "created_at": now,
                }
            )
    with warehouse.transaction({}) as session:
        insert_records(session, "prediction_grades", grades)
    return grades


_READY = """
SELECT COUNT(*) AS n FROM nba_predictions.ml_feature_store_v2_ready AS features
JOIN nba_analytics.player_game_summary AS games
  ON games.player_lookup = features.player_lookup AND games.game_date = features.game_date
WHERE features.feature_version = @version AND features.game_date BETWEEN @start AND @end
"""


def _rows_sql() -> str:
    version = current_version()
    baselines = ", ".join(
        f"features.features[OFFSET({version.index(feature)})] AS {name}" for name, feature in BASELINES.items()
    )
    return f"""
SELECT predicted.system_id, predicted.ml_model_id, predicted.game_date AS day, predicted.predicted_points,
  predicted.current_points_line AS line, predicted.line_source, predicted.recommendation, games.points, {baselines}
FROM nba_predictions.player_prop_predictions_ready AS predicted
JOIN nba_analytics.player_game_summary AS games
  ON games.player_lookup = predicted.player_lookup AND games.game_date = predicted.game_date
JOIN nba_predictions.ml_feature_store_v2 AS features
  ON features.player_lookup = predicted.player_lookup AND features.game_date = predicted.game_date
  AND features.feature_version = predicted.feature_version
WHERE predicted.game_date BETWEEN @start AND @end AND games.points IS NOT NULL
ORDER BY predicted.system_id, day, predicted.player_lookup"""


def _figures(rows: pa.Table) -> dict[str, Any]:
    points, actual, line = (_floats(rows[name]) for name in ("predicted_points", "points", "line"))
    estimated = pc.equal(rows["line_source"], "estimated").to_numpy()
    codes = pc.index_in(rows["recommendation"], pa.array(RECOMMENDATIONS)).to_numpy().astype(np.int8)
    day = rows["day"].combine_chunks().cast(pa.int32()).to_numpy()
    graded = grade(points, actual, line, estimated, codes)
    figures: dict[str, Any] = {
        "graded_count": graded.count,
        "mae": graded.mae,
        "rmse": graded.rmse,
        "bias": graded.bias,
    }
    for name in BASELINES:
        baseline = _floats(rows[name])
        figures[f"{name}_mae"] = grade(baseline, actual, line, estimated, codes).mae
        figures |= _compared(name, compare(points, baseline, actual, day))
    interval = graded.hit_interval
    return figures | {
        "decided_count": graded.decided,
        "hit_rate": graded.hit_rate,
        "hit_rate_low": interval.low if interval else None,
        "hit_rate_high": interval.high if interval else None,
    }


def _compared(name: str, against: Comparison) -> dict[str, float | None]:
    interval = against.interval
    return {
        f"mae_less_{name}": against.difference,
        f"mae_less_{name}_low": interval.low if interval else None,
        f"mae_less_{name}_high": interval.high if interval else None,
    }


def _floats(column: pa.ChunkedArray) -> Floats:
    return column.cast(pa.float64()).to_numpy()


def _model(rows: pa.Table) -> str | None:
    """The one model behind the rows; 'mixed' if there are several."""
    models = pc.drop_null(pc.unique(rows["ml_model_id"])).to_pylist()
    return models[0] if len(models) == 1 else "mixed" if models else None
