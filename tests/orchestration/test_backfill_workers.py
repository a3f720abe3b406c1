"""Slices side by side, in real processes: stopped by Ctrl-C at any moment, at once by a second one, or killed."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.backfill import State
from fullcourt.domain.errors import EngineError
from fullcourt.orchestration.backfill.apply import How, apply
from fullcourt.orchestration.backfill.work import FixedClock
from tests.backfills import plan, states
from tests.drills import Command, command
from tests.verified import game_days

TOGS = "team_offense_game_summary"
READS_PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc to see which processes live")


@pytest.fixture
def made(loaded_house):
    """A slice a day of a cheap stage: more than end before Ctrl-C is pressed."""
    return plan(loaded_house, game_days(loaded_house)[:5], "analytics", [TOGS], slice_days=1)


@pytest.fixture
def start(loaded_house, made):
    """Begins to apply the plan, two slices at once; what is still there after the test is killed."""
    begun = []

    def run(**how):
        begun.append(Command(loaded_house, "backfill", "apply", made.plan_id, "--yes", "--parallel", "2", **how))
        return begun[-1]

    yield run
    for running in begun:
        for pid in running.processes:
            with suppress(ProcessLookupError):  # it may be ending this moment
                os.kill(pid, signal.SIGKILL)


def wait_until(happened, what):
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


def press(running):
    """Ctrl-C, as a terminal sends it: to every process of the group."""
    os.killpg(running.pid, signal.SIGINT)


def servers(running):
    """The fork server of the command and what it has forked: process -> parent. The command was forked by another."""
    found = {}
    for pid in set(running.processes) - {running.pid}:
        directory = Path(f"/proc/{pid}")
        if b"forkserver" in (directory / "cmdline").read_bytes():
            found[pid] = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def workers(running):
    found = servers(running)
    return [pid for pid, parent in found.items() if parent in found]


def at_work(house):
    return any(Path(f"{house.path}.staging").glob("*/*.parquet"))


# ---- Ctrl-C

MOMENTS = {
    "it reads what is done": lambda running, house: any(
        "reading what is done" in log.read_text() for log in house.path.parent.glob("*.log")
    ),
    "the fork server imports": lambda running, house: servers(running),
    "the workers begin": lambda running, house: workers(running),
    "slices are at work": lambda running, house: at_work(house),
}


MOST_TELLING = ("the fork server imports", "slices are at work")


@READS_PROC
@pytest.mark.parametrize(
    "moment", [moment if moment in MOST_TELLING else pytest.param(moment, marks=pytest.mark.slow) for moment in MOMENTS]
)
def test_ctrl_c_lets_what_runs_end_whenever_it_is_pressed(loaded_house, made, start, moment):
    running = start()
    wait_until(lambda: MOMENTS[moment](running, loaded_house), moment)
    press(running)
    ended = running.wait()
    assert (ended.code, "Traceback" in ended.said) == (130, False), ended.said
    assert f"interrupted; resume with `fullcourt backfill resume {made.plan_id}" in " ".join(ended.said.split())
    found = set(states(loaded_house, made))
    assert State.PENDING in found
    assert found <= {State.PENDING, State.DONE}


@READS_PROC
def test_ctrl_c_twice_kills_the_slices_at_work_and_gives_them_back(loaded_house, made, start):
    running = start()
    wait_until(lambda: at_work(loaded_house), "a slice at work")
    for pid in workers(running):
        os.kill(pid, signal.SIGSTOP)  # it would never end by itself
    press(running)
    time.sleep(0.5)  # two at one moment count as one
    press(running)
    ended = running.wait()
    assert (ended.code, "Traceback" in ended.said) == (130, False), ended.said
    assert f"stopped at once; resume with `fullcourt backfill resume {made.plan_id}" in " ".join(ended.said.split())
    wait_until(lambda: not running.processes, "its workers to go")
    assert State.RUNNING not in states(loaded_house, made)
    assert_resumes(loaded_house, made)


# ---- workers that die


def test_a_worker_killed_in_mid_slice_is_an_engine_error_and_the_slices_are_given_back(loaded_house, made, start):
    ended = start(crash_at="staged:2").wait()
    assert (ended.code, "Traceback" in ended.said) == (3, False), ended.said
    assert f"a worker process died; resume with `fullcourt backfill resume {made.plan_id}" in ended.error
    assert State.RUNNING not in states(loaded_house, made)
    assert_resumes(loaded_house, made)


def test_workers_that_died_before_a_slice_is_handed_to_them_are_an_engine_error(loaded_house, monkeypatch):
    made = plan(loaded_house, game_days(loaded_house)[:4], "analytics", [TOGS], slice_days=1)

    def kill(said):
        if "1 of 4 slices" in said:
            before = {thread for thread in threading.enumerate() if "ExecutorManager" in type(thread).__name__}
            for worker in multiprocessing.active_children():
                worker.kill()
            for thread in before:  # it has noticed once it ends
                thread.join()

    with pytest.raises(EngineError, match="a worker process died"):
        apply(made, How(loaded_house.url, PHASES, FixedClock(loaded_house.now), 2), kill)
    assert State.RUNNING not in states(loaded_house, made)


def assert_resumes(house, made):
    ended = command(house, "backfill", "resume", made.plan_id, "--yes", "--parallel", "1")
    assert ended.code == 0, ended.said
    assert set(states(house, made)) == {State.DONE}
