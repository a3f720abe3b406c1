"""Whose turn it is to write: one transaction at a time, as BigQuery cancels those that meet on a table.

The turn is a table of the staging dataset, which only one can make.  Its description says who holds it, and the
session of the transaction.  Whoever finds it long unrenewed, or its holder dead on this machine, takes it over, and
ends that session, whose locks would hold the tables for a day.  This is courtesy: that nothing is written twice or
torn, BigQuery's transactions see to.
"""

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.bigquery.jobs import LABELS, Jobs, named
from fullcourt.warehouse.owner import alive, this_process

TABLE = "whose_turn"
LEASE_SECONDS = 600.0  # longer than any one statement of a publish
WAIT_SECONDS = 900.0
_RENEWALS = 4  # a lease


class _HeldError(Exception):
    """Somebody else has the turn."""


@dataclass
class Turn:
    """The turn as its holder has it; table: as last written, with its etag."""

    jobs: Jobs
    table: Any
    renewed: float

    def hold(self, session: str) -> None:
        """Says whose session it is; renews the lease. EngineError when another has taken the turn over."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        self.table.description = _description(session)
        try:
            self.table = self.jobs.client.update_table(self.table, ["description"], retry=self.jobs.retry)
        except (NotFound, PreconditionFailed) as error:
            raise EngineError(
                f"this process lost its turn to write to {self.jobs.address.project}: it did nothing for more than "
                f"{LEASE_SECONDS:g} s, and another went on; nothing was published"
            ) from error
        self.renewed = time.monotonic()

    def renew(self, session: str) -> None:
        if time.monotonic() - self.renewed > LEASE_SECONDS / _RENEWALS:
            with named(self.jobs.address.project):
                self.hold(session)


@contextmanager
def awaited(jobs: Jobs, dataset: str) -> Iterator[Turn]:
    """Waits for it, bounded: EngineError names who holds it."""
    waiting = Retrying(
        retry=retry_if_exception_type(_HeldError),
        stop=stop_after_delay(WAIT_SECONDS),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        reraise=True,
    )
    with named(jobs.address.project):
        try:
            mine = Turn(jobs, waiting(_take, jobs, f"{jobs.address.project}.{dataset}.{TABLE}"), time.monotonic())
        except _HeldError as error:
            raise EngineError(
                f"{error} is writing to {jobs.address.project}; waited {WAIT_SECONDS:g} s, expected it to end"
            ) from error
    try:
        yield mine
    finally:
        with suppress(EngineError), named(jobs.address.project):  # else it is taken over in time
            jobs.client.delete_table(mine.table, not_found_ok=True, retry=jobs.retry)


def _take(jobs: Jobs, table_id: str) -> Any:
    from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
    from google.cloud import bigquery

    table = bigquery.Table(table_id, schema=[bigquery.SchemaField("nothing", "STRING")])
    table.description, table.labels = _description(None), LABELS
    try:
        return jobs.client.create_table(table)
    except Conflict:
        pass
    try:
        found = jobs.client.get_table(table_id, retry=jobs.retry)
        held = json.loads(found.description)
        unrenewed = dt.datetime.now(dt.UTC) - found.modified
        if unrenewed.total_seconds() < LEASE_SECONDS and alive(held["owner"]):
            raise _HeldError(held["owner"])
        found.description = _description(None)
        taken = jobs.client.update_table(found, ["description"])
    except (NotFound, PreconditionFailed) as error:  # it is free now, or another was faster
        raise _HeldError("another process") from error
    if held["session"]:
        with suppress(EngineError):  # it has ended by itself
            jobs.run(f"CALL BQ.ABORT_SESSION({json.dumps(held['session'])})")
    return taken


def _description(session: str | None) -> str:
    """renewed_at makes each one another: an unchanged table would not count as modified."""
    renewed_at = dt.datetime.now(dt.UTC).isoformat()
    return json.dumps({"owner": this_process(), "session": session, "renewed_at": renewed_at})
