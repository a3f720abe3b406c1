"""Phase 5 from contexts to published predictions: who is chain, what stands in the table, what a rerun does."""

import dataclasses
import datetime as dt
import json

import pytest

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.orchestration.grades import grade_range
from fullcourt.orchestration.models import load_model, prediction_settings, train
from tests.houses import House


@pytest.fixture
def house(chain, tmp_path) -> House:
    return chain.house.copy(tmp_path / "house.duckdb")


ROWS = "SELECT * FROM nba_predictions.player_prop_predictions WHERE game_date = @day ORDER BY prediction_id"


def test_each_context_is_predicted_or_held_back_with_a_reason(chain):
    for day in chain.days:
        contexts = {
            row["player_lookup"]
            for row in chain.house.query(
                "SELECT player_lookup FROM nba_analytics.upcoming_player_game_context WHERE game_date = @day", day=day
            )
        }
        made = {row["player_lookup"] for row in chain.house.query(ROWS, day=day)}
        held = chain.house.query(
            "SELECT entity_id, failure_reason FROM nba_processing.precompute_failures "
            "WHERE processor_name = 'player_prop_predictions' AND analysis_date = @day",
            day=day,
        )
        assert made.isdisjoint(row["entity_id"] for row in held)
        assert made | {row["entity_id"] for row in held} == contexts
        assert len(held) == len({row["entity_id"] for row in held})


def test_everybody_predicted_is_ready_or_in_bootstrap_and_plays_enough(chain):
    rows = chain.house.query(
        "SELECT p.player_lookup, p.is_production_ready, p.backfill_bootstrap_mode, c.avg_minutes_per_game_last_7 AS m, "
        "p.feature_quality_score AS quality FROM nba_predictions.player_prop_predictions AS p "
        "JOIN nba_analytics.upcoming_player_game_context AS c "
        "ON c.player_lookup = p.player_lookup AND c.game_date = p.game_date"
    )
    assert len(rows) > 1000
    assert all(row["is_production_ready"] or row["backfill_bootstrap_mode"] for row in rows)
    assert all(row["m"] >= 15 and row["quality"] >= 70 for row in rows)


def test_the_completeness_of_the_features_is_copied_through(chain):
    copied = ("expected_games_count", "actual_games_count", "completeness_percentage", "is_production_ready")
    copied = (*copied, "processing_decision_reason", "season_boundary_detected", "data_quality_issues")
    columns = ", ".join(f"p.{name}, f.{name} AS f_{name}" for name in copied)
    rows = chain.house.query(
        f"SELECT {columns} FROM nba_predictions.player_prop_predictions AS p "
        "JOIN nba_predictions.ml_feature_store_v2 AS f "
        "ON f.player_lookup = p.player_lookup AND f.game_date = p.game_date"
    )
    assert rows
    assert all(row[name] == row[f"f_{name}"] for row in rows for name in copied)


def test_the_line_is_the_bookmakers_or_estimated_and_the_row_says_which(chain):
    rows = chain.house.query(
        "SELECT p.current_points_line AS line, p.line_source AS source, p.warnings, p.line_margin, p.predicted_points, "
        "c.current_points_line AS real, c.current_points_line_source AS bookmaker, f.features AS features "
        "FROM nba_predictions.player_prop_predictions AS p "
        "JOIN nba_analytics.upcoming_player_game_context AS c "
        "ON c.player_lookup = p.player_lookup AND c.game_date = p.game_date "
        "JOIN nba_predictions.ml_feature_store_v2 AS f "
        "ON f.player_lookup = p.player_lookup AND f.game_date = p.game_date"
    )
    assert {row["real"] is None for row in rows} == {True, False}
    for row in rows:
        if row["real"] is None:
            season = row["features"][2]
            assert (row["source"], float(row["line"])) == ("estimated", int(2 * season + 0.5) / 2)
        else:
            assert (row["source"], row["line"]) == (row["bookmaker"], row["real"])
        assert ("line_estimated" in json.loads(row["warnings"])) == (row["real"] is None)
        assert row["line_margin"] == row["predicted_points"] - row["line"]


def test_the_coordinator_says_how_many_of_whom(chain):
    (processor,) = chain.report["processors"]
    assert [line[:10] for line in processor["coordinator"]] == [day.isoformat() for day in chain.days]
    day = chain.days[-1]
    players, ready = chain.house.query(
        "SELECT COUNT(*) AS n, COUNTIF(is_production_ready) AS ready "
        "FROM nba_analytics.upcoming_player_game_context WHERE game_date = @day",
        day=day,
    )[0].values()
    dispatched = len({row["player_lookup"] for row in chain.house.query(ROWS, day=day)})
    assert processor["coordinator"][-1].startswith(f"{day}: {players} players, {ready} ready, mean completeness ")
    assert processor["coordinator"][-1].endswith(f"{dispatched} dispatched")


def test_the_ensemble_is_made_of_the_rows_beside_it(chain):
    """Recomputed from what the other four rows say."""
    by_player: dict[str, dict[str, dict]] = {}
    for row in chain.house.query(ROWS, day=chain.days[-1]):
        by_player.setdefault(row["player_lookup"], {})[row["system_id"]] = row
    for systems in by_player.values():
        ensemble = systems.pop("ensemble_v1")
        weights = [float(row["confidence_score"]) for row in systems.values()]
        points = [float(row["predicted_points"]) for row in systems.values()]
        mean = sum(w * p for w, p in zip(weights, points, strict=True)) / sum(weights)
        assert abs(float(ensemble["predicted_points"]) - mean) <= 0.05 + 1e-6
        assert ensemble["contributing_systems"].replace(" ", "").split(",") == [s for s in SYSTEMS if s in systems]


def test_the_same_run_again_changes_nothing(chain, house):
    before = house.table("player_prop_predictions").to_pylist()
    report = house.run("predictions", chain.days[0], chain.days[-1])
    assert report["processors"][0]["unchanged_days"] == len(chain.days)
    assert house.table("player_prop_predictions").to_pylist() == before


def test_a_changed_prediction_supersedes_the_old_one_and_the_others_stay(chain, house):
    """I-70: one active row per system, player and day, whatever is run again."""
    day = chain.days[-1]
    before = {row["prediction_id"]: row for row in house.query(ROWS, day=day)}
    player = next(row["player_lookup"] for row in before.values() if row["line_source"] != "estimated")
    with house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_analytics.upcoming_player_game_context SET current_points_line = 2.5 "
            "WHERE player_lookup = @player AND game_date = @day",
            player=player,
            day=day,
        )
    house.run("predictions", day)
    after = {row["prediction_id"]: row for row in house.query(ROWS, day=day)}
    for key, row in before.items():
        if row["player_lookup"] != player:
            assert after[key] == row
            continue
        newer = after[key]["superseded_by"]
        assert not after[key]["is_active"]
        assert (after[newer]["is_active"], after[newer]["prediction_version"]) == (True, 2)
        assert newer == f"{row['system_id']}:{player}:{day}:2"
        assert float(after[newer]["current_points_line"]) == 2.5
    active = [(r["system_id"], r["player_lookup"]) for r in after.values() if r["is_active"]]
    assert len(active) == len(set(active)) == len(before)


def test_a_player_who_is_ruled_out_loses_his_active_predictions(chain, house):
    day = chain.days[-1]
    player = house.query(ROWS, day=day)[0]["player_lookup"]
    with house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_analytics.upcoming_player_game_context SET player_status = 'OUT' "
            "WHERE player_lookup = @player AND game_date = @day",
            player=player,
            day=day,
        )
    house.run("predictions", day)
    mine = [row for row in house.query(ROWS, day=day) if row["player_lookup"] == player]
    assert {(row["is_active"], row["superseded_by"]) for row in mine} == {(False, None)}
    reason = house.one(
        "SELECT failure_reason FROM nba_processing.precompute_failures "
        "WHERE processor_name = 'player_prop_predictions' AND entity_id = @player AND analysis_date = @day",
        player=player,
        day=day,
    )
    assert reason == "player_out"


def test_without_contexts_the_day_is_not_covered(chain, house):
    """I-54, I-04: no prediction on a day with games is not a day done."""
    day = chain.days[-1]
    with house.warehouse.transaction({}) as session:
        for table in ("nba_analytics.upcoming_player_game_context", "nba_predictions.player_prop_predictions"):
            session.execute(f"DELETE FROM {table} WHERE game_date = @day", day=day)
        session.execute("DELETE FROM nba_processing.precompute_failures WHERE analysis_date = @day", day=day)
    (processor,) = house.run("predictions", day)["processors"]
    assert processor["days_not_covered"] == [day.isoformat()]


def test_only_the_systems_asked_for_are_written(chain, house):
    day = chain.days[-1]
    house.run("predictions", day, settings={"systems": ("moving_average",)})
    assert {row["system_id"] for row in house.query(ROWS, day=day) if row["is_active"]} == {"moving_average"}


@pytest.fixture(scope="module")
def model_file(season, tmp_path_factory):
    """Trained on game days before the judged ones; their feature rows are made here."""
    directory = tmp_path_factory.mktemp("model")
    house = season.house.copy(directory / "house.duckdb")
    first, last = season.days[-12], season.days[-5]
    house.run("analytics", first, last)
    house.run("precompute", first, last)
    report = train(house.warehouse, first, last, directory / "model.json")
    assert report["rows"] == house.one(
        "SELECT COUNT(*) FROM nba_predictions.ml_feature_store_v2_ready AS f "
        "JOIN nba_analytics.player_game_summary AS g ON g.player_lookup = f.player_lookup AND g.game_date = f.game_date"
    )
    return directory / "model.json"


def _settings(chain, **more):
    day = chain.days[-1]
    asked = {"start": day, "end": day, "today": day, "historical": False, "model_file": None, "rules": Rules()}
    return prediction_settings(**{**asked, **more})


def test_a_trained_model_predicts_and_the_row_says_so(chain, house, model_file):
    day, model = chain.days[-1], load_model(model_file)
    house.run("predictions", day, settings=_settings(chain, model_file=model_file))
    rows = [r for r in house.query(ROWS, day=day) if r["is_active"] and r["system_id"] == "xgboost_v1"]
    assert {row["ml_model_id"] for row in rows} == {model.model_id}
    before = [r for r in chain.house.query(ROWS, day=day) if r["system_id"] == "xgboost_v1"]
    assert {row["ml_model_id"] for row in before} == {"stand_in_v1"}
    assert [r["predicted_points"] for r in rows] != [r["predicted_points"] for r in before]


def test_the_model_knows_only_days_before_those_it_predicts(chain, season, model_file):
    model = load_model(model_file)
    assert model.trained_to < season.judged[0]
    with pytest.raises(GateError, match="knows results up to"):
        _settings(chain, start=model.trained_to, historical=True, model_file=model_file)


def test_a_model_of_other_features_is_refused(chain, model_file, tmp_path):
    content = load_model(model_file)
    other = dataclasses.replace(content, feature_version="v0_baseline_3")
    (tmp_path / "other.json").write_text(other.to_text())
    with pytest.raises(GateError, match="v0_baseline_3"):
        _settings(chain, model_file=tmp_path / "other.json")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(None, UsageError, id="no-file"),
        pytest.param("", GateError, id="empty"),
        pytest.param('{"format": "fullcourt-model-1"', GateError, id="torn"),
        pytest.param('{"format": "something-else"}', GateError, id="another-format"),
    ],
)
def test_a_file_that_is_no_model_is_refused(chain, tmp_path, text, error):
    file = tmp_path / "model.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(error, match="model"):
        _settings(chain, model_file=file)


def test_unknown_systems_and_far_days_are_refused_by_name(chain):
    day = chain.days[-1]
    with pytest.raises(UsageError, match=r"crystal_ball.*moving_average"):
        _settings(chain, systems=["crystal_ball"])
    with pytest.raises(GateError, match="--historical"):
        _settings(chain, today=day + dt.timedelta(31))
    assert _settings(chain, today=day + dt.timedelta(31), historical=True)
    with pytest.raises(GateError, match=r"30|14"):
        _settings(chain, today=day - dt.timedelta(15), historical=True)


def test_grades_are_those_of_the_rows(chain, house):
    """Each figure again, from the rows themselves."""
    first, last = chain.days[0], chain.days[-2]  # of the last day there are results too, but not asked for
    grades = {row["system_id"]: row for row in grade_range(house.warehouse, first, last, house.now)}
    assert list(grades) == list(SYSTEMS)
    for system, grade in grades.items():
        rows = house.query(
            "SELECT p.*, g.points, f.features FROM nba_predictions.player_prop_predictions AS p "
            "JOIN nba_analytics.player_game_summary AS g "
            "ON g.player_lookup = p.player_lookup AND g.game_date = p.game_date "
            "JOIN nba_predictions.ml_feature_store_v2 AS f "
            "ON f.player_lookup = p.player_lookup AND f.game_date = p.game_date "
            "WHERE p.is_active AND p.is_production_ready AND p.system_id = @system "
            "AND p.game_date BETWEEN @first AND @last",
            system=system,
            first=first,
            last=last,
        )
        errors = [float(row["predicted_points"]) - row["points"] for row in rows]
        season = [row["features"][2] - row["points"] for row in rows]
        assert grade["graded_count"] == len(rows) > 50
        assert grade["mae"] == pytest.approx(sum(map(abs, errors)) / len(errors))
        assert grade["rmse"] == pytest.approx((sum(e * e for e in errors) / len(errors)) ** 0.5)
        assert grade["bias"] == pytest.approx(sum(errors) / len(errors))
        assert grade["season_average_mae"] == pytest.approx(sum(map(abs, season)) / len(season))
        assert grade["mae_less_season_average"] == pytest.approx(grade["mae"] - grade["season_average_mae"])
        called = [
            ("OVER" if row["points"] > row["current_points_line"] else "UNDER") == row["recommendation"]
            for row in rows
            if row["line_source"] != "estimated"
            and row["recommendation"] != "PASS"
            and row["points"] != row["current_points_line"]
        ]
        assert grade["decided_count"] == len(called)
        assert grade["hit_rate"] == (pytest.approx(sum(called) / len(called)) if called else None)
    stored = house.query("SELECT system_id, mae FROM nba_predictions.prediction_grades")
    assert {row["system_id"]: row["mae"] for row in stored} == {s: g["mae"] for s, g in grades.items()}


def test_nothing_to_grade_or_to_train_on_is_an_error(empty_house, tmp_path):
    day = dt.date(2024, 12, 1)
    with pytest.raises(GateError, match="no ready predictions"):
        grade_range(empty_house.warehouse, day, day, empty_house.now)
    with pytest.raises(GateError, match="no ready feature rows"):
        train(empty_house.warehouse, day, day, tmp_path / "model.json")
    assert not list(tmp_path.glob("model.json*"))
