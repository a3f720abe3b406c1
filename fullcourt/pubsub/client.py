"""Sending, listening, and making what is missing; a broker that cannot be reached is an EngineError."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as NotInTime
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.domain.events import LISTENED, TOPICS, Received
from fullcourt.pubsub.address import LEASE_SECONDS, Address
from fullcourt.pubsub.pulling import pull_all

SEND_SECONDS = 30.0  # for which a message may try to reach the broker
_WAIT_SECONDS = 30.0  # for which one request waits for a message
_RETENTION = dt.timedelta(days=7)
_BACKOFF = (dt.timedelta(seconds=10), dt.timedelta(minutes=10))


class Outgoing(Protocol):
    """What is sent: orchestration.events.outbox.Message."""

    @property
    def event_id(self) -> str: ...

    @property
    def topic(self) -> str: ...

    @property
    def data(self) -> bytes: ...

    @property
    def attributes(self) -> Any: ...


class PubSub:
    """A project's topics, and our subscriptions to them."""

    def __init__(
        self,
        address: Address,
        send_seconds: float = SEND_SECONDS,
        lease_seconds: int = LEASE_SECONDS,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        if not _installed():
            raise UsageError("Pub/Sub needs Google's client: pip install 'full-court[gcp]'")
        self._address = address
        self._send_seconds, self._lease_seconds, self._wait_seconds = send_seconds, lease_seconds, wait_seconds

    def publish(self, messages: Sequence[Outgoing]) -> dict[str, str]:
        """Sends them; event id -> why, for those that the broker has not acknowledged."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.api_core.retry import Retry
        from google.cloud.pubsub_v1 import PublisherClient
        from google.cloud.pubsub_v1.publisher.exceptions import PublishError

        failed: dict[str, str] = {}
        with self._named():
            client = PublisherClient()
        retry = Retry(deadline=self._send_seconds)
        futures = {
            message.event_id: client.publish(
                self._address.topic(message.topic),
                message.data,
                retry=retry,
                timeout=self._send_seconds,
                **message.attributes,
            )
            for message in messages
        }
        for event_id, future in futures.items():
            try:
                future.result(timeout=2 * self._send_seconds)
            except (GoogleAPICallError, RetryError, PublishError, NotInTime) as error:
                failed[event_id] = f"{type(error).__name__}: {error}"
        client.stop()
        client.transport.close()
        return failed

    def listen(
        self,
        take: Callable[[Received], bool],
        idle: Callable[[], bool],
        idle_seconds: float,
        topics: Sequence[str] = LISTENED,
    ) -> None:
        """Hands over one message at a time, and acknowledges those that are taken; the others come again.

        idle: called whenever nothing has come for a while; ends the listening by answering False.
        """
        from google.cloud.pubsub_v1 import SubscriberClient

        with self._named():
            pull_all(
                SubscriberClient(),
                {topic: self._address.subscription(topic) for topic in topics},
                take,
                idle,
                idle_seconds=idle_seconds,
                lease_seconds=self._lease_seconds,
                wait_seconds=self._wait_seconds,
            )

    def set_up(self) -> list[dict[str, str]]:
        """Makes the topics and subscriptions that are missing, and lists these."""
        from google.api_core.exceptions import AlreadyExists
        from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

        made = []
        with self._named(), PublisherClient() as publisher, SubscriberClient() as subscriber:
            for topic in TOPICS:
                try:
                    publisher.create_topic(name=self._address.topic(topic))
                    made.append({"made": "topic", "name": topic})
                except AlreadyExists:
                    continue
            for topic in LISTENED:
                name = self._address.subscription(topic)
                try:
                    subscriber.create_subscription(request=self._subscription(topic))
                    made.append({"made": "subscription", "name": name.rpartition("/")[2]})
                except AlreadyExists:
                    continue
        return made

    def _subscription(self, topic: str) -> dict[str, Any]:
        shortest, longest = _BACKOFF
        return {
            "name": self._address.subscription(topic),
            "topic": self._address.topic(topic),
            "ack_deadline_seconds": max(10, self._lease_seconds),
            "message_retention_duration": _RETENTION,
            "expiration_policy": {},  # never: a summer without games must not end it
            "retry_policy": {"minimum_backoff": shortest, "maximum_backoff": longest},
        }

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Google's errors leave as ours."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise EngineError(f"Pub/Sub of {self._address.project}: {type(error).__name__}: {error}") from error


def _installed() -> bool:
    try:
        return find_spec("google.cloud.pubsub_v1") is not None
    except ModuleNotFoundError:  # not even the packages it would be in
        return False
