"""The five systems: tables worked out by hand, a slow reference on random rows, and rows that do not meet.

A plain row (slates.PLAIN_FEATURES) averages 20 points, on the road, against a defence of 110.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions import gradient_boosting, moving_average, similarity, zone_matchup
from fullcourt.domain.predictions.rules import half_away
from fullcourt.domain.predictions.slate import RECOMMENDATIONS, Prediction, Slate
from fullcourt.domain.predictions.systems import SYSTEMS, predict_all
from tests.domain.predictions import reference_systems
from tests.domain.predictions.slates import Past, Row, a_row, rows, same, slate_of, take, take_predictions

slates = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def only(made: Prediction) -> tuple[float, float, str]:
    """The one prediction's points, confidence and recommendation."""
    assert made.there.tolist() == [True]
    return made.points[0], made.confidence[0], RECOMMENDATIONS[made.recommendation[0]]


def points(system, changes: dict[str, str], **fields) -> float:
    predict = (lambda slate: system.predict(slate, None)) if system is gradient_boosting else system.predict
    return only(predict(slate_of([a_row(changes, **fields)])))[0]


def test_system_ids():
    assert SYSTEMS == ("moving_average", "zone_matchup_v1", "similarity_balanced_v1", "xgboost_v1", "ensemble_v1")


# moving_average


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({}, 19.5, id="half-a-point-less-on-the-road"),
        pytest.param({"home_away": "1"}, 20.5, id="half-a-point-more-at-home"),
        pytest.param({"points_avg_last_5": "30"}, 24.5, id="half-the-last-5"),
        pytest.param({"points_avg_last_10": "30"}, 22.5, id="three-tenths-of-the-last-10"),
        pytest.param({"points_avg_season": "30"}, 21.5, id="a-fifth-of-the-season"),
        pytest.param({"fatigue_score": "49"}, 17.0, id="tired-below-50"),
        pytest.param({"fatigue_score": "50"}, 18.5, id="weary-from-50"),
        pytest.param({"fatigue_score": "69"}, 18.5, id="weary-below-70"),
        pytest.param({"fatigue_score": "70"}, 19.5, id="fit-from-70"),
        pytest.param({"fatigue_score": "100"}, 19.5, id="a-fresh-player-is-not-penalised"),
        pytest.param({"shot_zone_mismatch_score": "10"}, 22.5, id="good-match-up"),
        pytest.param({"shot_zone_mismatch_score": "-10"}, 16.5, id="bad-match-up"),
        pytest.param({"back_to_back": "1"}, 18.0, id="back-to-back"),
        pytest.param({"pace_score": "3"}, 20.4, id="fast"),
        pytest.param({"usage_spike_score": "3"}, 20.7, id="more-usage"),
        pytest.param({"pace_score": "0.5"}, 19.7, id="19.65-rounds-up"),
        pytest.param({"points_avg_last_5": "80", "points_avg_last_10": "80"}, 60.0, id="at-most-60"),
        pytest.param({"points_avg_last_5": "0", "points_avg_last_10": "0", "points_avg_season": "2"}, 0.0, id="0-up"),
        pytest.param({"opponent_def_rating": "125", "recent_trend": "2", "rest_advantage": "2"}, 19.5, id="not-used"),
    ],
)
def test_moving_average_points(changes, wanted):
    assert points(moving_average, changes) == wanted


STEADY = [
    pytest.param("4", "3", 60, id="steady-scorer"),
    pytest.param("4.01", "3", 52, id="std-above-4"),
    pytest.param("6", "3", 52, id="std-of-6"),
    pytest.param("6.01", "3", 45, id="std-above-6"),
    pytest.param("5", "4", 52, id="more-than-3-games"),
    pytest.param("5", "2", 47, id="2-games"),
    pytest.param("5", "1", 32, id="1-game"),
    pytest.param("6.01", "0", 25, id="the-lowest-there-is"),
]


@pytest.mark.parametrize("system", [moving_average, zone_matchup], ids=["moving_average", "zone_matchup"])
@pytest.mark.parametrize(("deviation", "games", "wanted"), STEADY)
def test_confidence_of_the_two_simple_systems(system, deviation, games, wanted):
    row = a_row({"points_std_last_10": deviation, "games_in_last_7_days": games})
    assert only(system.predict(slate_of([row])))[1] == wanted


@pytest.mark.parametrize(
    ("line", "deviation", "wanted"),
    [
        pytest.param("17.5", "5", "PASS", id="an-edge-of-2-is-not-enough"),
        pytest.param("17.4", "5", "OVER", id="beyond-2"),
        pytest.param("21.5", "5", "PASS", id="2-below"),
        pytest.param("21.6", "5", "UNDER", id="beyond-2-below"),
        pytest.param("5.5", "6.01", "PASS", id="a-confidence-of-45-is-not-enough"),
    ],
)
def test_recommendation_of_the_moving_average(line, deviation, wanted):
    row = a_row({"points_std_last_10": deviation}, line=Fraction(line))
    assert only(moving_average.predict(slate_of([row])))[2] == wanted


@pytest.mark.parametrize(("line", "wanted"), [("17.2", "PASS"), ("17.1", "OVER"), ("21.2", "PASS"), ("21.3", "UNDER")])
def test_recommendation_of_the_zone_matchup(line, wanted):
    assert only(zone_matchup.predict(slate_of([a_row(line=Fraction(line))])))[2] == wanted  # 19.2 points
    erratic = a_row({"points_std_last_10": "6.01"}, line=Fraction(line))  # a confidence of 45
    assert only(zone_matchup.predict(slate_of([erratic])))[2] == "PASS"


def test_edges_are_compared_in_tenths():
    """20.7 - 18.7 is 1.9999999999999996 or 2.0000000000000036 in binary, by luck; on paper it is 2."""
    for tenths in range(20, 400):
        changes = dict.fromkeys(("points_avg_last_5", "points_avg_last_10", "points_avg_season"), f"{tenths / 10}")
        row = a_row(changes, line=Fraction(tenths - 5 - 20, 10))
        assert only(moving_average.predict(slate_of([row])))[2] == "PASS", tenths


# zone_matchup_v1


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({}, 19.2, id="an-average-defence-changes-nothing"),
        pytest.param({"points_avg_season": "30", "points_avg_last_5": "9"}, 29.2, id="the-season-alone"),
        # rating 115: 1.8 paint, 1.5 mid, 1.65 three, 1.2 free throws; used .7, .7, .7, .4
        pytest.param({"opponent_def_rating": "115"}, 23.1, id="19.2+1.26+1.05+1.155+.48"),
        pytest.param({"opponent_def_rating": "115", "pct_paint": "0.4"}, 23.7, id="paint-from-.40-counts-in-full"),
        pytest.param({"opponent_def_rating": "115", "pct_paint": "0.1999"}, 22.6, id="paint-under-.20-counts-.4"),
        pytest.param({"opponent_def_rating": "115", "pct_mid_range": "0.1999"}, 22.7, id="mid-range"),
        pytest.param({"opponent_def_rating": "115", "pct_three": "0.4"}, 23.6, id="three"),
        pytest.param({"opponent_def_rating": "115", "pct_free_throw": "0.2"}, 23.5, id="free-throws"),
        # rating 120: 3.6 and 3.3 are clamped to 3; mid 3, free throws 2.4
        pytest.param({"opponent_def_rating": "120"}, 26.5, id="19.2+2.1+2.1+2.1+.96"),
        pytest.param({"opponent_def_rating": "100"}, 11.9, id="a-strong-defence-lowers-it"),
        pytest.param({"pace_score": "3"}, 20.4, id="fast"),
        pytest.param({"home_away": "1"}, 20.8, id="at-home"),
        pytest.param({"fatigue_score": "49"}, 17.7, id="tired"),
        pytest.param({"fatigue_score": "50"}, 18.4, id="weary"),
        pytest.param({"fatigue_score": "70"}, 19.2, id="fit"),
        pytest.param({"fatigue_score": "100"}, 19.2, id="a-fresh-player-is-not-penalised"),
        pytest.param({"back_to_back": "1", "usage_spike_score": "3"}, 19.2, id="not-used"),
    ],
)
def test_zone_matchup_points(changes, wanted):
    assert points(zone_matchup, changes) == wanted


@pytest.mark.parametrize(
    ("opponent", "wanted"), [("112.5", 19.2), ("117.5", 23.1), ("110", 17.2)], ids=["average", "weak", "strong"]
)
def test_a_trained_model_brings_the_rating_that_zones_are_measured_against(opponent, wanted):
    slate = slate_of([a_row({"opponent_def_rating": opponent})])
    assert only(zone_matchup.predict(slate, 112.5))[0] == wanted
    factors = zone_matchup.predict(slate, 112.5).key_factors
    assert factors["average_rating"].tolist() == [112.5]


# similarity_balanced_v1


@pytest.mark.parametrize(
    ("game", "wanted"),
    [
        pytest.param(Past(), 100, id="the-same"),
        pytest.param(Past(rating=Fraction("109.99")), 80, id="an-elite-defence-then"),
        pytest.param(Past(rating=Fraction(110)), 100, id="average-from-110"),
        pytest.param(Past(rating=Fraction("114.99")), 100, id="average-below-115"),
        pytest.param(Past(rating=Fraction(115)), 80, id="weak-from-115"),
        pytest.param(Past(days_rest=1), 85, id="a-back-to-back-is-one-bucket-away"),
        pytest.param(Past(days_rest=3), 85, id="two-days-of-rest-too"),
        pytest.param(Past(days_rest=4), 70, id="three-days-are-two-away"),
        pytest.param(Past(days_rest=9), 70, id="as-are-more"),
        pytest.param(Past(days_rest=None), 70, id="a-first-game-follows-a-summer"),
        pytest.param(Past(home=True), 85, id="the-other-venue"),
        pytest.param(Past(form=Fraction("2.9")), 100, id="not-quite-hot"),
        pytest.param(Past(form=Fraction(3)), 90, id="hot"),
        pytest.param(Past(form=Fraction(-3)), 90, id="cold"),
        pytest.param(Past(form=None), 100, id="unknown-form-is-neither"),
        pytest.param(Past(0, Fraction(115), 4, True, Fraction(3)), 25, id="hardly-alike"),
    ],
)
def test_similarity_scores(game, wanted):
    """Tonight: an average defence (112), one day of rest, on the road, in normal form."""
    row = a_row({"opponent_def_rating": "112"}, days_rest=2, history=(game,))
    assert similarity.scores(slate_of([row]))[0].tolist() == [wanted] + [0] * 29


def test_opposite_tiers_score_nothing_and_a_debutant_is_rested():
    elite = a_row({"opponent_def_rating": "109"}, days_rest=None, history=(Past(rating=Fraction(115), days_rest=4),))
    assert similarity.scores(slate_of([elite]))[0, 0] == 0 + 30 + 15 + 15


def test_form_of_tonight_is_l5_less_season_on_paper():
    """18.3 - 15.3 is 3, whatever binary says."""
    for tenths in range(50, 300):
        changes = {"points_avg_season": f"{tenths / 10}", "points_avg_last_5": f"{(tenths + 30) / 10}"}
        row = a_row({**changes, "opponent_def_rating": "112"}, history=(Past(form=Fraction(3)),))
        assert similarity.scores(slate_of([row]))[0, 0] == 100, tenths


def games_like_tonight(*scored: int) -> tuple[Past, ...]:
    return tuple(Past(points) for points in scored)


def similar(history: tuple[Past, ...], changes: dict[str, str] | None = None, line: str = "20") -> Prediction:
    row = a_row({"opponent_def_rating": "112", **(changes or {})}, history=history, line=Fraction(line))
    return similarity.predict(slate_of([row]))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({}, 19.6, id="20-.5-away+.075-fatigue"),
        pytest.param({"fatigue_score": "30"}, 18.9, id="tired"),
        pytest.param({"fatigue_score": "100"}, 20.0, id="fresh-19.95"),
        pytest.param({"shot_zone_mismatch_score": "10"}, 23.6, id="match-up"),
        pytest.param({"pace_score": "3"}, 22.0, id="pace-21.975"),
        pytest.param({"usage_spike_score": "-3"}, 17.2, id="usage-17.175"),
        pytest.param({"back_to_back": "1"}, 19.6, id="not-used"),
    ],
)
def test_similarity_points(changes, wanted):
    assert only(similar(games_like_tonight(20, 20, 20, 20, 20), changes))[0] == wanted


def test_at_home_he_scores_more():
    at_home = tuple(Past(20, home=True) for _ in range(5))
    assert only(similar(at_home, {"home_away": "1"}))[0] == 20.9  # 20 + .8 + .075


def test_the_baseline_is_weighted_by_score():
    history = (*games_like_tonight(30, 30, 30, 30), Past(10, rating=Fraction(109)))  # scores 100 and 80
    made = similar(history)
    assert made.components["similarity_baseline"].tolist() == [26.67]  # 12800 / 480
    assert made.components["avg_similarity_score"].tolist() == [96.0]
    assert made.components["min_similarity_score"].tolist() == [80.0]
    assert made.components["similar_games_count"].tolist() == [5.0]
    assert only(made)[0] == 26.2  # 26.667 - .5 + .075


def test_games_under_70_are_not_used():
    unlike = Past(60, days_rest=4, form=Fraction(5))  # 40 + 0 + 15 + 5
    assert only(similar((*games_like_tonight(20, 20, 20, 20, 20), unlike)))[0] == 19.6
    made = similar((*games_like_tonight(20, 20, 20, 20), unlike))
    assert (made.there.tolist(), made.recommendation.tolist()) == ([False], [2])
    blanks = (made.points, made.confidence, *made.components.values(), *made.key_factors.values())
    assert all(np.isnan(values).all() for values in blanks)


def test_of_equally_similar_games_the_20_newest_count_after_the_more_similar_ones():
    older = tuple(Past(50) for _ in range(5))
    close = tuple(Past(10, rating=Fraction(109)) for _ in range(20))  # score 80
    made = similar((*close, *older))
    assert made.components["similar_games_count"].tolist() == [20.0]
    assert made.components["similarity_baseline"].tolist() == [round((5 * 100 * 50 + 15 * 80 * 10) / 1700, 2)]
    newest = tuple(Past(points) for points in (*range(20), *([60] * 10)))
    assert similar(newest).components["similarity_baseline"].tolist() == [9.5]


def alternating(count: int, by: int) -> tuple[Past, ...]:
    """Points 20 - by, 20 + by, ...: a population deviation of `by` where the count is even."""
    return games_like_tonight(*(20 + by * (-1) ** n for n in range(count)))


def at_score(score: int, count: int) -> tuple[Past, ...]:
    """Games of 20 points that score 100, 85, 80, 75 or 70."""
    game = {
        85: Past(days_rest=1),
        80: Past(rating=Fraction(109)),
        75: Past(days_rest=1, form=Fraction(3)),
        70: Past(days_rest=4),
    }
    return (game[score],) * count


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        pytest.param(alternating(5, 0), 70, id="5-games:50-15+20+15"),
        pytest.param(alternating(6, 0), 70, id="6-games"),
        pytest.param(alternating(7, 0), 95, id="7-games:+10"),
        pytest.param(alternating(9, 0), 95, id="9-games"),
        pytest.param(alternating(10, 0), 100, id="10-games:+15"),
        pytest.param(alternating(14, 4), 93, id="14-games-std-4:50+15+20+8"),
        pytest.param((*alternating(14, 5), Past(20)), 98, id="15-games:+20"),
        pytest.param(alternating(30, 0), 100, id="at-most-100"),
        pytest.param(alternating(16, 3), 100, id="std-3"),
        pytest.param(alternating(16, 6), 93, id="std-6:+3"),
        pytest.param(alternating(16, 7), 93, id="std-7"),
        pytest.param(alternating(16, 8), 85, id="std-8:-5"),
        pytest.param(at_score(85, 6), 70, id="mean-85:+20"),
        pytest.param(at_score(80, 6), 65, id="mean-80:+15"),
        pytest.param(at_score(75, 6), 65, id="mean-75:+15"),
        pytest.param(at_score(70, 6), 60, id="mean-70:+10"),
    ],
)
def test_confidence_of_similarity(history, wanted):
    assert only(similar(history))[1] == wanted


@pytest.mark.parametrize(
    ("line", "history", "wanted"),
    [
        pytest.param("17.6", alternating(6, 0), "OVER", id="an-edge-of-2-is-enough"),
        pytest.param("17.7", alternating(6, 0), "PASS", id="below-2"),
        pytest.param("21.6", alternating(6, 0), "UNDER", id="2-below"),
        pytest.param("17.6", at_score(75, 6), "OVER", id="a-confidence-of-65-is-enough"),
        pytest.param("17.6", at_score(70, 6), "PASS", id="60-is-not"),
    ],
)
def test_recommendation_of_similarity(line, history, wanted):
    assert only(similar(history, line=line))[2] == wanted


# xgboost_v1, the stand-in


@pytest.mark.parametrize(
    ("changes", "fields", "wanted"),
    [
        pytest.param({}, {}, 19.4, id="on-the-road"),
        pytest.param({"home_away": "1"}, {}, 21.0, id="at-home"),
        pytest.param({"points_avg_last_5": "30"}, {}, 22.9, id="last-5"),
        pytest.param({"points_avg_last_10": "30"}, {}, 23.4, id="last-10"),
        pytest.param({"points_avg_season": "30"}, {}, 21.9, id="season"),
        pytest.param({"fatigue_score": "49"}, {}, 16.9, id="tired"),
        pytest.param({"fatigue_score": "69"}, {}, 18.4, id="weary"),
        pytest.param({"fatigue_score": "85"}, {}, 19.4, id="fit"),
        pytest.param({"fatigue_score": "86"}, {}, 19.9, id="fresh-above-85"),
        pytest.param({"shot_zone_mismatch_score": "10"}, {}, 22.9, id="match-up"),
        pytest.param({"pace_score": "3"}, {}, 19.6, id="pace-.24"),
        pytest.param({"pace_score": "3"}, {"usage_rate": Fraction(28)}, 19.6, id="usage-of-28"),
        pytest.param({"pace_score": "3"}, {"usage_rate": Fraction("28.01")}, 19.8, id="usage-above-28:.36"),
        pytest.param({"pace_score": "3"}, {"usage_rate": None}, 19.6, id="usage-unknown"),
        pytest.param({"usage_spike_score": "3"}, {}, 20.2, id="usage-spike-.75"),
        pytest.param({"opponent_def_rating": "107.99"}, {}, 17.9, id="strong-defence"),
        pytest.param({"opponent_def_rating": "108"}, {}, 19.4, id="from-108-it-is-not"),
        pytest.param({"opponent_def_rating": "118"}, {}, 19.4, id="118-is-not-weak"),
        pytest.param({"opponent_def_rating": "118.01"}, {}, 20.4, id="weak-defence"),
        pytest.param({"back_to_back": "1"}, {}, 17.2, id="back-to-back"),
        pytest.param({}, {"minutes_avg": Fraction("36.1")}, 20.2, id="many-minutes"),
        pytest.param({}, {"minutes_avg": Fraction(36)}, 19.4, id="36-are-not-many"),
        pytest.param({}, {"minutes_avg": Fraction("24.9")}, 18.2, id="few-minutes"),
        pytest.param({}, {"minutes_avg": Fraction(25)}, 19.4, id="25-are-not-few"),
        pytest.param({}, {"minutes_avg": None}, 19.4, id="minutes-unknown"),
        pytest.param({"pct_paint": "0.4501", "opponent_def_rating": "115.01"}, {}, 20.2, id="paint-on-a-weak-one"),
        pytest.param({"pct_paint": "0.45", "opponent_def_rating": "115.01"}, {}, 19.4, id="45-percent-is-too-little"),
        pytest.param({"pct_paint": "0.4501", "opponent_def_rating": "115"}, {}, 19.4, id="115-is-too-little"),
        pytest.param({"pct_three": "0.4001", "opponent_def_rating": "109.99"}, {}, 18.9, id="threes-on-a-good-one"),
        pytest.param({"pct_three": "0.40", "opponent_def_rating": "109.99"}, {}, 19.4, id="40-percent-is-too-little"),
        pytest.param({"pct_three": "0.4001", "opponent_def_rating": "110"}, {}, 19.4, id="110-is-too-much"),
        pytest.param({"pct_three": "0.4001", "opponent_def_rating": "107"}, {}, 17.4, id="a-strong-one-twice"),
    ],
)
def test_stand_in_points(changes, fields, wanted):
    assert points(gradient_boosting, changes, **fields) == wanted


@pytest.mark.parametrize(
    ("quality", "deviation", "wanted"),
    [
        ("90", "3.99", 90),
        ("89.99", "3.99", 87),
        ("80", "4", 84),
        ("79.99", "5.99", 82),
        ("70", "6", 80),
        ("69.99", "7.99", 77),
        ("60", "8", 74),
        ("59.99", "8", 72),
    ],
)
def test_confidence_of_xgboost(quality, deviation, wanted):
    row = a_row({"points_std_last_10": deviation}, quality=Fraction(quality))
    assert only(gradient_boosting.predict(slate_of([row]), None))[1] == wanted


@pytest.mark.parametrize(("line", "wanted"), [("17.9", "OVER"), ("18", "PASS"), ("20.8", "PASS"), ("20.9", "UNDER")])
def test_recommendation_of_xgboost(line, wanted):
    assert only(gradient_boosting.predict(slate_of([a_row(line=Fraction(line))]), None))[2] == wanted


def test_the_stand_in_says_that_it_is_one():
    made = gradient_boosting.predict(slate_of([a_row(), a_row()]), None)
    assert made.texts["ml_model_id"].to_pylist() == ["stand_in_v1"] * 2


# All five against the reference


@settings(slates, max_examples=80)
@given(st.lists(rows, min_size=1, max_size=5))
def test_every_system_says_what_the_reference_says(drawn: list[Row]):
    found = predict_all(slate_of(drawn), None)
    assert tuple(found) == SYSTEMS
    for index, row in enumerate(drawn):
        for name, wanted in reference_systems.predict_all(row).items():
            made = take_predictions(found[name], np.array([index]))
            assert made.there[0] == (wanted is not None)
            if wanted is None:
                assert np.isnan(made.points[0])
                assert np.isnan(made.confidence[0])
                assert RECOMMENDATIONS[made.recommendation[0]] == "PASS"
                continue
            assert only(made) == (float(wanted.points), float(wanted.confidence), wanted.recommendation)
            assert {name: values[0] for name, values in made.components.items()} == pytest.approx(
                {name: float(value) for name, value in wanted.components.items()}, abs=1e-9
            )


@settings(slates, max_examples=25)
@given(st.lists(rows, min_size=1, max_size=6), st.data())
def test_rows_do_not_meet(drawn, data):
    """Some rows of a slate, once or often, in any order and memory layout: each says what it said."""
    slate = slate_of(drawn)
    index = np.array(data.draw(st.lists(st.integers(0, len(drawn) - 1), min_size=1, max_size=40)))
    whole, part = predict_all(slate, None), predict_all(columnwise(take(slate, index)), None)
    for name in SYSTEMS:
        assert same(take_predictions(whole[name], index), part[name])


def columnwise(slate: Slate) -> Slate:
    """The same values, column by column in memory."""
    past = {name: np.asfortranarray(values) for name, values in vars(slate.history).items()}
    return Slate(
        **{**vars(slate), "features": np.asfortranarray(slate.features), "history": type(slate.history)(**past)}
    )


@settings(slates, max_examples=25)
@given(st.lists(rows, min_size=1, max_size=5))
def test_ranges_and_what_a_row_says_about_itself(drawn):
    slate = slate_of(drawn)
    for made in predict_all(slate, None).values():
        there = made.there
        assert ((made.points[there] >= 0) & (made.points[there] <= 60)).all()
        assert ((made.confidence[there] >= 0) & (made.confidence[there] <= 100)).all()
        assert (made.points[there] == np.round(made.points[there], 1)).all()
        assert (made.confidence[there] == np.round(made.confidence[there], 2)).all()
        assert set(made.recommendation.tolist()) <= {0, 1, 2}


def test_an_empty_slate():
    for made in predict_all(slate_of([]), None).values():
        assert len(made.points) == 0


def test_no_line_is_a_pass():
    slate = slate_of([a_row(history=games_like_tonight(20, 20, 20, 20, 20))])
    without = Slate(**{**vars(slate), "line": np.array([np.nan])})
    assert [RECOMMENDATIONS[made.recommendation[0]] for made in predict_all(without, None).values()] == ["PASS"] * 5


def test_only_some_systems():
    slate = slate_of([a_row()])
    assert tuple(predict_all(slate, None, only=["ensemble_v1", "moving_average"])) == ("moving_average", "ensemble_v1")
    with pytest.raises(UsageError, match="unknown prediction system catboost_v8; known: moving_average, zone"):
        predict_all(slate, None, only=["moving_average", "catboost_v8"])


def test_a_feature_that_the_version_lacks_is_an_error():
    with pytest.raises(UsageError, match="v1_baseline_25 has no feature 'is_home'"):
        slate_of([a_row()]).feature("is_home")


def test_a_slate_has_one_value_a_row():
    slate = slate_of([a_row(), a_row()])
    with pytest.raises(UsageError, match="'quality': 1"):
        Slate(**{**vars(slate), "quality": slate.quality[:1]})
    with pytest.raises(UsageError, match=r"must be \(2, 25\), got \(2, 24\)"):
        Slate(**{**vars(slate), "features": slate.features[:, 1:]})


@given(st.integers(-60_000, 60_000), st.integers(0, 2))
def test_halves_are_rounded_away_from_zero(thousandths, places):
    exact = Fraction(thousandths, 1000)
    found = half_away(np.array([thousandths / 1000, np.nan]), places)
    assert found[0] == float(reference_systems.rounded(exact, places))
    assert np.isnan(found[1])
    assert not np.signbit(found[0]) or found[0] < 0
