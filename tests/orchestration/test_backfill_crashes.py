"""Killed at any moment, run and backfill end as if they never had been; what breaks them is said, and breaks no more."""

import datetime as dt
import json
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from fullcourt.crash import POINTS
from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.orchestration import cleanup
from schemas import TABLES
from tests.drills import Command, command
from tests.houses import House

DAYS = ("2024-10-22", "2024-10-25")  # the first four of the season
RUN = ("backfill", "run", "--phases", "all", "--start", DAYS[0], "--end", DAYS[1], "--slice-days", "2", "--yes")
ALONE, TWO = ("--parallel", "1"), ("--parallel", "2")
PRODUCED = tuple(processor.name for processor in PROCESSORS if processor.phase is not Phase.INGEST)
# What the same backfill says alike, whichever run did it and however often it was begun.
SAID = {
    "publish_receipts": tuple(
        name for name in TABLES["publish_receipts"].by_name if name not in ("run_id", "published_at")
    ),
    "outbox_events": ("topic", "processor_name", "game_date", "status", "held", "held_reason", "created_at"),
    "processor_run_history": ("processor_name", "data_date", "status", "records_processed"),
    "backfill_slices": ("slice_number", "stage", "days", "state", "failed_days"),
    "backfill_plans": ("definition", "cancelled_at"),
    "breaker_actions": ("action", "processor_name", "entity_id", "analysis_date", "acted_at"),
    "reprocess_attempts": tuple(name for name in TABLES["reprocess_attempts"].by_name if name != "run_id"),
}
SLICES, STAGES = 6, (1, 3, 5)  # of two slices each; the passage at which each begins
# Where one backfill is killed again and again: everywhere, and in each of its slices.
KILLS = (
    "planned",
    "claimed",
    "gates_passed:2",
    "snapshot_taken",
    "published",
    "staging",
    "staged:2",
    "verified:2",  # raw tables first, then analytics
    "in_transaction",
    "reported",
    "swept",
)


def differences(house, expected):
    """The tables in which two houses differ: production in content, the ledger in all that does not name a run."""
    found = [name for name in PRODUCED if house.table(name, content=True) != expected.table(name, content=True)]
    for name in ("precompute_failures", "dead_letters"):
        columns = ("processor_name", "entity_id", "analysis_date")
        found += [name] if said(house, name, columns) != said(expected, name, columns) else []
    return found + [name for name, columns in SAID.items() if said(house, name, columns) != said(expected, name, columns)]


def said(house, table, columns):
    rows = house.query(f"SELECT {', '.join(columns)} FROM {TABLES[table].id}")
    return Counter(repr(tuple(row.values())) for row in rows)


def assert_as_if_never_killed(house, uninterrupted):
    assert differences(house, uninterrupted) == []
    receipts = said(house, "publish_receipts", ("processor_name", "analysis_date"))
    assert set(receipts.values()) == {1}
    assert receipts == said(house, "outbox_events", ("processor_name", "game_date"))
    assert house.table("reprocess_attempts").num_rows == 0  # of past days none is recorded
    assert {row["state"] for row in house.table("backfill_slices").to_pylist()} == {"DONE"}
    assert_swept(house)


def assert_swept(house):
    orphans = cleanup.orphans(house.warehouse, dt.datetime.now(dt.UTC), 0)
    cleanup.sweep(house.warehouse, [orphan["run_id"] for orphan in orphans])
    assert house.warehouse.stagings() == []


def again(house):
    """The command that goes on: resume, or run where no plan was stored yet."""
    plans = house.query("SELECT plan_id FROM nba_orchestration.backfill_plans")
    return ("backfill", "resume", plans[0]["plan_id"], "--yes") if plans else RUN


@dataclass(frozen=True)
class Uninterrupted:
    """The backfill done at one go; not to be written to. seconds: that it took."""

    house: House
    seconds: float


@pytest.fixture(scope="session")
def uninterrupted(loaded_file, once):
    def build(directory: Path) -> None:
        house, began = loaded_file.copy(directory / "house.duckdb"), time.monotonic()
        assert command(house, *RUN, *ALONE).code == 0
        (directory / "seconds.json").write_text(json.dumps(time.monotonic() - began))

    directory = once("uninterrupted", build)
    house = House(directory / "house.duckdb", loaded_file.now)
    return Uninterrupted(house, json.loads((directory / "seconds.json").read_text()))


# ---- at every point


def test_every_point_is_among_the_kills():
    assert {kill.partition(":")[0] for kill in KILLS} == set(POINTS)


def test_a_backfill_killed_at_every_point_ends_as_if_never_killed(loaded_house, uninterrupted):
    for kill in KILLS:
        ended = command(loaded_house, *again(loaded_house), *ALONE, crash_at=kill)
        assert ended.code == -signal.SIGKILL, f"{kill} was not reached: {ended.said}"
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert_as_if_never_killed(loaded_house, uninterrupted.house)


PASSAGES = {"planned": (1,), "verified": (1, 2, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("kill", [f"{point}:{n}" for point in POINTS for n in PASSAGES.get(point, STAGES)])
def test_a_backfill_killed_once_ends_as_if_never_killed(loaded_house, uninterrupted, kill):
    assert command(loaded_house, *RUN, *ALONE, crash_at=kill).code == -signal.SIGKILL
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert_as_if_never_killed(loaded_house, uninterrupted.house)


# ---- at random times


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 41))])
def test_five_kills_at_random_times(loaded_file, uninterrupted, tmp_path, seed):
    chance, killed = random.Random(seed), 0
    while killed < 5:
        directory = tmp_path / str(killed)
        directory.mkdir(exist_ok=True)
        house = loaded_file.copy(directory / "house.duckdb")
        while killed < 5:
            delay = chance.uniform(0, uninterrupted.seconds / 2)
            print(f"seed {seed}, kill {killed + 1}: after {delay:.3f} s")
            running = Command(house, *again(house), *ALONE)
            time.sleep(delay)
            running.kill()
            ended = running.wait()
            if ended.code == 0:
                break  # it was done before
            assert ended.code == -signal.SIGKILL, ended.said
            killed += 1
        ended = command(house, *again(house), *ALONE)
        assert ended.code == 0, ended.said
        assert_as_if_never_killed(house, uninterrupted.house)
