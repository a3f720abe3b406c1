"""The five tables where games are lost, partial, moved or called off: every cell of the days around the damage."""

import datetime as dt

import duckdb
import pytest

from fullcourt.domain.processors import BY_NAME
from tests.real.conftest import AFTER, load, run
from tests.references.compare import REFERENCES, assert_as_expected
from tests.references.completeness import COMPUTED, HELD_BACK
from tests.references.league import MLFS, PCF, PDC, UPGC, UTGC, WHERE, League

SEASON, FIRST, LAST = "2022-23", dt.date(2022, 10, 1), dt.date(2023, 6, 12)
FILES = ("schedule", "players", "player_boxscores", "team_boxscores", "shots-by-zone", "inactives")
BOX_SCORES = ("player_boxscores", "team_boxscores")


def damage(connection: duckdb.DuckDBPyConnection) -> None:
    """One defect a line, the day it strikes first."""

    def game(day, number=0):
        sql = "SELECT game_id, home_tricode, away_tricode FROM schedule WHERE game_date = ? ORDER BY 1 LIMIT 1 OFFSET ?"
        return connection.execute(sql, [day, number]).fetchone()

    def lose(tables, where, *parameters):
        for table in tables:
            connection.execute(f'DELETE FROM "{table}" WHERE {where}', parameters)

    def never_played(status, game_id):
        connection.execute(
            "UPDATE schedule SET status = ?, home_score = NULL, away_score = NULL WHERE game_id = ?", [status, game_id]
        )

    # Within the first thirty days: a whole game, a game's player rows, half of one team's.
    lose(BOX_SCORES, "game_id = ?", game("2022-10-22", 2)[0])
    lose(("player_boxscores",), "game_id = ?", game("2022-10-29")[0])
    lose(("player_boxscores",), "game_id = ? AND team_tricode = ? AND player_id % 2 = 0", *game("2022-11-05")[:2])
    # All box scores of a day.
    lose(BOX_SCORES, "game_date = '2022-12-15'")
    # A schedule left behind, and a game called off.
    for status, day in (("Scheduled", "2023-01-10"), ("Cancelled", "2023-01-20")):
        lost = game(day)[0]
        never_played(status, lost)
        lose((*BOX_SCORES, "inactives"), "game_id = ?", lost)
    # Listings of a day too short to be whole, the day after two of the players were traded.
    lost, home, _ = game("2023-02-10")
    lose(
        ("player_boxscores",),
        "game_id = ? AND team_tricode = ? AND player_id % 3 > 0",
        lost,
        home,
    )
    lost, _, away = game("2023-02-10", 1)
    lose(("player_boxscores", "inactives"), "game_id = ? AND team_tricode = ?", lost, away)
    # Unknown times and starters, unknown shots, one team's totals.
    lost, home, _ = game("2023-03-01")
    connection.execute(
        "UPDATE player_boxscores SET seconds_played = NULL, starter = NULL WHERE game_id = ? AND team_tricode = ?",
        [lost, home],
    )
    lose(("shots-by-zone",), "game_id_resolved = ? AND team_tricode = ?", *game("2023-03-03")[:2])
    lose(("team_boxscores",), "game_id = ? AND team_tricode = ?", *game("2023-03-10")[:2])


DAYS = (
    "2022-10-22",
    "2022-10-24",
    "2022-10-30",
    "2022-11-06",
    "2022-11-17",  # the first day that nothing is let through
    "2022-12-15",
    "2022-12-16",
    "2022-12-27",
    "2023-01-10",
    "2023-01-11",
    "2023-01-20",
    "2023-01-21",
    "2023-02-10",
    "2023-02-11",
    "2023-03-02",
    "2023-03-05",
    "2023-03-11",
    "2023-03-20",
    "2023-04-20",
)


@pytest.fixture(scope="session")
def damaged(data, once):
    """The season with the defects, through every phase."""

    def build(directory):
        landing = directory / "landing"
        landing.mkdir()
        with duckdb.connect() as connection:
            for file in FILES:
                where = "" if file == "players" else f"WHERE season = '{SEASON}'"
                connection.execute(f"CREATE TABLE \"{file}\" AS FROM '{data / file}.parquet' {where}")
            damage(connection)
            for file in FILES:
                connection.execute(f"COPY \"{file}\" TO '{landing / file}.parquet'")
        warehouse = directory / "damaged.duckdb"
        load(warehouse, landing, AFTER)
        for phase in ("analytics", "precompute"):
            run(warehouse, phase, FIRST, LAST, AFTER)

    directory = once("damaged_season", build)
    return League(directory / "landing", directory / "damaged.duckdb")


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("day", DAYS)
def test_every_cell_around_the_damage(damaged, name, day):
    assert_as_expected(damaged, name, dt.date.fromisoformat(day))


def counted(league, table, sql, *parameters):
    dataset = WHERE[table][0]
    return league.rows(f"SELECT count(*) AS n FROM warehouse.{dataset}.{table} WHERE {sql}", *parameters)[0]["n"]


@pytest.mark.parametrize("name", REFERENCES)
def test_every_way_out_is_taken(damaged, name):
    """Ready, let through in the first thirty days, held back or flagged: the damage reaches each of them."""
    not_computed = f"{COMPUTED[name]} IS NULL"
    assert counted(damaged, name, "is_production_ready") > 1000
    assert counted(damaged, name, "processing_decision_reason = 'bootstrap_mode_allowed'") > 0
    assert counted(damaged, name, f"is_production_ready AND {not_computed}") == 0
    if name == UTGC:
        assert counted(damaged, name, not_computed) == 0
    else:
        assert counted(damaged, name, not_computed) > 50
        assert counted(damaged, name, f"{not_computed} AND processing_decision_reason <> ?", HELD_BACK[name]) == 0
    flagged = counted(damaged, name, "processing_decision_reason = 'processed_with_incomplete_upstream'")
    assert (flagged > 0) == (name in (UTGC, PCF, MLFS))


@pytest.mark.parametrize("name", [UPGC, PDC, PCF, MLFS])
def test_who_is_held_back_is_tried_again(damaged, name):
    """One run, one attempt each; neither a computed row, whatever its flag, nor the first thirty days have any."""
    dataset, day, entity = WHERE[name]
    held_back = damaged.rows(
        f"SELECT {entity} AS entity, {day} AS day FROM warehouse.{dataset}.{name} "
        f"WHERE {COMPUTED[name]} IS NULL AND NOT backfill_bootstrap_mode ORDER BY ALL"
    )
    assert _attempts(damaged, name) == held_back


def test_teams_are_never_tried_again(damaged):
    assert BY_NAME[UTGC].always_written
    assert _attempts(damaged, UTGC) == []


def _attempts(league, name):
    return league.rows(
        "SELECT entity_id AS entity, analysis_date AS day FROM warehouse.nba_orchestration.reprocess_attempts "
        "WHERE processor_name = ? ORDER BY ALL",
        name,
    )
