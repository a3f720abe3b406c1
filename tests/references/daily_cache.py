"""player_daily_cache, domain section 6.3: a player's recent form before a day."""

import datetime as dt
import math
from collections.abc import Sequence
from fractions import Fraction

from tests.references.completeness import (
    PDC,
    PSZA,
    UPGC,
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
from tests.references.league import League, Row
from tests.references.player_context import Expected, column, mean, players_of, team_mean_of_10

FROM_THE_CONTEXT = (
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "back_to_backs_last_14_days",
    "avg_minutes_per_game_last_7",
)
FROM_THE_SHOT_ZONES = ("primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10")


def daily_caches(league: League, day: dt.date) -> dict[tuple[str, ...], tuple[Verdict, Row]]:
    """By (player,)."""
    return {(who.player,): _cache(league, who) for who in players_of(league, day)}


def _cache(league: League, who: Expected) -> tuple[Verdict, Row]:
    game = who.game
    context, zones = (league.published_row(table, game.day, who.player) for table in (UPGC, PSZA))
    owed = owed_by_player(league, game.season, who.player, game.day)
    lacking = {"player_shot_zone": zones, "player_context": context}
    verdict = judge(
        league,
        PDC,
        game.day,
        owed,
        upstream_issues=[name for name, row in lacking.items() if not ready(row)],
        synthetic=made_up(lacking),
    )
    games = league.entered(game.season, who.player, game.day)
    last_5, last_10 = (last_games(games, owed, length, game.day) for length in (5, 10))
    season = count(owed)
    row: Row = {
        "player_lookup": who.player,
        "universal_player_id": league.known_id(who.player, who.game.day),
        "cache_date": game.day,
        "season_year": int(game.season[:4]),
        "points_avg_last_5": mean(column(last_5, "points")),
        "points_avg_last_10": mean(column(last_10, "points")),
        "points_avg_season": mean(column(games, "points")),
        "points_std_last_10": sample_deviation(column(last_10, "points")),
        "minutes_avg_last_10": mean(column(last_10, "minutes_played")),
        "minutes_avg_season": mean(column(games, "minutes_played")),
        "usage_rate_last_10": mean(column(last_10, "usage_rate")),
        "ts_pct_last_10": mean(column(last_10, "ts_pct")),
        "games_played_season": len(games),
        "player_usage_rate_season": mean(column(games, "usage_rate")),
        "team_pace_last_10": team_mean_of_10(league, game, who.team, "pace"),
        "team_off_rating_last_10": team_mean_of_10(league, game, who.team, "offensive_rating"),
        **{name: figures(UPGC, context).get(name) for name in FROM_THE_CONTEXT},
        **{name: figures(PSZA, zones).get(name) for name in FROM_THE_SHOT_ZONES},
        "shot_zone_data_available": figures(PSZA, zones).get("total_shots_last_10") is not None,
        **lineage("player_game", season.actual, season.expected),
        **lineage("player_shot_zone", int(zones is not None), 1),
        **lineage("player_context", int(context is not None), 1),
    }
    return verdict, row


def sample_deviation(values: Sequence[int]) -> float | None:
    """Over n - 1; nothing under two values."""
    if len(values) < 2:
        return None
    middle = Fraction(sum(values), len(values))
    return math.sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))
