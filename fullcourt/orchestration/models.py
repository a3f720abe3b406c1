"""The points model: fitted on what the warehouse holds, kept in one file, and checked before it predicts."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions import coordinator, training
from fullcourt.domain.predictions.assembly import current_version
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.predictions.model import PointsModel
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.orchestration.run import Progress
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema

# Ready feature rows of players who entered the game, with what they scored.
_TRAINING_ROWS = """
SELECT features.game_date AS day, features.features AS features, games.points AS points
FROM nba_predictions.ml_feature_store_v2_ready AS features
JOIN nba_analytics.player_game_summary AS games
  ON games.player_lookup = features.player_lookup AND games.game_date = features.game_date
WHERE features.feature_version = @version AND features.game_date BETWEEN @start AND @end
  AND games.points IS NOT NULL
"""


def train(
    warehouse: Warehouse, start: dt.date, end: dt.date, file: Path, say: Progress = lambda _: None
) -> dict[str, Any]:
    """Fits the model on the closed range of days and writes it to the file, whole or not at all.

    GateError: no ready feature rows with a result in the range, or too few days of them.
    """
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
    check_schema(warehouse)
    version = current_version()
    say("reading feature rows and results")
    rows = warehouse.query(_TRAINING_ROWS, version=version.name, start=start, end=end)
    if not rows.num_rows:
        raise GateError(
            f"no ready feature rows with a result from {start} to {end}: run analytics and precompute over it first"
        )
    features = rows["features"].combine_chunks().flatten().to_numpy().reshape(-1, len(version.names))
    days = rows["day"].combine_chunks().cast(pa.int32()).to_numpy()
    say(f"fitting {rows.num_rows} rows")
    model = training.train(version, features, rows["points"].to_numpy().astype(np.float64), days)
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.write_text(model.to_text())
    unfinished.replace(file)
    shown = ("feature_version", "trained_from", "trained_to", "validation_from", "rows", "rounds", "objective")
    described = {name: getattr(model, name) for name in (*shown, "validation_mae", "data_fingerprint")}
    return {"model": model.model_id, "file": str(file), **described}


def load_model(file: Path) -> PointsModel:
    """GateError for a file that is damaged or no model; UsageError for none."""
    if not file.is_file():
        raise UsageError(f"no model file {file}: expected one that `fullcourt train` wrote")
    try:
        text = file.read_text()
    except UnicodeDecodeError:
        raise GateError(f"{file} is no model file: expected the JSON text that `fullcourt train` writes") from None
    return PointsModel.from_text(text)


def prediction_settings(
    *,
    start: dt.date,
    end: dt.date,
    today: dt.date,
    historical: bool,
    model_file: Path | None,
    rules: Rules,
    systems: Sequence[str] = (),
) -> dict[str, Any]:
    """The predictions pipeline's settings, once the days, the systems and the model are found fit for each other."""
    unknown = [name for name in systems if name not in SYSTEMS]
    if unknown:
        raise UsageError(f"unknown prediction system {unknown[0]!r}: expected one of {', '.join(SYSTEMS)}")
    for day in (start, end):
        if day > today or not historical:
            _check_day(day, today)
    if model_file is not None:
        load_model(model_file).check(current_version().name, start)
    return {
        "rules": rules,
        "systems": tuple(name for name in SYSTEMS if not systems or name in systems),
        "model_file": str(model_file.absolute()) if model_file else None,
    }


def _check_day(day: dt.date, today: dt.date) -> None:
    try:
        coordinator.check_day(day, today)
    except GateError as error:
        hint = "; days further back need --historical" if day < today else ""
        raise GateError(f"{error}{hint}") from None
