"""`explain`, `repair-plan` and `stale` as an operator runs them: three formats, exit codes, words."""

import csv
import datetime as dt
import io
import json

import pyarrow as pa
import pytest

from fullcourt.cli.paste import pasted
from schemas import TABLES
from tests.houses import read


@pytest.fixture(scope="module")
def held_back(chain):
    """A player and a day with a feature row that is not ready."""
    (row,) = chain.house.query(
        "SELECT player_lookup, game_date FROM nba_predictions.ml_feature_store_v2 WHERE NOT is_production_ready "
        "AND ARRAY_LENGTH(missing_game_ids) > 1 ORDER BY game_date, player_lookup LIMIT 1"
    )
    return row["player_lookup"], row["game_date"]


def on(house):
    return "--warehouse", house.url, "--now", house.now.isoformat()


def test_explain_prints_a_tree_with_the_lost_games_and_what_to_run(cli, chain, season, held_back):
    player, day = held_back
    code, out, err = cli("explain", player, "--date", day, *on(chain.house))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{player} (player) on {day}"
    assert lines[1] == "├── to repair", "the answer comes before the reasons"
    assert any(line[4:].startswith("ml_feature_store_v2 of") for line in lines)
    for game in season.lost:
        assert any("missing" in line and f"({game})" in line for line in lines)
        assert any(line.endswith(f"load again player_boxscores of {game} ({date_of(season, game)})") for line in lines)
    assert sum("fullcourt run precompute" in line for line in lines) == 1
    assert any("waits for player_daily_cache" in line for line in lines)
    assert any(line.endswith("see above") for line in lines)


def test_repair_plan_tells_of_rows_that_contradict_themselves(cli, season, season_house):
    house, day = season_house, season.judged[0]
    letter = {"processor_name": "player_shot_zone_analysis", "entity_id": "aplayer", "analysis_date": day}
    rows = [{**letter, "failure_category": "PROCESSING_ERROR"}]
    house.run("precompute", day, processors=["team_defense_zone_analysis"])
    with house.warehouse.transaction({}) as session:
        session.insert("precompute_failures", pa.Table.from_pylist(rows, TABLES["precompute_failures"].arrow_schema))
    _, out, _ = cli("repair-plan", "--start", day, "--end", day, *on(house))
    told = f"fullcourt explain aplayer --date {day} --processor player_shot_zone_analysis"
    assert f"1 more have an upstream row that contradicts itself: `{told}`" in out
    assert json.loads(cli("repair-plan", "--start", day, "--end", day, *on(house), "--format", "json")[1])[
        "dead_letters"
    ] == [letter | {"analysis_date": str(day)}]


@pytest.mark.parametrize("command", ["repair-plan", "stale"])
def test_no_all_clear_for_a_season_that_is_not_loaded_and_no_error_on_a_day_off(cli, chain, season, command):
    code, out, err = cli(command, "--start", "2019-12-01", "--end", "2019-12-31", *on(chain.house))
    assert (code, out, "no schedule is loaded for 2019-12-01 to 2019-12-31" in err) == (1, "", True)
    summer = season.days[-1] + dt.timedelta(days=7)
    code, out, err = cli(command, "--start", summer, "--end", summer, *on(chain.house))
    assert (code, err, str(summer) in out) == (0, "", True)


def test_no_all_clear_for_days_of_which_nothing_is_published(cli, loaded_house, league):
    day = max(league.schedule["game_date"].to_pylist())
    code, out, err = cli("repair-plan", "--start", day, "--end", day, *on(loaded_house))
    assert (code, out, f"nothing is published from {day} to {day}" in err) == (1, "", True)


def test_a_printed_command_names_the_warehouse_unless_it_is_the_usual_one(monkeypatch):
    command = "fullcourt ingest landing/; fullcourt run analytics --date 2024-01-01"
    monkeypatch.delenv("FULLCOURT_WAREHOUSE", raising=False)
    assert pasted(command, "fullcourt.duckdb") == command
    assert pasted(command, "my season.duckdb") == (
        "fullcourt ingest landing/ --warehouse 'my season.duckdb'; "
        "fullcourt run analytics --date 2024-01-01 --warehouse 'my season.duckdb'"
    )
    monkeypatch.setenv("FULLCOURT_WAREHOUSE", "my season.duckdb")
    assert pasted(command, "my season.duckdb") == command


def date_of(season, game):
    (row,) = [row for row in read(season.landing, "schedule").to_pylist() if row["game_id"] == game]
    return row["game_date"]


def test_explain_as_json_and_csv_says_the_same(cli, chain, held_back):
    player, day = held_back
    asked = ("explain", player, "--date", day, "--processor", "player_daily_cache", *on(chain.house))
    report = json.loads(cli(*asked, "--format", "json")[1])
    rows = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv")[1])))
    listed = [
        (node["processor"], node["entity"], game["standing"], game["game_id"])
        for node in report["nodes"]
        for game in node["games"]
        if game["standing"] != "present"
    ]
    named = ("processor", "entity", "standing", "game_id")
    assert [tuple(row[name] for name in named) for row in rows if row["game_id"]] == listed
    assert {row["asked"] for row in rows} == {player}


def test_repair_plan_in_three_formats(cli, chain, season):
    asked = ("repair-plan", "--start", chain.days[0], "--end", chain.days[-1], *on(chain.house))
    code, out, _ = cli(*asked)
    assert code == 0
    assert "entity-days are held back from" in out.splitlines()[0]
    assert all(game in out for game in season.lost)
    report = json.loads(cli(*asked, "--format", "json")[1])
    rows = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv", "--limit", "2")[1])))
    assert [row["game_id"] for row in rows] == [cell["game_id"] for cell in report["cells"][:2]]
    assert [int(row["gain"]) for row in rows] == [cell["gain"] for cell in report["cells"][:2]]
    assert report["cells"][-1]["cumulative"] == sum(game["gain"] for game in report["games"])


def test_stale_says_that_nothing_is(cli, chain):
    asked = ("stale", "--start", chain.days[0], "--end", chain.days[-1], *on(chain.house))
    assert cli(*asked)[:2] == (0, f"Nothing published from {chain.days[0]} to {chain.days[-1]} is stale\n")
    assert cli(*asked, "--format", "csv")[1] == ""
    assert json.loads(cli(*asked, "--format", "json")[1])["commands"] == []


@pytest.mark.parametrize("command", ["repair-plan", "stale"])
def test_a_range_that_ends_before_it_starts_is_refused(cli, chain, command):
    code, _, err = cli(command, "--start", "2024-12-01", "--end", "2024-11-01", *on(chain.house))
    assert (code, "start=2024-12-01, end=2024-11-01" in err) == (2, True)
