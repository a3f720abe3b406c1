"""The model: it learns, from its range alone, the same whatever the order; and its file is read whole or not at all."""

import datetime as dt
import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fullcourt.domain.days import to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.predictions import gradient_boosting
from fullcourt.domain.predictions.features import V1_BASELINE_25, FeatureVersion
from fullcourt.domain.predictions.model import PointsModel
from fullcourt.domain.predictions.training import fingerprint, train, validation_day
from tests.domain.predictions.slates import a_row, slate_of

START = to_number(dt.date(2024, 10, 22))
FEATURES = V1_BASELINE_25
AFTER = dt.date(2025, 4, 1)


def season(rows: int, days: int = 40, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random features in range, points that follow three of them without noise, and the days."""
    draw = np.random.default_rng(seed)
    low = np.array([spec.low for spec in FEATURES.features])
    high = np.array([spec.high for spec in FEATURES.features])
    features = draw.uniform(low, high, (rows, len(FEATURES.features)))
    last_10, rating, home = (
        features[:, FEATURES.index(n)] for n in ("points_avg_last_10", "opponent_def_rating", "home_away")
    )
    points = 0.5 * last_10 + 0.2 * (rating - 110) + np.where(home > 0.5, 2.0, 0.0)
    return features, points, START + np.sort(draw.integers(0, days, rows)).astype(np.int32)


@pytest.fixture(scope="module")
def small() -> PointsModel:
    """A few trees from 300 rows, so that its text is short."""
    features, points, days = season(300)
    return train(FEATURES, features, np.round(points / 20) * 20, days)


def shuffled(arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng(2).permutation(len(arrays[0]))
    return tuple(array[order] for array in arrays)


# Training


def test_it_learns_a_simple_relation():
    features, points, days = season(2500)
    model = train(FEATURES, features, points, days)
    unseen, truth, _ = season(1000, seed=9)
    error = np.abs(model.predict(unseen) - truth).mean()
    assert error < 0.7, "the points deviate by 12"
    assert model.validation_mae < 0.7
    assert np.abs(truth - np.median(points)).mean() > 9


def test_what_it_says_about_itself(small):
    assert (small.feature_version, small.feature_names) == ("v1_baseline_25", FEATURES.names)
    assert (small.trained_from, small.trained_to) == (dt.date(2024, 10, 22), dt.date(2024, 11, 30))
    assert (small.rows, small.rounds > 0, small.xgboost_version) == (300, True, "3.2.0")
    assert small.average_rating == pytest.approx(110, abs=2), "the mean of ratings drawn from 95 to 125"
    assert small.model_id == f"xgboost-2024-10-22-2024-11-30-{small.data_fingerprint[:8]}"


def test_training_again_in_another_order_makes_the_same_file(small):
    features, points, days = season(300)
    again = train(FEATURES, *shuffled((features, np.round(points / 20) * 20, days)))
    assert again.to_text() == small.to_text()


def test_the_fingerprint_is_of_the_rows_in_any_order(small):
    features, points, days = season(300)
    found = {
        fingerprint(FEATURES.names, features, points, days),
        fingerprint(FEATURES.names, *shuffled((features, points, days))),
    }
    assert len(found) == 1
    found.add(fingerprint(FEATURES.names, features, points + (np.arange(300) == 7), days))
    found.add(fingerprint(FEATURES.names, features, points, days + (np.arange(300) == 7).astype(np.int32)))
    found.add(fingerprint(FEATURES.names, features[:-1], points[:-1], days[:-1]))
    assert len(found) == 4


def test_the_last_fifth_of_the_rows_validates_in_whole_days():
    ten_days = np.repeat(np.arange(100, 110, dtype=np.int32), [50, 50, 50, 50, 50, 50, 50, 30, 20, 5])
    assert validation_day(ten_days) == 106, "105 of 405 rows; from day 107 on it would be 55"
    assert validation_day(np.array([7, 1, 3, 9, 5], np.int32)) == 9
    assert validation_day(np.repeat(np.arange(5, dtype=np.int32), [96, 1, 1, 1, 1])) == 1, "the first day fits"
    with pytest.raises(GateError, match="at least 5 game days, got 4"):
        validation_day(np.array([1, 2, 3, 4, 4], np.int32))


def test_validation_uses_later_days_only():
    """What is 30 points off in the last fifth of the days alone shows in full: no earlier model could know it."""
    features, points, days = season(800, days=50)
    later = days >= START + 40
    model = train(FEATURES, features, points + 30 * later, days)
    assert model.validation_from == dt.date(2024, 12, 1)
    assert model.validation_mae == pytest.approx(30, abs=3)
    unharmed = train(FEATURES, features, points, days)
    assert unharmed.validation_mae < 3


def test_the_objective_that_validates_better_is_taken():
    """A tenth of the earlier results is absurd: absolute errors do not follow them."""
    features, points, days = season(800, days=50)
    absurd = (np.arange(800) % 10 == 0) & (days < START + 40)
    assert train(FEATURES, features, points + 300 * absurd, days).objective == "reg:absoluteerror"


@pytest.mark.parametrize("broken", [0, 1])
def test_values_that_are_no_numbers_are_refused(broken):
    arrays = [array.copy() for array in season(50)]
    arrays[broken].flat[3] = np.nan
    with pytest.raises(GateError, match="not finite"):
        train(FEATURES, *arrays)


def test_shapes_are_checked():
    features, points, days = season(50)
    with pytest.raises(UsageError, match=r"\(n, 25\) features.*\(50, 24\)"):
        train(FEATURES, features[:, 1:], points, days)


# Its file


def test_reading_back_what_was_written(small):
    back = PointsModel.from_text(small.to_text())
    assert back == small
    assert back.to_text() == small.to_text()
    unseen, _, _ = season(500, seed=3)
    assert (back.predict(unseen) == small.predict(unseen)).all()


def test_layout_does_not_matter(small):
    content = json.loads(small.to_text())
    assert PointsModel.from_text(json.dumps(content, indent=2, sort_keys=True)) == small


def test_it_is_a_readable_document(small):
    content = json.loads(small.to_text())
    assert (content["format"], content["feature_version"]) == ("fullcourt-model-2", "v1_baseline_25")
    assert (content["trained_from"], content["trained_to"]) == ("2024-10-22", "2024-11-30")
    assert content["feature_names"] == list(FEATURES.names)
    assert "learner" in content["booster"]


careful = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


@careful
@given(st.floats(0, 1, exclude_max=True))
@example(0.0)
def test_a_truncated_file_is_refused(small, share):
    text = small.to_text()
    with pytest.raises(GateError, match="not whole JSON"):
        PointsModel.from_text(text[: int(share * len(text))])


@careful
@given(st.floats(0, 1, exclude_max=True), st.sampled_from('0123456789ae{]",:-'))
def test_another_character_anywhere_is_refused_or_means_the_same(small, share, character):
    text = small.to_text()
    at = int(share * len(text))
    try:
        read = PointsModel.from_text(text[:at] + character + text[at + 1 :])
    except GateError:
        return
    assert read == small


def rewritten(model: PointsModel, **changes) -> str:
    """A file with other content and a checksum that fits; a change to None takes the field away."""
    content = {**json.loads(model.to_text()), **changes}
    content = {name: value for name, value in content.items() if value is not None and name != "checksum"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**content, "checksum": hashlib.blake2b(canonical, digest_size=16).hexdigest()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"format": "fullcourt-model-9"}, "format 'fullcourt-model-9', expected", id="other-format"),
        pytest.param({"rounds": None}, "lacks, or has beyond .*: rounds", id="a-field-is-missing"),
        pytest.param({"pickle": "gASV"}, "lacks, or has beyond .*: pickle", id="a-field-too-many"),
        pytest.param({"trained_to": "yesterday"}, "wrong type: .*yesterday", id="no-day"),
        pytest.param({"feature_names": 25}, "wrong type", id="no-names"),
        pytest.param({"average_rating": "high"}, "wrong type: .*high", id="no-rating"),
        pytest.param({"feature_names": ["points_avg_season"]}, "names 1 features, but .* 25", id="too-few-names"),
        pytest.param({"booster": {"learner": {}}}, "xgboost cannot read", id="no-trees"),
    ],
)
def test_files_with_a_fitting_checksum_that_make_no_sense(small, changes, message):
    with pytest.raises(GateError, match=message):
        PointsModel.from_text(rewritten(small, **changes))


@pytest.mark.parametrize(
    ("field", "value"), [("trained_to", "2024-10-30"), ("feature_version", "v2_33features"), ("rows", 301)]
)
def test_a_careless_edit_shows(small, field, value):
    with pytest.raises(GateError, match="changed or damaged: its checksum is"):
        PointsModel.from_text(json.dumps({**json.loads(small.to_text()), field: value}))


def test_a_leaf_that_was_tampered_with_shows(small):
    content = json.loads(small.to_text())
    trees = content["booster"]["learner"]["gradient_booster"]["model"]["trees"]
    trees[0]["base_weights"][0] += 1
    with pytest.raises(GateError, match="changed or damaged"):
        PointsModel.from_text(json.dumps(content))


@pytest.mark.parametrize(("text", "found"), [("[]", "'list'"), ("3", "'int'"), ("{}", "None")])
def test_json_that_is_no_model(text, found):
    with pytest.raises(GateError, match=f"has format {found}, expected 'fullcourt-model-2'"):
        PointsModel.from_text(text)


# Its use


def test_it_predicts_days_after_its_training_only(small):
    small.check("v1_baseline_25", dt.date(2024, 12, 1))
    with pytest.raises(GateError, match="knows results up to 2024-11-30: it must not predict 2024-11-30"):
        small.check("v1_baseline_25", dt.date(2024, 11, 30))


def test_it_is_for_its_own_features_only(small):
    with pytest.raises(GateError, match="made for features v2_33features, not v1_baseline_25"):
        replace(small, feature_version="v2_33features").check("v1_baseline_25", AFTER)
    renamed = ("points_avg_last_7", *FEATURES.names[1:])
    with pytest.raises(GateError, match="different are points_avg_last_5, points_avg_last_7"):
        replace(small, feature_names=renamed).check("v1_baseline_25", AFTER)
    with pytest.raises(GateError, match="different are their order"):
        replace(small, feature_names=FEATURES.names[::-1]).check("v1_baseline_25", AFTER)
    with pytest.raises(UsageError, match="takes"):
        small.predict(np.zeros((2, 24)))


def test_rows_do_not_meet_in_the_model(small):
    unseen, _, _ = season(300, seed=4)
    whole = small.predict(unseen)
    assert whole.dtype == np.float64
    assert (small.predict(np.asfortranarray(unseen[::-1])) == whole[::-1]).all()
    assert [small.predict(unseen[n : n + 1])[0] for n in range(50)] == whole[:50].tolist()
    assert small.predict(unseen[:0]).shape == (0,)


def test_xgboost_v1_publishes_what_the_model_says(small):
    slate = slate_of([a_row({"points_avg_last_10": "4"}), a_row({"points_avg_last_10": "60"})])
    made = gradient_boosting.predict(slate, small)
    assert np.abs(made.points - np.clip(small.predict(slate.features), 0, 60)).max() <= 0.05 + 1e-6
    assert made.texts["ml_model_id"].to_pylist() == [small.model_id] * 2
    assert made.components == {}
    assert made.confidence.tolist() == gradient_boosting.predict(slate, None).confidence.tolist()
    other = replace(slate, version=FeatureVersion("v1_renamed", FEATURES.features))
    with pytest.raises(GateError, match="not v1_renamed"):
        gradient_boosting.predict(other, small)


@pytest.mark.parametrize(("answer", "wanted"), [(-3.0, 0.0), (70.0, 60.0), (20.25, 20.3)])
def test_its_points_are_clamped_and_rounded(answer, wanted, small, monkeypatch):
    monkeypatch.setattr(PointsModel, "predict", lambda self, features: np.full(len(features), answer))
    assert gradient_boosting.predict(slate_of([a_row()]), small).points.tolist() == [wanted]
