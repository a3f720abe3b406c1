"""`fullcourt health`: what it prints in each format, and the exit code that says whether somebody must look."""

import json

import pytest

from fullcourt.domain.alerts import CAUSES
from tests.good_day import ENTITIES, LOST_GAME, MORNING, PSZA, TDZA, UPGC, good_day, not_ready


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


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_the_command_of_every_cause_is_one_of_ours(cli, cause):
    named = {"day": "2024-01-10", "today": "2024-01-10", "phase": "precompute", "processor": PSZA}
    command, *arguments = cause.command.format_map(named).split()
    code, out, err = cli(*arguments, "--help")
    assert (command, code, err) == ("fullcourt", 0, "")
    assert "Usage: " in out
