"""ml_feature_store_v2: the features of the prediction models, version v1_baseline_25 (domain section 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain.availability import STATUSES
from fullcourt.domain.cascade import SOURCE_COLUMN, Found
from fullcourt.domain.features.fixture_list import fixture_list
from fullcourt.domain.features.zones import choose
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Bools, Longs, decimals, ratio
from fullcourt.domain.observation import Observation
from fullcourt.domain.predictions.features import V1_BASELINE_25
from fullcourt.domain.windows import SEASON, Window, games

VERSION = V1_BASELINE_25
CACHE, FACTORS, CONTEXT, SHOT_ZONES, DEFENSE = (
    "player_daily_cache",
    "player_composite_factors",
    "upcoming_player_game_context",
    "player_shot_zone_analysis",
    "team_defense_zone_analysis",
)
# Usage is for days on which a synthetic context stands in.
READS = ("game_id", "team_abbr", "player_lookup", "points", "ft_makes", "minutes_played", "usage_rate")
# Feature -> the columns it is read from, the best first: (processor, column, decimal places).
Origin = tuple[str, str, int]
READ: Mapping[str, tuple[Origin, ...]] = {
    "points_avg_last_5": ((CACHE, "points_avg_last_5", 1), (CONTEXT, "points_avg_last_5", 1)),
    "points_avg_last_10": ((CACHE, "points_avg_last_10", 1), (CONTEXT, "points_avg_last_10", 1)),
    "points_avg_season": ((CACHE, "points_avg_season", 1),),
    "points_std_last_10": ((CACHE, "points_std_last_10", 2),),
    "games_in_last_7_days": ((CACHE, "games_in_last_7_days", 0), (CONTEXT, "games_in_last_7_days", 0)),
    "fatigue_score": ((FACTORS, "fatigue_score", 0),),
    "shot_zone_mismatch_score": ((FACTORS, "shot_zone_mismatch_score", 1),),
    "pace_score": ((FACTORS, "pace_score", 1),),
    "usage_spike_score": ((FACTORS, "usage_spike_score", 1),),
    "opponent_def_rating": ((DEFENSE, "defensive_rating_last_15", 2),),
    "opponent_pace": ((DEFENSE, "opponent_pace", 1),),
    "home_away": ((CONTEXT, "home_game", 0),),
    "back_to_back": ((CONTEXT, "back_to_back", 0),),
    "pct_paint": ((SHOT_ZONES, "paint_rate_last_10", 4),),  # a percentage of two places, as a share
    "pct_mid_range": ((SHOT_ZONES, "mid_range_rate_last_10", 4),),
    "pct_three": ((SHOT_ZONES, "three_pt_rate_last_10", 4),),
    "team_pace": ((CACHE, "team_pace_last_10", 1),),
    "team_off_rating": ((CACHE, "team_off_rating_last_10", 2),),
}
_ALSO = {CONTEXT: ("days_rest", "opponent_days_rest", "player_status", "season_phase", SOURCE_COLUMN)}
TABLES: Mapping[str, tuple[str, ...]] = {
    processor: tuple(
        dict.fromkeys(
            [column for origins in READ.values() for name, column, _ in origins if name == processor]
            + list(_ALSO.get(processor, ()))
        )
    )
    for processor in (CACHE, FACTORS, CONTEXT, SHOT_ZONES, DEFENSE)
}
CALCULATED = ("rest_advantage", "injury_risk", "recent_trend", "minutes_change", "pct_free_throw", "team_win_pct")
PHASE4, PHASE3, DERIVED, DEFAULT = range(4)
SOURCES = ("phase4", "phase3", "calculated", "default")
WEIGHTS = np.array([100, 75, 100, 40])
RISK = {"available": 0, "probable": 1, "questionable": 2, "doubtful": 3, "out": 3}
FEW_GAMES = 5  # fewer give no trend, no free-throw share and no share of wins
Floats = NDArray[np.float64]


@dataclass
class _Matrix:
    """(rows, features) being filled: values start as defaults, and a feature takes its first known source."""

    size: int
    values: Floats = field(init=False)
    source: NDArray[np.int8] = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.tile(VERSION.defaults, (self.size, 1))
        self.source = np.full(self.values.shape, DEFAULT, dtype=np.int8)

    def fill(self, name: str, value: Floats, known: Bools, source: int) -> None:
        column = VERSION.index(name)
        open_still = known & (self.source[:, column] == DEFAULT)
        self.values[open_still, column] = value[open_still]
        self.source[open_still, column] = source


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row; features, names and sources as lists of the version's length, without nulls."""
    matrix = _Matrix(len(rows.slot))
    for name, origins in READ.items():
        for processor, column, places in origins:
            value, known = rows.cascade[processor].numbers(column)
            matrix.fill(name, value / 10.0**places, known, PHASE3 if processor == CONTEXT else PHASE4)
    _from_games(seen, rows, matrix)
    _from_context(rows.cascade[CONTEXT], matrix)
    fixtures = fixture_list(seen)
    finals, wins = fixtures.finals(rows.team, rows.slot), fixtures.wins(rows.team, rows.slot)
    matrix.fill("team_win_pct", wins / np.maximum(finals, 1), finals >= FEW_GAMES, DERIVED)
    quality = ratio(100 * WEIGHTS[matrix.source].sum(axis=1), np.full(matrix.size, len(VERSION.names)), 0)[0]
    return {
        "days_rest": rows.cascade[CONTEXT].values("days_rest"),
        "features": _lists(pa.array(matrix.values.ravel()), matrix.size),
        "feature_names": _lists(
            pa.array(np.tile(np.arange(len(VERSION.names)), matrix.size)), matrix.size, VERSION.names
        ),
        "feature_sources": _lists(pa.array(matrix.source.ravel()), matrix.size, SOURCES),
        "feature_count": pa.repeat(len(VERSION.names), matrix.size),
        "feature_quality_score": decimals(quality, np.ones(matrix.size, np.bool_), 5, 2),
        "data_quality_tier": choose(
            np.select([quality >= 95_00, quality >= 70_00], [0, 1], 2), ("high", "medium", "low")
        ),
        "data_source": _data_source(matrix.source),
    }


def _from_games(seen: Observation, rows: Judgement, matrix: _Matrix) -> None:
    """What the player's own games say: fallbacks of two averages, and three calculated features."""

    def sums(window: Window, *columns: str) -> tuple[list[Longs], Longs]:
        return seen.sample.sums(columns, rows.entity, rows.windows[window].first, rows.slot)

    (points,), known = sums(SEASON, "points")
    season = ratio(points, known, 1)[0] / 10.0
    matrix.fill("points_avg_season", season, known > 0, PHASE3)
    deviation, enough = seen.sample.deviation("points", rows.entity, rows.windows[games(10)].first, rows.slot)
    matrix.fill("points_std_last_10", deviation / 100.0, enough, PHASE3)

    (recent,), recent_known = sums(games(10), "minutes_played")
    (usual,), usual_known = sums(SEASON, "minutes_played")
    rise, base = recent * usual_known - usual * recent_known, usual * recent_known  # their quotient is the change
    steps = [5 * rise >= base, 10 * rise >= base, 5 * rise <= -base, 10 * rise <= -base]
    change = np.select(steps, [2.0, 1.0, -2.0, -1.0], 0.0)
    matrix.fill("minutes_change", change, (recent_known > 0) & (usual > 0), DERIVED)

    (made, scored), played = sums(games(10), "ft_makes", "points")
    share = np.clip(made / np.maximum(scored, 1), 0.0, 0.5)
    matrix.fill("pct_free_throw", share, (played >= FEW_GAMES) & (scored > 0), DERIVED)
    matrix.fill("recent_trend", *_trend(seen, rows), DERIVED)


def _trend(seen: Observation, rows: Judgement) -> tuple[Floats, Bools]:
    """Mean of the last two games less that of the three before them, as a step from -2 to 2."""
    points, scored = seen.sample.values("points")
    newest = seen.sample.newest(np.arange(1, len(points) + 1), rows.entity, rows.slot) - 1
    enough = rows.windows[games(FEW_GAMES)].actual >= FEW_GAMES
    # An entity's rows stand together in order of day, so its last five end at the newest.
    at = np.where(enough, newest, FEW_GAMES - 1)[:, None] + np.arange(1 - FEW_GAMES, 1)
    if not len(points):
        return np.zeros(len(rows.slot)), enough
    at = np.minimum(at, len(points) - 1)
    last, known = points[at], scored[at].all(axis=1)
    sixfold = 3 * last[:, 3:].sum(axis=1) - 2 * last[:, :3].sum(axis=1)
    steps = [sixfold >= 30, sixfold >= 12, sixfold <= -30, sixfold <= -12]
    return np.select(steps, [2.0, 1.0, -2.0, -1.0], 0.0), enough & known


def _from_context(context: Found, matrix: _Matrix) -> None:
    own, known = context.numbers("days_rest")
    other, other_known = context.numbers("opponent_days_rest")
    matrix.fill("rest_advantage", np.clip(own - other, -2, 2).astype(np.float64), known & other_known, DERIVED)
    status = pc.index_in(context.values("player_status"), pa.array(STATUSES))
    risk = np.array([RISK[name] for name in STATUSES], np.float64)[status.fill_null(0).to_numpy()]
    matrix.fill("injury_risk", risk, status.is_valid().to_numpy(zero_copy_only=False), DERIVED)
    phase = context.values("season_phase")
    playoffs = pc.fill_null(pc.equal(phase, "playoffs"), False).to_numpy(zero_copy_only=False)
    matrix.fill("playoff_game", playoffs.astype(np.float64), phase.is_valid().to_numpy(zero_copy_only=False), PHASE3)


def _data_source(source: NDArray[np.int8]) -> pa.Array:
    """By the features that are read, not calculated."""
    read = [column for column, name in enumerate(VERSION.names) if name not in CALCULATED]
    phase4, phase3 = ((source[:, read] == kind).sum(axis=1) for kind in (PHASE4, PHASE3))
    steps = [10 * phase4 >= 9 * len(read), 2 * phase4 >= len(read), 2 * phase3 >= len(read)]
    return choose(np.select(steps, [0, 1, 2], 3), ("phase4", "phase4_partial", "phase3", "mixed"))


def _lists(flat: pa.Array, size: int, labels: tuple[str, ...] | None = None) -> pa.Array:
    """Lists of the version's length; labels: what whole numbers stand for."""
    if labels is not None:
        flat = pa.DictionaryArray.from_arrays(flat.cast(pa.int32()), pa.array(labels)).cast(pa.string())
    ends = np.arange(0, len(VERSION.names) * size + 1, len(VERSION.names), dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), flat)
