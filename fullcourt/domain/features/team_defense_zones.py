"""team_defense_zone_analysis: what a team's defence conceded by zone in its last 15 games (domain section 6.1).

Only games whose zone counts are known enter a zone's figures; unknown is never zero.
"""

import numpy as np
import pyarrow as pa

from fullcourt.domain.features.zones import ZONE_LABELS, ZONES, choose, quotient
from fullcourt.domain.fingerprint import hash_text, mix
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Bools, Ints, Longs, decimals, ratio, rescale
from fullcourt.domain.observation import Observation
from fullcourt.domain.windows import days, games

SAMPLE = games(15)
LEAGUE_SPAN = days(30)
LEAGUE_MINIMUM_GAMES = 10
LEAGUE_MINIMUM_TEAMS = 10
# Used until ten teams have ten games in the span, and for a zone nobody's shots are known of.
LEAGUE_DEFAULTS = {"paint": 0.580, "mid_range": 0.410, "three_pt": 0.355}
_PARTS = 9  # percentages are compared in units of 10^-9

READS = (
    "game_id",
    "defending_team_abbr",
    *(f"opp_{zone}_{what}" for zone in ZONES for what in ("makes", "attempts")),
    "points_allowed",
    "points_in_paint_allowed",
    "defensive_rating",
    "opponent_pace",
)


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row; a percentage is null when no attempt is known."""
    first = rows.windows[SAMPLE].first
    sample_size = rows.windows[SAMPLE].actual.astype(np.int64)

    def sums(*columns: str) -> tuple[list[Longs], Longs]:
        return seen.sample.sums(columns, rows.entity, first, rows.slot)

    columns: dict[str, pa.Array] = {}
    against_league, notes = [], []
    for zone in ZONES:
        (makes, attempts), known = sums(f"opp_{zone}_makes", f"opp_{zone}_attempts")
        share, shot = ratio(makes, attempts, _PARTS)
        difference = rescale(100 * (share - _league_share(seen, zone)[rows.slot]), _PARTS - 2)
        columns[f"{zone}_pct_allowed_last_15"] = quotient(makes, attempts, 5, 3)
        columns[f"{zone}_attempts_allowed_per_game"] = quotient(attempts, known, 5, 1)
        columns[f"{zone}_defense_vs_league_avg"] = decimals(difference, shot, 5, 2)
        against_league.append(np.where(shot, difference, 0))
        notes.append(shot)
    (in_paint,), known = sums("points_in_paint_allowed")
    columns["paint_points_allowed_per_game"] = quotient(in_paint, known, 5, 1)
    (rating,), known = sums("defensive_rating")
    columns["defensive_rating_last_15"] = quotient(rating, 100 * known, 6, 2)
    (pace,), known = sums("opponent_pace")
    columns["opponent_pace"] = quotient(pace, 10 * known, 5, 1)
    (points,), known = sums("points_allowed")
    columns["opponent_points_per_game"] = quotient(points, known, 5, 1)
    columns["games_in_sample"] = pa.array(sample_size)

    shot, against = np.stack(notes), np.stack(against_league)
    nobody = ~shot.any(axis=0)
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    strongest = np.where(shot, against, most).argmin(axis=0)  # the lowest concedes least; ties in zone order
    weakest = np.where(shot, against, least).argmax(axis=0)
    columns["strongest_zone"] = choose(np.where(nobody, -1, strongest), ZONE_LABELS)
    columns["weakest_zone"] = choose(np.where(nobody, -1, weakest), ZONE_LABELS)
    tier = np.select([sample_size >= 15, sample_size >= 10], [0, 1], 2)
    columns["data_quality_tier"] = choose(tier, ("high", "medium", "low"))
    columns["calculation_notes"] = _notes(shot)
    return columns


def context_hash(seen: Observation, rows: Judgement) -> np.ndarray:
    """The league figures' share in a row's sources: every team's games of the league's span before D."""
    opening = np.searchsorted(seen.calendar.days, seen.calendar.days - LEAGUE_SPAN.length).astype(np.int32)
    entity, slot = _everyone(seen)
    sums = seen.sample.window_hash(seen.row_hashes, entity, opening[slot], slot)
    by_slot = sums.reshape(len(seen.entities), -1).sum(axis=0, dtype=np.uint64)
    return mix(by_slot + hash_text("league"))[rows.slot]


def _everyone(seen: Observation) -> tuple[Ints, Ints]:
    """(entity, slot) of every team and game day, team by team."""
    teams, slots = seen.grid.required.shape
    return np.repeat(np.arange(teams, dtype=np.int32), slots), np.tile(np.arange(slots, dtype=np.int32), teams)


def _league_share(seen: Observation, zone: str) -> Longs:
    """Per slot: the unweighted mean over teams of the share conceded in the league's span, in units of 10^-9."""
    entity, slot = _everyone(seen)
    counts = seen.history.count(LEAGUE_SPAN, entity, slot)
    columns = (f"opp_{zone}_makes", f"opp_{zone}_attempts")
    (makes, attempts), _ = seen.sample.sums(columns, entity, counts.first, slot)
    share, shot = ratio(makes, attempts, _PARTS)
    counted: Bools = (counts.actual >= LEAGUE_MINIMUM_GAMES).reshape(len(seen.entities), -1)
    known = counted & shot.reshape(counted.shape)
    total = np.where(known, share.reshape(counted.shape), 0).sum(axis=0)
    # One team without a known attempt makes the league's figure unknown, so the default stands in.
    usable = (counted.sum(axis=0) >= LEAGUE_MINIMUM_TEAMS) & (known == counted).all(axis=0)
    mean, _ = ratio(total, known.sum(axis=0), 0)
    return np.where(usable, mean, round(LEAGUE_DEFAULTS[zone] * 10**_PARTS))


def _notes(shot: Bools) -> pa.Array:
    """Which zones had no known attempt; null when all had."""
    missing = (~shot).astype(np.int32)
    code = (missing << np.arange(len(ZONES))[:, None]).sum(axis=0)
    texts = [
        "no known attempts: " + ", ".join(zone for bit, zone in enumerate(ZONES) if number >> bit & 1)
        for number in range(2 ** len(ZONES))
    ]
    return choose(np.where(code == 0, -1, code), tuple(texts))
