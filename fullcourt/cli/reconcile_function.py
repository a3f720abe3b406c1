"""The clock's part in what starts when: `fullcourt events reconcile` for a message of Cloud Scheduler's, by Pub/Sub.

A schedule says when to look; what may start, and for which game day, is read from the tables.  `handler` makes the
function that functions-framework serves; templates/reconcile/main.py names it.
"""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fullcourt.cli.cleanup_function import WAREHOUSE, Clock, requested
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EngineError, GateError, UsageError
from fullcourt.orchestration.events import outbox
from fullcourt.orchestration.events.reconcile import look, repair
from fullcourt.pubsub.address import VARIABLE, Address
from fullcourt.pubsub.client import PubSub
from fullcourt.warehouse import open_warehouse
from fullcourt.warehouse.ddl import check_schema

LOG = logging.getLogger(__name__)
TOPIC = "events-reconcile-trigger"
_DAYS_BACK, _DAYS_AHEAD = dt.timedelta(7), dt.timedelta(1)


def handler(
    environment: Mapping[str, str], broker: outbox.Broker | None = None, clock: Clock | None = None
) -> Callable[[Any], None]:
    """A function of a CloudEvent that holds a Pub/Sub message. UsageError names what the environment lacks."""
    if lacking := [name for name in (WAREHOUSE, VARIABLE) if not environment.get(name)]:
        raise UsageError(f"the environment lacks {', '.join(lacking)}")
    warehouse = open_warehouse(environment[WAREHOUSE])
    sender = broker or PubSub(Address.parse(environment[VARIABLE]))
    now = clock or (lambda: dt.datetime.now(dt.UTC))

    def reconcile(event: Any) -> None:
        """EngineError: it has to be tried again. A repeat finds in the tables what was triggered."""
        if requested(event.data) is None:
            return
        check_schema(warehouse)
        instant = now()
        today = sports_day(instant)
        try:
            findings = look(warehouse, today - _DAYS_BACK, today + _DAYS_AHEAD, instant)
        except GateError as error:  # a season that is not loaded: another look would find the same
            LOG.warning("nothing is looked at: %s", error)
            findings = []
        for finding in findings:
            LOG.info("%s of %s: %s", finding.phase.name.lower(), finding.day, finding.found.value)
        LOG.info("%d phases are triggered", repair(warehouse, findings, instant))
        sent = outbox.send(warehouse, sender, instant)
        if sent.failed:
            example = next(iter(sent.failed.values()))
            raise EngineError(f"{len(sent.failed)} messages were not acknowledged, such as: {example}")

    return reconcile
