"""What is wrong on a day, over a small platform whose every row is known: one alert a cause, and none on a good day."""

import datetime as dt

import pytest

from fullcourt.domain import alerts
from fullcourt.domain.alerts import CAUSE, CAUSES, ready_band
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import GATED, PROCESSORS, Phase
from fullcourt.orchestration import policy
from fullcourt.orchestration.health import health
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES
from tests.good_day import (
    DAY,
    EARLIER,
    ENTITIES,
    FIRST,
    HOUR,
    LOST,
    LOST_GAME,
    MLFS,
    MORNING,
    NEXT,
    PDC,
    PSZA,
    TDZA,
    UPGC,
    D,
    attempts,
    execute,
    good_day,
    insert,
    load,
    not_ready,
    receipts,
    run,
)


@pytest.fixture(scope="module")
def good_file(empty_file, tmp_path_factory):
    return good_day(empty_file.copy(tmp_path_factory.mktemp("good") / "good.duckdb"))


@pytest.fixture
def good(good_file, tmp_path):
    return good_file.copy(tmp_path / "house.duckdb")


def look(house, day=D, **more):
    return health(house.warehouse, day, more.pop("now", house.now), **more)


def raised(house, day=D, now=MORNING):
    """(cause, processor, severity) of the alerts that no lost game explains."""
    rows = house.query(QUERIES["alerts"].sql, date=day, now=now)
    return {(r["cause"], r["processor_name"], r["severity"]) for r in rows if r["explained_by"] is None}


def test_a_good_day_has_no_alert(good):
    report = look(good)
    assert (report["healthy"], report["alerts"], report["explained"], report["policies"]) == (True, [], [], [])
    assert {row["band"] for row in report["processors"]} == {"EXCELLENT", None}
    assert {row["run"] for row in report["processors"]} == {"success"}
    assert {level["status"] for level in report["service_levels"]} == {"met"}
    assert (report["cascade"]["lowest_pct"], report["cascade"]["band"]) == (100.0, "EXCELLENT")


def test_a_lost_game_day_is_one_alert_however_much_it_holds_back(good):
    for table in (PSZA, PDC, MLFS):
        not_ready(good, table, ENTITIES[:30], [LOST_GAME])
    report = look(good)
    (alert,) = report["alerts"]
    assert (alert["cause"], alert["severity"], alert["day"], alert["affected"]) == (
        "LOST_GAME_DAY",
        "warning",
        LOST,
        90,
    )
    assert alert["text"] == "missing games of 2024-01-06: 1; entity-days held back so far: 90, on the newest day: 90"
    assert alert["command"] == "fullcourt repair-plan --start 2024-01-06 --end 2024-01-10"
    assert {symptom["explained_by"] for symptom in report["explained"]} == {LOST}
    causes = {symptom["cause"] for symptom in report["explained"]}
    assert causes == {"PROCESSOR_READY_LOW", "COMPLETENESS_FALL", "ENTITIES_LOW"}
    assert not report["healthy"]


def test_each_lost_day_is_an_alert_of_its_own_and_the_worst_takes_the_symptoms(good):
    not_ready(good, PSZA, ENTITIES[:3], ["20231101_AAA_BBB"])
    not_ready(good, PSZA, ENTITIES[3:9], [LOST_GAME, "20240106_CCC_DDD"])
    report = look(good)
    assert [(alert["day"], alert["affected"]) for alert in report["alerts"]] == [(LOST, 6), (FIRST, 3)]
    assert {symptom["explained_by"] for symptom in report["explained"]} == {LOST}


def test_what_a_lost_game_does_not_explain_is_an_alert_beside_it(good):
    not_ready(good, PSZA, ENTITIES[:2], [LOST_GAME])
    not_ready(good, PSZA, ENTITIES[2:8], pct=100.0)
    assert raised(good) == {("LOST_GAME_DAY", None, "warning"), ("PROCESSOR_READY_LOW", PSZA, "warning")}


def test_an_entity_that_waits_for_one_held_back_is_explained_with_it(good):
    not_ready(good, PDC, ENTITIES[:8], [LOST_GAME])
    not_ready(good, MLFS, ENTITIES[:8], pct=100.0, flags=["upstream_player_daily_cache_ready"])
    report = look(good)
    assert [alert["cause"] for alert in report["alerts"]] == ["LOST_GAME_DAY"]
    assert ("PROCESSOR_READY_LOW", MLFS) in {(s["cause"], s["processor"]) for s in report["explained"]}
    assert (report["cascade"]["lowest_pct"], report["cascade"]["band"]) == (80.0, "WARNING")


def test_a_lost_day_takes_over_a_critical_symptom(good):
    for table in (PSZA, PDC, MLFS, UPGC, "player_composite_factors", "upcoming_team_game_context"):
        not_ready(good, table, ENTITIES[:8], [LOST_GAME])
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["severity"]) == ("LOST_GAME_DAY", "critical")


def test_the_newest_games_are_lost_as_soon_as_their_rows_are_due(good):
    execute(good, "DELETE FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = @day", day=EARLIER)
    assert raised(good, now=MORNING) == {("LOST_GAME_DAY", None, "warning")}
    due = dt.datetime(2024, 1, 9, 11, tzinfo=dt.UTC)
    assert raised(good, day=EARLIER, now=due) == {("LOST_GAME_DAY", None, "warning")}
    assert raised(good, day=EARLIER, now=due - HOUR / 60) == set()


def test_a_lost_day_explains_that_its_own_summaries_are_short(good):
    execute(good, "DELETE FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = @day", day=EARLIER)
    short = receipts(EARLIER, ["player_game_summary"], "NO_DATA", coverage_written=0, coverage_pct=0.0)
    insert(good, "publish_receipts", [{**short[0], "publish_id": "again", "published_at": MORNING - HOUR}])
    report = look(good)
    assert [alert["cause"] for alert in report["alerts"]] == ["LOST_GAME_DAY"]
    assert [(s["cause"], s["processor"], s["explained_by"]) for s in report["explained"]] == [
        ("COVERAGE_LOW", "player_game_summary", EARLIER)
    ]


COUNTS = {
    "ten open": (10, set()),
    "eleven open": (11, {("BREAKERS_ACTIVE", None, "warning")}),
    "twenty open": (20, {("BREAKERS_ACTIVE", None, "warning")}),
    "twenty-one open": (21, {("BREAKERS_ACTIVE", None, "critical")}),
}


@pytest.mark.parametrize(("count", "expected"), COUNTS.values(), ids=COUNTS)
def test_open_breakers(good, count, expected):
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:count], day=EARLIER))
    assert raised(good) == expected
    load(good, D)
    assert raised(good, now=MORNING + 7 * DAY - HOUR) == set()  # they lasted for seven days


def test_breakers_held_open_by_a_lost_day_are_its_symptom(good):
    not_ready(good, PSZA, ENTITIES[:21], [LOST_GAME])
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:21]))
    report = look(good)
    assert [(alert["cause"], alert["severity"]) for alert in report["alerts"]] == [("LOST_GAME_DAY", "critical")]
    assert {"BREAKERS_ACTIVE", "BREAKER_TRIP_RATE", "MOST_OPEN"} <= {s["cause"] for s in report["explained"]}


def test_a_lost_day_stays_the_one_alert_until_the_next_run_and_beside_one_that_is_missed(good):
    not_ready(good, PSZA, ENTITIES[:21], [LOST_GAME])
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:21]))
    load(good, D)
    half_past_midnight = dt.datetime(2024, 1, 12, 5, 30, tzinfo=dt.UTC)
    lost = ("LOST_GAME_DAY", None, "critical")
    assert raised(good, NEXT, half_past_midnight) == {lost}
    assert {alert["cause"] for alert in look(good, NEXT, now=half_past_midnight, processor=PSZA)["alerts"]} == {lost[0]}
    assert raised(good, NEXT, half_past_midnight + 6 * HOUR) == {lost, ("RUN_MISSING", None, "critical")}


def test_a_breaker_that_an_older_lost_game_holds_open_is_explained_though_no_window_reaches_it_any_more(good):
    execute(good, f"UPDATE {TABLES[PSZA].id} SET missing_game_ids = @lost, is_production_ready = FALSE "
            "WHERE analysis_date = @day AND player_lookup IN UNNEST(@names)",
            lost=[LOST_GAME], day=EARLIER, names=ENTITIES[:21])  # fmt: skip
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:21], day=EARLIER))
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["day"], alert["affected"]) == ("LOST_GAME_DAY", LOST, 21)


def test_the_games_of_a_lost_day_are_counted_whoever_misses_them_today(good):
    not_ready(good, PSZA, ENTITIES[:2], [LOST_GAME])
    execute(good, f"UPDATE {TABLES[PDC].id} SET missing_game_ids = @lost, is_production_ready = FALSE "
            "WHERE cache_date = @day AND player_lookup = 'player09'",
            lost=["20240106_CCC_DDD"], day=EARLIER)  # fmt: skip
    (alert,) = look(good)["alerts"]
    assert alert["text"] == "missing games of 2024-01-06: 2; entity-days held back so far: 3, on the newest day: 2"


def shots(house, *team_games):
    zone = {"player_name": "x", "name_status": "resolved", "season_year": 2023}
    rows = [{"nba_game_id": game, "team_abbr": team, "game_date": day} | zone for game, team, day in team_games]
    insert(house, "shot_zones", rows)


def test_shots_that_are_not_there_are_told_once_and_only_of_games_with_a_box_score(good):
    shots(good, ("1", "AAA", LOST), ("1", "BBB", LOST), ("2", "AAA", EARLIER))
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["severity"], alert["day"], alert["affected"]) == (
        "SHOTS_MISSING",
        "info",
        EARLIER,
        1,
    )
    shots(good, ("2", "BBB", EARLIER))
    assert raised(good) == set()


def test_rows_that_contradict_themselves_are_told_by_processor(good):
    letter = {"processor_name": PSZA, "analysis_date": D, "failure_category": "PROCESSING_ERROR"}
    excused = {"processor_name": PSZA, "analysis_date": D, "failure_category": "EXPECTED_INCOMPLETE"}
    rows = [{"entity_id": name, **letter} for name in ENTITIES[:2]] + [{"entity_id": "resting", **excused}]
    insert(good, "precompute_failures", rows)
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["processor"], alert["affected"]) == ("DEAD_LETTERS", PSZA, 2)


def test_the_trip_rate_of_a_processor(good):
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:2]))
    assert raised(good) == set()
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[2:3]))
    assert raised(good) == {("BREAKER_TRIP_RATE", PSZA, "warning")}


def test_most_entities_behind_an_open_breaker(good):
    for number, table in enumerate((PSZA, PDC)):
        insert(good, "reprocess_attempts", attempts(table, ENTITIES[10 * number : 10 * number + 10]))
    assert ("MOST_OPEN", None, "critical") not in raised(good)
    insert(good, "reprocess_attempts", attempts(PDC, ENTITIES[20:21]))
    assert ("MOST_OPEN", None, "critical") in raised(good)


def test_a_breaker_nobody_acted_on_for_a_day(good):
    load(good, D)
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:2], day=EARLIER, at=MORNING))
    assert raised(good, now=MORNING + DAY) == set()
    after = MORNING + DAY + HOUR / 60
    assert raised(good, now=after) == {("BREAKER_RESPONSE", None, "warning")}
    action = {"action": "override", "processor_name": PSZA, "analysis_date": EARLIER, "acted_at": MORNING + HOUR}
    insert(good, "breaker_actions", [{"action_id": e, "entity_id": e, **action} for e in ENTITIES[:2]])
    assert raised(good, now=after) == set()


def test_coverage_below_ninety(good):
    (short,) = receipts(D, [PSZA], "INCOMPLETE", coverage_written=89, coverage_pct=89.0)
    insert(good, "publish_receipts", [{**short, "publish_id": "again", "published_at": MORNING}])
    report = look(good)
    (alert,) = report["alerts"]
    assert (alert["cause"], alert["processor"], alert["affected"]) == ("COVERAGE_LOW", PSZA, 11)
    assert alert["text"] == f"{PSZA} has 89 % of what 2024-01-10 owes; the limit is 90 %"
    row = next(r for r in report["coverage"] if (r["processor_name"], r["analysis_date"]) == (PSZA, D))
    assert (row["coverage_pct"], row["lacking_keys"]) == (89.0, 11)


RUNS = {
    "failed": ("failed", HOUR, {("RUN_FAILED", PSZA, "critical")}),
    "hangs for four hours": ("running", 4 * HOUR, {("RUN_STALE", PSZA, "critical")}),
    "runs for less": ("running", 4 * HOUR - HOUR / 60, set()),
    "partial": ("partial", HOUR, set()),
    "failed, then done": ("failed", 5 * HOUR, set()),
}


@pytest.mark.parametrize(("status", "ago", "expected"), RUNS.values(), ids=RUNS)
def test_the_newest_run(good, status, ago, expected):
    if status == "running":
        execute(good, "DELETE FROM nba_reference.processor_run_history WHERE processor_name = @name", name=PSZA)
    insert(good, "processor_run_history", [run(PSZA, status, MORNING - ago)])
    assert raised(good) == expected


def test_fault_24_a_failed_run_of_several_processors_is_one_alert(good):
    failed = [run(name, "failed", MORNING) for name in (TDZA, PSZA)]
    insert(good, "processor_run_history", [{**row, "run_id": "one"} for row in failed])
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["processor"], alert["affected"]) == ("RUN_FAILED", None, 2)
    assert alert["command"] == "fullcourt run precompute --date 2024-01-10"


def without_run(house, names):
    execute(
        house,
        "DELETE FROM nba_orchestration.publish_receipts "
        "WHERE analysis_date = @day AND processor_name IN UNNEST(@names)",
        day=D,
        names=names,
    )
    execute(
        house, "DELETE FROM nba_reference.processor_run_history WHERE processor_name IN UNNEST(@names)", names=names
    )


def test_a_run_that_did_not_happen_is_one_alert_once_it_is_due(good):
    names = [processor.name for processor in PROCESSORS]
    without_run(good, names)
    for processor in GATED:
        execute(good, f"DELETE FROM {TABLES[processor.name].id} WHERE {processor.day_column} = @day", day=D)
    assert raised(good, now=MORNING - HOUR / 60) == set()
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["severity"], alert["affected"]) == ("RUN_MISSING", "critical", len(names) - 1)
    assert alert["command"] == "fullcourt run all --date 2024-01-10"
    (later,) = look(good, now=MORNING + HOUR)["alerts"]  # predictions are due an hour later
    assert (later["cause"], later["affected"]) == ("RUN_MISSING", len(names))


def test_a_missing_phase_is_named(good):
    without_run(good, [processor.name for processor in PROCESSORS if processor.phase is Phase.PRECOMPUTE])
    (alert,) = look(good)["alerts"]
    assert (alert["cause"], alert["affected"]) == ("RUN_MISSING", 5)
    assert alert["command"] == "fullcourt run precompute --date 2024-01-10"


def test_a_run_under_way_or_failed_is_not_missing(good):
    without_run(good, [PSZA])
    insert(good, "processor_run_history", [run(PSZA, "running", MORNING - HOUR)])
    assert raised(good) == set()
    insert(good, "processor_run_history", [run(PSZA, "failed", MORNING)])
    assert raised(good) == {("RUN_FAILED", PSZA, "critical")}


def test_a_processor_that_never_ran_is_not_rolled_out_yet(good):
    without_run(good, ["player_prop_predictions"])
    name = "player_prop_predictions"
    execute(good, "DELETE FROM nba_orchestration.publish_receipts WHERE processor_name = @name", name=name)
    assert raised(good, now=MORNING + HOUR) == set()


SYNTHETIC = {"data_source": "SYNTHETIC_PGS", "coverage_written": 186, "coverage_explained": 1, "coverage_expected": 187}
REAL = SYNTHETIC | {"data_source": "UPGC", "coverage_synthetic": 0}


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        pytest.param([(PDC, D, REAL)], None, id="read from the context"),
        pytest.param([(PDC, D, SYNTHETIC | {"coverage_synthetic": 186})], (186, 187), id="one processor"),
        pytest.param(
            [
                (PDC, D, SYNTHETIC | {"coverage_synthetic": 186}),
                (MLFS, D, SYNTHETIC | {"coverage_synthetic": 180, "coverage_expected": 200}),
            ],
            (186, 187),
            id="several are one alert, with the figures of the one that has most",
        ),
        pytest.param([(PDC, EARLIER, SYNTHETIC | {"coverage_synthetic": 186})], None, id="another day"),
        pytest.param(
            [(PDC, D, SYNTHETIC | {"coverage_synthetic": 186}), (PDC, D, REAL)], None, id="computed again since"
        ),
    ],
)
def test_fault_34_keys_made_of_box_scores_are_told_though_the_day_is_covered(good, published, expected):
    rows = [
        {**receipts(day, [name])[0], **figures}
        | {"publish_id": str(number), "published_at": MORNING - HOUR / (number + 2)}
        for number, (name, day, figures) in enumerate(published)
    ]
    insert(good, "publish_receipts", rows)
    report = look(good)
    assert {row["status"] for row in report["coverage"]} == {"COMPLETE"}
    said = [(alert["cause"], alert["severity"], alert["text"]) for alert in report["alerts"]]
    text = "{} of the {} keys that 2024-01-10 owes are made of its own box scores, for want of their context"
    assert said == ([("SYNTHETIC_CONTEXT", "warning", text.format(*expected))] if expected else [])


MINUTE = HOUR / 60
# (state, claimed so long before MORNING, lease ends so long after MORNING, settled so long before MORNING)
DONE = ("DONE", HOUR, None, HOUR / 2)
UNCHANGED = ("UNCHANGED", None, None, HOUR / 2)
FAILED = ("FAILED", HOUR / 4, None, MINUTE)
HELD = ("RUNNING", HOUR / 2, HOUR / 2, None)
LAPSED = ("RUNNING", HOUR, 0 * HOUR, None)
WAITING = ("PENDING", None, None, None)
GIVEN_BACK = ("PENDING", HOUR / 4, None, None)

LEFT_OVER = {
    "done": ([[DONE, UNCHANGED]], 0 * HOUR, 0),
    "planned and not begun": ([[WAITING]], 0 * HOUR, 0),
    "a day failed": ([[DONE, FAILED]], 0 * HOUR, 1),
    "while it goes on with other days": ([[FAILED, HELD]], 0 * HOUR, 0),
    "under way": ([[DONE, HELD, WAITING]], 0 * HOUR, 0),
    "between two slices nobody has one": ([[(*DONE[:3], 14 * MINUTE), WAITING]], 0 * HOUR, 0),
    "killed between two slices": ([[(*DONE[:3], 15 * MINUTE), WAITING]], 0 * HOUR, 1),
    "killed in one, once its lease is over": ([[DONE, LAPSED]], 0 * HOUR, 1),
    "and not before": ([[DONE, LAPSED]], -MINUTE, 0),
    "interrupted, and its slice given back": ([[DONE, GIVEN_BACK]], 0 * HOUR, 1),
    "two are one alert": ([[FAILED], [LAPSED], [DONE]], 0 * HOUR, 2),
    "told for a day": ([[FAILED]], DAY - HOUR / 4 - MINUTE, 1),
    "but no longer": ([[FAILED]], DAY - HOUR / 4, 0),
    "nor before it began": ([[FAILED]], -HOUR / 2, 0),
}


def backfills(house, plans, **more):
    """Stored as they would be: the slices of each plan, oldest plan first."""
    slices = [
        {"plan_id": f"bf{plan}", "slice_number": number, "stage": 0, "phase": "phase_4_precompute"}
        | {"processors": [PDC], "days": [str(D)], "season_year": 2023, "state": state}
        | {"started_at": claimed and MORNING - claimed, "ended_at": settled and MORNING - settled}
        | {"lease_until": None if lease is None else MORNING + lease}
        for plan, rows in enumerate(plans)
        for number, (state, claimed, lease, settled) in enumerate(rows)
    ]
    made = [
        {"plan_id": f"bf{plan}", "created_at": MORNING - DAY, "first_day": D, "last_day": D, "day_count": 1}
        | {"phases": ["precompute"], "definition": "{}", **more}
        for plan in range(len(plans))
    ]
    insert(house, "backfill_plans", made)
    insert(house, "backfill_slices", slices)


def left_over(house, now):
    rows = house.query(QUERIES["alerts"].sql, date=D, now=now)
    found = [row for row in rows if row["cause"] == "BACKFILL_LEFT_OVER"]
    assert {(row["severity"], row["explained_by"]) for row in found} <= {("warning", None)}
    return [(row["analysis_date"], row["affected"]) for row in found]


@pytest.mark.parametrize(("plans", "later", "affected"), LEFT_OVER.values(), ids=LEFT_OVER)
def test_a_backfill_that_ended_before_it_was_done_is_one_alert(good, plans, later, affected):
    backfills(good, plans)
    assert left_over(good, MORNING + later) == ([(D, affected)] if affected else [])


def test_a_cancelled_backfill_is_not_left_over(good):
    backfills(good, [[FAILED, WAITING]], cancelled_at=MORNING - MINUTE, cancelled_by="operator")
    assert left_over(good, MORNING) == []


def test_six_processors_that_fail_are_critical(good):
    five = [PSZA, PDC, MLFS, UPGC, "player_composite_factors"]
    for table in five:
        not_ready(good, table, ENTITIES[:8], pct=100.0)
    assert raised(good) == {("PROCESSOR_READY_LOW", table, "warning") for table in five}
    insert(good, "processor_run_history", [run(TDZA, "failed", MORNING)])
    assert ("PROCESSORS_FAILING", None, "critical") in raised(good)


def bootstrap(house, count):
    execute(
        house,
        f"UPDATE {TABLES[PSZA].id} SET backfill_bootstrap_mode = TRUE WHERE player_lookup IN UNNEST(@names)",
        names=ENTITIES[:count],
    )


def test_rows_in_bootstrap_after_the_first_thirty_days(good):
    bootstrap(good, 14)  # of 280 rows: five percent
    assert raised(good) == set()
    bootstrap(good, 15)
    assert raised(good) == {("BOOTSTRAP_UNEXPECTED", None, "warning")}
    execute(good, "DELETE FROM nba_raw.nbac_schedule WHERE game_date = @first", first=FIRST)
    assert raised(good) == set()  # the season's first game is now on 6 January


def test_an_unexplained_fall_and_low_mean(good):
    not_ready(good, PSZA, ENTITIES[:2], pct=0.0)  # 95 % ready, five points less than the day before
    assert raised(good) == {("COMPLETENESS_FALL", PSZA, "warning")}
    not_ready(good, PSZA, ENTITIES[:6], pct=0.0)
    assert raised(good) == {
        ("COMPLETENESS_FALL", PSZA, "warning"),
        ("PROCESSOR_READY_LOW", PSZA, "warning"),
    }
    not_ready(good, PSZA, ENTITIES[:7], pct=0.0)
    assert ("COMPLETENESS_LOW", PSZA, "warning") in raised(good)


def test_more_than_twenty_entities_below_ninety(good):
    not_ready(good, PSZA, ENTITIES[:20], pct=80.0)
    not_ready(good, PDC, ENTITIES[:20], pct=80.0)  # the same entities are not counted twice
    assert ("ENTITIES_LOW", None, "warning") not in raised(good)
    not_ready(good, PDC, ENTITIES[20:21], pct=80.0)
    assert ("ENTITIES_LOW", None, "warning") in raised(good)


def test_a_changed_gate_is_told_and_breaks_nothing(good):
    policy.change(good.warehouse, PSZA, 800, MORNING, "someone", "scraper down", valid_until=MORNING + DAY)
    assert raised(good) == {("POLICY_ACTIVE", PSZA, "info")}
    report = look(good)
    assert report["healthy"]
    assert [(row["processor"], row["threshold_pct"], row["reason"]) for row in report["policies"]] == [
        (PSZA, 80.0, "scraper down")
    ]
    assert look(good, processor=PDC)["policies"] == []
    load(good, D)
    assert raised(good, now=MORNING + DAY) == set()


# ---- the report


def test_a_day_without_games_shows_the_newest_before_it(good):
    report = look(good, day=dt.date(2024, 1, 11), now=MORNING + DAY)
    assert (report["date"], report["asked"]) == (D, dt.date(2024, 1, 11))


def test_fault_24_a_warehouse_without_a_schedule_is_refused(empty_house):
    with pytest.raises(GateError, match="no schedule is loaded up to 2024-01-10"):
        look(empty_house)


def test_an_unknown_processor_is_refused(good):
    with pytest.raises(UsageError, match="unknown processor 'tdza': expected one of team_offense"):
        look(good, processor="tdza")


def test_one_processor_hears_of_what_concerns_it(good):
    not_ready(good, PSZA, ENTITIES[:8], [LOST_GAME])
    not_ready(good, PDC, ENTITIES[20:28], pct=100.0)
    heard = {name: look(good, processor=name) for name in (PSZA, PDC, TDZA)}
    causes = {name: [alert["cause"] for alert in report["alerts"]] for name, report in heard.items()}
    assert causes == {PSZA: ["LOST_GAME_DAY"], PDC: ["PROCESSOR_READY_LOW"], TDZA: []}
    report = heard[TDZA]
    assert [row["processor"] for row in report["processors"]] == [TDZA]
    assert {row["processor_name"] for row in report["coverage"]} == {TDZA}


def test_service_levels_between_target_and_limit_are_missed(good):
    not_ready(good, PSZA, ENTITIES[:3], pct=20.0)  # 92.5 % ready, mean 94
    not_ready(good, PDC, ENTITIES[:3], pct=0.0)  # mean 92.5
    insert(good, "reprocess_attempts", attempts(PSZA, ENTITIES[:5], day=EARLIER, at=MORNING - 5 * HOUR))
    levels = {(row["level"], row["processor"]): row["status"] for row in look(good)["service_levels"]}
    assert levels["ready_pct", PSZA] == "missed"
    assert levels["mean_pct", PDC] == "met"
    assert (levels["open_breakers", None], levels["breaker_response_hours", None]) == ("missed", "missed")
    assert look(good)["service_levels"][-1]["value"] == 5.0


def test_the_bands():
    bands = [ready_band(percent) for percent in (100, 95, 94.9, 90, 89.9, 80, 79.9, 0)]
    assert bands == ["EXCELLENT"] * 2 + ["GOOD"] * 2 + ["WARNING"] * 2 + ["CRITICAL"] * 2


def test_the_limits_are_those_of_the_domain_sections_8_2_and_8_3():
    assert (alerts.READY_TARGET, alerts.READY_LIMIT) == (95, 90)
    assert (alerts.COMPLETENESS_TARGET, alerts.COMPLETENESS_LIMIT) == (92, 85)
    assert (alerts.BREAKERS_TARGET, alerts.BREAKERS_LIMIT, alerts.BREAKERS_CRITICAL) == (5, 10, 20)
    assert (alerts.RESPONSE_TARGET_HOURS, alerts.RESPONSE_LIMIT_HOURS) == (4, 24)
    assert (alerts.FALL_POINTS, alerts.FALL_DAYS, alerts.TRIP_RATE_LIMIT, alerts.MOST_OPEN_LIMIT) == (5, 7, 5, 50)
    assert (alerts.BOOTSTRAP_LIMIT, alerts.COVERAGE_LIMIT, alerts.ENTITIES_LIMIT) == (5, 90, 20)
    assert alerts.PROCESSORS_CRITICAL == 6


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_every_cause_can_be_said(cause):
    named = dict.fromkeys(("day", "processor", "phase", "affected", "value", "games", "today"), "x")
    for text in (cause.short, cause.text, cause.command):
        assert "{" not in text.format_map(named)
    assert cause.command.startswith("fullcourt ")
    assert CAUSE[cause.id] is cause
