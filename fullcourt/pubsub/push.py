"""What Pub/Sub pushes to an address of ours: who may, how much, how old, and what the answer means to it.

An answer below 300 acknowledges the message.  Every other one makes it come again, refusals too, until the
subscription's retention ends or its own dead-letter topic takes it.
"""

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fullcourt.domain.errors import UsageError
from fullcourt.domain.events import Received
from fullcourt.pubsub.address import topic_of

MAX_BODY_BYTES = (
    1024 * 1024
)  # a message that is a little too large is put on record, one that is far too large not read
MAX_AGE = dt.timedelta(days=7)  # for which Pub/Sub repeats a message, under the time it was first published at
_AHEAD = dt.timedelta(minutes=10)
_SKEW_SECONDS = 10
_CERTIFICATES_AGE = dt.timedelta(hours=1)
HANDLED, MALFORMED, UNAUTHENTICATED, FORBIDDEN, WRONG_METHOD, TOO_LARGE, LATER = 204, 400, 401, 403, 405, 413, 503
_STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True)
class Answer:
    status: int
    text: str = ""


@dataclass(frozen=True)
class Request:
    """headers: names in lower case.  read: at most so many bytes of the body.  length: as sent, or None."""

    method: str
    headers: Mapping[str, str]
    length: int | None
    read: Callable[[int], bytes]


class Certificates:
    """A google.auth.transport.Request that gets the issuer's certificates once an hour, however many tokens come."""

    def __init__(self, fetch: Any, clock: Callable[[], dt.datetime]) -> None:
        self._fetch, self._clock = fetch, clock
        self._known: dict[str, tuple[dt.datetime, Any]] = {}

    def __call__(self, url: str, method: str = "GET", **more: Any) -> Any:
        known = self._known.get(url)
        if known and self._clock() - known[0] < _CERTIFICATES_AGE:
            return known[1]
        answer = self._fetch(url, method=method, **more)
        if answer.status == HTTPStatus.OK:
            self._known[url] = (self._clock(), answer)
        return answer


class RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = Answer(status, text)


@dataclass(frozen=True)
class Gate:
    """Whom we believe.

    audience: what the token must be made out to.  service_account: the e-mail address it must be of.
    fetch: gets Google's certificates, a google.auth.transport.Request.
    max_age: of a message; an older one is no repeat of Pub/Sub's.
    """

    audience: str
    service_account: str
    fetch: Any
    max_age: dt.timedelta = MAX_AGE

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https://\S+", self.audience):
            raise UsageError(f"audience is {self.audience!r}, expected the https address that messages are pushed to")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", self.service_account):
            raise UsageError(f"service account is {self.service_account!r}, expected an e-mail address")

    def admit(self, request: Request, now: dt.datetime) -> Received:
        """RefusedError for everything that is not a message of our subscription's, sent by it."""
        if request.method != "POST":
            raise RefusedError(WRONG_METHOD, "expected POST")
        self._identify(request.headers.get("authorization", ""))
        received = _message(request.headers, _body(request))
        if received.published_at is None or not -_AHEAD <= now - received.published_at <= self.max_age:
            raise RefusedError(
                MALFORMED, f"publishTime is {received.published_at}, expected one of the last {self.max_age.days} days"
            )
        return received

    def _identify(self, authorization: str) -> None:
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.oauth2 import id_token

        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RefusedError(UNAUTHENTICATED, "expected a bearer token")
        try:
            claims = id_token.verify_oauth2_token(token, self.fetch, self.audience, _SKEW_SECONDS)
        except TransportError as error:
            raise RefusedError(LATER, f"the issuer's certificates cannot be read: {error}") from error
        except (ValueError, KeyError, GoogleAuthError) as error:
            raise RefusedError(UNAUTHENTICATED, "the token is not valid") from error
        if claims.get("email") != self.service_account or claims.get("email_verified") is not True:
            raise RefusedError(FORBIDDEN, "the token is not of the service account that may push")


def _body(request: Request) -> bytes:
    too_large = RefusedError(TOO_LARGE, f"expected {MAX_BODY_BYTES} bytes at most")
    if (request.length or 0) > MAX_BODY_BYTES:
        raise too_large
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise too_large
    return body


def _message(headers: Mapping[str, str], body: bytes) -> Received:
    """Of a push subscription's envelope, or of a CloudEvent that holds one, in either of its modes."""
    try:
        envelope = json.loads(body)
        source = headers.get("ce-source", "")
        if headers.get("content-type", "").startswith(_STRUCTURED):
            envelope, source = envelope["data"], envelope["source"]
        message = envelope["message"]
        attributes = message.get("attributes") or {}
        return Received(
            message_id=_text(message["messageId"]),
            topic=topic_of(_text(source or envelope["subscription"])),
            data=base64.b64decode(_text(message.get("data", "")), validate=True),
            attributes={_text(name): _text(value) for name, value in attributes.items()},
            published_at=_instant(_text(message["publishTime"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise RefusedError(MALFORMED, f"expected a message as Pub/Sub pushes it: {type(error).__name__}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    value.encode()  # JSON can spell half a character, which no table takes: a ValueError
    return value


def _instant(text: str) -> dt.datetime:
    """RFC 3339, with as many digits of a second as the sender likes."""
    instant = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant
