"""What a table is: columns with type, unit and null meaning; grain; layout; how a publish replaces rows.

Types are written as BigQuery writes them (`STRING`, `NUMERIC(5,3)`, `ARRAY<STRING>`); every other form,
Arrow's and DuckDB's, derives from that text.
"""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import pyarrow as pa

_ARROW_TYPES = {
    "STRING": pa.string(),
    "JSON": pa.string(),  # Arrow has no JSON type; the text travels
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "ARRAY<STRING>": pa.list_(pa.string()),
    "ARRAY<FLOAT64>": pa.list_(pa.float64()),
}
ARCHIVED_AT = "archived_at"  # the column that a history has, and the table it is of has not
_NUMERIC = re.compile(r"NUMERIC\((\d+),(\d+)\)")


def arrow_type(bigquery_type: str) -> pa.DataType:
    """The Arrow type of a BigQuery type; ValueError names a type that no table may use."""
    if numeric := _NUMERIC.fullmatch(bigquery_type):
        return pa.decimal128(int(numeric[1]), int(numeric[2]))
    try:
        return _ARROW_TYPES[bigquery_type]
    except KeyError:
        expected = ", ".join([*_ARROW_TYPES, "NUMERIC(p,s)"])
        raise ValueError(f"unknown column type {bigquery_type!r}: expected one of {expected}") from None


class PublishMode(enum.Enum):
    """What a publish does to the rows already there."""

    REPLACE = "replace"  # rows with the same `replace_by` values go, the new ones come
    APPEND = "append"  # facts: attempts, actions, history, events
    SUPERSEDE = "supersede"  # the newest row of a business key becomes the only active one


@dataclass(frozen=True)
class Column:
    """One column.

    doc: meaning, unit, range, and what null means.
    required: never null.
    bookkeeping: may differ between two publishes of identical data (clocks, run ids, attempts).
    unfillable: why no landing source can fill it; such a column is always null.
    reserved: why it holds one value only, for now.
    """

    name: str
    type: str
    doc: str
    required: bool = False
    bookkeeping: bool = False
    unfillable: str | None = None
    reserved: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"column name must be snake_case, got {self.name!r}")
        arrow_type(self.type)

    @property
    def arrow_field(self) -> pa.Field:
        return pa.field(self.name, arrow_type(self.type), nullable=not self.required)


@dataclass(frozen=True)
class Table:
    """One table: `dataset.name`, one row per `grain`.

    replace_by: under REPLACE, the columns whose values name what a publish replaces (a day, a game).
    supersede_by: under SUPERSEDE, the business key of which one row is active.
    readiness: the table carries is_production_ready, so a `<name>_ready` view exists.
    day: the column that holds the game day a row is keyed to; null where rows have none.
    archived: a clean-up moves its rows of days long past to `<name>_history`; readers name the view of both.
    """

    name: str
    dataset: str
    doc: str
    columns: tuple[Column, ...]
    grain: tuple[str, ...]
    publish: PublishMode
    replace_by: tuple[str, ...] = ()
    supersede_by: tuple[str, ...] = ()
    partition: str | None = None
    cluster: tuple[str, ...] = ()
    day: str | None = field(default=None)
    archived: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{self.name}: columns declared twice: {sorted(repeated)}")
        keys = (*self.grain, *self.cluster, *self.replace_by, *self.supersede_by)
        used = {*keys, *filter(None, [self.partition, self.day])}
        if unknown := used.difference(names):
            raise ValueError(f"{self.name}: grain, layout or day name unknown columns: {sorted(unknown)}")
        if (self.publish is PublishMode.REPLACE) != bool(self.replace_by):
            raise ValueError(f"{self.name}: replace_by goes with PublishMode.REPLACE, and only with it")
        if (self.publish is PublishMode.SUPERSEDE) != bool(self.supersede_by):
            raise ValueError(f"{self.name}: supersede_by goes with PublishMode.SUPERSEDE, and only with it")

    @property
    def id(self) -> str:
        """`dataset.name`, as every SQL statement that writes names it."""
        return f"{self.dataset}.{self.name}"

    @property
    def read_id(self) -> str:
        """What a reader names: the table, or the view of it and its history."""
        return f"{self.id}_all" if self.archived else self.id

    @property
    def stored_in(self) -> tuple[str, ...]:
        """Where its rows lie, each row in one place: here, and in the history."""
        return (self.id, f"{self.id}_history") if self.archived else (self.id,)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([column.arrow_field for column in self.columns])

    def arrow_subset(self, names: Iterable[str]) -> pa.Schema:
        return pa.schema([self.arrow_schema.field(name) for name in names])

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def readiness(self) -> bool:
        return "is_production_ready" in self.by_name and ARCHIVED_AT not in self.by_name

    @property
    def content_columns(self) -> tuple[str, ...]:
        """The columns that two identical publishes must agree on."""
        return tuple(column.name for column in self.columns if not column.bookkeeping)


def prefixed(prefix: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """The same columns under another name: `source_` groups repeat per upstream."""
    return tuple(replace(column, name=prefix + column.name) for column in columns)
