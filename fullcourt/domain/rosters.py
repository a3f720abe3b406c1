"""What an entity must have: required, excused and present games on a grid of entities and game days.

Teams must have every game of theirs.  Players must have the games of the team they belong to on the day, less
those they are excused from: absent from a *whole* game, or listed there as not playing.  Everything on day s
derives from listings dated s or earlier, so a row for D, which looks only at slots before D, knows nothing newer.
"""

from dataclasses import dataclass

import numpy as np

from fullcourt.domain.calendar import Calendar
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.window_counts import running_total

UNLISTED_GAMES = 10  # whole team games without a listing after which a player is no longer judged


@dataclass(frozen=True)
class GameRows:
    """(entity, game, team) triples as indices; repeats are allowed, unknown ones are -1 and ignored."""

    entity: Ints
    game: Ints
    team: Ints

    def known(self, calendar: Calendar) -> "GameRows":
        """Those of known entities whose game is in the calendar and whose team plays in it."""
        return self.where(self.entity >= 0).of_fixtures(calendar)

    def of_fixtures(self, calendar: Calendar) -> "GameRows":
        """Those whose game is in the calendar and whose team plays in it."""
        plays = (calendar.home[self.game] == self.team) | (calendar.away[self.game] == self.team)
        return self.where((self.game >= 0) & (self.team >= 0) & plays)

    def where(self, mask: Bools) -> "GameRows":
        return GameRows(self.entity[mask], self.game[mask], self.team[mask])

    @classmethod
    def concatenate(cls, *rows: "GameRows") -> "GameRows":
        columns = ("entity", "game", "team")
        return cls(*(np.concatenate([getattr(part, column) for part in rows]) for column in columns))


@dataclass(frozen=True)
class Grid:
    """bool (entities, slots): what is required, what excused, what present (a subset of required); who is judged.

    game, team: int32 (entities, slots), the game in question and the team the entity belongs to, or -1.
    """

    game: Ints
    team: Ints
    required: Bools
    excused: Bools
    present: Bools
    judged: Bools


def team_grid(calendar: Calendar, present: GameRows) -> Grid:
    """Teams: every game is required.  `present` names the team twice."""
    required = calendar.game_at >= 0
    there = np.zeros_like(required)
    present = present.known(calendar)
    there[present.entity, calendar.slot[present.game]] = True
    team = np.where(required, np.arange(len(required), dtype=np.int32)[:, None], -1).astype(np.int32)
    return Grid(calendar.game_at, team, required, np.zeros_like(required), there, np.ones_like(required))


def whole_games(calendar: Calendar, box: GameRows, points: Ints) -> Bools:
    """(teams, slots): the team's game is final and its players' points add up to the schedule's score.

    box must hold each (player, game) once per team: a doubled row counts once.
    """
    total = np.zeros(calendar.game_at.shape, dtype=np.int64)
    team, slot = box.team, calendar.slot[box.game]
    np.add.at(total, (team, slot), points)
    return (calendar.score_at >= 0) & (total == calendar.score_at)


def player_grid(
    calendar: Calendar,
    players: int,
    *,
    played: GameRows,
    listed: GameRows,
    present: GameRows,
    whole: Bools,
) -> Grid:
    """Players, by stint.

    played: the box says he entered the game.  listed: box rows (played or not), inactive lists, upstream rows.
    present: upstream rows.  whole: as whole_games.
    """
    shape = (players, len(calendar.days))
    played, listed = played.known(calendar), listed.known(calendar)
    present = present.where((present.entity >= 0) & (present.game >= 0))
    team, listed_on = _team_of_day(calendar, shape, listed, played)
    belongs = team >= 0
    slots = np.arange(shape[1])
    game = np.where(belongs, calendar.game_at[team, slots], -1).astype(np.int32)
    required = game >= 0

    there = _cells(calendar, shape, present, game)
    in_box = _cells(calendar, shape, played, game)
    named = _cells(calendar, shape, listed, game)
    whole_there = belongs & whole[team, slots]
    excused = required & ~there & ~in_box & (whole_there | named)
    return Grid(game, team, required & ~excused, excused, there & required, _judged(team, listed_on, whole))


def _cells(calendar: Calendar, shape: tuple[int, int], rows: GameRows, game: Ints) -> Bools:
    """The grid cells whose own game the rows name; a row for another team's game that day does not count."""
    cells = np.zeros(shape, dtype=np.bool_)
    slot = calendar.slot[rows.game]
    own = game[rows.entity, slot] == rows.game
    cells[rows.entity[own], slot[own]] = True
    return cells


def _team_of_day(calendar: Calendar, shape: tuple[int, int], listed: GameRows, played: GameRows) -> tuple[Ints, Bools]:
    """(team, listed): int32 team the player belongs to from that day on, or -1; whether he was listed that day.

    Where a day lists him for two teams, the one he played for wins, then the one he did not belong to before,
    then the last by tricode.
    """
    team = np.full(shape, -1, dtype=np.int32)
    cell = listed.entity.astype(np.int64) * shape[1] + calendar.slot[listed.game]
    # One sort of one number: the cell, then the team.
    cell, listed_team = np.divmod(np.sort(cell * len(calendar.teams) + listed.team), len(calendar.teams))
    team.ravel()[cell] = listed_team  # ties: the last in order, settled below
    listed_on = team >= 0
    twice = np.flatnonzero((cell[1:] == cell[:-1]) & (listed_team[1:] != listed_team[:-1]))
    played_cell = played.entity.astype(np.int64) * shape[1] + calendar.slot[played.game]
    for tied in np.unique(cell[1:][twice]):  # a handful a season: trade days
        player, slot = divmod(int(tied), shape[1])
        before = team[player, :slot]
        before = before[before >= 0]
        choices = np.unique(played.team[played_cell == tied])
        if not len(choices):
            choices = np.unique(listed_team[cell == tied])
        others = choices[choices != before[-1]] if len(before) else choices
        team[player, slot] = (others if len(others) else choices).max()
    return _carry_forward(team), listed_on


def _carry_forward(team: Ints) -> Ints:
    """Each -1 takes the last team before it."""
    latest = np.where(team >= 0, np.arange(team.shape[1], dtype=np.int32), -1)
    np.maximum.accumulate(latest, axis=1, out=latest)
    carried = np.take_along_axis(team, np.maximum(latest, 0), axis=1)
    return np.where(latest >= 0, carried, -1).astype(np.int32)


def _judged(team: Ints, listed_on: Bools, whole: Bools) -> Bools:
    """(players, slots): listed before the day, and not left out of the team's last ten whole games."""
    slots = np.arange(team.shape[1], dtype=np.int32)
    last = np.where(listed_on, slots, -1)
    np.maximum.accumulate(last, axis=1, out=last)
    last_before = np.full_like(last, -1)
    last_before[:, 1:] = last[:, :-1]
    team_before = np.full_like(team, -1)
    team_before[:, 1:] = team[:, :-1]
    whole_before = running_total(whole)
    since = whole_before[team_before, slots] - whole_before[team_before, last_before + 1]
    return (last_before >= 0) & (since < UNLISTED_GAMES)
