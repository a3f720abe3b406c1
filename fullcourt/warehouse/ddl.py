"""SQL that makes the warehouse what the schemas say, in BigQuery's dialect, and its translation for DuckDB.

All SQL of the product is written for BigQuery; `to_duckdb` translates it and refuses what would come out
with another meaning.  It assumes a session in UTC.  Importing this module costs nothing: sqlglot loads on use.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fullcourt.domain.errors import EngineError
from fullcourt.domain.tables import Column, Table
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


def bigquery_type(duckdb_type: str) -> str:
    """The BigQuery name of a DuckDB column type; a type no table uses keeps its own name, so that it shows as drift."""
    if numeric := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
        return f"NUMERIC({numeric[1]},{numeric[2]})"
    return _DUCKDB_TYPES.get(duckdb_type, duckdb_type)


@lru_cache(maxsize=1024)
def to_duckdb(sql: str) -> tuple[str, ...]:
    """The same statements in DuckDB's dialect, to run one by one; parameters `@x` become `$x`.

    EngineError names SQL that cannot be parsed, translated, or translated faithfully.
    """
    import sqlglot
    from sqlglot import errors

    try:
        trees = sqlglot.parse(sql, read="bigquery", error_level=errors.ErrorLevel.RAISE)
        return tuple(
            part.sql("duckdb", unsupported_level=errors.ErrorLevel.RAISE)
            for tree in trees
            if tree is not None
            for part in _for_duckdb(tree)
        )
    except errors.SqlglotError as error:
        raise EngineError(f"cannot translate for DuckDB: {error}; in: {sql[:200]}") from error


def _for_duckdb(tree: Any) -> Iterator[Any]:
    """A statement as DuckDB can take it: without layout, one column per ALTER."""
    from sqlglot import exp

    _refuse_unfaithful(tree)
    tree = tree.transform(_count_if_never_null)
    for table in tree.find_all(exp.Table):
        _rename_information_schema(table)
    if isinstance(tree, exp.Create):
        # Partitioning, clustering and descriptions go, DuckDB has none of them; a temporary table stays temporary.
        temporary = list(tree.find_all(exp.TemporaryProperty))
        tree.set("properties", exp.Properties(expressions=temporary) if temporary else None)
    if isinstance(tree, exp.Alter):
        for action in tree.args["actions"]:
            single = tree.copy()
            single.set("actions", [action.copy()])
            yield single
    else:
        yield tree


def _refuse_unfaithful(tree: Any) -> None:
    """Raises on what sqlglot translates without a word into something that gives other results."""
    from sqlglot import exp

    unfaithful = {
        "a statement sqlglot does not understand": bool(tree.find(exp.Command)),
        "NUMERIC without precision (DECIMAL(18,3) there)": any(
            data_type.this is exp.DataType.Type.DECIMAL and not data_type.expressions
            for data_type in tree.find_all(exp.DataType)
        ),
        "DAYOFWEEK (counts from 0 there)": any(part.name.upper() == "DAYOFWEEK" for part in tree.find_all(exp.Var)),
        "WITH OFFSET (counts from 1 there)": any(unnest.args.get("offset") for unnest in tree.find_all(exp.Unnest)),
        "PARSE_TIMESTAMP (without a time zone there)": bool(tree.find(exp.StrToTime)),
        "TIMESTAMP_DIFF in anything but seconds (counts borders there)": any(
            diff.text("unit").upper() != "SECOND" for diff in tree.find_all(exp.TimestampDiff)
        ),
    }
    if found := [what for what, present in unfaithful.items() if present]:
        raise EngineError(f"would mean something else on DuckDB: {'; '.join(found)}; in: {tree.sql('bigquery')[:200]}")


def _count_if_never_null(node: Any) -> Any:
    """BigQuery's COUNTIF of nothing but nulls is 0; DuckDB's is null."""
    from sqlglot import exp

    if isinstance(node, exp.CountIf):
        return exp.Count(this=exp.case().when(node.this.copy(), exp.Literal.number(1)))
    return node


def _rename_information_schema(table: Any) -> None:
    """`dataset.INFORMATION_SCHEMA.COLUMNS` is one view for all schemas on DuckDB; queries filter by table_schema."""
    from sqlglot import exp

    schema, _, view = table.name.partition(".")
    if schema == "INFORMATION_SCHEMA":
        table.set("this", exp.to_identifier(view.lower()))
        table.set("db", exp.to_identifier("information_schema"))


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
