"""Messages that leave after a publish, one row each; consumers tell repeats by event id."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT, PHASE, PROCESSOR_NAME

TABLE = Table(
    name="outbox_events",
    dataset="nba_orchestration",
    doc="Messages written with a publish and sent after it, at least once.",
    columns=(
        Column("event_id", "STRING", "The event's own id, on which consumers drop repeats.", required=True),
        Column("topic", "STRING", "Topic to send to.", required=True),
        PROCESSOR_NAME,
        PHASE,
        Column("game_date", "DATE", "Game day the event is about."),
        Column("status", "STRING", "success, partial, no_data or failed."),
        Column("correlation_id", "STRING", "Constant through the phases of one day."),
        Column("payload", "JSON", "The message."),
        CREATED_AT,
        Column("sent_at", "TIMESTAMP", "When it was sent, UTC; null while it waits.", bookkeeping=True),
        Column("held", "BOOL", "Kept in on purpose, not to be sent."),
        Column("held_reason", "STRING", "Why it is held; null unless held."),
    ),
    grain=("event_id",),
    publish=PublishMode.APPEND,
    partition="game_date",
    cluster=("topic", "processor_name"),
    day="game_date",
)
