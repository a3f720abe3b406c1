"""What DuckDB makes of BigQuery's SQL, as sqlglot alone translates it, where it means something else.

`fullcourt/warehouse/translation.py` refuses or mends each of these.  A test that fails here says that a new version
translates faithfully, and that the refusal can go.
"""

import duckdb
import pytest
import sqlglot


@pytest.mark.parametrize(
    ("sql", "on_bigquery", "here"),
    [
        ("SELECT CAST(0.1234 AS NUMERIC) = 0.1234", True, False),  # DECIMAL(18,3) there
        ("SELECT EXTRACT(DAYOFWEEK FROM DATE '2024-01-14')", 1, 0),  # a Sunday
        ("SELECT n FROM UNNEST(['a']) AS x WITH OFFSET AS n", 0, 1),
        (
            "SELECT TIMESTAMP_DIFF(TIMESTAMP '2024-01-02 01:00:00', TIMESTAMP '2024-01-01 23:00:00', DAY)",
            0,
            1,  # borders of days, not whole days
        ),
        ("SELECT COUNTIF(x) FROM UNNEST([CAST(NULL AS BOOL)]) AS x", 0, None),
    ],
)
def test_other_results(sql, on_bigquery, here):
    (translated,) = sqlglot.transpile(sql, read="bigquery", write="duckdb")
    ((found,),) = duckdb.sql(translated).fetchall()
    assert found != on_bigquery
    assert found == here


def test_other_types():
    (parsed,) = sqlglot.transpile(
        "SELECT PARSE_TIMESTAMP('%Y-%m-%d', '2024-01-15') AS at", read="bigquery", write="duckdb"
    )
    assert str(duckdb.sql(parsed).types[0]) == "TIMESTAMP"  # on BigQuery with a time zone


def test_one_process_writes_a_file(tmp_path):
    """So runs close the file before their workers start, and the writer is waited for."""
    path = str(tmp_path / "one.duckdb")
    with duckdb.connect(path), pytest.raises(duckdb.Error, match=r"different configuration|lock|already"):
        duckdb.connect(path, read_only=True)
