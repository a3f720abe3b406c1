"""The ensemble by hand, from predictions of its four members that are simply given."""

from fractions import Fraction

import numpy as np
import pytest

from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions import ensemble
from fullcourt.domain.predictions.slate import RECOMMENDATIONS, Prediction
from tests.domain.predictions.slates import a_row, slate_of

Given = tuple[float, float, str] | None
MEMBERS = ("moving_average", "zone_matchup_v1", "similarity_balanced_v1", "xgboost_v1")


def given(made: Given) -> Prediction:
    points, confidence, recommendation = made or (np.nan, np.nan, "PASS")
    code = np.array([RECOMMENDATIONS.index(recommendation)], np.int8)
    return Prediction(np.array([made is not None]), np.array([points]), np.array([confidence]), code)


def combined(*members: Given, line: str = "20") -> Prediction:
    systems = {name: given(made) for name, made in zip(MEMBERS, members, strict=False)}
    return ensemble.predict(slate_of([a_row(line=Fraction(line))]), systems)


def around(spread: float, confidence: float = 60, middle: float = 30) -> tuple[Given, ...]:
    """Four systems whose points deviate by `spread`."""
    return tuple((middle + sign * spread, confidence, "PASS") for sign in (-1, 1, -1, 1))


def test_points_are_weighted_by_confidence():
    made = combined((20.0, 50, "PASS"), (30.0, 75, "PASS"))
    assert made.points.tolist() == [26.0]  # (1000 + 2250) / 125
    assert made.texts["contributing_systems"].to_pylist() == ["moving_average,zone_matchup_v1"]


@pytest.mark.parametrize(
    ("spread", "agreement", "confidence", "variance"),
    [
        pytest.param(0.0, 95, 75, 0.0, id="60+10+5"),
        pytest.param(1.9, 95, 75, 3.61, id="below-2"),
        pytest.param(2.0, 85, 70, 4.0, id="from-2"),
        pytest.param(2.9, 85, 70, 8.41, id="below-3"),
        pytest.param(3.0, 70, 60, 9.0, id="from-3-not-4"),
        pytest.param(5.9, 70, 60, 34.81, id="below-6"),
        pytest.param(6.0, 70, 55, 36.0, id="from-6"),
        pytest.param(7.0, 65, 55, 49.0, id="100-5x7"),
        pytest.param(10.0, 50, 55, 100.0, id="50-at-10"),
        pytest.param(15.0, 50, 55, 225.0, id="never-under-50"),
    ],
)
def test_agreement(spread, agreement, confidence, variance):
    made = combined(*around(spread))
    assert made.components["system_agreement_score"].tolist() == [agreement]
    assert made.components["prediction_variance"].tolist() == [variance]
    assert made.confidence.tolist() == [confidence]


def test_three_systems_get_no_bonus_for_being_all():
    made = combined((20.0, 50, "PASS"), (20.0, 60, "PASS"), None, (20.0, 75, "PASS"))
    assert made.confidence.tolist() == [71.67]  # 61.67 + 10
    assert made.texts["contributing_systems"].to_pylist() == ["moving_average,zone_matchup_v1,xgboost_v1"]


@pytest.mark.parametrize(("confidence", "spread", "wanted"), [(25, 9.0, 20), (100, 0.0, 95)])
def test_confidence_lies_in_20_to_95(confidence, spread, wanted):
    assert combined(*around(spread, confidence)).confidence.tolist() == [wanted]


@pytest.mark.parametrize(
    "members", [(), ((20.0, 60, "OVER"),), (None, None, (20.0, 60, "OVER"), None), (None,) * 4], ids=len
)
def test_one_system_is_no_ensemble(members):
    made = combined(*members, line="10")
    assert (made.there.tolist(), made.recommendation.tolist()) == ([False], [2])
    assert np.isnan([made.points[0], made.confidence[0], made.components["prediction_variance"][0]]).all()
    assert made.texts["contributing_systems"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("votes", "line", "wanted"),
    [
        pytest.param("PASS PASS PASS PASS", "18.5", "OVER", id="the-sign-of-the-edge:1.5-is-enough"),
        pytest.param("PASS PASS PASS PASS", "18.6", "PASS", id="1.4-is-not"),
        pytest.param("PASS PASS PASS PASS", "21.5", "UNDER", id="the-sign-below"),
        pytest.param("OVER OVER OVER PASS", "20", "PASS", id="no-edge-no-recommendation"),
        pytest.param("OVER OVER OVER UNDER", "22", "OVER", id="the-majority-against-the-sign"),
        pytest.param("UNDER UNDER UNDER OVER", "18", "UNDER", id="the-majority-the-other-way"),
        pytest.param("OVER OVER UNDER UNDER", "22", "UNDER", id="a-tie-is-no-majority"),
        pytest.param("OVER OVER PASS PASS", "22", "UNDER", id="half-is-no-majority"),
        pytest.param("UNDER UNDER PASS PASS", "18", "OVER", id="nor-below"),
        pytest.param("OVER PASS", "22", "UNDER", id="one-of-two-is-half"),
        pytest.param("UNDER PASS", "18", "OVER", id="nor-below-of-two"),
        pytest.param("OVER OVER PASS", "22", "OVER", id="two-of-three-are-a-majority"),
    ],
)
def test_recommendation(votes, line, wanted):
    made = combined(*((20.0, 60, vote) for vote in votes.split()), line=line)  # confidence 70 or 75
    assert RECOMMENDATIONS[made.recommendation[0]] == wanted
    assert made.key_factors["over_votes"].tolist() == [votes.count("OVER")]
    assert made.key_factors["under_votes"].tolist() == [votes.count("UNDER")]


@pytest.mark.parametrize(("confidence", "wanted"), [(50, "OVER"), (49.99, "PASS")])
def test_a_recommendation_needs_a_confidence_of_65(confidence, wanted):
    made = combined(*((20.0, confidence, "OVER") for _ in range(4)), line="10")
    assert RECOMMENDATIONS[made.recommendation[0]] == wanted


def test_a_system_that_is_no_member_is_refused():
    with pytest.raises(UsageError, match="unknown system catboost_v8; ensemble_v1 combines moving_average, zone"):
        ensemble.predict(slate_of([a_row()]), {"catboost_v8": given((20.0, 60, "PASS"))})
