"""From tables to a slate: the day's contexts, their features, and each player's earlier games (domain section 6.8).

Every history read is of games dated before D, of the same season.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.numbers import Bools, Ints, integers, nullable
from fullcourt.domain.predictions import coordinator
from fullcourt.domain.predictions.coordinator import Held, Players, Rules, Summary
from fullcourt.domain.predictions.features import VERSIONS, FeatureVersion, Floats, out_of_range
from fullcourt.domain.predictions.rules import half_away
from fullcourt.domain.predictions.slate import HISTORY_GAMES, History, Slate

CONTEXT, FEATURES, CACHE, GAMES, DEFENSE = (
    "upcoming_player_game_context",
    "ml_feature_store_v2",
    "player_daily_cache",
    "player_game_summary",
    "team_defense_zone_analysis",
)
HISTORY_DAYS = 90
UNKNOWN_RATING = 112.0
FORM_GAMES = 5

# What predictions read, by table; of the first three the days predicted, of the others whole seasons.
TABLES: Mapping[str, tuple[str, ...]] = {
    CONTEXT: (
        "player_lookup",
        "universal_player_id",
        "game_id",
        "game_date",
        "season_year",
        "team_abbr",
        "opponent_team_abbr",
        "player_status",
        "avg_minutes_per_game_last_7",
        "current_points_line",
        "current_points_line_source",
        "completeness_percentage",
        "is_production_ready",
        "backfill_bootstrap_mode",
    ),
    FEATURES: (
        "player_lookup",
        "game_date",
        "season_year",
        "feature_version",
        "features",
        "days_rest",
        "feature_quality_score",
        "expected_games_count",
        "actual_games_count",
        "completeness_percentage",
        "missing_games_count",
        "is_production_ready",
        "data_quality_issues",
        "last_reprocess_attempt_at",
        "reprocess_attempt_count",
        "circuit_breaker_active",
        "circuit_breaker_until",
        "manual_override_required",
        "season_boundary_detected",
        "backfill_bootstrap_mode",
        "processing_decision_reason",
    ),
    CACHE: ("player_lookup", "cache_date", "season_year", "usage_rate_last_10", "minutes_avg_last_10"),
    GAMES: ("player_lookup", "game_date", "season_year", "opponent_team_abbr", "home_game", "points"),
    DEFENSE: ("team_abbr", "analysis_date", "season_year", "defensive_rating_last_15"),
}
OF_THE_DAY = (CONTEXT, FEATURES, CACHE)


@dataclass(frozen=True)
class Assembled:
    """contexts: one row a player and day, sorted.  held: a Held code each.  dispatched: their places in contexts.

    features: the feature row of each context, null where there is none.  slate: of the dispatched.
    line_source: the dispatched lines' bookmakers, or 'estimated'.
    """

    contexts: pa.Table
    held: np.ndarray
    dispatched: Ints
    features: pa.Table
    slate: Slate
    line_source: pa.Array


def assemble(tables: Mapping[str, pa.Table], version: FeatureVersion, rules: Rules) -> Assembled:
    """tables: of TABLES, one season's rows."""
    contexts = tables[CONTEXT].sort_by([("game_date", "ascending"), ("player_lookup", "ascending")]).combine_chunks()
    names = pc.unique(contexts["player_lookup"])
    player, day = codes(contexts["player_lookup"], names), _days(contexts["game_date"])
    stored = tables[FEATURES].filter(pc.equal(tables[FEATURES]["feature_version"], version.name))
    features = _matched(stored, names, player, day, "game_date")
    cache = _matched(tables[CACHE], names, player, day, "cache_date")
    matrix, has_features = _matrix(features["features"], version)
    held = coordinator.hold_back(_players(contexts, features, matrix, has_features, version), rules)
    dispatched = np.flatnonzero(held == Held.DISPATCHED).astype(np.int32)
    line, real = _number(contexts["current_points_line"])
    season = matrix[:, version.index("points_avg_season")]
    estimated = coordinator.estimate_line(season, has_features)
    slate = Slate(
        version=version,
        features=matrix[dispatched],
        days_rest=_floats(features["days_rest"])[dispatched],
        usage_rate=_floats(cache["usage_rate_last_10"])[dispatched],
        minutes_avg=_floats(cache["minutes_avg_last_10"])[dispatched],
        line=np.where(real, line, estimated)[dispatched],
        line_estimated=~real[dispatched],
        quality=_floats(features["feature_quality_score"])[dispatched],
        history=_history(tables, names, player[dispatched], day[dispatched]),
    )
    source = pc.fill_null(contexts["current_points_line_source"].combine_chunks(), "estimated")
    return Assembled(contexts, held, dispatched, features, slate, source.take(pa.array(dispatched)))


def summary(assembled: Assembled) -> pa.Table:
    """Per day the coordinator's figures: players, ready, completeness (a sum, and over how many rows), dispatched."""
    contexts = assembled.contexts
    ready = pc.fill_null(contexts["is_production_ready"], False).cast(pa.int64())
    counted = pa.table(
        {
            "day": contexts["game_date"],
            "players": pa.repeat(1, contexts.num_rows),
            "ready": ready,
            "completeness": contexts["completeness_percentage"],
            "dispatched": pa.array((assembled.held == Held.DISPATCHED).astype(np.int64)),
        }
    )
    sums = [(name, "sum") for name in ("players", "ready", "completeness", "dispatched")]
    return counted.group_by("day").aggregate([*sums, ("completeness", "count")])


def summaries(parts: Sequence[pa.Table]) -> dict[dt.date, Summary]:
    """Of the shards' summaries, each day's one, ascending."""
    if not parts:
        return {}
    sums = [(name, "sum") for name in parts[0].column_names if name != "day"]
    found = {}
    for row in pa.concat_tables(parts).group_by("day").aggregate(sums).sort_by("day").to_pylist():
        total, known = row["completeness_sum_sum"], row["completeness_count_sum"]
        mean = float(half_away(np.array(total / known), 1)) if known else None
        players, ready, dispatched = (row[f"{name}_sum_sum"] for name in ("players", "ready", "dispatched"))
        found[row["day"]] = Summary(players, ready, mean, dispatched)
    return found


def _days(column: pa.ChunkedArray) -> Ints:
    return column.combine_chunks().cast(pa.int32()).to_numpy()


def _number(column: pa.ChunkedArray) -> tuple[Floats, Bools]:
    """A decimal or whole column as floats, 0 where unknown, and where it is known."""
    value, known = integers(column)
    scale = column.type.scale if pa.types.is_decimal(column.type) else 0
    return value / 10.0**scale, known


def _floats(column: pa.ChunkedArray) -> Floats:
    """NaN where unknown."""
    value, known = _number(column)
    return np.where(known, value, np.nan)


def _truth(column: pa.ChunkedArray) -> Bools:
    return pc.fill_null(column, False).to_numpy()


def _matched(rows: pa.Table, names: pa.Array, player: Ints, day: Ints, day_column: str) -> pa.Table:
    """The row of each player and day; nulls where there is none."""
    key = codes(rows["player_lookup"], names)
    place = places(pair(key, _days(rows[day_column])), pair(player, day), key >= 0)
    return rows.take(nullable(place, place >= 0)).combine_chunks()


def _matrix(lists: pa.ChunkedArray, version: FeatureVersion) -> tuple[Floats, Bools]:
    """(rows, features), the defaults where there are none, and where there are."""
    column = lists.combine_chunks()
    length = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    there = length == len(version.names)
    matrix = np.tile(version.defaults, (len(column), 1))
    matrix[there] = column.filter(pa.array(there)).flatten().to_numpy().reshape(-1, len(version.names))
    return matrix, there


def _players(
    contexts: pa.Table, features: pa.Table, matrix: Floats, has_features: Bools, version: FeatureVersion
) -> Players:
    return Players(
        status=contexts["player_status"].combine_chunks(),
        minutes=_floats(contexts["avg_minutes_per_game_last_7"]),
        context_ready=_truth(contexts["is_production_ready"]),
        context_bootstrap=_truth(contexts["backfill_bootstrap_mode"]),
        has_features=has_features,
        features_ready=_truth(features["is_production_ready"]),
        features_bootstrap=_truth(features["backfill_bootstrap_mode"]),
        quality=_floats(features["feature_quality_score"]),
        out_of_range=out_of_range(version, matrix),
    )


def _history(tables: Mapping[str, pa.Table], names: pa.Array, player: Ints, day: Ints) -> History:
    """The last games before the day, at most 30 of 90 days, newest first."""
    games = tables[GAMES]
    who, when = codes(games["player_lookup"], names), _days(games["game_date"])
    order = np.lexsort((when, who))
    order = order[who[order] >= 0]
    who, when, rows = who[order], when[order], games.take(pa.array(order))
    facts = _facts(rows, who, when, tables[DEFENSE])
    end = np.searchsorted(pair(who, when), pair(player, day))
    at = end[:, None] - 1 - np.arange(HISTORY_GAMES)
    inside = at >= 0
    at = np.maximum(at, 0)
    if not len(who):
        empty = np.zeros(at.shape)
        return History(empty > 0, empty, empty, empty, empty > 0, empty)
    there = inside & (who[at] == player[:, None]) & (when[at] >= day[:, None] - HISTORY_DAYS)
    return History(there, **{name: values[at] for name, values in facts.items()})


def _facts(rows: pa.Table, who: Ints, when: Ints, defense: pa.Table) -> dict[str, Any]:
    """Of each game, by player and day: points, opponent, rest, venue, and the form he was in before it."""
    points, first = _number(rows["points"])[0], np.append(True, who[1:] != who[:-1])[: len(who)]
    number = np.arange(len(who)) - np.maximum.accumulate(np.where(first, np.arange(len(who)), 0))
    total = np.append(0.0, np.cumsum(points))  # whole points: exact in any order
    before = np.arange(len(who))
    recent = np.minimum(number, FORM_GAMES)
    last = (total[before] - total[before - recent]) / np.maximum(recent, 1)
    season = (total[before] - total[before - number]) / np.maximum(number, 1)
    gap = np.append(0, np.diff(when))
    return {
        "points": points,
        "opponent_rating": _ratings(rows["opponent_team_abbr"], when, defense),
        "days_rest": np.where(first, np.nan, gap),
        "home": _truth(rows["home_game"]),
        "form": np.where(number > 0, last - season, np.nan),
    }


def _ratings(opponent: pa.ChunkedArray, when: Ints, defense: pa.Table) -> Floats:
    """The opponent's rating as it was on the game's day."""
    teams = pc.unique(defense["team_abbr"].cast(pa.string()))
    key = codes(defense["team_abbr"], teams)
    place = places(pair(key, _days(defense["analysis_date"])), pair(codes(opponent, teams), when), key >= 0)
    rating, known = _number(defense["defensive_rating_last_15"].take(nullable(place, place >= 0)))
    return np.where(known, rating, UNKNOWN_RATING)


def current_version() -> FeatureVersion:
    """The version that is predicted from: the newest."""
    return next(reversed(VERSIONS.values()))
