"""The clean-up on a schedule: what `fullcourt cleanup upcoming --days 7 --yes` does, for a message of Pub/Sub.

`handler` makes the function that functions-framework serves; templates/cleanup/main.py names it.  It returns, and the
message is acknowledged; or it raises, and the message comes again: a repeat finds what was done and does nothing.
"""

import base64
import binascii
import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fullcourt.domain.alerts import CLEANUP_LIMIT
from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.orchestration import cleanup
from fullcourt.warehouse import open_warehouse

LOG = logging.getLogger(__name__)
WAREHOUSE = "FULLCOURT_WAREHOUSE"
TOPIC = "upcoming-tables-cleanup-trigger"
TRIGGER = {"trigger": "scheduled"}  # the message's data, as JSON
Clock = Callable[[], dt.datetime]


def handler(environment: Mapping[str, str], clock: Clock | None = None) -> Callable[[Any], None]:
    """A function of a CloudEvent that holds a Pub/Sub message. UsageError, before anything is served: no warehouse."""
    if not environment.get(WAREHOUSE):
        raise UsageError(f"the environment lacks {WAREHOUSE}")
    warehouse = open_warehouse(environment[WAREHOUSE])
    now = clock or (lambda: dt.datetime.now(dt.UTC))

    def clean(event: Any) -> None:
        """EngineError: what could not be done may be done later, such as while the warehouse is locked or away."""
        if (request := requested(event.data)) is None:
            return
        if cleanup.done(warehouse, request):
            LOG.info("clean-up %s is done: a repeat", request)
            return
        report = cleanup.clean(warehouse, now(), request=request)
        deleted = report["total_records_deleted"]
        LOG.info("clean-up %s: %d rows before %s deleted", report["cleanup_id"], deleted, report["cutoff"])
        if deleted > CLEANUP_LIMIT:
            LOG.warning("more than %d rows were deleted; `fullcourt cleanup restore` puts them back", CLEANUP_LIMIT)
        for error in report["errors"]:
            LOG.error("clean-up %s: %s", report["cleanup_id"], error)
        if report["retryable"]:
            raise EngineError(f"clean-up {report['cleanup_id']} has to be tried again: {'; '.join(report['errors'])}")

    return clean


def requested(data: Any) -> str | None:
    """What the message asks for, the same in each repeat; None: it is no trigger, and would not be one later either."""
    try:
        message = data["message"]
        asked = json.loads(base64.b64decode(message["data"], validate=True))
        if asked != TRIGGER:
            raise ValueError(f"it says {str(asked)[:80]!r}")
        return f"message-{hashlib.sha256(str(message['messageId']).encode()).hexdigest()[:16]}"
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        LOG.warning("a message is no trigger, expected %s: %s", json.dumps(TRIGGER), error)
        return None
