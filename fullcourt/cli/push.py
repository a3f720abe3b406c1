"""The push endpoint: what `fullcourt events listen` does, for a server that Pub/Sub sends each message to.

`endpoint` makes the function that functions-framework serves; templates/events_push/main.py names it.
"""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fullcourt.cli.job_launch import JobLaunch
from fullcourt.cli.local_launch import LocalLaunch
from fullcourt.cli.on import On, Where
from fullcourt.domain.errors import UsageError
from fullcourt.orchestration.events.launch import Launch
from fullcourt.orchestration.events.subscriber import Subscriber
from fullcourt.pubsub.address import VARIABLE, Address
from fullcourt.pubsub.client import PubSub
from fullcourt.pubsub.push import HANDLED, LATER, Answer, Certificates, Gate, RefusedError, Request
from fullcourt.warehouse import open_warehouse
from fullcourt.warehouse.ddl import check_schema

LOG = logging.getLogger(__name__)
WAREHOUSE, AUDIENCE, SERVICE_ACCOUNT, MODEL = (
    "FULLCOURT_WAREHOUSE",
    "FULLCOURT_PUSH_AUDIENCE",
    "FULLCOURT_PUSH_SERVICE_ACCOUNT",
    "FULLCOURT_MODEL",
)
# Of jobs on Dataflow, if phases are to run there.
TEMPLATES, WORKERS, PROJECT, REGION = (
    "FULLCOURT_TEMPLATES",
    "FULLCOURT_WORKERS_SERVICE_ACCOUNT",
    "GOOGLE_CLOUD_PROJECT",
    "FULLCOURT_REGION",
)
_REQUIRED = (WAREHOUSE, VARIABLE, AUDIENCE, SERVICE_ACCOUNT)
Clock = Callable[[], dt.datetime]


def endpoint(
    environment: Mapping[str, str], launch: Launch | None = None, fetch: Any = None, clock: Clock | None = None
) -> Callable[[Any], tuple[str, int]]:
    """A function of a Flask request. UsageError names what the environment lacks, before anything is served.

    launch: if None, jobs of the templates that the environment names, else runs in this process, as far as the server's
        time limit goes.  fetch: of Gate.
    """
    if lacking := [name for name in _REQUIRED if not environment.get(name)]:
        raise UsageError(f"the environment lacks {', '.join(lacking)}")
    clock = clock or (lambda: dt.datetime.now(dt.UTC))
    warehouse = environment[WAREHOUSE]
    store = open_warehouse(warehouse)
    check_schema(store)
    gate = Gate(environment[AUDIENCE], environment[SERVICE_ACCOUNT], Certificates(fetch or _fetch(), clock))
    subscriber = Subscriber(
        store,
        launch or _launch(environment, store.url, clock),
        PubSub(Address.parse(environment[VARIABLE])),
        clock,
        LOG.info,
        LOG.warning,
    )

    def receive(request: Any) -> tuple[str, int]:
        asked = Request(
            request.method,
            {name.lower(): value for name, value in request.headers.items()},
            request.content_length,
            request.stream.read,
        )
        answer = take(gate, subscriber, asked, clock())
        return answer.text, answer.status

    return receive


def take(gate: Gate, subscriber: Subscriber, request: Request, now: dt.datetime) -> Answer:
    """204: dealt with, and on record, though it be as a dead letter; 503: it has to come again; 4xx: it is not ours."""
    try:
        received = gate.admit(request, now)
    except RefusedError as refused:
        LOG.warning("a push was refused: %d %s", refused.answer.status, refused)
        return refused.answer
    return Answer(HANDLED) if subscriber.take(received) else Answer(LATER, "it has to come again")


def _launch(environment: Mapping[str, str], warehouse: str, clock: Clock) -> Launch:
    if not (templates := environment.get(TEMPLATES)):
        model = environment.get(MODEL)
        return LocalLaunch(warehouse, clock, Path(model) if model else None)
    account, project, region = (environment.get(name) for name in (WORKERS, PROJECT, REGION))
    where = On(on=Where.DATAFLOW, project=project, region=region, location=templates, service_account=account)
    return JobLaunch(warehouse, where)


def _fetch() -> Any:
    from google.auth.transport.requests import Request as Transport

    return Transport()
