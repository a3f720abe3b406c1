"""The real seasons, loaded and run once: landing files, the warehouse they made, and the oracle beside it."""

import datetime as dt
from pathlib import Path

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.cli.schema import apply_plan
from fullcourt.domain.processors import select
from fullcourt.orchestration.ingest import IngestRequest, ingest
from fullcourt.orchestration.run import RunRequest, run_phase
from pipelines import ingest as ingest_pipeline
from tests.real.oracle import Oracle

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
AFTER = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def data():
    """The directory of the real landing files."""
    if not (DATA / "schedule.parquet").is_file():
        pytest.skip(f"the real seasons are not here: expected their Parquet files in {DATA}")
    return DATA


@pytest.fixture(scope="session")
def season_warehouse(data, once):
    """The warehouse file after both seasons went through every phase, undamaged; not to be written to."""

    def build(directory):
        warehouse = directory / "seasons.duckdb"
        load(warehouse, data, AFTER)
        run(warehouse, "analytics", dt.date(2022, 10, 1), dt.date(2024, 6, 30), AFTER)
        run(warehouse, "precompute", dt.date(2022, 10, 1), dt.date(2024, 6, 30), AFTER)

    return once("real_seasons", build) / "seasons.duckdb"


@pytest.fixture(scope="session")
def oracle(data, season_warehouse):
    return Oracle(data, season_warehouse)


def load(warehouse, landing, now):
    """Makes a warehouse and ingests the landing files into it."""
    apply_plan(str(warehouse))
    return ingest(IngestRequest(str(warehouse), landing, now), ingest_pipeline)


def run(warehouse, phase, start, end, now, *, names=None, allow_demotion=False):
    """One phase, or some of its processors, over the closed range of days, in this process."""
    chosen = PHASES[phase]
    request = RunRequest(str(warehouse), select(chosen.phase, names), start, end, now, allow_demotion)
    return run_phase(request, chosen)
