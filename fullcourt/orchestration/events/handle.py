"""One message in, one decision out, on record; the same message again finds the decision and does nothing.

A completion leads at most to a trigger message, written with the decision in one transaction.  A trigger leads to a
launch, recorded after it: killed in between, the message comes again and finds in the tables what the run published.
"""

import datetime as dt
import enum
import logging
from dataclasses import dataclass, replace
from typing import Any

from fullcourt.crash import crash_point
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.events import Completion, Received, Trigger, UnreadableError, read
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events import triggers
from fullcourt.orchestration.events.launch import Launch
from fullcourt.orchestration.events.readiness import Upstream, computed_on, follows, is_game_day, upstream
from fullcourt.orchestration.publish import insert_records
from fullcourt.warehouse import Session, Warehouse

LOG = logging.getLogger(__name__)
_KEPT = 2_000  # characters of a message that cannot be read


class Decision(enum.StrEnum):
    TRIGGERED = "triggered"  # everything is there: a trigger waits in the outbox
    ALREADY_TRIGGERED = "already_triggered"  # on the same content, by another message
    LAUNCHED = "launched"
    UP_TO_DATE = "up_to_date"  # the phase was computed on the content that stands
    WAITING = "waiting"  # other processors have not reported
    NOTHING_FOLLOWS = "nothing_follows"
    REFUSED = "refused"  # the launcher will not, now or later
    DEAD_LETTER = "dead_letter"  # cannot be read, or speaks of what does not exist


@dataclass(frozen=True)
class Handled:
    """What was decided.

    phase, processor: that the message speaks of, of a trigger the phase that it starts.  payload: its beginning, if it
    cannot be read.  repeated: it was decided before, on an earlier delivery of the same message.
    """

    event_id: str
    decision: Decision
    reason: str | None = None
    phase: Phase | None = None
    game_date: dt.date | None = None
    trigger_id: str | None = None
    run_id: str | None = None
    processor: str | None = None
    payload: str | None = None
    repeated: bool = False

    def __str__(self) -> str:
        what = " ".join(str(part) for part in (self.processor, self.game_date) if part)
        told = "; ".join(part for part in ("a repeat" if self.repeated else None, self.reason, self.run_id) if part)
        return f"{what or self.event_id}: {self.decision}{f' ({told})' if told else ''}"


def handle(warehouse: Warehouse, launch: Launch, received: Received, now: dt.datetime) -> Handled:
    """Decides on a message and records it. An error leaves nothing recorded: the message has to come again."""
    with warehouse.transaction({}) as session:
        if known := _known(session, received.event_id):
            return known
        decided = _decide(session, received, now)
        if isinstance(decided, Handled):
            _record(session, decided, received, now)
    if isinstance(decided, Trigger):
        decided = _start(launch, decided, received.event_id)
        crash_point("launched")
        with warehouse.transaction({}) as session:
            _record(session, decided, received, now)
    crash_point("decided")
    return decided


def _decide(session: Session, received: Received, now: dt.datetime) -> Handled | Trigger:
    """What comes of the message; of a trigger whose phase is due, the trigger itself."""
    try:
        event = read(received)
        if not is_game_day(session, event.game_date):
            raise UnreadableError(f"game_date is {event.game_date}, expected a game day of the schedule")
    except UnreadableError as error:
        return _dead_letter(received, str(error))
    if isinstance(event, Completion):
        return _complete(session, event, received.event_id, now)
    on = upstream(session, event.phase, [event.game_date])[event.game_date]
    settled = _settled(session, event.phase, event.game_date, on)
    return Handled(received.event_id, *settled, event.phase, event.game_date) if settled else event


def _complete(session: Session, event: Completion, event_id: str, now: dt.datetime) -> Handled:
    """Triggers what follows, if everything it needs has reported."""
    handled = Handled(
        event_id, Decision.NOTHING_FOLLOWS, phase=event.phase, game_date=event.game_date, processor=event.processor
    )
    following = follows(session, event)
    if following is None:
        return handled
    phase, day = following
    on = upstream(session, phase, [day])[day]
    if settled := _settled(session, phase, day, on):
        decision, reason = settled
        return replace(handled, decision=decision, reason=reason)
    trigger = triggers.write(session, phase, day, on, now, event.processor, event.correlation_id)
    decision = Decision.TRIGGERED if trigger else Decision.ALREADY_TRIGGERED
    return replace(handled, decision=decision, reason=f"{phase.name.lower()} of {day}", trigger_id=trigger)


def _start(launch: Launch, event: Trigger, event_id: str) -> Handled:
    title = event.phase.name.lower()
    handled = Handled(
        event_id, Decision.LAUNCHED, f"{title} of {event.game_date}", phase=event.phase, game_date=event.game_date
    )
    try:
        return replace(handled, run_id=launch.launch(title, event.game_date, event.correlation_id))
    except (GateError, UsageError) as error:
        return replace(handled, decision=Decision.REFUSED, reason=str(error))


def _settled(session: Session, phase: Phase, day: dt.date, on: Upstream) -> tuple[Decision, str] | None:
    """Why the phase of the day need not start; None: it is due."""
    title = f"{phase.name.lower()} of {day}"
    if not on.ready:
        return Decision.WAITING, f"{title} waits for {', '.join(on.waits_for)}"
    if on.state in computed_on(session, phase, [day])[day]:
        return Decision.UP_TO_DATE, title
    return None


def _known(session: Session, event_id: str) -> Handled | None:
    rows = session.query(
        "SELECT decision, reason, processor_name, phase, game_date, trigger_id, run_id "
        "FROM nba_orchestration.consumed_events WHERE event_id = @event_id LIMIT 1",
        event_id=event_id,
    ).to_pylist()
    if not rows:
        return None
    (row,) = rows
    return Handled(
        event_id,
        Decision(row["decision"]),
        row["reason"],
        Phase(row["phase"]) if row["phase"] else None,
        row["game_date"],
        row["trigger_id"],
        row["run_id"],
        row["processor_name"],
        repeated=True,
    )


def _dead_letter(received: Received, reason: str) -> Handled:
    """On record, so that it can be looked at, and taken: it would be no better the next time."""
    LOG.warning("a message of %s cannot be handled: %s", received.topic, reason)
    payload = received.data[:_KEPT].decode(errors="replace")
    return Handled(received.event_id, Decision.DEAD_LETTER, reason, payload=payload)


def _record(session: Session, handled: Handled, received: Received, now: dt.datetime) -> None:
    row = {
        "event_id": handled.event_id,
        "topic": received.topic,
        "processor_name": handled.processor,
        "phase": handled.phase.value if handled.phase else None,
        "game_date": handled.game_date,
        "decision": handled.decision.value,
        "reason": handled.reason,
        "trigger_id": handled.trigger_id,
        "run_id": handled.run_id,
        "payload": handled.payload,
        "message_id": received.message_id,
        "handled_at": now,
    }
    insert_records(session, "consumed_events", [row])


def dead_letters(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Messages that could not be handled, the newest first."""
    return warehouse.query(
        "SELECT handled_at, topic, message_id, reason, SUBSTR(payload, 1, 80) AS begins_with "
        "FROM nba_orchestration.consumed_events WHERE decision = @decision ORDER BY handled_at DESC, event_id",
        decision=Decision.DEAD_LETTER.value,
    ).to_pylist()
