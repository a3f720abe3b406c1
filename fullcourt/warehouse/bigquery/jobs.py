"""Jobs and clients of one project and location. The cloud's modules are imported here, on use.

Every job has an id of our own, so that asking for it again, after a lost answer, finds the job instead of a second one;
nothing else is retried.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import pyarrow as pa

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.bigquery import values
from fullcourt.warehouse.bigquery.address import Address

RETRY_SECONDS = 60.0
_MANY_ROWS = 10_000  # from here on a read session is worth opening
LABELS = {"app": "fullcourt"}
_STORAGE_EMULATOR = "BIGQUERY_STORAGE_EMULATOR_HOST"  # BigQuery's own variable is read by its client


class Jobs:
    """Runs statements and load jobs, and reads results; every error leaves as EngineError, named."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @cached_property
    def client(self) -> Any:
        from google.cloud import bigquery

        credentials = None
        if os.environ.get("BIGQUERY_EMULATOR_HOST"):
            from google.auth.credentials import AnonymousCredentials

            credentials = AnonymousCredentials()
        with named(self.address.project):
            return bigquery.Client(self.address.project, credentials=credentials, location=self.address.location)

    @cached_property
    def reader(self) -> Any:
        """The Storage Read API's client."""
        from google.cloud import bigquery_storage

        if not (emulator := os.environ.get(_STORAGE_EMULATOR)):
            with named(self.address.project):
                return bigquery_storage.BigQueryReadClient()
        import grpc
        from google.cloud.bigquery_storage_v1.services.big_query_read import transports

        # As large as the client takes them of the service.
        channel = grpc.insecure_channel(emulator, options=[("grpc.max_receive_message_length", -1)])
        transport = transports.BigQueryReadGrpcTransport(channel=channel)
        return bigquery_storage.BigQueryReadClient(transport=transport)

    @cached_property
    def bucket(self) -> Any:
        from google.cloud import storage

        with named(self.address.project):
            return storage.Client(self.address.project).bucket(self.address.bucket)

    @cached_property
    def retry(self) -> Any:
        from google.cloud.bigquery import DEFAULT_RETRY

        return DEFAULT_RETRY.with_timeout(RETRY_SECONDS)

    def run(
        self, sql: str, parameters: Sequence[Any] = (), *, session: str | None = None, create_session: bool = False
    ) -> Any:
        """One statement, done: its job."""
        with named(self.address.project):
            job = self._query(sql, parameters, session, create_session)
            self._finished(job)
        return job

    def rows(self, sql: str, parameters: Mapping[str, Any], *, session: str | None = None) -> pa.Table:
        """One statement's rows, typed as declared."""
        statement, bound = values.bind(sql, parameters)
        with named(self.address.project):
            found = self._finished(self._query(statement, bound, session, create_session=False))
            reader = self.reader if found.total_rows > _MANY_ROWS else None
            table = found.to_arrow(bqstorage_client=reader, create_bqstorage_client=False)
        return values.as_declared(sql, table)

    def _query(self, sql: str, parameters: Sequence[Any], session: str | None, create_session: bool) -> Any:
        from google.cloud.bigquery import ConnectionProperty, QueryJobConfig

        config = QueryJobConfig(
            query_parameters=list(parameters),
            labels=LABELS,
            create_session=create_session,
            connection_properties=[ConnectionProperty("session_id", session)] if session else [],
        )
        if self.address.maximum_bytes_billed:
            config.maximum_bytes_billed = self.address.maximum_bytes_billed
        return self.started(
            f"fullcourt-{uuid.uuid4()}",
            lambda job_id: self.client.query(sql, job_config=config, job_id=job_id, retry=self.retry, job_retry=None),
        )

    def _finished(self, job: Any) -> Any:
        """Waits for the job, asking by its id; its rows."""
        return job.result(retry=self.retry, job_retry=None)

    def started(self, job_id: str, start: Callable[[str], Any]) -> Any:
        """The job of that id, started now or before: BigQuery never runs an id twice."""
        from google.api_core.exceptions import Conflict

        try:
            return start(job_id)
        except Conflict:
            return self.client.get_job(job_id, retry=self.retry)

    def scanned_bytes(self, sql: str, parameters: Mapping[str, Any]) -> int:
        from google.cloud.bigquery import QueryJobConfig

        statement, bound = values.bind(sql, parameters)
        config = QueryJobConfig(query_parameters=bound, dry_run=True, use_query_cache=False)
        with named(self.address.project):
            job = self.client.query(statement, job_config=config, retry=self.retry, job_retry=None)
        return int(job.total_bytes_processed)

    @contextmanager
    def transaction(self) -> Iterator[str]:
        """A session with a transaction open in it, by its id; commits unless the block raises.

        Reads in it are of one instant, and see what the transaction itself has written.
        """
        session = self.run("BEGIN TRANSACTION", create_session=True).session_info.session_id
        try:
            try:
                yield session
            except BaseException:
                with suppress(EngineError):  # the end of the session rolls back as well
                    self.run("ROLLBACK TRANSACTION", session=session)
                raise
            self.run("COMMIT TRANSACTION", session=session)
        finally:
            with suppress(EngineError):  # it ends by itself after a day without a statement
                self.run("CALL BQ.ABORT_SESSION()", session=session)


@contextmanager
def named(what: str) -> Iterator[None]:
    """What the cloud refuses, as EngineError in one line."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, RequestException) as error:
        text = " ".join(str(error).split())
        hint = "; create the warehouse with `fullcourt init`" if "Not found: Dataset" in text else ""
        raise EngineError(f"BigQuery project {what}: {text}{hint}") from error
