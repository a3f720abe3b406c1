"""The features of the prediction models, one row per player, game day and feature version."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    FIXTURE_DATE,
    KEY_GAME_ID,
    KNOWN_PLAYER_ID,
    OPPONENT_TEAM_ABBR,
    PLAYER_LOOKUP,
    SEASON_YEAR,
    TEAM_ABBR,
)
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="ml_feature_store_v2",
    dataset="nba_predictions",
    doc="The features of the prediction models for D, one row per player of D's fixtures and feature version.",
    columns=(
        PLAYER_LOOKUP,
        KNOWN_PLAYER_ID,
        FIXTURE_DATE,
        KEY_GAME_ID,
        Column("feature_version", "STRING", "Version of the feature list: v1_baseline_25.", required=True),
        SEASON_YEAR,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        Column("is_home", "BOOL", "The player's team is the home team."),
        Column("days_rest", "INT64", "From the player's context: 1 is a back-to-back; null if no game yet."),
        Column("features", "ARRAY<FLOAT64>", "Values in the version's order, none null; empty on a held-back row."),
        Column("feature_names", "ARRAY<STRING>", "Their names, as many; empty on a held-back row."),
        Column(
            "feature_sources",
            "ARRAY<STRING>",
            "Where each came from: phase4, phase3, calculated or default; empty on a held-back row.",
        ),
        Column("feature_count", "INT64", "How many; null on a held-back row.", reserved="one version so far"),
        Column(
            "feature_quality_score",
            "NUMERIC(5,2)",
            "Mean weight over the features: phase4 and calculated 100, phase3 75, default 40.",
        ),
        Column("data_quality_tier", "STRING", "high from a score of 95, medium from 70, else low."),
        Column(
            "data_source",
            "STRING",
            "By share of the features that are not calculated: phase4 from 90 % phase4, phase4_partial from 50 %, "
            "phase3 from 50 % phase3, else mixed. Falling back to a default counts as default.",
        ),
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
