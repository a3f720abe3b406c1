"""Takes in one message after the other, whoever brings them, and sends on what its decisions put into the outbox."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from fullcourt.domain.errors import FullCourtError
from fullcourt.domain.events import Received
from fullcourt.orchestration.events.handle import handle
from fullcourt.orchestration.events.launch import Launch
from fullcourt.orchestration.events.outbox import Broker, send
from fullcourt.warehouse import Warehouse


@dataclass(frozen=True)
class Subscriber:
    """clock: read once a message.  decided: hears each decision.  warn: hears what went wrong and comes again."""

    warehouse: Warehouse
    launch: Launch
    broker: Broker
    clock: Callable[[], dt.datetime]
    decided: Callable[[str], None]
    warn: Callable[[str], None]

    def take(self, received: Received) -> bool:
        """Whether the message is dealt with, and need not come again."""
        try:
            handled = handle(self.warehouse, self.launch, received, self.clock())
        except FullCourtError as error:
            self.warn(f"message {received.message_id} of {received.topic} has to come again: {error}")
            return False
        self.decided(str(handled))
        self.send()  # of a repeat too: it may have been killed before it got here
        return True

    def send(self) -> int:
        return send_quietly(self.warehouse, self.broker, self.clock(), self.warn)


def send_quietly(warehouse: Warehouse, broker: Broker, now: dt.datetime, warn: Callable[[str], None]) -> int:
    """Sends what waits in the outbox and returns how many; what fails is told, fails nothing else, and waits."""
    try:
        sent = send(warehouse, broker, now)
    except FullCourtError as error:
        warn(f"messages wait in the outbox: {error}")
        return 0
    if sent.failed:
        example = next(iter(sent.failed.values()))
        warn(f"{len(sent.failed)} messages were not acknowledged and wait in the outbox, such as: {example}")
    return sent.count
