"""Who has a row for D's fixtures: the teams that play, and the players listed for them before they play."""

from dataclasses import dataclass

import numpy as np

from fullcourt.domain.availability import OUT, Availability
from fullcourt.domain.calendar import Calendar
from fullcourt.domain.columns import last_of_each, pair
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.rosters import GameRows, Grid

# A team must dress eight players, so fewer names are no full listing, but a part of one.
FULL_LISTING = 8


@dataclass(frozen=True)
class Entrants:
    """(entities, slots): the team an entity has a row for that day, or -1; whether the box score lists him."""

    team: Ints
    by_box: Bools

    def rows(self, slots: Ints) -> tuple[Ints, Ints]:
        """(entity, slot) of the rows on the given slots, ordered by slot, then entity."""
        column, entity = np.nonzero(self.team[:, slots].T >= 0)
        return entity.astype(np.int32), slots[column]


def team_entrants(calendar: Calendar) -> Entrants:
    plays = calendar.game_at >= 0
    team = np.where(plays, np.arange(len(plays), dtype=np.int32)[:, None], -1).astype(np.int32)
    return Entrants(team, np.zeros_like(plays))


def player_entrants(
    calendar: Calendar, grid: Grid, box: GameRows, everyone: GameRows, availability: Availability
) -> Entrants:
    """Players named in the game's box score, whatever they did; without a full listing also the roster of the day.

    The roster is who belonged to the team before D and is still judged, less those known out.  No result of D matters.
    box: the players of this shard; everyone: all players, by whatever indices.
    """
    before = np.full_like(grid.team, -1)
    before[:, 1:] = grid.team[:, :-1]
    slots = np.arange(before.shape[1])
    out = np.zeros(before.shape, dtype=np.bool_)
    absent = availability.absent(OUT)
    out[absent.player, absent.slot] = True
    plays = (before >= 0) & (calendar.game_at[before, slots] >= 0)
    full = _full_listing(calendar, everyone)
    on_roster = grid.judged & plays & ~full[before, slots] & ~out
    team = np.where(on_roster, before, -1).astype(np.int32)
    by_box = np.zeros(before.shape, dtype=np.bool_)
    cells, teams = _listed_teams(calendar, box, before)
    team.ravel()[cells] = teams
    by_box.ravel()[cells] = True
    return Entrants(team, by_box & full[team, slots])


def _full_listing(calendar: Calendar, everyone: GameRows) -> Bools:
    """(teams, slots): the box score names enough players to be the whole listing."""
    known, shape = everyone.known(calendar), calendar.game_at.shape
    named = np.unique(pair(known.team * shape[1] + calendar.slot[known.game], known.entity))
    return np.bincount(named >> 32, minlength=shape[0] * shape[1]).reshape(shape) >= FULL_LISTING


def _listed_teams(calendar: Calendar, box: GameRows, before: Ints) -> tuple[Ints, Ints]:
    """(cell, team) of each listed player and day; of two teams the one he was not with before, then the last."""
    known = box.known(calendar)
    cell = known.entity.astype(np.int64) * before.shape[1] + calendar.slot[known.game]
    last = last_of_each(cell, pair(known.team != before.ravel()[cell], known.team))
    return cell[last], known.team[last]
