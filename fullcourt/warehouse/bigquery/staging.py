"""Staged files in the bucket, and run-scoped staging tables that they are loaded into.

Object and table names derive from the files' content, and so do the load jobs' ids: whoever stages the same again
finds what is there.  All of it expires: the tables by their dataset, the objects by `sweep` or by a rule of the bucket.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fullcourt.domain.errors import EngineError
from fullcourt.domain.tables import Table
from fullcourt.warehouse.bigquery import values
from fullcourt.warehouse.bigquery.jobs import LABELS, Jobs, named
from fullcourt.warehouse.files import BUCKET, is_in_bucket, opened
from fullcourt.warehouse.local_staging import ORPHAN_SECONDS
from fullcourt.warehouse.protocol import Staging

DATASET = "nba_staging"
_NO_RUN = "unnamed"  # of files that lie outside the staging directory
_LOADS = 5


@dataclass(frozen=True)
class CloudStaging:
    jobs: Jobs

    def make_dataset(self) -> None:
        """Of the staging tables, if it is not there; whatever is in it expires."""
        from google.cloud import bigquery

        dataset = bigquery.Dataset(f"{self.jobs.address.project}.{DATASET}")
        dataset.location = self.jobs.address.location
        dataset.default_table_expiration_ms = ORPHAN_SECONDS * 1000
        dataset.labels = LABELS
        with named(self.jobs.address.project):
            self.jobs.client.create_dataset(dataset, exists_ok=True, retry=self.jobs.retry)

    def load(self, table: Table, paths: Sequence[str]) -> str:
        """Loads the files into a staging table, counts its rows, and returns the relation to name in SQL."""
        run = self._run_of(paths[0])
        with named(self.jobs.address.project):
            footers = [_footer(path) for path in paths]
            digests = [_digest(path) for path in paths]
            uris = [self._upload(path, digest, run) for path, digest in zip(paths, digests, strict=True)]
            name = f"{_word(run)}__{table.name}__{hashlib.sha256(''.join(sorted(digests)).encode()).hexdigest()[:16]}"
            schema = footers[0].schema.to_arrow_schema()
            staged = self._loaded(name, table, schema, uris, run)
        source = f"`{DATASET}.{staged.table_id}`"
        expected = sum(footer.num_rows for footer in footers)
        held = self.jobs.rows(f"SELECT COUNT(*) AS n FROM {source}", {})["n"][0].as_py()
        if held != expected:
            raise EngineError(
                f"{DATASET}.{staged.table_id} holds {held} rows after its load, expected the {expected} of "
                f"{len(paths)} staged files; nothing was published"
            )
        return _relation(source, table, schema)

    def _loaded(self, name: str, table: Table, schema: pa.Schema, uris: list[str], run: str) -> Any:
        """The loaded table. A load done before is taken as it is; one that failed, or whose table is gone, done again.

        A second load is of another name: BigQuery never runs a job id twice.
        """
        from google.api_core.exceptions import NotFound
        from google.cloud import bigquery

        client, options = self.jobs.client, bigquery.ParquetOptions()
        options.enable_list_inference = True
        fields = values.load_schema(table, schema)
        config = bigquery.LoadJobConfig(
            schema=fields,
            source_format="PARQUET",
            parquet_options=options,
            write_disposition="WRITE_TRUNCATE",
            create_disposition="CREATE_NEVER",
            labels={**LABELS, "run": _label(run)},
        )
        for attempt in range(_LOADS):
            target = bigquery.Table(f"{self.jobs.address.project}.{DATASET}.{name}_{attempt}", schema=fields)
            target.labels = {**LABELS, "run": _label(run)}
            target.expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ORPHAN_SECONDS)
            job_id = f"fullcourt-load-{name}_{attempt}"
            try:
                job = client.get_job(job_id, retry=self.jobs.retry)
                if job.error_result:
                    continue
            except NotFound:
                client.create_table(target, exists_ok=True, retry=self.jobs.retry)
                job = self.jobs.started(job_id, partial(self._start, uris, target.reference, config))
            job.result(retry=self.jobs.retry)
            try:
                return client.get_table(target.reference, retry=self.jobs.retry)
            except NotFound:
                continue
        raise EngineError(
            f"{DATASET}.{name} was loaded {_LOADS} times; each time the load failed, or its table is gone"
        )

    def _start(self, uris: list[str], target: Any, config: Any, job_id: str) -> Any:
        return self.jobs.client.load_table_from_uri(
            uris, target, job_id=job_id, job_config=config, retry=self.jobs.retry
        )

    def _upload(self, path: str, digest: str, run: str) -> str:
        """Once: the object is named by its content. What was staged in the bucket is there."""
        from google.cloud.storage.retry import DEFAULT_RETRY

        if is_in_bucket(path):
            return path
        blob = self.jobs.bucket.blob(self._object(run, f"{digest}.parquet"))
        if not blob.exists():
            blob.upload_from_filename(path, retry=DEFAULT_RETRY)
        return f"gs://{self.jobs.address.bucket}/{blob.name}"

    def _run_of(self, path: str) -> str:
        root = f"{self.jobs.address.staging or self.directory('')}/"
        return path.removeprefix(root).partition("/")[0] if path.startswith(root) else _NO_RUN

    def directory(self, run: str) -> str:
        """Its URL: of the run's objects."""
        return BUCKET + "/".join(filter(None, (self.jobs.address.bucket, self.jobs.address.prefix, run)))

    def _object(self, *parts: str) -> str:
        return "/".join(filter(None, (self.jobs.address.prefix, *parts)))

    # ---- what is left over

    def discard(self, run_id: str) -> None:
        """The run's objects and staging tables, if there are any."""
        from google.api_core.exceptions import NotFound

        with named(self.jobs.address.project):
            self._delete(self.jobs.bucket.client.list_blobs(self.jobs.bucket, prefix=self._object(run_id, "")))
            try:
                tables = list(self.jobs.client.list_tables(DATASET, retry=self.jobs.retry))
            except NotFound:
                return
            for table in tables:
                if table.labels.get("run") == _label(run_id):
                    self.jobs.client.delete_table(table.reference, not_found_ok=True, retry=self.jobs.retry)

    def sweep(self, run_id: str) -> None:
        """The run's, and objects that killed runs left a day ago or longer; old staging tables expire by themselves."""
        self.discard(run_id)
        before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ORPHAN_SECONDS)
        with named(self.jobs.address.project):
            blobs = self.jobs.bucket.client.list_blobs(self.jobs.bucket, prefix=self._object(""))
            self._delete(blob for blob in blobs if blob.updated < before)

    def list(self) -> list[Staging]:
        found: dict[str, Staging] = {}
        with named(self.jobs.address.project):
            for blob in self.jobs.bucket.client.list_blobs(self.jobs.bucket, prefix=self._object("")):
                run, _, file = blob.name.removeprefix(self._object("")).lstrip("/").partition("/")
                if file:
                    found[run] = merged(Staging(run, blob.updated, blob.size), found.get(run))
        return [found[run] for run in sorted(found)]

    def _delete(self, blobs: Any) -> None:
        from google.api_core.exceptions import NotFound

        for blob in blobs:
            try:
                blob.delete()
            except NotFound:  # another sweep was faster
                continue


def merged(one: Staging, other: Staging | None) -> Staging:
    if other is None:
        return one
    return Staging(one.run_id, max(one.touched_at, other.touched_at), one.size + other.size)


def _relation(name: str, table: Table, schema: pa.Schema) -> str:
    if json := values.json_columns(table, schema.names):
        parsed = ", ".join(f"PARSE_JSON({column}) AS {column}" for column in json)
        return f"(SELECT * REPLACE ({parsed}) FROM {name})"
    return name


def _footer(path: str) -> pq.FileMetaData:
    with opened(path, "rb") as file:
        return pq.read_metadata(file)


def _digest(path: str) -> str:
    """Of a file's content; an object's name is its own, and never written twice."""
    if is_in_bucket(path):
        return hashlib.sha256(path.encode()).hexdigest()
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _word(run: str) -> str:
    return re.sub(r"\W", "_", run, flags=re.ASCII)


def _label(run: str) -> str:
    """A label's value: 63 lower-case letters, digits, dashes and underscores at most."""
    return re.sub(r"[^a-z0-9_-]", "_", run.lower())[:63]
