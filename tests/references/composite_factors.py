"""player_composite_factors, domain section 6.4: what raises or lowers a player's expectation for a day."""

import datetime as dt
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.references.completeness import (
    PCF,
    PDC,
    PSZA,
    TDZA,
    UPGC,
    UTGC,
    Verdict,
    count,
    figures,
    judge,
    lineage,
    made_up,
    owed_by_player,
    ready,
    window,
)
from tests.references.league import League, Row
from tests.references.player_context import Expected, players_of

RESERVED = ("referee_favorability", "look_ahead_pressure", "travel_impact", "opponent_strength")
JSON_OF = {
    "fatigue": "fatigue_score",
    "shot_zone": "shot_zone_mismatch_score",
    "pace": "pace_score",
    "usage": "usage_spike_score",
}


def composite_factors(league: League, day: dt.date) -> dict[tuple[str, ...], tuple[Verdict, Row]]:
    """By (player,)."""
    return {(who.player,): _factors(league, who) for who in players_of(league, day)}


def _factors(league: League, who: Expected) -> tuple[Verdict, Row]:
    game, day, opponent = who.game, who.game.day, who.game.opponent(who.team)
    cache, zones, player_context, stored = (
        league.published_row(table, day, who.player) for table in (PDC, PSZA, UPGC, PCF)
    )
    defense, team_context = league.published_row(TDZA, day, opponent), league.published_row(UTGC, day, opponent)
    upstreams = {
        "player_daily_cache": cache,
        "player_shot_zone": zones,
        "team_defense_zone": defense,
        "player_context": player_context,
        "team_context": team_context,
    }
    owed = owed_by_player(league, game.season, who.player, day)
    verdict = judge(
        league,
        PCF,
        day,
        owed,
        flags={"upstream_player_daily_cache_ready": ready(cache)},
        upstream_issues=[name for name, row in upstreams.items() if not ready(row)],
        synthetic=made_up(upstreams),
    )
    context, shots, conceded = figures(UPGC, player_context), figures(PSZA, zones), figures(TDZA, defense)
    fatigue, mismatch = fatigue_score(context), mismatch_score(shots, conceded)
    pace, usage = pace_score(context), usage_score(context)
    # The rounded scores are summed: those that are stored, as each is compared with its own expectation.
    rounded = {name: Fraction(value) for name in JSON_OF.values() if (value := (stored or {}).get(name)) is not None}
    total = _total(rounded)
    inputs = {
        "days_rest": context.get("days_rest"),
        "projected_usage_rate": context.get("projected_usage_rate"),
        "pace_differential": context.get("pace_differential"),
        "player_shot_zone": shots or None,
        "team_defense_zone": conceded or None,
    }
    absent = [name for name, value in inputs.items() if value is None]
    found = count(window(owed, "l10", day))
    sources = {**shots, **conceded, **context}
    row: Row = {
        "player_lookup": who.player,
        "universal_player_id": league.known_id(who.player, who.game.day),
        "game_date": day,
        "analysis_date": day,
        "game_id": game.canonical_id,
        "season_year": int(game.season[:4]),
        "team_abbr": who.team,
        "opponent_team_abbr": opponent,
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": mismatch,
        "pace_score": pace,
        "usage_spike_score": usage,
        **{f"{name}_score": Fraction(0) for name in RESERVED},
        "total_composite_adjustment": total,
        **{f"{name}_context_json": _says(score, sources) for name, score in JSON_OF.items()},
        "data_completeness_pct": Fraction(100 * (5 - len(absent)), 5),
        "missing_data_fields": ", ".join(absent) or None,
        **_warnings(rounded, total),
        **lineage("player_game", found.actual, found.expected),
        **{
            key: value
            for name, upstream in upstreams.items()
            for key, value in lineage(name, int(upstream is not None), 1).items()
        },
    }
    return verdict, row


# The four factors, each from the published context row


def fatigue_score(context: Row) -> int:
    """100 is fresh."""

    def known(name: str, default: Any) -> Any:
        value = context.get(name)
        return default if value is None else value

    score = 100
    if known("back_to_back", False):
        score -= 15
    elif known("days_rest", 1) >= 3:
        score += 5
    if known("games_in_last_7_days", 3) >= 4:
        score -= 10
    if known("minutes_in_last_7_days", 200) > 240:
        score -= 10
    if known("avg_minutes_per_game_last_7", 30) > 35:
        score -= 8
    pairs = known("back_to_backs_last_14_days", 0)
    score -= 12 if pairs >= 2 else 5 if pairs == 1 else 0
    age = known("player_age", 25)
    score -= 10 if age >= 35 else 5 if age >= 30 else 0
    return min(max(score, 0), 100)


def mismatch_score(shots: Row, conceded: Row) -> Fraction:
    """How the opponent defends the player's main zone against the league, by how much he shoots there."""
    zone = {"perimeter": "three_pt", "mid_range": "mid_range"}.get(shots.get("primary_scoring_zone"), "paint")
    base, rate = conceded.get(f"{zone}_defense_vs_league_avg"), shots.get(f"{zone}_rate_last_10")
    if not shots or base is None:
        return Fraction(0)
    weight = min(Fraction(50 if rate is None else rate) / 50, Fraction(1))
    score = Fraction(base) * weight
    return clamped(score * Fraction(12, 10) if abs(score) > 5 else score, 10)


def pace_score(context: Row) -> Fraction:
    return clamped(Fraction(context.get("pace_differential") or 0) / 2, 3)


def usage_score(context: Row) -> Fraction:
    """Projected less usual usage; 25 stands for either where it is unknown."""
    projected, usual = (
        Fraction(25 if context.get(name) is None else context[name])
        for name in ("projected_usage_rate", "avg_usage_rate_last_7_games")
    )
    if usual == 0:
        return Fraction(0)
    score = (projected - usual) * Fraction(3, 10)
    stars = context.get("star_teammates_out") or 0
    if score > 0:
        score *= Fraction(130, 100) if stars >= 2 else Fraction(115, 100) if stars == 1 else 1
    return clamped(score, 3)


def clamped(value: Fraction, limit: int) -> Fraction:
    return min(max(value, Fraction(-limit)), Fraction(limit))


def _total(scores: dict[str, Fraction]) -> Fraction | None:
    if len(scores) < len(JSON_OF):
        return None
    adjustment = (scores["fatigue_score"] - 100) / 20
    return adjustment + sum(value for name, value in scores.items() if name != "fatigue_score")


def _warnings(scores: dict[str, Fraction], total: Fraction | None) -> Row:
    if total is None:
        return {"has_warnings": None, "warning_details": None}
    beyond = {
        "fatigue_score": scores["fatigue_score"] < 50,
        "shot_zone_mismatch_score": abs(scores["shot_zone_mismatch_score"]) > 8,
        "total_composite_adjustment": abs(total) > 12,
    }
    named = [name for name, warns in beyond.items() if warns]
    return {"has_warnings": bool(named), "warning_details": ", ".join(named) or None}


# What was used, as JSON


def _says(score: str, sources: Row) -> Callable[[Any, Row], str | None]:
    """A check of one *_context_json: an object that holds the score as stored, and inputs as in their source rows."""

    def problem(text: Any, stored: Row) -> str | None:
        try:
            said = json.loads(text)
        except (TypeError, ValueError):
            return "is not JSON"
        if not isinstance(said, dict) or score not in said:
            return f"is not an object with {score}"
        if not _equal(said[score], stored[score]):
            return f"says {score} {said[score]}, the column {stored[score]}"
        for name, value in said.items():
            if name != score and name in sources and not _equal(value, sources[name]):
                return f"says {name} {value}, its source row {sources[name]}"
        return None

    return problem


def _equal(said: Any, stored: Any) -> bool:
    if stored is None or said is None or isinstance(stored, bool | str):
        return bool(said == stored)
    return abs(float(said) - float(stored)) < 1e-6
