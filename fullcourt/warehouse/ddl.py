"""SQL that makes the warehouse what the schemas say, in BigQuery's dialect."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fullcourt.domain.errors import EngineError
from fullcourt.domain.tables import Column, Table
from fullcourt.warehouse.protocol import Warehouse
from fullcourt.warehouse.views import VIEWS, View
from schemas import TABLES

_DUCKDB_TYPES = {
    "VARCHAR": "STRING",
    "JSON": "JSON",
    "BIGINT": "INT64",
    "DOUBLE": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DATE": "DATE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "VARCHAR[]": "ARRAY<STRING>",
    "DOUBLE[]": "ARRAY<FLOAT64>",
}
_SYNONYMS = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}  # BigQuery's older names


@dataclass(frozen=True)
class Drift:
    """A column whose type in the warehouse is not the declared one."""

    table: str
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} is {self.found}, expected {self.expected}"


@dataclass(frozen=True)
class Plan:
    """What a warehouse lacks.

    changes: schemas, tables, columns and views to create, or to create anew; empty when nothing is lacking.
    views: every view, created anew each time, as they hold no data.
    drift: columns no statement here repairs.
    """

    changes: tuple[str, ...]
    views: tuple[str, ...]
    drift: tuple[Drift, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        return self.changes + self.views


def create_schema(dataset: str) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {dataset}"


def create_table(table: Table) -> str:
    columns = ",\n".join(f"  {_column(column, nullable=not column.required)}" for column in table.columns)
    lines = [f"CREATE TABLE IF NOT EXISTS {table.id} (\n{columns}\n)"]
    if table.partition:
        lines.append(f"PARTITION BY {table.partition}")
    if table.cluster:
        lines.append(f"CLUSTER BY {', '.join(table.cluster)}")
    lines.append(f"OPTIONS(description={_text(table.doc)})")
    return "\n".join(lines)


def add_columns(table: Table, names: list[str]) -> str:
    """One statement for all of them; nullable, as the rows already there have no value."""
    added = ",\n".join(f"  ADD COLUMN IF NOT EXISTS {_column(table.by_name[name], nullable=True)}" for name in names)
    return f"ALTER TABLE {table.id}\n{added}"


def create_view(view: View) -> str:
    return f"CREATE OR REPLACE VIEW {view.id} OPTIONS(description={_text(view.doc)}) AS\n{view.sql}"


def plan(existing: Mapping[str, Mapping[str, str]]) -> Plan:
    """What brings a warehouse with these tables and views (id -> column -> BigQuery type) to the declared state."""
    datasets = {table_id.split(".")[0] for table_id in existing}
    needed = dict.fromkeys([*(table.dataset for table in TABLES.values()), *(view.dataset for view in VIEWS.values())])
    changes = [create_schema(dataset) for dataset in needed if dataset not in datasets]
    drift: list[Drift] = []
    for table in TABLES.values():
        found = existing.get(table.id)
        if found is None:
            changes.append(create_table(table))
            continue
        if lacking := [name for name in table.by_name if name not in found]:
            changes.append(add_columns(table, lacking))
        drift.extend(_drift(table, found))
    changes.extend(create_view(view) for view in VIEWS.values() if set(existing.get(view.id, ())) != view.columns)
    return Plan(tuple(changes), tuple(create_view(view) for view in VIEWS.values()), tuple(drift))


def check_schema(warehouse: Warehouse) -> None:
    """EngineError names what a warehouse lacks; nothing is defaulted."""
    existing = warehouse.columns()
    if not existing:
        raise EngineError(f"no warehouse at {warehouse.url}: create it with `fullcourt init`")
    lacking = plan(existing)
    if lacking.drift:
        raise EngineError(f"the warehouse differs from the schemas: {'; '.join(map(str, lacking.drift))}")
    if lacking.changes:
        raise EngineError(
            f"the warehouse lacks {len(lacking.changes)} tables, columns or views: see `fullcourt schema plan`, "
            "then run `fullcourt schema apply`"
        )


@functools.cache
def bigquery_type(duckdb_type: str) -> str:
    """The BigQuery name of a DuckDB column type; a type no table uses keeps its own name, so that it shows as drift."""
    if numeric := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
        return f"NUMERIC({numeric[1]},{numeric[2]})"
    return _DUCKDB_TYPES.get(duckdb_type, duckdb_type)


def _column(column: Column, *, nullable: bool) -> str:
    required = "" if nullable else " NOT NULL"
    return f"{column.name} {column.type}{required} OPTIONS(description={_text(column.doc)})"


def _text(value: str) -> str:
    """A BigQuery string literal: its escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False)


def _drift(table: Table, found: Mapping[str, str]) -> Iterator[Drift]:
    for column in table.columns:
        if column.name in found and _normal(found[column.name]) != column.type:
            yield Drift(table.id, column.name, found[column.name], column.type)


def _normal(bigquery_type: str) -> str:
    text = re.sub(r"\s", "", bigquery_type.upper())
    return _SYNONYMS.get(text, text)
