"""The slices of backfills: what is claimed, computed and published together, and how far each has come."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import PHASE, SEASON_YEAR

TABLE = Table(
    name="backfill_slices",
    dataset="nba_orchestration",
    doc="One row per backfill, stage and range of days. A running slice is a claim: one owner per processor and day.",
    columns=(
        Column("plan_id", "STRING", "The backfill.", required=True),
        Column("slice_number", "INT64", "Place in the order in which slices run, from 0.", required=True),
        Column("stage", "INT64", "Slices of one stage run side by side, from 0.", required=True),
        PHASE,
        Column("processors", "ARRAY<STRING>", "Computed by one job, in DAG order."),
        SEASON_YEAR,
        Column("days", "ARRAY<STRING>", "Its game days, YYYY-MM-DD, ascending."),
        Column("state", "STRING", "PENDING, RUNNING, DONE, UNCHANGED or FAILED.", required=True),
        Column("token", "INT64", "Of the newest claim, greater than that of any before; null while it has no owner."),
        Column("owner", "STRING", "Host and process of the newest claim; null before the first.", bookkeeping=True),
        Column("lease_until", "TIMESTAMP", "Until then nobody else may claim it, UTC.", bookkeeping=True),
        Column("started_at", "TIMESTAMP", "When it was last claimed, UTC; null before.", bookkeeping=True),
        Column("ended_at", "TIMESTAMP", "When it was settled, UTC; null before.", bookkeeping=True),
        Column(
            "job_name",
            "STRING",
            "Dataflow job of the newest claim, set with it; null where a process computes the slice.",
            bookkeeping=True,
        ),
        Column("job_id", "STRING", "As Dataflow calls that job; null until it has answered.", bookkeeping=True),
        Column("run_id", "STRING", "Run that settled it; null before, and if none was needed.", bookkeeping=True),
        Column(
            "inputs_hash",
            "STRING",
            "Of all that its season's rows are computed from, as the newest claim found it; null before the first.",
            bookkeeping=True,
        ),
        Column("failed_days", "JSON", "Day -> why it is not done; null if all are."),
        Column(
            "published",
            "JSON",
            "Day -> hash of the newest publish of each processor when it was settled; null before.",
            bookkeeping=True,
        ),
    ),
    grain=("plan_id", "slice_number"),
    publish=PublishMode.REPLACE,
    replace_by=("plan_id", "slice_number"),
    cluster=("plan_id",),
)
