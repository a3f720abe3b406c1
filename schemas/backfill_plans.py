"""Backfills as they were planned: which days, which processors, and the inputs they were planned on."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT

TABLE = Table(
    name="backfill_plans",
    dataset="nba_orchestration",
    doc="One row per backfill: what it was asked for and what its inputs were, frozen under an id derived from both.",
    columns=(
        Column("plan_id", "STRING", "Derived from the definition and when it was made.", required=True),
        CREATED_AT,
        Column("created_by", "STRING", "Who planned it.", bookkeeping=True),
        Column("first_day", "DATE", "Its first game day.", required=True),
        Column("last_day", "DATE", "Its last game day.", required=True),
        Column("day_count", "INT64", "Game days in it, 1 or more.", required=True),
        Column("phases", "ARRAY<STRING>", "Phases, in the order in which they run."),
        Column("definition", "JSON", "Days, stages, options and fingerprints of the inputs.", required=True),
        Column("estimated_rows", "INT64", "Rows it was expected to write, 0 or more."),
        Column("estimated_bytes", "INT64", "Bytes it was expected to read, 0 or more."),
        Column("verified", "JSON", "Phase -> what did not hold when it was read back, empty if all did; null before."),
        Column("cancelled_at", "TIMESTAMP", "When it was told to stop, UTC; null unless it was.", bookkeeping=True),
        Column("cancelled_by", "STRING", "Who told it to stop; null unless somebody did.", bookkeeping=True),
    ),
    grain=("plan_id",),
    publish=PublishMode.REPLACE,
    replace_by=("plan_id",),
    cluster=("plan_id",),
)
