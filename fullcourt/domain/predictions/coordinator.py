"""Who is predicted, from which line, and why the others are not (domain section 6.8)."""

import datetime as dt
import enum
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.numbers import Bools
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.slate import Codes

DAYS_BACK = 30
DAYS_AHEAD = 14
FALLBACK_LINE = 15.5
_NOT_PLAYING = pa.array(["out", "doubtful"])


class Held(enum.IntEnum):
    """Why a player is held back, in the order in which it is asked: the coordinator's rules, then the worker's."""

    DISPATCHED = 0
    PLAYER_OUT = 1
    CONTEXT_NOT_PRODUCTION_READY = 2  # before the minutes: a context that is held back has none
    LOW_MINUTES = 3
    NO_FEATURES = 4
    FEATURES_NOT_PRODUCTION_READY = 5
    LOW_FEATURE_QUALITY = 6
    INVALID_FEATURES = 7

    @property
    def text(self) -> str:
        """As it is stored; for DISPATCHED too."""
        return self.name.lower()


@dataclass(frozen=True)
class Rules:
    """minimum_minutes: per game over 7 days; 0 lets everyone through, also where unknown. minimum_quality: 0-100."""

    minimum_minutes: float = 15.0
    minimum_quality: float = 70.0

    def __post_init__(self) -> None:
        if not 0 <= self.minimum_minutes <= 48:
            raise UsageError(f"minimum_minutes must be in [0, 48], got {self.minimum_minutes}")
        if not 0 <= self.minimum_quality <= 100:
            raise UsageError(f"minimum_quality must be in [0, 100], got {self.minimum_quality}")


@dataclass(frozen=True)
class Players:
    """One value a row of D's player contexts.

    status: player_status of the injury report; null: not on it.  minutes: avg_minutes_per_game_last_7; NaN: no game
    in 7 days.  *_ready, *_bootstrap: is_production_ready and backfill_bootstrap_mode of the context and of the
    feature row.  has_features: there is a feature row with features; without one the rest is not looked at.
    quality: feature_quality_score, 0-100.  out_of_range: features.out_of_range.
    """

    status: pa.Array
    minutes: Floats
    context_ready: Bools
    context_bootstrap: Bools
    has_features: Bools
    features_ready: Bools
    features_bootstrap: Bools
    quality: Floats
    out_of_range: Bools


def hold_back(players: Players, rules: Rules) -> Codes:
    """A Held code a row: the first rule that fails, or DISPATCHED.

    Bootstrap rows pass both doors: in the original the coordinator dropped what the worker would have accepted.
    """
    spoken = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(players.status, pa.string())))
    out = pc.is_in(spoken, _NOT_PLAYING).to_numpy(zero_copy_only=False)
    enough = (players.minutes >= rules.minimum_minutes) | (rules.minimum_minutes == 0)
    failing = {
        Held.PLAYER_OUT: out,
        Held.CONTEXT_NOT_PRODUCTION_READY: ~(players.context_ready | players.context_bootstrap),
        Held.LOW_MINUTES: ~enough,
        Held.NO_FEATURES: ~players.has_features,
        Held.FEATURES_NOT_PRODUCTION_READY: ~(players.features_ready | players.features_bootstrap),
        Held.LOW_FEATURE_QUALITY: ~(players.quality >= rules.minimum_quality),  # an unknown quality fails too
        Held.INVALID_FEATURES: players.out_of_range,
    }
    return np.select(list(failing.values()), [int(held) for held in failing], int(Held.DISPATCHED)).astype(np.int8)


def texts(held: Codes) -> pa.Array:
    """The reasons' texts, one a row; null where dispatched."""
    names = pa.array([None, *(reason.text for reason in Held if reason is not Held.DISPATCHED)])
    return names.take(pa.array(held))


def check_day(day: dt.date, today: dt.date) -> None:
    """GateError unless day is at most 30 days before today and 14 after. For live runs: backfills go back further."""
    first, last = today - dt.timedelta(DAYS_BACK), today + dt.timedelta(DAYS_AHEAD)
    if not first <= day <= last:
        raise GateError(f"predictions are made for {first} to {last} (today is {today}), not for {day}")


def estimate_line(season_average: Floats, known: Bools) -> Floats:
    """A line where no bookmaker has one: the season average to the nearest .5, half away from zero, else 15.5."""
    estimable = known & (season_average > 0)
    average = np.where(estimable, season_average, 0.0)
    return np.where(estimable, np.floor(2 * average + 0.5) / 2, FALLBACK_LINE)


@dataclass(frozen=True)
class Summary:
    """What the coordinator found for a day. mean_completeness: percent, one decimal; None if known for nobody."""

    players: int
    ready: int
    mean_completeness: float | None
    dispatched: int

    @property
    def text(self) -> str:
        mean = "unknown" if self.mean_completeness is None else f"{self.mean_completeness:.1f} %"
        return f"{self.players} players, {self.ready} ready, mean completeness {mean}, {self.dispatched} dispatched"
