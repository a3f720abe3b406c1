"""A warehouse in which processors report and phases run at a word, a launcher and a broker that only keep books."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from fullcourt.domain.days import micros
from fullcourt.domain.events import COMPLETIONS, TRIGGERS, Received
from fullcourt.domain.processors import BY_NAME, Phase, select
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.events.handle import Decision, Handled, handle
from fullcourt.orchestration.events.outbox import Message
from fullcourt.orchestration.events.readiness import upstream
from fullcourt.orchestration.history import completion_event, history_row
from fullcourt.orchestration.publish import insert_records
from schemas import TABLES
from tests import figures
from tests.houses import House

ANALYTICS = tuple(processor.name for processor in select(Phase.ANALYTICS))
PRECOMPUTE = tuple(processor.name for processor in select(Phase.PRECOMPUTE))
PHASE_OF = {"analytics": Phase.ANALYTICS, "precompute": Phase.PRECOMPUTE, "predictions": Phase.PREDICTIONS}


@dataclass
class World:
    """now: the clock, which every step moves on."""

    house: House
    now: dt.datetime
    steps: int = 0
    launched: list[tuple[str, dt.date]] = field(default_factory=list)
    refuses: Exception | None = None  # raised by the next launch
    dies: Exception | None = None  # raised by the next launch once it has published

    @property
    def warehouse(self):
        return self.house.warehouse

    def tick(self, **ahead: float) -> dt.datetime:
        self.steps += 1
        self.now += dt.timedelta(**ahead) if ahead else dt.timedelta(seconds=1)
        return self.now

    def report(
        self, processor: str, day: dt.date, content: str = "first", status: str = "COMPLETE", held: str | None = None
    ) -> str:
        """The processor has published the day; returns the event id of its message."""
        now, phase = self.tick(), BY_NAME[processor].phase
        receipt = {
            "publish_id": f"publish-{self.steps}",
            "run_id": f"run-{self.steps}",
            "processor_name": processor,
            "phase": phase.value,
            "analysis_date": day,
            "fingerprint": content,
            "status": status,
            "row_count": 30,
            "published_at": now,
        }
        event = completion_event(receipt, TABLES[processor], now, held)
        with self.warehouse.transaction({}) as session:
            insert_records(session, "publish_receipts", [receipt])
            insert_records(session, "outbox_events", [event])
        return event["event_id"]

    def run(self, phase: Phase, day: dt.date) -> str:
        """Every processor of the phase has run on what stands, and has nothing new to publish."""
        now = self.tick()
        states = {day: upstream(self.warehouse, phase, [day])[day].state}
        stamp = Stamp(run_id=f"run-{self.steps}", now=micros(now))
        rows = [
            history_row(processor, stamp, micros(now), "run", [day], [], {day: "COMPLETE"}, upstream=states)
            for processor in select(phase)
        ]
        with self.warehouse.transaction({}) as session:
            insert_records(session, "processor_run_history", rows)
        return stamp.run_id

    def launch(self, phase: str, day: dt.date, correlation_id: str) -> str:
        """A Launch, on books."""
        if self.refuses:
            refusal, self.refuses = self.refuses, None
            raise refusal
        self.launched.append((phase, day))
        run = self.run(PHASE_OF[phase], day)
        if self.dies:
            death, self.dies = self.dies, None
            raise death
        return run

    def outbox(self, topic: str = "") -> list[dict]:
        """Its messages, the oldest first."""
        rows = self.house.query("SELECT * FROM nba_orchestration.outbox_events ORDER BY created_at, event_id")
        return [row for row in rows if topic in ("", row["topic"])]

    def triggers(self, phase: Phase) -> list[dict]:
        return self.outbox(TRIGGERS[phase])

    def take(self, event_id: str, message_id: str = "m") -> Handled:
        """The outbox's message arrives."""
        (row,) = [row for row in self.outbox() if row["event_id"] == event_id]
        return self.receive(row["topic"], json.loads(row["payload"]), event_id, message_id)

    def receive(self, topic: str, fields: object, event_id: str = "", message_id: str = "m") -> Handled:
        data = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        attributes = {"event_id": event_id} if event_id else {}
        handled = handle(self.warehouse, self, Received(message_id, topic, data, attributes), self.tick())
        figures.count(figures.BAD_INPUTS, handled.decision is Decision.DEAD_LETTER and not handled.repeated)
        return handled

    def report_analytics(self, day: dt.date, before: dt.date | None, content: str = "first") -> list[str]:
        """All five, as precompute of the day needs them."""
        events = []
        for name in ANALYTICS:
            of = day if BY_NAME[name].windows else before
            if of:
                events.append(self.report(name, of, content))
        return events


@dataclass
class Books:
    """A broker that keeps what it is given. fails: the event ids that it does not acknowledge."""

    kept: list[Message] = field(default_factory=list)
    fails: tuple[str, ...] = ()

    def publish(self, messages: Sequence[Message]) -> dict[str, str]:
        self.kept += [message for message in messages if message.event_id not in self.fails]
        return {message.event_id: "Unavailable" for message in messages if message.event_id in self.fails}


def completion(processor: str = "player_daily_cache", day: str = "2024-10-25", **changed: object) -> dict:
    """The fields of a completion message."""
    fields = {
        "processor_name": processor,
        "phase": BY_NAME[processor].phase.value if processor in BY_NAME else "phase_2_raw",
        "execution_id": "run",
        "correlation_id": day,
        "game_date": day,
        "status": "success",
        "timestamp": "2024-10-25T12:00:00+00:00",
    }
    return {name: value for name, value in (fields | changed).items() if value is not None}


def topic_of(processor: str) -> str:
    return COMPLETIONS[BY_NAME[processor].phase if processor in BY_NAME else Phase.INGEST]
