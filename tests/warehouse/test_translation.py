"""What is translated means the same on DuckDB, or is refused; what was translated once is kept."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.translation import to_duckdb


def test_parameters_are_bound_by_name():
    (sql,) = to_duckdb("SELECT @day AS day, @share * 2 AS twice")
    with duckdb.connect() as connection:
        assert connection.execute(sql, {"day": "2024-01-02", "share": 1.5}).fetchall() == [("2024-01-02", 3.0)]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT CAST(x AS NUMERIC) FROM t", id="bare numeric"),
        pytest.param("SELECT EXTRACT(DAYOFWEEK FROM x) FROM t", id="day of week"),
        pytest.param("SELECT x FROM UNNEST([1]) AS x WITH OFFSET AS o", id="offset"),
        pytest.param("SELECT PARSE_TIMESTAMP('%Y', x) FROM t", id="parse timestamp"),
        pytest.param("SELECT TIMESTAMP_DIFF(x, y, HOUR) FROM t", id="whole hours"),
        pytest.param("SELEC 1", id="not sql"),
    ],
)
def test_sql_that_would_mean_something_else_is_refused(sql):
    with pytest.raises(EngineError, match="DuckDB"):
        to_duckdb(sql)


@pytest.mark.parametrize(
    ("value", "given", "inside"),
    [
        pytest.param(1, [1, 2], True, id="there"),
        pytest.param(3, [1, 2], False, id="not-there"),
        pytest.param(1, [], False, id="in-nothing"),
        pytest.param(None, [], False, id="null-in-nothing"),
        pytest.param(1, None, False, id="in-no-list"),
        pytest.param(None, [1], None, id="null"),
        pytest.param(1, [None, 1], True, id="there-beside-a-null"),
        pytest.param(3, [None, 1], None, id="perhaps-the-null"),
    ],
)
def test_what_is_in_a_list_by_bigquerys_rules(value, given, inside):
    one = "FROM (SELECT @value AS x)"
    (sql,) = to_duckdb(
        f"SELECT x IN UNNEST(@given), x NOT IN UNNEST(@given), (SELECT COUNT(*) {one} WHERE x IN UNNEST(@given)), "
        f"(SELECT COUNT(*) {one} WHERE NOT (x IN UNNEST(@given))) {one}"
    )
    with duckdb.connect() as connection:
        row = connection.execute(sql, {"value": value, "given": given}).fetchone()
    assert row == (inside, None if inside is None else not inside, inside is True, inside is False)


def test_rows_of_other_days_are_not_even_read():
    (sql,) = to_duckdb("SELECT COUNT(*) FROM t WHERE day IN UNNEST(@days)")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(range(1_000_000)) AS day")
        plan = connection.execute(f"EXPLAIN ANALYZE {sql}", {"days": [17, 18]}).fetchall()[0][1]
    assert "Row Groups Scanned: 1 / 9" in plan, plan


TRANSLATE = """
import sys
from fullcourt.warehouse.translation import to_duckdb
print(*to_duckdb("SELECT COUNTIF(x > @y) FROM t"), 'sqlglot' in sys.modules, sep="; ")
"""


def translate(**variables):
    """In a process of its own: the statement, and whether anything was translated for it."""
    done = subprocess.run(
        [sys.executable, "-c", TRANSLATE], capture_output=True, text=True, check=True, env=os.environ | variables
    )
    *statements, translated = done.stdout.strip().split("; ")
    return statements, translated == "True"


def test_a_translation_is_kept_for_the_next_command(tmp_path):
    first, translated = translate(XDG_CACHE_HOME=str(tmp_path))
    assert translated
    assert translate(XDG_CACHE_HOME=str(tmp_path)) == (first, False)


@pytest.mark.parametrize("broken", ["", "[", "garbage"])
def test_a_translation_that_was_cut_off_is_made_anew(tmp_path, broken):
    first, _ = translate(XDG_CACHE_HOME=str(tmp_path))
    (kept,) = (path for path in Path(tmp_path).rglob("*") if path.is_file())
    kept.write_text(broken)
    assert translate(XDG_CACHE_HOME=str(tmp_path)) == (first, True)
    assert translate(XDG_CACHE_HOME=str(tmp_path)) == (first, False)


def test_where_nothing_can_be_kept_it_is_translated_each_time(tmp_path):
    (tmp_path / "file").touch()
    below_a_file = str(tmp_path / "file")
    assert translate(XDG_CACHE_HOME=below_a_file) == translate(XDG_CACHE_HOME=below_a_file)
    assert translate(XDG_CACHE_HOME=below_a_file)[1]
