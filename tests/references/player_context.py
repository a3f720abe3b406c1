"""upcoming_player_game_context, domain section 6.6: what is known of every player of a day's fixtures."""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from fullcourt.domain.arenas import ARENAS
from tests.references.completeness import UPGC, Owed, Verdict, count, judge, last_games, lineage, owed_by_player
from tests.references.league import Game, League, Quote, Reported, Row, newcomer_of, newest_quote, oldest_quote
from tests.references.team_context import last_venue, line_columns, travel_miles

NAMES_OF_A_WHOLE_LIST = 8


# Who has a row


@dataclass(frozen=True)
class Expected:
    """A player of a day, his game and team, and what named him."""

    player: str
    game: Game
    team: str
    source: str  # box_scores or rosters


def players_of(league: League, day: dt.date) -> list[Expected]:
    """UPGC, PDC, PCF and MLFS have the same players: those the box listings of the day's fixtures name.

    Where a listing is too short, the current roster less those known out joins it.
    """
    named: dict[str, dict[str, Expected]] = {}
    for game in league.games_on(day):
        for team in game.teams:
            listed = set(league.box.get((game.game_id, team), ()))
            source = "box_scores"
            if len(listed) < NAMES_OF_A_WHOLE_LIST:
                listed |= league.roster(game.season, team, day) - _not_coming(league, game, team)
                source = "rosters"
            for player in listed:
                named.setdefault(player, {})[team] = Expected(player, game, team, source)
    players = []
    for player, by_team in sorted(named.items()):
        before = league.team_before(league.season_of(day), player, day)
        players.append(by_team[newcomer_of(set(by_team), before)])
    return players


def _not_coming(league: League, game: Game, team: str) -> set[str]:
    """On the game's inactive list, reported out, or by now named by another team."""
    out = {player for player, said in league.report(game.day, team).items() if said.status == "out"}
    elsewhere = [
        named
        for other in league.games_on(game.day)
        for side in other.teams
        if side != team
        for named in (league.box.get((other.game_id, side), ()), league.inactive.get((other.game_id, side), ()))
    ]
    return out.union(league.inactive.get((game.game_id, team), ()), *elsewhere)


# The row


def player_contexts(league: League, day: dt.date) -> dict[tuple[str, ...], tuple[Verdict, Row]]:
    """By (player, canonical game id)."""
    return {(who.player, who.game.canonical_id): _context(league, who) for who in players_of(league, day)}


def _context(league: League, who: Expected) -> tuple[Verdict, Row]:
    game, team = who.game, who.team
    owed = owed_by_player(league, game.season, who.player, game.day)
    verdict = judge(league, UPGC, game.day, owed)
    games = league.entered(game.season, who.player, game.day)
    season = count(owed)
    row: Row = {
        "player_lookup": who.player,
        "universal_player_id": league.known_id(who.player, who.game.day),
        "game_id": game.canonical_id,
        "nba_game_id": game.game_id,
        "game_date": game.day,
        "season_year": int(game.season[:4]),
        "team_abbr": team,
        "opponent_team_abbr": game.opponent(team),
        "home_game": team == game.home,
        **_points_line(league.point_quotes(game, who.player)),
        **_median_lines(league, game, team),
        **rest_and_load(games, game.day),
        **_form(games, owed, game.day),
        **_line_streaks(games),
        **_surroundings(league, who, games, owed),
        "season_phase": season_phase(game),
        "data_quality_tier": "high" if len(games) >= 10 else "medium" if len(games) >= 5 else "low",
        "primary_source_used": who.source,
        "processed_with_issues": bool(verdict.columns["data_quality_issues"]),
        **lineage("player_game", season.actual, season.expected),
        **lineage("schedule", 1, 1),
    }
    return verdict, row


# Days and minutes


def rest_and_load(games: Sequence[Row], day: dt.date) -> Row:
    days = [row["game_date"] for row in games]
    week, fortnight = ([row for row in games if (day - row["game_date"]).days <= length] for length in (7, 14))
    rested = [later for earlier, later in pairwise(days) if (later - earlier).days >= 2]
    known = [minutes for row in week if (minutes := row["minutes_played"]) is not None]
    return {
        "days_rest": (day - days[-1]).days if days else None,
        "back_to_back": bool(days) and (day - days[-1]).days == 1,
        "days_rest_before_last_game": (days[-1] - days[-2]).days if len(days) > 1 else None,
        "days_since_2_plus_days_rest": (day - rested[-1]).days if rested else None,
        "games_in_last_7_days": len(week),
        "games_in_last_14_days": len(fortnight),
        "minutes_in_last_7_days": _whole_minutes(week),
        "minutes_in_last_14_days": _whole_minutes(fortnight),
        "back_to_backs_last_14_days": sum(
            (later["game_date"] - earlier["game_date"]).days == 1 for earlier, later in pairwise(fortnight)
        ),
        "avg_minutes_per_game_last_7": mean(known),
    }


def _whole_minutes(games: Iterable[Row]) -> int:
    """Tenths of minutes summed, then rounded half up; an unknown time adds nothing."""
    return int(sum((row["minutes_played"] or Decimal(0) for row in games), Decimal(0)) + Decimal("0.5"))


def mean(values: Iterable[Any]) -> Fraction | None:
    """Exact; of the known ones, integers or decimals; nothing without any."""
    known = [value for value in values if value is not None]
    assert all(isinstance(value, int | Decimal) for value in known), known
    return Fraction(sum(known)) / len(known) if known else None


def column(rows: Iterable[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _form(games: Sequence[Row], owed: Sequence[Owed], day: dt.date) -> Row:
    return {
        "avg_usage_rate_last_7_games": mean(column(last_games(games, owed, 7, day), "usage_rate")),
        "points_avg_last_5": mean(column(last_games(games, owed, 5, day), "points")),
        "points_avg_last_10": mean(column(last_games(games, owed, 10, day), "points")),
    }


# Lines


def _points_line(quotes: Sequence[Quote]) -> Row:
    """The newest and the oldest quote of any bookmaker; of several at one time the first by name."""
    newest, oldest = newest_quote(quotes), oldest_quote(quotes)
    return {
        "has_prop_line": newest is not None,
        "current_points_line": newest and newest.line,
        "opening_points_line": oldest and oldest.line,
        "line_movement": newest and oldest and newest.line - oldest.line,
        "current_points_line_source": newest and newest.bookmaker,
        "opening_points_line_source": oldest and oldest.bookmaker,
    }


def _median_lines(league: League, game: Game, team: str) -> Row:
    """The median over bookmakers of each one's newest and oldest snapshot."""
    row: Row = {}
    for name, quotes in (("spread", league.spread_quotes(game, team)), ("total", league.total_quotes(game))):
        books = [[quote for quote in quotes if quote.bookmaker == book] for book in {one.bookmaker for one in quotes}]
        newest = [max(book, key=lambda quote: quote.at) for book in books]
        oldest = [min(book, key=lambda quote: quote.at) for book in books]
        source = f"median of {len(newest)}" if newest else None
        row |= line_columns(name, _median(newest), _median(oldest), source)
    return row


def _median(quotes: Sequence[Quote]) -> Fraction | None:
    return statistics.median(quote.line for quote in quotes) if quotes else None


def _line_streaks(games: Sequence[Row]) -> Row:
    """Newest first, over the games that had a line on his points; a push ends either streak."""
    against = [row["points"] - row["points_line"] for row in reversed(games) if row["points_line"] is not None]
    return {
        "prop_over_streak": len(list(takewhile(lambda gap: gap > 0, against))) if against else None,
        "prop_under_streak": len(list(takewhile(lambda gap: gap < 0, against))) if against else None,
    }


# Teams and teammates


def season_phase(game: Game) -> str:
    if game.season_type == "playoffs":
        return "playoffs"
    return "early" if game.day.month in (10, 11) else "mid" if game.day.month in (12, 1, 2) else "late"


def team_mean_of_10(league: League, game: Game, team: str, name: str) -> Fraction | None:
    """A published figure of the team over its last 10 counted games before the day."""
    source = league.defense if name == "defensive_rating" else league.offense
    last_10 = league.team_games(game.season, team, game.day)[-10:]
    return mean(source[one.game_id, team][name] for one in last_10 if (one.game_id, team) in source)


def _surroundings(league: League, who: Expected, games: Sequence[Row], owed: Sequence[Owed]) -> Row:
    game, team, opponent = who.game, who.team, who.game.opponent(who.team)
    own_pace, other_pace = (team_mean_of_10(league, game, side, "pace") for side in (team, opponent))
    opponent_games = league.final_games(game.season, opponent, game.day)
    report = league.report(game.day, team)
    said = report.get(who.player, Reported(None, None))
    stars = _stars_out(league, who)
    usage = mean(column(last_games(games, owed, 10, game.day), "usage_rate"))
    return {
        "pace_differential": None if None in (own_pace, other_pace) else own_pace - other_pace,
        "opponent_pace_last_10": other_pace,
        "opponent_def_rating_last_10": team_mean_of_10(league, game, opponent, "defensive_rating"),
        "star_teammates_out": stars,
        "projected_usage_rate": None if usage is None else usage * (1 + Fraction(5, 100) * (stars or 0)),
        "opponent_days_rest": (game.day - opponent_games[-1].day).days if opponent_games else None,
        "player_status": said.status,
        "injury_report": said.reason,
        "questionable_teammates": _said_of_teammates(report, who.player, "questionable"),
        "probable_teammates": _said_of_teammates(report, who.player, "probable"),
        "travel_miles": travel_miles(league, game, team),
        "time_zone_changes": _time_zone_changes(league, game, team),
    }


def _said_of_teammates(report: dict[str, Reported], player: str, status: str) -> int | None:
    if not report:
        return None
    return sum(said.status == status for name, said in report.items() if name != player)


def _stars_out(league: League, who: Expected) -> int | None:
    game, team = who.game, who.team
    if not league.is_spoken_of(game, team):
        return None
    doubtful = {player for player, said in league.report(game.day, team).items() if said.status == "doubtful"}
    away = (league.known_out(game, team) | doubtful) - {who.player}
    return sum(_is_star(league.entered(game.season, player, game.day)) for player in away)


def _is_star(games: Sequence[Row]) -> bool:
    """10 games or more; over the last 10 either 18 points a game, or 28 minutes and 12 points."""
    if len(games) < 10:
        return False
    points = mean(column(games[-10:], "points")) or 0
    minutes = mean(column(games[-10:], "minutes_played")) or 0
    return points >= 18 or (minutes >= 28 and points >= 12)


def _time_zone_changes(league: League, game: Game, team: str) -> int:
    """Hours between the clocks at the last venue and here, at noon UTC of the day; 0 for a first game."""
    venue = last_venue(league, game, team)
    if venue is None:
        return 0
    noon = dt.datetime.combine(game.day, dt.time(12), dt.UTC)
    there, here = (noon.astimezone(ZoneInfo(ARENAS[home][2])).utcoffset() for home in (venue, game.home))
    assert there is not None
    assert here is not None
    return abs(round((here - there).total_seconds() / 3600))
