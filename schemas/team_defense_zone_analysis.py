"""How a team has defended each zone over its last 15 games before a game day, one row per team and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, SEASON_YEAR, TEAM_ABBR
from schemas.completeness import TAIL, completeness, lineage

_ZONES = {"paint": "the paint", "mid_range": "mid-range", "three_pt": "three-point range"}
_NO_BLOCK_ZONES = "no landing file says where a shot was blocked"


def _zone(zone: str, title: str) -> tuple[Column, ...]:
    """One zone's four measures over the window; null on a held-back row and where the zone is unknown."""
    return (
        Column(f"{zone}_pct_allowed_last_15", "NUMERIC(5,3)", f"Makes / attempts from {title}; null without attempts."),
        Column(
            f"{zone}_attempts_allowed_per_game", "NUMERIC(5,1)", f"Attempts from {title} per game; null if unknown."
        ),
        Column(f"{zone}_blocks_per_game", "NUMERIC(4,1)", f"Blocks from {title} per game.", unfillable=_NO_BLOCK_ZONES),
        Column(
            f"{zone}_defense_vs_league_avg",
            "NUMERIC(5,2)",
            f"Share allowed from {title} less the league's, percentage points; positive is a worse defence.",
        ),
    )


TABLE = Table(
    name="team_defense_zone_analysis",
    dataset="nba_precompute",
    doc="How a team defended each zone over its last 15 games before D, one row per team and game day.",
    columns=(
        TEAM_ABBR,
        ANALYSIS_DATE,
        SEASON_YEAR,
        *(column for zone, title in _ZONES.items() for column in _zone(zone, title)),
        Column("paint_points_allowed_per_game", "NUMERIC(5,1)", "Points conceded in the paint per game."),
        Column("defensive_rating_last_15", "NUMERIC(6,2)", "Mean opponent points per 100 possessions."),
        Column("opponent_points_per_game", "NUMERIC(5,1)", "Mean points conceded."),
        Column("opponent_pace", "NUMERIC(5,1)", "Mean opponent possessions per 48 minutes."),
        Column("games_in_sample", "INT64", "Games the figures rest on, 0-15; null on a held-back row."),
        Column("strongest_zone", "STRING", "paint, mid_range or perimeter: the lowest figure against the league."),
        Column("weakest_zone", "STRING", "paint, mid_range or perimeter: the highest figure against the league."),
        Column("data_quality_tier", "STRING", "high from 15 games, medium from 10, else low."),
        Column("calculation_notes", "STRING", "Zones without attempts; null if there is nothing to note."),
        *completeness(BY_NAME["team_defense_zone_analysis"]),
        *lineage("team_defense"),
        *TAIL,
    ),
    grain=("team_abbr", "analysis_date"),
    publish=PublishMode.REPLACE,
    replace_by=("analysis_date",),
    partition="analysis_date",
    cluster=("team_abbr", "analysis_date"),
    day="analysis_date",
)
