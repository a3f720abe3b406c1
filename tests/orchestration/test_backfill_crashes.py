"""Killed at any moment, runs and backfills end as if they never had been; what else stops them is said in a line."""

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
# Of every stage those that take the least time to set up.
CHEAP = (
    "team_offense_game_summary,team_defense_game_summary,player_game_summary,upcoming_team_game_context,"
    "team_defense_zone_analysis,player_shot_zone_analysis"
)
CHOSEN = ("--phases", "all", "--processors", CHEAP, "--slice-days", "2")
RUN = ("backfill", "run", "--start", DAYS[0], "--end", DAYS[1], *CHOSEN, "--yes")
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


def differences(house, expected, produced=PRODUCED):
    """The tables in which two houses differ: production in content, the ledger in all that does not name a run."""
    found = [name for name in produced if house.table(name, content=True) != expected.table(name, content=True)]
    for name in ("precompute_failures", "dead_letters"):
        columns = ("processor_name", "entity_id", "analysis_date")
        found += [name] if said(house, name, columns) != said(expected, name, columns) else []
    return found + [
        name for name, columns in SAID.items() if said(house, name, columns) != said(expected, name, columns)
    ]


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
        house = loaded_file.copy(directory / "house.duckdb")
        command(house, "backfill", "list")  # the first start imports
        began = time.monotonic()
        assert command(house, *RUN, *ALONE).code == 0
        (directory / "seconds.json").write_text(json.dumps(time.monotonic() - began))

    directory = once("uninterrupted", build)
    house = House(directory / "house.duckdb", loaded_file.now)
    return Uninterrupted(house, json.loads((directory / "seconds.json").read_text()))


# ---- at every point


def test_every_point_is_among_the_kills():
    assert {kill.partition(":")[0] for kill in KILLS} == set(POINTS)


def test_fault_01_02_03_04_a_backfill_killed_at_every_point_ends_as_if_never_killed(loaded_house, uninterrupted):
    for kill in KILLS:
        ended = command(loaded_house, *again(loaded_house), *ALONE, crash_at=kill)
        assert ended.code == -signal.SIGKILL, f"{kill} was not reached: {ended.said}"
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert_as_if_never_killed(loaded_house, uninterrupted.house)


PASSAGES = {"planned": (1,), "verified": (1, 2, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("kill", [f"{point}:{n}" for point in POINTS for n in PASSAGES.get(point, STAGES)])
def test_fault_01_02_03_04_a_backfill_killed_once_ends_as_if_never_killed(loaded_house, uninterrupted, kill):
    assert command(loaded_house, *RUN, *ALONE, crash_at=kill).code == -signal.SIGKILL
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert_as_if_never_killed(loaded_house, uninterrupted.house)


# ---- at random times


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 22))])
def test_fault_01_02_03_04_ten_kills_at_random_times(loaded_file, uninterrupted, tmp_path, seed):
    chance, killed = random.Random(seed), 0
    while killed < 10:
        directory = tmp_path / str(killed)
        directory.mkdir(exist_ok=True)
        house = loaded_file.copy(directory / "house.duckdb")
        while killed < 10:
            delay = chance.uniform(0, uninterrupted.seconds / 3)
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


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc to see which processes live")
def test_fault_02_the_workers_of_a_killed_backfill_vanish(loaded_house, uninterrupted):
    running, staging = Command(loaded_house, *RUN, *TWO), Path(f"{loaded_house.path}.staging")
    wait_until(lambda: len(list(staging.glob("*/*.parquet"))) > 1, "two slices at work")
    assert len(running.processes) >= 3
    running.kill()
    assert running.wait().code == -signal.SIGKILL
    wait_until(lambda: not running.processes, "its workers to go")
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert_as_if_never_killed(loaded_house, uninterrupted.house)


def wait_until(happened, what):
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


# ---- a live run

TDZA = "team_defense_zone_analysis"
LIVE_KILLS = POINTS[POINTS.index("snapshot_taken") : POINTS.index("swept") + 1]
COMMITTED = LIVE_KILLS.index("published")
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Waiting:
    """Before: one team waits for lost games, and one no longer does: a run has an attempt and a closing to record.

    once, twice: after it, and after another an hour later; none is to be written to.
    """

    before: House
    once: House
    twice: House
    day: dt.date


@pytest.fixture(scope="session")
def waiting(season, once):
    day, repaired = season.judged[-1], season.days[-8:-1]

    def build(directory: Path) -> None:
        house = season.house.copy(directory / "before.duckdb")
        rows = (
            "nba_analytics.team_defense_game_summary WHERE game_date IN UNNEST(@days) AND defending_team_abbr = "
            "(SELECT MIN(defending_team_abbr) FROM nba_analytics.team_defense_game_summary "
            "WHERE game_date = @day AND defending_team_abbr <> @team)"
        )
        chosen = {"days": list(repaired), "day": day, "team": season.team}
        with house.warehouse.transaction({}) as session:
            session.execute(f"CREATE TABLE nba_analytics.kept AS SELECT * FROM {rows}", **chosen)
            session.execute(f"DELETE FROM {rows}", **chosen)
        house.run("precompute", day, processors=[TDZA])
        with house.warehouse.transaction({}) as session:
            session.execute("INSERT INTO nba_analytics.team_defense_game_summary SELECT * FROM nba_analytics.kept")
            session.execute("DROP TABLE nba_analytics.kept")
        for name, hours in (("once", 1), ("twice", 2)):
            house = house.copy(directory / f"{name}.duckdb")
            house.now = season.house.now + hours * HOUR
            assert command(house, *live(day)).code == 0

    directory, now = once("waiting", build), season.house.now
    houses = [
        House(directory / f"{name}.duckdb", now + hours * HOUR)
        for name, hours in (("before", 1), ("once", 1), ("twice", 2))
    ]
    return Waiting(*houses, day)


def live(day):
    return ("run", "precompute", "--date", str(day), "--processors", TDZA)


def test_a_run_has_attempts_and_closings_to_lose(waiting):
    counts = [
        [house.table(name).num_rows for name in ("reprocess_attempts", "breaker_actions")]
        for house in (waiting.before, waiting.once, waiting.twice)
    ]
    (first, none), (second, closed), (third, _) = counts
    assert 0 < first < second < third
    assert none == 0 < closed


def test_fault_01_02_03_a_run_killed_before_it_commits_changes_nothing_and_the_next_completes(waiting, tmp_path):
    house = waiting.before.copy(tmp_path / "house.duckdb")
    for point in LIVE_KILLS[:COMMITTED]:
        ended = command(house, *live(waiting.day), crash_at=point)
        assert ended.code == -signal.SIGKILL, f"{point} was not reached: {ended.said}"
        assert differences(house, waiting.before, (TDZA,)) == [], point
    assert command(house, *live(waiting.day)).code == 0
    assert differences(house, waiting.once, (TDZA,)) == []
    assert_swept(house)


@pytest.mark.parametrize(
    "point", ["published", *(pytest.param(point, marks=pytest.mark.slow) for point in LIVE_KILLS[COMMITTED + 1 :])]
)
def test_fault_04_a_run_killed_after_it_committed_has_published_all_of_it_once(waiting, tmp_path, point):
    house = waiting.before.copy(tmp_path / "house.duckdb")
    assert command(house, *live(waiting.day), crash_at=point).code == -signal.SIGKILL
    assert differences(house, waiting.once, (TDZA,)) == []
    house.now = waiting.twice.now
    assert command(house, *live(waiting.day)).code == 0
    assert differences(house, waiting.twice, (TDZA,)) == []
    assert_swept(house)


# ---- starved of disk, not allowed to write, state that is broken


SMALL = (
    *("backfill", "run", "--phases", "analytics", "--processors", "team_offense_game_summary"),
    *("--start", DAYS[0], "--end", DAYS[0], "--yes", *ALONE),
)
LARGE = (
    *("backfill", "run", "--phases", "analytics", "--processors", "player_game_summary"),
    *("--start", DAYS[0], "--end", "2024-11-02", "--yes", *ALONE),
)
READABLE = ("nbac_schedule", "team_offense_game_summary", "player_game_summary", "publish_receipts", "outbox_events")


def assert_refused(house, ended, code, *words):
    """In one line, and what was there is there."""
    assert ended.code == code, ended.said
    assert ended.error.startswith("error: "), ended.said
    assert "Traceback" not in ended.said
    for word in words:
        assert word in ended.error


@pytest.mark.parametrize(
    ("limit", "file"), [(30_000, ".parquet"), (650_000, ".wal")], ids=["for the snapshot", "for the commit"]
)
def test_fault_11_a_full_disk_is_an_error_and_the_old_state_is_read(loaded_house, limit, file):
    before = loaded_house.tables(*READABLE)
    ended = command(loaded_house, *LARGE, file_limit=limit)
    assert_refused(loaded_house, ended, 3, str(loaded_house.path), file)
    assert loaded_house.tables(*READABLE) == before
    ended = command(loaded_house, *again(loaded_house), *ALONE)
    assert ended.code == 0, ended.said
    assert loaded_house.table("player_game_summary").num_rows > 1500


@pytest.mark.parametrize("of", ["file", "directory"])
def test_fault_11_what_may_not_be_written_is_named(loaded_house, of):
    path = loaded_house.path if of == "file" else loaded_house.path.parent
    before, mode = loaded_house.tables(*READABLE), path.stat().st_mode
    path.chmod(mode & ~0o222)
    try:
        ended = command(loaded_house, *SMALL, obeys_modes=True)
    finally:
        path.chmod(mode)
    assert_refused(loaded_house, ended, 3, str(loaded_house.path))
    assert loaded_house.tables(*READABLE) == before


ALTERED = {
    "garbage": "'[]'",
    "a text": "'\"garbage\"'",
    "another day": "REPLACE(CAST(definition AS STRING), '2024-10-22', '2024-10-21')",
}


@pytest.mark.parametrize("definition", ALTERED.values(), ids=ALTERED)
def test_fault_13_a_plan_that_was_altered_is_refused_by_name(uninterrupted, tmp_path, definition):
    house = uninterrupted.house.copy(tmp_path / "house.duckdb")
    plan_id = house.one("SELECT plan_id FROM nba_orchestration.backfill_plans")
    with house.warehouse.transaction({}) as session:
        session.execute(f"UPDATE nba_orchestration.backfill_plans SET definition = {definition} WHERE TRUE")
    before = house.tables(*READABLE)
    for name in ("apply", "resume"):
        assert_refused(house, command(house, "backfill", name, plan_id, "--yes", *ALONE), 1, plan_id)
    assert house.tables(*READABLE) == before


@pytest.mark.parametrize(
    "broken",
    [lambda content: content[: len(content) // 2], lambda content: b"garbage" * 1000, lambda content: b""],
    ids=["truncated", "overwritten", "empty"],
)
def test_fault_13_a_broken_file_is_named_and_left_alone(uninterrupted, tmp_path, broken):
    house = uninterrupted.house.copy(tmp_path / "house.duckdb")
    content = broken(house.path.read_bytes())
    house.path.write_bytes(content)
    assert_refused(house, command(house, "backfill", "list"), 3, str(house.path))
    assert_refused(house, command(house, *SMALL), 3, str(house.path))
    assert house.path.read_bytes() == content
