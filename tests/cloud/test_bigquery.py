"""The same league in DuckDB and in BigQuery's emulator: loaded, summarised, and asked everything there is to ask."""

import datetime as dt

import pytest

from fullcourt.cli.schema import apply_plan
from fullcourt.domain.processors import BY_NAME, PROCESSORS, Phase
from fullcourt.warehouse.bigquery.address import IN_BUCKET
from fullcourt.warehouse.queries import QUERIES
from fullcourt.warehouse.views import VIEWS
from tests.cloud.houses import CloudHouse, rows
from tests.houses import RAW
from tests.monitoring.test_sql import STATEMENTS, as_grafana_sends

pytestmark = pytest.mark.cloud

SUMMARIES = tuple(processor.name for processor in PROCESSORS if processor.phase is Phase.ANALYTICS)


@pytest.fixture(scope="session")
def twins(emulators, empty_file, landing_files, league, tmp_path_factory):
    """Two warehouses to which the same was done, and the two days that were run."""
    directory = tmp_path_factory.mktemp("twins")
    cloud = CloudHouse(emulators.url(IN_BUCKET), empty_file.now)  # as a runner needs it whose workers are elsewhere
    apply_plan(cloud.url)
    local = empty_file.copy(directory / "local.duckdb")
    days = sorted(set(league.schedule["game_date"].to_pylist()))[-2:]
    for house in (local, cloud):
        house.ingest(landing_files)
        house.run("analytics", days[0], days[1])
    return local, cloud, days


@pytest.mark.parametrize("name", [*RAW, *SUMMARIES])
def test_tables_hold_the_same(twins, name):
    local, cloud, _ = twins
    expected = rows(local.table(name, content=True).to_pylist())
    assert rows(cloud.table(name, content=True).to_pylist()) == expected
    if name in SUMMARIES:
        assert expected


def test_the_same_files_and_days_again_change_nothing(twins, landing_files):
    *houses, days = twins
    for house in houses:
        later = house.now + dt.timedelta(hours=1)  # of two runs at one instant either may be the newest
        report = house.ingest(landing_files, now=later)
        assert not any(table["changed"] for table in report["tables"])
        report = house.run("analytics", days[0], days[1], now=later)
        assert [processor["unchanged_days"] for processor in report["processors"]] == [len(days)] * len(SUMMARIES)


def test_a_swept_run_leaves_nothing_in_the_bucket(twins):
    _, cloud, _ = twins
    assert cloud.warehouse.stagings() == []


@pytest.mark.parametrize("name", VIEWS)
def test_views_say_the_same(twins, name):
    local, cloud, _ = twins
    sql = f"SELECT * FROM {VIEWS[name].id}"
    assert rows(cloud.query(sql)) == rows(local.query(sql))


@pytest.mark.parametrize("name", QUERIES)
def test_queries_say_the_same(twins, name):
    local, cloud, days = twins
    query = QUERIES[name]
    values = {
        "date": days[1],
        "start": days[0],
        "end": days[1],
        "days": days,
        "now": local.now,
        "processors": list(BY_NAME),
        "processor": "player_game_summary",
        "entity": "",
        "reason": "processed_successfully",
        "since": days[0] if query.parameters.get("since") == "DATE" else local.now - dt.timedelta(60),
        "points": 5.0,
        "threshold": 90.0,
        "cutoff": days[1],
    }
    given = {parameter: values[parameter] for parameter in query.parameters}
    assert rows(cloud.query(query.sql, **given)) == rows(local.query(query.sql, **given))


@pytest.mark.parametrize("title", STATEMENTS)
def test_grafana_shows_the_same(twins, title):
    local, cloud, _ = twins
    sql = as_grafana_sends(STATEMENTS[title], local.now)
    assert rows(cloud.query(sql)) == rows(local.query(sql))
