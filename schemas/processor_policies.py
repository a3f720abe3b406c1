"""What people changed about a processor's gate: its threshold, or the gate switched off."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import PROCESSOR_NAME

TABLE = Table(
    name="processor_policies",
    dataset="nba_orchestration",
    doc="Changes of a processor's gate, one row per change: facts, never altered. The newest one of a processor holds.",
    columns=(
        Column("policy_id", "STRING", "The change's own id.", required=True, bookkeeping=True),
        PROCESSOR_NAME,
        Column(
            "threshold_per_mille",
            "INT64",
            "Ready from this share of required games on, 1-1000; 0: the gate is off; null: the processor's own again.",
        ),
        Column("set_at", "TIMESTAMP", "When, UTC.", required=True, bookkeeping=True),
        Column("set_by", "STRING", "Who."),
        Column("reason", "STRING", "Why, in the actor's words."),
        Column(
            "valid_until",
            "TIMESTAMP",
            "When it lapses by itself, UTC; null: when it is changed again.",
            bookkeeping=True,
        ),
    ),
    grain=("policy_id",),
    publish=PublishMode.APPEND,
    cluster=("processor_name",),
)
