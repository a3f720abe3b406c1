"""What a person, or new data, did to a breaker: overrides, resets and closings."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, ENTITY_ID, PROCESSOR_NAME

TABLE = Table(
    name="breaker_actions",
    dataset="nba_orchestration",
    doc="What was done to a breaker, one row per action: facts, never changed.",
    columns=(
        Column("action_id", "STRING", "The action's own id.", required=True, bookkeeping=True),
        Column(
            "action",
            "STRING",
            "override (let the entity through), reset (count attempts anew) or close (the data became complete).",
            required=True,
        ),
        PROCESSOR_NAME,
        ENTITY_ID,
        ANALYSIS_DATE,
        Column("acted_at", "TIMESTAMP", "When, UTC.", required=True, bookkeeping=True),
        Column("acted_by", "STRING", "Who: a user name, or the run that closed it."),
        Column("reason", "STRING", "Why, in the actor's words."),
    ),
    grain=("action_id",),
    publish=PublishMode.APPEND,
    partition="analysis_date",
    cluster=("processor_name", "entity_id", "analysis_date"),
    day="analysis_date",
)
