"""Plays the games: a team's totals first, then each total shared out among its players by skill and time on court.

Arrays are (games, 2, 15): home and away, then the roster with the best fit player first.
"""

from dataclasses import dataclass

import numpy as np

from fullcourt.demo.calendar import Ints
from fullcourt.demo.rosters import MOST_INJURED, ZONES, Bools, Floats, Players

STARTERS = 5
DRESSED = 13  # players a team may dress; the others are on the inactive list
MINUTES_BY_RANK = np.array([35, 34, 32, 30, 28, 23, 19, 16, 12, 8, 5, 3, 0, 0, 0])
PLAYERS_USED = {8: 0.05, 9: 0.20, 10: 0.30, 11: 0.30, 12: 0.15}  # how many enter a game, and how often
NIGHTLY_FORM = 0.15  # how much a coach's order of players changes from game to game, against talents spread by 1
REGULATION_SECONDS, OVERTIME_SECONDS = 48 * 60, 5 * 60
HOME_ADVANTAGE = 1.02  # on the chance that a shot falls
FOULED_OUT = 6
THREES = slice(list(ZONES).index("left_corner3"), None)  # a shot from the backcourt counts three points

# A team's game in regulation, 2022-24.
ATTEMPTS, FREE_THROWS, TURNOVERS, FOULS = 88.4, 22.5, 13.1, 19.4
TEAM_TURNOVERS = 0.7  # charged to no player
OFFENSIVE_BOARDS, DEFENSIVE_BOARDS = 0.23, 0.91  # share of own misses, of what the opponent leaves
ASSISTED, STOLEN, BLOCKED = 0.62, 0.56, 0.19  # share of makes, of the opponent's turnovers, of its two-point misses


@dataclass(frozen=True)
class Lineups:
    """Who is there. player: index into Players; dressed: not on the inactive list; plays: enters the game."""

    player: Ints
    dressed: Bools
    plays: Bools


@dataclass(frozen=True)
class BoxScores:
    """What happened.

    stats: box-score column -> (games, 2, 15) by player, all 0 for who does not play.
    zone_fgm, zone_fga: (games, 2, 15, zones) makes and attempts, zones in the order of ZONES.
    team_tov: (games, 2) turnovers charged to no player.
    overtimes: (games,) number of overtimes.
    """

    stats: dict[str, Ints]
    zone_fgm: Ints
    zone_fga: Ints
    team_tov: Ints
    overtimes: Ints


def pick_lineups(rng: np.random.Generator, players: Players, rosters: Ints, injured: Bools) -> Lineups:
    """The coach's order for each game: fit players by talent and form of the day, then the injured."""
    out = injured & (injured.cumsum(axis=2) <= MOST_INJURED)
    rating = players.talent[rosters] + rng.normal(0, NIGHTLY_FORM, rosters.shape)
    order = np.argsort(np.where(out, np.inf, -rating), axis=2, kind="stable")
    fit = ~np.take_along_axis(out, order, axis=2)
    rank = np.arange(rosters.shape[2])
    used = rng.choice(list(PLAYERS_USED), size=(*rosters.shape[:2], 1), p=list(PLAYERS_USED.values()))
    return Lineups(
        player=np.take_along_axis(rosters, order, axis=2),
        dressed=fit & (rank < DRESSED),
        plays=fit & (rank < used),
    )


def play(rng: np.random.Generator, players: Players, lineups: Lineups) -> BoxScores:
    """Plays regulation, then overtimes until no game is level; the starters play overtime."""
    wanted = MINUTES_BY_RANK * rng.uniform(0.88, 1.12, lineups.plays.shape) * lineups.plays
    seconds = _whole(5 * REGULATION_SECONDS * wanted / wanted.sum(axis=2, keepdims=True))
    box = _period(rng, players, lineups.player, seconds)
    overtimes = np.zeros(len(seconds), dtype=np.int64)
    level = _level(box, np.arange(len(seconds)))
    while level.size:
        on_court = np.arange(seconds.shape[2]) < STARTERS
        extra_seconds = np.broadcast_to(OVERTIME_SECONDS * on_court, (level.size, *seconds.shape[1:]))
        for name, extra in _period(rng, players, lineups.player[level], extra_seconds).items():
            box[name][level] += extra
        overtimes[level] += 1
        level = _level(box, level)
    return BoxScores(_completed(rng, box), box["zone_fgm"], box["zone_fga"], box["team_tov"], overtimes)


def _period(rng: np.random.Generator, players: Players, player: Ints, seconds: Ints) -> dict[str, Ints]:
    """Counts of one stretch of play, in which each player is on court for so many seconds."""
    length = seconds.sum(axis=2) / (5 * REGULATION_SECONDS)  # in games: 1 for regulation
    pull = {stat: weight[player] * seconds for stat, weight in players.weight.items()}

    pace = rng.normal(1, 0.03, (len(seconds), 1)) * rng.normal(1, 0.03, length.shape)
    by_zone = pull["fga"][..., None] * players.zone_mix[player]
    attempts = np.rint(ATTEMPTS * pace * length).astype(np.int64)
    zone_fga = _share_out(rng, attempts, by_zone.reshape(*length.shape, -1)).reshape(by_zone.shape)
    edge = np.array([HOME_ADVANTAGE, 1.0])[:, None, None]
    zone_fgm = rng.binomial(zone_fga, players.zone_pct[player] * edge)

    makes = zone_fgm.sum(axis=(2, 3))
    misses = attempts - makes
    two_point_misses = (zone_fga - zone_fgm)[..., : THREES.start].sum(axis=(2, 3))
    oreb = rng.binomial(misses, OFFENSIVE_BOARDS)
    turnovers = rng.poisson(TURNOVERS * length)
    totals = {
        "fta": rng.poisson(FREE_THROWS * length),
        "oreb": oreb,
        "dreb": rng.binomial(_opponents(misses - oreb), DEFENSIVE_BOARDS),
        "ast": rng.binomial(makes, ASSISTED),
        "stl": rng.binomial(_opponents(turnovers), STOLEN),
        "blk": rng.binomial(_opponents(two_point_misses), BLOCKED),
        "tov": turnovers,
        "pf": rng.poisson(FOULS * length),
    }
    box = {stat: _share_out(rng, total, pull[stat]) for stat, total in totals.items()}
    box["ftm"] = rng.binomial(box["fta"], players.ft_pct[player])
    team_tov = rng.poisson(TEAM_TURNOVERS * length)
    return {"seconds_played": seconds, "zone_fga": zone_fga, "zone_fgm": zone_fgm, "team_tov": team_tov, **box}


def _completed(rng: np.random.Generator, box: dict[str, Ints]) -> dict[str, Ints]:
    """The box score's columns, with what follows from the counts."""
    points = _points(box)
    team_points = points.sum(axis=2)
    makes, attempts, seconds = box["zone_fgm"], box["zone_fga"], box["seconds_played"]
    return {
        "minutes": np.rint(seconds / 60).astype(np.int64),
        "seconds_played": seconds,
        "pts": points,
        "fgm": makes.sum(axis=3),
        "fga": attempts.sum(axis=3),
        "fg3m": makes[..., THREES].sum(axis=3),
        "fg3a": attempts[..., THREES].sum(axis=3),
        **{stat: box[stat] for stat in ("ftm", "fta", "oreb", "dreb")},
        "reb": box["oreb"] + box["dreb"],
        **{stat: box[stat] for stat in ("ast", "stl", "blk", "tov")},
        "pf": np.minimum(box["pf"], FOULED_OUT),
        "plus_minus": _plus_minus(rng, seconds, team_points - _opponents(team_points)),
    }


def _points(box: dict[str, Ints]) -> Ints:
    """Points by player: two for a make, one more for a three, one for a free throw."""
    makes = box["zone_fgm"]
    return np.asarray(2 * makes.sum(axis=3) + makes[..., THREES].sum(axis=3) + box["ftm"])


def _level(box: dict[str, Ints], games: Ints) -> Ints:
    """Those of the games in which both teams have the same points."""
    points = _points({name: box[name][games] for name in ("zone_fgm", "ftm")}).sum(axis=2)
    return games[points[:, 0] == points[:, 1]]


def _plus_minus(rng: np.random.Generator, seconds: Ints, margin: Ints) -> Ints:
    """Point difference while on court; a team's adds up to five times the margin, as five are always on court."""
    share = seconds / seconds.sum(axis=2, keepdims=True)
    noise = rng.normal(0, 5, seconds.shape) * (seconds > 0)
    return _whole(5 * margin[..., None] * share + noise - noise.sum(axis=2, keepdims=True) * share)


def _opponents(team: Ints) -> Ints:
    """(games, 2) of the other team."""
    return team[:, ::-1]


def _share_out(rng: np.random.Generator, totals: Ints, weights: Floats) -> Ints:
    """Deals whole totals (games, 2) out over the last axis of the weights, at random in their proportion.

    NumPy gives what rounding leaves over to the last place, so the best player, who always plays, comes last here.
    """
    backwards = weights[..., ::-1]
    dealt = rng.multinomial(totals, backwards / backwards.sum(axis=-1, keepdims=True))
    return np.asarray(dealt[..., ::-1])


def _whole(parts: Floats) -> Ints:
    """Rounds so that the rounded parts still add up to the (whole) sum of the last axis; zeros stay zero."""
    return np.diff(np.rint(parts.cumsum(axis=-1)), axis=-1, prepend=0).astype(np.int64)
