"""Gaps by hand, and beside a plain count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcourt.domain.errors import UsageError
from fullcourt.domain.gaps import calendar_days, find_gaps

FIRST = date(2024, 2, 26)  # of a leap year: the range holds 29 February
LAST = FIRST + timedelta(9)


def days(*numbers: int) -> list[date]:
    """Days of the range, the first is 0."""
    return [FIRST + timedelta(number) for number in numbers]


ALL = days(*range(10))
CASES = {
    "all there": (ALL, ALL, [], 100.0),
    "none there": (ALL, [], ALL, 0.0),
    "one of ten missing": (ALL, days(0, 1, 2, 3, 4, 5, 6, 7, 8), days(9), 90.0),
    "two of three there": (days(0, 4, 8), days(8, 0), days(4), 66.7),
    "one of three there": (days(0, 4, 8), days(4), days(0, 8), 33.3),
    "one of eight missing rounds away from zero": (days(*range(8)), days(*range(7)), days(7), 87.5),
    "nothing expected": ([], [], [], 100.0),
    "nothing expected, something there": ([], days(1), [], 100.0),
    "a day off that is there is no matter": (days(0), days(0, 1), [], 100.0),
    "repeats count once": (days(0, 0, 1), days(0, 0), days(1), 50.0),
    "expected in any order, missing in order": (days(5, 2, 9), [], days(2, 5, 9), 0.0),
    "outside the range": (days(-1, 0, 10), days(0), [], 100.0),
    "the last day belongs to it": (days(9), [], days(9), 0.0),
    "the first day belongs to it": (days(0), [], days(0), 0.0),
}


@pytest.mark.parametrize(("expected", "present", "missing", "coverage"), CASES.values(), ids=CASES)
def test_gaps_are_the_expected_days_that_are_not_there(expected, present, missing, coverage):
    gaps = find_gaps(FIRST, LAST, expected, present)
    assert (list(gaps.missing_dates), gaps.coverage_pct) == (missing, coverage)
    assert (gaps.has_gaps, gaps.is_continuous, gaps.gap_count) == (bool(missing), not missing, len(missing))


@given(st.sets(st.integers(-3, 12)), st.sets(st.integers(-3, 12)))
def test_expected_days_are_there_or_missing(expected, present):
    gaps = find_gaps(FIRST, LAST, days(*expected), days(*present))
    due = [number for number in range(10) if number in expected]
    there = [number for number in due if number in present]
    assert gaps.expected_days == len(due)
    assert sorted([*gaps.missing_dates, *days(*there)]) == days(*due)
    exact = 100 * len(there) / len(due) if due else 100
    assert abs(gaps.coverage_pct - exact) <= 0.05 + 1e-9


def test_calendar_days_are_all_of_them():
    assert calendar_days(FIRST, LAST) == ALL
    assert date(2024, 2, 29) in ALL
    assert calendar_days(FIRST, FIRST) == [FIRST]


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(UsageError, match="start=2024-03-06, end=2024-02-26"):
        find_gaps(LAST, FIRST, [], [])
