"""A backfill on BigQuery that is killed again and again ends as the same one on DuckDB that never was."""

import signal

import pytest

from fullcourt.cli.schema import apply_plan
from fullcourt.domain.processors import PROCESSORS, Phase
from tests.cloud.houses import CloudHouse, rows
from tests.drills import Command

pytestmark = pytest.mark.cloud

DAYS = ("--start", "2024-10-22", "--end", "2024-10-23")
ENDED = 900  # seconds: the emulator takes one for a statement
# Two stages.
CHOSEN = "team_offense_game_summary,team_defense_game_summary,player_game_summary,upcoming_team_game_context"
RUN = ("backfill", "run", *DAYS, "--phases", "analytics", "--processors", CHOSEN, "--slice-days", "1")
KILLS = ("staged", "in_transaction", "published", "reported:2")
PRODUCED = [processor.name for processor in PROCESSORS if processor.phase is not Phase.INGEST]
SAID = {
    "publish_receipts": ("processor_name", "analysis_date", "row_count", "fingerprint", "status"),
    "outbox_events": ("topic", "processor_name", "game_date", "status", "held"),
    "backfill_slices": ("slice_number", "stage", "state"),
}


@pytest.fixture(scope="module")
def twins(emulators, empty_file, landing_files, tmp_path_factory):
    """Both loaded alike. Nothing is staged in the bucket: each process would look for credentials for 20 s."""
    directory = tmp_path_factory.mktemp("kills")
    cloud = CloudHouse(emulators.url(directory / "staging"), empty_file.now, directory / "cloud")
    apply_plan(cloud.url)
    local = empty_file.copy(directory / "local.duckdb")
    for house in (local, cloud):
        house.ingest(landing_files)
    return local, cloud


def test_killed_at_every_stage_it_ends_as_if_never_killed(twins):
    local, cloud = twins
    assert carried_out(local).code == 0
    for kill in KILLS:
        ended = carried_out(cloud, crash_at=kill)
        assert ended.code == -signal.SIGKILL, f"{kill} was not reached: {ended.said}"
    ended = carried_out(cloud)
    assert ended.code == 0, ended.said
    for name in PRODUCED:
        assert said(cloud, name) == said(local, name), name
    for name, columns in SAID.items():
        assert said(cloud, name, columns) == said(local, name, columns), name


def said(house, name, columns=None):
    found = house.table(name, content=True)
    return rows((found.select(columns) if columns else found).to_pylist())


def carried_out(house, **how):
    """Begun, or gone on with where there is a plan."""
    plans = house.query("SELECT plan_id FROM nba_orchestration.backfill_plans")
    arguments = ("backfill", "resume", plans[0]["plan_id"]) if plans else RUN
    return Command(house, *arguments, "--parallel", "1", "--yes", **how).wait(ENDED)
