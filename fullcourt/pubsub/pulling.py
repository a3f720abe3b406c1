"""Messages of several subscriptions, one at a time, each kept leased while it is worked on.

Pulled, not streamed: of a stream whose subscriber was killed, brokers have been seen to keep the messages.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fullcourt.domain.events import Received

LOG = logging.getLogger(__name__)
_STOPPING_SECONDS = 5.0  # for which a message that was not looked at may take to be given back
_PAUSE_SECONDS = 1.0  # after the broker could not be reached


@dataclass
class _Handed:
    """A message in the hands of whoever takes it. taken: the answer, once `done` is set."""

    received: Received
    done: threading.Event = field(default_factory=threading.Event)
    taken: bool = False

    def answer(self, taken: bool) -> None:
        self.taken = taken
        self.done.set()


_Inbox = queue.Queue[_Handed | Exception]


def pull_all(
    client: Any,
    subscriptions: Mapping[str, str],
    take: Callable[[Received], bool],
    idle: Callable[[], bool],
    *,
    idle_seconds: float,
    lease_seconds: int,
    wait_seconds: float,
) -> None:
    """Hands over one message at a time, and acknowledges those that are taken; the others come again.

    subscriptions: topic -> full name.  idle: called whenever nothing has come for so long; False ends it.
    wait_seconds: for which one request waits for a message.
    """
    inbox: _Inbox = queue.Queue()
    stop = threading.Event()
    pullers = [
        _Puller(client, topic, name, inbox, stop, lease_seconds, wait_seconds) for topic, name in subscriptions.items()
    ]
    threads = [threading.Thread(target=puller.run, daemon=True) for puller in pullers]
    for thread in threads:
        thread.start()
    try:
        while True:
            try:
                handed = inbox.get(timeout=idle_seconds)
            except queue.Empty:
                if not idle():
                    return
                continue
            if isinstance(handed, Exception):
                raise handed
            taken = False
            try:
                taken = take(handed.received)
            finally:
                handed.answer(taken)
    finally:
        stop.set()
        _give_back(inbox)
        for puller, thread in zip(pullers, threads, strict=True):
            thread.join(_STOPPING_SECONDS if puller.holds else 0)
        client.close()  # ends the requests that wait
        for thread in threads:
            thread.join(_STOPPING_SECONDS)


@dataclass
class _Puller:
    """One subscription: asks for a message, hands it over, prolongs its lease until it is answered."""

    client: Any
    topic: str
    subscription: str
    inbox: _Inbox
    stop: threading.Event
    lease: int
    wait: float
    holds: bool = False

    def run(self) -> None:
        from google.api_core import exceptions

        away = (
            exceptions.DeadlineExceeded,
            exceptions.ServiceUnavailable,
            exceptions.InternalServerError,
            exceptions.Aborted,
            exceptions.RetryError,
        )
        while not self.stop.is_set():
            try:
                self._pull()
            except exceptions.DeadlineExceeded:
                continue  # nothing came
            except away as error:
                LOG.info("%s: %s", self.subscription, error)
                self.stop.wait(_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - it is raised where messages are taken
                if not self.stop.is_set():
                    self.inbox.put(error)
                return
            finally:
                self.holds = False

    def _pull(self) -> None:
        asked = {"subscription": self.subscription, "max_messages": 1}
        for delivered in self.client.pull(request=asked, timeout=self.wait).received_messages:
            self.holds = True
            message = delivered.message
            handed = _Handed(
                Received(message.message_id, self.topic, message.data, dict(message.attributes), message.publish_time)
            )
            self.inbox.put(handed)
            if self.stop.is_set():
                handed.answer(False)  # nobody looks any more
            while not handed.done.wait(self.lease / 3):
                if self.stop.is_set():
                    return
                self._prolong(delivered.ack_id, self.lease)
            if handed.taken:
                self.client.acknowledge(request={"subscription": self.subscription, "ack_ids": [delivered.ack_id]})
            else:
                self._prolong(delivered.ack_id, 0)  # it comes again at the broker's pace

    def _prolong(self, ack_id: str, seconds: int) -> None:
        self.client.modify_ack_deadline(
            request={"subscription": self.subscription, "ack_ids": [ack_id], "ack_deadline_seconds": seconds}
        )


def _give_back(inbox: _Inbox) -> None:
    """What was not looked at comes again at once, not when its lease has run out."""
    while not inbox.empty():
        handed = inbox.get()
        if isinstance(handed, _Handed):
            handed.answer(False)
