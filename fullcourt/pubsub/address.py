"""Where a Pub/Sub is, and what its topics and subscriptions are called."""

import os
import re
from dataclasses import dataclass

from fullcourt.domain.errors import UsageError

VARIABLE = "FULLCOURT_PUBSUB"
FORM = "pubsub://project"
LEASE_SECONDS = 60  # after which a message whose subscriber was killed comes again
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]*[a-z0-9]")
_SUFFIX = "-fullcourt"


@dataclass(frozen=True)
class Address:
    project: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """UsageError names a URL of another form."""
        scheme, _, project = url.partition("://")
        if scheme != "pubsub" or not _PROJECT.fullmatch(project):
            raise UsageError(f"unknown Pub/Sub {url!r}: expected {FORM}")
        return cls(project)

    @classmethod
    def configured(cls) -> "Address | None":
        """That of the environment; None: nobody listens."""
        url = os.environ.get(VARIABLE)
        return cls.parse(url) if url else None

    def topic(self, name: str) -> str:
        return f"projects/{self.project}/topics/{name}"

    def subscription(self, topic: str) -> str:
        """Ours of a topic."""
        return f"projects/{self.project}/subscriptions/{topic}{_SUFFIX}"


def topic_of(resource: str) -> str:
    """The topic that a topic's or one of our subscriptions' full name speaks of."""
    return resource.rpartition("/")[2].removesuffix(_SUFFIX)
