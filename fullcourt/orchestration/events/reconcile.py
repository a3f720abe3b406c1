"""What a lost message left: phases that may start by the tables, were announced, and have not been computed.

It looks at days, not at messages, so it does not matter which message was lost, or where.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fullcourt.domain.events import TRIGGERS
from fullcourt.domain.processors import Phase
from fullcourt.domain.upstream_status import STALE_AFTER
from fullcourt.orchestration.events import triggers
from fullcourt.orchestration.events.handle import Decision
from fullcourt.orchestration.events.readiness import Upstream, computed_on, upstream
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Session, Warehouse

GRACE = dt.timedelta(hours=1)  # a message may be under way for so long
SCHEDULER = "scheduler"
_RECONCILE = "events_reconcile"


class Found(enum.StrEnum):
    NOT_TRIGGERED = "not_triggered"  # the last completion message was lost
    TRIGGER_LOST = "trigger_lost"  # it was sent, and nobody took it in
    TRIGGER_WAITS = "trigger_waits"  # it has not been sent yet
    RUN_LOST = "run_lost"  # launched four hours ago or longer, and nothing was published
    REFUSED = "refused"  # by the launcher; nothing is done
    WAITING = "waiting"  # a processor before it has not reported; nothing is done
    UNDER_WAY = "under_way"  # nothing is done yet
    HELD = "held"  # the messages are kept in on purpose; nothing is done


DUE = (Found.NOT_TRIGGERED, Found.TRIGGER_LOST, Found.TRIGGER_WAITS, Found.RUN_LOST)


@dataclass(frozen=True)
class Finding:
    """A phase of a day that is not up to date. attempt: of the trigger that is to be written, or sent again."""

    phase: Phase
    day: dt.date
    found: Found
    on: Upstream
    reason: str | None = None
    attempt: int = 1

    @property
    def due(self) -> bool:
        return self.found in DUE

    @property
    def row(self) -> dict[str, Any]:
        return {
            "phase": self.phase.name.lower(),
            "game_date": self.day,
            "found": self.found.value,
            "reason": self.reason,
            "starts": self.due,
        }


def look(
    warehouse: Warehouse, start: dt.date, end: dt.date, now: dt.datetime, grace: dt.timedelta = GRACE
) -> list[Finding]:
    """The phases of the closed range's game days that are not up to date, in the order in which they run.

    A phase of which nothing before it was ever announced is nobody's loss, and left out.
    """
    found: list[Finding] = []
    with warehouse.transaction({}) as session:  # all of it as of one instant
        days = scheduled_days(session, start, end)
        for phase in TRIGGERS:
            found += _of_phase(session, phase, days, now, grace)
    return sorted(found, key=lambda finding: finding.day)


def repair(warehouse: Warehouse, findings: Sequence[Finding], now: dt.datetime) -> int:
    """Has every trigger that is due written, or sent once more; returns how many. They leave with the next sending."""
    due = [finding for finding in findings if finding.due]
    if not due:
        return 0
    with warehouse.transaction({}) as session:
        for finding in due:
            if finding.found is Found.TRIGGER_LOST:
                _send_again(session, triggers.trigger_id(finding.phase, finding.day, finding.on.state, finding.attempt))
            elif finding.found is not Found.TRIGGER_WAITS:
                triggers.write(
                    session,
                    finding.phase,
                    finding.day,
                    finding.on,
                    now,
                    triggered_by=_RECONCILE,
                    correlation_id=finding.day.isoformat(),
                    source=SCHEDULER,
                    attempt=finding.attempt,
                )
    return len(due)


def _of_phase(
    session: Session, phase: Phase, days: Sequence[dt.date], now: dt.datetime, grace: dt.timedelta
) -> list[Finding]:
    if not days:
        return []
    upstreams, computed = upstream(session, phase, days), computed_on(session, phase, days)
    left = {day: on for day, on in upstreams.items() if on.reported and on.state not in computed[day]}
    announced = _announced(session, [event for on in left.values() for event in on.events])
    written = _written(session, phase, list(left))
    findings = []
    for day, on in left.items():
        told = [announced[event] for event in on.events if event in announced]
        if told:
            findings.append(_finding(phase, day, on, held=all(told), written=written, now=now, grace=grace))
    return findings


def _finding(
    phase: Phase,
    day: dt.date,
    on: Upstream,
    *,
    held: bool,
    written: Mapping[str, Mapping[str, Any]],
    now: dt.datetime,
    grace: dt.timedelta,
) -> Finding:
    recent = on.changed_at is not None and now - on.changed_at < grace
    if not on.ready:
        return Finding(phase, day, Found.UNDER_WAY if recent else Found.WAITING, on, ", ".join(on.waits_for))
    attempt = 1
    while triggers.trigger_id(phase, day, on.state, attempt + 1) in written:
        attempt += 1
    trigger = written.get(triggers.trigger_id(phase, day, on.state, attempt))
    if trigger is not None:
        return _of_trigger(Finding(phase, day, Found.UNDER_WAY, on, attempt=attempt), trigger, now, grace)
    if held:
        return Finding(phase, day, Found.HELD, on)
    return Finding(phase, day, Found.UNDER_WAY if recent else Found.NOT_TRIGGERED, on)


def _of_trigger(under_way: Finding, trigger: Mapping[str, Any], now: dt.datetime, grace: dt.timedelta) -> Finding:
    """By how far its trigger has come."""
    phase, day, on, attempt = under_way.phase, under_way.day, under_way.on, under_way.attempt
    if trigger["decision"] == Decision.REFUSED:
        return Finding(phase, day, Found.REFUSED, on, trigger["reason"], attempt)
    if trigger["decision"]:
        # Taken in, and yet not computed on this content: the run is under way, or came to nothing.
        lost = now - trigger["handled_at"] >= STALE_AFTER
        return Finding(phase, day, Found.RUN_LOST, on, trigger["run_id"], attempt + 1) if lost else under_way
    if trigger["sent_at"] is None:
        return Finding(phase, day, Found.TRIGGER_WAITS, on, attempt=attempt)
    if now - trigger["sent_at"] >= grace:
        return Finding(phase, day, Found.TRIGGER_LOST, on, attempt=attempt)
    return under_way


def _announced(session: Session, event_ids: Sequence[str]) -> dict[str, bool]:
    """Of the completion messages those that were written: event id -> whether it is held."""
    if not event_ids:
        return {}
    rows = session.query(
        "SELECT event_id, COALESCE(held, FALSE) AS held FROM nba_orchestration.outbox_events "
        "WHERE event_id IN UNNEST(@ids)",
        ids=list(event_ids),
    )
    return {row["event_id"]: row["held"] for row in rows.to_pylist()}


def _written(session: Session, phase: Phase, days: Sequence[dt.date]) -> dict[str, dict[str, Any]]:
    """The phase's triggers of the days by id: when sent, and what was decided on them; nulls for not yet."""
    rows = session.query(
        "SELECT sent.event_id, sent.sent_at, taken.decision, taken.reason, taken.run_id, taken.handled_at "
        "FROM nba_orchestration.outbox_events AS sent "
        "LEFT JOIN nba_orchestration.consumed_events AS taken ON taken.event_id = sent.event_id "
        "WHERE sent.topic = @topic AND sent.game_date IN UNNEST(@days)",
        topic=TRIGGERS[phase],
        days=list(days),
    )
    return {row["event_id"]: row for row in rows.to_pylist()}


def _send_again(session: Session, trigger: str) -> None:
    """Under the same event id: if it was not lost after all, it is dropped as a repeat."""
    session.execute(
        "UPDATE nba_orchestration.outbox_events SET sent_at = NULL WHERE event_id = @trigger", trigger=trigger
    )
