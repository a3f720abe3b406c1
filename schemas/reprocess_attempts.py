"""Attempts to process an entity whose data was incomplete: the facts a breaker's state derives from."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, CREATED_AT, ENTITY_ID, PROCESSOR_NAME, RUN_ID

TABLE = Table(
    name="reprocess_attempts",
    dataset="nba_orchestration",
    doc="One row per attempt that found an entity's data incomplete; overrides and resets are breaker_actions.",
    columns=(
        PROCESSOR_NAME,
        ENTITY_ID,
        ANALYSIS_DATE,
        Column("attempt_number", "INT64", "1, 2, 3, …, from 1 again after a reset.", required=True, bookkeeping=True),
        Column("attempted_at", "TIMESTAMP", "When the attempt was made, UTC.", required=True, bookkeeping=True),
        Column("completeness_pct", "FLOAT64", "Completeness at the attempt, 0-100; null if none was expected."),
        Column("skip_reason", "STRING", "Why the entity was held back."),
        Column("circuit_breaker_tripped", "BOOL", "The attempt opened the breaker.", required=True),
        Column(
            "circuit_breaker_until", "TIMESTAMP", "End of the cooldown, UTC; null unless tripped.", bookkeeping=True
        ),
        Column("manual_override_applied", "BOOL", "An override was in force at the attempt."),
        Column("missing_games_hash", "STRING", "Fingerprint of the missing games: the same set needs no new attempt."),
        Column("notes", "STRING", "Free text; null if there is none."),
        RUN_ID,
        CREATED_AT,
    ),
    grain=("processor_name", "entity_id", "analysis_date", "attempt_number", "attempted_at"),
    publish=PublishMode.APPEND,
    partition="analysis_date",
    cluster=("processor_name", "entity_id", "analysis_date"),
    day="analysis_date",
)
