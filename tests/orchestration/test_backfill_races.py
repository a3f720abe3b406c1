"""Two backfills at once: one owner per processor and day, the loser says who, and a stale owner publishes nothing."""

import datetime as dt
import subprocess

import pytest

from fullcourt.domain.backfill import State
from fullcourt.domain.days import micros, to_number
from fullcourt.domain.errors import OwnershipError
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.backfill import claims, plans
from fullcourt.orchestration.backfill.work import FixedClock
from fullcourt.orchestration.publish import BACKFILL, Publish
from fullcourt.warehouse.owner import this_process
from tests.backfills import plan, states
from tests.drills import Command, command
from tests.houses import LEDGER, House

FIRST, LAST = dt.date(2024, 10, 22), dt.date(2024, 10, 23)  # the season's first two days
LATER = dt.date(2024, 10, 24)
HOST = this_process().rpartition(":")[0]
OFFENSE, DEFENSE = "team_offense_game_summary", "team_defense_game_summary"
TOUCHED = (OFFENSE, *LEDGER, "processor_run_history", "backfill_slices")


def backfill(start, end, processors=OFFENSE, days=2):
    """One stage."""
    return (
        *("backfill", "run", "--phases", "analytics", "--processors", processors, "--slice-days", str(days)),
        *("--start", str(start), "--end", str(end), "--parallel", "1", "--yes"),
    )


def made(house, *days, processors=(OFFENSE,), **options):
    return plan(house, days, "analytics", list(processors), **options)


def claim(house, of, number=0, owner=None, now=None):
    with house.warehouse.transaction({}) as session:
        return claims.claim(session, of.plan_id, number, owner or this_process(), FixedClock(now or house.now), "hash")


def finish(house, of, held, run_id):
    """The last step of the slice's job, which staged nothing."""
    (_, days), *_ = of.slices
    stamp = Stamp(run_id, micros(house.now), recording=False)
    staging = house.warehouse.staging(run_id)
    processors = (BY_NAME[OFFENSE],)
    return Publish(
        house.url, processors, tuple(map(to_number, days)), stamp, staging, 0, True, mode=BACKFILL, claim=held
    )


def gone():
    """The owner that a finished process was."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return f"{HOST}:{process.pid}"


def stopped(house, *arguments, at):
    """A command that waits at a crash point, alive."""
    running = Command(house, *arguments, stop_at=at)
    running.wait_until_stopped()
    return running


# ---- claims


def test_fault_08_the_owner_keeps_its_days_while_it_lives_and_its_lease_goes_on(loaded_house):
    mine, other = made(loaded_house, FIRST, LAST), made(loaded_house, LAST, LATER)
    claim(loaded_house, mine)
    before = loaded_house.table("backfill_slices")
    with pytest.raises(OwnershipError, match=f"of {FIRST} to {LAST} belong to backfill {mine.plan_id}, run by"):
        claim(loaded_house, other, owner="elsewhere:1")
    assert loaded_house.table("backfill_slices") == before


@pytest.mark.parametrize(
    ("owner", "after"),
    [
        (gone, dt.timedelta(0)),
        (this_process, claims.LEASE),
        (lambda: "elsewhere:1", claims.LEASE),
    ],
    ids=["the process is gone", "the lease ended", "the lease ended on another host"],
)
def test_a_claim_is_taken_over_with_a_greater_token(loaded_house, owner, after):
    mine, other = made(loaded_house, FIRST, LAST), made(loaded_house, LAST, LATER)
    stale = claim(loaded_house, mine, owner=owner())
    fresh = claim(loaded_house, other, owner="elsewhere:2", now=loaded_house.now + after)
    assert fresh.token > stale.token
    assert states(loaded_house, mine) == [State.PENDING]
    assert states(loaded_house, other) == [State.RUNNING]


def test_another_host_keeps_its_days_until_its_lease_ends(loaded_house):
    mine = made(loaded_house, FIRST, LAST)
    claim(loaded_house, mine, owner="elsewhere:1")
    with pytest.raises(OwnershipError, match="run by elsewhere:1 since"):
        claim(loaded_house, mine, now=loaded_house.now + claims.LEASE - dt.timedelta(seconds=1))


@pytest.mark.parametrize("days", [(LATER,), (FIRST, LAST)], ids=["other days", "another processor"])
def test_disjoint_claims_stand_side_by_side(loaded_house, days):
    mine = made(loaded_house, FIRST, LAST)
    other = made(loaded_house, *days, processors=(OFFENSE if days == (LATER,) else DEFENSE,))
    claim(loaded_house, mine)
    claim(loaded_house, other, owner="elsewhere:1")
    assert states(loaded_house, mine) == states(loaded_house, other) == [State.RUNNING]


@pytest.mark.parametrize("same", [True, False], ids=["of the same plan", "of another plan"])
def test_fault_09_a_stale_owner_publishes_nothing(loaded_house, same):
    mine = made(loaded_house, FIRST, LAST)
    other = mine if same else made(loaded_house, LAST, LATER)
    stale = claim(loaded_house, mine, owner=gone())
    claim(loaded_house, other, owner="elsewhere:2")
    before = loaded_house.tables(*TOUCHED)
    with pytest.raises(OwnershipError, match=f"slice 0 of backfill {mine.plan_id} was taken over"):
        finish(loaded_house, mine, stale, "stale")([], [])
    with loaded_house.warehouse.transaction({}) as session:
        claims.give_back(session, stale)  # nor does it give back what is not its own
    assert loaded_house.tables(*TOUCHED) == before


def test_a_plan_made_twice_in_the_same_instant_is_one_plan(loaded_house):
    once, twice = made(loaded_house, FIRST, LAST), made(loaded_house, FIRST, LAST)
    assert once.plan_id == twice.plan_id
    assert plans.load(loaded_house.warehouse, once.plan_id) == once
    assert states(loaded_house, once) == [State.PENDING]


# ---- processes


def test_fault_08_the_loser_says_who_and_the_owner_goes_on(loaded_house):
    owner = stopped(loaded_house, *backfill(FIRST, LAST), at="claimed")
    loser = command(loaded_house, *backfill(LAST, LATER))
    assert loser.code == 4
    plan_id = loaded_house.one("SELECT plan_id FROM nba_orchestration.backfill_slices WHERE state = 'RUNNING'")
    assert f"belong to backfill {plan_id}, run by {HOST}:{owner.pid}" in loser.said
    assert loaded_house.table("publish_receipts").num_rows == 0
    owner.go_on()
    assert owner.wait().code == 0
    assert days_published(loaded_house) == [FIRST, LAST]


def test_fault_09_an_owner_that_slept_through_its_lease_publishes_nothing(loaded_house):
    """Stopped with everything staged; two hours later another takes over."""
    sleeper = stopped(loaded_house, *backfill(FIRST, LAST), at="staged")
    later = House(loaded_house.path, loaded_house.now + 2 * claims.LEASE)
    assert command(later, *backfill(FIRST, LATER, days=3)).code == 0
    before = loaded_house.tables(*TOUCHED)
    sleeper.go_on()
    ended = sleeper.wait()
    assert ended.code == 4, ended.said
    assert "was taken over" in ended.said
    assert loaded_house.tables(*TOUCHED) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (backfill(FIRST, LAST), backfill(LATER, LATER)),
        (backfill(FIRST, LAST), backfill(FIRST, LAST, DEFENSE)),
    ],
    ids=["disjoint ranges", "disjoint processors"],
)
def test_disjoint_backfills_at_once_both_end(loaded_house, one, other):
    running = [Command(loaded_house, *arguments) for arguments in (one, other)]
    assert [each.wait().code for each in running] == [0, 0]
    assert {row["state"] for row in loaded_house.table("backfill_slices").to_pylist()} == {"DONE"}
    assert_published_once(loaded_house)


def test_fault_07_one_plan_applied_twice_at_once_is_done_once(loaded_house):
    of = made(loaded_house, FIRST, LAST, LATER, slice_days=1)
    arguments = ("backfill", "apply", of.plan_id, "--parallel", "1", "--yes")
    winner = stopped(loaded_house, *arguments, at="claimed")
    loser = command(loaded_house, *arguments)
    assert loser.code == 4
    assert f"belong to backfill {of.plan_id}" in loser.said
    winner.go_on()
    assert winner.wait().code == 0
    assert days_published(loaded_house) == [FIRST, LAST, LATER]
    assert_published_once(loaded_house)


def test_fault_07_one_plan_applied_twice_without_any_order_has_a_winner(loaded_house):
    of = made(loaded_house, FIRST, LAST, LATER, slice_days=1)
    running = [Command(loaded_house, "backfill", "apply", of.plan_id, "--parallel", "1", "--yes") for _ in range(2)]
    codes = sorted(each.wait().code for each in running)
    assert codes in ([0, 0], [0, 4])
    assert set(states(loaded_house, of)) == {State.DONE}
    assert_published_once(loaded_house)


def days_published(house):
    rows = house.query("SELECT DISTINCT analysis_date FROM nba_orchestration.publish_receipts ORDER BY analysis_date")
    return [row["analysis_date"] for row in rows]


def assert_published_once(house):
    for table, day in (("publish_receipts", "analysis_date"), ("outbox_events", "game_date")):
        copies = house.query(
            f"SELECT COUNT(*) AS n FROM nba_orchestration.{table} GROUP BY processor_name, {day} HAVING COUNT(*) > 1"
        )
        assert copies == []
