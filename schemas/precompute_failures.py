"""Entities held back on a game day and why, one row per processor, entity and day."""

from dataclasses import replace

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, CREATED_AT, ENTITY_ID, PROCESSOR_NAME, RUN_ID

TABLE = Table(
    name="precompute_failures",
    dataset="nba_processing",
    doc="Entities held back on a game day, with the games that are missing and whether a repair can help.",
    columns=(
        PROCESSOR_NAME,
        RUN_ID,
        ANALYSIS_DATE,
        replace(ENTITY_ID, doc=f"{ENTITY_ID.doc} '*' where the whole day is meant: INCOMPLETE_COVERAGE."),
        Column(
            "failure_category",
            "STRING",
            "INCOMPLETE_DATA, CIRCUIT_BREAKER_ACTIVE, UPSTREAM_INCOMPLETE, INCOMPLETE_COVERAGE, …",
        ),
        Column("failure_reason", "STRING", "The same in words."),
        Column("can_retry", "BOOL", "Another run may succeed."),
        Column("failure_type", "STRING", "COMPLETE, INSUFFICIENT_HISTORY, DATA_GAP, PLAYER_DNP, MIXED or UNKNOWN."),
        Column("is_correctable", "BOOL", "Scraping or running an earlier phase again can repair it."),
        Column("expected_game_count", "INT64", "Games required in the primary window."),
        Column("actual_game_count", "INT64", "Of these, games present."),
        Column("missing_game_dates", "JSON", "Dates of the missing games, ascending."),
        Column("missing_game_ids", "ARRAY<STRING>", "Canonical ids of the missing games; empty, never null."),
        Column("raw_data_checked", "BOOL", "The raw box scores were consulted."),
        Column("resolution_status", "STRING", "UNRESOLVED, RESOLVED, PERMANENT or INVESTIGATING."),
        Column("resolved_at", "TIMESTAMP", "When it was resolved, UTC; null until then.", bookkeeping=True),
        CREATED_AT,
    ),
    grain=("processor_name", "entity_id", "analysis_date"),
    publish=PublishMode.REPLACE,
    replace_by=("processor_name", "analysis_date"),
    partition="analysis_date",
    cluster=("processor_name", "entity_id"),
    day="analysis_date",
)
