"""Messages between the phases: topics, fields, and which of what arrives can be read.

A completion says that a processor has published a day; a trigger, that a phase of a day may start.  Neither is believed
further than its processor, phase and day: whether anything starts is read from the tables.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fullcourt.domain.processors import BY_NAME, Phase

COMPLETIONS: dict[Phase, str] = {
    Phase.INGEST: "nba-phase2-raw-complete",
    Phase.ANALYTICS: "nba-phase3-analytics-complete",
    Phase.PRECOMPUTE: "nba-phase4-processor-complete",
    Phase.PREDICTIONS: "nba-phase5-predictions-complete",
}
# The phase that a message on the topic starts.
TRIGGERS: dict[Phase, str] = {
    Phase.ANALYTICS: "nba-phase3-trigger",
    Phase.PRECOMPUTE: "nba-phase4-trigger",
    Phase.PREDICTIONS: "nba-phase4-precompute-complete",
}
TOPICS: tuple[str, ...] = (*COMPLETIONS.values(), *TRIGGERS.values())
LISTENED: tuple[str, ...] = tuple(topic for topic in TOPICS if topic != COMPLETIONS[Phase.PREDICTIONS])
_BY_TOPIC = {topic: phase for phase, topic in COMPLETIONS.items()}
_STARTED_BY = {topic: phase for phase, topic in TRIGGERS.items()}

# Raw tables whose rows are of game days; a day's analytics wait for the expected ones.
RAW_PROCESSORS = (
    "nbac_schedule",
    "nbac_gamebook_player_stats",
    "nbac_team_boxscore",
    "shot_zones",
    "inactive_lists",
    "player_props",
    "injury_reports",
    "game_lines",
)
EXPECTED_RAW = ("nbac_gamebook_player_stats", "nbac_team_boxscore")

MAX_BYTES = 256 * 1024
MAX_EVENT_ID = 200  # characters
STATUSES = ("success", "partial", "no_data", "failed")
_HALF = re.compile("[\ud800-\udfff]")  # of a pair: JSON can spell it, and no table takes it
_REQUIRED = ("processor_name", "phase", "execution_id", "correlation_id", "game_date", "status", "timestamp")
_REQUIRED_OF_TRIGGER = ("game_date", "correlation_id", "trigger_source", "triggered_by", "timestamp")


@dataclass(frozen=True)
class Received:
    """A message as the broker hands it over. published_at: when it was, UTC; None if the broker does not say."""

    message_id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: dt.datetime | None = None

    @property
    def event_id(self) -> str:
        """On which repeats are dropped: what the sender gave it, if that can be one, else the broker's own id."""
        given = self.attributes.get("event_id", "")
        return given if 0 < len(given) <= MAX_EVENT_ID else f"message:{self.message_id}"


@dataclass(frozen=True)
class Completion:
    """A processor, or a raw table's loader, has published a day."""

    processor: str
    phase: Phase
    game_date: dt.date
    correlation_id: str


@dataclass(frozen=True)
class Trigger:
    """A phase of a day may start."""

    phase: Phase
    game_date: dt.date
    correlation_id: str


class UnreadableError(ValueError):
    """A message that no second reading makes better; the text names the field, its value and what was expected."""


def read(received: Received) -> Completion | Trigger:
    """UnreadableError: not JSON, too large, fields that lack or are wrong, a topic or a processor we do not know."""
    fields = _fields(received.data)
    if phase := _STARTED_BY.get(received.topic):
        # The one that starts the predictions is a completion message, of the whole phase.
        _require(fields, _REQUIRED if phase is Phase.PREDICTIONS else _REQUIRED_OF_TRIGGER)
        return Trigger(phase, _day(fields), fields["correlation_id"])
    if received.topic not in _BY_TOPIC:
        raise UnreadableError(f"topic is {received.topic[:80]!r}, expected one of {', '.join(TOPICS)}")
    return _completion(fields, _BY_TOPIC[received.topic])


def _completion(fields: dict[str, Any], phase: Phase) -> Completion:
    _require(fields, _REQUIRED)
    name = fields["processor_name"]
    known = RAW_PROCESSORS if phase is Phase.INGEST else [p.name for p in BY_NAME.values() if p.phase is phase]
    if name not in known:
        raise UnreadableError(f"processor_name is {name[:80]!r}, expected one of {', '.join(known)}")
    if fields["phase"] != phase.value:
        raise UnreadableError(f"phase is {fields['phase'][:80]!r}, expected {phase.value} on its topic")
    if fields["status"] not in STATUSES:
        raise UnreadableError(f"status is {fields['status'][:80]!r}, expected one of {', '.join(STATUSES)}")
    return Completion(name, phase, _day(fields), fields["correlation_id"])


def _fields(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"the message has {len(data)} bytes, expected {MAX_BYTES} at most")
    try:
        fields = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"the message is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableError(f"the message is a JSON {type(fields).__name__}, expected an object")
    return fields


def _require(fields: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(fields.get(name), str) or not fields[name] or _HALF.search(fields[name]):
            raise UnreadableError(f"{name} is {str(fields.get(name))[:80]!r}, expected a text")


def _day(fields: Mapping[str, Any]) -> dt.date:
    try:
        return dt.date.fromisoformat(fields["game_date"])
    except ValueError:
        raise UnreadableError(f"game_date is {fields['game_date'][:80]!r}, expected YYYY-MM-DD") from None
