"""The DDL parses as BigQuery SQL and, translated, makes exactly the declared tables on a real DuckDB file."""

import subprocess
import sys

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from fullcourt.domain.tables import Column, PublishMode, Table
from fullcourt.warehouse import ddl
from fullcourt.warehouse.translation import to_duckdb
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES

EVERYTHING = {table.id: {column.name: column.type for column in table.columns} for table in TABLES.values()}


@pytest.fixture
def con(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def run(con, statements):
    for statement in statements:
        for sql in to_duckdb(statement):
            con.execute(sql)


def tables_of(con):
    rows = con.execute(
        """SELECT table_schema || '.' || table_name, column_name, data_type
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_type = 'BASE TABLE' ORDER BY ordinal_position"""
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table_id, column, duckdb_type in rows:
        found.setdefault(table_id, {})[column] = ddl.bigquery_type(duckdb_type)
    return found


def parse(sql):
    (tree,) = sqlglot.parse(sql, read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    assert tree.find(exp.Command) is None
    return tree


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_create_table_is_bigquery_sql_that_says_everything_the_schema_says(table):
    tree = parse(ddl.create_table(table))
    assert isinstance(tree, exp.Create)
    columns = list(tree.find_all(exp.ColumnDef))
    assert [column.name for column in columns] == list(table.by_name)
    for column, declared in zip(columns, table.columns, strict=True):
        assert (column.find(exp.NotNullColumnConstraint) is not None) == declared.required
        described = next(p.args["value"].this for p in column.find_all(exp.Property) if p.name == "description")
        assert described == declared.doc
    partition = tree.find(exp.PartitionedByProperty)
    assert (partition.this.sql() if partition else None) == table.partition
    if table.partition:
        assert table.by_name[table.partition].type == "DATE"
    cluster = tree.find(exp.ClusterProperty)
    assert tuple(c.sql() for c in cluster.expressions if cluster) == table.cluster
    assert len(table.cluster) <= 4, "BigQuery's limit"


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_create_view_is_bigquery_sql(view):
    assert isinstance(parse(ddl.create_view(view)), exp.Create)


def test_quotes_and_backslashes_in_a_description_survive():
    doc = "Says \"so\", \\ and 'thus'."
    table = Table("t", "d", doc, (Column("c", "STRING", doc),), ("c",), PublishMode.APPEND)
    tree = parse(ddl.create_table(table))
    assert {p.args["value"].this for p in tree.find_all(exp.Property)} == {doc}


def test_an_empty_warehouse_gets_every_table_and_view(con):
    planned = ddl.plan({})
    run(con, planned.statements)
    assert tables_of(con) == EVERYTHING
    views = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert {name for (name,) in views} == set(VIEWS)
    assert planned.drift == ()


def test_required_columns_refuse_null(con):
    run(con, ddl.plan({}).changes)
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
        con.execute("INSERT INTO nba_raw.nbac_schedule (nba_game_id) VALUES (NULL)")


NO_VIEW_LACKS: dict[str, dict[str, str]] = {view.id: dict.fromkeys(view.columns, "") for view in VIEWS.values()}


def test_a_complete_warehouse_lacks_nothing_and_views_are_made_again(con):
    run(con, ddl.plan({}).statements)
    without = ddl.plan(tables_of(con))
    assert set(without.changes) == set(without.views), "a view that is not there is lacking"
    again = ddl.plan(tables_of(con) | NO_VIEW_LACKS)
    assert (again.changes, again.drift) == ((), ())
    run(con, again.statements)
    assert tables_of(con) == EVERYTHING


def test_the_first_plan_may_run_twice(con):
    for _ in range(2):
        run(con, ddl.plan({}).statements)
    assert tables_of(con) == EVERYTHING


def test_columns_are_added_in_one_statement_and_rows_stay(con):
    con.execute("CREATE SCHEMA nba_raw")
    con.execute("CREATE TABLE nba_raw.inactive_lists (nba_game_id TEXT NOT NULL, player_name TEXT)")
    con.execute("INSERT INTO nba_raw.inactive_lists VALUES ('0022300001', 'A Player')")
    planned = ddl.plan(tables_of(con))
    alters = [statement for statement in planned.changes if statement.startswith("ALTER")]
    assert len(alters) == 1
    assert alters[0].count("ADD COLUMN IF NOT EXISTS") == len(TABLES["inactive_lists"].columns) - 2
    assert "NOT NULL" not in alters[0]
    parse(alters[0])
    for _ in range(2):
        run(con, planned.statements)
    found = tables_of(con)["nba_raw.inactive_lists"]
    assert found == EVERYTHING["nba_raw.inactive_lists"]
    assert con.execute("SELECT player_name, team_abbr FROM nba_raw.inactive_lists").fetchall() == [("A Player", None)]


def test_a_column_of_another_type_is_drift_and_left_alone():
    existing = (
        EVERYTHING
        | NO_VIEW_LACKS
        | {"nba_raw.nbac_schedule": EVERYTHING["nba_raw.nbac_schedule"] | {"season_year": "STRING", "extra": "INT64"}}
    )
    planned = ddl.plan(existing)
    assert planned.changes == ()
    assert [str(drift) for drift in planned.drift] == ["nba_raw.nbac_schedule.season_year is STRING, expected INT64"]


def test_types_may_be_spelled_as_bigquery_reports_them():
    spelled = {"NUMERIC(5,3)": "NUMERIC(5, 3)", "INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
    existing = {
        table_id: {name: spelled.get(type_, type_) for name, type_ in columns.items()}
        for table_id, columns in EVERYTHING.items()
    }
    assert ddl.plan(existing).drift == ()


def test_a_type_unknown_to_the_schemas_shows_as_itself():
    assert ddl.bigquery_type("DECIMAL(18,3)") == "NUMERIC(18,3)"
    assert ddl.bigquery_type("HUGEINT") == "HUGEINT"


def test_importing_is_cheap():
    code = "import sys, fullcourt.warehouse.ddl, fullcourt.warehouse.queries; print('sqlglot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
