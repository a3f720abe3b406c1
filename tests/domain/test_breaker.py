"""The circuit breaker and the records the gate leaves behind: one team held back again and again, by hand."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.domain import breaker, gate, observation, records
from fullcourt.domain.breaker import Facts
from fullcourt.domain.days import to_number
from fullcourt.domain.fingerprint import to_hex
from fullcourt.domain.rows import MISSING_HASH, Judged, Stamp, judged_table
from schemas import dead_letters, precompute_failures, team_defense_zone_analysis
from tests.breakers import (
    ACTIONS,
    ATTEMPTS,
    BEFORE,
    DAY,
    OUTPUT,
    PROCESSOR,
    Nights,
    breaker_state,
    game_day,
    game_id,
    micros,
    shard,
)

FAILURES = precompute_failures.TABLE.arrow_schema
LETTERS = dead_letters.TABLE.arrow_schema
T0 = datetime(2024, 1, 2, 4, tzinfo=UTC)
WEEK = timedelta(hours=168)
MINUTE = timedelta(minutes=1)


# Facts from attempts and actions


def facts(attempts: list[dict], actions: list[dict]) -> list[tuple]:
    """(attempts, open until, missing hash) by entity, as the view breaker_state has them; 2 January if not told."""
    key = {"processor_name": PROCESSOR.name, "entity_id": "ATL", "analysis_date": date(2024, 1, 2)}
    written = pa.Table.from_pylist([key | row for row in attempts], ATTEMPTS)
    acted = pa.Table.from_pylist([key | row for row in actions], ACTIONS)
    rows = breaker_state(written, acted).to_pylist()
    return [(r["entity_id"], r["attempt_number"], r["open_until"], r["missing_games_hash"]) for r in rows]


def attempt(number: int, at: datetime, missing: str = "a", **other: object) -> dict:
    until = at + WEEK if number >= 3 else None
    row = {"attempt_number": number, "attempted_at": at, "circuit_breaker_until": until, "missing_games_hash": missing}
    return row | other


def action(what: str, at: datetime, **other: object) -> dict:
    return {"action": what, "acted_at": at, **other}


THREE = [attempt(1, T0), attempt(2, T0 + MINUTE), attempt(3, T0 + 2 * MINUTE)]
OPEN_UNTIL = T0 + 2 * MINUTE + WEEK
LATER = T0 + 9 * MINUTE


@pytest.mark.parametrize(
    ("attempts", "actions", "left"),
    [
        pytest.param([], [], [], id="nothing-happened"),
        pytest.param(THREE[:1], [], [("ATL", 1, None, "a")], id="one-attempt-does-not-trip"),
        pytest.param(THREE[:2], [], [("ATL", 2, None, "a")], id="nor-do-two"),
        pytest.param(THREE, [], [("ATL", 3, OPEN_UNTIL, "a")], id="the-third-trips"),
        pytest.param(THREE[::-1], [], [("ATL", 3, OPEN_UNTIL, "a")], id="newest-whatever-the-order"),
        pytest.param(
            [*THREE, attempt(4, LATER, "b")], [], [("ATL", 4, LATER + WEEK, "b")], id="the-fourth-trips-again"
        ),
        pytest.param(THREE, [action("override", LATER)], [("ATL", 3, None, "a")], id="override-clears-the-cooldown"),
        pytest.param(
            [*THREE, attempt(4, LATER + MINUTE)],
            [action("override", LATER)],
            [("ATL", 4, LATER + MINUTE + WEEK, "a")],
            id="an-override-covers-what-was-before-it",
        ),
        pytest.param(THREE, [action("reset", LATER)], [("ATL", 0, None, None)], id="reset-forgets"),
        pytest.param(THREE, [action("close", LATER)], [("ATL", 0, None, None)], id="close-forgets"),
        pytest.param(
            [*THREE, attempt(1, LATER + MINUTE)],
            [action("close", LATER)],
            [("ATL", 1, None, "a")],
            id="attempts-before-the-close-are-ignored-however-many",
        ),
        pytest.param(
            [*THREE, attempt(1, LATER + MINUTE)],
            [action("reset", T0), action("close", LATER), action("override", T0)],
            [("ATL", 1, None, "a")],
            id="the-newest-action-of-each-kind-counts",
        ),
        pytest.param(
            [*THREE, *(row | {"entity_id": "BOS"} for row in THREE[:2])],
            [action("reset", LATER, entity_id="BOS")],
            [("ATL", 3, OPEN_UNTIL, "a"), ("BOS", 0, None, None)],
            id="an-action-is-for-one-entity",
        ),
        pytest.param(
            [*THREE, attempt(1, T0, analysis_date=date(2024, 1, 3))],
            [action("override", LATER, analysis_date=date(2024, 1, 3))],
            [("ATL", 3, OPEN_UNTIL, "a"), ("ATL", 1, None, "a")],
            id="and-for-one-day",
        ),
        pytest.param(
            [attempt(1, T0, missing=None)], [], [("ATL", 1, None, None)], id="an-attempt-that-names-no-missing-games"
        ),
    ],
)
def test_what_attempts_and_actions_leave(attempts, actions, left):
    assert facts(attempts, actions) == left


def test_align_gives_each_row_its_own_facts_and_none_to_the_others():
    big = np.array([2**64 - 1], np.uint64)
    key = {"entity_id": "BOS", "analysis_date": date(2024, 1, 2)}
    rows = [
        key | attempt(3, T0, to_hex(big)[0].as_py()),
        key | attempt(1, T0, None, analysis_date=date(2024, 1, 3)),
        key | attempt(2, T0, "0" * 16, entity_id="a team of another season"),
    ]
    rows = [row | {"processor_name": PROCESSOR.name} for row in rows]
    known = breaker_state(pa.Table.from_pylist(rows, ATTEMPTS), ACTIONS.empty_table())
    second = to_number(date(2024, 1, 2))
    entity = np.array([0, 1, 1, 1], np.int32)
    day = np.array([second, second, second + 1, second + 2], np.int32)
    aligned = breaker.align(known, pa.array(["ATL", "BOS"]), entity, day)
    assert aligned.attempts.tolist() == [0, 3, 1, 0]
    assert aligned.last_at.tolist() == [0, micros(T0), micros(T0), 0]
    assert aligned.until.tolist() == [0, micros(T0 + WEEK), 0, 0]
    assert aligned.missing.tolist() == [0, 2**64 - 1, 0, 0]
    assert aligned.fact_at.tolist() == [0, micros(T0), micros(T0), 0]


def test_align_without_any_attempt():
    known = breaker_state(ATTEMPTS.empty_table(), ACTIONS.empty_table())
    entity = np.zeros(2, np.int32)
    aligned = breaker.align(known, pa.array(["ATL"]), entity, entity)
    assert all((values == 0).all() for values in vars(aligned).values())


@pytest.mark.parametrize(
    ("until", "missing", "held"),
    [
        pytest.param(0, 7, False, id="closed"),
        pytest.param(1001, 7, True, id="open-and-nothing-new"),
        pytest.param(1001, 8, False, id="open-but-other-games-are-missing"),
        pytest.param(1000, 7, False, id="the-cooldown-ends-on-the-instant"),
        pytest.param(999, 7, False, id="cooled-down"),
    ],
)
def test_blocked(until, missing, held):
    before = Facts(*(np.array([value]) for value in (3, 1, until)), np.array([7], np.uint64), np.array([1]))
    assert breaker.blocked(before, np.array([missing], np.uint64), 1000).tolist() == [held]


# One team through the gate


def only(row: pa.Table, *names: str) -> tuple:
    (values,) = row.select(list(names)).to_pylist()
    return tuple(values[name] for name in names)


STATE = ("processing_decision_reason", "reprocess_attempt_count", "circuit_breaker_active", "circuit_breaker_until")
WAITS = "incomplete_upstream_data"
BLOCKED = "circuit_breaker_active"
NIGHT = timedelta(days=1)


def tripped(*missing: int) -> tuple[Nights, datetime]:
    """Three incomplete nights, and when the breaker opened."""
    nights = Nights()
    for night in range(3):
        nights.run(T0 + night * NIGHT, *(missing or (18, 19)))
    return nights, T0 + 2 * NIGHT


def test_the_third_incomplete_attempt_opens_the_breaker_for_a_week():
    nights = Nights()
    for number in (1, 2, 3):
        row = nights.run(T0 + number * NIGHT, 18, 19)
        assert only(row, *STATE) == (WAITS, number, False, None)
        assert only(row, "manual_override_required", "last_reprocess_attempt_at") == (number == 3, T0 + number * NIGHT)
    written = nights.attempts
    assert nights.numbers == [1, 2, 3]
    assert written["circuit_breaker_tripped"].to_pylist() == [False, False, True]
    assert written["circuit_breaker_until"].to_pylist() == [None, None, T0 + 3 * NIGHT + WEEK]
    assert written["attempted_at"].to_pylist() == [T0 + n * NIGHT for n in (1, 2, 3)]
    assert set(written["completeness_pct"].to_pylist()) == {86.7}
    assert set(written["skip_reason"].to_pylist()) == {WAITS}
    assert set(written["run_id"].to_pylist()) == {"run-03-0400", "run-04-0400", "run-05-0400"}
    assert set(written["entity_id"].to_pylist()) == {"ATL"}
    assert set(written["analysis_date"].to_pylist()) == {DAY}
    assert set(written["processor_name"].to_pylist()) == {PROCESSOR.name}


def test_while_open_the_row_is_blocked_and_no_attempt_is_made():
    nights, opened = tripped()
    for hours in (1, 167):
        row = nights.run(opened + timedelta(hours=hours), 18, 19)
        assert only(row, *STATE) == (BLOCKED, 3, True, opened + WEEK)
        assert only(row, "manual_override_required", "last_reprocess_attempt_at") == (True, opened)
        assert only(row, "games_in_sample", "data_hash") == (None, None), "a stub row"
    assert nights.numbers == [1, 2, 3]


@pytest.mark.parametrize(
    ("missing", "numbers"),
    [
        pytest.param((18, 19), [1, 2, 3], id="the-same-games"),
        pytest.param((17, 18, 19), [1, 2, 3, 4], id="one-more"),
        pytest.param((17, 18), [1, 2, 3, 4], id="as-many-others"),
        pytest.param((2, 18, 19), [1, 2, 3], id="one-more-outside-the-window"),
    ],
)
def test_other_missing_games_are_worth_another_attempt_which_trips_at_once(missing, numbers):
    nights, opened = tripped()
    nights.run(opened + NIGHT, *missing)
    assert nights.numbers == numbers
    if numbers[-1] == 4:
        row = nights.run(opened + 2 * NIGHT, *missing)
        assert only(row, *STATE) == (BLOCKED, 4, True, opened + NIGHT + WEEK)


def test_after_the_cooldown_one_attempt_which_trips_again():
    nights, opened = tripped()
    row = nights.run(opened + WEEK, 18, 19)
    assert only(row, *STATE) == (WAITS, 4, False, None)
    assert nights.attempts["circuit_breaker_until"].to_pylist()[-1] == opened + 2 * WEEK
    assert only(nights.run(opened + WEEK + NIGHT, 18, 19), *STATE) == (BLOCKED, 4, True, opened + 2 * WEEK)
    assert nights.numbers == [1, 2, 3, 4]


def test_an_override_lets_one_attempt_through_before_the_cooldown_ends():
    nights, opened = tripped()
    nights.act("override", opened + MINUTE)
    assert only(nights.run(opened + NIGHT, 18, 19), *STATE)[:2] == (WAITS, 4)
    assert only(nights.run(opened + 2 * NIGHT, 18, 19), *STATE)[:2] == (BLOCKED, 4)


def test_a_reset_counts_anew():
    nights, opened = tripped()
    nights.act("reset", opened + MINUTE)
    for number in (1, 2):
        assert only(nights.run(opened + number * NIGHT, 18, 19), *STATE) == (WAITS, number, False, None)
    assert nights.numbers == [1, 2, 3, 1, 2]


def test_fault_30_data_that_arrives_while_open_is_processed_and_closes_the_breaker_once():
    nights, opened = tripped()
    row = nights.run(opened + NIGHT, 18)
    assert only(row, *STATE) == ("processed_successfully", 3, False, None)
    assert only(row, "is_production_ready", "manual_override_required", "games_in_sample") == (True, False, 14)
    (closed,) = nights.actions.to_pylist()
    assert closed.pop("action_id")
    assert closed == {
        "action": "close",
        "processor_name": PROCESSOR.name,
        "entity_id": "ATL",
        "analysis_date": DAY,
        "acted_at": opened + NIGHT,
        "acted_by": f"run-{opened + NIGHT:%d-%H%M}",
        "reason": "auto_reset_on_data",
    }
    nights.run(opened + 2 * NIGHT, 18)
    assert nights.actions.num_rows == 1, "nothing is left to close"
    row = nights.run(opened + 3 * NIGHT, 18, 19)
    assert only(row, *STATE) == (WAITS, 1, False, None)


def test_a_ready_row_without_attempts_closes_nothing():
    nights = Nights()
    assert only(nights.run(T0), *STATE) == ("processed_successfully", 0, False, None)
    assert nights.actions.num_rows == 0


def test_a_backfill_neither_consults_nor_records():
    nights, opened = tripped()
    row = nights.run(opened + NIGHT, 18, 19, recording=False)
    assert only(row, *STATE) == (WAITS, 0, False, None)
    nights.run(opened + NIGHT, recording=False)
    assert nights.numbers == [1, 2, 3]
    assert nights.actions.num_rows == 0


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        pytest.param((5,), "bootstrap_mode_allowed", id="something-to-compute-from"),
        pytest.param(tuple(range(14)), WAITS, id="nothing-to-compute-from"),
    ],
)
def test_nothing_is_recorded_in_bootstrap(missing, reason):
    nights = Nights()
    for night in range(4):
        row = nights.run(T0 + night * NIGHT, *missing, day=game_day(7))
        assert only(row, *STATE) == (reason, 0, False, None)
    assert nights.attempts.num_rows == 0


@pytest.mark.parametrize("number", [3, 4])
def test_a_breaker_from_before_is_not_consulted_in_bootstrap(number):
    """As when the season's start is corrected after the attempts were made."""
    nights = Nights()
    row = {"processor_name": PROCESSOR.name, "entity_id": "ATL", "analysis_date": game_day(7)}
    missing = tuple(range(14))
    hashed = nights.run(T0, *missing, day=game_day(7))[MISSING_HASH][0].as_py()
    nights.attempts = pa.Table.from_pylist([row | attempt(number, T0, hashed)], ATTEMPTS)
    judged = nights.run(T0 + NIGHT, *missing, day=game_day(7))
    assert only(judged, "processing_decision_reason", "circuit_breaker_active") == (WAITS, False)


# Failures and dead letters

STAMP = Stamp("run-1", micros(T0))
FAILURE = ("failure_category", "failure_reason", "can_retry", "failure_type", "is_correctable", "resolution_status")


def failure(row: pa.Table, **changed: object) -> dict:
    """The failure row of a judged row, some of whose columns are set by hand."""
    for name, value in changed.items():
        place = row.column_names.index(name)
        row = row.set_column(place, row.field(name), pa.array([value], row.field(name).type))
    (made,) = records.failure_rows(row, PROCESSOR, FAILURES, STAMP).to_pylist()
    return made


def test_the_failure_row_of_an_incomplete_entity_names_the_missing_games():
    made = failure(Nights().run(T0, 17, 19))
    assert json.loads(made["missing_game_dates"]) == [game_day(17).isoformat(), game_day(19).isoformat()]
    assert made["missing_game_ids"] == [game_id(17), game_id(19)]
    assert (made["expected_game_count"], made["actual_game_count"]) == (15, 13)
    assert (made["entity_id"], made["analysis_date"], made["raw_data_checked"]) == ("ATL", DAY, False)
    assert (made["run_id"], made["created_at"], made["resolved_at"]) == ("run-1", T0, None)


@pytest.mark.parametrize(
    ("reason", "missing", "excused", "expected"),
    [
        pytest.param(WAITS, 1, 0, ("INCOMPLETE_DATA", True, "DATA_GAP", True, "UNRESOLVED"), id="lost-data"),
        pytest.param(WAITS, 1, 2, ("INCOMPLETE_DATA", True, "MIXED", True, "UNRESOLVED"), id="lost-and-excused"),
        pytest.param(BLOCKED, 1, 0, ("CIRCUIT_BREAKER_ACTIVE", False, "DATA_GAP", True, "UNRESOLVED"), id="blocked"),
        pytest.param(
            "all_games_excused",
            0,
            3,
            ("EXPECTED_INCOMPLETE", False, "PLAYER_DNP", False, "PERMANENT"),
            id="did-not-play",
        ),
        pytest.param(
            "no_expected_games",
            0,
            0,
            ("EXPECTED_INCOMPLETE", False, "INSUFFICIENT_HISTORY", False, "PERMANENT"),
            id="no-games-yet",
        ),
        pytest.param(
            "unreadable_upstream_row",
            1,
            0,
            ("PROCESSING_ERROR", False, "DATA_GAP", True, "UNRESOLVED"),
            id="contradictory-row",
        ),
    ],
)
def test_failure_categories(reason, missing, excused, expected):
    row = Nights().run(T0, 18, 19)
    ids = [game_id(19)] * missing
    made = failure(row, processing_decision_reason=reason, missing_game_ids=ids, dnp_games_count=excused)
    category, retry, kind, correctable, status = expected
    assert tuple(made[name] for name in FAILURE) == (category, reason, retry, kind, correctable, status)
    assert made["missing_game_dates"] == json.dumps([game_day(19).isoformat()] * missing)


def test_failure_rows_of_a_slice_keep_their_own_games():
    rows = pa.concat_tables([Nights().run(T0, *missing) for missing in ((18, 19), (), (16, 17))])
    made = records.failure_rows(rows.slice(1), PROCESSOR, FAILURES, STAMP)
    assert made["missing_game_ids"].to_pylist() == [[], [game_id(16), game_id(17)]]
    dates = [json.loads(text) for text in made["missing_game_dates"].to_pylist()]
    assert dates == [[], [game_day(16).isoformat(), game_day(17).isoformat()]]


@pytest.mark.parametrize("make", [records.attempt_rows, records.failure_rows])
def test_no_rows_make_no_records(make):
    schema = {records.attempt_rows: ATTEMPTS, records.failure_rows: FAILURES}[make]
    empty = Nights().run(T0).slice(0, 0)
    assert make(empty, PROCESSOR, schema, STAMP).num_rows == 0


@pytest.mark.parametrize(
    ("game", "zones", "reason"),
    [
        pytest.param(10, {"opp_paint_makes": 11}, "unreadable_upstream_row", id="more-makes-than-attempts"),
        pytest.param(10, {"opp_mid_range_makes": -1}, "unreadable_upstream_row", id="negative-makes"),
        pytest.param(10, {"opp_three_pt_makes": 10}, "processed_successfully", id="every-shot-in"),
        pytest.param(4, {"opp_paint_makes": 11}, "processed_successfully", id="outside-the-window"),
        pytest.param(BEFORE, {"opp_paint_makes": 11}, "processed_successfully", id="d-itself"),
    ],
)
def test_contradictory_rows_are_dead_letters(game, zones, reason):
    row = Nights().run(T0, **{f"g{game}": zones})
    assert only(row, "processing_decision_reason") == (reason,)
    if reason == "unreadable_upstream_row":
        assert only(row, "is_production_ready", "games_in_sample") == (False, None)
        (letter,) = records.dead_letter_rows(row, PROCESSOR, LETTERS, STAMP).to_pylist()
        assert (letter["source"], letter["entity_id"]) == ("team_defense_game_summary", "ATL")
        assert (letter["analysis_date"], letter["run_id"]) == (DAY, "run-1")
        assert "more makes than attempts" in letter["reason"]


def test_a_dead_letter_makes_no_attempt_even_when_games_are_missing():
    nights = Nights()
    row = nights.run(T0, 18, 19, g10={"opp_paint_makes": 11})
    assert only(row, "processing_decision_reason", "reprocess_attempt_count") == ("unreadable_upstream_row", 0)
    assert nights.attempts.num_rows == 0


# Rows


def test_a_held_back_row_says_what_is_missing_and_computes_nothing():
    row = Nights().run(T0, 17, 19)
    names = ("expected_games_count", "actual_games_count", "missing_games_count", "completeness_percentage")
    assert only(row, *names) == (15, 13, 2, 86.7)
    assert only(row, "missing_game_ids", "missing_nba_game_ids") == (
        [game_id(17), game_id(19)],
        [f"{17:010d}", f"{19:010d}"],
    )
    assert only(row, "gap_classification", "data_quality_issues") == ("DATA_GAP", ["own_data_incomplete"])
    assert only(row, "early_season_flag", "insufficient_data_reason") == (True, "sample of 13 games, 15 expected")
    business = [name for name in row.column_names if name.endswith(("_last_15", "_per_game", "_zone", "_avg"))]
    assert all(row[name].null_count == 1 for name in [*business, "games_in_sample", "data_quality_tier"])


def test_a_ready_row_with_a_permitted_miss_says_so():
    row = Nights().run(T0, 17)
    assert only(row, "is_production_ready", "completeness_percentage") == (True, 93.3)
    assert only(row, "missing_game_ids", "gap_classification") == ([game_id(17)], "DATA_GAP")
    assert only(row, "data_quality_issues") == (["own_data_incomplete"],)


def test_reruns_differ_in_bookkeeping_only():
    first, second = (Nights().run(at, 18) for at in (T0, T0 + NIGHT))
    content = list(team_defense_zone_analysis.TABLE.content_columns)
    assert first.select(content).equals(second.select(content))
    assert not first.equals(second)


def test_rows_to_come_do_not_show_in_the_row():
    full = shard(())
    later = pc.greater_equal(full.upstream["game_id"], game_id(BEFORE))
    without = replace(full, upstream=full.upstream.filter(pc.invert(later)))

    def rows(tables: observation.ShardTables) -> pa.Table:
        seen = observation.observe(tables, PROCESSOR, 2023)
        judged = gate.judge(seen, PROCESSOR, np.array([to_number(DAY)], np.int32))
        return judged_table(Judged(seen, judged, PROCESSOR, STAMP), OUTPUT)

    assert rows(full).equals(rows(without))
