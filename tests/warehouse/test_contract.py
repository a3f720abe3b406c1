"""What every warehouse must do, whatever its engine: another implementation joins the list WAREHOUSES."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcourt.domain import breaker
from fullcourt.domain.errors import EngineError
from fullcourt.warehouse import Read, open_warehouse
from fullcourt.warehouse.ddl import Drift, create_schema, create_table, plan
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES

NOON = dt.datetime(2024, 11, 3, 12, 30, 0, 123456, dt.UTC)
D = dt.date(2024, 11, 3)
HOSTILE = [
    "O'Neal",
    'Shaquille "Diesel"',
    "x'); DROP TABLE nba_raw.inactive_lists; --",
    "two\nlines\tand\\slashes",
    "Nikola Jokić 🏀 " + "\u202e" + "漢字",
    "@name $1 ? {} %s",
    "=1+1",
]


class DuckDB:
    keeps_null_lists = True

    def kept(self, rows):
        """The rows as they come back."""
        return rows

    def bare(self, request, directory):
        """A warehouse that holds nothing."""
        return open_warehouse(f"duckdb://{directory}/contract.duckdb")

    def some(self, request, directory):
        """A warehouse with the tables SOME, at least, and no rows."""
        return self.whole(request, directory)

    def whole(self, request, directory):
        """A warehouse with every table and view, and no rows."""
        warehouse = self.bare(request, directory)
        warehouse.apply(plan({}).statements)
        return warehouse


class BigQuery:
    keeps_null_lists = False  # it stores them as empty ones

    def kept(self, rows):
        columns = {name: rows[name].to_pylist() for name in rows.column_names}
        for field in rows.schema:
            if pa.types.is_list(field.type):
                columns[field.name] = [value or [] for value in columns[field.name]]
        return pa.table(columns, rows.schema)

    def bare(self, request, directory):
        return open_warehouse(request.getfixturevalue("emulators").url(directory / "staging"))

    def some(self, request, directory):
        return self._empty(request, directory, "project_with_some_tables")

    def whole(self, request, directory):
        return self._empty(request, directory, "project_with_every_table")

    def _empty(self, request, directory, prepared):
        """The emulator needs a minute to make all tables: they are made once, and emptied for each test."""
        project, tables = request.getfixturevalue(prepared)
        warehouse = open_warehouse(request.getfixturevalue("emulators").url(directory / "staging", project))
        counted = (f"SELECT '{table}' AS id, COUNT(*) AS n FROM {table}" for table in tables)
        counts = " UNION ALL ".join(counted)
        filled = warehouse.query(f"SELECT id FROM ({counts}) AS counted WHERE n > 0")["id"].to_pylist()
        if filled:
            with warehouse.transaction({}) as session:
                for table in filled:
                    session.execute(f"DELETE FROM {table} WHERE TRUE")
        return warehouse


SOME = ("inactive_lists", "nbac_schedule", "team_defense_zone_analysis", "ml_feature_store_v2")
WAREHOUSES = [pytest.param(DuckDB(), id="duckdb"), pytest.param(BigQuery(), id="bigquery", marks=pytest.mark.cloud)]


@pytest.fixture(scope="session")
def project_with_some_tables(emulators, tmp_path_factory):
    tables = [TABLES[name] for name in SOME]
    datasets = dict.fromkeys(table.dataset for table in tables)
    warehouse = open_warehouse(emulators.url(tmp_path_factory.mktemp("staging"), "some-tables"))
    warehouse.apply([*map(create_schema, datasets), *map(create_table, tables)])
    return "some-tables", [table.id for table in tables]


@pytest.fixture(scope="session")
def project_with_every_table(emulators, tmp_path_factory):
    warehouse = open_warehouse(emulators.url(tmp_path_factory.mktemp("staging"), "every-table"))
    warehouse.apply(plan({}).statements)
    return "every-table", [table.id for table in TABLES.values()]


@pytest.fixture(params=WAREHOUSES)
def engine(request):
    return request.param


@pytest.fixture
def bare(engine, request, tmp_path):
    return engine.bare(request, tmp_path)


@pytest.fixture
def warehouse(engine, request, tmp_path):
    return engine.some(request, tmp_path)


@pytest.fixture
def whole_warehouse(engine, request, tmp_path):
    return engine.whole(request, tmp_path)


def inactive(name, game="0022400001", **more):
    row = {"nba_game_id": game, "team_abbr": "BOS", "player_name": name, "name_status": "resolved"}
    return row | {"season_year": 2024, "game_date": D} | more


def rows_of(table, *rows):
    """An Arrow table with just the columns the rows name."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.Table.from_pylist(list(rows), TABLES[table].arrow_subset(names))


def fill(warehouse, table, *rows):
    with warehouse.transaction({}) as session:
        session.insert(table, rows_of(table, *rows))


def names(warehouse):
    return warehouse.query("SELECT player_name FROM nba_raw.inactive_lists ORDER BY player_name").to_pydict()[
        "player_name"
    ]


# ---- schema


def test_nothing_is_there_before_the_first_apply(bare):
    assert bare.columns() == {}


def test_applying_again_keeps_the_rows_and_finds_nothing_to_change(whole_warehouse):
    assert plan(whole_warehouse.columns()).changes == ()
    fill(whole_warehouse, "inactive_lists", inactive("A"))
    whole_warehouse.apply(plan({}).statements)
    assert names(whole_warehouse) == ["A"]
    assert plan(whole_warehouse.columns()).changes == ()
    assert plan(whole_warehouse.columns()).drift == ()


def test_columns_are_those_declared(whole_warehouse):
    declared = {table.id: {column.name: column.type for column in table.columns} for table in TABLES.values()}
    found = whole_warehouse.columns()
    assert {name: columns for name, columns in found.items() if name in declared} == declared
    assert found.keys() - declared.keys() == {view.id for view in VIEWS.values()}


def test_fault_20_a_column_of_another_type_is_drift(bare):
    bare.apply(["CREATE SCHEMA nba_raw", "CREATE TABLE nba_raw.inactive_lists (player_name INT64, game_date STRING)"])
    assert plan(bare.columns()).drift == (
        Drift("nba_raw.inactive_lists", "game_date", "STRING", "DATE"),
        Drift("nba_raw.inactive_lists", "player_name", "INT64", "STRING"),
    )


def test_a_lacking_column_is_added_and_old_rows_have_null_there(bare):
    bare.apply(["CREATE SCHEMA nba_raw", "CREATE TABLE nba_raw.inactive_lists (player_name STRING)"])
    with bare.transaction({}) as session:
        session.execute("INSERT INTO nba_raw.inactive_lists (player_name) VALUES (@name)", name="A")
    bare.apply([statement for statement in plan(bare.columns()).changes if statement.startswith("ALTER TABLE")])
    assert bare.query("SELECT player_name, game_date FROM nba_raw.inactive_lists").to_pylist() == [
        {"player_name": "A", "game_date": None}
    ]


def test_a_failed_apply_leaves_nothing_behind(bare):
    with pytest.raises(EngineError):
        bare.apply(["CREATE SCHEMA nba_raw", "CREATE TABLE nba_raw.a (x INT64)", "DROP TABLE nba_raw.not_there"])
    assert bare.columns() == {}


# ---- values


def sample(kind, number):
    """A value of the type that is not easily mistaken for another."""
    if kind.startswith("NUMERIC"):
        digits = int(kind.partition(",")[2].rstrip(")"))
        return Decimal(-number - 1) - Decimal(10) ** -digits
    return {
        "STRING": f"text {number}",
        "JSON": '{"a":[1,2.5,null,"ü"]}',
        "INT64": 2**62 + number,
        "FLOAT64": 0.1 + number,
        "BOOL": bool(number % 2),
        "DATE": D + dt.timedelta(number),
        "TIMESTAMP": NOON + dt.timedelta(microseconds=number),
        "ARRAY<STRING>": ["", "a,b", "c'd", "é\n"],
        "ARRAY<FLOAT64>": [0.1, -2.5, 1e300, 0.0],
    }[kind]


@pytest.mark.xdist_group("round_trip")
def test_every_column_of_every_table_round_trips(whole_warehouse, engine):
    for table in TABLES.values():
        full = {column.name: sample(column.type, number) for number, column in enumerate(table.columns)}
        sparse = full | {column.name: None for column in table.columns if not column.required}
        first = table.grain[0]
        assert table.by_name[first].required, table.name
        if table.by_name[first].type == "STRING":
            sparse[first] = "text zzz"
        stored = pa.Table.from_pylist([full, sparse], table.arrow_schema)
        with whole_warehouse.transaction({}) as session:
            session.insert(table.name, stored)
        read = whole_warehouse.query(f"SELECT {', '.join(table.by_name)} FROM {table.id} ORDER BY {first}")
        assert read.to_pylist() == engine.kept(stored).to_pylist(), table.name
        assert read.schema.names == table.arrow_schema.names


def test_types_come_back_as_declared(warehouse):
    table = TABLES["team_defense_zone_analysis"]
    read = warehouse.query(f"SELECT {', '.join(table.by_name)} FROM {table.id}")
    assert {field.name: field.type for field in read.schema} == {field.name: field.type for field in table.arrow_schema}


def test_empty_and_null_lists_stay_apart_where_there_are_null_lists(warehouse, engine):
    rows = [
        {"team_abbr": team, "analysis_date": D, "data_quality_issues": issues}
        for team, issues in (("ATL", []), ("BOS", None))
    ]
    fill(warehouse, "team_defense_zone_analysis", *rows)
    read = warehouse.query(
        "SELECT data_quality_issues FROM nba_precompute.team_defense_zone_analysis ORDER BY team_abbr"
    )
    assert read["data_quality_issues"].to_pylist() == [[], None if engine.keeps_null_lists else []]


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_40_values_are_data_and_never_sql(warehouse, name):
    fill(warehouse, "inactive_lists", inactive(name), inactive("other"))
    assert name in names(warehouse)
    found = warehouse.query("SELECT player_name FROM nba_raw.inactive_lists WHERE player_name = @name", name=name)
    assert found["player_name"].to_pylist() == [name]
    among = warehouse.query(
        "SELECT player_name FROM nba_raw.inactive_lists WHERE player_name IN UNNEST(@names)", names=[name, "nobody"]
    )
    assert among["player_name"].to_pylist() == [name]
    with warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_raw.inactive_lists WHERE player_name = @name", name=name)
    assert names(warehouse) == ["other"]


def test_parameters_of_every_type_are_bound(warehouse):
    fill(warehouse, "inactive_lists", inactive("A", processed_at=NOON))
    sql = (
        "SELECT COUNT(*) AS n FROM nba_raw.inactive_lists "
        "WHERE processed_at = @at AND game_date IN UNNEST(@days) AND season_year BETWEEN @first AND @first"
    )
    assert warehouse.query(sql, at=NOON, days=[D], first=2024)["n"].to_pylist() == [1]
    assert warehouse.query(sql, at=NOON, days=[], first=2024)["n"].to_pylist() == [0]


def test_counts_and_sums_are_64_bit_integers(warehouse):
    fill(warehouse, "inactive_lists", inactive("A"), inactive("B"))
    read = warehouse.query("SELECT COUNT(*) AS n, SUM(season_year) AS total FROM nba_raw.inactive_lists")
    assert read.schema.types == [pa.int64(), pa.int64()]
    assert read.to_pylist() == [{"n": 2, "total": 4048}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x FROM nba_raw.nowhere",
        "SELECT nothing FROM nba_raw.inactive_lists",
        "SELEKT 1",
        "SELECT 1 / 0 FROM nba_raw.inactive_lists WHERE player_name = @unbound",
    ],
    ids=["table", "column", "syntax", "parameter"],
)
def test_what_the_engine_refuses_is_an_engine_error(warehouse, sql):
    with pytest.raises(EngineError):
        warehouse.query(sql)


def test_a_block_of_queries_answers_as_single_ones_do_and_gives_way_after(warehouse):
    fill(warehouse, "inactive_lists", inactive("A"))
    lists = [whole("inactive_lists")]
    alone = warehouse.fingerprints(lists)
    with warehouse.reading():
        assert names(warehouse) == names(warehouse) == ["A"]
        assert "nba_raw.inactive_lists" in warehouse.columns()
        with warehouse.reading():
            assert names(warehouse) == ["A"]
        assert warehouse.fingerprints(lists) == alone
    fill(warehouse, "inactive_lists", inactive("B"))
    with pytest.raises(EngineError), warehouse.reading():
        warehouse.query("SELEKT 1")
    fill(warehouse, "inactive_lists", inactive("C"))
    assert sorted(names(warehouse)) == ["A", "B", "C"]


# ---- snapshot


def test_a_snapshot_holds_the_columns_and_rows_asked_for(warehouse, tmp_path):
    fill(
        warehouse,
        "inactive_lists",
        inactive("A"),
        inactive("B", season_year=2023),
        inactive("C", season_year=2022),
    )
    reads = [
        Read("inactive_lists", ("player_name", "game_date"), {"season_year": [2023, 2024]}),
        Read("inactive_lists", ("player_name",), {"season_year": [2022], "team_abbr": ["BOS"]}, "older"),
        Read("inactive_lists", ("player_name",), {"season_year": []}, "none"),
        Read("nbac_schedule", ("nba_game_id", "game_date")),
    ]
    snapshot = warehouse.snapshot(reads, str(tmp_path))
    assert set(snapshot) == {"inactive_lists", "older", "none", "nbac_schedule"}
    read = {key: pa.concat_tables(map(pq.read_table, paths)) for key, paths in snapshot.items()}
    assert read["inactive_lists"].schema.names == ["player_name", "game_date"]
    assert sorted(read["inactive_lists"]["player_name"].to_pylist()) == ["A", "B"]
    assert read["older"].to_pylist() == [{"player_name": "C"}]
    assert read["none"].num_rows == 0
    assert read["nbac_schedule"].num_rows == 0
    assert read["nbac_schedule"].schema.types == [pa.string(), pa.date32()]


def test_a_snapshot_is_of_one_instant(warehouse, tmp_path):
    fill(warehouse, "inactive_lists", inactive("A"))
    snapshot = warehouse.snapshot([Read("inactive_lists", ("player_name",))], str(tmp_path))
    fill(warehouse, "inactive_lists", inactive("B"))
    assert pq.read_table(snapshot["inactive_lists"][0])["player_name"].to_pylist() == ["A"]


# ---- fingerprints

PLAYER = inactive("A", player_lookup="a")
TEAM = {"team_abbr": "BOS", "analysis_date": D, "opponent_pace": Decimal("98.5"), "data_quality_issues": ["a", "b"]}
VECTOR = {
    "player_lookup": "a",
    "universal_player_id": "a_001",
    "game_date": D,
    "game_id": "20241103_LAL_BOS",
    "team_abbr": "BOS",
    "feature_version": "v",
    "features": [0.0, 1.0],
}
MANY = [inactive(f"{number}", season_year=number % 7, player_lookup=None) for number in range(40)]
# Table -> what differs -> the rows before, and after.
OTHER_CONTENT = {
    "inactive_lists": {
        "a row lost": ([PLAYER], []),
        "a value": ([PLAYER], [PLAYER | {"player_lookup": "b"}]),
        "a value lost": ([PLAYER], [PLAYER | {"player_lookup": None}]),
        "'' and null": ([PLAYER | {"player_lookup": ""}], [PLAYER | {"player_lookup": None}]),
        "0 and null": ([PLAYER | {"season_year": 0}], [PLAYER | {"season_year": None}]),
        "day 0 and null": ([PLAYER | {"game_date": dt.date(1970, 1, 1)}], [PLAYER | {"game_date": None}]),
        "a row more": ([PLAYER], [PLAYER, inactive("B")]),
        "a row doubled": ([PLAYER], [PLAYER, PLAYER]),
        "a row tripled": ([PLAYER, PLAYER], [PLAYER, PLAYER, PLAYER]),
        "another row doubled": ([PLAYER, PLAYER, inactive("B")], [PLAYER, inactive("B"), inactive("B")]),
        "where a column ends": ([inactive("a", "bc")], [inactive("ab", "c")]),
        "columns swapped": ([inactive("a", "b")], [inactive("b", "a")]),
        "values swapped between rows": (
            [inactive("A", season_year=2023), inactive("B", season_year=2024)],
            [inactive("A", season_year=2024), inactive("B", season_year=2023)],
        ),
    },
    "team_defense_zone_analysis": {
        "a decimal": ([TEAM], [TEAM | {"opponent_pace": Decimal("98.6")}]),
        "order in a list": ([TEAM], [TEAM | {"data_quality_issues": ["b", "a"]}]),
        "elements joined": ([TEAM], [TEAM | {"data_quality_issues": ["ab"]}]),
        "[] and null": ([TEAM | {"data_quality_issues": []}], [TEAM | {"data_quality_issues": None}]),
        "[] and ['']": ([TEAM | {"data_quality_issues": []}], [TEAM | {"data_quality_issues": [""]}]),
    },
    "ml_feature_store_v2": {
        "[0, 1] and [1, 0]": ([VECTOR], [VECTOR | {"features": [1.0, 0.0]}]),
        "[0] and [0, 0]": ([VECTOR | {"features": [0.0]}], [VECTOR | {"features": [0.0, 0.0]}]),
        "[] and [0]": ([VECTOR | {"features": []}], [VECTOR | {"features": [0.0]}]),
    },
}
SAME_CONTENT = {
    "inactive_lists": {
        "nothing": ([], []),
        "another order": (MANY, MANY[::-1]),
        "doubled rows apart": ([PLAYER, PLAYER, *MANY], [PLAYER, *MANY, PLAYER]),
        "bookkeeping of a raw table": ([PLAYER], [PLAYER | {"processed_at": NOON, "run_id": "r"}]),
    },
    "team_defense_zone_analysis": {
        "bookkeeping of a gated table": ([TEAM], [TEAM | {"processed_at": NOON, "reprocess_attempt_count": 2}]),
    },
}


def whole(table):
    return Read(table, tuple(TABLES[table].by_name))


def alike(warehouse, cases):
    """What differs -> whether the table has the same fingerprint with the rows before as with the rows after."""

    def printed(table, rows):
        with warehouse.transaction({}) as session:
            session.execute(f"DELETE FROM {TABLES[table].id} WHERE TRUE")
            if rows:
                session.insert(table, rows_of(table, *rows))
        return warehouse.fingerprints([whole(table)])[table]

    return {
        name: printed(table, before) == printed(table, after)
        for table, named in cases.items()
        for name, (before, after) in named.items()
    }


def test_another_content_has_another_fingerprint(warehouse, engine):
    expected = [] if engine.keeps_null_lists else ["[] and null"]
    assert [name for name, same in alike(warehouse, OTHER_CONTENT).items() if same] == expected


def test_the_same_content_has_the_same_fingerprint(warehouse):
    assert [name for name, same in alike(warehouse, SAME_CONTENT).items() if not same] == []


def test_a_fingerprint_is_of_the_rows_and_columns_read(warehouse):
    fill(warehouse, "inactive_lists", inactive("A"), inactive("B", season_year=2023))
    reads = {
        name: Read("inactive_lists", columns, {"season_year": seasons}, name)
        for name, columns, seasons in [
            ("all", ("player_name", "game_date"), [2023, 2024]),
            ("ordered otherwise", ("game_date", "player_name"), [2024, 2023]),
            ("the newer", ("player_name", "game_date"), [2024]),
            ("fewer columns", ("game_date",), [2023, 2024]),
            ("none", ("player_name", "game_date"), []),
            ("bookkeeping", ("processed_at", "run_id"), [2023, 2024]),
        ]
    }
    before = warehouse.fingerprints(list(reads.values()))
    assert before.keys() == reads.keys()
    assert before["all"] == before["ordered otherwise"]
    assert len(set(before.values())) == len(before) - 1
    with warehouse.transaction({}) as session:
        session.execute("UPDATE nba_raw.inactive_lists SET player_name = 'C', run_id = 'r' WHERE season_year = 2023")
    after = warehouse.fingerprints(list(reads.values()))
    assert {name for name in reads if after[name] != before[name]} == {"all", "ordered otherwise"}


def test_a_fingerprint_takes_its_filter_as_data(warehouse):
    fill(warehouse, "inactive_lists", *map(inactive, HOSTILE))
    reads = [Read("inactive_lists", ("team_abbr",), {"player_name": [name]}, name) for name in (*HOSTILE, "nobody")]
    found = warehouse.fingerprints(reads)
    assert len({found[name] for name in HOSTILE}) == 1
    assert found["nobody"] != found[HOSTILE[0]]


def test_every_table_and_the_state_of_the_breakers_have_a_fingerprint(whole_warehouse):
    breakers = Read("breaker_state", tuple(breaker.STATE.names))
    reads = [*map(whole, TABLES), breakers]
    first = whole_warehouse.fingerprints(reads)
    assert first.keys() == {*TABLES, "breaker_state"}
    about = {"processor_name": "team_defense_zone_analysis", "entity_id": "BOS", "analysis_date": D}
    attempt = about | {"attempt_number": 1, "attempted_at": NOON, "circuit_breaker_tripped": False}
    fill(whole_warehouse, "reprocess_attempts", attempt)
    changed = {key for key, value in whole_warehouse.fingerprints(reads).items() if value != first[key]}
    assert changed == {"reprocess_attempts", "breaker_state"}


def test_fault_20_a_read_of_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match=r"nba_raw.inactive_lists has no columns \['points', 'x; DROP'\]"):
        Read("inactive_lists", ("x; DROP",), {"points": [1]})


# ---- transaction


def test_a_transaction_commits_everything(warehouse):
    with warehouse.transaction({}) as session:
        session.insert("inactive_lists", rows_of("inactive_lists", inactive("A")))
        session.insert("nbac_schedule", rows_of("nbac_schedule", {"nba_game_id": "0022400001"}))
        assert session.query("SELECT COUNT(*) AS n FROM nba_raw.inactive_lists")["n"].to_pylist() == [1]
    assert names(warehouse) == ["A"]
    assert warehouse.query("SELECT nba_game_id FROM nba_raw.nbac_schedule").num_rows == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, EngineError])
def test_an_exception_leaves_everything_as_it_was(warehouse, error):
    fill(warehouse, "inactive_lists", inactive("A"))
    with pytest.raises(error), warehouse.transaction({}) as session:  # noqa: PT012
        session.insert("inactive_lists", rows_of("inactive_lists", inactive("B")))
        session.insert("nbac_schedule", rows_of("nbac_schedule", {"nba_game_id": "0022400001"}))
        session.execute("DELETE FROM nba_raw.inactive_lists WHERE player_name = @name", name="A")
        raise error("stop")
    assert names(warehouse) == ["A"]
    assert warehouse.query("SELECT nba_game_id FROM nba_raw.nbac_schedule").num_rows == 0


def test_a_statement_the_engine_refuses_leaves_everything_as_it_was(warehouse):
    fill(warehouse, "inactive_lists", inactive("A"))
    with pytest.raises(EngineError), warehouse.transaction({}) as session:  # noqa: PT012
        session.execute("DELETE FROM nba_raw.inactive_lists WHERE player_name = @name", name="A")
        session.execute("DELETE FROM nba_raw.nowhere WHERE TRUE")
    assert names(warehouse) == ["A"]


def test_a_missing_required_value_is_refused(warehouse):
    with pytest.raises(EngineError, match="name_status"):
        fill(warehouse, "inactive_lists", {"nba_game_id": "1", "team_abbr": "BOS", "player_name": "A"})


def test_inserting_appends_and_absent_columns_are_null(warehouse):
    fill(warehouse, "inactive_lists", inactive("A"))
    fill(warehouse, "inactive_lists", inactive("B"))
    read = warehouse.query("SELECT player_name, run_id FROM nba_raw.inactive_lists ORDER BY player_name")
    assert read.to_pylist() == [{"player_name": "A", "run_id": None}, {"player_name": "B", "run_id": None}]


def test_the_order_of_inserted_columns_does_not_matter(warehouse):
    row = inactive("A", run_id="r")
    fill(warehouse, "inactive_lists", dict(reversed(row.items())))
    read = warehouse.query("SELECT player_name, run_id, team_abbr FROM nba_raw.inactive_lists")
    assert read.to_pylist() == [{"player_name": "A", "run_id": "r", "team_abbr": "BOS"}]


def stage(path, *rows):
    pq.write_table(rows_of("inactive_lists", *rows), path)
    return str(path)


def test_staged_rows_of_all_files_can_be_read_and_published(warehouse, tmp_path):
    paths = [stage(tmp_path / f"{name}.parquet", inactive(name)) for name in ("a", "b")]
    with warehouse.transaction({"inactive_lists": paths}) as session:
        staged = session.staged("inactive_lists")
        columns = "nba_game_id, team_abbr, player_name, name_status"
        session.execute(f"INSERT INTO nba_raw.inactive_lists ({columns}) SELECT {columns} FROM {staged}")
    assert names(warehouse) == ["a", "b"]


def test_a_table_staged_without_files_is_empty(warehouse):
    with warehouse.transaction({"inactive_lists": []}) as session:
        staged = session.query(f"SELECT player_name, game_date FROM {session.staged('inactive_lists')}")
    assert staged.num_rows == 0
    assert staged.schema.types == [pa.string(), pa.date32()]


@pytest.mark.parametrize("folder", ["it's", "a[1]b", "star*", "ques?tion", "per%cent", "ein Ordner ü"])
def test_fault_40_staging_paths_may_hold_any_character(warehouse, tmp_path, folder):
    (tmp_path / folder).mkdir()
    path = stage(tmp_path / folder / "rows.parquet", inactive("A"))
    with warehouse.transaction({"inactive_lists": [path]}) as session:
        staged = session.query(f"SELECT player_name FROM {session.staged('inactive_lists')}")
    assert staged["player_name"].to_pylist() == ["A"]


def test_a_run_has_a_staging_directory_of_its_own_until_it_is_swept(warehouse):
    mine, other = Path(warehouse.staging("run-1")), Path(warehouse.staging("run-2"))
    (mine / "x.parquet").write_text("x")
    assert mine != other
    assert warehouse.staging("run-1") == str(mine)
    warehouse.sweep("run-1")
    assert not mine.exists()
    assert other.exists()
    warehouse.sweep("run-2")
    warehouse.sweep("never staged")
