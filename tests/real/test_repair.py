"""The plan over the damaged season 2022-23 names exactly the games whose box scores were removed, and what to load."""

import datetime as dt
import shutil

import pytest

from fullcourt.orchestration.repair import repair_plan
from fullcourt.warehouse import open_warehouse
from tests.real.conftest import AFTER, run
from tests.real.test_damage import FIRST, LAST, LOST_DAYS, damage, lost_days, partial_game

__all__ = ["damage", "lost_days", "partial_game"]  # fixtures


CONTEXTS = ["upcoming_team_game_context", "upcoming_player_game_context"]
WEEK = dt.timedelta(7)


@pytest.fixture(scope="session")
def with_contexts(lost_days, once):
    """The lost days, with the contexts of the week after each: their windows of days permit no miss."""

    def build(directory):
        shutil.copyfile(file_of(lost_days), directory / "damaged.duckdb")
        for day in map(dt.date.fromisoformat, LOST_DAYS):
            run(directory / "damaged.duckdb", "analytics", day + dt.timedelta(1), day + WEEK, AFTER, names=CONTEXTS)

    return once("real_lost_days_contexts", build) / "damaged.duckdb"


def file_of(damaged):
    return damaged.oracle.value("SELECT path FROM duckdb_databases() WHERE database_name = 'warehouse'")


def planned(file, **more):
    return repair_plan(open_warehouse(str(file)), FIRST, LAST, **more)


def held_back(damaged):
    """{(processor, entity, day): the games it misses} of the rows that are not ready, by league id."""
    return {
        (name, entity, day): set(missing)
        for name, table, key in (
            ("player", "player_shot_zone_analysis", "player_lookup"),
            ("team", "team_defense_zone_analysis", "team_abbr"),
        )
        for entity, day, missing in damaged.oracle.rows(
            f"SELECT {key}, analysis_date, missing_nba_game_ids FROM warehouse.nba_precompute.{table} "
            "WHERE NOT is_production_ready"
        )
    }


def test_the_plan_names_exactly_the_lost_games(lost_days, with_contexts):
    plan = planned(with_contexts)
    cells = [(cell["nba_game_id"], cell["table"]) for cell in plan["cells"]]
    tables = ("nbac_gamebook_player_stats", "nbac_team_boxscore")
    assert set(cells) == {(game, table) for game, _ in lost_days.lost for table in tables}
    assert len(cells) == len(set(cells)) == len(lost_days.lost)  # two teams a game, two tables
    assert (plan["for_a_rerun"], plan["beyond_repair"]) == (0, 0)
    assert plan["cells"][-1]["cumulative"] == plan["held_back"] == sum(cell["gain"] for cell in plan["cells"])
    gains = [cell["gain"] for cell in plan["cells"]]
    assert gains[0] == max(cell["alone"] for cell in plan["cells"])
    assert [cell["gain"] for cell in planned(with_contexts, limit=3)["cells"]] == gains[:3]


def test_what_each_game_unblocks_alone_by_counting(lost_days):
    """A row that misses one game needs it; one that misses more becomes ready when nine tenths are there again."""
    plan = planned(file_of(lost_days))
    required = {
        (name, entity, day): expected
        for name, table, key in (
            ("player", "player_shot_zone_analysis", "player_lookup"),
            ("team", "team_defense_zone_analysis", "team_abbr"),
        )
        for entity, day, expected in lost_days.oracle.rows(
            f"SELECT {key}, analysis_date, expected_games_count FROM warehouse.nba_precompute.{table}"
        )
    }
    of_table = {"nbac_gamebook_player_stats": "player", "nbac_team_boxscore": "team"}
    rows = held_back(lost_days)
    assert plan["held_back"] == len(rows)
    for cell in plan["cells"]:
        kind, game = of_table[cell["table"]], cell["nba_game_id"]
        mine = [(required[key], len(missing)) for key, missing in rows.items() if key[0] == kind and game in missing]
        assert cell["missed_by"] == len(mine)
        assert cell["alone"] == sum(10 * (expected - missing + 1) >= 9 * expected for expected, missing in mine)


def test_a_partial_game_is_the_one_cell_of_the_plan(partial_game):
    plan = planned(file_of(partial_game))
    ((game, team),) = partial_game.lost
    (cell,) = plan["cells"]
    assert (cell["nba_game_id"], cell["lacking"], cell["table"]) == (game, [team], "nbac_gamebook_player_stats")
    assert (cell["files"], cell["gain"]) == (["player_boxscores"], plan["held_back"])
    assert cell["command"].startswith("fullcourt ingest ")
