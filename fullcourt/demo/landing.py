"""Writes what happened down in the landing formats: the tables of a season, and their files."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fullcourt.demo.box_scores import STARTERS, BoxScores, Lineups
from fullcourt.demo.calendar import FIRST_TEAM_ID, TEAMS, TRICODES, Fixtures, Ints
from fullcourt.demo.names import plain, reference_ids
from fullcourt.demo.rosters import ZONES, Bools, Players

REGULAR, PRESEASON = "regular", "preseason"
BROADCASTERS = {"no": 0.80, "NBA TV": 0.08, "TNT": 0.06, "ESPN": 0.06}
PRESEASON_GAMES = 8
GUEST = "MEL"  # a touring side of another league, without a team id: one pre-season game is against it
# Columns of shots-by-zone: the zones of the source, and two sums.
ZONE_SUMS = {
    "restricted_area": ("restricted_area",),
    "paint_non_ra": ("paint_non_ra",),
    "paint": ("restricted_area", "paint_non_ra"),
    "mid_range": ("mid_range",),
    "left_corner3": ("left_corner3",),
    "right_corner3": ("right_corner3",),
    "corner3": ("left_corner3", "right_corner3"),
    "above_break3": ("above_break3",),
    "backcourt": ("backcourt",),
}


@dataclass(frozen=True)
class League:
    """The landing tables of one or more simulated seasons; columns and types are those of the landing files."""

    schedule: pa.Table
    player_boxscores: pa.Table
    team_boxscores: pa.Table
    shots: pa.Table
    inactives: pa.Table
    players: pa.Table
    prop_lines: pa.Table
    injury_reports: pa.Table
    game_lines: pa.Table


FILE_STEMS = {table.name: table.name for table in fields(League)} | {
    "shots": "shots-by-zone",
    "injury_reports": "injury_report",
}


def write(league: League, directory: Path) -> None:
    """Writes one Parquet file per table; the directory is made if need be."""
    directory.mkdir(parents=True, exist_ok=True)
    for table, stem in FILE_STEMS.items():
        pq.write_table(getattr(league, table), directory / f"{stem}.parquet")


def season_name(start_year: int) -> str:
    """2024 -> '2024-25'."""
    return f"{start_year}-{(start_year + 1) % 100:02d}"


@dataclass(frozen=True)
class Season:
    """A season that has been played."""

    start_year: int
    fixtures: Fixtures
    lineups: Lineups
    box_scores: BoxScores

    def schedule(self, rng: np.random.Generator) -> pa.Table:
        """All games with their scores, the pre-season's first."""
        points = self.box_scores.stats["pts"].sum(axis=2)
        regular = _schedule(rng, self._game_ids(), self.start_year, REGULAR, self.fixtures, points)
        return pa.concat_tables([self._preseason(rng), regular])

    def player_boxscores(self, players: Players) -> pa.Table:
        """A row per dressed player, starters first; statistics are null for who did not enter the game."""
        game, side, place = np.nonzero(self.lineups.dressed)
        played = self.lineups.plays[game, side, place]
        who = self.lineups.player[game, side, place]
        return pa.table(
            self._team_game(game, side)
            | _player(players, who)
            | {
                "starter": pa.array(place < STARTERS),
                "played": pa.array(played),
                "status": _labels(["DNP", "PLAYED"], played),
                "not_played_reason": _labels(["Did Not Play", None], played),
            }
            | {
                stat: pa.array(values[game, side, place].astype(np.int16), mask=~played)
                for stat, values in self.box_scores.stats.items()
            }
        )

    def team_boxscores(self) -> pa.Table:
        """A row per team and game."""
        game, side = (index.ravel() for index in np.indices(self.fixtures.teams.shape))
        totals = {stat: values.sum(axis=2)[game, side] for stat, values in self.box_scores.stats.items()}
        overtimes = self.box_scores.overtimes[game]
        opponent_points = self.box_scores.stats["pts"].sum(axis=2)[game, 1 - side]
        counts = {"minutes": 240 + 25 * overtimes, "pts": totals["pts"], "opp_pts": opponent_points}
        by_player_only = (*counts, "seconds_played", "plus_minus")
        counts |= {stat: total for stat, total in totals.items() if stat not in by_player_only}
        counts |= {
            "tov_incl_team": totals["tov"] + self.box_scores.team_tov[game, side],
            "plus_minus": totals["pts"] - opponent_points,
            "n_ot": overtimes,
        }
        won = _labels(["L", "W"], totals["pts"] > opponent_points)
        return pa.table(self._team_game(game, side) | {"wl": won} | _int16(counts))

    def shots(self, players: Players) -> pa.Table:
        """A row per player and game with at least one attempt, under the shot source's plain spelling of his name."""
        stats = self.box_scores.stats
        at = np.nonzero(stats["fga"])  # game, side, place
        keys = self._team_game(*at[:2])
        who = self.lineups.player[at]
        counts = {stat: stats[stat][at] for stat in ("fgm", "fga", "fg3m", "fg3a")}
        for column, zones in ZONE_SUMS.items():
            numbers = [list(ZONES).index(zone) for zone in zones]
            counts[f"{column}_fgm"] = self.box_scores.zone_fgm[at][:, numbers].sum(axis=1)
            counts[f"{column}_fga"] = self.box_scores.zone_fga[at][:, numbers].sum(axis=1)
        return pa.table(
            {"game_id": keys["game_id"], "game_id_resolved": keys["game_id"]}
            | {name: keys[name] for name in ("season", "game_date", "team_id", "team_tricode")}
            | _player(players, who)
            | {"player_name": _labels([plain(name) for name in players.names], who)}
            | _int16(counts)
        )

    def inactives(self, players: Players) -> pa.Table:
        """A row per player under contract who is not dressed: injured, or beyond the thirteenth man."""
        game, side, place = np.nonzero(~self.lineups.dressed)
        keys = self._team_game(game, side)
        del keys["opponent_tricode"], keys["is_home"]
        return pa.table(keys | _player(players, self.lineups.player[game, side, place]))

    def _game_ids(self) -> list[str]:
        return _game_ids("002", self.start_year, len(self.fixtures.slot))

    def _team_game(self, game: Ints, side: Ints) -> dict[str, pa.Array]:
        """The columns that say which team-game a row belongs to."""
        count = len(game)
        team, opponent = self.fixtures.teams[game, side], self.fixtures.teams[game, 1 - side]
        return {
            "game_id": _labels(self._game_ids(), game),
            "season": pa.repeat(season_name(self.start_year), count),
            "season_type": pa.repeat(REGULAR, count),
            "game_date": pa.array(self.fixtures.date[game]),
            "team_id": pa.array(FIRST_TEAM_ID + team),
            "team_tricode": _labels(TRICODES, team),
            "opponent_tricode": _labels(TRICODES, opponent),
            "is_home": pa.array(side == 0),
        }

    def _preseason(self, rng: np.random.Generator) -> pa.Table:
        """A handful of games before the season that have a score but no box score."""
        date = self.fixtures.date[0] - np.sort(rng.integers(4, 16, PRESEASON_GAMES))[::-1]
        teams = rng.permutation(TEAMS)[: 2 * PRESEASON_GAMES].reshape(-1, 2)
        teams[0, 1] = TEAMS  # the guests
        away = rng.integers(85, 125, PRESEASON_GAMES)
        margin = rng.integers(1, 25, PRESEASON_GAMES) * rng.choice([-1, 1], PRESEASON_GAMES)
        fixtures = Fixtures(date=date, slot=np.zeros(PRESEASON_GAMES, dtype=np.int64), teams=teams)
        ids = _game_ids("001", self.start_year, PRESEASON_GAMES)
        return _schedule(rng, ids, self.start_year, PRESEASON, fixtures, np.stack([away + margin, away], axis=1))


def players_table(players: Players, seasons: list[Season]) -> pa.Table:
    """The registry: every player who is listed in some season, with his spellings in the other sources."""
    listed: dict[int, list[str]] = {}
    for season in seasons:
        for player in np.unique(season.lineups.player).tolist():
            listed.setdefault(player, []).append(season_name(season.start_year))
    order = sorted(listed)
    names, ids = [players.names[player] for player in order], reference_ids(players.names)
    return pa.table(
        {
            "player_id": pa.array(players.ids[order]),
            "player_name": names,
            "seasons": [",".join(listed[player]) for player in order],
            "names_in_shots": [plain(name) for name in names],
            "bref_id": [ids[player] for player in order],
            "name_in_bref": names,
        }
    )


def _schedule(
    rng: np.random.Generator, ids: list[str], start_year: int, season_type: str, fixtures: Fixtures, points: Ints
) -> pa.Table:
    count = len(ids)
    columns = {
        "game_id": pa.array(ids),
        "season": pa.repeat(season_name(start_year), count),
        "season_type": pa.repeat(season_type, count),
        "game_date": pa.array(fixtures.date),
    }
    for side, team in zip(("home", "away"), fixtures.teams.T, strict=True):
        columns[f"{side}_team_id"] = pa.array(FIRST_TEAM_ID + team, mask=team == TEAMS)
        columns[f"{side}_tricode"] = _labels([*TRICODES, GUEST], team)
    columns |= _int16({"home_score": points[:, 0], "away_score": points[:, 1]})
    columns["status"] = pa.repeat("Final", count)
    columns["national_tv"] = pa.array(rng.choice(list(BROADCASTERS), count, p=list(BROADCASTERS.values())))
    return pa.table(columns)


def _game_ids(prefix: str, start_year: int, count: int) -> list[str]:
    return [f"{prefix}{start_year % 100:02d}{number:05d}" for number in range(1, count + 1)]


def _player(players: Players, who: Ints) -> dict[str, pa.Array]:
    return {"player_id": pa.array(players.ids[who]), "player_name": _labels(players.names, who)}


def _labels(labels: Sequence[str | None], codes: Ints | Bools) -> pa.Array:
    """The label of each code."""
    return pa.array(labels, pa.string()).take(pa.array(codes.astype(np.int64)))


def _int16(columns: dict[str, Ints]) -> dict[str, pa.Array]:
    return {name: pa.array(values.astype(np.int16)) for name, values in columns.items()}
