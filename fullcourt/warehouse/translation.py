"""BigQuery's SQL in DuckDB's dialect.

All SQL of the product is written for BigQuery; `to_duckdb` translates it and refuses what would come out with
another meaning.  It assumes a session in UTC.  Translating takes longer than most statements run, so translations
are kept between commands, a file each, below the user's cache directory; what is not kept is translated.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fullcourt.domain.errors import EngineError


@lru_cache(maxsize=1024)
def to_duckdb(sql: str) -> tuple[str, ...]:
    """The same statements in DuckDB's dialect, to run one by one; parameters `@x` become `$x`.

    EngineError names SQL that cannot be parsed, translated, or translated faithfully.
    """
    path = _directory() / hashlib.sha256(sql.encode()).hexdigest()
    kept = _read(path)
    if kept is None:
        kept = _translated(sql)
        _keep(path, kept)
    return kept


@cache
def _directory() -> Path:
    """Of this translator's own: another version of it, or of sqlglot, keeps its translations elsewhere."""
    translator = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(root) / "fullcourt" / "sql" / f"sqlglot-{version('sqlglot')}-{translator}"


def _read(path: Path) -> tuple[str, ...] | None:
    """None where it is not kept, or was cut off."""
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return tuple(kept)


def _keep(path: Path, translations: tuple[str, ...]) -> None:
    """Whole or not at all, and only where this user may write: a translation that is not kept costs time only."""
    if not path.is_absolute():  # a user without a home
        return
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            json.dump(translations, file)
        Path(file.name).replace(path)


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
