"""The incident of 23 February 2023: one row of the day's context was left, and hid that all others were lacking."""

import datetime as dt
import shutil
from dataclasses import dataclass

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.days import to_number
from fullcourt.domain.fallback import Context
from fullcourt.domain.processors import select
from fullcourt.orchestration.fallback import contexts
from fullcourt.orchestration.run import RunRequest, run_phase
from fullcourt.warehouse import open_warehouse
from schemas import TABLES
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
    file = shutil.copy(season_warehouse, tmp_path_factory.mktemp("incident"))
    warehouse, context, phase = open_warehouse(str(file)), TABLES[UPGC].id, PHASES["precompute"]
    with warehouse.transaction({}) as session:
        one = f"SELECT MIN(player_lookup) FROM {context} WHERE game_date = @day AND player_lookup IN ({PLAYED})"
        session.execute(f"DELETE FROM {context} WHERE game_date = @day AND player_lookup <> ({one})", day=D)
        for name in READERS:
            session.execute(f"DELETE FROM {TABLES[name].id} WHERE {WHERE[name][1]} IN (@day, @next)", day=D, next=NEXT)
    found = {context.day: context for context in contexts(warehouse, [D, NEXT])}
    synthetic = tuple(to_number(day) for day, context in found.items() if context.falls_back)
    chosen = select(phase.phase, list(READERS))
    run_phase(RunRequest(str(file), chosen, D, NEXT, AFTER, settings={"synthetic_days": synthetic}), phase.pipeline())
    return Backfilled(WithoutContext(data, file, {D}), found)


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
        "SELECT status, coverage_expected, coverage_written, coverage_explained "
        "FROM warehouse.nba_orchestration.latest_receipts WHERE processor_name = ? AND analysis_date = ?",
        name,
        D,
    )
    assert tuple(receipt.values()) == ("COMPLETE", 187, 186, 1)
    columns = ", ".join(TABLES[name].content_columns)
    content = f"SELECT {columns} FROM {{}} WHERE {WHERE[name][1]} = {{}} ORDER BY player_lookup"
    before = whole.query(content.format(TABLES[name].id, "@day"), day=NEXT).to_pylist()
    assert league.rows(content.format(f"warehouse.{TABLES[name].id}", "?"), NEXT) == before
