"""The model trained on one real season and graded on the next."""

import datetime as dt
import shutil

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.processors import select
from fullcourt.orchestration.grades import grade_range
from fullcourt.orchestration.models import load_model, prediction_settings, train
from fullcourt.orchestration.run import RunRequest, run_phase
from fullcourt.warehouse import open_warehouse
from tests.real.conftest import AFTER

TRAINED = dt.date(2022, 10, 18), dt.date(2023, 6, 12)
GRADED = dt.date(2023, 10, 24), dt.date(2024, 6, 17)


@pytest.mark.slow
def test_the_second_season_is_graded_by_a_model_of_the_first(season_warehouse, tmp_path):
    """Every ready feature row is predicted; no row of the graded season is in the training set."""
    file, model = tmp_path / "seasons.duckdb", tmp_path / "points.json"
    shutil.copy(season_warehouse, file)
    warehouse = open_warehouse(str(file))
    train(warehouse, *TRAINED, model)
    assert load_model(model).trained_to < GRADED[0]
    settings = prediction_settings(
        start=GRADED[0],
        end=GRADED[1],
        today=AFTER.date(),
        historical=True,
        model_file=model,
        rules=Rules(minimum_minutes=0, minimum_quality=0),
    )
    phase = PHASES["predictions"]
    run_phase(RunRequest(str(file), select(phase.phase), *GRADED, AFTER, settings=settings), phase)
    grades = {row["system_id"]: row for row in grade_range(warehouse, *GRADED, AFTER)}
    model_grade, ensemble = grades["xgboost_v1"], grades["ensemble_v1"]
    # Held back are only rows with a feature out of its range: a handful in the first days.
    assert 0 <= model_grade["ready_count"] - model_grade["graded_count"] < 0.005 * model_grade["ready_count"]
    for baseline in ("season_average", "last_5_average"):
        for grade in (model_grade, ensemble):
            assert grade[f"mae_less_{baseline}_high"] < 0, "better, and not by chance"
    assert all(grade["decided_count"] == 0 and grade["hit_rate"] is None for grade in grades.values())
