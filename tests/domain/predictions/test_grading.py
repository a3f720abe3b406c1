"""Grades against plain formulas, published intervals, and a simulation of days that go well or badly as a whole."""

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions.grading import Interval, compare, grade, student_t, wilson
from fullcourt.domain.predictions.slate import RECOMMENDATIONS

NAN = float("nan")
Rows = list[tuple[float, float, float, bool, str]]  # points, actual, line, line estimated, recommendation


def graded(rows: Rows):
    points, actual, line, estimated, said = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    codes = np.array([RECOMMENDATIONS.index(word) for word in said], np.int8)
    return grade(*(np.array(v, float) for v in (points, actual, line)), np.array(estimated, bool), codes)


def test_errors_by_hand():
    found = graded([(20.0, 18, 19.5, False, "PASS"), (10.0, 14, 9.5, False, "PASS"), (15.0, 15, 9.5, False, "PASS")])
    assert (found.count, found.mae, found.bias) == (3, 2.0, pytest.approx(-2 / 3))
    assert found.rmse == pytest.approx(math.sqrt(20 / 3))
    assert (found.decided, found.hits, found.hit_rate, found.hit_interval) == (0, 0, None, None)


@pytest.mark.parametrize(
    ("row", "decided", "hits"),
    [
        pytest.param((25.0, 22, 20.5, False, "OVER"), 1, 1, id="over-and-over"),
        pytest.param((25.0, 20, 20.5, False, "OVER"), 1, 0, id="over-and-under"),
        pytest.param((15.0, 20, 20.5, False, "UNDER"), 1, 1, id="under-and-under"),
        pytest.param((15.0, 21, 20.5, False, "UNDER"), 1, 0, id="under-and-over"),
        pytest.param((25.0, 22, 20.5, False, "PASS"), 0, 0, id="a-pass"),
        pytest.param((25.0, 20, 20.0, False, "OVER"), 0, 0, id="a-push"),
        pytest.param((25.0, 22, 20.5, True, "OVER"), 0, 0, id="an-estimated-line"),
        pytest.param((25.0, 22, NAN, False, "OVER"), 0, 0, id="no-line"),
        pytest.param((25.0, NAN, 20.5, False, "OVER"), 0, 0, id="no-result"),
        pytest.param((NAN, 22, 20.5, False, "PASS"), 0, 0, id="no-prediction"),
    ],
)
def test_what_counts_as_a_hit(row, decided, hits):
    found = graded([row])
    assert (found.decided, found.hits) == (decided, hits)


def test_without_rows_nothing_is_known():
    found = graded([])
    assert (found.count, found.mae, found.rmse, found.bias, found.hit_rate) == (0, None, None, None, None)
    assert graded([(NAN, 20, 20.5, False, "PASS"), (20.0, NAN, 20.5, False, "OVER")]) == found


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_wilson_intervals(hits, trials, low, high):
    """Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3."""
    found = wilson(hits, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    other = wilson(trials - hits, trials)
    assert (other.low, other.high) == (pytest.approx(1 - found.high), pytest.approx(1 - found.low))


def test_wilson_at_the_ends():
    assert wilson(0, 0) is None
    assert wilson(0, 3).low == 0.0
    assert wilson(3, 3).high == 1.0


@pytest.mark.parametrize(
    ("degrees", "wanted", "within"),
    [(4, 2.77645, 9e-4), (5, 2.57058, 3e-4), (9, 2.26216, 2e-5), (19, 2.09302, 1e-5), (120, 1.97993, 1e-5)],
)
def test_student_t_of_the_tables(degrees, wanted, within):
    assert student_t(degrees) == pytest.approx(wanted, abs=within)


points = st.integers(0, 600).map(lambda n: n / 10)
results = st.integers(0, 60).map(float)
paired = st.lists(st.tuples(points, points, results, st.integers(0, 9)), min_size=1, max_size=60)


def compared(rows):
    ours, theirs, actual, day = (np.array(values) for values in zip(*rows, strict=True))
    return compare(ours, theirs, actual, day)


@settings(deadline=None, max_examples=50)
@given(paired)
def test_comparison_is_the_formula(rows):
    """Slowly: the sum over days of the squared sum of deviations, G / (G - 1), n^2."""
    differences = [abs(ours - actual) - abs(theirs - actual) for ours, theirs, actual, _ in rows]
    mean = statistics.fmean(differences)
    days = sorted({day for *_, day in rows})
    found = compared(rows)
    assert (found.count, found.days) == (len(rows), len(days))
    assert found.difference == pytest.approx(mean, abs=1e-9)
    if len(days) < 5:
        assert found.interval is None
        return
    squares = 0.0
    for day in days:
        squares += sum(d - mean for d, row in zip(differences, rows, strict=True) if row[3] == day) ** 2
    error = math.sqrt(len(days) / (len(days) - 1) * squares) / len(rows)
    half = student_t(len(days) - 1) * error
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(mean - half, abs=1e-9),
        pytest.approx(mean + half, abs=1e-9),
    )


@settings(deadline=None, max_examples=50)
@given(paired, st.randoms())
def test_order_changes_nothing(rows, shuffler: random.Random):
    shuffled = rows.copy()
    shuffler.shuffle(shuffled)
    assert compared(rows) == compared(shuffled)
    both = [
        [(ours, actual, line, day % 2 == 0, RECOMMENDATIONS[day % 3]) for ours, line, actual, day in order]
        for order in (rows, shuffled)
    ]
    assert graded(both[0]) == graded(both[1])


@settings(deadline=None, max_examples=50)
@given(paired)
def test_errors_are_those_of_numpy(rows):
    found = graded([(ours, actual, NAN, False, "PASS") for ours, _, actual, _ in rows])
    error = np.array([ours - actual for ours, _, actual, _ in rows])
    assert found.mae == pytest.approx(np.abs(error).mean(), abs=1e-9)
    assert found.rmse == pytest.approx(np.sqrt((error**2).mean()), abs=1e-9)
    assert found.bias == pytest.approx(error.mean(), abs=1e-9)


def test_with_a_row_a_day_it_is_the_classical_interval():
    differences = [1.0, -2.0, 0.5, 3.0, -1.0, 2.0]
    found = compared(
        [(20 + d if d >= 0 else 20 - d, 20.0 if d >= 0 else 20 - 2 * d, 20.0, n) for n, d in enumerate(differences)]
    )
    half = student_t(5) * statistics.stdev(differences) / math.sqrt(6)
    assert found.difference == pytest.approx(0.5833, abs=1e-3)
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(0.5833 - half, abs=1e-3),
        pytest.approx(0.5833 + half, abs=1e-3),
    )


def test_only_rows_that_both_predicted_are_compared():
    found = compared([(20.0, 21.0, 20.0, 1), (NAN, 21.0, 20.0, 1), (20.0, NAN, 20.0, 2), (20.0, 21.0, NAN, 3)])
    assert (found.count, found.days, found.difference) == (1, 1, -1.0)
    nothing = compared([(NAN, 21.0, 20.0, 1)])
    assert (nothing.count, nothing.days, nothing.difference, nothing.interval) == (0, 0, None, None)


def test_the_interval_holds_when_whole_days_go_wrong():
    """Days share an effect; the truth is 0. The clustered interval covers it in 95 % of seasons of 30 days."""
    random_days = np.random.default_rng(7)
    day = np.repeat(np.arange(30), 20)
    actual = np.full(600, 100.0)
    covered = 0
    for _ in range(400):
        difference = random_days.normal(0, 1, 30)[day] + random_days.normal(0, 1, 600)
        found = compare(actual + 50 + difference, actual + 50, actual, day)
        covered += found.interval.low <= 0 <= found.interval.high
    assert 0.93 <= covered / 400 <= 0.97


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(UsageError, match="one value a row"):
        compare(np.zeros(2), np.zeros(3), np.zeros(3), np.zeros(3, np.int32))


def test_intervals_compare():
    assert wilson(5, 10) == Interval(pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
