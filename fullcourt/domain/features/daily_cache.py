"""player_daily_cache: a player's recent form before D (domain section 6.3)."""

import numpy as np
import pyarrow as pa

from fullcourt.domain.cascade import SOURCE_COLUMN
from fullcourt.domain.features.form import Form, team_form
from fullcourt.domain.features.sources import Source, form_source
from fullcourt.domain.features.zones import quotient
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import decimals, ratio
from fullcourt.domain.observation import Observation
from fullcourt.domain.windows import SEASON, Window, games

VERSION = "v1"
CONTEXT, SHOT_ZONES = "upcoming_player_game_context", "player_shot_zone_analysis"
COPIED = {
    CONTEXT: (
        "games_in_last_7_days",
        "games_in_last_14_days",
        "minutes_in_last_7_days",
        "minutes_in_last_14_days",
        "back_to_backs_last_14_days",
        "avg_minutes_per_game_last_7",
    ),
    SHOT_ZONES: ("primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10"),
}
READS = ("game_id", "team_abbr", "player_lookup", "points", "minutes_played", "usage_rate", "ts_pct")
TABLES = {
    "team_offense_game_summary": (
        "game_id",
        "team_abbr",
        "pace",
        "offensive_rating",
        "season_year",
        "processed_at",
    ),
    CONTEXT: (*COPIED[CONTEXT], SOURCE_COLUMN),
    SHOT_ZONES: (*COPIED[SHOT_ZONES], "total_shots_last_10"),
}


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row; means over the games present among each window's required games."""

    def mean(column: str, window: Window, precision: int, scale: int) -> pa.Array:
        (total,), known = seen.sample.sums((column,), rows.entity, rows.windows[window].first, rows.slot)
        return decimals(*ratio(total, known, 0), precision, scale)  # in units of the column's last place

    columns = {
        f"points_avg_{name}": _points(seen, rows, window)
        for name, window in (("last_5", games(5)), ("last_10", games(10)), ("season", SEASON))
    }
    columns |= {
        "points_std_last_10": decimals(
            *seen.sample.deviation("points", rows.entity, rows.windows[games(10)].first, rows.slot), 5, 2
        ),
        "minutes_avg_last_10": mean("minutes_played", games(10), 5, 1),
        "minutes_avg_season": mean("minutes_played", SEASON, 5, 1),
        "usage_rate_last_10": mean("usage_rate", games(10), 5, 2),
        "ts_pct_last_10": mean("ts_pct", games(10), 5, 3),
        "games_played_season": pa.array(rows.windows[SEASON].actual.astype(np.int64)),
        "player_usage_rate_season": mean("usage_rate", SEASON, 5, 2),
    }
    team = _team_form(seen)
    for column, name, precision, scale in (("pace", "pace", 5, 1), ("offensive_rating", "off_rating", 6, 2)):
        (total,), known = team.sums((column,), rows.team, rows.slot)
        columns[f"team_{name}_last_10"] = decimals(*ratio(total, known, 0), precision, scale)
    for processor, names in COPIED.items():
        columns |= {name: rows.cascade[processor].values(name) for name in names}
    shots = rows.cascade[SHOT_ZONES]
    columns["shot_zone_data_available"] = pa.array(shots.computed & shots.numbers("total_shots_last_10")[1])
    columns["cache_version"] = pa.repeat(VERSION, len(rows.slot))
    return columns


def sources(seen: Observation, rows: Judgement) -> dict[str, Source]:
    """The team's last ten games."""
    return {"team_offense": form_source(_team_form(seen), (rows.team,), rows.slot)}


def _team_form(seen: Observation) -> Form:
    return team_form(seen, "team_offense_game_summary", "team_abbr")


def _points(seen: Observation, rows: Judgement, window: Window) -> pa.Array:
    (points,), known = seen.sample.sums(("points",), rows.entity, rows.windows[window].first, rows.slot)
    return quotient(points, known, 5, 1)
