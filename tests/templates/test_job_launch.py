"""A trigger's phase as a job of its template."""

import datetime as dt

import pytest

from fullcourt.cli.job_launch import JobLaunch
from fullcourt.cli.on import On, Where
from fullcourt.domain.errors import UsageError
from tests.loopback import serving

WAREHOUSE = "bigquery://my-project?location=US&temp=gs://bucket/runs&staging=temp"
DAY = dt.date(2024, 1, 15)


@pytest.fixture
def cloud():
    with serving() as cloud:
        yield cloud


def launch(cloud, warehouse=WAREHOUSE):
    where = On(
        on=Where.DATAFLOW,
        project="my-project",
        region="us-east1",
        location="gs://bucket/templates",
        service_account="gate@my-project.iam.gserviceaccount.com",
        endpoint=cloud.url,
    )
    return JobLaunch(warehouse, where).launch("precompute", DAY, "2024-01-15/Nightly")


def test_the_job_is_of_the_phase_s_template_and_carries_the_correlation(cloud):
    job_id = launch(cloud)
    assert job_id in cloud.states
    (body,) = cloud.launches
    asked = body["launchParameter"]
    assert asked["jobName"] == "fullcourt-precompute-2024-01-15-2024-01-15"
    assert asked["containerSpecGcsPath"] == "gs://bucket/templates/precompute.json"
    assert asked["parameters"] | {"start": str(DAY), "end": str(DAY), "warehouse": WAREHOUSE} == asked["parameters"]
    assert asked["environment"]["additionalUserLabels"]["correlation"] == "2024-01-15_nightly"


def test_a_message_that_comes_again_meanwhile_finds_the_job_at_work(cloud):
    launch(cloud)
    assert launch(cloud) == "fullcourt-precompute-2024-01-15-2024-01-15"
    assert len(cloud.jobs) <= 1


def test_workers_elsewhere_see_no_file_of_this_machine(cloud):
    with pytest.raises(UsageError, match="warehouse"):
        launch(cloud, "house.duckdb")
    assert cloud.launches == []
