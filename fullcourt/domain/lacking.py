"""Which table lacks a game: the raw rows were never loaded, or they are there and were never summarised.

The two have different repairs: a landing file to load again, or a summary to run.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.columns import codes, pair
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity

BOX, TEAM_BOX, ALIASES, SCHEDULE, PLAYER_SUMMARY, TEAM_SUMMARY = range(6)
# By the number of each.
LACKING = (
    "nbac_gamebook_player_stats",
    "nbac_team_boxscore",
    "player_aliases",  # the row is there, under a name that is nobody's
    "nbac_schedule",  # the rows are there, but the schedule does not say that the game is over
    "player_game_summary",
    "team_defense_game_summary",
)
TEAM_BOX_TABLE = LACKING[TEAM_BOX]
TEAM_BOX_COLUMNS = ("game_id", "team_abbr", "season_year")


def tables(seen: Observation, kind: Entity, entity: Ints, slot: Ints) -> Ints:
    """The table, as a place in LACKING, that lacks each missing (entity, slot).

    seen: of players, or of teams with the team box scores among its tables.
    """
    if kind is Entity.PLAYER:
        return _players(seen, entity, slot)
    return _teams(seen, entity, slot)


def _players(seen: Observation, entity: Ints, slot: Ints) -> Ints:
    box = seen.tables.box
    assert box is not None
    played = pc.fill_null(box["played"], False).to_numpy()
    there = _among(
        codes(box["player_lookup"], seen.entities)[played],
        codes(box["game_id"], seen.calendar.game_ids)[played],
        entity,
        seen.grid.game[entity, slot],
    )
    raw = np.where(seen.unresolved[entity, slot], ALIASES, BOX)
    return _first_lacking(seen, entity, slot, there, raw, PLAYER_SUMMARY)


def _teams(seen: Observation, entity: Ints, slot: Ints) -> Ints:
    """What a team defended against is its opponent's box score."""
    calendar, game, team_box = seen.calendar, seen.grid.game[entity, slot], seen.tables.more[TEAM_BOX_TABLE]
    opponent = np.where(calendar.home[game] == entity, calendar.away[game], calendar.home[game])
    there = _among(
        codes(team_box["team_abbr"], pa.array(calendar.teams)),
        codes(team_box["game_id"], calendar.game_ids),
        opponent,
        game,
    )
    return _first_lacking(seen, entity, slot, there, np.full(len(entity), TEAM_BOX), TEAM_SUMMARY)


def _first_lacking(seen: Observation, entity: Ints, slot: Ints, there: Bools, raw: np.ndarray, summary: int) -> Ints:
    """The first broken link: the raw rows, the schedule's word that they are final, the summary."""
    final = seen.calendar.final[seen.grid.game[entity, slot]]
    return np.select([~there, ~final], [raw, np.full(len(raw), SCHEDULE)], summary).astype(np.int32)


def _among(one: Ints, other: Ints, wanted_one: Ints, wanted_other: Ints) -> Bools:
    """Whether each wanted pair is among the known ones."""
    known = (one >= 0) & (other >= 0)
    found: Bools = np.isin(pair(wanted_one, wanted_other), pair(one[known], other[known]))
    return found
