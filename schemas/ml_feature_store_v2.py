"""The features of the prediction models, one row per player, game day and feature version."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import FIXTURE_DATE, GAME_ID, PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="ml_feature_store_v2",
    dataset="nba_predictions",
    doc="The features of the prediction models for D, one row per player of D's fixtures and feature version.",
    columns=(
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        FIXTURE_DATE,
        GAME_ID,
        Column("feature_version", "STRING", "Version of the feature list.", required=True),
        *completeness(BY_NAME["ml_feature_store_v2"]),
        *lineage("player_game"),
        *lineage("player_daily_cache"),
        *lineage("player_composite_factors"),
        *lineage("player_shot_zone"),
        *lineage("player_context"),
        *lineage("team_defense_zone"),
        *TAIL,
    ),
    grain=("player_lookup", "game_date", "feature_version"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("player_lookup", "feature_version", "game_date"),
    day="game_date",
)
