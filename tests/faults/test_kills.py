"""One backfill of one day killed at each place, and what is left behind there; cancelled, raced, gone on with."""

import datetime as dt
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fullcourt.domain.backfill import State
from fullcourt.orchestration import cleanup
from fullcourt.orchestration.backfill import plans
from fullcourt.orchestration.events import outbox
from schemas import TABLES
from tests.backfills import carry_out, plan, states
from tests.drills import Command, command
from tests.events import Books, World
from tests.verified import game_days

OFFENSE = "team_offense_game_summary"
DAY = "2024-10-22"  # the season's first
RUN = ("backfill", "run", "--phases", "analytics", "--processors", OFFENSE, "--dates", DAY, "--parallel", "1", "--yes")
STATE = ("backfill_plans", "backfill_slices")
PUBLISHED = tuple(name for name in TABLES if name not in STATE)


def killed(house, at):
    """What stood in all tables before."""
    before = house.tables(*PUBLISHED)
    assert command(house, *RUN, crash_at=at).code == -signal.SIGKILL
    return before


def resume(house):
    plan_id = house.one("SELECT plan_id FROM nba_orchestration.backfill_plans")
    made = plans.load(house.warehouse, plan_id)
    plans.uncancel(house.warehouse, made)
    assert not carry_out(house, made).failed


def the_slice(house):
    (row,) = house.table("backfill_slices").to_pylist()
    return row


def staged(house):
    return sorted(Path(f"{house.path}.staging").glob(f"*/{OFFENSE}-*.parquet"))


@pytest.fixture(scope="session")
def undisturbed(loaded_file, once):
    """The day's rows, of a backfill that nobody killed."""

    def build(directory):
        house = loaded_file.copy(directory / "house.duckdb")
        made = plan(house, [dt.date.fromisoformat(DAY)], "analytics", [OFFENSE])
        carry_out(house, made)
        pq.write_table(house.table(OFFENSE, content=True), directory / "rows.parquet")

    return pq.read_table(once("undisturbed", build) / "rows.parquet")


def assert_done_once(house, undisturbed):
    assert house.table(OFFENSE, content=True).to_pylist() == undisturbed.to_pylist()
    for table in ("publish_receipts", "outbox_events"):
        assert house.table(table).num_rows == 1
    assert the_slice(house)["state"] == State.DONE


def test_fault_01_killed_before_staging_only_a_claim_is_left(loaded_house, undisturbed):
    before = killed(loaded_house, "snapshot_taken")
    assert loaded_house.tables(*PUBLISHED) == before
    claim = the_slice(loaded_house)
    assert (claim["state"], claim["token"]) == (State.RUNNING, 1)
    assert staged(loaded_house) == []
    resume(loaded_house)
    assert_done_once(loaded_house, undisturbed)
    assert the_slice(loaded_house)["token"] == 2


def test_fault_02_killed_while_staging_the_orphan_is_never_read_and_swept(loaded_house, undisturbed):
    before = killed(loaded_house, "staging")
    assert loaded_house.tables(*PUBLISHED) == before
    assert len(staged(loaded_house)) == 1
    resume(loaded_house)
    assert_done_once(loaded_house, undisturbed)
    (orphan,) = cleanup.orphans(loaded_house.warehouse, dt.datetime.now(dt.UTC), 0)
    cleanup.sweep(loaded_house.warehouse, [orphan["run_id"]])
    assert staged(loaded_house) == []


def test_fault_03_killed_before_the_audit_what_was_staged_counts_for_nothing(loaded_house, undisturbed):
    before = killed(loaded_house, "staged")
    assert loaded_house.tables(*PUBLISHED) == before
    for path in staged(loaded_house):  # whole files, of rows that are wrong
        rows = pq.read_table(path)
        place = rows.column_names.index("points_scored")
        pq.write_table(rows.set_column(place, "points_scored", pc.add(rows["points_scored"], 1)), path)
    resume(loaded_house)
    assert_done_once(loaded_house, undisturbed)


def test_fault_04_killed_after_the_commit_nothing_is_published_twice(loaded_house, undisturbed):
    killed(loaded_house, "published")
    assert_done_once(loaded_house, undisturbed)
    after = loaded_house.tables(*PUBLISHED, "backfill_slices")
    resume(loaded_house)
    assert loaded_house.tables(*PUBLISHED, "backfill_slices") == after


def test_fault_05_killed_before_its_message_leaves_a_run_is_heard_of_once(loaded_house):
    ended = command(loaded_house, "run", "analytics", "--processors", OFFENSE, "--date", DAY, crash_at="published")
    assert ended.code == -signal.SIGKILL
    world, broker = World(loaded_house, loaded_house.now), Books()
    (message,) = world.outbox()
    assert (message["sent_at"], message["held"]) == (None, False)
    assert [outbox.send(world.warehouse, broker, world.tick()).count for _ in range(2)] == [1, 0]
    first, again = (world.take(message["event_id"]) for _ in range(2))
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.decision, loaded_house.table("consumed_events").num_rows) == (again.decision, 1)


def test_fault_07_a_run_launched_twice_publishes_once(season_house, season):
    """The first has staged everything when the second begins, and publishes after it."""
    words = ("run", "precompute", "--processors", "team_defense_zone_analysis", "--date", str(season.judged[-1]))
    first = Command(season_house, *words, stop_at="staged")
    first.wait_until_stopped()
    second = command(season_house, *words)
    assert second.code == 0, second.said
    once = ("team_defense_zone_analysis", "publish_receipts", "outbox_events", "reprocess_attempts")
    after = season_house.tables(*once)
    tried = after["reprocess_attempts"].filter(pc.field("processor_name") == "team_defense_zone_analysis")
    assert set(tried["attempt_number"].to_pylist()) == {1}
    first.go_on()
    ended = first.wait()
    assert ended.code == 0, ended.said
    assert season_house.tables(*once) == after


def test_fault_10_cancelled_half_way_and_resumed_only_the_rest_is_done(loaded_house):
    made = plan(loaded_house, game_days(loaded_house)[:3], "analytics", [OFFENSE], slice_days=1)
    running = Command(loaded_house, "backfill", "apply", made.plan_id, "--parallel", "1", "--yes", stop_at="published")
    running.wait_until_stopped()
    plans.cancel(loaded_house.warehouse, made, loaded_house.now, "operator")
    running.go_on()
    ended = running.wait()
    assert (ended.code, "was cancelled by operator" in ended.said) == (4, True), ended.said
    assert states(loaded_house, made) == [State.DONE, State.PENDING, State.PENDING]
    done = firsts(loaded_house)
    resume(loaded_house)
    assert states(loaded_house, made) == [State.DONE] * 3
    assert firsts(loaded_house) == done
    assert loaded_house.table("publish_receipts").num_rows == 3


def firsts(house):
    """All that is kept of the first day and its slice."""
    day = dt.date.fromisoformat(DAY)
    kept = [
        house.table("backfill_slices").filter(pc.field("slice_number") == 0),
        house.table("publish_receipts").filter(pc.field("analysis_date") == pa.scalar(day)),
        house.table(OFFENSE).filter(pc.field("game_date") == pa.scalar(day)),
    ]
    return [rows.to_pylist() for rows in kept]
