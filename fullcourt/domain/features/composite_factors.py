"""player_composite_factors: what raises or lowers a player's expectation for D (domain section 6.4).

All arithmetic is in whole numbers: tenths and hundredths of the published inputs, rounded once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.cascade import SOURCE_COLUMN, Found
from fullcourt.domain.columns import json_objects
from fullcourt.domain.features.zones import ZONE_LABELS, ZONES, choose
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Bools, Longs, decimals, ratio
from fullcourt.domain.observation import Observation

VERSION = "v1_4factors"
CONTEXT, SHOT_ZONES, DEFENSE = (
    "upcoming_player_game_context",
    "player_shot_zone_analysis",
    "team_defense_zone_analysis",
)
# Minutes, usage and the teams' pace are for days on which a synthetic context stands in.
READS = ("game_id", "team_abbr", "player_lookup", "minutes_played", "usage_rate")
_CONTEXT_NUMBERS = (
    "days_rest",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
    "projected_usage_rate",
    "avg_usage_rate_last_7_games",
    "star_teammates_out",
    "pace_differential",
)
TABLES: Mapping[str, tuple[str, ...]] = {
    CONTEXT: (*_CONTEXT_NUMBERS, "back_to_back", SOURCE_COLUMN),
    SHOT_ZONES: ("primary_scoring_zone", *(f"{zone}_rate_last_10" for zone in ZONES)),
    DEFENSE: tuple(f"{zone}_defense_vs_league_avg" for zone in ZONES),
    "player_daily_cache": (),
    "upcoming_team_game_context": (),
    "team_offense_game_summary": ("game_id", "team_abbr", "pace", "season_year", "processed_at"),
}
RESERVED = (
    "referee_favorability_score",
    "look_ahead_pressure_score",
    "travel_impact_score",
    "opponent_strength_score",
)
DEFAULT_USAGE, DEFAULT_RATE = 25_00, 50_00  # hundredths of a percent
FRESH = 100


@dataclass(frozen=True)
class _Factor:
    """A score in units of its column's last place, with the inputs it was made of as JSON."""

    score: Longs
    inputs: dict[str, pa.Array]


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row."""
    context, size = rows.cascade[CONTEXT], len(rows.slot)
    fatigue, mismatch = _fatigue(context), _mismatch(rows)
    pace, usage = _pace(context), _usage(context)
    everything = np.ones(size, dtype=np.bool_)
    total = 5 * (fatigue.score - FRESH) + 10 * (mismatch.score + pace.score + usage.score)  # hundredths
    scores = {
        "fatigue_score": pa.array(fatigue.score),
        "shot_zone_mismatch_score": decimals(mismatch.score, everything, 4, 1),
        "pace_score": decimals(pace.score, everything, 3, 1),
        "usage_spike_score": decimals(usage.score, everything, 3, 1),
    }
    names = {"fatigue": fatigue, "shot_zone": mismatch, "pace": pace, "usage": usage}
    json = {
        f"{name}_context_json": json_objects({**factor.inputs, score: scores[score]})
        for (name, factor), score in zip(names.items(), scores, strict=True)
    }
    zero = decimals(np.zeros(size, np.int64), everything, 3, 1)
    warnings = {
        "fatigue_score": fatigue.score < 50,
        "shot_zone_mismatch_score": np.abs(mismatch.score) > 80,
        "total_composite_adjustment": np.abs(total) > 12_00,
    }
    there = _inputs_there(rows)
    share: Longs = 10_000 * np.stack(list(there.values())).sum(axis=0, dtype=np.int64) // len(there)
    return {
        **scores,
        **dict.fromkeys(RESERVED, zero),
        "total_composite_adjustment": decimals(total, everything, 5, 2),
        **json,
        "data_completeness_pct": decimals(share, everything, 5, 2),
        "missing_data_fields": _listed({name: ~known for name, known in there.items()}),
        "has_warnings": pa.array(np.logical_or.reduce(list(warnings.values()))),
        "warning_details": _listed(warnings),
        "calculation_version": pa.repeat(VERSION, size),
    }


def _or(found: Found, column: str, default: int) -> Longs:
    """The context's value in units of its last place, or the default."""
    value, known = found.numbers(column)
    return np.where(known, value, default).astype(np.int64)


def _fatigue(context: Found) -> _Factor:
    """100 is fresh."""
    rest, games = _or(context, "days_rest", 1), _or(context, "games_in_last_7_days", 3)
    minutes, average = _or(context, "minutes_in_last_7_days", 200), _or(context, "avg_minutes_per_game_last_7", 30_0)
    pairs, age = _or(context, "back_to_backs_last_14_days", 0), _or(context, "player_age", 25)
    back_to_back = pc.fill_null(context.values("back_to_back"), False).to_numpy(zero_copy_only=False)
    score = np.full(len(rest), FRESH, dtype=np.int64)
    score += np.select([back_to_back, rest >= 3], [-15, 5], 0)
    score += np.where(games >= 4, -10, 0) + np.where(minutes > 240, -10, 0) + np.where(average > 35_0, -8, 0)
    score += np.select([pairs >= 2, pairs == 1], [-12, -5], 0) + np.select([age >= 35, age >= 30], [-10, -5], 0)
    named = (*_CONTEXT_NUMBERS[:6], "back_to_back")
    return _Factor(np.clip(score, 0, FRESH), {name: context.values(name) for name in named})


def _mismatch(rows: Judgement) -> _Factor:
    """The opponent's figure in the player's main zone, weighted by his share of shots there; tenths, within 10."""
    shots, defense = rows.cascade[SHOT_ZONES], rows.cascade[DEFENSE]
    zone = pc.index_in(shots.values("primary_scoring_zone"), pa.array(ZONE_LABELS)).fill_null(0).to_numpy()

    def of_zone(found: Found, column: str) -> tuple[Longs, Bools]:
        read = [found.numbers(column.format(zone=name)) for name in ZONES]
        values, known = np.stack([value for value, _ in read]), np.stack([mask for _, mask in read])
        at = zone, np.arange(len(zone))
        return values[at], known[at]

    base, known = of_zone(defense, "{zone}_defense_vs_league_avg")
    rate, shot = of_zone(shots, "{zone}_rate_last_10")
    weight = np.minimum(np.where(shot, rate, DEFAULT_RATE), 50_00)
    weighted = base * weight  # hundredths, times 5000
    strong = np.abs(weighted) > 5_00 * 50_00
    score = ratio(np.where(strong, 6 * weighted, 5 * weighted), np.full_like(weighted, 5 * 50_00 * 10), 0)[0]
    usable = known & shots.computed & defense.computed
    inputs = {
        "primary_scoring_zone": shots.values("primary_scoring_zone"),
        "zone_rate": decimals(rate, shot, 5, 2),
        "opponent_defense_vs_league_avg": decimals(base, known, 5, 2),
    }
    return _Factor(np.where(usable, np.clip(score, -100, 100), 0), inputs)


def _pace(context: Found) -> _Factor:
    """Half the difference, in tenths, within 3."""
    difference, known = context.numbers("pace_differential")
    half = ratio(difference, np.full_like(difference, 2), 0)[0]
    score = np.where(known, np.clip(half, -30, 30), 0)
    return _Factor(score, {"pace_differential": context.values("pace_differential")})


def _usage(context: Found) -> _Factor:
    """0.3 points a percent more of the ball, more with stars out; tenths, within 3."""
    projected, usual = (
        _or(context, name, DEFAULT_USAGE) for name in ("projected_usage_rate", "avg_usage_rate_last_7_games")
    )
    stars = _or(context, "star_teammates_out", 0)
    rise = np.where(usual == 0, 0, projected - usual)
    boost = np.where(rise > 0, np.select([stars >= 2, stars == 1], [130, 115], 100), 100)
    score = ratio(3 * rise * boost, np.full_like(rise, 10 * 100 * 10), 0)[0]
    names = ("projected_usage_rate", "avg_usage_rate_last_7_games", "star_teammates_out")
    return _Factor(np.clip(score, -30, 30), {name: context.values(name) for name in names})


def _inputs_there(rows: Judgement) -> dict[str, Bools]:
    context = rows.cascade[CONTEXT]
    names = ("days_rest", "projected_usage_rate", "pace_differential")
    return {
        **{name: context.numbers(name)[1] for name in names},
        "player_shot_zone": rows.cascade[SHOT_ZONES].computed,
        "team_defense_zone": rows.cascade[DEFENSE].computed,
    }


def _listed(applies: dict[str, Bools]) -> pa.Array:
    """The names that apply, comma-separated; null where none does."""
    bits = np.sum([mask.astype(np.int32) << bit for bit, mask in enumerate(applies.values())], axis=0)
    texts = [
        ", ".join(name for bit, name in enumerate(applies) if number >> bit & 1) for number in range(2 ** len(applies))
    ]
    return choose(np.where(bits == 0, -1, bits), tuple(texts))
