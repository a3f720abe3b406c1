"""Values on their way to BigQuery and back: parameters, rows as a parameter, schemas of load jobs, types of results.

Every value is bound.  Importing this module loads neither the cloud's modules nor sqlglot.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

import pyarrow as pa

from fullcourt.domain.errors import EngineError
from fullcourt.domain.tables import Table, arrow_type
from schemas import TABLES

_MOST_BYTES = 4_000_000  # of one statement's rows; a request may have 10 MB
_MOST_ROWS = 2_000
_NUMERIC = re.compile(r"NUMERIC\((\d+),(\d+)\)")
_PLAIN = pa.decimal128(38, 9)  # how every NUMERIC comes back, whatever its column declares


def bind(sql: str, parameters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The statement and its query parameters, typed by their values.

    An empty list has no type to bind it with and is written as the literal []; None is a STRING.
    """
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    bound: list[Any] = []
    for name, value in parameters.items():
        if isinstance(value, list | tuple):
            if not value:
                sql = re.sub(rf"@{name}\b", "[]", sql)
                continue
            bound.append(ArrayQueryParameter(name, _type_of(name, value[0]), list(value)))
        else:
            bound.append(ScalarQueryParameter(name, "STRING" if value is None else _type_of(name, value), value))
    return sql, bound


def _type_of(name: str, value: Any) -> str:
    match value:
        case bool():
            return "BOOL"
        case int():
            return "INT64"
        case float():
            return "FLOAT64"
        case str():
            return "STRING"
        case Decimal():
            return "NUMERIC"
        case dt.datetime() if value.tzinfo is not None:
            return "TIMESTAMP"
        case dt.date() if not isinstance(value, dt.datetime):
            return "DATE"
    raise EngineError(f"parameter {name}: {value!r} has no BigQuery type here")


def insertions(table: Table, rows: pa.Table) -> Iterator[tuple[str, Any]]:
    """INSERT statements that together append the rows, each with its rows as one parameter."""
    names = rows.column_names
    columns = [table.by_name[name] for name in names]
    values = ", ".join(f"PARSE_JSON(r.{c.name})" if c.type == "JSON" else f"r.{c.name}" for c in columns)
    sql = f"INSERT INTO {table.id} ({', '.join(names)}) SELECT {values} FROM UNNEST(@rows) AS r"
    size = min(_MOST_ROWS, max(1, _MOST_BYTES * rows.num_rows // max(1, rows.nbytes)))
    for start in range(0, rows.num_rows, size):
        yield sql, _rows_parameter(columns, rows.slice(start, size))


def _rows_parameter(columns: Sequence[Any], rows: pa.Table) -> Any:
    from google.cloud.bigquery import (
        ArrayQueryParameter,
        ArrayQueryParameterType,
        ScalarQueryParameter,
        ScalarQueryParameterType,
        StructQueryParameter,
        StructQueryParameterType,
    )

    types: list[Any] = []
    makers: list[Callable[[Any], Any]] = []
    for column in columns:
        element, repeated = _bound_type(column.type)
        if repeated:
            types.append(ArrayQueryParameterType(ScalarQueryParameterType(element), name=column.name))
            makers.append(partial(_list_parameter, ArrayQueryParameter, column.name, element))
        else:
            types.append(ScalarQueryParameterType(element, name=column.name))
            makers.append(partial(ScalarQueryParameter, column.name, element))
    values = [
        StructQueryParameter(None, *(make(value) for make, value in zip(makers, row, strict=True)))
        for row in zip(*(rows[column.name].to_pylist() for column in columns), strict=True)
    ]
    return ArrayQueryParameter("rows", StructQueryParameterType(*types), values)


def _list_parameter(make: Callable[..., Any], name: str, element: str, value: list[Any] | None) -> Any:
    return make(name, element, value or [])  # BigQuery has no null lists


def _bound_type(kind: str) -> tuple[str, bool]:
    """A column's type as parameters name it, and whether it repeats."""
    element, repeated = _element(kind)
    return ("STRING" if element == "JSON" else element.partition("(")[0]), repeated


def _element(kind: str) -> tuple[str, bool]:
    if kind.startswith("ARRAY<"):
        return kind.removeprefix("ARRAY<").removesuffix(">"), True
    return kind, False


def load_schema(table: Table, staged: pa.Schema) -> list[Any]:
    """The explicit schema of a load job of staged Parquet files; what the table does not declare goes by its type.

    Nothing is required: that is for the table itself to refuse.  JSON travels as text.
    """
    from google.cloud.bigquery import SchemaField

    fields = []
    for field in staged:
        element, repeated = _element(_staged_type(table, field))
        numeric = _NUMERIC.fullmatch(element)
        fields.append(
            SchemaField(
                field.name,
                "NUMERIC" if numeric else "STRING" if element == "JSON" else element,
                mode="REPEATED" if repeated else "NULLABLE",
                precision=int(numeric[1]) if numeric else None,
                scale=int(numeric[2]) if numeric else None,
            )
        )
    return fields


def _staged_type(table: Table, field: pa.Field) -> str:
    if field.name in table.by_name:
        return table.by_name[field.name].type
    for kind in ("STRING", "INT64", "FLOAT64", "BOOL", "DATE", "TIMESTAMP"):
        if field.type == arrow_type(kind):
            return kind
    raise EngineError(f"staged rows of {table.id} have a column {field.name} of {field.type}, which no table declares")


def json_columns(table: Table, staged: Sequence[str]) -> list[str]:
    return [name for name in staged if name in table.by_name and table.by_name[name].type == "JSON"]


def nothing(table: Table) -> str:
    """A relation with the table's columns and no rows, which reads no table."""
    typed = (f"CAST(NULL AS {c.type.partition('(')[0]}) AS {c.name}" for c in table.columns)
    return f"(SELECT {', '.join(typed)} LIMIT 0)"


def as_declared(sql: str, rows: pa.Table) -> pa.Table:
    """The result with the types of the columns it selects: BigQuery drops a NUMERIC's precision from results."""
    decimals = [field.name for field in rows.schema if field.type == _PLAIN]
    if not decimals:
        return rows
    declared = _selected_decimals(sql)
    fields = [f.with_type(declared.get(f.name, f.type)) if f.name in decimals else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


@lru_cache(maxsize=1024)
def _selected_decimals(sql: str) -> dict[str, pa.DataType]:
    """Of columns that the statement selects as they are, and whose names have one NUMERIC type in all tables it names.

    A view's columns go by the names of the tables'.
    """
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="bigquery")
    named = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table)}
    known = [table for table in TABLES.values() if {table.id, table.read_id} & named] or list(TABLES.values())
    types: dict[str, set[str]] = {}
    for column in (column for table in known for column in table.columns if column.type.startswith("NUMERIC(")):
        types.setdefault(column.name, set()).add(column.type)
    selected = {part.name for part in tree.selects if isinstance(part, exp.Column)}
    whole = any(part.is_star for part in tree.selects)
    return {
        name: arrow_type(*found) for name, found in types.items() if len(found) == 1 and (whole or name in selected)
    }
