"""The cloud's warehouse: datasets of one BigQuery project, written through a bucket of Cloud Storage.

SQL runs as it is written.  A snapshot and a publish are each one transaction of a session of their own: reads in it
are of one instant, views included, which time travel cannot read.  Google's modules are imported on use only.

Staging directories are on this machine, or, for a runner whose workers are elsewhere, in the bucket.

What BigQuery does otherwise than DuckDB, and a reader must bear: a null list comes back empty.  DDL has no
transactions: an `apply` that fails removes the empty tables and datasets that it made, and keeps columns it added.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.warehouse.bigquery import values
from fullcourt.warehouse.bigquery.address import Address
from fullcourt.warehouse.bigquery.jobs import Jobs, named
from fullcourt.warehouse.bigquery.staging import DATASET, CloudStaging, merged
from fullcourt.warehouse.bigquery.turn import Turn, awaited
from fullcourt.warehouse.files import opened
from fullcourt.warehouse.local_staging import LocalStaging
from fullcourt.warehouse.protocol import Read, Snapshot, Staging
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES

LOG = logging.getLogger(__name__)
_STREAMS = 4
_LOOKUPS = 8


class BigQueryWarehouse:
    """A Warehouse in one project and location."""

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)
        if not _installed():
            raise UsageError(f"warehouse {url!r} needs Google's clients: pip install 'full-court[gcp]'")
        self._jobs = Jobs(self._address)
        self._local = LocalStaging(self._address.staging) if self._address.staging else None
        self._cloud = CloudStaging(self._jobs)
        self.url = self._address.url

    def staging(self, run_id: str) -> str:
        return str(self._local.make(run_id)) if self._local else self._cloud.directory(run_id)

    def sweep(self, run_id: str) -> None:
        if self._local:
            self._local.sweep(run_id)
        try:
            self._cloud.sweep(run_id)
        except EngineError as error:  # the run is over, whatever becomes of what it leaves
            LOG.warning("left to the next sweep, or to expire: what run %s staged; %s", run_id, error)

    def discard(self, run_id: str) -> None:
        if self._local:
            self._local.discard(run_id)
        self._cloud.discard(run_id)

    def stagings(self) -> list[Staging]:
        found = {staging.run_id: staging for staging in self._local.list()} if self._local else {}
        for staging in self._cloud.list():
            found[staging.run_id] = merged(staging, found.get(staging.run_id))
        return [found[run] for run in sorted(found)]

    def columns(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        if not (datasets := self._datasets()):
            return found
        selected = "SELECT table_schema, table_name, column_name, data_type, ordinal_position"
        sql = " UNION ALL ".join(f"{selected} FROM {dataset}.INFORMATION_SCHEMA.COLUMNS" for dataset in datasets)
        for row in self.query(f"{sql} ORDER BY 1, 2, ordinal_position").to_pylist():
            table = found.setdefault(f"{row['table_schema']}.{row['table_name']}", {})
            table[row["column_name"]] = row["data_type"].replace(" ", "")
        vague = [table.id for table in TABLES.values() if "NUMERIC" in found.get(table.id, {}).values()]
        with named(self._address.project), ThreadPoolExecutor(_LOOKUPS) as pool:
            for table_id, numerics in zip(vague, pool.map(self._numerics, vague), strict=True):
                found[table_id] |= numerics
        return found

    def _datasets(self) -> list[str]:
        """Of the product's datasets those that exist."""
        ours = {table.dataset for table in TABLES.values()} | {view.dataset for view in VIEWS.values()}
        with named(self._address.project):
            return sorted(ours & {item.dataset_id for item in self._jobs.client.list_datasets(retry=self._jobs.retry)})

    def _numerics(self, table_id: str) -> dict[str, str]:
        """NUMERIC columns with precision and scale, where INFORMATION_SCHEMA does not say."""
        fields = self._jobs.client.get_table(table_id, retry=self._jobs.retry).schema
        return {f.name: f"NUMERIC({f.precision},{f.scale or 0})" for f in fields if f.precision is not None}

    def apply(self, statements: Sequence[str]) -> None:
        before, made = set(self._datasets()), []
        try:
            for statement in statements:
                job = self._jobs.run(statement)
                if job.ddl_operation_performed == "CREATE" and job.ddl_target_table is not None:
                    made.append(job.ddl_target_table)
        except BaseException:
            self._remove(made[::-1], sorted(set(self._datasets()) - before))
            raise

    def _remove(self, tables: Sequence[Any], datasets: Sequence[str]) -> None:
        """What a failed apply made, as far as it is still empty: somebody else may have begun to use it."""
        from google.api_core.exceptions import BadRequest

        client, retry = self._jobs.client, self._jobs.retry
        with named(self._address.project):
            for table in tables:
                if not client.get_table(table, retry=retry).num_rows:
                    client.delete_table(table, not_found_ok=True, retry=retry)
            for dataset in datasets:
                try:
                    client.delete_dataset(dataset, not_found_ok=True, retry=retry)
                except BadRequest:  # it holds what others made
                    continue

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        return self._jobs.rows(sql, parameters)

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def scanned_bytes(self, reads: Sequence[Read]) -> int:
        return sum(self._jobs.scanned_bytes(read.sql, read.only) for read in reads)

    def snapshot(self, reads: Sequence[Read], directory: str) -> Snapshot:
        with self._jobs.transaction() as session:
            return {read.key: self._export(read, session, directory) for read in reads}

    def _export(self, read: Read, session: str, directory: str) -> tuple[str, ...]:
        """One Parquet file for each stream of the result, which the service splits by its size."""
        from google.cloud.bigquery_storage import DataFormat, ReadSession

        job = self._jobs.run(*values.bind(read.sql, read.only), session=session)
        asked = ReadSession(table=job.destination.to_bqstorage(), data_format=DataFormat.ARROW)
        with named(self._address.project):
            reading = self._jobs.reader.create_read_session(
                parent=f"projects/{self._address.project}", read_session=asked, max_stream_count=_STREAMS
            )

            def export(number: int) -> str:
                path = f"{directory}/{read.key}-{number}.parquet"
                with opened(path, "wb") as file, pq.ParquetWriter(file, read.schema) as writer:
                    if number < len(reading.streams):
                        rows = self._jobs.reader.read_rows(reading.streams[number].name).rows(reading)
                        for page in rows.pages:
                            writer.write_batch(_of_schema(page.to_arrow(), read.schema))
                return path

            with ThreadPoolExecutor(_STREAMS) as pool:
                return tuple(pool.map(export, range(max(1, len(reading.streams)))))

    def fingerprints(self, reads: Sequence[Read]) -> dict[str, str]:
        """One statement for all reads, hence one instant.

        A row's hash is of its columns as JSON, which tells every value from every other; their sum, of all rows, does
        not overflow a NUMERIC below ten thousand million rows.
        """
        parts: list[str] = []
        parameters: dict[str, list[Any]] = {}
        for number, read in enumerate(reads):
            hashed = ", ".join(f"{name} AS {name}" for name in read.content_columns) or "1 AS one"
            where = " AND ".join(f"{column} IN UNNEST(@p{number}_{column})" for column in read.only) or "TRUE"
            parameters |= {f"p{number}_{column}": list(held) for column, held in read.only.items()}
            row = f"CAST(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({hashed}))) AS NUMERIC)"
            parts.append(
                f"SELECT {number} AS number, COUNT(*) AS n, CAST(COALESCE(SUM({row}), 0) AS STRING) AS total "
                f"FROM {read.id} WHERE {where}"
            )
        if not parts:
            return {}
        rows = {row["number"]: row for row in self.query(" UNION ALL ".join(parts), **parameters).to_pylist()}
        return {read.key: f"{rows[i]['n']}-{rows[i]['total']}" for i, read in enumerate(reads)}

    @contextmanager
    def transaction(self, staged: Mapping[str, Sequence[str]]) -> Iterator["_BigQuerySession"]:
        """The files are loaded before the transaction begins: a load job cannot be part of one."""
        self._cloud.make_dataset()
        relations = {
            name: self._cloud.load(TABLES[name], paths) if paths else values.nothing(TABLES[name])
            for name, paths in staged.items()
        }
        with awaited(self._jobs, DATASET) as mine, self._jobs.transaction() as session:
            mine.hold(session)
            yield _BigQuerySession(self._jobs, session, relations, mine)


class _BigQuerySession:
    def __init__(self, jobs: Jobs, session: str, relations: Mapping[str, str], mine: Turn) -> None:
        self._jobs, self._session, self._relations, self._turn = jobs, session, relations, mine

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        self._turn.renew(self._session)
        return self._jobs.rows(sql, parameters, session=self._session)

    def execute(self, sql: str, **parameters: Any) -> None:
        self._turn.renew(self._session)
        self._jobs.run(*values.bind(sql, parameters), session=self._session)

    def insert(self, table: str, rows: pa.Table) -> None:
        for sql, bound in values.insertions(TABLES[table], rows):
            self._jobs.run(sql, [bound], session=self._session)

    def staged(self, table: str) -> str:
        return self._relations[table]


def _installed() -> bool:
    try:
        return find_spec("google.cloud.bigquery") is not None
    except ModuleNotFoundError:  # not even the packages it would be in
        return False


def _of_schema(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, KeyError) as error:
        raise EngineError(f"BigQuery answered with other columns than asked for: {error}") from error
