"""`breaker`: what operators see and do; a change is asked for, recorded with who and why, and takes nothing away."""

import csv
import datetime as dt
import io
import json
import os
import pty
import subprocess
import sys

import pyarrow as pa
import pytest

from schemas import TABLES

TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
D, NEXT = dt.date(2024, 11, 20), dt.date(2024, 11, 21)
T0 = dt.datetime(2024, 11, 21, 6, tzinfo=dt.UTC)
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(hours=168)
COMMAND = [sys.executable, "-c", "from fullcourt.cli.main import main; main()"]


@pytest.fixture
def house(empty_house):
    """BOS open on both days and NYK on the first; LAL tried twice; a player's breaker has cooled down."""
    empty_house.now = T0 + 5 * HOUR
    attempts = [
        (processor, entity, day, number, T0 - before + number * HOUR)
        for processor, entity, day, count, before in (
            (TDZA, "BOS", D, 3, 0 * HOUR),
            (TDZA, "BOS", NEXT, 3, 0 * HOUR),
            (TDZA, "NYK", D, 3, 0 * HOUR),
            (TDZA, "LAL", D, 2, 0 * HOUR),
            (PSZA, "aplayer", D, 3, 2 * WEEK),
        )
        for number in range(1, count + 1)
    ]
    rows = [
        {
            "processor_name": processor,
            "entity_id": entity,
            "analysis_date": day,
            "attempt_number": number,
            "attempted_at": at,
            "completeness_pct": 86.7,
            "skip_reason": "incomplete_upstream_data",
            "circuit_breaker_tripped": number >= 3,
            "circuit_breaker_until": at + WEEK if number >= 3 else None,
            "missing_games_hash": "0" * 16,
        }
        for processor, entity, day, number, at in attempts
    ]
    with empty_house.warehouse.transaction({}) as session:
        session.insert("reprocess_attempts", pa.Table.from_pylist(rows, TABLES["reprocess_attempts"].arrow_schema))
    return empty_house


def on(house, *more):
    return ("--warehouse", house.url, "--now", house.now.isoformat(), *more)


def actions(house):
    rows = house.query(
        "SELECT action, processor_name, entity_id, analysis_date, acted_at, acted_by, reason "
        "FROM nba_orchestration.breaker_actions ORDER BY action, analysis_date, entity_id"
    )
    return [tuple(row.values()) for row in rows]


def states(cli, house, *more):
    code, out, _ = cli("breaker", "status", *on(house, "--format", "json"), *more)
    assert code == 0
    rows = json.loads(out)["breakers"]
    return [(row["processor_name"], row["entity_id"], row["analysis_date"], row["state"]) for row in rows]


BOS, BOS_NEXT, NYK = ((TDZA, team, str(day), "open") for team, day in (("BOS", D), ("BOS", NEXT), ("NYK", D)))
LAL, PLAYER = (TDZA, "LAL", str(D), "closed"), (PSZA, "aplayer", str(D), "half_open")
OVERRIDE = ("breaker", "override", "--processor", TDZA, "--entity", "bos", "--date", D, "--reason", "late box score")
RESET = ("breaker", "reset", "--processor", TDZA, "--entity", "BOS", "--date", D, "--reason", "moved game")
SURE = "--i-understand-this-is-destructive"


def test_status_lists_the_open_ones_first_and_filters(cli, house):
    assert states(cli, house) == [BOS, BOS_NEXT, NYK, PLAYER, LAL]
    assert states(cli, house, "--active-only") == [BOS, BOS_NEXT, NYK]
    assert states(cli, house, "--entity", "BOS") == [BOS, BOS_NEXT]
    assert states(cli, house, "--processor", f"nba_precompute.{PSZA}") == [PLAYER]


def test_status_as_a_table_and_as_csv(cli, house):
    _, out, _ = cli("breaker", "status", *on(house))
    assert "No breaker is open." not in out
    assert "2024-11-28 09:00" in out
    sums = json.loads(cli("breaker", "status", *on(house, "--format", "json"))[1])["processors"]
    assert [(s["processor_name"], s["total_attempts"], s["active"]) for s in sums] == [(PSZA, 3, 0), (TDZA, 11, 3)]
    (row,) = csv.DictReader(io.StringIO(cli("breaker", "status", *on(house, "--format", "csv"), "--entity", "LAL")[1]))
    assert (row["attempt_number"], row["days_remaining"], row["state"]) == ("2", "", "closed")
    house.now += 2 * WEEK
    assert "No breaker is open." in cli("breaker", "status", *on(house))[1]


def test_an_override_is_recorded_and_lets_that_day_through_only(cli, house):
    code, out, err = cli(*OVERRIDE, "--by", "ann", "--yes", *on(house))
    assert (code, "override: 1 breaker, by ann" in out) == (0, True)
    assert f"fullcourt run precompute --processors {TDZA} --start {D} --end {D}" in err
    assert actions(house) == [("override", TDZA, "BOS", D, house.now, "ann", "late box score")]
    assert states(cli, house, "--active-only") == [BOS_NEXT, NYK]
    assert states(cli, house, "--entity", "BOS") == [BOS_NEXT, (*BOS[:3], "half_open")]
    code, _, err = cli(*OVERRIDE, "--yes", *on(house))
    assert (code, "nothing to do" in err, len(actions(house))) == (0, True, 1)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        pytest.param((), {(TDZA, "BOS", D), (TDZA, "NYK", D)}, id="all-processors"),
        pytest.param(("--processor", PSZA), set(), id="of-one-that-has-none-open"),
    ],
)
def test_fault_32_a_bulk_override_takes_every_open_breaker_of_the_days(cli, house, more, wanted):
    command = ("breaker", "bulk-override", "--date-from", D, "--date-to", D, "--reason", "outage", *more)
    code, _, err = cli(*command, "--dry-run", *on(house))
    assert (code, actions(house)) == (0, [])
    assert ("2 of team_defense" in err) == bool(wanted)
    assert cli(*command, "--yes", *on(house))[0] == 0
    assert {row[1:4] for row in actions(house)} == wanted


def test_a_reset_counts_anew_and_keeps_the_attempts(cli, house):
    assert cli(*RESET, SURE, "--yes", "--by", "ann", *on(house))[0] == 0
    assert actions(house) == [("reset", TDZA, "BOS", D, house.now, "ann", "moved game")]
    assert house.one("SELECT COUNT(*) AS n FROM nba_orchestration.reprocess_attempts WHERE entity_id = 'BOS'") == 6
    row = json.loads(cli("breaker", "status", *on(house, "--format", "json"), "--entity", "BOS")[1])["breakers"][1]
    assert (row["attempt_number"], row["state"], row["action"], row["acted_by"]) == (0, "closed", "reset", "ann")


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param("BOS\nDELETE\nyes\n", 0, id="all-three"),
        pytest.param("NYK\n", 1, id="another-entity"),
        pytest.param("BOS\ndelete\n", 1, id="not-DELETE"),
        pytest.param("BOS\nDELETE\ny\n", 1, id="not-yes"),
    ],
)
def test_a_reset_asks_three_times(house, answers, code):
    mine, theirs = pty.openpty()
    command = [*COMMAND, *map(str, RESET), SURE, *on(house)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        os.write(mine, answers.encode())
        process.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert process.returncode == code
    assert len(actions(house)) == (code == 0)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(OVERRIDE, "expected --yes, or --dry-run", id="no-terminal"),
        pytest.param((*RESET, "--yes"), f"expected {SURE}, or --dry-run", id="not-understood"),
        pytest.param((*OVERRIDE[:-1], " ", "--yes"), "the reason is empty", id="no-reason"),
        pytest.param((*OVERRIDE[:3], "pcf", *OVERRIDE[4:]), "unknown processor 'pcf'", id="processor"),
        pytest.param((*OVERRIDE[:5], "nobody", *OVERRIDE[6:]), "unknown entity 'nobody'", id="entity"),
        pytest.param((*OVERRIDE[:7], "yesterday", *OVERRIDE[8:]), "'yesterday' is no day", id="day"),
        pytest.param(
            ("breaker", "bulk-override", "--date-from", NEXT, "--date-to", D, "--reason", "x", "--yes"),
            "the first day must not be after the last",
            id="range",
        ),
    ],
)
def test_bad_words_change_nothing(cli, house, command, message):
    code, _, err = cli(*command, *on(house))
    assert (code, message in " ".join(err.split())) == (2, True), err
    assert actions(house) == []


def test_a_dry_run_shows_and_changes_nothing(cli, house):
    for command in (OVERRIDE, RESET):
        code, out, err = cli(*command, "--dry-run", *on(house))
        assert (code, "Would" in out, "dry run: nothing was changed" in err) == (0, True, True)
    assert actions(house) == []


@pytest.mark.parametrize(
    ("script", "arguments", "shown"),
    [
        pytest.param("check_circuit_breaker_status", ("--active-only",), "NYK", id="check-circuit-breaker-status"),
        pytest.param("override_circuit_breaker", (*OVERRIDE[2:], "--dry-run"), "Would override", id="override"),
        pytest.param(
            "bulk_override_circuit_breaker",
            ("--date-from", str(D), "--date-to", str(D), "--reason", "outage", "--dry-run"),
            "Would override 2 breakers",
            id="bulk-override",
        ),
        pytest.param("reset_circuit_breaker", (*RESET[2:], "--dry-run"), "Would reset", id="reset"),
    ],
)
def test_the_old_script_names(house, monkeypatch, capsys, script, arguments, shown):
    from fullcourt.cli import scripts

    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments), *on(house)])
    with pytest.raises(SystemExit) as ended:
        getattr(scripts, script)()
    assert (ended.value.code or 0, shown in capsys.readouterr().out) == (0, True)
