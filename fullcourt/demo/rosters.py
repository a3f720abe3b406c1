"""Draws the players of a league, and who is under contract and fit on each day of a season."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fullcourt.demo.calendar import TEAMS, Ints
from fullcourt.demo.names import draw_names

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ROSTER_SIZE = 15
FIRST_PLAYER_ID = 1_800_001
LEAVING = 54  # players who leave the league each summer, for as many newcomers
MOVING = 70  # players who change teams each summer
SWAPS = 6  # mid-season trades, two players each: 2.7 % of 450
TRADING_DAYS = (0.3, 0.8)  # the part of the season in which trades happen
SPELLS_PER_PLAYER = 1.6  # injuries in a season of 164 playing days
SPELL_DAYS = 11.0  # mean length of an injury, in playing days; teams play on every second
MOST_INJURED = 6  # of one team at once; the league grants hardship contracts beyond that

# Zone: its share of all attempts, how often a shot falls, and how much more (or less) big men shoot there.
# Shares and percentages are those of the 2022-24 seasons.
ZONES = {
    "restricted_area": (0.297, 0.655, 0.40),
    "paint_non_ra": (0.196, 0.440, 0.20),
    "mid_range": (0.116, 0.415, -0.05),
    "left_corner3": (0.050, 0.387, -0.15),
    "right_corner3": (0.049, 0.387, -0.15),
    "backcourt": (0.002, 0.020, -0.40),
    "above_break3": (0.290, 0.355, -0.55),
}
# How talent and size pull a player's share of his team's shots, free throws, rebounds and so on (in log units).
PULL = {
    "fga": (0.36, 0.00),
    "fta": (0.45, 0.20),
    "oreb": (0.00, 0.60),
    "dreb": (0.10, 0.30),
    "ast": (0.30, -0.50),
    "stl": (0.10, -0.20),
    "blk": (0.00, 0.70),
    "tov": (0.30, -0.10),
    "pf": (-0.10, 0.15),
}
OWN_STYLE = 0.15  # spread of what talent and size do not explain


@dataclass(frozen=True)
class Players:
    """Everyone who plays in the league at any time; all arrays are indexed by player.

    weight: statistic -> his pull on his team's total while on court, 1 being ordinary.
    zone_mix, zone_pct: (players, zones) share of his attempts and chance to score, zones in the order of ZONES.
    """

    names: list[str]
    ids: Ints
    talent: Floats
    weight: dict[str, Floats]
    zone_mix: Floats
    zone_pct: Floats
    ft_pct: Floats


def draw_players(rng: np.random.Generator, count: int) -> Players:
    """Players with a talent, a size and a style of their own."""
    talent, size = rng.normal(size=(2, count))
    share, pct, pull = np.array(list(ZONES.values())).T
    mix = share * np.exp(np.outer(size, pull) + rng.normal(0, 0.3, (count, len(ZONES))))
    form = 1 + 0.02 * talent + rng.normal(0, 0.03, count)
    return Players(
        names=draw_names(rng, count),
        ids=FIRST_PLAYER_ID + np.arange(count),
        talent=talent,
        weight={
            stat: np.exp(by_talent * talent + by_size * size + rng.normal(0, OWN_STYLE, count))
            for stat, (by_talent, by_size) in PULL.items()
        },
        zone_mix=mix / mix.sum(axis=1, keepdims=True),
        zone_pct=pct * form[:, None],
        ft_pct=np.clip(0.78 - 0.04 * size + rng.normal(0, 0.06, count), 0.5, 0.93),
    )


def first_rosters(rng: np.random.Generator) -> Ints:
    """(teams, 15): the first season's players, dealt out at random."""
    return rng.permutation(TEAMS * ROSTER_SIZE).reshape(TEAMS, ROSTER_SIZE)


def over_the_summer(rng: np.random.Generator, rosters: Ints, first_newcomer: int) -> Ints:
    """Next season's rosters: some players have left the league for newcomers, some have changed teams."""
    changed = rng.permutation(rosters.size)[: LEAVING + MOVING]
    leaving, moving = changed[:LEAVING], changed[LEAVING:]
    places = rosters.ravel().copy()
    places[leaving] = first_newcomer + np.arange(LEAVING)
    places[moving] = places[np.roll(moving, 1)]
    return places.reshape(rosters.shape)


def rosters_by_day(rng: np.random.Generator, rosters: Ints, days: int) -> Ints:
    """(days, teams, 15): the rosters on each playing day, after the trades up to that day."""
    by_day = np.repeat(rosters[None], days, axis=0)
    earliest, latest = (int(share * days) for share in TRADING_DAYS)
    for day in np.sort(rng.integers(earliest, latest + 1, SWAPS)):
        one, other = rng.choice(TEAMS, 2, replace=False)
        place, other_place = rng.integers(0, ROSTER_SIZE, 2)
        by_day[day:, [one, other], [place, other_place]] = by_day[day:, [other, one], [other_place, place]]
    return by_day


def injured_by_day(rng: np.random.Generator, players: int, days: int) -> Bools:
    """(days, players): out with an injury.  Injuries come as spells of consecutive days."""
    spells = rng.poisson(SPELLS_PER_PLAYER * players * days / 164)
    who = rng.integers(0, players, spells)
    begins = rng.integers(0, days, spells)
    ends = np.minimum(begins + rng.geometric(1 / SPELL_DAYS, spells), days)
    change = np.zeros((days + 1, players), dtype=np.int64)
    np.add.at(change, (begins, who), 1)
    np.add.at(change, (ends, who), -1)
    return np.asarray(change.cumsum(axis=0)[:days] > 0)
