"""The real lines on points, rebounds and assists: all of them load, and none of them is a line on points."""

import json
import shutil

import duckdb
import pytest

from fullcourt.warehouse import open_warehouse
from tests.real.conftest import AFTER, load

ROWS, EXACT_DUPLICATES = 29_592, 823
SPELLINGS_WITHOUT_ID, UNRESOLVED = 58, 57  # the registry knows one of them as an alias
PROPS = "prop_lines_pra.parquet"


@pytest.fixture(scope="module")
def loaded(data, once):
    """The warehouse with schedule, players and props, and the report of the load."""

    def build(directory):
        landing = directory / "landing"
        landing.mkdir()
        for name in ("schedule.parquet", "players.parquet", PROPS):
            shutil.copy(data / name, landing)
        report = load(directory / "props.duckdb", landing, AFTER)
        (directory / "report.json").write_text(json.dumps(report))

    directory = once("real_props", build)
    return open_warehouse(str(directory / "props.duckdb")), json.loads((directory / "report.json").read_text())


@pytest.fixture(scope="module")
def landed(data):
    """Ask DuckDB about the file itself, as `props`."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW props AS SELECT * FROM '{data / PROPS}'")
        yield lambda sql: connection.execute(sql).fetchall()


def ask(loaded, sql):
    return [tuple(row.values()) for row in loaded[0].query(sql).to_pylist()]


def test_every_row_is_read_and_exact_duplicates_are_dropped(loaded):
    _, report = loaded
    (file,) = [file for file in report["files"] if file["file_name"] == PROPS]
    assert (file["rows_read"], file["rows_loaded"], file["rows_excluded"], file["rows_dead"]) == (ROWS, ROWS, 0, 0)
    (table,) = [table for table in report["tables"] if table["table"] == "nba_raw.player_props"]
    assert (table["rows"], table["repeats_dropped"]) == (ROWS - EXACT_DUPLICATES, EXACT_DUPLICATES)
    assert ask(loaded, "SELECT market, COUNT(*) AS n FROM nba_raw.player_props GROUP BY market") == [
        ("points_rebounds_assists", ROWS - EXACT_DUPLICATES)
    ]


def test_every_distinct_row_arrives_with_its_figures(loaded, landed):
    stored = ask(
        loaded,
        "SELECT nba_game_id, player_name, bookmaker, line, over_price, under_price, snapshot_timestamp "
        "FROM nba_raw.player_props",
    )
    wanted = landed(
        "SELECT DISTINCT resolved_game_id, player_name_as_listed, bookmaker, line::DECIMAL(5,1), over_price, "
        "under_price, observed_at_utc::TIMESTAMPTZ FROM props"
    )
    assert len(stored) == ROWS - EXACT_DUPLICATES
    assert set(stored) == set(wanted)


def test_the_day_is_the_schedules_where_the_source_has_the_day_after(loaded, landed):
    ((late,),) = landed("SELECT count(DISTINCT event_id) FROM props WHERE event_date = resolved_game_date + 1")
    assert late == 20
    stored = ask(
        loaded, "SELECT DISTINCT nba_game_id, game_date, SUBSTR(game_id, 1, 8) AS day FROM nba_raw.player_props"
    )
    wanted = landed("SELECT DISTINCT resolved_game_id, resolved_game_date FROM props")
    assert sorted((game, day) for game, day, _ in stored) == sorted(wanted)
    assert all(f"{day:%Y%m%d}" == named for _, day, named in stored)


def test_games_by_season_type(loaded):
    counted = "SELECT season_type, COUNT(DISTINCT game_id) AS n FROM nba_raw.player_props GROUP BY season_type"
    assert dict(ask(loaded, counted)) == {"regular": 302, "playoffs": 35, "play_in": 3}


def test_spellings_that_name_nobody_have_no_key(loaded, landed):
    assert landed("SELECT count(DISTINCT player_name_as_listed) FROM props WHERE resolved_player_id IS NULL") == [
        (SPELLINGS_WITHOUT_ID,)
    ]
    unresolved = (
        "SELECT COUNT(DISTINCT player_name) AS names, COUNT(player_lookup) AS keys FROM nba_raw.player_props "
        "WHERE name_status = 'NAME_UNRESOLVED'"
    )
    assert ask(loaded, unresolved) == [(UNRESOLVED, 0)]
    assert ask(loaded, "SELECT COUNT(*) AS n FROM nba_raw.player_props WHERE player_lookup IS NULL") == [(517,)]


def test_the_same_file_again_changes_nothing(loaded, landed, data, tmp_path):
    """What a load replaces is a game's snapshot of one bookmaker: each of the file's is covered, none changes."""
    ((snapshots,),) = landed("SELECT count(DISTINCT (resolved_game_id, bookmaker, observed_at_utc)) FROM props")
    assert snapshots == 3012
    shutil.copy(loaded[0].url.removeprefix("duckdb://"), tmp_path / "again.duckdb")
    (tmp_path / "landing").mkdir()
    shutil.copy(data / PROPS, tmp_path / "landing")
    (table,) = load(tmp_path / "again.duckdb", tmp_path / "landing", AFTER)["tables"]
    assert (table["covered"], table["changed"]) == (snapshots, 0)


def test_no_player_has_a_line_on_points(oracle):
    """A line on points, rebounds and assists is no line on points, however close."""
    assert oracle.value("SELECT count(*) FROM warehouse.nba_raw.player_props") == ROWS - EXACT_DUPLICATES
    summaries = "SELECT count(*), count(points_line) FROM warehouse.nba_analytics.player_game_summary"
    ((rows, lines),) = oracle.rows(summaries)
    assert rows > 50_000
    assert lines == 0
