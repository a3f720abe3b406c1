"""The incident of 23 February 2023: one row of the day's context was left, and hid that all others were lacking."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fullcourt.domain.fallback import Context
from fullcourt.orchestration.fallback import contexts
from fullcourt.warehouse import open_warehouse
from schemas import TABLES
from tests.backfills import carry_out, plan
from tests.houses import House
from tests.real.conftest import AFTER
from tests.references.compare import assert_as_expected
from tests.references.completeness import MLFS, PCF, PDC, UPGC
from tests.references.league import WHERE
from tests.references.synthetic_context import WithoutContext

D, NEXT = dt.date(2023, 2, 23), dt.date(2023, 2, 24)
READERS = (PDC, PCF, MLFS)
PLAYED = "SELECT player_lookup FROM nba_analytics.player_game_summary WHERE game_date = @day"


@dataclass(frozen=True)
class Backfilled:
    """Both days computed again, the first of them without its context.  found: what was asked before."""

    league: WithoutContext
    found: dict[dt.date, Context]


@pytest.fixture(scope="module")
def backfilled(data, season_warehouse, tmp_path_factory):
    house = House(Path(shutil.copy(season_warehouse, tmp_path_factory.mktemp("incident"))), AFTER)
    warehouse, context = house.warehouse, TABLES[UPGC].id
    with warehouse.transaction({}) as session:
        one = f"SELECT MIN(player_lookup) FROM {context} WHERE game_date = @day AND player_lookup IN ({PLAYED})"
        session.execute(f"DELETE FROM {context} WHERE game_date = @day AND player_lookup <> ({one})", day=D)
        for name in READERS:
            session.execute(f"DELETE FROM {TABLES[name].id} WHERE {WHERE[name][1]} IN (@day, @next)", day=D, next=NEXT)
    found = {context.day: context for context in contexts(warehouse, [D, NEXT])}
    result = carry_out(house, plan(house, [D, NEXT], "precompute", list(READERS)))
    assert (result.failed, result.unverified, result.synthetic_days) == ({}, [], {str(D)})
    return Backfilled(WithoutContext(data, house.path, {D}), found)


def test_one_of_187_is_no_context(backfilled):
    incident, next_day = backfilled.found[D], backfilled.found[NEXT]
    assert (incident.expected, incident.real, incident.pct, incident.missing) == (187, 1, 0.5, 186)
    assert (incident.falls_back, incident.source_partial) == (True, False)
    assert (next_day.expected, next_day.missing, next_day.falls_back) == (175, 3, False)
    assert (incident.explained, next_day.explained) == (1, 3)  # first listed that day


@pytest.mark.parametrize("name", READERS)
def test_every_cell_is_as_its_box_scores_say(backfilled, name):
    assert_as_expected(backfilled.league, name, D)


@pytest.mark.parametrize("name", READERS)
def test_the_day_is_covered_and_the_next_is_as_it_was(season_warehouse, backfilled, name):
    league = backfilled.league
    of_day = f"SELECT player_lookup FROM {TABLES[name].id} WHERE {WHERE[name][1]} = @day ORDER BY player_lookup"
    whole = open_warehouse(str(season_warehouse))
    rows = [row["player_lookup"] for row in league.published(name, D)]
    assert sorted(rows) == whole.query(of_day, day=D)["player_lookup"].to_pylist()
    played = {player for player, game_id in league.summarised if league.by_id[game_id].day == D}
    assert played.difference(rows) == {"krisdunn"}  # the debutant
    (receipt,) = league.rows(
        "SELECT status, coverage_expected, coverage_written, coverage_explained, coverage_synthetic, data_source "
        "FROM warehouse.nba_orchestration.latest_receipts WHERE processor_name = ? AND analysis_date = ?",
        name,
        D,
    )
    assert tuple(receipt.values()) == ("COMPLETE", 187, 186, 1, 186, "SYNTHETIC_PGS")
    columns = ", ".join(TABLES[name].content_columns)
    content = f"SELECT {columns} FROM {{}} WHERE {WHERE[name][1]} = {{}} ORDER BY player_lookup"
    before = whole.query(content.format(TABLES[name].id, "@day"), day=NEXT).to_pylist()
    assert league.rows(content.format(f"warehouse.{TABLES[name].id}", "?"), NEXT) == before


@pytest.mark.parametrize(("kept", "falls_back"), [(68, True), (154, True), (155, False)])
def test_a_part_of_a_context_is_none_below_90_percent(season_warehouse, tmp_path, kept, falls_back):
    """Of 175 who played on the next day three are debutants, and explained: with 155 others 158 are 90 %."""
    house = House(Path(shutil.copy(season_warehouse, tmp_path)), AFTER)
    players = house.query(f"SELECT player_lookup FROM ({PLAYED}) ORDER BY player_lookup", day=NEXT)
    table = TABLES[UPGC]
    known = house.query(f"SELECT player_lookup FROM {table.id} WHERE game_date = @day", day=NEXT)
    there = [row["player_lookup"] for row in players if row in known]
    with house.warehouse.transaction({}) as session:
        where = "game_date = @day AND player_lookup NOT IN UNNEST(@kept)"
        session.execute(f"DELETE FROM {table.id} WHERE {where}", day=NEXT, kept=there[:kept])
    (found,) = contexts(house.warehouse, [NEXT])
    assert (found.expected, found.real, found.explained, found.falls_back) == (175, kept, 3, falls_back)
    result = carry_out(house, plan(house, [NEXT], "precompute", [PDC], allow_demotion=True))
    assert result.synthetic_days == ({str(NEXT)} if falls_back else set())
    assert not result.failed
