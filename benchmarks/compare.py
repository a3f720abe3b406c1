"""Compares the contestants' results, cell by cell."""

from pathlib import Path

import duckdb

from benchmarks.spec import COUNTS, KEY, MEANS

MEMORY = "4GB"  # a comparison of a hundred seasons spills beyond that
_FILES = (("ready", MEANS), ("held_back", ()))


def compare(mine: Path, other: Path, *, exact: bool = False, some_days: bool = False) -> int:
    """Rows in both results, all cells equal; RuntimeError counts the rows that are not.

    exact: means are equal bit by bit; else to 1e-9, as one contestant sums integers and another doubles.
    some_days: mine holds sampled days only; they are compared with those days of the other's.
    """
    connection = duckdb.connect()
    connection.execute(f"SET threads = 2; SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = false")
    if some_days:
        every = " UNION ".join(f"SELECT {KEY[2]} FROM {_read(mine, name)}" for name, _ in _FILES)
        connection.execute(f"CREATE TABLE sampled AS {every}")
    rows = 0
    for name, means in _FILES:
        theirs = f"(FROM {_read(other, name)}" + (" SEMI JOIN sampled USING (analysis_date))" if some_days else ")")
        differs = " OR ".join([f"a.{column} IS DISTINCT FROM b.{column}" for column in COUNTS] + _unlike(means, exact))
        counted, wrong = connection.execute(
            f"SELECT count(*), count(*) FILTER (a.{KEY[0]} IS NULL OR b.{KEY[0]} IS NULL OR {differs}) "
            f"FROM {_read(mine, name)} a FULL JOIN {theirs} b "
            f"ON {' AND '.join(f'a.{column} = b.{column}' for column in KEY)}"
        ).fetchall()[0]
        if wrong:
            raise RuntimeError(f"{name}: {wrong} of {counted} rows differ between {mine.name} and {other.name}")
        rows += counted
    return rows


def _read(directory: Path, name: str) -> str:
    return f"read_parquet('{directory}/{name}*.parquet')"


def _unlike(means: tuple[str, ...], exact: bool) -> list[str]:
    if exact:
        return [f"a.{column} IS DISTINCT FROM b.{column}" for column in means]
    return [f"(a.{c} IS NULL) <> (b.{c} IS NULL) OR abs(a.{c} - b.{c}) > 1e-9" for c in means]
