"""Writes Arrow tables to run-scoped Parquet files. No production table is touched."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from fullcourt.crash import crash_point
from transforms.files import writable
from transforms.packing import WithRows


class Named(NamedTuple):
    """Rows for the table of that name."""

    table: str
    rows: pa.Table


class Staged(NamedTuple):
    """One staged file: the table its rows are meant for, its path, its rows."""

    table: str
    path: str
    rows: int


beam.coders.registry.register_coder(Named, WithRows)


def _itself(named: Named) -> Iterable[Named]:
    return (named,)


@dataclass
class StageRows(beam.PTransform):
    """Stages rows for any of the given tables.

    In:  Named, with at least the columns of the table's schema, or whatever rows_of makes Named of.
    Out: Staged, one per table and bundle that had rows.  A retried bundle leaves an orphan that nothing names: the
         sweep of the run's directory removes it.
    """

    schemas: Mapping[str, pa.Schema]
    directory: str
    rows_of: Callable[[Any], Iterable[Named]] = _itself

    @beam.typehints.no_annotations  # what rows_of takes is its own matter
    def expand(self, rows: beam.PCollection) -> beam.PCollection[Staged]:
        return rows | "WriteParquet" >> beam.ParDo(_WriteParquet(self))


def _writer(file: IO[bytes], schema: pa.Schema) -> pq.ParquetWriter:
    """Staged files are read once, whole: no statistics, and a dictionary only where it saves more than it costs."""
    repeating = [field.name for field in schema if _is_text(field.type)]
    return pq.ParquetWriter(file, schema, compression="lz4", use_dictionary=repeating, write_statistics=False)


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) or pa.types.is_list(kind) else kind
    return pa.types.is_string(inner)


@beam.typehints.with_output_types(Staged)
class _WriteParquet(beam.DoFn):
    def __init__(self, how: StageRows) -> None:
        self._how = how

    def start_bundle(self) -> None:
        self._files: dict[str, tuple[str, IO[bytes], pq.ParquetWriter]] = {}
        self._rows: dict[str, int] = {}
        self._pool = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def process(self, element: Any) -> None:
        """While another thread writes, what is to be staged next is made. One at a time: they are in memory."""
        self._wait()
        self._writing = self._pool.submit(self._stage, element)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def _stage(self, element: Any) -> None:
        for table, rows in self._how.rows_of(element):
            self._write(table, rows)

    def _write(self, table: str, rows: pa.Table) -> None:
        schema = self._how.schemas[table]
        if table not in self._files:
            path = f"{self._how.directory}/{table}-{uuid.uuid4().hex}.parquet"
            file = writable(path)
            self._files[table] = path, file, _writer(file, schema)
        self._files[table][2].write_table(rows.select(schema.names).cast(schema))
        crash_point("staging")
        self._rows[table] = self._rows.get(table, 0) + rows.num_rows

    def finish_bundle(self) -> Iterator[Any]:
        self._wait()
        self._pool.shutdown()
        for table, (path, file, writer) in self._files.items():
            writer.close()
            file.close()
            staged = Staged(table, path, self._rows[table])
            yield WindowedValue(staged, GlobalWindow().max_timestamp(), [GlobalWindow()])
