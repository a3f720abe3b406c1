"""The five systems in plain Python, one row at a time, in exact fractions: domain section 6.8 and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from tests.domain.predictions.slates import Past, Row

F = Fraction  # it is everywhere below


@dataclass(frozen=True)
class Made:
    points: F
    confidence: F
    recommendation: str
    components: dict[str, F]


def rounded(value: F, places: int) -> F:
    """Half away from zero."""
    units = int(abs(value) * 10**places + F(1, 2))
    return F(-units if value < 0 else units, 10**places)


def clamp(value: F, low: F | int, high: F | int) -> F:
    return max(F(low), min(F(high), value))


def finish(row: Row, points: F, confidence: F, components: dict[str, F], edge: F, least: int, strict: bool) -> Made:
    points, confidence = rounded(clamp(points, 0, 60), 1), rounded(clamp(confidence, 0, 100), 2)
    margin = points - row.line
    sure = abs(margin) >= edge and confidence >= least
    if strict:
        sure = abs(margin) > edge and confidence > least
    recommendation = ("OVER" if margin > 0 else "UNDER") if sure else "PASS"
    return Made(points, confidence, recommendation, {name: rounded(F(v), 2) for name, v in components.items()})


def steady_confidence(row: Row) -> F:
    deviation, games = row.features["points_std_last_10"], row.features["games_in_last_7_days"]
    confidence = F("0.5")
    if deviation > 6:
        confidence -= F("0.15")
    elif deviation > 4:
        confidence -= F("0.08")
    if games >= 3:
        confidence += F("0.10")
    elif games == 2:
        confidence += F("0.05")
    else:
        confidence -= F("0.10")
    return 100 * clamp(confidence, F("0.2"), F("0.8"))


def tired(row: Row, much: str, some: str) -> F:
    score = row.features["fatigue_score"]
    return F(much) if score < 50 else F(some) if score < 70 else F(0)


def moving_average(row: Row) -> Made:
    f = row.features
    base = F("0.5") * f["points_avg_last_5"] + F("0.3") * f["points_avg_last_10"] + F("0.2") * f["points_avg_season"]
    parts = {
        "fatigue_adjustment": tired(row, "-2.5", "-1"),
        "shot_zone_adjustment": F("0.3") * f["shot_zone_mismatch_score"],
        "other_adjustment": F("-1.5") if f["back_to_back"] else F(0),
        "pace_adjustment": F("0.3") * f["pace_score"],
        "home_away_adjustment": F("0.5") if f["home_away"] else F("-0.5"),
        "usage_spike_adjustment": F("0.4") * f["usage_spike_score"],
    }
    return finish(row, base + sum(parts.values()), steady_confidence(row), parts, F(2), 45, strict=True)


def zone_matchup(row: Row) -> Made:
    f = row.features
    zones = F(0)
    for name, weight in (("paint", "1.2"), ("mid_range", "1.0"), ("three", "1.1"), ("free_throw", "0.8")):
        share = f[f"pct_{name}"]
        use = F(1) if share >= F("0.4") else F("0.7") if share >= F("0.2") else F("0.4")
        zones += clamp(F("0.3") * (f["opponent_def_rating"] - 110) * F(weight), -3, 3) * use
    parts = {
        "shot_zone_adjustment": zones,
        "pace_adjustment": F("0.4") * f["pace_score"],
        "home_away_adjustment": F("0.8") if f["home_away"] else F("-0.8"),
        "fatigue_adjustment": tired(row, "-1.5", "-0.8"),
    }
    points = f["points_avg_season"] + sum(parts.values())
    return finish(row, points, steady_confidence(row), parts, F(2), 45, strict=True)


def tier(rating: F) -> int:
    return 0 if rating < 110 else 1 if rating < 115 else 2


def rest_bucket(days_rest: int | None) -> int:
    return 3 if days_rest is None else min(days_rest - 1, 3)


def form_of(difference: F | None) -> str:
    if difference is None:
        return "normal"
    return "hot" if difference >= 3 else "cold" if difference <= -3 else "normal"


def form_now(row: Row) -> F:
    return row.features["points_avg_last_5"] - row.features["points_avg_season"]


def score(row: Row, game: Past) -> int:
    apart = abs(tier(game.rating) - tier(row.features["opponent_def_rating"]))
    rest_apart = abs(rest_bucket(game.days_rest) - rest_bucket(row.days_rest))
    total = {0: 40, 1: 20, 2: 0}[apart]
    total += {0: 30, 1: 15}.get(rest_apart, 0)
    total += 15 if game.home == bool(row.features["home_away"]) else 0
    return total + (15 if form_of(game.form) == form_of(form_now(row)) else 5)


def similarity(row: Row) -> Made | None:
    scored = [(score(row, game), game.points) for game in row.history]
    used = sorted((pair for pair in scored if pair[0] >= 70), key=lambda pair: -pair[0])[:20]
    if len(used) < 5:
        return None
    baseline = F(sum(weight * points for weight, points in used), sum(weight for weight, _ in used))
    f = row.features
    parts = {
        "fatigue_adjustment": (f["fatigue_score"] - 70) * F("0.015"),
        "shot_zone_adjustment": F("0.4") * f["shot_zone_mismatch_score"],
        "pace_adjustment": F("0.8") * f["pace_score"],
        "usage_spike_adjustment": F("0.8") * f["usage_spike_score"],
        "home_away_adjustment": F("0.8") if f["home_away"] else F("-0.5"),
    }
    mean = F(sum(weight for weight, _ in used), len(used))
    components = {
        "similarity_baseline": baseline,
        **parts,
        "similar_games_count": F(len(used)),
        "avg_similarity_score": mean,
        "min_similarity_score": F(min(weight for weight, _ in used)),
    }
    confidence = similarity_confidence([points for _, points in used], mean)
    return finish(row, baseline + sum(parts.values()), confidence, components, F(2), 65, strict=False)


def similarity_confidence(points: Sequence[int], mean: F) -> F:
    count = len(points)
    confidence = 50 + (20 if count >= 15 else 15 if count >= 10 else 10 if count >= 7 else -15)
    confidence += 20 if mean >= 85 else 15 if mean >= 75 else 10
    spread = variance([F(p) for p in points])
    confidence += 15 if spread < 16 else 8 if spread < 36 else 3 if spread < 64 else -5
    return clamp(F(confidence), 0, 100)


def variance(values: Sequence[F]) -> F:
    """Of the population."""
    mean = sum(values, F(0)) / len(values)
    return sum(((value - mean) ** 2 for value in values), F(0)) / len(values)


def stand_in(row: Row) -> Made:
    f = row.features
    base = F("0.35") * f["points_avg_last_5"] + F("0.4") * f["points_avg_last_10"] + F("0.25") * f["points_avg_season"]
    rating, minutes = f["opponent_def_rating"], row.minutes_avg
    zone = F("0.35") * f["shot_zone_mismatch_score"]
    if 100 * f["pct_paint"] > 45 and rating > 115:
        zone += F("0.8")
    if 100 * f["pct_three"] > 40 and rating < 110:
        zone -= F("0.5")
    other = F("-1.5") if rating < 108 else F(1) if rating > 118 else F(0)
    if f["back_to_back"]:
        other -= F("2.2")
    if minutes is not None:
        other += F("0.8") if minutes > 36 else F("-1.2") if minutes < 25 else F(0)
    busy = row.usage_rate is not None and row.usage_rate > 28
    spike = f["usage_spike_score"]
    parts = {
        "fatigue_adjustment": F("0.5") if f["fatigue_score"] > 85 else tired(row, "-2.5", "-1"),
        "shot_zone_adjustment": zone,
        "pace_adjustment": (F("0.12") if busy else F("0.08")) * f["pace_score"],
        "usage_spike_adjustment": (F("0.35") if abs(spike) > 5 else F("0.25")) * spike,
        "home_away_adjustment": F(1) if f["home_away"] else F("-0.6"),
        "other_adjustment": other,
    }
    return finish(row, base + sum(parts.values()), boosting_confidence(row), parts, F("1.5"), 60, strict=False)


def boosting_confidence(row: Row) -> F:
    quality, deviation = row.quality, row.features["points_std_last_10"]
    good = 10 if quality >= 90 else 7 if quality >= 80 else 5 if quality >= 70 else 2 if quality >= 60 else 0
    steady = 10 if deviation < 4 else 7 if deviation < 6 else 5 if deviation < 8 else 2
    return F(70 + good + steady)


def root(value: F) -> F:
    """To twelve decimals, rounded down."""
    return F(isqrt(value.numerator * 10**24 // value.denominator), 10**12)


def ensemble(row: Row, systems: Sequence[Made | None]) -> Made | None:
    there = [made for made in systems if made is not None]
    if len(there) < 2:
        return None
    mean = sum(m.confidence * m.points for m in there) / sum(m.confidence for m in there)
    square = variance([m.points for m in there])
    agreeing, percent = -10, max(F(50), 100 - 5 * root(square))
    for limit, bonus, agreement in ((6, -5, 70), (3, 5, 85), (2, 10, 95)):
        if square < limit**2:
            agreeing, percent = bonus, F(agreement)
    confidence = sum(m.confidence for m in there) / len(there) + agreeing + (5 if len(there) == 4 else 0)
    components = {"prediction_variance": square, "system_agreement_score": percent}
    made = finish(row, mean, clamp(confidence, 20, 95), components, F("1.5"), 65, strict=False)
    for direction in ("OVER", "UNDER"):
        most = 2 * sum(m.recommendation == direction for m in there) > len(there)
        if most and made.recommendation != "PASS":
            made = Made(made.points, made.confidence, direction, made.components)
    return made


def predict_all(row: Row) -> dict[str, Made | None]:
    made: dict[str, Made | None] = {
        "moving_average": moving_average(row),
        "zone_matchup_v1": zone_matchup(row),
        "similarity_balanced_v1": similarity(row),
        "xgboost_v1": stand_in(row),
    }
    return {**made, "ensemble_v1": ensemble(row, list(made.values()))}
