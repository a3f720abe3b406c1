"""Where a player has shot from over his last 10 games before a game day, one row per player and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, KNOWN_PLAYER_ID, PLAYER_LOOKUP, SEASON_YEAR
from schemas.completeness import TAIL, completeness, lineage

_ZONES = {"paint": "the paint", "mid_range": "mid-range", "three_pt": "three-point range"}
_NO_PLAY_BY_PLAY = "no landing file says which shots were assisted"


def _zone(zone: str, title: str) -> tuple[Column, ...]:
    """One zone's three measures over the last 10 games; null on a held-back row and where zones are unknown."""
    return (
        Column(f"{zone}_rate_last_10", "NUMERIC(5,2)", f"Attempts from {title}, percent of all; null without shots."),
        Column(f"{zone}_pct_last_10", "NUMERIC(5,3)", f"Makes / attempts from {title}; null without attempts."),
        Column(f"{zone}_attempts_per_game", "NUMERIC(4,1)", f"Attempts from {title} per game; null if unknown."),
    )


TABLE = Table(
    name="player_shot_zone_analysis",
    dataset="nba_precompute",
    doc="Where a player shot from over his last 10 games (20 for the trend) before D, one row per player and game day.",
    columns=(
        PLAYER_LOOKUP,
        KNOWN_PLAYER_ID,
        ANALYSIS_DATE,
        SEASON_YEAR,
        *(column for zone, title in _ZONES.items() for column in _zone(zone, title)),
        Column("total_shots_last_10", "INT64", "Attempts from all three zones; null if the zones are unknown."),
        Column(
            "assisted_rate_last_10", "NUMERIC(5,2)", "Percent of makes after an assist.", unfillable=_NO_PLAY_BY_PLAY
        ),
        Column("unassisted_rate_last_10", "NUMERIC(5,2)", "Percent of makes without one.", unfillable=_NO_PLAY_BY_PLAY),
        Column("paint_rate_last_20", "NUMERIC(5,2)", "As paint_rate_last_10 over 20 games; null under 15 games."),
        Column("paint_pct_last_20", "NUMERIC(5,3)", "As paint_pct_last_10 over 20 games; null under 15 games."),
        Column("games_in_sample_10", "INT64", "Games the figures rest on, 0-10; null on a held-back row."),
        Column("games_in_sample_20", "INT64", "Games the trend rests on, 0-20; null on a held-back row."),
        Column(
            "sample_quality_10", "STRING", "excellent from 10 games, good from 7, limited from 5, else insufficient."
        ),
        Column(
            "sample_quality_20", "STRING", "excellent from 20 games, good from 14, limited from 10, else insufficient."
        ),
        Column("primary_scoring_zone", "STRING", "paint, perimeter, mid_range or balanced; null without shots."),
        Column("player_position", "STRING", "Position.", unfillable="no landing file lists positions"),
        Column("data_quality_tier", "STRING", "high from 10 games, medium from 7, else low."),
        *completeness(BY_NAME["player_shot_zone_analysis"]),
        *lineage("player_game"),
        *TAIL,
    ),
    grain=("player_lookup", "analysis_date"),
    publish=PublishMode.REPLACE,
    replace_by=("analysis_date",),
    partition="analysis_date",
    cluster=("player_lookup", "universal_player_id", "analysis_date"),
    day="analysis_date",
)
