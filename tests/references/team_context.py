"""upcoming_team_game_context, domain section 6.7: what is known of both teams of every fixture of a day."""

import datetime as dt
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import takewhile
from typing import Any

from fullcourt.domain.arenas import ARENAS
from tests.references.completeness import UTGC, Verdict, count, judge, lineage, owed_by_team, window
from tests.references.league import Game, League, Quote, Row

EARTH_RADIUS_MILES = 6371.009 / 1.609344


def team_contexts(league: League, day: dt.date) -> dict[tuple[str, ...], tuple[Verdict, Row]]:
    """By (team, canonical game id)."""
    return {
        (team, game.canonical_id): _context(league, game, team) for game in league.games_on(day) for team in game.teams
    }


def _context(league: League, game: Game, team: str) -> tuple[Verdict, Row]:
    owed = owed_by_team(league, game.season, team, game.day)
    verdict = judge(league, UTGC, game.day, owed)
    earlier = league.final_games(game.season, team, game.day)
    last = earlier[-1] if earlier else None
    rest = (game.day - last.day).days if last else None
    won = [one.margin(team) > 0 for one in reversed(earlier)]  # newest first
    found = count(window(owed, "l14d", game.day))
    report = league.report(game.day, team)
    spoken_of = league.is_spoken_of(game, team)
    row: Row = {
        "team_abbr": team,
        "opponent_team_abbr": game.opponent(team),
        "game_id": game.canonical_id,
        "nba_game_id": game.game_id,
        "game_date": game.day,
        "season_year": int(game.season[:4]),
        "home_game": team == game.home,
        "days_since_last_game": rest,
        "team_days_rest": None if rest is None else rest - 1,
        "is_back_to_back": rest == 1,
        "team_back_to_back": rest == 1,
        "game_number_in_season": len(earlier) + 1,
        "games_in_last_7_days": sum((game.day - one.day).days <= 7 for one in earlier),
        "games_in_last_14_days": sum((game.day - one.day).days <= 14 for one in earlier),
        "team_win_streak_entering": len(list(takewhile(bool, won))),
        "team_loss_streak_entering": len(list(takewhile(lambda one: not one, won))),
        "last_game_margin": last.margin(team) if last else None,
        "last_game_result": ("W" if last.margin(team) > 0 else "L") if last else None,
        "travel_miles": travel_miles(league, game, team),
        **preferred_lines(league, game, team),
        "starters_out_count": len(starters_out(league, game, team)) if spoken_of else None,
        "questionable_players_count": (
            sum(said.status in ("questionable", "doubtful") for said in report.values()) if spoken_of else None
        ),
        **lineage("team_defense", found.actual, found.expected),
        **lineage("schedule", 1, 1),
    }
    return verdict, row


# On the road


class Miles(int):
    """A distance: one mile more or less is the same."""


def last_venue(league: League, game: Game, team: str) -> str | None:
    """The home team of the team's last final game this season."""
    earlier = league.final_games(game.season, team, game.day)
    return earlier[-1].home if earlier else None


def travel_miles(league: League, game: Game, team: str) -> int:
    venue = last_venue(league, game, team)
    return Miles(0 if venue is None or team == game.home else round(great_circle_miles(venue, game.home)))


def great_circle_miles(home: str, away: str) -> float:
    """Haversine between two arenas."""
    (lat_1, lon_1), (lat_2, lon_2) = ((math.radians(degrees) for degrees in ARENAS[team][:2]) for team in (home, away))
    half_chord = (
        math.sin((lat_2 - lat_1) / 2) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(half_chord))


# Lines


def preferred_lines(league: League, game: Game, team: str) -> Row:
    """DraftKings's newest and oldest snapshot of each market, FanDuel's where DraftKings has none."""
    row: Row = {}
    newest: list[dt.datetime] = []
    for name, quotes in (("spread", league.spread_quotes(game, team)), ("total", league.total_quotes(game))):
        chosen = _of_the_first_bookmaker(quotes, ("draftkings", "fanduel"))
        row |= _line(name, chosen)
        newest += [max(quote.at for quote in chosen)] if chosen else []
    row["betting_lines_updated_at"] = max(newest, default=None)
    return row


def _of_the_first_bookmaker(quotes: Sequence[Quote], names: Sequence[str]) -> list[Quote]:
    for name in names:
        if found := [quote for quote in quotes if quote.bookmaker == name]:
            return found
    return []


def _line(name: str, quotes: Sequence[Quote]) -> Row:
    if not quotes:
        return line_columns(name, None, None, None)
    newest, oldest = max(quotes, key=lambda one: one.at), min(quotes, key=lambda one: one.at)
    return line_columns(name, newest.line, oldest.line, newest.bookmaker)


def _published(line: Fraction) -> Fraction:
    """To one decimal, half away from zero, as the lines beside it are."""
    tenths = Fraction(int(abs(line) * 10 + Fraction(1, 2)), 10)
    return tenths if line >= 0 else -tenths


def line_columns(name: str, newest: Fraction | None, oldest: Fraction | None, source: Any) -> Row:
    known = newest is not None and oldest is not None
    return {
        f"game_{name}": newest,
        f"opening_{name}": oldest,
        f"{name}_movement": _published(newest) - _published(oldest) if known else None,
        f"game_{name}_source": source,
    }


# Absent


def starters_out(league: League, game: Game, team: str) -> set[str]:
    """Known out, and a starter in at least half of his last 10 games of the season."""
    return {player for player in league.known_out(game, team) if _is_starter(league, game, player)}


def _is_starter(league: League, game: Game, player: str) -> bool:
    last_10 = league.entered(game.season, player, game.day)[-10:]
    return bool(last_10) and 2 * sum(row["starter_flag"] is True for row in last_10) >= len(last_10)
