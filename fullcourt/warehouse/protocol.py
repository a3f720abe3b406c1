"""What the product asks of a warehouse.

SQL is written once, in BigQuery's dialect; each warehouse translates.  Table and column names come from the
registry, never from a user; values are always bound as @parameters.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from fullcourt.domain import breaker
from fullcourt.domain.breaker import BREAKER_STATE
from schemas import TABLES


@dataclass(frozen=True)
class Read:
    """Columns of one table or of the view breaker_state, of the rows whose columns hold one of the given values.

    name: how the snapshot calls it; the table's name unless one table is read twice.
    """

    table: str
    columns: tuple[str, ...]
    only: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        if unknown := {*self.columns, *self.only}.difference(self._source.names):
            raise ValueError(f"{self.id} has no columns {sorted(unknown)}")

    @property
    def id(self) -> str:
        return f"nba_orchestration.{BREAKER_STATE}" if self.table == BREAKER_STATE else TABLES[self.table].read_id

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([self._source.field(name) for name in dict.fromkeys(self.columns)])

    @property
    def _source(self) -> pa.Schema:
        return breaker.STATE if self.table == BREAKER_STATE else TABLES[self.table].arrow_schema

    @property
    def key(self) -> str:
        return self.name or self.table

    @property
    def content_columns(self) -> tuple[str, ...]:
        """Of the columns, by name, those that two identical publishes agree on; the view has no others."""
        content = breaker.STATE.names if self.table == BREAKER_STATE else TABLES[self.table].content_columns
        return tuple(sorted({*self.columns}.intersection(content)))

    @property
    def sql(self) -> str:
        """The SELECT, with one array parameter a filtered column."""
        where = " AND ".join(f"{column} IN UNNEST(@{column})" for column in self.only)
        selected = f"SELECT {', '.join(dict.fromkeys(self.columns))} FROM {self.id}"
        return f"{selected} WHERE {where}" if where else selected


@dataclass(frozen=True)
class Staging:
    """A run's staging directory as it is now: when a file in it was last touched, and its size in bytes."""

    run_id: str
    touched_at: dt.datetime
    size: int


# Parquet files by read key: everything one run reads, as of one instant.
Snapshot = Mapping[str, tuple[str, ...]]


class Session(Protocol):
    """One transaction: all of it is published, or none."""

    def query(self, sql: str, **parameters: Any) -> pa.Table: ...

    def execute(self, sql: str, **parameters: Any) -> None: ...

    def insert(self, table: str, rows: pa.Table) -> None:
        """Appends rows; columns the rows lack become null."""

    def staged(self, table: str) -> str:
        """The relation that holds the rows staged for a table, to name in SQL."""


class Warehouse(Protocol):
    """One store of data and control tables together."""

    url: str

    def staging(self, run_id: str) -> str:
        """A directory of the run's own, by path or URL, for its snapshot and its staged files; `sweep` removes it."""

    def sweep(self, run_id: str) -> None:
        """Removes the run's directory, and those that killed runs left behind a day ago or longer."""

    def discard(self, run_id: str) -> None:
        """Removes this directory and no other, as far as it can."""

    def stagings(self) -> list[Staging]:
        """Every staging directory there is, of runs under way and of killed ones, by run id."""

    def columns(self) -> dict[str, dict[str, str]]:
        """Existing tables and views: id -> column -> BigQuery type; empty when there is no warehouse yet."""

    def apply(self, statements: Sequence[str]) -> None:
        """Runs DDL, creating the warehouse if need be."""

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        """One statement's rows. EngineError when the warehouse does not exist, is locked, or refuses."""

    def reading(self) -> AbstractContextManager[None]:
        """Queries cost less together in such a block.  DuckDB answers them as of one instant, and no writer gets in."""

    def scanned_bytes(self, reads: Sequence[Read]) -> int:
        """About how many bytes a snapshot of the reads would have to read."""

    def snapshot(self, reads: Sequence[Read], directory: str) -> Snapshot:
        """Exports the reads at one instant as Parquet files below the directory."""

    def fingerprints(self, reads: Sequence[Read]) -> dict[str, str]:
        """The content of each read at one instant, by its key: equal exactly when the rows are, in whatever order.

        Bookkeeping columns are left out.  Compare only what one warehouse gave under one version of its engine.
        """

    def transaction(self, staged: Mapping[str, Sequence[str]]) -> AbstractContextManager[Session]:
        """Opens a transaction over staged Parquet files (table -> paths); commits unless the block raises."""
