"""How well predictions turned out: errors, hit rate, and one system against another (domain section 6.8).

Sums are exact (math.fsum), so that no order of the rows changes a figure.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fullcourt.domain.errors import UsageError
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.slate import OVER, UNDER, Codes

CONFIDENCE = 0.95
MINIMUM_DAYS = 5  # fewer clusters say next to nothing about their spread
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Grade:
    """One system's record over the rows with a prediction and a result.

    mae, rmse, bias: points, None without rows; bias is positive where it predicts too much.
    decided: rows with a bookmaker's line, OVER or UNDER, and a result other than the line; hits: those it got right.
    hit_rate: 0-1 with its Wilson interval, None where nothing is decided.
    """

    count: int
    mae: float | None
    rmse: float | None
    bias: float | None
    decided: int
    hits: int
    hit_rate: float | None
    hit_interval: Interval | None


@dataclass(frozen=True)
class Comparison:
    """A system against a baseline, over the rows where both have a prediction and there is a result.

    difference: mean of |system's error| - |baseline's error|, points; negative where the system is better; None
    without rows.  interval: clustered by game day; None under 5 days.
    """

    count: int
    days: int
    difference: float | None
    interval: Interval | None


def grade(points: Floats, actual: Floats, line: Floats, line_estimated: Bools, recommendation: Codes) -> Grade:
    """One value a row; NaN in points: no prediction, in actual: no result, in line: no line."""
    _check_lengths(points, actual, line, line_estimated, recommendation)
    graded = np.isfinite(points) & np.isfinite(actual)
    error = (points - actual)[graded]
    decided, hit = _decisions(actual, line, ~line_estimated & graded, recommendation)
    return Grade(
        count=len(error),
        mae=_mean(np.abs(error)),
        rmse=math.sqrt(mean) if (mean := _mean(error * error)) is not None else None,
        bias=_mean(error),
        decided=decided,
        hits=hit,
        hit_rate=hit / decided if decided else None,
        hit_interval=wilson(hit, decided),
    )


def wilson(hits: int, trials: int) -> Interval | None:
    """The score interval of a proportion (Wilson 1927, JASA 22: 209-212); None without trials."""
    if trials == 0:
        return None
    share, z2 = hits / trials, _Z * _Z
    centre = share + z2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    # At the ends the formula's 0 and 1 come out a rounding error away.
    low = 0.0 if hits == 0 else (centre - half) / scale
    high = 1.0 if hits == trials else (centre + half) / scale
    return Interval(low, high)


def compare(points: Floats, baseline: Floats, actual: Floats, day: Ints) -> Comparison:
    """Paired: the same rows for both. One value a row; NaN: no prediction or no result.

    Players of one day share its games, so rows are clustered by day: with d the differences, m their mean over n
    rows, and G days,  var(m) = G / (G - 1) x sum over days of (sum of (d - m) on the day)^2 / n^2,  and the interval
    is m +- t(G - 1) x sqrt(var): Cameron & Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference",
    Journal of Human Resources 50(2), sections II.B, VI.
    """
    _check_lengths(points, baseline, actual, day)
    both = np.isfinite(points) & np.isfinite(baseline) & np.isfinite(actual)
    difference = (np.abs(points - actual) - np.abs(baseline - actual))[both]
    mean = _mean(difference)
    if mean is None:
        return Comparison(0, 0, None, None)
    totals = _by_day(difference - mean, day[both])
    interval = _clustered(mean, totals, len(difference)) if len(totals) >= MINIMUM_DAYS else None
    return Comparison(len(difference), len(totals), mean, interval)


def _clustered(mean: float, totals: list[float], rows: int) -> Interval:
    days = len(totals)
    variance = days / (days - 1) * math.fsum(total * total for total in totals) / rows**2
    half = student_t(days - 1) * math.sqrt(variance)
    return Interval(mean - half, mean + half)


def student_t(degrees: int) -> float:
    """The two-sided 95 % point of Student's t, by Abramowitz & Stegun 26.7.5; to 0.001 from 4 degrees on."""
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))


def _by_day(values: Floats, day: Ints) -> list[float]:
    """The sum of each day's values."""
    order = np.argsort(day, kind="stable")
    starts = np.flatnonzero(np.diff(day[order])) + 1
    return [math.fsum(part) for part in np.split(values[order], starts)]


def _decisions(actual: Floats, line: Floats, known: Bools, recommendation: Codes) -> tuple[int, int]:
    """Rows in which the recommendation could be right or wrong, and in which it was right. NaN compares as false."""
    over, under = recommendation == OVER, recommendation == UNDER
    above, below = known & (actual > line), known & (actual < line)
    decided = (over | under) & (above | below)
    return int(decided.sum()), int(((over & above) | (under & below)).sum())


def _mean(values: Iterable[float] | Floats) -> float | None:
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else None


def _check_lengths(*arrays: np.ndarray) -> None:
    if len({array.shape for array in arrays}) != 1:
        raise UsageError(f"grading takes one value a row in all arrays, got {[array.shape for array in arrays]}")
