"""ml_feature_store_v2, domain section 6.5: the 25 features of version v1_baseline_25."""

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from tests.references.completeness import (
    MLFS,
    PCF,
    PDC,
    PSZA,
    TDZA,
    UPGC,
    Owed,
    Verdict,
    count,
    figures,
    judge,
    last_games,
    lineage,
    made_up,
    owed_by_player,
    ready,
)
from tests.references.daily_cache import sample_deviation
from tests.references.league import League, Row
from tests.references.player_context import Expected, column, mean, players_of

VERSION = "v1_baseline_25"
WEIGHTS = {"phase4": 100, "calculated": 100, "phase3": 75, "default": 40}
CALCULATED = (
    "rest_advantage",
    "injury_risk",
    "recent_trend",
    "minutes_change",
    "pct_free_throw",
    "team_win_pct",
)
INJURY_RISK = {"available": 0, "probable": 1, "questionable": 2, "doubtful": 3, "out": 3}


class Feature(NamedTuple):
    name: str
    value: Fraction | float
    source: str


def feature_rows(league: League, day: dt.date) -> dict[tuple[str, ...], tuple[Verdict, Row]]:
    """By (player, feature version)."""
    return {(who.player, VERSION): _row(league, who) for who in players_of(league, day)}


def _row(league: League, who: Expected) -> tuple[Verdict, Row]:
    game, day, opponent = who.game, who.game.day, who.game.opponent(who.team)
    upstreams = {
        "player_daily_cache": league.published_row(PDC, day, who.player),
        "player_composite_factors": league.published_row(PCF, day, who.player),
        "player_shot_zone": league.published_row(PSZA, day, who.player),
        "player_context": league.published_row(UPGC, day, who.player),
        "team_defense_zone": league.published_row(TDZA, day, opponent),
    }
    owed = owed_by_player(league, game.season, who.player, day)
    verdict = judge(
        league,
        MLFS,
        day,
        owed,
        flags={
            "upstream_player_daily_cache_ready": ready(upstreams["player_daily_cache"]),
            "upstream_player_composite_factors_ready": ready(upstreams["player_composite_factors"]),
            "upstream_player_shot_zone_ready": ready(upstreams["player_shot_zone"]),
            "upstream_upcoming_player_context_ready": ready(upstreams["player_context"]),
        },
        upstream_issues=[name for name, row in upstreams.items() if not ready(row)],
        synthetic=made_up(upstreams),
    )
    features = _features(league, who, upstreams, owed)
    quality = Fraction(sum(WEIGHTS[feature.source] for feature in features), len(features))
    season = count(owed)
    row: Row = {
        "player_lookup": who.player,
        "universal_player_id": league.known_id(who.player, who.game.day),
        "game_date": day,
        "game_id": game.canonical_id,
        "feature_version": VERSION,
        "season_year": int(game.season[:4]),
        "team_abbr": who.team,
        "opponent_team_abbr": opponent,
        "is_home": who.team == game.home,
        "days_rest": figures(UPGC, upstreams["player_context"]).get("days_rest"),
        "features": [feature.value for feature in features],
        "feature_names": [feature.name for feature in features],
        "feature_sources": [feature.source for feature in features],
        "feature_count": 25,
        "feature_quality_score": quality,
        "data_quality_tier": "high" if quality >= 95 else "medium" if quality >= 70 else "low",
        "data_source": data_source(features),
        **lineage("player_game", season.actual, season.expected),
        **{
            key: value
            for name, upstream in upstreams.items()
            for key, value in lineage(name, int(upstream is not None), 1).items()
        },
    }
    return verdict, row


def _features(league: League, who: Expected, upstreams: Row, owed: Sequence[Owed]) -> list[Feature]:
    cache = figures(PDC, upstreams["player_daily_cache"])
    factors = figures(PCF, upstreams["player_composite_factors"])
    zones = figures(PSZA, upstreams["player_shot_zone"])
    context = figures(UPGC, upstreams["player_context"])
    defense = figures(TDZA, upstreams["team_defense_zone"])
    games = league.entered(who.game.season, who.player, who.game.day)
    last_10 = last_games(games, owed, 10, who.game.day)
    history = {
        "points_avg_season": mean(column(games, "points")),
        "points_std_last_10": sample_deviation(column(last_10, "points")),
    }
    phase = context.get("season_phase")
    playoff = None if phase is None else phase == "playoffs"

    def share(zone: str) -> Fraction | None:
        rate = zones.get(f"{zone}_rate_last_10")
        return None if rate is None else Fraction(rate) / 100

    return [
        _first("points_avg_last_5", 10, phase4=cache.get("points_avg_last_5"), phase3=context.get("points_avg_last_5")),
        _first(
            "points_avg_last_10", 10, phase4=cache.get("points_avg_last_10"), phase3=context.get("points_avg_last_10")
        ),
        _first("points_avg_season", 10, phase4=cache.get("points_avg_season"), phase3=history["points_avg_season"]),
        _first("points_std_last_10", 5, phase4=cache.get("points_std_last_10"), phase3=history["points_std_last_10"]),
        _first(
            "games_in_last_7_days",
            3,
            phase4=cache.get("games_in_last_7_days"),
            phase3=context.get("games_in_last_7_days"),
        ),
        _first("fatigue_score", 50, phase4=factors.get("fatigue_score")),
        _first("shot_zone_mismatch_score", 0, phase4=factors.get("shot_zone_mismatch_score")),
        _first("pace_score", 0, phase4=factors.get("pace_score")),
        _first("usage_spike_score", 0, phase4=factors.get("usage_spike_score")),
        _first("rest_advantage", 0, calculated=rest_advantage(context)),
        _first("injury_risk", 0, calculated=INJURY_RISK.get(context.get("player_status") or "")),
        _first("recent_trend", 0, calculated=recent_trend(last_games(games, owed, 5, who.game.day))),
        _first("minutes_change", 0, calculated=minutes_change(last_10, games)),
        _first("opponent_def_rating", 112, phase4=defense.get("defensive_rating_last_15")),
        _first("opponent_pace", 100, phase4=defense.get("opponent_pace")),
        _first("home_away", 0, phase3=(upstreams["player_context"] or {}).get("home_game")),
        _first("back_to_back", 0, phase3=context.get("back_to_back")),
        _first("playoff_game", 0, phase3=playoff),
        _first("pct_paint", Fraction(30, 100), phase4=share("paint")),
        _first("pct_mid_range", Fraction(20, 100), phase4=share("mid_range")),
        _first("pct_three", Fraction(35, 100), phase4=share("three_pt")),
        _first("pct_free_throw", Fraction(15, 100), calculated=free_throw_share(last_10)),
        _first("team_pace", 100, phase4=cache.get("team_pace_last_10")),
        _first("team_off_rating", 112, phase4=cache.get("team_off_rating_last_10")),
        _first("team_win_pct", Fraction(1, 2), calculated=win_share(league, who)),
    ]


def _first(name: str, default: int | Fraction, **sources: Any) -> Feature:
    """The first source that knows the feature, in the order given, else its default."""
    for source, value in sources.items():
        if value is not None:
            return Feature(name, value if isinstance(value, float) else Fraction(value), source)
    return Feature(name, Fraction(default), "default")


def data_source(features: Sequence[Feature]) -> str:
    """By share of the features that are not of the calculated kind."""
    sources = [feature.source for feature in features if feature.name not in CALCULATED]
    phase4, phase3 = (Fraction(sources.count(name), len(sources)) for name in ("phase4", "phase3"))
    if phase4 >= Fraction(9, 10):
        return "phase4"
    if phase4 >= Fraction(1, 2):
        return "phase4_partial"
    return "phase3" if phase3 >= Fraction(1, 2) else "mixed"


# The calculated ones; nothing where the inputs are not there


def rest_advantage(context: Row) -> int | None:
    own, other = context.get("days_rest"), context.get("opponent_days_rest")
    return None if own is None or other is None else min(max(own - other, -2), 2)


def recent_trend(last_5: Sequence[Row]) -> int | None:
    """The mean points of the last two of five games against those of the first three."""
    if len(last_5) < 5:
        return None
    points = column(last_5, "points")
    change = Fraction(sum(points[3:]), 2) - Fraction(sum(points[:3]), 3)
    return _step(change, 2, 5)


def minutes_change(last_10: Sequence[Row], games: Sequence[Row]) -> int | None:
    recent, season = (mean(column(rows, "minutes_played")) for rows in (last_10, games))
    if recent is None or not season:
        return None
    return _step((recent - season) / season, Fraction(10, 100), Fraction(20, 100))


def _step(change: Fraction, small: int | Fraction, large: int | Fraction) -> int:
    size = 2 if abs(change) >= large else 1 if abs(change) >= small else 0
    return size if change > 0 else -size


def free_throw_share(last_10: Sequence[Row]) -> Fraction | None:
    points, made = sum(column(last_10, "points")), sum(column(last_10, "ft_makes"))
    if len(last_10) < 5 or points == 0:
        return None
    return min(Fraction(made, points), Fraction(1, 2))


def win_share(league: League, who: Expected) -> Fraction | None:
    finals = league.final_games(who.game.season, who.team, who.game.day)
    if len(finals) < 5:
        return None
    return Fraction(sum(game.margin(who.team) > 0 for game in finals), len(finals))
