"""BigQuery's SQL in DuckDB's dialect.

All SQL of the product is written for BigQuery; `to_duckdb` translates it and refuses what would come out with
another meaning.  It assumes a session in UTC.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.kept import kept


@lru_cache(maxsize=1024)
def to_duckdb(sql: str) -> tuple[str, ...]:
    """The same statements in DuckDB's dialect, to run one by one; parameters `@x` become `$x`.

    EngineError names SQL that cannot be parsed, translated, or translated faithfully.
    """
    return kept(sql, _translated, __file__)


def _translated(sql: str) -> tuple[str, ...]:
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
    for test in list(tree.find_all(exp.In)):
        _look_up_in_list(test)
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


def _look_up_in_list(test: Any) -> None:
    """`WHERE x IN UNNEST(@list)` as a call that DuckDB turns into a filter, so that it reads only rows that may pass.

    sqlglot's CASE is asked row by row.  The two differ where one says null and the other false: a WHERE takes neither.
    """
    from sqlglot import exp

    above = test.parent
    while isinstance(above, (exp.And, exp.Or, exp.Paren)):
        above = above.parent
    unnest = test.args.get("unnest")
    if isinstance(above, exp.Where) and isinstance(unnest, exp.Unnest):
        (given,) = unnest.expressions
        if isinstance(given, exp.Parameter):
            test.replace(exp.ArrayContains(this=given.copy(), expression=test.this.copy()))


def _rename_information_schema(table: Any) -> None:
    """`dataset.INFORMATION_SCHEMA.COLUMNS` is one view for all schemas on DuckDB; queries filter by table_schema."""
    from sqlglot import exp

    schema, _, view = table.name.partition(".")
    if schema == "INFORMATION_SCHEMA":
        table.set("this", exp.to_identifier(view.lower()))
        table.set("db", exp.to_identifier("information_schema"))
