"""The embedded warehouse: one DuckDB file.

DuckDB lets no second process in while one writes, so the file is open only to take a snapshot, to apply DDL and
to publish; a held lock is waited for, bounded, and then named with its owner.
"""

import atexit
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.ddl import bigquery_type
from fullcourt.warehouse.local_staging import LocalStaging, made
from fullcourt.warehouse.protocol import Read, Snapshot, Staging
from fullcourt.warehouse.translation import to_duckdb
from schemas import TABLES

LOG = logging.getLogger(__name__)
LOCK_WAIT_SECONDS = 30.0
_BATCH_ROWS = 131_072
# Rows that are stored together, by one thread; DuckDB's own four times as many leave the other threads nothing to do.
_ROW_GROUP_ROWS = 30_720
_FILE = "warehouse"  # as the engine calls the file that is open
_IDLE: list[duckdb.DuckDBPyConnection] = []  # engines of this process, with no file open


class DuckDBWarehouse:
    """A Warehouse in one file; the directory `<file>.staging` beside it holds runs in progress."""

    def __init__(self, path: str, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._path = Path(path)
        self._lock_wait_seconds = lock_wait_seconds
        self._stagings = LocalStaging(self._path.absolute().with_name(self._path.name + ".staging"))
        self._open: duckdb.DuckDBPyConnection | None = None  # while reading
        self.url = f"duckdb://{self._path.absolute()}"

    def staging(self, run_id: str) -> str:
        return str(self._stagings.make(run_id))

    def sweep(self, run_id: str) -> None:
        self._stagings.sweep(run_id)

    def discard(self, run_id: str) -> None:
        self._stagings.discard(run_id)

    def stagings(self) -> list[Staging]:
        return self._stagings.list()

    def columns(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        statement = (
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
            f"WHERE database_name = '{_FILE}' AND schema_name <> 'main' AND NOT internal"
        )
        found: dict[str, dict[str, str]] = {}
        with self._reader() as connection:
            for table, column, duckdb_type in connection.execute(statement).fetchall():
                found.setdefault(table, {})[column] = bigquery_type(duckdb_type)
        return found

    def apply(self, statements: Sequence[str]) -> None:
        made(self._path.absolute().parent)
        with self._connection(read_only=False, create=True) as connection, _atomic(connection):
            for statement in statements:
                for translated in to_duckdb(statement):
                    connection.execute(translated)

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        with self._reader() as connection:
            return _query(connection, sql, parameters)

    @contextmanager
    def reading(self) -> Iterator[None]:
        before = self._open
        with self._reader() as self._open:
            try:
                yield
            finally:
                self._open = before

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Sees the store as of one instant."""
        if self._open is not None:
            yield self._open
        else:
            with self._connection(read_only=True) as connection, _atomic(connection):
                yield connection

    def snapshot(self, reads: Sequence[Read], directory: str) -> Snapshot:
        files: dict[str, tuple[str, ...]] = {}
        with self._reader() as connection:
            for read in reads:
                path = Path(directory, f"{read.key}.parquet")
                relation = _relation(connection, read.sql, _filters(read))
                with relation.to_arrow_reader(_BATCH_ROWS) as reader:  # an open one would keep the file from everybody
                    _write(path, reader)
                files[read.key] = (str(path),)
        return files

    def scanned_bytes(self, reads: Sequence[Read]) -> int:
        with self._reader() as connection:
            return sum(_rows(connection, read) * sum(map(_width, read.schema)) for read in reads)

    def fingerprints(self, reads: Sequence[Read]) -> dict[str, str]:
        with self._reader() as connection:
            return {read.key: _fingerprint(connection, read) for read in reads}

    @contextmanager
    def transaction(self, staged: Mapping[str, Sequence[str]]) -> Iterator["_DuckDBSession"]:
        with self._connection(read_only=False) as connection, _atomic(connection):
            yield _DuckDBSession(connection, staged)

    @contextmanager
    def _connection(self, *, read_only: bool, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """An open file; every engine error leaves as EngineError, named."""
        if not create and not self._path.exists():
            raise EngineError(f"no warehouse at {self._path}: create it with `fullcourt init`")
        with _engine() as connection:
            try:
                self._attach(connection, read_only)
            except duckdb.Error as error:
                raise EngineError(self._explain(error)) from error
            try:
                yield connection
            except duckdb.InterruptException as error:
                raise KeyboardInterrupt from error
            except duckdb.Error as error:
                raise EngineError(f"{self._path}: {error}") from error

    def _attach(self, connection: duckdb.DuckDBPyConnection, read_only: bool) -> None:
        path, how = str(self._path).replace("'", "''"), ", READ_ONLY" if read_only else ""
        waiting = Retrying(
            retry=retry_if_exception(_is_locked),
            stop=stop_after_delay(self._lock_wait_seconds),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        )
        waiting(connection.execute, f"ATTACH '{path}' AS {_FILE} (TYPE duckdb, ROW_GROUP_SIZE {_ROW_GROUP_ROWS}{how})")
        connection.execute(f"USE {_FILE}")

    def _explain(self, error: duckdb.Error) -> str:
        if _is_locked(error):
            owner = re.search(r"PID (\d+)", str(error))
            holder = f"process {owner[1]}" if owner else "another thread of this process"
            return f"{self._path} is held by {holder}; waited {self._lock_wait_seconds:g} s, expected it to be released"
        return f"cannot open {self._path} as a DuckDB file: {error}"


class _DuckDBSession:
    def __init__(self, connection: duckdb.DuckDBPyConnection, staged: Mapping[str, Sequence[str]]) -> None:
        self._connection = connection
        for table, paths in staged.items():
            if paths:
                # A view takes no bound values; the paths are our own, and quoted.
                literals = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
                connection.execute(f"CREATE TEMP VIEW {_view(table)} AS SELECT * FROM read_parquet([{literals}])")
            else:
                connection.register(_view(table), TABLES[table].arrow_schema.empty_table())

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        return _query(self._connection, sql, parameters)

    def execute(self, sql: str, **parameters: Any) -> None:
        for statement in to_duckdb(sql):
            self._connection.execute(statement, parameters)

    def insert(self, table: str, rows: pa.Table) -> None:
        declared = TABLES[table]
        names = ", ".join(declared.by_name[name].name for name in rows.column_names)
        self._connection.register("inserted_rows", rows)
        self._connection.execute(f"INSERT INTO {declared.id} ({names}) SELECT {names} FROM inserted_rows")
        self._connection.unregister("inserted_rows")

    def staged(self, table: str) -> str:
        return _view(table)


def _view(table: str) -> str:
    return f"staged_{TABLES[table].name}"


def _query(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
    table = _relation(connection, sql, parameters).to_arrow_table()
    # DuckDB counts and sums integers in 128 bits, which Arrow shows as decimals; BigQuery's are INT64.
    wide = pa.decimal128(38, 0)
    return table.cast(pa.schema([f.with_type(pa.int64()) if f.type == wide else f for f in table.schema]))


def _relation(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]
) -> duckdb.DuckDBPyRelation:
    (statement,) = to_duckdb(sql)
    return connection.sql(statement, params=dict(parameters)) if parameters else connection.sql(statement)


def _write(path: Path, reader: pa.RecordBatchReader) -> None:
    try:
        with pq.ParquetWriter(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except OSError as error:
        raise EngineError(f"cannot write {path}: {error}") from error


def _filters(read: Read) -> dict[str, list[Any]]:
    return {column: list(values) for column, values in read.only.items()}


def _rows(connection: duckdb.DuckDBPyConnection, read: Read) -> int:
    (selected,) = to_duckdb(read.sql)
    ((rows,),) = connection.execute(f"SELECT COUNT(*) FROM ({selected})", _filters(read)).fetchall()
    return int(rows)


def _width(field: pa.Field) -> int:
    """Bytes of a value; texts and lists have none of their own, and are taken for sixteen."""
    try:
        return max(1, field.type.bit_width // 8)
    except ValueError:
        return 16


def _fingerprint(connection: duckdb.DuckDBPyConnection, read: Read) -> str:
    """The number of rows and the sum of their hashes, which DuckDB keeps the same within a version only.

    hash() takes no notice of where a list ends ([], [NULL] and NULL are alike to it, as are [0] and [0, 0]), so a
    list's length goes in too.  What it makes of several columns is an XOR with the last, under which two rows that
    swap values may keep their sum; hashed once more they do not.
    """
    (selected,) = to_duckdb(read.sql)
    hashed = ["1"]  # a read of nothing but bookkeeping is its number of rows
    for name in read.content_columns:
        hashed += [name, f"len({name})"] if pa.types.is_list(read.schema.field(name).type) else [name]
    statement = f"SELECT COUNT(*), COALESCE(SUM(hash(hash({', '.join(hashed)}))), 0) FROM ({selected})"
    ((rows, total),) = connection.execute(statement, _filters(read)).fetchall()
    return f"{rows}-{total:x}"


@contextmanager
def _atomic(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # it may still hold an open result; closing the connection rolls back as well
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of an engine of this process, to attach a file to. One in which something failed is not used again.

    Starting an engine takes three times as long as attaching a file.
    """
    try:
        engine = _IDLE.pop()
    except IndexError:
        engine = duckdb.connect()
    connection = engine.cursor()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    except BaseException:
        with suppress(duckdb.Error):  # there may be no transaction
            connection.execute("ROLLBACK")
        with suppress(duckdb.Error):  # closing it lets go of the file as well
            _detach(connection)
        connection.close()
        engine.close()
        raise
    try:
        _detach(connection)
    except duckdb.Error as error:
        # What was committed is in the log beside the file; whoever opens it next writes it back.
        LOG.warning("%s", " ".join(str(error).split()))
        connection.close()
        engine.close()
    else:
        connection.close()
        _IDLE.append(engine)


@atexit.register
def _end_engines() -> None:
    while _IDLE:
        _IDLE.pop().close()


def _detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Writes the file's log back and lets go of it."""
    connection.execute("USE memory")
    connection.execute(f"DETACH DATABASE IF EXISTS {_FILE}")


def _is_locked(error: BaseException) -> bool:
    # The whole phrases: the message holds the path too, and that may be anything.
    elsewhere = isinstance(error, duckdb.IOException) and "Could not set lock on file" in str(error)
    return elsewhere or str(error).startswith("Resource In Use Error: Unique file handle conflict")
