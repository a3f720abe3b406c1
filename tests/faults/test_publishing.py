"""Steps done twice, and state that was damaged: what is published is published once, and from what is there."""

import shutil
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from fullcourt.domain.backfill import State
from fullcourt.domain.processors import Phase, select
from fullcourt.orchestration.run import RunRequest, run_phase
from pipelines import precompute
from pipelines.reads import of_gated
from tests.backfills import carry_out, left, plan, states
from tests.houses import LEDGER
from tests.verified import execute, game_days

TDZA, OFFENSE = "team_defense_zone_analysis", "team_offense_game_summary"


@dataclass(frozen=True)
class Twice:
    """A last step that is retried, after bundles that had twins: their files are whole, and nobody names them."""

    finish: Any

    def __call__(self, staged, tallied):
        for part in staged:
            shutil.copy(part.path, part.path.replace(".parquet", "-twin.parquet"))
        for _ in range(2):
            self.finish(staged, tallied)


def test_fault_06_steps_done_twice_publish_once(season_house, season, tmp_path):
    day, other = season.judged[-1], season_house.copy(tmp_path / "other.duckdb")
    season_house.run("precompute", day, processors=[TDZA])

    def launch(config, snapshot, finish, beam_args):
        precompute.launch(config, snapshot, Twice(finish), beam_args)

    request = RunRequest(other.url, select(Phase.PRECOMPUTE, [TDZA]), day, day, other.now)
    run_phase(request, SimpleNamespace(config=precompute.Config, reads=of_gated, launch=launch))
    names = (TDZA, *LEDGER, "processor_run_history")
    for name, rows in season_house.tables(*names, content=True).items():
        assert other.table(name, content=True).num_rows == rows.num_rows, name
    assert other.table(TDZA, content=True) == season_house.table(TDZA, content=True)
    tried = other.query(
        "SELECT entity_id, COUNT(*) AS n FROM nba_orchestration.reprocess_attempts "
        "WHERE processor_name = @name GROUP BY entity_id",
        name=TDZA,
    )
    assert {season.team} <= {row["entity_id"] for row in tried}
    assert {row["n"] for row in tried} == {1}


DAMAGE = {
    "an altered fingerprint": "UPDATE nba_orchestration.publish_receipts SET fingerprint = 'garbage' WHERE TRUE",
    "lost": "DELETE FROM nba_orchestration.publish_receipts WHERE TRUE",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_fault_13_a_day_whose_receipt_is_damaged_is_done_again(loaded_house, damage):
    day = game_days(loaded_house)[0]
    made = plan(loaded_house, [day], "analytics", [OFFENSE])
    carry_out(loaded_house, made)
    before = loaded_house.table(OFFENSE, content=True)
    assert left(loaded_house, made) == 0
    execute(loaded_house, damage)
    (report,) = loaded_house.run("analytics", day, processors=[OFFENSE])["processors"]
    assert report["unchanged_days"] == 0
    assert loaded_house.table(OFFENSE, content=True) == before


def test_fault_13_a_slice_that_says_done_is_not_believed(loaded_house):
    days = game_days(loaded_house)[:2]
    made = plan(loaded_house, days, "analytics", [OFFENSE], slice_days=1)
    execute(loaded_house, f"UPDATE nba_orchestration.backfill_slices SET state = '{State.DONE}' WHERE slice_number = 0")
    assert left(loaded_house, made) == 2
    carry_out(loaded_house, made)
    assert left(loaded_house, made) == 0
    assert states(loaded_house, made) == [State.DONE] * 2
    published = loaded_house.query("SELECT analysis_date FROM nba_orchestration.publish_receipts ORDER BY 1")
    assert [row["analysis_date"] for row in published] == days
