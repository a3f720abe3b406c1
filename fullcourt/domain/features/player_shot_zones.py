"""player_shot_zone_analysis: where a player shoots from, last 10 games and the 20-game trend (domain section 6.2).

Only games whose zone counts are known enter the sums; unknown is never zero.
"""

import numpy as np
import pyarrow as pa

from fullcourt.domain.features.zones import ZONES, choose, quotient
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Longs, nullable
from fullcourt.domain.observation import Observation
from fullcourt.domain.windows import Window, games

LAST_10 = games(10)
LAST_20 = games(20)
TREND_MINIMUM_GAMES = 15
# By location: the box score's three_pt_attempts go by the shot's value, and the two differ now and then.
SOURCE = {"paint": "paint", "mid_range": "mid_range", "three_pt": "three_pt_zone"}
SHOT_COLUMNS = tuple(f"{SOURCE[zone]}_{what}" for zone in ZONES for what in ("makes", "attempts"))
READS = ("game_id", "team_abbr", "player_lookup", *SHOT_COLUMNS)


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row; rates are percentages of the shots whose zone is known, null when there are none."""
    makes, attempts, known = _shots(seen, rows, LAST_10)
    total = sum(attempts.values(), np.zeros(len(rows.slot), np.int64))
    columns: dict[str, pa.Array] = {"total_shots_last_10": nullable(total, known > 0)}
    for zone in ZONES:
        columns[f"{zone}_rate_last_10"] = quotient(100 * attempts[zone], total, 5, 2)
        columns[f"{zone}_pct_last_10"] = quotient(makes[zone], attempts[zone], 5, 3)
        columns[f"{zone}_attempts_per_game"] = quotient(attempts[zone], known, 4, 1)

    trend_makes, trend_attempts, _ = _shots(seen, rows, LAST_20)
    enough = rows.windows[LAST_20].actual >= TREND_MINIMUM_GAMES
    trend_total = sum(trend_attempts.values(), np.zeros(len(rows.slot), np.int64))
    columns["paint_rate_last_20"] = quotient(100 * trend_attempts["paint"], trend_total, 5, 2, known=enough)
    columns["paint_pct_last_20"] = quotient(trend_makes["paint"], trend_attempts["paint"], 5, 3, known=enough)

    for target, window in ((10, LAST_10), (20, LAST_20)):
        size = rows.windows[window].actual
        columns[f"games_in_sample_{target}"] = pa.array(size.astype(np.int64))
        columns[f"sample_quality_{target}"] = _quality(size, target)
    size = rows.windows[LAST_10].actual
    columns["data_quality_tier"] = choose(np.select([size >= 10, size >= 7], [0, 1], 2), ("high", "medium", "low"))
    columns["primary_scoring_zone"] = _primary_zone(attempts, total)
    return columns


def shots_unknown(seen: Observation, rows: Judgement) -> np.ndarray:
    """Where no game of the sample has known zone counts, though there are games."""
    _, _, known = _shots(seen, rows, LAST_10)
    return (known == 0) & (rows.windows[LAST_10].actual > 0)


def _shots(seen: Observation, rows: Judgement, window: Window) -> tuple[dict[str, Longs], dict[str, Longs], Longs]:
    """Makes and attempts per zone over the window's games, and in how many games they are known."""
    sums, known = seen.sample.sums(SHOT_COLUMNS, rows.entity, rows.windows[window].first, rows.slot)
    return dict(zip(ZONES, sums[0::2], strict=True)), dict(zip(ZONES, sums[1::2], strict=True)), known


def _quality(size: np.ndarray, target: int) -> pa.Array:
    steps = [size >= target, size >= int(0.7 * target), size >= int(0.5 * target)]
    return choose(np.select(steps, [0, 1, 2], 3), ("excellent", "good", "limited", "insufficient"))


def _primary_zone(attempts: dict[str, Longs], total: Longs) -> pa.Array:
    """Paint from 40 % of shots, else perimeter from 40 %, mid-range from 35 %, balanced; null without shots."""
    steps = [
        total == 0,
        100 * attempts["paint"] >= 40 * total,
        100 * attempts["three_pt"] >= 40 * total,
        100 * attempts["mid_range"] >= 35 * total,
    ]
    return choose(np.select(steps, [-1, 0, 1, 2], 3), ("paint", "perimeter", "mid_range", "balanced"))
