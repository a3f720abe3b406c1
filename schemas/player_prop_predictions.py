"""Predicted points against a line, one active row per system, player and day."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    CREATED_AT,
    DATA_HASH,
    FIXTURE_DATE,
    KEY_GAME_ID,
    OPPONENT_TEAM_ABBR,
    PLAYER_LOOKUP,
    RUN_ID,
    SEASON_YEAR,
    TEAM_ABBR,
    UNIVERSAL_PLAYER_ID,
)
from schemas.completeness import STANDARD

_RESERVED = "no system adjusts for it: 0 on every row"


def _adjustment(name: str, meaning: str, reserved: str | None = None) -> Column:
    return Column(
        f"{name}_adjustment", "NUMERIC(5,2)", f"Points added {meaning}; null where not used.", reserved=reserved
    )


TABLE = Table(
    name="player_prop_predictions",
    dataset="nba_predictions",
    doc="Predicted points against a line; of one system's rows for a player and day, the newest is the active one.",
    columns=(
        Column("prediction_id", "STRING", "The prediction's own id: system:player:day:version.", required=True),
        Column("system_id", "STRING", "The prediction system, such as ensemble_v1.", required=True),
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        FIXTURE_DATE,
        KEY_GAME_ID,
        SEASON_YEAR,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        Column("prediction_version", "INT64", "1 for the system's first prediction for the player and day, then up."),
        Column("predicted_points", "NUMERIC(5,1)", "Points he is expected to score, 0-60."),
        Column("confidence_score", "NUMERIC(5,2)", "Confidence, 0-100."),
        Column("recommendation", "STRING", "OVER, UNDER or PASS."),
        Column("current_points_line", "NUMERIC(4,1)", "Line on points the recommendation is about."),
        Column("line_source", "STRING", "Bookmaker of the line, or 'estimated' where there was none."),
        Column("line_margin", "NUMERIC(5,2)", "Predicted points less the line."),
        Column("similarity_baseline", "NUMERIC(5,2)", "Weighted mean points of similar games; null for others."),
        _adjustment("fatigue", "for tired or fresh legs"),
        _adjustment("shot_zone", "for the match-up of shot zones"),
        _adjustment("referee", "for the referees", _RESERVED),
        _adjustment("look_ahead", "for the next opponent", _RESERVED),
        _adjustment("pace", "for the pace expected"),
        _adjustment("usage_spike", "for a change of role"),
        _adjustment("home_away", "for the venue"),
        _adjustment("other", "for all else, such as a back-to-back"),
        Column("similar_games_count", "INT64", "Similar games used; null for other systems."),
        Column("avg_similarity_score", "NUMERIC(5,2)", "Their mean similarity, 0-100; null for other systems."),
        Column("min_similarity_score", "NUMERIC(5,2)", "Their lowest similarity, 0-100; null for other systems."),
        Column("prediction_variance", "NUMERIC(6,2)", "Population variance of the systems; ensemble only."),
        Column("system_agreement_score", "NUMERIC(5,2)", "Agreement of the systems, percent; ensemble only."),
        Column("contributing_systems", "STRING", "Systems used, comma-separated; ensemble only."),
        Column("ml_model_id", "STRING", "Model that made it, or 'stand_in_v1'; xgboost_v1 only."),
        Column("key_factors", "JSON", "What drove the prediction: name to value."),
        Column("warnings", "JSON", "List of what lessens trust in it; empty if nothing does."),
        Column("feature_version", "STRING", "Version of the features it was made from."),
        Column("feature_quality_score", "NUMERIC(5,2)", "Quality of the features it was made from."),
        *STANDARD,
        Column("is_active", "BOOL", "Not superseded by a newer prediction."),
        Column("superseded_by", "STRING", "prediction_id of the newer one; null while active, or if none replaced it."),
        DATA_HASH,
        RUN_ID,
        CREATED_AT,
        Column("updated_at", "TIMESTAMP", "When the row last changed, UTC.", bookkeeping=True),
    ),
    grain=("prediction_id",),
    publish=PublishMode.SUPERSEDE,
    supersede_by=("system_id", "player_lookup", "game_date"),
    partition="game_date",
    cluster=("system_id", "player_lookup", "game_date"),
    day="game_date",
)
