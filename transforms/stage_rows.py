"""Writes Arrow tables to run-scoped Parquet files. No production table is touched."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue


class Staged(NamedTuple):
    """One staged file: the table its rows are meant for, its path, its rows."""

    table: str
    path: str
    rows: int


@dataclass
class StageRows(beam.PTransform):
    """Stages one table's rows.

    In:  Arrow tables that hold at least the schema's columns.
    Out: Staged, one per bundle that had rows.  A retried bundle leaves an orphan that nothing names: the sweep of
         the run's directory removes it.
    """

    table: str
    schema: pa.Schema
    directory: str

    def expand(self, rows: beam.PCollection[pa.Table]) -> beam.PCollection[Staged]:
        return rows | "WriteParquet" >> beam.ParDo(_WriteParquet(self))


@beam.typehints.with_output_types(Staged)
class _WriteParquet(beam.DoFn):
    def __init__(self, how: StageRows) -> None:
        self._how = how
        self._path = ""
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def start_bundle(self) -> None:
        self._path = f"{self._how.directory}/{self._how.table}-{uuid.uuid4().hex}.parquet"
        self._writer = None
        self._rows = 0

    def process(self, rows: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, self._how.schema, compression="lz4")
        self._writer.write_table(rows.select(self._how.schema.names).cast(self._how.schema))
        self._rows += rows.num_rows

    def finish_bundle(self) -> Iterator[Any]:
        if self._writer is not None:
            self._writer.close()
            staged = Staged(self._how.table, self._path, self._rows)
            yield WindowedValue(staged, GlobalWindow().max_timestamp(), [GlobalWindow()])
