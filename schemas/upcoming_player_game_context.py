"""What is known of a player before a fixture, one row per listed player and game."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import PublishMode, Table
from schemas.columns import (
    FIXTURE_DATE,
    KEY_GAME_ID,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    PLAYER_LOOKUP,
    SEASON_YEAR,
    TEAM_ABBR,
    UNIVERSAL_PLAYER_ID,
)
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="upcoming_player_game_context",
    dataset="nba_analytics",
    doc="What is known of a player before a fixture, one row per listed player and game.",
    columns=(
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        KEY_GAME_ID,
        NBA_GAME_ID,
        FIXTURE_DATE,
        SEASON_YEAR,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        *completeness(BY_NAME["upcoming_player_game_context"]),
        *lineage("player_game"),
        *lineage("schedule"),
        *lineage("player_props"),
        *lineage("game_lines"),
        *TAIL,
    ),
    grain=("player_lookup", "game_id"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("player_lookup", "universal_player_id", "game_date"),
    day="game_date",
)
