"""Backfills: what a plan says, what applying it leaves, what stops it, and that done means there and covered."""

import datetime as dt
import json

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.backfill import State
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import PROCESSORS, Phase, select
from fullcourt.orchestration import cleanup
from fullcourt.orchestration.backfill import planning, plans, status
from fullcourt.orchestration.receipts import log_day
from schemas import TABLES
from tests.backfills import carry_out, left, plan, states
from tests.houses import House
from tests.verified import execute, game_days

TOGS, PGS, UPGC = "team_offense_game_summary", "player_game_summary", "upcoming_player_game_context"
PDC, PCF, MLFS = "player_daily_cache", "player_composite_factors", "ml_feature_store_v2"
READERS = [PDC, PCF, MLFS]  # of the contexts
COMPUTED = [p.name for p in PROCESSORS]
SUMMARIES = [p.name for p in select(Phase.ANALYTICS) if not p.windows]
DAY, HOUR = dt.timedelta(1), dt.timedelta(hours=1)


@pytest.fixture(scope="session")
def backfilled(loaded_file, once):
    """Raw to predictions over every game day, in slices; not to be written to."""

    def build(directory):
        house = loaded_file.copy(directory / "backfilled.duckdb")
        result = carry_out(house, plan(house, game_days(house), "all,predictions", slice_days=10))
        assert not result.failed
        assert not result.unverified

    return House(once("backfilled", build) / "backfilled.duckdb", loaded_file.now)


@pytest.fixture
def house(backfilled, tmp_path):
    return backfilled.copy(tmp_path / "house.duckdb")


def events(house):
    return house.query("SELECT processor_name, game_date, held, held_reason FROM nba_orchestration.outbox_events")


def plan_of(house):
    """The id of its only plan."""
    return house.one("SELECT plan_id FROM nba_orchestration.backfill_plans")


def receipts(house, *names):
    rows = house.query("SELECT * FROM nba_orchestration.publish_receipts ORDER BY processor_name, published_at")
    return [row for row in rows if not names or row["processor_name"] in names]


def test_it_computes_what_runs_compute_and_records_no_attempts(backfilled, verified):
    """Slices change nothing: contexts look back over days that another slice summarised."""
    for name in COMPUTED:
        assert backfilled.table(name, content=True).equals(verified.table(name, content=True)), name
    assert backfilled.table("reprocess_attempts").num_rows == 0
    assert backfilled.table("breaker_actions").num_rows == 0


def test_fault_41_every_day_has_a_receipt_of_a_backfill_and_its_message_is_held(backfilled):
    days = game_days(backfilled)
    found = receipts(backfilled)
    assert {(row["processor_name"], row["analysis_date"]) for row in found} == {(n, d) for n in COMPUTED for d in days}
    assert len(found) == len(COMPUTED) * len(days)
    assert {(row["mode"], row["forced"], row["status"]) for row in found} == {("backfill", False, "COMPLETE")}
    told = events(backfilled)
    assert len(told) == len(found)
    assert {(event["held"], event["held_reason"]) for event in told} == {(True, f"backfill {plan_of(backfilled)}")}
    history = backfilled.query("SELECT backfill_mode, status FROM nba_reference.processor_run_history")
    assert {(row["backfill_mode"], row["status"]) for row in history} == {(True, "success")}


def test_done_days_are_left_alone_until_something_they_depend_on_changes(house):
    days = game_days(house)
    before = house.table("publish_receipts")
    again = plan(house, days, now=house.now + HOUR)
    result = carry_out(house, again, now=house.now + HOUR)
    assert (result.computed_days, result.unchanged_days) == (0, 3 * len(days))
    assert set(states(house, again)) == {State.UNCHANGED}
    assert house.table("publish_receipts").equals(before)
    # A row that went missing makes its day, and no other, of its own stage to be done again.
    execute(house, f"DELETE FROM {TABLES[PDC].id} WHERE cache_date = @day", day=days[-1])
    assert left(house, again) == 1
    # A changed input of a stage, all of the season's.
    execute(house, f"UPDATE {TABLES[UPGC].id} SET days_rest = 99 WHERE game_date = @day", day=days[-1])
    assert left(house, again) == len(days)


def test_a_plan_says_which_days_are_off_and_refuses_days_that_are_not_over(house):
    days = game_days(house)
    made = plan(house, [days[0], days[0] - DAY, days[1]], "analytics")
    assert (made.days, made.off_days) == ((days[0], days[1]), (days[0] - DAY,))
    for asked, complaint in (
        ([days[0], house.now.date()], "is not over: a backfill is of days before 2024-11-03"),
        ([], "no day was asked for"),
    ):
        with pytest.raises(UsageError, match=complaint):
            plan(house, asked)
    with pytest.raises(GateError, match="nothing to backfill"):
        plan(house, [days[0] - DAY])
    with pytest.raises(GateError, match="no schedule is loaded for 2019-01-01"):
        plan(house, [dt.date(2019, 1, 1)])
    for phases, names, complaint in (
        ("analytic", None, "unknown phase 'analytic': expected some of raw, analytics"),
        ("analytics", [PDC], f"unknown processor '{PDC}' in analytics: expected some of {TOGS}"),
    ):
        with pytest.raises(UsageError, match=complaint):
            plan(house, days, phases, names)


def test_a_plan_is_refused_once_its_inputs_moved_and_can_be_made_again(house):
    days = game_days(house)[:2]
    made = plan(house, days, "analytics", [TOGS])
    execute(
        house, f"UPDATE {TABLES['nbac_team_boxscore'].id} SET points = points + 1 WHERE game_date = @day", day=days[0]
    )
    with pytest.raises(GateError, match=r"the inputs moved since .*: nbac_team_boxscore of 2024"):
        carry_out(house, made)
    assert states(house, made) == [State.PENDING]
    fresh = planning.again(house.warehouse, made, house.now + HOUR, PHASES)
    assert fresh is not None
    assert planning.again(house.warehouse, fresh, house.now + HOUR, PHASES) is None
    # What the plan itself writes is no input of it.
    own = plan(house, days, "analytics")
    execute(house, f"UPDATE {TABLES[PGS].id} SET points = points + 1 WHERE game_date = @day", day=days[0])
    assert planning.again(house.warehouse, own, house.now, PHASES) is None


@pytest.fixture
def holed(loaded_file, tmp_path):
    """Loaded, and the players' box scores of the fifth game day lost."""
    house = loaded_file.copy(tmp_path / "holed.duckdb")
    execute(
        house, f"DELETE FROM {TABLES['nbac_gamebook_player_stats'].id} WHERE game_date = @day", day=game_days(house)[4]
    )
    return house


def test_fault_33_a_day_without_upstream_stops_the_backfill_or_itself(holed):
    """stop: nothing begins after it.  continue: the other days are done.  The day itself is not computed at all."""
    days = game_days(holed)
    made = plan(holed, days, "analytics", SUMMARIES, slice_days=6)
    result = carry_out(holed, made)
    why = "players' box scores: 0 of "
    assert list(result.failed) == [0]
    assert list(result.failed[0]) == [str(days[4])]
    assert result.failed[0][str(days[4])].startswith(why)
    assert states(holed, made) == [State.FAILED, State.PENDING]
    assert {row["analysis_date"] for row in receipts(holed)} == {*days[:6]} - {days[4]}

    on = carry_out(holed, made, goes_on=True, now=holed.now + HOUR)
    assert states(holed, made) == [State.FAILED, State.DONE]
    assert (on.computed_days, on.unchanged_days) == (6, 5)
    rows = status.failures(made, status.slices(holed.warehouse, made.plan_id))
    assert [(row["day"], row["again"]) for row in rows] == [
        (
            str(days[4]),
            f"fullcourt backfill run --dates {days[4]} --phases analytics --processors {','.join(SUMMARIES)}",
        )
    ]
    assert on.unverified[0].startswith(f"analytics: game_days of nba_analytics.{TOGS} on {days[4]}")


def test_a_repaired_day_is_done_by_a_resumed_plan_made_again(holed, loaded_file):
    days = game_days(holed)
    made = plan(holed, days, "analytics", [PGS], slice_days=6)
    carry_out(holed, made, goes_on=True)
    box = loaded_file.table("nbac_gamebook_player_stats")
    with holed.warehouse.transaction({}) as session:
        session.execute(f"DELETE FROM {TABLES['nbac_gamebook_player_stats'].id} WHERE TRUE")
        session.insert("nbac_gamebook_player_stats", box)
    fresh = plan(holed, days, "analytics", [PGS], slice_days=6, now=holed.now + HOUR)
    result = carry_out(holed, fresh, now=holed.now + HOUR)
    assert not result.failed
    assert not result.unverified
    # Only the day itself changed, so only it was published again.
    anew = [row["analysis_date"] for row in receipts(holed, PGS) if row["published_at"] >= holed.now + HOUR]
    assert anew == [days[4]]


def test_a_day_that_is_published_but_not_covered_is_not_done(house):
    """The 1 of 187: what counts is what stands in the table, and the day is flagged."""
    days = game_days(house)
    day = days[-1]
    # A tenth of the players who played lose every summary before the day: nobody is listed as gone.
    execute(
        house,
        f"DELETE FROM {TABLES[PGS].id} WHERE game_date < @day AND player_lookup < 'g'",
        f"DELETE FROM {TABLES[PDC].id} WHERE cache_date = @day",
        day=day,
    )
    made = plan(house, [day], "precompute", [PDC], allow_demotion=True)
    result = carry_out(house, made)
    assert result.failed == {0: {str(day): f"not covered: {PDC}"}}
    (receipt,) = [row for row in receipts(house, PDC) if row["analysis_date"] == day][-1:]
    assert (receipt["status"], receipt["coverage_pct"] < 90) == ("INCOMPLETE", True)
    (flag,) = house.query(
        "SELECT failure_category, failure_reason FROM nba_processing.precompute_failures "
        "WHERE processor_name = @name AND analysis_date = @day AND entity_id = '*'",
        name=PDC,
        day=day,
    )
    assert flag["failure_category"] == "INCOMPLETE_COVERAGE"
    assert states(house, made) == [State.FAILED]


def test_force_computes_what_is_incomplete_and_says_so_everywhere(holed):
    days = game_days(holed)
    made = plan(holed, days[3:6], "analytics", force=True)
    result = carry_out(holed, made)
    assert not result.failed
    assert set(states(holed, made)) == {State.DONE}
    assert result.unverified  # said, and no reason to stop
    assert {row["forced"] for row in receipts(holed)} == {True}
    degraded = [row["analysis_date"] for row in receipts(holed, PGS) if row["status"] != "COMPLETE"]
    assert degraded == [days[4]]
    history = holed.query("SELECT force_reprocess FROM nba_reference.processor_run_history")
    assert {row["force_reprocess"] for row in history} == {True}
    # Who does not force finds the day undone.
    assert left(holed, made) == 0
    unforced = plan(holed, days[3:6], "analytics", SUMMARIES)
    assert left(holed, unforced) == 1
    rows = holed.query(
        f"SELECT is_production_ready AS ready, data_hash FROM {TABLES[UPGC].id} WHERE game_date = @day "
        "AND completeness_percentage < 90",
        day=days[5],
    )
    assert all(not row["ready"] and row["data_hash"] for row in rows)


def test_fault_41_messages_of_the_last_phase_alone_are_sent_when_asked_for(loaded_house):
    days = game_days(loaded_house)[:2]
    made = plan(loaded_house, days, "analytics,precompute", trigger_downstream=True)
    carry_out(loaded_house, made)
    phase_of = {processor.name: processor.phase for processor in PROCESSORS}
    assert {(phase_of[event["processor_name"]], event["held"]) for event in events(loaded_house)} == {
        (Phase.ANALYTICS, True),
        (Phase.PRECOMPUTE, False),
    }
    held = status.held(loaded_house.warehouse, made)
    assert sum(row["messages"] for row in held) == 2 * len(select(Phase.ANALYTICS))
    assert {row["topic"] for row in held} == {"nba-phase3-analytics-complete"}


def test_fault_10_a_cancelled_plan_begins_nothing_and_goes_on_when_resumed(loaded_house):
    days = game_days(loaded_house)[:2]
    made = plan(loaded_house, days, "analytics", [TOGS], slice_days=1)
    plans.cancel(loaded_house.warehouse, made, loaded_house.now, "operator")
    result = carry_out(loaded_house, made)
    assert result.ownership is not None
    assert "was cancelled by operator" in result.ownership
    assert states(loaded_house, made) == [State.PENDING] * 2
    (shown,) = status.plans(loaded_house.warehouse, loaded_house.now)
    assert shown["state"] == "CANCELLED"
    plans.uncancel(loaded_house.warehouse, made)
    assert carry_out(loaded_house, made).ownership is None
    assert states(loaded_house, made) == [State.DONE] * 2


def test_slices_in_parallel_leave_what_slices_in_turn_leave(loaded_house, backfilled):
    days = game_days(loaded_house)
    result = carry_out(loaded_house, plan(loaded_house, days, "analytics", SUMMARIES, slice_days=5), parallel=2)
    assert not result.failed
    for name in SUMMARIES:
        assert loaded_house.table(name, content=True).equals(backfilled.table(name, content=True)), name


STALE = f"DELETE FROM {TABLES[UPGC].id} WHERE game_date = @day AND player_lookup <> @player"


def stale(house, day, kept):
    """Of the day's contexts only so many of those who played are left, and of the others no trace."""
    played = f"SELECT player_lookup FROM {TABLES[PGS].id} WHERE game_date = @day"
    players = sorted(row["player_lookup"] for row in house.query(played, day=day))
    there = house.query(f"SELECT player_lookup FROM {TABLES[UPGC].id} WHERE player_lookup IN ({played})", day=day)
    known = {row["player_lookup"] for row in there}
    players.sort(key=lambda player: player not in known)  # without a context of their own last
    execute(
        house,
        f"DELETE FROM {TABLES[UPGC].id} WHERE game_date = @day AND player_lookup NOT IN UNNEST(@kept)",
        "DELETE FROM nba_processing.precompute_failures WHERE analysis_date = @day AND processor_name = @name",
        day=day,
        kept=players[: kept(len(players))],
        name=UPGC,
    )
    return len(players)


@pytest.mark.parametrize(
    ("kept", "falls_back"), [(lambda n: 1, True), (lambda n: 0, True), (lambda n: -(-9 * n // 10), False)]
)
def test_fault_34_a_stale_rest_of_a_context_is_replaced_and_counted_apart(house, kept, falls_back):
    day = game_days(house)[-1]
    stored = stale(house, day, kept)
    made = plan(house, [day], "precompute", READERS, allow_demotion=True)
    result = carry_out(house, made)
    assert not result.failed
    assert result.synthetic_days == ({str(day)} if falls_back else set())
    for name in READERS:
        receipt = [row for row in receipts(house, name) if row["analysis_date"] == day][-1]
        assert receipt["coverage_pct"] == 100.0
        assert receipt["coverage_expected"] == stored
        assert receipt["data_source"] == ("SYNTHETIC_PGS" if falls_back else "UPGC")
        assert receipt["coverage_synthetic"] == (receipt["coverage_written"] if falls_back else 0)
    strict = plan(house, [day], "precompute", READERS, strict_preflight=True, allow_demotion=True)
    if falls_back and kept(stored):
        with pytest.raises(GateError, match=r"strict pre-flight: .* context of 1 .* nothing was computed"):
            carry_out(house, strict)
    else:
        assert not carry_out(house, strict).failed


def test_fault_35_a_fallback_made_from_a_part_of_a_day_stops_it(house):
    day = game_days(house)[-1]
    stale(house, day, lambda n: 1)
    team = house.query(f"SELECT MIN(team_abbr) AS team FROM {TABLES[PGS].id} WHERE game_date = @day", day=day)[0][
        "team"
    ]
    execute(house, f"DELETE FROM {TABLES[PGS].id} WHERE game_date = @day AND team_abbr = @team", day=day, team=team)
    # The summary's receipt no longer fits its rows either: say that it does, so that the fallback is asked.
    there = house.one(f"SELECT COUNT(*) AS n FROM {TABLES[PGS].id} WHERE game_date = @day", day=day)
    execute(
        house,
        "UPDATE nba_orchestration.publish_receipts SET row_count = @n "
        "WHERE analysis_date = @day AND processor_name = @p",
        n=there,
        day=day,
        p=PGS,
    )
    made = plan(house, [day], "precompute")
    result = carry_out(house, made)
    (why,) = result.failed[0].values()
    assert why.startswith("context of 1 of ")
    assert "is partial itself: " in why
    assert why.endswith(" team-games are whole")
    assert states(house, made) == [State.FAILED]


def test_predictions_never_fall_back(house):
    day = game_days(house)[-1]
    stale(house, day, lambda n: 1)
    result = carry_out(house, plan(house, [day], "predictions"))
    (why,) = result.failed[0].values()
    assert why.startswith("context of 1 of ")


def test_an_altered_plan_is_refused(house):
    made = plan(house, game_days(house)[:1], "analytics")
    definition = json.loads(made.definition)
    definition["options"]["force"] = True
    for text in (json.dumps(definition), "{}", "[1]"):
        execute(
            house,
            "UPDATE nba_orchestration.backfill_plans SET definition = PARSE_JSON(@text) WHERE plan_id = @plan_id",
            text=text,
            plan_id=made.plan_id,
        )
        with pytest.raises(GateError, match="is not what was planned"):
            plans.load(house.warehouse, made.plan_id)
    with pytest.raises(UsageError, match="no backfill has an id that begins with 'nothing'"):
        plans.load(house.warehouse, "nothing")


# ---- what must not pass for done


def test_inputs_that_move_while_it_is_applied_end_it(loaded_house):
    """A correction between two slices: the first was computed from something else than the second would be."""
    days = game_days(loaded_house)[:4]
    box = TABLES["nbac_gamebook_player_stats"].id

    def correct(step):
        if "1 of 2 slices" in step:
            execute(loaded_house, f"UPDATE {box} SET assists = assists + 3 WHERE game_date = @day", day=days[0])

    made = plan(loaded_house, days, "analytics", [PGS], slice_days=2)
    result = carry_out(loaded_house, made, say=correct)
    assert result.moved == "the inputs of analytics in season 2024 moved while they were being read"
    assert states(loaded_house, made) == [State.DONE, State.PENDING]
    assert left(loaded_house, made) == 4
    fresh = planning.again(loaded_house.warehouse, made, loaded_house.now + HOUR, PHASES)
    assert fresh is not None
    plans.store(loaded_house.warehouse, fresh, {"rows": 0, "bytes": 0}, "tester")
    assert carry_out(loaded_house, fresh).moved is None
    assert left(loaded_house, fresh) == 0


def test_inputs_that_moved_after_the_last_slice_are_noticed(loaded_house):
    days = game_days(loaded_house)[:2]
    box = TABLES["nbac_gamebook_player_stats"].id

    def correct(step):
        if step == "verifying analytics":
            execute(loaded_house, f"UPDATE {box} SET assists = assists + 3 WHERE game_date = @day", day=days[0])

    result = carry_out(loaded_house, plan(loaded_house, days, "analytics", [PGS]), say=correct)
    assert result.moved == "the inputs moved while it was applied: nbac_gamebook_player_stats of 2024"


def test_fault_29_a_day_that_a_run_published_since_is_not_done_whatever_the_clock_says(house):
    days = game_days(house)
    made = plan(house, days, "analytics", SUMMARIES)
    assert left(house, made) == 0
    house.run("analytics", days[3], processors=SUMMARIES, now=house.now - 2 * DAY)
    assert left(house, made) == 1


def test_rows_put_back_from_a_backup_are_not_taken_for_what_was_published(house):
    days = game_days(house)
    made = plan(house, days, "analytics")
    later = house.now + DAY
    cleanup.clean(house.warehouse, later, days=1)
    assert left(house, made) == 0
    # The rest of a game is corrected in the history, as a newer publish would; the backup has the old rows.
    cleanup.restore(house.warehouse, later.date(), later)
    assert left(house, made) > 0
    before = house.table(UPGC, content=True)
    assert not carry_out(house, made, now=later).failed
    assert house.table(UPGC, content=True).equals(before)
    assert left(house, made) == 0


def test_a_day_off_that_became_a_game_day_is_in_the_plan_made_again(loaded_house):
    days, schedule = game_days(loaded_house), TABLES["nbac_schedule"]
    whole = loaded_house.table("nbac_schedule")
    execute(loaded_house, f"DELETE FROM {schedule.id} WHERE game_date = @day", day=days[-1])
    made = plan(loaded_house, days[-2:], "analytics", [TOGS])
    assert (made.days, made.off_days) == ((days[-2],), (days[-1],))
    with loaded_house.warehouse.transaction({}) as session:
        session.execute(f"DELETE FROM {schedule.id} WHERE TRUE")
        session.insert("nbac_schedule", whole)
    fresh = planning.again(loaded_house.warehouse, made, loaded_house.now + HOUR, PHASES)
    assert fresh is not None
    assert fresh.days == tuple(days[-2:])


def test_a_day_forced_through_after_it_failed_is_stamped(loaded_house):
    """The rows are the same, the receipt is another."""
    house, day = loaded_house, game_days(loaded_house)[4]
    box = TABLES["nbac_gamebook_player_stats"].id
    execute(house, f"DELETE FROM {box} WHERE game_date = @day AND team_abbr < 'M'", day=day)
    for force, expected in ((False, {0: {str(day): f"not covered: {PGS}"}}), (True, {})):
        assert carry_out(house, plan(house, [day], "analytics", [PGS], force=force)).failed == expected
        newest = receipts(house, PGS)[-1]
        assert (newest["status"], newest["forced"]) == ("INCOMPLETE", force)


def test_what_did_not_verify_is_not_called_done(holed):
    made = plan(holed, game_days(holed)[3:6], "raw")
    assert carry_out(holed, made).unverified
    assert [row["state"] for row in status.plans(holed.warehouse, holed.now)] == ["UNVERIFIED"]
    fine = plan(holed, game_days(holed)[:2], "raw", now=holed.now + HOUR)
    assert not carry_out(holed, fine).unverified
    assert [row["state"] for row in status.plans(holed.warehouse, holed.now)] == ["DONE", "UNVERIFIED"]


def test_a_day_that_just_passes_warns(caplog):
    receipt = {"processor_name": PDC, "analysis_date": dt.date(2024, 11, 1), "mean_completeness_pct": None}
    counts = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")
    receipt |= {f"{name}_count": 0 for name in counts}
    for percent, warned in ((89.9, 0), (90.0, 1), (94.9, 1), (95.0, 0), (None, 0)):
        caplog.clear()
        log_day({**receipt, "coverage_pct": percent})
        assert sum(record.levelname == "WARNING" for record in caplog.records) == warned, percent
