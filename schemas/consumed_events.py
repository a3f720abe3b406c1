"""Messages that were taken in, one row each, and what was decided on them: a repeat finds its row and does nothing."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import PHASE

TABLE = Table(
    name="consumed_events",
    dataset="nba_orchestration",
    doc="Messages taken in, and what was decided on each.",
    columns=(
        Column("event_id", "STRING", "The event's own id; of a message without one, the broker's.", required=True),
        Column("topic", "STRING", "Topic it came from.", required=True),
        Column("processor_name", "STRING", "Processor that it speaks of; null of a trigger and if it was unreadable."),
        PHASE,
        Column("game_date", "DATE", "Game day that it speaks of; null if it was unreadable."),
        Column(
            "decision",
            "STRING",
            "triggered, already_triggered, launched, up_to_date, waiting, nothing_follows, refused or dead_letter.",
            required=True,
        ),
        Column("reason", "STRING", "What is waited for, or why it was refused or cannot be read; null if nothing."),
        Column("trigger_id", "STRING", "Trigger message that was written for it; null if none was."),
        Column("run_id", "STRING", "What was launched; null if nothing was.", bookkeeping=True),
        Column("payload", "STRING", "Its first 2,000 characters, if it could not be read; else null."),
        Column("message_id", "STRING", "The broker's id of the delivery.", bookkeeping=True),
        Column("handled_at", "TIMESTAMP", "When, UTC.", required=True, bookkeeping=True),
    ),
    grain=("event_id",),
    publish=PublishMode.APPEND,
    partition="game_date",
    cluster=("topic", "decision"),
    day="game_date",
)
