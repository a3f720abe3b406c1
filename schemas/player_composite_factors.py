"""The factors that raise or lower a player's expectation for a game day, one row per player and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import FIXTURE_DATE, GAME_ID, PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="player_composite_factors",
    dataset="nba_precompute",
    doc="The factors that raise or lower a player's expectation for D, one row per player of D's fixtures.",
    columns=(
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        FIXTURE_DATE,
        GAME_ID,
        Column("analysis_date", "DATE", "Equal to game_date, under the name the other precompute tables use."),
        *completeness(BY_NAME["player_composite_factors"]),
        *lineage("player_game"),
        *lineage("player_daily_cache"),
        *lineage("player_shot_zone"),
        *lineage("team_defense_zone"),
        *lineage("player_context"),
        *lineage("team_context"),
        *TAIL,
    ),
    grain=("player_lookup", "game_date"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("player_lookup", "universal_player_id", "game_date"),
    day="game_date",
)
