"""Predicted points against a line, one active row per system, player and day."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT, FIXTURE_DATE, GAME_ID, PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID
from schemas.completeness import STANDARD

TABLE = Table(
    name="player_prop_predictions",
    dataset="nba_predictions",
    doc="Predicted points against a line; of one system's rows for a player and day, the newest is the active one.",
    columns=(
        Column("prediction_id", "STRING", "The prediction's own id.", required=True),
        Column("system_id", "STRING", "The prediction system, such as ensemble_v1.", required=True),
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        FIXTURE_DATE,
        GAME_ID,
        Column("current_points_line", "NUMERIC(4,1)", "Line on points at the time; null without a line."),
        *STANDARD,
        Column("is_active", "BOOL", "Not superseded by a newer prediction."),
        Column("superseded_by", "STRING", "prediction_id of the newer one; null while active."),
        CREATED_AT,
        Column("updated_at", "TIMESTAMP", "When the row last changed, UTC.", bookkeeping=True),
    ),
    grain=("prediction_id",),
    publish=PublishMode.SUPERSEDE,
    partition="game_date",
    cluster=("system_id", "player_lookup", "game_date"),
    day="game_date",
)
