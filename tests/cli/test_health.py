"""`fullcourt health`: what it prints in each format, and the exit code that says whether somebody must look."""

import datetime as dt
import json

import pytest

from fullcourt.domain.alerts import CAUSES
from schemas import TABLES
from tests.good_day import ENTITIES, LOST_GAME, MLFS, MORNING, PDC, PSZA, TDZA, UPGC, execute, good_day, not_ready
from tests.verified import game_days

LONG_AGO = dt.date(2000, 1, 1)


@pytest.fixture(scope="module")
def good_file(empty_file, tmp_path_factory):
    return good_day(empty_file.copy(tmp_path_factory.mktemp("good") / "good.duckdb"))


@pytest.fixture
def good(good_file, tmp_path):
    return good_file.copy(tmp_path / "house.duckdb")


def test_the_command_says_what_is_wrong_and_ends_in_1(cli, good):
    where = ("--warehouse", good.url, "--now", MORNING.isoformat())
    code, out, _ = cli("health", *where)
    assert (code, "Health of 2024-01-10: good" in out, "Alerts: none" in out) == (0, True, True)
    not_ready(good, PSZA, ENTITIES[:8], [LOST_GAME])
    code, out, _ = cli("health", *where)
    assert (code, "Health of 2024-01-10: not good" in out) == (1, True)
    assert "fullcourt repair-plan --start 2024-01-06 --end 2024-01-10" in out
    assert "Symptoms of lost games, no alerts of their own (all in --format json): PROCESSOR_READY_LOW (1)" in out
    code, out, _ = cli("health", "--processor", TDZA, "--date", "2024-01-11", *where)
    assert (code, "no games on 2024-01-11: this is the newest game day before it" in out) == (0, True)


def test_the_command_prints_json_and_csv(cli, good):
    not_ready(good, PSZA, ENTITIES[:8], [LOST_GAME])
    where = ("--warehouse", good.url, "--now", MORNING.isoformat())
    code, out, _ = cli("health", *where, "--format", "json")
    report = json.loads(out)
    assert (code, report["healthy"], report["alerts"][0]["cause"]) == (1, False, "LOST_GAME_DAY")
    code, out, _ = cli("health", *where, "--format", "csv")
    lines = out.splitlines()
    assert lines[0] == "section,name,processor,day,value,status,text,command"
    assert lines[1] == "day,date,,2024-01-10,,not good,,"
    assert f"processor,ready_pct,{PSZA},,80.0,WARNING,," in lines
    assert f"processor,newest_run,{PSZA},2024-01-10,,success,," in lines


def test_a_clean_up_that_fails_is_told_until_the_command_it_names_went_well(cli, good):
    def at(minute):
        return ("--warehouse", good.url, "--now", f"2024-01-30T09:{minute:02}:00+00:00")

    def told(minute):
        report = json.loads(cli("health", "--date", "2024-01-10", "--format", "json", *at(minute))[1])
        return [alert for alert in report["alerts"] if alert["cause"] == "CLEANUP_FAILED"]

    good.warehouse.apply([f"CREATE TABLE nba_analytics.{UPGC}_backup_20240130 (game_date DATE)"])
    assert cli("cleanup", "upcoming", "--yes", *at(0))[0] == 1
    (alert,) = told(1)
    assert (alert["severity"], alert["day"]) == ("warning", "2024-01-30")
    good.warehouse.apply([f"DROP TABLE nba_analytics.{UPGC}_backup_20240130"])
    program, *arguments = alert["command"].split()
    assert (program, cli(*arguments, "--yes", *at(2))[0]) == ("fullcourt", 0)
    assert told(3) == []


def on(house):
    return ("--warehouse", house.url, "--now", house.now.isoformat())


def told(cli, house, cause, day):
    report = json.loads(cli("health", "--date", day, "--format", "json", *on(house))[1])
    return [alert for alert in report["alerts"] if alert["cause"] == cause]


ANEW = ("--yes", "--parallel", 1)


def test_a_context_made_of_box_scores_is_told_until_the_command_it_names_read_a_real_one(cli, verified, tmp_path):
    house = verified.copy(tmp_path / "house.duckdb")
    day = game_days(house)[-1]
    execute(house, f"DELETE FROM {TABLES[UPGC].id} WHERE game_date = @day", day=day)
    asked = ("--dates", day, "--phases", "precompute", "--processors", PDC)
    assert cli("backfill", "run", *asked, *ANEW, *on(house))[0] == 0
    (alert,) = told(cli, house, "SYNTHETIC_CONTEXT", day)
    assert (alert["severity"], alert["day"], alert["affected"] > 0) == ("warning", str(day), True)
    command = alert["command"].removesuffix(f" --warehouse {house.url}")
    assert command == f"fullcourt backfill run --dates {day} --phases analytics,precompute"
    assert cli(*command.split()[1:], *ANEW, *on(house))[0] == 0
    assert told(cli, house, "SYNTHETIC_CONTEXT", day) == []
    for name in (UPGC, PDC, MLFS):
        assert house.table(name, content=True).equals(verified.table(name, content=True)), name


def test_a_backfill_with_failed_days_is_told_until_it_is_done_or_cancelled(cli, loaded_house):
    house, table = loaded_house, TABLES["nbac_gamebook_player_stats"].id
    day = game_days(house)[0]
    execute(house, f"UPDATE {table} SET game_date = @other WHERE game_date = @day", day=day, other=LONG_AGO)
    asked = ("--dates", day, "--phases", "analytics", "--processors", "player_game_summary")
    assert cli("backfill", "run", *asked, *ANEW, *on(house))[0] == 1
    (alert,) = told(cli, house, "BACKFILL_LEFT_OVER", day)
    assert alert["affected"] == 1
    program, *arguments = alert["command"].split()
    code, out, _ = cli(*arguments, "--format", "json")
    (row,) = json.loads(out)
    assert (program, code, row["state"]) == ("fullcourt", 0, "FAILED")
    execute(house, f"UPDATE {table} SET game_date = @day WHERE game_date = @other", day=day, other=LONG_AGO)
    assert cli("backfill", "resume", row["plan"], "--replan", *ANEW, *on(house))[0] == 0
    assert told(cli, house, "BACKFILL_LEFT_OVER", day) == []


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_the_command_of_every_cause_is_one_of_ours(cli, cause):
    named = {"day": "2024-01-10", "today": "2024-01-10", "phase": "precompute", "processor": PSZA}
    command, *arguments = cause.command.format_map(named).split()
    code, out, err = cli(*arguments, "--help")
    assert (command, code, err) == ("fullcourt", 0, "")
    assert "Usage: " in out
