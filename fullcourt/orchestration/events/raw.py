"""Completion messages of phase 2: which raw tables a load brought rows of which game days to."""

import datetime as dt
from typing import Any

from fullcourt.domain.events import RAW_PROCESSORS
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.history import completion_event, raw_receipt
from fullcourt.orchestration.publish import insert_records
from fullcourt.warehouse import Session
from schemas import TABLES

NEWS_DAYS = 7


def announce(session: Session, run_id: str, now: dt.datetime, held_reason: str | None) -> dict[str, Any]:
    """Writes a message for each table and game day that has rows of the load; a retried last step finds its own.

    A load of more than seven game days is history and no news: nobody wants its days computed one by one, a backfill
    does it.  Returns {"messages", "days"}: how many, and how many game days the load brought rows of.
    """
    loaded = session.query(
        " UNION ALL ".join(
            f"SELECT '{name}' AS processor_name, game_date, COUNT(*) AS row_count FROM {TABLES[name].id} "
            "WHERE run_id = @run AND game_date IS NOT NULL GROUP BY game_date"
            for name in RAW_PROCESSORS
        )
        + " ORDER BY game_date, processor_name",
        run=run_id,
    ).to_pylist()
    days = {row["game_date"] for row in loaded}
    if not days or len(days) > NEWS_DAYS:
        return {"messages": 0, "days": len(days)}
    events = []
    for row in loaded:
        receipt = {
            **raw_receipt(run_id, row["processor_name"], row["game_date"]),
            "processor_name": row["processor_name"],
            "phase": Phase.INGEST.value,
            "analysis_date": row["game_date"],
            "status": "COMPLETE",
            "row_count": row["row_count"],
        }
        events.append(completion_event(receipt, TABLES[row["processor_name"]], now, held_reason))
    there = session.query(
        "SELECT event_id FROM nba_orchestration.outbox_events WHERE event_id IN UNNEST(@ids)",
        ids=[event["event_id"] for event in events],
    )["event_id"].to_pylist()
    fresh = [event for event in events if event["event_id"] not in there]
    insert_records(session, "outbox_events", fresh)
    return {"messages": len(events), "days": len(days)}
