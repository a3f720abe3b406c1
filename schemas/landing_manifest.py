"""The landing files of each ingest, one row per run and file."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import KEY_RUN_ID, counts

TABLE = Table(
    name="landing_manifest",
    dataset="nba_orchestration",
    doc="The landing files each ingest saw and what became of their rows.",
    columns=(
        KEY_RUN_ID,
        Column("file_name", "STRING", "File name, without folders.", required=True),
        Column("file_sha256", "STRING", "SHA-256 of the file's bytes, hexadecimal."),
        Column("file_bytes", "INT64", "Size in bytes."),
        Column("target_table", "STRING", "dataset.name of the table it loads; null when ignored."),
        Column("status", "STRING", "loaded, unchanged or ignored."),
        *counts(
            ("rows_read", "Rows in the file"),
            ("rows_loaded", "Rows that went into the table"),
            ("rows_excluded", "Rows kept raw but outside every season count, such as pre-season"),
            ("rows_dead", "Rows that could not be read"),
            ("games", "Games the file covers"),
            null="when not read",
        ),
        Column("loaded_at", "TIMESTAMP", "When, UTC.", bookkeeping=True),
    ),
    grain=("run_id", "file_name"),
    publish=PublishMode.APPEND,
    cluster=("file_name",),
)
