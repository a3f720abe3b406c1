"""A player's recent form before a game day, one row per player and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import PLAYER_LOOKUP, SEASON_YEAR, UNIVERSAL_PLAYER_ID
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="player_daily_cache",
    dataset="nba_precompute",
    doc="A player's recent form before D, one row per player of D's fixtures.",
    columns=(
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        Column("cache_date", "DATE", "D: the game day the row was prepared for, before its games.", required=True),
        SEASON_YEAR,
        *completeness(BY_NAME["player_daily_cache"]),
        *lineage("player_game"),
        *lineage("team_offense"),
        *lineage("player_shot_zone"),
        *lineage("player_context"),
        *TAIL,
    ),
    grain=("player_lookup", "cache_date"),
    publish=PublishMode.REPLACE,
    replace_by=("cache_date",),
    partition="cache_date",
    cluster=("player_lookup", "universal_player_id"),
    day="cache_date",
)
