"""What each clean-up did: expired rows of the upcoming tables deleted or put back, lost landing files found again."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT, counts

TABLE = Table(
    name="cleanup_operations",
    dataset="nba_orchestration",
    doc="What each clean-up did; each kind fills its own columns and leaves the others null.",
    columns=(
        Column("cleanup_id", "STRING", "The clean-up's own id.", required=True, bookkeeping=True),
        Column("cleanup_type", "STRING", "upcoming_tables_ttl or _restore, or file_recovery.", required=True),
        Column("cleanup_time", "TIMESTAMP", "When it began, UTC.", required=True, bookkeeping=True),
        Column("ttl_days", "INT64", "Days a row is kept after its game day; null unless rows expired."),
        Column("tables_cleaned", "JSON", "Rows deleted, or put back, by table; null for file recovery."),
        *counts(("total_records_deleted", "Rows deleted from all tables"), null="for file recovery"),
        *counts(
            ("files_checked", "Landing files looked for"),
            ("missing_files_found", "Landing files not found in the tables"),
            ("republished_count", "Messages sent again"),
            null="for the deletion of expired rows",
        ),
        Column("missing_files", "ARRAY<STRING>", "Landing files not found in the tables; empty, never null."),
        Column("errors", "ARRAY<STRING>", "What failed; empty, never null."),
        Column("duration_seconds", "FLOAT64", "Time taken; null if it was cut off.", bookkeeping=True),
        Column("pubsub_enabled", "BOOL", "Messages were sent; null for the deletion of expired rows."),
        Column("environment", "STRING", "Name of the deployment."),
        CREATED_AT,
    ),
    grain=("cleanup_id",),
    publish=PublishMode.APPEND,
    cluster=("cleanup_type",),
)
