"""A season's calendar, built from the schedule: game days, each team's games in order, season start.

Days are sports days (US Eastern), as int32 days since 1970-01-01.  A *slot* is an index into the season's
game days; grids are (entities, slots).
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.days import to_date, to_number
from fullcourt.domain.errors import GateError
from fullcourt.domain.names import season_of
from fullcourt.domain.numbers import Bools, Ints

COUNTED_TYPES = ("regular", "play_in", "playoffs")  # pre-season, All-Star and the cup final never count
CALLED_OFF = ("Postponed", "Cancelled")
FINAL = 3
BOOTSTRAP_DAYS = 30
BOUNDARY_MONTHS = (10, 11, 4)
NO_SCORE = -1

# What Calendar.from_schedule reads of nba_raw.nbac_schedule.
SCHEDULE_COLUMNS = (
    "nba_game_id",
    "game_id",
    "game_date",
    "season_year",
    "season_type",
    "game_status",
    "game_status_text",
    "home_team_tricode",
    "away_team_tricode",
    "home_team_score",
    "away_team_score",
)


def counted_games(schedule: pa.Table) -> pa.Table:
    """The rows whose games the schedule says are played: counted types, not called off, finals with a score."""
    final_without_score = pc.and_(
        pc.equal(schedule["game_status"], FINAL),
        pc.or_(pc.is_null(schedule["home_team_score"]), pc.is_null(schedule["away_team_score"])),
    )
    called_off = pc.fill_null(pc.is_in(schedule["game_status_text"], pa.array(CALLED_OFF)), False)
    counts = pc.and_(
        pc.and_(pc.is_in(schedule["season_type"], pa.array(COUNTED_TYPES)), pc.is_valid(schedule["game_id"])),
        pc.invert(pc.or_(called_off, pc.fill_null(final_without_score, False))),
    )
    return schedule.filter(counts)


def season_of_day(day: int) -> int:
    date = to_date(day)
    return season_of(date.year, date.month)


@dataclass(frozen=True)
class Calendar:
    """One season's games that count, ordered by day and id.

    game_ids, nba_game_ids: Arrow strings, one a game; slot, home, away, home_score, away_score: int32, one a
    game (teams as indices into `teams`; NO_SCORE where not final); final, playoffs: bool.
    """

    season: int
    days: Ints
    teams: tuple[str, ...]
    game_ids: pa.StringArray
    nba_game_ids: pa.StringArray
    slot: Ints
    home: Ints
    away: Ints
    home_score: Ints
    away_score: Ints
    final: Bools
    playoffs: Bools
    season_start: int

    @classmethod
    def from_schedule(cls, schedule: pa.Table, season: int) -> "Calendar":
        """Raises GateError when the schedule has no game of the season, or a team twice on one day."""
        rows = counted_games(schedule)
        rows = rows.filter(pc.equal(rows["season_year"], season)).sort_by(
            [("game_date", "ascending"), ("game_id", "ascending")]
        )
        if rows.num_rows == 0:
            raise GateError(
                f"no schedule loaded for season {season}-{(season + 1) % 100:02d}: ingest its schedule first"
            )
        rows = rows.combine_chunks()
        day = rows["game_date"].cast(pa.int32()).to_numpy()
        days, slot = np.unique(day, return_inverse=True)
        teams = pc.unique(pa.chunked_array([*rows["home_team_tricode"].chunks, *rows["away_team_tricode"].chunks]))
        teams = teams.take(pc.sort_indices(teams))
        final = pc.equal(rows["game_status"], FINAL).to_numpy(zero_copy_only=False)
        regular = pc.equal(rows["season_type"], "regular").to_numpy(zero_copy_only=False)
        calendar = cls(
            season=season,
            days=days.astype(np.int32),
            teams=tuple(teams.to_pylist()),
            game_ids=rows["game_id"].combine_chunks(),
            nba_game_ids=rows["nba_game_id"].combine_chunks(),
            slot=slot.astype(np.int32),
            home=pc.index_in(rows["home_team_tricode"], teams).to_numpy(),
            away=pc.index_in(rows["away_team_tricode"], teams).to_numpy(),
            home_score=_score(rows["home_team_score"], final),
            away_score=_score(rows["away_team_score"], final),
            final=final,
            playoffs=pc.equal(rows["season_type"], "playoffs").to_numpy(zero_copy_only=False),
            season_start=int(day[regular].min() if regular.any() else day.min()),
        )
        calendar._refuse_doubled_days()
        return calendar

    def _refuse_doubled_days(self) -> None:
        games = len(self.slot)
        team_day = np.concatenate([self.home, self.away]).astype(np.int64) * len(self.days) + np.tile(self.slot, 2)
        order = np.argsort(team_day, kind="stable")
        repeat = np.flatnonzero(np.diff(team_day[order]) == 0)
        if len(repeat):
            first, second = (int(order[repeat[0] + step]) % games for step in (0, 1))
            raise GateError(
                "the schedule has one team twice on a day: "
                f"{self.game_ids[first].as_py()} and {self.game_ids[second].as_py()}"
            )

    @cached_property
    def game_at(self) -> Ints:
        """(teams, slots): the index of the team's game that day, or -1."""
        grid = np.full((len(self.teams), len(self.days)), -1, dtype=np.int32)
        number = np.arange(len(self.slot), dtype=np.int32)
        grid[self.home, self.slot] = number
        grid[self.away, self.slot] = number
        return grid

    @cached_property
    def score_at(self) -> Ints:
        """(teams, slots): the team's own final score that day, or NO_SCORE."""
        grid = np.full((len(self.teams), len(self.days)), NO_SCORE, dtype=np.int32)
        grid[self.home, self.slot] = self.home_score
        grid[self.away, self.slot] = self.away_score
        return grid

    def slots_of(self, days: Ints) -> Ints:
        """The slots of those of the given days that are game days."""
        return np.flatnonzero(np.isin(self.days, days)).astype(np.int32)

    def in_bootstrap(self, day: Ints) -> Bools:
        """Days 0 to 29 of the season."""
        since = day - self.season_start
        return (since >= 0) & (since < BOOTSTRAP_DAYS)


def at_season_boundary(day: Ints) -> Bools:
    """October, November and April: information only, it exempts nothing."""
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return np.isin(months, BOUNDARY_MONTHS)


def game_days(schedule: pa.Table, start: dt.date, end: dt.date) -> list[dt.date]:
    """The days in [start, end] on which a counted game is scheduled, ascending."""
    day = np.unique(counted_games(schedule)["game_date"].combine_chunks().cast(pa.int32()).to_numpy())
    return [to_date(number) for number in day[(day >= to_number(start)) & (day <= to_number(end))]]


def _score(column: pa.ChunkedArray, final: Bools) -> Ints:
    score = pc.fill_null(column, NO_SCORE).to_numpy().astype(np.int32)
    return np.where(final, score, NO_SCORE).astype(np.int32)
