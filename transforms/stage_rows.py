"""Writes Arrow tables to run-scoped Parquet files. No production table is touched."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from fullcourt.crash import crash_point


class Staged(NamedTuple):
    """One staged file: the table its rows are meant for, its path, its rows."""

    table: str
    path: str
    rows: int


@dataclass
class StageRows(beam.PTransform):
    """Stages rows for any of the given tables.

    In:  (table name, Arrow table that holds at least the columns of the table's schema).
    Out: Staged, one per table and bundle that had rows.  A retried bundle leaves an orphan that nothing names: the
         sweep of the run's directory removes it.
    """

    schemas: Mapping[str, pa.Schema]
    directory: str

    def expand(self, rows: beam.PCollection[tuple[str, pa.Table]]) -> beam.PCollection[Staged]:
        return rows | "WriteParquet" >> beam.ParDo(_WriteParquet(self))


def _writer(path: str, schema: pa.Schema) -> pq.ParquetWriter:
    """Staged files are read once, whole: no statistics, and no dictionary where values hardly repeat."""
    repeating = [field.name for field in schema if not pa.types.is_floating(field.type)]
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=repeating, write_statistics=False)


@beam.typehints.with_output_types(Staged)
class _WriteParquet(beam.DoFn):
    def __init__(self, how: StageRows) -> None:
        self._how = how

    def start_bundle(self) -> None:
        self._writers: dict[str, tuple[str, pq.ParquetWriter]] = {}
        self._rows: dict[str, int] = {}

    def process(self, element: tuple[str, pa.Table]) -> None:
        table, rows = element
        schema = self._how.schemas[table]
        if table not in self._writers:
            path = f"{self._how.directory}/{table}-{uuid.uuid4().hex}.parquet"
            self._writers[table] = path, _writer(path, schema)
        self._writers[table][1].write_table(rows.select(schema.names).cast(schema))
        crash_point("staging")
        self._rows[table] = self._rows.get(table, 0) + rows.num_rows

    def finish_bundle(self) -> Iterator[Any]:
        for table, (path, writer) in self._writers.items():
            writer.close()
            staged = Staged(table, path, self._rows[table])
            yield WindowedValue(staged, GlobalWindow().max_timestamp(), [GlobalWindow()])
