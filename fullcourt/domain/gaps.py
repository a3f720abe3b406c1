"""Gaps: of the days expected in a range, those that are not there.

Expected are the schedule's game days, so a day off is no gap; or every calendar day, where somebody asks for that.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from fullcourt.domain.errors import UsageError
from fullcourt.domain.numbers import ratio


@dataclass(frozen=True)
class Gaps:
    """What a closed range of days lacks. missing_dates ascend; expected_days counts all that were due."""

    start: dt.date
    end: dt.date
    expected_days: int
    missing_dates: tuple[dt.date, ...]

    @property
    def gap_count(self) -> int:
        return len(self.missing_dates)

    @property
    def has_gaps(self) -> bool:
        return bool(self.missing_dates)

    @property
    def is_continuous(self) -> bool:
        """Also when no day was expected: nothing was due, nothing is missing."""
        return not self.missing_dates

    @property
    def coverage_pct(self) -> float:
        """Days there of those expected, 0-100 at one decimal; 100 when none was expected."""
        present = np.array([self.expected_days - self.gap_count])
        tenths, known = ratio(1000 * present, np.array([self.expected_days]), 0)
        return float(tenths[0]) / 10 if known[0] else 100.0


def find_gaps(start: dt.date, end: dt.date, expected: Iterable[dt.date], present: Collection[dt.date]) -> Gaps:
    """Compares the days expected with those present. Days outside [start, end] and repeats do not count.

    UsageError when the range ends before it starts.
    """
    check_range(start, end)
    due = {day for day in expected if start <= day <= end}
    return Gaps(start, end, len(due), tuple(sorted(due.difference(present))))


def calendar_days(start: dt.date, end: dt.date) -> list[dt.date]:
    """Every day of the closed range."""
    return [start + dt.timedelta(number) for number in range((end - start).days + 1)]


def check_range(start: dt.date, end: dt.date) -> None:
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
