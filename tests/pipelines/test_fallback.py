"""A backfill over a day of whose context one stale row is left: complete, marked, and nothing else touched."""

import pyarrow.compute as pc
import pytest

from fullcourt.domain.days import to_number
from fullcourt.domain.fallback import CONTEXT
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.fallback import contexts
from fullcourt.orchestration.receipts import Day, make_receipt
from schemas import TABLES
from tests.houses import House
from tests.references.compare import assert_as_expected
from tests.references.synthetic_context import WithoutContext

PDC, PCF, MLFS = READERS = ("player_daily_cache", "player_composite_factors", "ml_feature_store_v2")
INCOMPLETE, SYNTHETIC = "upstream_player_context_incomplete", "upstream_player_context_synthetic"


def lose_context(house: House, day) -> None:
    """All of the day's rows but one."""
    with house.warehouse.transaction({}) as session:
        session.execute(
            f"DELETE FROM {TABLES[CONTEXT].id} WHERE game_date = @day AND player_lookup <> "
            f"(SELECT MIN(player_lookup) FROM {TABLES[CONTEXT].id} WHERE game_date = @day)",
            day=day,
        )


def of_day(house: House, name: str, day, *, other: bool = False) -> list[dict]:
    """The content of one day's rows, or of those of all other days."""
    rows = house.table(name, content=True)
    mine = pc.equal(rows[BY_NAME[name].day_column], day)
    return rows.filter(pc.invert(mine) if other else mine).to_pylist()


@pytest.fixture(scope="module")
def day(season):
    return season.judged[2]


@pytest.fixture(scope="module")
def stale(season, day, tmp_path_factory) -> House:
    """One row is left of the day's context, and nothing is computed yet; not to be written to."""
    house = season.house.copy(tmp_path_factory.mktemp("stale") / "house.duckdb")
    lose_context(house, day)
    return house


@pytest.fixture(scope="module")
def backfilled(season, stale, day, tmp_path_factory) -> House:
    """All judged days computed, one of them without its context; not to be written to."""
    house = stale.copy(tmp_path_factory.mktemp("backfilled") / "house.duckdb")
    house.run("precompute", season.judged[0], season.judged[-1], settings={"synthetic_days": (to_number(day),)})
    return house


def test_the_question_before_it_finds_one_of_many(season, stale, day):
    found = {context.day: context for context in contexts(stale.warehouse, season.days)}
    assert sorted(found) == list(season.days)
    assert [context.day for context in found.values() if context.falls_back] == [day]
    assert (found[day].real, found[day].missing) == (1, found[day].expected - 1)
    assert not found[day].source_partial
    partial = {context.day for context in found.values() if context.source_partial}
    lost = [game["game_date"] for game in season.league.schedule.to_pylist() if game["game_id"] in season.lost]
    assert partial == set(lost)


@pytest.mark.parametrize("name", READERS)
def test_every_cell_of_the_day(season, backfilled, day, name):
    """By references that take the day's context from its box scores; the other days' is the stored one."""
    landing = season.landing.parent / "damaged"
    assert assert_as_expected(WithoutContext(landing, backfilled.path, {day}), name, day) > 1000


@pytest.mark.parametrize("name", READERS)
def test_the_day_has_the_rows_it_would_have_had_and_the_other_days_have_theirs(chain, backfilled, day, name):
    whole, found = of_day(chain.house, name, day), of_day(backfilled, name, day)
    assert [row["player_lookup"] for row in found] == [row["player_lookup"] for row in whole]
    assert of_day(backfilled, name, day, other=True) == of_day(chain.house, name, day, other=True)


def test_fault_34_what_is_made_from_it_says_so_and_passes_no_gate(season, backfilled, day):
    played = {
        row["player_lookup"]
        for row in backfilled.query(
            "SELECT player_lookup FROM nba_analytics.player_game_summary WHERE game_date = @day", day=day
        )
    }
    for name in READERS:
        rows = of_day(backfilled, name, day)
        marked = {row["player_lookup"] for row in rows if SYNTHETIC in row["data_quality_issues"]}
        assert marked == played & {row["player_lookup"] for row in rows}
        assert all(INCOMPLETE in row["data_quality_issues"] for row in rows)
        computed = [row for row in rows if row["data_hash"] is not None]
        assert len(computed) > len(rows) / 2
        if name == MLFS:
            assert {row["is_production_ready"] for row in rows} == {False}
            assert {row["upstream_upcoming_player_context_ready"] for row in rows} == {False}
            reasons = {row["processing_decision_reason"] for row in computed}
            assert reasons == {"processed_with_incomplete_upstream"}
        else:
            assert {row["is_production_ready"] for row in computed} == {True}
    assert (
        backfilled.query("SELECT 1 FROM nba_predictions.ml_feature_store_v2_ready WHERE game_date = @day", day=day)
        == []
    )
    elsewhere = [row for name in READERS for row in of_day(backfilled, name, day, other=True)]
    assert not any(SYNTHETIC in row["data_quality_issues"] for row in elsewhere)


def test_the_context_is_left_as_it_was(stale, backfilled):
    assert backfilled.table(CONTEXT).equals(stale.table(CONTEXT))


def test_parts_change_no_row(stale, backfilled, day, tmp_path):
    dealt = stale.copy(tmp_path / "house.duckdb")
    dealt.run("precompute", day, settings={"synthetic_days": (to_number(day),), "parts": 3})
    for name in READERS:
        assert of_day(dealt, name, day) == of_day(backfilled, name, day), name


def test_without_synthetic_days_the_stale_row_is_all_there_is(season, stale, day, tmp_path):
    """A live run never falls back."""
    house = stale.copy(tmp_path / "house.duckdb")
    house.run("precompute", day, processors=[PDC])
    known = [row for row in of_day(house, PDC, day) if row["games_in_last_7_days"] is not None]
    assert len(known) <= 1
    assert not any(SYNTHETIC in row["data_quality_issues"] for row in of_day(house, PDC, day))


# Receipts


class Run:
    stamp, mode, forced = Stamp("r", 1_700_000_000_000_000), "backfill", False

    def __init__(self, *synthetic_days):
        self.synthetic_days = tuple(to_number(day) for day in synthetic_days)


@pytest.mark.parametrize(
    ("name", "synthetic", "source", "keys"),
    [(name, True, "SYNTHETIC_PGS", 7) for name in READERS]
    + [(name, False, "UPGC", 0) for name in READERS]
    + [(name, True, None, 0) for name in ("player_shot_zone_analysis", CONTEXT, "player_game_summary")],
)
def test_fault_34_a_receipt_counts_synthetic_keys_apart_and_names_the_source(day, name, synthetic, source, keys):
    counted = Day(day, "f", {"row_count": 9}, 0, None)
    owed = {"expected": 8, "written": 7, "explained": 1, "finals": 4}
    run = Run(day) if synthetic else Run()
    receipt = make_receipt(run=run, processor=BY_NAME[name], day=counted, owed=owed, last={})
    assert (receipt["data_source"], receipt["coverage_synthetic"]) == (source, keys)
    assert receipt["coverage_written"] == 7
