"""`template spec|render|launch`, and asking a job's state, against a server on the loopback interface."""

import json
import re
import shlex
import shutil
import subprocess

import pytest

from fullcourt.cli import template
from fullcourt.domain.errors import EngineError, OwnershipError, UsageError
from fullcourt.orchestration.flex_templates import Service, TemplateJob

IMAGE = "europe-docker.pkg.dev/p/full-court/pipelines@sha256:" + "a" * 64
WAREHOUSE = "bigquery://some-project?location=US&temp=gs://bucket/temp&staging=temp"
JOB = (
    *("--project", "some-project", "--region", "europe-west1", "--template", "gs://bucket/templates"),
    *("--service-account", "workers@some-project.iam.gserviceaccount.com"),
    *("-p", "start=2024-01-15", "-p", "end=2024-01-17", "-p", f"warehouse={WAREHOUSE}"),
)
MORE = (
    *("--subnetwork", "regions/europe-west1/subnetworks/workers", "--machine-type", "n2-standard-4"),
    *("--temp-location", "gs://bucket/temp", "--max-workers", "7", "--label", "team=data"),
)


def job(**changed):
    given = {
        "project": "some-project",
        "region": "europe-west1",
        "name": "fullcourt-analytics",
        "template": "gs://bucket/templates/analytics.json",
        "parameters": {"phase": "analytics"},
        "service_account": "workers@some-project.iam.gserviceaccount.com",
        "max_workers": 10,
    }
    return TemplateJob(**given | changed)


def test_the_spec_names_one_image_for_launcher_and_workers(cli):
    code, out, _ = cli("template", "spec", "predictions", "--image", IMAGE)
    made = json.loads(out)
    assert (code, made["image"], made["defaultEnvironment"]["sdkContainerImage"]) == (0, IMAGE, IMAGE)
    assert made["metadata"]["name"] == "Full Court predictions"
    code, _, err = cli("template", "spec", "predictions", "--image", "pipelines:latest")
    assert (code, "not pinned" in err) == (2, True)
    code, _, err = cli("template", "spec", "prediction", "--image", IMAGE)
    assert (code, "unknown template 'prediction': expected one of" in err) == (2, True)


def test_a_launch_sends_what_render_shows_and_prints_the_job(cli, cloud):
    dataflow = pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    shown = json.loads(cli("template", "render", "precompute", *JOB, *MORE, "--as", "rest")[1])
    code, out, err = cli(
        "template", "launch", "precompute", *JOB, *MORE, "--yes", "--endpoint", cloud.url, "--format", "json"
    )
    assert code == 0, err
    (row,), (sent,) = json.loads(out), cloud.launches
    assert sent == shown
    assert row["job_id"] in cloud.jobs
    read = dataflow.LaunchFlexTemplateRequest.from_json(
        json.dumps({"projectId": "some-project", "location": "europe-west1", **sent}), ignore_unknown_fields=False
    ).launch_parameter
    assert read.job_name == "fullcourt-precompute-2024-01-15-2024-01-17"
    assert read.container_spec_gcs_path == "gs://bucket/templates/precompute.json"
    days = {"start": "2024-01-15", "end": "2024-01-17"}
    assert dict(read.parameters) == {"phase": "precompute", **days, "warehouse": WAREHOUSE}
    environment = read.environment
    assert environment.ip_configuration == dataflow.WorkerIPAddressConfiguration.WORKER_IP_PRIVATE
    assert environment.service_account_email == "workers@some-project.iam.gserviceaccount.com"
    assert (environment.max_workers, environment.machine_type) == (7, "n2-standard-4")
    assert environment.subnetwork == "regions/europe-west1/subnetworks/workers"
    assert environment.temp_location == "gs://bucket/temp"
    assert dict(environment.additional_user_labels) == {"app": "full-court", "phase": "precompute", "team": "data"}


def test_nothing_is_launched_without_a_yes(cli, cloud):
    code, _, err = cli("template", "launch", "precompute", *JOB, "--endpoint", cloud.url)
    assert (code, cloud.asked) == (2, [])
    assert "expected --yes, or `template render` to look first" in err


def test_fault_07_a_second_job_of_one_name_is_refused_while_the_first_is_active(cli, cloud):
    command = ("template", "launch", "analytics", *JOB, "--yes", "--endpoint", cloud.url)
    assert cli(*command)[0] == 0
    code, _, err = cli(*command)
    assert (code, "already an active job fullcourt-analytics-2024-01-15-2024-01-17" in err) == (4, True)
    cloud.states[next(iter(cloud.jobs))] = "JOB_STATE_DONE"
    assert cli(*command)[0] == 0


def test_a_job_is_launched_and_asked_after_by_its_id(cloud):
    service = Service(cloud.url)
    job_id = service.launch(job())
    assert service.state("some-project", "europe-west1", job_id) == "JOB_STATE_PENDING"
    cloud.states[job_id] = "JOB_STATE_DONE"
    assert service.state("some-project", "europe-west1", job_id) == "JOB_STATE_DONE"
    with pytest.raises(EngineError, match="Dataflow answered 404: not found"):
        service.state("some-project", "europe-west1", "2026-01-01_00_00_00-99")
    with pytest.raises(OwnershipError, match="already an active job"):
        [service.launch(job()) for _ in range(2)]


def test_a_job_is_found_by_its_name_the_newest_of_several(cloud):
    service, ids = Service(cloud.url), []
    for _ in range(3):
        ids.append(service.launch(job()))
        cloud.states[ids[-1]] = "JOB_STATE_DONE"
    service.launch(job(name="fullcourt-other"))
    assert service.find("some-project", "europe-west1", "fullcourt-analytics") == ids[-1]
    assert service.find("some-project", "europe-west1", "fullcourt") is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_question_is_asked_again_where_the_service_is_not_up_to_an_answer(cloud, status):
    service = Service(cloud.url)
    job_id = service.launch(job())
    cloud.refusal, cloud.refusals = (status, "try later"), 1
    assert service.state("some-project", "europe-west1", job_id) == "JOB_STATE_PENDING"
    cloud.refusals = 1
    with pytest.raises(EngineError, match=f"Dataflow answered {status}: try later"):
        service.launch(job(name="fullcourt-other"))
    assert len(cloud.launches) == 1, "a launch is not repeated by itself"


@pytest.mark.parametrize(("status", "message"), [(403, "dataflow.jobs.create is lacking"), (503, "try later")])
def test_a_refusal_is_told_in_the_service_s_words(cli, cloud, status, message):
    cloud.refusal = status, message
    code, _, err = cli("template", "launch", "analytics", *JOB, "--yes", "--endpoint", cloud.url)
    assert (code, f"Dataflow answered {status}: {message}" in err) == (3, True)
    assert cloud.launches == []


def test_an_answer_that_is_none_is_an_engine_error(cloud):
    cloud.refusal = 200, "no job"
    with pytest.raises(EngineError, match="Dataflow answered without a job"):
        Service(cloud.url).launch(job())


def test_a_service_that_is_not_there_is_an_engine_error(cli, cloud):
    cloud.server_close()
    code, _, err = cli("template", "launch", "analytics", *JOB, "--yes", "--endpoint", cloud.url)
    assert (code, f"cannot ask Dataflow at {cloud.url}" in err) == (3, True)


def test_credentials_never_cross_a_network_in_the_clear(cloud):
    with pytest.raises(UsageError, match="expected https://"):
        Service("http://dataflow.example.com")
    Service(cloud.url).launch(job())
    assert [authorization for _, _, authorization in cloud.asked] == [None]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"name": "Full_Court"}, "name='Full_Court' of the job"),
        ({"template": "/tmp/analytics.json"}, "template='/tmp/analytics.json'"),
        ({"region": "us east1"}, "region='us east1'"),
        ({"project": "p/../q"}, "project='p/../q'"),
        ({"service_account": "nobody"}, "service_account='nobody'"),
        ({"labels": {"Team": "data"}}, "label Team=data"),
        ({"labels": {"team": "Data Science"}}, "label team=Data Science"),
        ({"max_workers": 0}, "max_workers must be 1 or more"),
    ],
)
def test_what_the_service_would_refuse_is_refused_here(changed, complaint):
    with pytest.raises(UsageError, match=re.escape(complaint)):
        job(**changed)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-p", "start=2024-01-15", "-p", "end=2024-01-14"), "the first day must not be after the last"),
        (("-p", "start=2024-02-30", "-p", "end=2024-03-01"), "day is out of range|day 30 must be in range"),
        (("-p", "start"), "--parameter 'start': expected name=value"),
        (("-p", "start=2024-01-15", "-p", "start=2024-01-16"), "each name once"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(cli, words, complaint):
    code, _, err = cli("template", "render", "analytics", *JOB[:8], *words, "-p", f"warehouse={WAREHOUSE}")
    assert code == 2
    assert re.search(complaint, err.replace("\n", " "))


def test_the_gcloud_command_carries_values_with_commas(cli):
    chosen = "player_daily_cache,ml_feature_store_v2"
    _, out, _ = cli("template", "render", "precompute", *JOB, *MORE, "-p", f"processors={chosen}")
    words = shlex.split(out)
    assert words[:5] == ["gcloud", "dataflow", "flex-template", "run", "fullcourt-precompute-2024-01-15-2024-01-17"]
    (parameters,) = [word for word in words if word.startswith("--parameters=")]
    _, separator, listed = parameters.partition("=")[2].split("^")
    assert dict(pair.split("=", 1) for pair in listed.split(separator))["processors"] == chosen
    assert "--disable-public-ips" in words


def test_a_value_may_hold_every_separator():
    listed = template._listed({"directory": "gs://a/|;~#@%,", "start": "2024-01-15"})
    _, separator, pairs = listed.split("^")
    assert pairs.split(separator) == ["directory=gs://a/|;~#@%,", "start=2024-01-15"]


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_knows_every_flag_that_is_printed(cli, tmp_path):
    out = cli("template", "render", "precompute", *JOB, *MORE)[1]
    printed = {word.partition("=")[0] for word in shlex.split(out) if word.startswith("--")}
    environment = {"CLOUDSDK_CONFIG": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = ["gcloud", "dataflow", "flex-template", "run", "--help"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout
    assert printed <= set(re.findall(r"--[a-z-]+", told))
