"""Domain section 7.3: the context that a backfill makes from player_game_summary where there is none."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from schemas import TABLES
from tests.references.completeness import SYNTHETIC, UPGC
from tests.references.league import League, Row
from tests.references.player_context import column, mean, rest_and_load, team_mean_of_10


class WithoutContext(League):
    """A league in which, on the given days, the processors read no stored context, but a synthetic one."""

    def __init__(self, landing: Path, warehouse: Path, days: Collection[dt.date]) -> None:
        super().__init__(landing, warehouse)
        self._without = days

    def published_row(self, table: str, day: dt.date, entity: str) -> Row | None:
        if table == UPGC and day in self._without:
            return synthetic_context(self, day, entity)
        return super().published_row(table, day, entity)


def synthetic_context(league: League, day: dt.date, player: str) -> Row | None:
    """Of somebody who has a summary of the day; only his team and game are taken from it."""
    of_day = [game for game in league.games_on(day) if (player, game.game_id) in league.summarised]
    if not of_day:
        return None
    (game,) = of_day
    (team,) = (side for side in game.teams if player in league.box.get((game.game_id, side), ()))
    games = league.entered(game.season, player, day)
    week = [row for row in games if (day - row["game_date"]).days <= 7]
    known = rest_and_load(games, day)
    own_pace, other_pace = (team_mean_of_10(league, game, side, "pace") for side in (team, game.opponent(team)))
    columns = ("days_rest", "back_to_back", "back_to_backs_last_14_days")
    loads = [f"{what}_in_last_{length}_days" for what in ("games", "minutes") for length in (7, 14)]
    return dict.fromkeys(TABLES[UPGC].by_name) | {
        **{name: known[name] for name in (*columns, *loads)},
        "avg_minutes_per_game_last_7": rounded(known["avg_minutes_per_game_last_7"], 1) if week else Decimal(0),
        "avg_usage_rate_last_7_games": rounded(mean(column(week, "usage_rate")), 2),
        "pace_differential": None if None in (own_pace, other_pace) else rounded(own_pace - other_pace, 1),
        "star_teammates_out": 0,
        "home_game": team == game.home,
        "primary_source_used": SYNTHETIC,
        "is_production_ready": False,
    }


def rounded(value: Fraction | None, places: int) -> Decimal | None:
    """As the column holds it, half away from zero."""
    if value is None:
        return None
    units = int(abs(value) * 10**places + Fraction(1, 2))
    return Decimal(-units if value < 0 else units).scaleb(-places)
