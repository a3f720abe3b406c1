"""The figures of a report are those that a plain count over the tables gives, cell by cell."""

import datetime as dt
import statistics
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import BY_NAME, GATED
from fullcourt.orchestration.repair import repair_plan
from fullcourt.report.gather import distinct, gather
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES
from tests.houses import House

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def house(chain, tmp_path_factory) -> House:
    """The chain with two breakers tripped, one of them reset since, one entity blocked, and one unreadable."""
    house = chain.house.copy(tmp_path_factory.mktemp("report") / "house.duckdb")
    first, waits = chain.days[0], chain.house.now
    held = [row for row in house.table("player_daily_cache").to_pylist() if _verdict(row) is Verdict.INCOMPLETE]
    mine = sorted({row["player_lookup"] for row in held if row["cache_date"] == first})[:2]
    attempts = [
        {
            "processor_name": "player_daily_cache",
            "entity_id": player,
            "analysis_date": first,
            "attempt_number": number,
            "attempted_at": waits + number * dt.timedelta(hours=1),
            "circuit_breaker_tripped": number == 3,
            "circuit_breaker_until": waits + 7 * DAY if number == 3 else None,
        }
        for player in mine
        for number in (2, 3)
    ]
    reset = {
        "action_id": "reset",
        "action": "reset",
        "processor_name": "player_daily_cache",
        "entity_id": mine[1],
        "analysis_date": first,
        "acted_at": waits + dt.timedelta(hours=4),
    }
    unreadable = {
        "processor_name": "player_shot_zone_analysis",
        "entity_id": "nobody",
        "analysis_date": first,
        "failure_category": "PROCESSING_ERROR",
        "failure_reason": "unreadable_upstream_row",
        "missing_game_ids": [],
    }
    with house.warehouse.transaction({}) as session:
        for table, rows in (
            ("reprocess_attempts", attempts),
            ("breaker_actions", [reset]),
            ("precompute_failures", [unreadable]),
        ):
            schema = TABLES[table].arrow_subset(rows[0])
            session.insert(table, pa.Table.from_pylist(rows, schema))
        session.execute(
            "UPDATE nba_precompute.player_daily_cache SET processing_decision_reason = 'circuit_breaker_active' "
            "WHERE player_lookup = @player AND cache_date = @day",
            player=mine[0],
            day=first,
        )
    return house


@pytest.fixture(scope="module")
def facts(house, chain):
    return gather(house.warehouse, chain.days[0], chain.days[-1], house.now + dt.timedelta(hours=9))


def _verdict(row) -> Verdict:
    if row["is_production_ready"]:
        return Verdict.READY
    if row["processing_decision_reason"] in COMPUTED_REASONS:
        return Verdict.FLAGGED
    blocked = row["processing_decision_reason"] == "circuit_breaker_active"
    return Verdict.BLOCKED if blocked else Verdict.INCOMPLETE


@pytest.fixture(scope="module")
def expected(house, chain):
    """(processor, entity, day) -> (verdict, reason, actual, required, missing games), by hand."""
    cells, means = {}, {}
    failures = [row for row in house.table("precompute_failures").to_pylist() if row["analysis_date"] in chain.days]
    for row in failures:
        if row["processor_name"] in {p.name for p in GATED}:
            excluded = row["failure_category"] == "EXPECTED_INCOMPLETE"
            verdict = Verdict.EXCLUDED if excluded else Verdict.DEAD_LETTER
            key = row["processor_name"], row["entity_id"], row["analysis_date"]
            counts = row["actual_game_count"], row["expected_game_count"]
            cells[key] = (verdict, row["failure_reason"], *counts, row["missing_game_ids"])
    for processor in GATED:
        for row in house.table(processor.name).to_pylist():
            if row[processor.day_column] not in chain.days:
                continue
            key = processor.name, row[processor.key_column], row[processor.day_column]
            missing = cells[key][-1] if key in cells else []
            counts = row["actual_games_count"], row["expected_games_count"]
            cells[key] = (_verdict(row), row["processing_decision_reason"], *counts, missing)
            means[key] = row["completeness_percentage"]
    return cells, means


def test_every_cell_of_the_heatmap_is_the_rows_verdict_reason_and_counts(facts, expected):
    details = facts.details.to_pylist()
    shown = {}
    for grid in facts.grids:
        for entity, codes in zip(grid.entities.to_pylist(), grid.codes, strict=True):
            for day, code in zip(facts.days, codes, strict=True):
                if code >= 0:
                    detail = details[code]
                    counts = detail["actual_games"], detail["required_games"]
                    said = (Verdict(detail["verdict"]), detail["reason"], *counts, detail["missing_games"].split())
                    shown[grid.processor.name, entity, day] = said
    cells, _ = expected
    assert shown == cells
    assert {cell[0] for cell in cells.values()} == set(Verdict)


def test_entities_with_most_days_held_back_come_first(facts, expected):
    cells, _ = expected
    for grid in facts.grids:
        held, flagged = Counter(), Counter()
        for (processor, entity, _), (verdict, *_) in cells.items():
            if processor == grid.processor.name:
                held[entity] += verdict in (Verdict.INCOMPLETE, Verdict.BLOCKED, Verdict.DEAD_LETTER)
                flagged[entity] += verdict is Verdict.FLAGGED
        order = sorted(held, key=lambda entity: (-held[entity], -flagged[entity], entity))
        assert grid.entities.to_pylist() == order
        assert grid.held_back.tolist() == [held[entity] for entity in order]


def test_tallies_count_rows_shares_and_means(facts, expected):
    cells, means = expected
    for tallies, days in ((facts.tallies, facts.days), (facts.last_tallies, (facts.last_day,))):
        for name, tally in tallies.items():
            mine = {key: cell for key, cell in cells.items() if name in ("", key[0]) and key[2] in days}
            count = Counter(cell[0] for cell in mine.values())
            rows = sum(key in means for key in mine)
            assert tally.counts == {verdict: count[verdict] for verdict in Verdict}
            assert tally.rows == rows
            assert tally.ready_pct == pytest.approx(100 * count[Verdict.READY] / rows)
            known = [means[key] for key in mine if means.get(key) is not None]
            assert tally.mean_pct == pytest.approx(statistics.mean(known))


def test_windows_are_the_mean_of_each_windows_column(facts, house, chain):
    shown = {
        (row["processor_name"], row["window_name"], row["analysis_date"]): row["mean_completeness_pct"]
        for row in facts.windows.to_pylist()
    }
    by_hand = {}
    for processor in GATED:
        rows = house.table(processor.name).to_pylist()
        for window in processor.windows:
            column = f"{window.name}_completeness_pct" if processor.multi_window else "completeness_percentage"
            for day in chain.days:
                values = [row[column] for row in rows if row[processor.day_column] == day]
                known = [value for value in values if value is not None]
                by_hand[processor.name, window.name, day] = statistics.mean(known) if known else None
    assert shown.keys() == by_hand.keys()
    assert all(shown[key] == pytest.approx(value, abs=0.051) for key, value in by_hand.items())


def test_coverage_is_apart_by_what_became_of_the_keys(facts, house, chain):
    newest = {}
    for row in sorted(house.table("publish_receipts").to_pylist(), key=lambda row: row["published_at"]):
        if row["analysis_date"] in chain.days:
            newest[row["processor_name"], row["analysis_date"]] = row
    assert facts.coverage.num_rows == len(newest)
    for row in facts.coverage.to_pylist():
        receipt = newest[row["processor_name"], row["analysis_date"]]
        parts = [row[f"{part}_keys"] for part in ("real", "excused", "synthetic", "lacking")]
        assert sum(parts) == row["expected_keys"] == receipt["coverage_expected"]
        assert parts[0] + parts[2] == receipt["coverage_written"]
        assert parts[1:3] == [receipt["coverage_explained"], receipt["coverage_synthetic"]]


def test_synthetic_keys_are_not_counted_as_real(house, chain, tmp_path):
    copy = house.copy(tmp_path / "copy.duckdb")
    day = chain.days[0]
    with copy.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_orchestration.publish_receipts SET coverage_synthetic = 7 "
            "WHERE processor_name = 'player_daily_cache' AND analysis_date = @day",
            day=day,
        )
    coverage = gather(copy.warehouse, day, day, copy.now).coverage
    (row,) = coverage.filter(pc.equal(coverage["processor_name"], "player_daily_cache")).to_pylist()
    receipts = [r for r in copy.table("publish_receipts").to_pylist() if r["processor_name"] == row["processor_name"]]
    written = max((r for r in receipts if r["analysis_date"] == day), key=lambda r: r["published_at"])
    assert row["synthetic_keys"] == 7
    assert row["real_keys"] == written["coverage_written"] - 7


def test_breakers_are_those_open_now_and_activity_goes_by_game_day(facts, house, chain):
    attempts = [row for row in house.table("reprocess_attempts").to_pylist() if row["analysis_date"] in chain.days]
    by_hand = Counter((row["processor_name"], row["analysis_date"]) for row in attempts)
    assert {(r["processor_name"], r["analysis_date"]): r["attempts"] for r in facts.activity.to_pylist()} == by_hand
    assert sum(facts.activity["trips"].to_pylist()) == 2
    assert facts.breakers.num_rows == 1  # the other was reset
    assert facts.unanswered["oldest_hours"].to_pylist() == [6.0]


def test_the_repair_plan_is_the_commands(facts, house, chain):
    assert facts.repair == repair_plan(house.warehouse, chain.days[0], chain.days[-1], limit=20)
    assert facts.repair["cells"]


def test_days_without_a_verdict_keep_their_column(house, season, chain):
    facts = gather(house.warehouse, season.days[0], season.days[-1], house.now)
    assert facts.days == season.days
    cache = next(grid for grid in facts.grids if grid.processor is BY_NAME["player_daily_cache"])
    assert (cache.codes[:, : -len(chain.days)] == -1).all()
    assert facts.last_day == chain.days[-1]


def test_a_range_the_wrong_way_round_is_a_usage_error(house, chain):
    with pytest.raises(UsageError, match=f"start={chain.days[1]}, end={chain.days[0]}"):
        gather(house.warehouse, chain.days[1], chain.days[0], house.now)


def test_a_range_without_game_days_or_verdicts_says_which(house, season, tmp_path):
    with pytest.raises(GateError, match="no game days from 2001-01-01 to 2001-02-01"):
        gather(house.warehouse, dt.date(2001, 1, 1), dt.date(2001, 2, 1), house.now)
    first = season.days[0]
    unjudged = season.house.copy(tmp_path / "unjudged.duckdb")
    with unjudged.warehouse.transaction({}) as session:
        for processor in GATED:
            session.execute(f"DELETE FROM {TABLES[processor.name].id} WHERE TRUE")
        session.execute("DELETE FROM nba_processing.precompute_failures WHERE TRUE")
    with pytest.raises(GateError, match=f"no verdicts from {first} to {first}"):
        gather(unjudged.warehouse, first, first, unjudged.now)


small = st.sampled_from(["", "a", "b", None])


@given(st.lists(st.tuples(small, small, st.integers(0, 3)), max_size=40))
def test_distinct_rows_are_those_of_a_dictionary_the_most_frequent_first(rows):
    types = pa.schema([("x", pa.string()), ("y", pa.string()), ("n", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(types.names, row, strict=True)) for row in rows], types)
    details, codes = distinct(table)
    found = [tuple(row.values()) for row in details.to_pylist()]
    assert [found[code] for code in codes] == rows
    count = Counter(rows)
    assert sorted(found, key=repr) == sorted(count, key=repr)
    assert [count[row] for row in found] == sorted(count.values(), reverse=True)
    assert codes.dtype == np.int32
