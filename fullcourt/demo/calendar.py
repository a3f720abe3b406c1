"""Draws a season's fixtures: who plays whom, where and on which day.

A season is a sequence of *rounds*, in each of which every team plays once.  A round takes two playing days.  So no
team plays twice on a day, all play the same number of games, and back-to-backs fall where one round meets the next.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]

# In the order of the league's team ids.
TRICODES = tuple(
    "ATL BOS CLE NOP CHI DAL DEN GSW HOU LAC LAL MIA MIL MIN BKN NYK ORL IND PHI PHX POR SAC SAS OKC TOR UTA MEM WAS "
    "DET CHA".split()
)
FIRST_TEAM_ID = 1_610_612_737
TEAMS = len(TRICODES)
MOST_GAMES = 82
GAMES_BY_WEEKDAY = np.array([8, 5, 11, 4, 11, 8, 7])  # Monday first: busy Wednesdays and Fridays, quiet Thursdays
# A team that played last night tends to wait for the next round's second day; the larger, the more back-to-backs.
TIGHT_TRAVEL = 1.5
TUESDAY, THURSDAY, SUNDAY = 1, 3, 6


@dataclass(frozen=True)
class Fixtures:
    """Games in order of play.

    date: (games,) the day of each game.
    slot: (games,) that day's place among the season's playing days, from 0.
    teams: (games, 2) home and away, as indexes into TRICODES.
    """

    date: Dates
    slot: Ints
    teams: Ints


def draw_fixtures(rng: np.random.Generator, start_year: int, games_per_team: int) -> Fixtures:
    """The regular season that begins in October of start_year."""
    opponents = _opponents(rng, games_per_team)
    hosts = _hosts(opponents)
    days = playing_days(start_year, 2 * games_per_team)
    weekday = (days.astype(np.int64) + THURSDAY) % 7  # 1970-01-01 was a Thursday
    rested = np.ones(TEAMS, dtype=bool)  # had no game on the last playing day
    slots, teams = [], []
    for number, (opponent, host) in enumerate(zip(opponents, hosts, strict=True)):
        home = rng.permutation(np.flatnonzero(host))
        games = np.stack([home, opponent[home]], axis=1)
        wait = TIGHT_TRAVEL * rng.random(len(games)) - rested[games].sum(axis=1)
        games = games[np.argsort(wait, kind="stable")]
        first, second = GAMES_BY_WEEKDAY[weekday[2 * number : 2 * number + 2]]
        on_first_day = round(len(games) * first / (first + second))
        rested[:] = False
        rested[games[:on_first_day]] = True
        slots.append(np.where(np.arange(len(games)) < on_first_day, 2 * number, 2 * number + 1))
        teams.append(games)
    slot = np.concatenate(slots)
    return Fixtures(date=days[slot], slot=slot, teams=np.concatenate(teams))


def playing_days(start_year: int, count: int) -> Dates:
    """The season's days with games: from a Tuesday in late October, without the league's days off."""
    start = _weekday_of_month(start_year, 10, TUESDAY, after=17)
    thanksgiving = _weekday_of_month(start_year, 11, THURSDAY, after=21)
    all_star_game = _weekday_of_month(start_year + 1, 2, SUNDAY, after=14)
    all_star_week = all_star_game + np.arange(-2, 4)
    days = start + np.arange(count + 30)
    off = np.concatenate([[thanksgiving, np.datetime64(dt.date(start_year, 12, 24))], all_star_week])
    return days[~np.isin(days, off)][:count]


def _weekday_of_month(year: int, month: int, weekday: int, after: int) -> np.datetime64:
    """The first such weekday later than the given day of the month."""
    first = dt.date(year, month, after + 1)
    return np.datetime64(first + dt.timedelta((weekday - first.weekday()) % 7), "D")


def _opponents(rng: np.random.Generator, rounds: int) -> Ints:
    """(rounds, teams): each team's opponent.  Round robins by the circle method, shuffled and cut to length."""
    team, circle = np.arange(TEAMS), TEAMS - 1
    opponent = (2 * np.arange(circle)[:, None] - team) % circle
    opponent[opponent == team] = circle  # who would meet itself meets the team outside the circle
    opponent[:, circle] = np.argmax(opponent == circle, axis=1)
    legs = []
    for _ in range(-(-rounds // circle)):
        leg, label = np.empty_like(opponent), rng.permutation(TEAMS)
        leg[:, label] = label[opponent[rng.permutation(circle)]]
        legs.append(leg)
    return np.concatenate(legs)[:rounds]


def _hosts(opponents: Ints) -> npt.NDArray[np.bool_]:
    """(rounds, teams): who is at home.  In every two rounds each team is at home exactly once.

    Two rounds form closed chains of teams; walking a chain, hosts and guests alternate.
    """
    home = np.zeros(opponents.shape, dtype=bool)
    for number in range(0, len(opponents), 2):
        first, second = opponents[number], opponents[min(number + 1, len(opponents) - 1)]
        seen: set[int] = set()
        for start in range(TEAMS):
            team = start
            while team not in seen:
                guest = int(first[team])
                home[number, team] = True
                home[number + 1 : number + 2, guest] = True  # nothing to set after an odd last round
                seen |= {team, guest}
                team = int(second[guest])
    return home
