"""The landing files as plain Python values, beside the summaries that were published from them.

Nothing here calls the product.  Schedule, box listings, inactive lists, injury reports and lines come from the landing
files; the three game summaries (player, offense, defense) are read as published, as `tests/real/test_seasons.py`
compares them with the landing files already.
"""

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

Row = dict[str, Any]

UTGC, UPGC = "upcoming_team_game_context", "upcoming_player_game_context"
PDC, PCF, MLFS = "player_daily_cache", "player_composite_factors", "ml_feature_store_v2"
PSZA, TDZA = "player_shot_zone_analysis", "team_defense_zone_analysis"

# Table -> dataset, column of the day, column of the entity.
WHERE = {
    UTGC: ("nba_analytics", "game_date", "team_abbr"),
    UPGC: ("nba_analytics", "game_date", "player_lookup"),
    PDC: ("nba_precompute", "cache_date", "player_lookup"),
    PCF: ("nba_precompute", "game_date", "player_lookup"),
    MLFS: ("nba_predictions", "game_date", "player_lookup"),
    PSZA: ("nba_precompute", "analysis_date", "player_lookup"),
    TDZA: ("nba_precompute", "analysis_date", "team_abbr"),
}
COUNTED = ("regular", "play_in", "playoffs")
CALLED_OFF = ("cancelled", "canceled", "postponed")
DAY = dt.timedelta(days=1)

TEAM_NAMES = {
    "Atlanta Hawks": "ATL",
    "Boston Celtics": "BOS",
    "Brooklyn Nets": "BKN",
    "Charlotte Hornets": "CHA",
    "Chicago Bulls": "CHI",
    "Cleveland Cavaliers": "CLE",
    "Dallas Mavericks": "DAL",
    "Denver Nuggets": "DEN",
    "Detroit Pistons": "DET",
    "Golden State Warriors": "GSW",
    "Houston Rockets": "HOU",
    "Indiana Pacers": "IND",
    "Los Angeles Clippers": "LAC",
    "LA Clippers": "LAC",
    "Los Angeles Lakers": "LAL",
    "Memphis Grizzlies": "MEM",
    "Miami Heat": "MIA",
    "Milwaukee Bucks": "MIL",
    "Minnesota Timberwolves": "MIN",
    "New Orleans Pelicans": "NOP",
    "New York Knicks": "NYK",
    "Oklahoma City Thunder": "OKC",
    "Orlando Magic": "ORL",
    "Philadelphia 76ers": "PHI",
    "Phoenix Suns": "PHX",
    "Portland Trail Blazers": "POR",
    "Sacramento Kings": "SAC",
    "San Antonio Spurs": "SAS",
    "Toronto Raptors": "TOR",
    "Utah Jazz": "UTA",
    "Washington Wizards": "WAS",
}
TRICODES = frozenset(TEAM_NAMES.values())


@dataclass(frozen=True)
class Game:
    """A game that counts; `final` only with a score."""

    season: str
    game_id: str
    day: dt.date
    home: str
    away: str
    home_score: int | None
    away_score: int | None
    final: bool
    season_type: str

    @property
    def canonical_id(self) -> str:
        return f"{self.day:%Y%m%d}_{self.away}_{self.home}"

    @property
    def teams(self) -> tuple[str, str]:
        return self.home, self.away

    def opponent(self, team: str) -> str:
        return self.away if team == self.home else self.home

    def score(self, team: str) -> int | None:
        return self.home_score if team == self.home else self.away_score

    def margin(self, team: str) -> int:
        own, other = self.score(team), self.score(self.opponent(team))
        assert own is not None, self
        assert other is not None, self
        return own - other


class Listing(NamedTuple):
    """A row of the box score file, played or not."""

    played: bool
    points: int


class Reported(NamedTuple):
    """What an injury report says of a player."""

    status: str  # lower case
    reason: str | None


class Quote(NamedTuple):
    """A bookmaker's line at a time."""

    bookmaker: str
    at: dt.datetime
    line: Fraction


class League:
    """One directory of landing files and the warehouse made from it."""

    def __init__(self, landing: Path, warehouse: Path) -> None:
        self._landing = Path(landing)
        self._connection = duckdb.connect()
        self._published: dict[tuple[str, dt.date], list[Row]] = {}
        self._by_entity: dict[tuple[str, dt.date], dict[str, Row]] = {}
        self._connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        self.games = self._games()
        self.by_id = {game.game_id: game for game in self.games}

    # Reading

    def rows(self, sql: str, *parameters: object) -> list[Row]:
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def landed(self, pattern: str) -> list[Row]:
        """All rows of the Parquet files whose stem matches; none if there is no such file."""
        files = sorted(self._landing.glob(f"{pattern}.parquet"))
        return [row for file in files for row in self.rows(f"FROM read_parquet('{file}')")]

    def published(self, table: str, day: dt.date) -> list[Row]:
        """The rows of a processor's table that are keyed to the day."""
        dataset, day_column, _ = WHERE[table]
        if (table, day) not in self._published:
            self._published[table, day] = self.rows(f"FROM warehouse.{dataset}.{table} WHERE {day_column} = ?", day)
        return self._published[table, day]

    def published_row(self, table: str, day: dt.date, entity: str) -> Row | None:
        if (table, day) not in self._by_entity:
            of = WHERE[table][2]
            self._by_entity[table, day] = {row[of]: row for row in reversed(self.published(table, day))}
        return self._by_entity[table, day].get(entity)

    # The schedule

    def _games(self) -> list[Game]:
        games = []
        for row in self.landed("schedule"):
            status = str(row["status"]).lower()
            if row["season_type"] not in COUNTED or row["game_date"] is None or status in CALLED_OFF:
                continue
            if not {row["home_tricode"], row["away_tricode"]} <= TRICODES:
                continue
            scored = row["home_score"] is not None and row["away_score"] is not None
            if status.startswith("final") and not scored:
                continue  # domain 2.1: final without scores was postponed
            games.append(
                Game(
                    season=str(row["season"]),
                    game_id=str(row["game_id"]),
                    day=row["game_date"],
                    home=row["home_tricode"],
                    away=row["away_tricode"],
                    home_score=row["home_score"],
                    away_score=row["away_score"],
                    final=status.startswith("final"),
                    season_type=row["season_type"],
                )
            )
        return sorted(games, key=lambda game: (game.day, game.game_id))

    def games_on(self, day: dt.date) -> list[Game]:
        return self._by_day.get(day, [])

    @cached_property
    def _by_day(self) -> dict[dt.date, list[Game]]:
        return _grouped((game.day, game) for game in self.games)

    @cached_property
    def _by_team(self) -> dict[tuple[str, str], list[Game]]:
        return _grouped(((game.season, team), game) for game in self.games for team in game.teams)

    @property
    def game_days(self) -> list[dt.date]:
        return sorted(self._by_day)

    def season_of(self, day: dt.date) -> str:
        return self.games_on(day)[0].season

    def team_games(self, season: str, team: str, before: dt.date, since: dt.date = dt.date.min) -> list[Game]:
        """The team's games in [since, before), final or not, oldest first."""
        return [game for game in self._by_team.get((season, team), []) if since <= game.day < before]

    def final_games(self, season: str, team: str, before: dt.date) -> list[Game]:
        return [game for game in self.team_games(season, team, before) if game.final]

    def is_bootstrap(self, day: dt.date) -> bool:
        """Domain 3.7: the first 30 days from the season's first regular game."""
        return 0 <= (day - self._openings[self.season_of(day)]).days < 30

    @cached_property
    def _openings(self) -> dict[str, dt.date]:
        """The day of each season's first regular game."""
        regular = _grouped((game.season, game.day) for game in self.games if game.season_type == "regular")
        return {season: min(days) for season, days in regular.items()}

    # Players

    @cached_property
    def _registry(self) -> list[Row]:
        return self.landed("players")

    @cached_property
    def _name_of_id(self) -> dict[int, str]:
        return {row["player_id"]: row["player_name"] for row in self._registry if row["player_id"] is not None}

    @cached_property
    def _key_of_spelling(self) -> dict[str, str]:
        spellings = {}
        for row in self._registry:
            for column in ("names_in_shots", "name_in_bref", "player_name"):
                for name in str(row.get(column) or "").split("|"):
                    if name.strip():
                        spellings[lookup(name)] = lookup(row["player_name"])
        return spellings

    @cached_property
    def id_of_key(self) -> dict[str, str]:
        return {lookup(name): str(number) for number, name in self._name_of_id.items()}

    def player(self, number: int | None, name: str) -> str:
        """The player's key: by id, else by any known spelling, else by the name as it is."""
        if number in self._name_of_id:
            return lookup(self._name_of_id[number])
        return self._key_of_spelling.get(lookup(name), lookup(name))

    # Who is named for a game

    @cached_property
    def box(self) -> dict[tuple[str, str], dict[str, Listing]]:
        """By (game id, team): everybody in the box score file."""
        box: dict[tuple[str, str], dict[str, Listing]] = defaultdict(dict)
        for row in self.landed("player_boxscores"):
            if row["game_id"] in self.by_id:
                key = self.player(row["player_id"], row["player_name"])
                box[row["game_id"], row["team_tricode"]][key] = Listing(bool(row["played"]), row["pts"] or 0)
        return box

    @cached_property
    def inactive(self) -> dict[tuple[str, str], set[str]]:
        """By (game id, team): everybody on the inactive list."""
        inactive: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in self.landed("inactives"):
            if row["game_id"] in self.by_id:
                inactive[row["game_id"], row["team_tricode"]].add(self.player(row["player_id"], row["player_name"]))
        return inactive

    def is_listed(self, player: str, game: Game, team: str) -> bool:
        named = (game.game_id, team)
        return player in self.box.get(named, ()) or player in self.inactive.get(named, ())

    def is_whole(self, game: Game, team: str) -> bool:
        """Decision 2: the points of the team's players add up to its score."""
        return game.final and self._points.get((game.game_id, team)) == game.score(team)

    @cached_property
    def _points(self) -> dict[tuple[str, str], int]:
        """By (game id, team), of teams with anybody in the box score file: what they scored together."""
        return {key: sum(row.points for row in listings.values()) for key, listings in self.box.items() if listings}

    # Stints (decision 3)

    @cached_property
    def _listings(self) -> dict[tuple[str, str], list[tuple[dt.date, str]]]:
        """By (season, player): each day he is named and the team he is then with, oldest first."""
        named: dict[tuple[str, str], dict[dt.date, set[str]]] = defaultdict(lambda: defaultdict(set))
        for source in (self.box, self.inactive):
            for (game_id, team), players in source.items():
                game = self.by_id[game_id]
                for player in players:
                    named[game.season, player][game.day].add(team)
        listings = {}
        for key, days in named.items():
            stints: list[tuple[dt.date, str]] = []
            for day in sorted(days):
                before = stints[-1][1] if stints else ""
                stints.append((day, newcomer_of(days[day], before)))
            listings[key] = stints
        return listings

    def listings(self, season: str, player: str, before: dt.date) -> list[tuple[dt.date, str]]:
        return [(day, team) for day, team in self._listings.get((season, player), []) if day < before]

    def team_before(self, season: str, player: str, day: dt.date) -> str:
        """The team he was with before the day, or nothing."""
        listings = self.listings(season, player, day)
        return listings[-1][1] if listings else ""

    def is_judged(self, season: str, player: str, day: dt.date) -> bool:
        """On a roster: named before the day, with fewer than ten whole games of the team since."""
        listings = self.listings(season, player, day)
        if not listings:
            return False
        since, team = listings[-1]
        later = self.team_games(season, team, day, since + DAY)
        return sum(self.is_whole(game, team) for game in later) < 10

    def roster(self, season: str, team: str, day: dt.date) -> set[str]:
        return {
            player
            for (of, player) in self._listings
            if of == season and self.team_before(season, player, day) == team and self.is_judged(season, player, day)
        }

    # Published summaries

    @cached_property
    def _player_games(self) -> dict[tuple[str, str], list[Row]]:
        rows = self.rows("SELECT * FROM warehouse.nba_analytics.player_game_summary ORDER BY game_date")
        return _grouped(((self.by_id[row["nba_game_id"]].season, row["player_lookup"]), row) for row in rows)

    def known_id(self, player: str, before: dt.date) -> str | None:
        """His registry id, known from his first game of the season on."""
        entered = self.entered(self.season_of(before), player, before)
        return self.id_of_key.get(player) if entered else None

    def entered(self, season: str, player: str, before: dt.date) -> list[Row]:
        """His games: the rows of player_game_summary of the season before the day, oldest first."""
        return [row for row in self._player_games.get((season, player), []) if row["game_date"] < before]

    @cached_property
    def summarised(self) -> set[tuple[str, str]]:
        """(player, game id) of every row of player_game_summary."""
        return {(row["player_lookup"], row["nba_game_id"]) for rows in self._player_games.values() for row in rows}

    @cached_property
    def offense(self) -> dict[tuple[str, str], Row]:
        """By (game id, team)."""
        rows = self.rows("SELECT * FROM warehouse.nba_analytics.team_offense_game_summary")
        return {(row["nba_game_id"], row["team_abbr"]): row for row in rows}

    @cached_property
    def defense(self) -> dict[tuple[str, str], Row]:
        """By (game id, team)."""
        rows = self.rows("SELECT * FROM warehouse.nba_analytics.team_defense_game_summary")
        return {(row["nba_game_id"], row["defending_team_abbr"]): row for row in rows}

    # Injury reports and lines

    @cached_property
    def _reports(self) -> dict[tuple[dt.date, str], list[Row]]:
        return _grouped(((row["game_date"], row["team_tricode"]), row) for row in self.landed("injury_report*"))

    def report(self, day: dt.date, team: str) -> dict[str, Reported]:
        """The newest injury report of the day for the team: the largest report_hour."""
        rows = self._reports.get((day, team), [])
        newest = max((int(row["report_hour"]) for row in rows), default=0)
        return {
            self.player(row["player_id"], row["player_name"]): Reported(
                str(row["injury_status"]).strip().lower(), row["reason"] or None
            )
            for row in rows
            if int(row["report_hour"]) == newest
        }

    @cached_property
    def _point_quotes(self) -> dict[tuple[str, str], list[Quote]]:
        return _grouped(
            (
                (row["resolved_game_id"], self.player(row["resolved_player_id"], row["player_name_as_listed"])),
                Quote(row["bookmaker"], instant(row["observed_at_utc"]), Fraction(str(row["line"]))),
            )
            for row in self.landed("prop_lines*")
            if row["market"] == "points" and row["line"] is not None
        )

    def point_quotes(self, game: Game, player: str) -> list[Quote]:
        """Every quote of a line on the player's points."""
        return self._point_quotes.get((game.game_id, player), [])

    @cached_property
    def _game_quotes(self) -> dict[tuple[dt.date, str, str, str, str], list[Quote]]:
        return _grouped(
            (
                (
                    row["game_date"],
                    TEAM_NAMES[row["home_team"]],
                    TEAM_NAMES[row["away_team"]],
                    row["market_key"],
                    TEAM_NAMES.get(row["outcome_name"], row["outcome_name"]),
                ),
                Quote(row["bookmaker_key"], instant(row["snapshot_timestamp"]), Fraction(str(row["outcome_point"]))),
            )
            for row in self.landed("game_lines*")
            if row["outcome_point"] is not None
        )

    def spread_quotes(self, game: Game, team: str) -> list[Quote]:
        return self._game_quotes.get((game.day, game.home, game.away, "spreads", team), [])

    def total_quotes(self, game: Game) -> list[Quote]:
        return self._game_quotes.get((game.day, game.home, game.away, "totals", "Over"), [])

    # Known out

    def is_spoken_of(self, game: Game, team: str) -> bool:
        """The game's inactive list or an injury report of the day names anyone of the team."""
        return bool(self.inactive.get((game.game_id, team))) or bool(self.report(game.day, team))

    def known_out(self, game: Game, team: str) -> set[str]:
        """On the game's inactive list without a box row in it, or out in the newest report of the day."""
        listed = self.inactive.get((game.game_id, team), set())
        in_the_box = {player for side in game.teams for player in self.box.get((game.game_id, side), {})}
        report = self.report(game.day, team)
        return {player for player in listed if player not in in_the_box} | {
            player for player, said in report.items() if said.status == "out"
        }


def newcomer_of(teams: set[str], before: str) -> str:
    """Of the teams that name a player on one day: the one he was not with before, then the last tricode."""
    return max(teams, key=lambda team: (team != before, team))


def newest_quote(quotes: Iterable[Quote]) -> Quote | None:
    """Of several at one time the first bookmaker by name."""
    return max(sorted(quotes, key=lambda quote: quote.bookmaker), key=lambda quote: quote.at, default=None)


def oldest_quote(quotes: Iterable[Quote]) -> Quote | None:
    """Of several at one time the first bookmaker by name."""
    return min(sorted(quotes, key=lambda quote: quote.bookmaker), key=lambda quote: quote.at, default=None)


def lookup(name: str) -> str:
    """Domain 1.3: lower case, accents folded, letters and digits only."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]", "", folded.lower())


def instant(value: str | dt.datetime) -> dt.datetime:
    """A time in UTC, as text or as it is; without a zone it is UTC."""
    moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _grouped(pairs: Iterator[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    grouped: dict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        grouped[key].append(value)
    return grouped
