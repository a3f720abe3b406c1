"""The commands of backfills, as a person uses them."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys

import pytest

from fullcourt.domain.processors import Phase, select
from schemas import TABLES
from tests import drills
from tests.backfills import plan
from tests.verified import execute, game_days

SUMMARIES = ",".join(p.name for p in select(Phase.ANALYTICS) if not p.windows)
TOGS = "team_offense_game_summary"


@pytest.fixture
def backfill(cli, loaded_house):
    """A backfill command on the small league: (exit code, stdout, stderr)."""

    def run(*arguments):
        return cli("backfill", *arguments, "--warehouse", loaded_house.url, "--now", loaded_house.now.isoformat())

    return run


@pytest.fixture
def days(loaded_house):
    return game_days(loaded_house)


def on(days):
    return ("--start", days[0], "--end", days[-1])


def test_plan_apply_status_and_nothing_left(backfill, days):
    code, said, hints = backfill("plan", *on(days[:4]), "--phases", "analytics", "--processors", SUMMARIES)
    assert code == 0
    assert f"4 game days, {days[0]} to {days[3]}" in said
    plan_id = hints.split("fullcourt backfill apply ")[1].split()[0]
    code, said, _ = backfill("status", plan_id, "--format", "json")
    report = json.loads(said)
    assert (code, report["state"], report["stages"][0]["pending"]) == (0, "PENDING", 1)

    assert backfill("apply", plan_id, "--parallel", 1)[0] == 2  # no terminal to ask on
    code, said, hints = backfill("apply", plan_id, "--parallel", 1, "--yes")
    assert (code, "4 stage-days computed, 0 unchanged" in said) == (0, True)
    assert "12 completion messages held in" in said
    code, said, _ = backfill("status", plan_id[:16], "--format", "json")
    report = json.loads(said)
    assert (code, report["state"], report["failures"]) == (0, "DONE", [])
    assert sum(row["messages"] for row in report["held"]) == 12

    same = ("run", *on(days[:4]), "--phases", "analytics", "--processors", SUMMARIES, "--yes")
    code, said, hints = backfill(*same)
    assert (code, "Nothing to do" in said, "verifying analytics" in hints) == (0, True, True)
    code, said, _ = backfill("list", "--format", "json")
    assert [(row["plan"], row["state"]) for row in json.loads(said)] == [(plan_id, "DONE")]


def test_a_dry_run_stores_nothing(backfill, days, loaded_house):
    before = loaded_house.everything()
    for command in ("plan", "run"):
        code, said, hints = backfill(command, *on(days[:2]), "--phases", "analytics", "--dry-run", "--format", "json")
        report = json.loads(said)
        assert (code, report["days_left"], len(report["stages"])) == (0, 2 * 5, 2)
        assert report["estimated_rows"] > 0
        assert report["estimated_bytes"] > 0
        assert "dry run" in hints
    assert loaded_house.everything() == before


def test_a_failed_day_ends_in_1_with_the_command_that_does_it_again(backfill, days, loaded_house):
    execute(
        loaded_house,
        f"DELETE FROM {TABLES['nbac_gamebook_player_stats'].id} WHERE game_date = @day",
        day=days[1],
    )
    asked = ("run", *on(days[:3]), "--phases", "analytics", "--processors", SUMMARIES, "--slice-days", 1, "--yes")
    code, said, hints = backfill(*asked, "--parallel", 1)
    assert code == 1
    assert f"fullcourt backfill run --dates {days[1]} --phases analytics" in said.replace("\n", " ")
    assert "players' box scores: 0 of" in said
    assert "once repaired: fullcourt backfill resume" in said
    assert "1 day not done" in hints
    code, said, _ = backfill(*asked, "--parallel", 1, "--on-error", "continue", "--format", "json")
    report = json.loads(said)
    assert (code, [row["day"] for row in report["failures"]]) == (1, [str(days[1])])
    assert (report["computed_days"], report["unchanged_days"]) == (1, 1)


def test_all_verifies_the_raw_tables_before_it_computes(backfill, days, loaded_house):
    execute(loaded_house, f"DELETE FROM {TABLES['nbac_team_boxscore'].id} WHERE game_date = @day", day=days[1])
    code, _, hints = backfill("run", *on(days[:3]), "--yes", "--parallel", 1)
    assert code == 1
    assert "verification failed: landing: game_days of nba_raw.nbac_team_boxscore" in hints
    assert loaded_house.table("publish_receipts").num_rows == 0


def test_moved_inputs_need_replan_which_may_be_killed_and_given_again(backfill, days, loaded_house):
    made = plan(loaded_house, days[:1], "analytics", [TOGS])
    execute(
        loaded_house,
        f"UPDATE {TABLES['nbac_team_boxscore'].id} SET points = points + 1 WHERE game_date = @d",
        d=days[0],
    )
    code, _, hints = backfill("apply", made.plan_id, "--yes")
    assert (code, "the inputs moved" in hints) == (1, True)
    replan = ("apply", made.plan_id, "--yes", "--replan", "--parallel", "1")
    assert drills.command(loaded_house, "backfill", *replan, crash_at="planned").code == -signal.SIGKILL
    loaded_house.now += dt.timedelta(hours=1)
    code, said, hints = backfill(*replan, "--format", "json")
    assert (code, json.loads(said)["state"]) == (0, "DONE")
    assert f"{made.plan_id} is cancelled" in hints
    listed = json.loads(backfill("list", "--format", "json")[1])
    assert sorted((row["plan"] == made.plan_id, row["state"]) for row in listed) == [
        (False, "DONE"),
        (True, "CANCELLED"),
    ]


def test_cancel_and_resume(backfill, days, loaded_house):
    made = plan(loaded_house, days[:2], "analytics", [TOGS])
    assert backfill("cancel", made.plan_id, "--dry-run")[0] == 0
    assert backfill("cancel", made.plan_id, "--yes", "--by", "operator")[0] == 0
    code, _, hints = backfill("apply", made.plan_id, "--yes", "--parallel", 1)
    assert (code, "was cancelled by operator" in hints) == (4, True)
    code, said, _ = backfill("resume", made.plan_id, "--yes", "--parallel", 1, "--format", "json")
    assert (code, json.loads(said)["state"]) == (0, "DONE")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--start", "2024-11-02", "--end", "2024-11-01"), "the first day must not be after the last"),
        (("--end", "2024-11-03"), "2024-11-03 is not over"),
        (("--dates", "2024-11-01", "--end", "2024-11-02"), "--dates excludes --start and --end"),
        (("--dates", "2024-13-01"), "'2024-13-01' is no day"),
        (("--phases", "phase9"), "unknown phase 'phase9'"),
        (("--phases", "analytics", "--processors", "nothing"), "unknown processor 'nothing'"),
        (("--on-error", "ignore"), "unknown --on-error 'ignore': expected stop or continue"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(backfill, arguments, complaint):
    code, _, hints = backfill("run", *arguments, "--yes")
    assert (code, complaint in " ".join(hints.split())) == (2, True)


def test_ctrl_c_lets_the_running_slice_end(days, loaded_house):
    """A real process: it settles what it began, begins nothing more, and says how to go on."""
    made = plan(loaded_house, days, "analytics", SUMMARIES.split(","), slice_days=1)
    command = ["backfill", "apply", made.plan_id, "--yes", "--parallel", "1", "--warehouse", loaded_house.url]
    program = "from fullcourt.cli.main import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, *command, "--now", loaded_house.now.isoformat()],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert child.stderr is not None
    for line in child.stderr:
        if "days, 0 failed" in line:  # the first slice is settled
            child.send_signal(signal.SIGINT)
            break
    rest = child.stderr.read()
    assert child.wait(60) == 130
    assert f"resume with `fullcourt backfill resume {made.plan_id}" in rest
    states = loaded_house.query("SELECT state FROM nba_orchestration.backfill_slices ORDER BY slice_number")
    done = [row["state"] for row in states].count("DONE")
    assert 1 <= done < len(days)
    assert {row["state"] for row in states} == {"DONE", "PENDING"}
