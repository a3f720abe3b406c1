"""Rows that could not be read, with the field and value that stopped them."""

from dataclasses import replace

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT, KEY_RUN_ID, PROCESSOR_NAME

TABLE = Table(
    name="dead_letters",
    dataset="nba_orchestration",
    doc="Rows that could not be read: of a landing file by row number, of a table by entity and day.",
    columns=(
        KEY_RUN_ID,
        replace(PROCESSOR_NAME, doc="Processor that met it; null for a landing file.", required=False),
        Column("source", "STRING", "Landing file or table the row is in.", required=True),
        Column("row_number", "INT64", "Row of the landing file, from 1; null for a table's row."),
        Column("entity_id", "STRING", "team_abbr or player_lookup; null if not known."),
        Column("analysis_date", "DATE", "D; null if not known."),
        Column("field", "STRING", "Column that stopped it."),
        Column("value", "STRING", "Its value, as text; null if it was null."),
        Column("reason", "STRING", "What was expected instead.", required=True),
        CREATED_AT,
    ),
    grain=("run_id", "source", "row_number", "entity_id", "analysis_date", "field"),
    publish=PublishMode.APPEND,
    cluster=("source",),
)
