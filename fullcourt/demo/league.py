"""A seeded, simulated league: the same seed gives the same seasons, cell by cell."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from fullcourt.demo.box_scores import pick_lineups, play
from fullcourt.demo.calendar import MOST_GAMES, TEAMS, Ints, draw_fixtures
from fullcourt.demo.defects import Defect, Defects, with_defects
from fullcourt.demo.landing import League, Season, players_table, write
from fullcourt.demo.market import draw_market
from fullcourt.demo.rosters import (
    LEAVING,
    ROSTER_SIZE,
    Players,
    draw_players,
    first_rosters,
    injured_by_day,
    over_the_summer,
    rosters_by_day,
)
from fullcourt.domain.errors import UsageError

__all__ = ["Defect", "Defects", "League", "simulate", "with_defects", "write"]


def simulate(start_years: Sequence[int], seed: int = 7, games_per_team: int = MOST_GAMES) -> League:
    """Plays the seasons that begin in those years, ascending; most players carry over from one to the next.

    games_per_team: 82 is a full season, 41 the half until the middle of January.
    """
    years = list(start_years)
    if not years or years != sorted(set(years)):
        raise UsageError(f"start_years must be distinct and ascending, at least one: start_years={years}")
    if not 1 <= games_per_team <= MOST_GAMES:
        raise UsageError(f"games_per_team must be between 1 and {MOST_GAMES}: games_per_team={games_per_team}")
    rng = np.random.Generator(np.random.PCG64(seed))
    first_count = TEAMS * ROSTER_SIZE
    players = draw_players(rng, first_count + LEAVING * (len(years) - 1))
    rosters = first_rosters(rng)
    seasons = []
    for number, year in enumerate(years):
        if number:
            rosters = over_the_summer(rng, rosters, first_count + LEAVING * (number - 1))
        season, rosters = _play_season(rng, players, rosters, year, games_per_team)
        seasons.append(season)
    schedule = pa.concat_tables([season.schedule(rng) for season in seasons])
    box_scores = pa.concat_tables([season.player_boxscores(players) for season in seasons])
    inactives = pa.concat_tables([season.inactives(players) for season in seasons])
    return League(
        schedule=schedule,
        player_boxscores=box_scores,
        team_boxscores=pa.concat_tables([season.team_boxscores() for season in seasons]),
        shots=pa.concat_tables([season.shots(players) for season in seasons]),
        inactives=inactives,
        players=players_table(players, seasons),
        **draw_market(seed, schedule, box_scores, inactives),
    )


def _play_season(
    rng: np.random.Generator, players: Players, rosters: Ints, start_year: int, games_per_team: int
) -> tuple[Season, Ints]:
    """One season, and the rosters at its end."""
    fixtures = draw_fixtures(rng, start_year, games_per_team)
    days = 2 * games_per_team
    by_day = rosters_by_day(rng, rosters, days)
    injured = injured_by_day(rng, len(players.names), days)
    slot = fixtures.slot[:, None]
    listed = by_day[slot, fixtures.teams]  # (games, 2, 15)
    lineups = pick_lineups(rng, players, listed, injured[slot[..., None], listed])
    return Season(start_year, fixtures, lineups, play(rng, players, lineups)), by_day[-1]
