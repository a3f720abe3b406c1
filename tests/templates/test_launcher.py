"""What the image runs: a template's parameters become a command whose job nobody waits for."""

import json
import sys

import pytest

from fullcourt.cli.launcher import main, words
from fullcourt.domain.errors import UsageError

WAREHOUSE = "bigquery://some-project?location=US&temp=gs://bucket/temp&staging=temp"
# As the service's launcher adds them.
BEAM = ["--runner=DataflowRunner", "--project=some-project", "--sdk_container_image=r/image@sha256:" + "a" * 64]
RECORDS = ("publish_receipts", "processor_run_history", "team_offense_game_summary")
DETACHED = ["--detach", "--", *BEAM, "--experiments=disable_logging_submission_environment"]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (
            [
                "--phase=precompute",
                "--start=2024-01-15",
                "--end=2024-01-17",
                f"--warehouse={WAREHOUSE}",
                "--strict=true",
            ],
            ["run", "precompute", "--start=2024-01-15", "--end=2024-01-17", "--strict", f"--warehouse={WAREHOUSE}"],
        ),
        (
            [
                *("--phase", "analytics", "--warehouse", WAREHOUSE, "--end", "2024-01-17", "--start", "2024-01-15"),
                *("--allow_demotion=false", "--skip_downstream_trigger", "true"),
            ],
            [
                *("run", "analytics", "--start=2024-01-15", "--end=2024-01-17"),
                *("--skip-downstream-trigger", f"--warehouse={WAREHOUSE}"),
            ],
        ),
        (
            ["--phase=ingest", "--directory=/mnt/landing", f"--warehouse={WAREHOUSE}", "--max_dead_percent=2.5"],
            ["ingest", "/mnt/landing", "--max-dead-percent=2.5", f"--warehouse={WAREHOUSE}"],
        ),
        (
            [
                *("--phase=backfill", f"--warehouse={WAREHOUSE}", "--days=2024-10-22,2024-10-23", "--token=7"),
                *("--slice_number=3", "--plan_id=20241103T120000-d1c2a76e"),
            ],
            [
                *("backfill", "slice", "20241103T120000-d1c2a76e", "3", "7"),
                *("--days=2024-10-22,2024-10-23", f"--warehouse={WAREHOUSE}"),
            ],
        ),
    ],
)
def test_parameters_become_the_command(arguments, command):
    assert words([*BEAM[:2], *arguments, *BEAM[2:]]) == [*command, *DETACHED]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--phase"),
        (["--phase=all"], "invalid choice: 'all'"),
        (["--phase=analytics"], "the following arguments are required: --start, --end, --warehouse"),
    ],
)
def test_what_is_lacking_is_named(arguments, complaint):
    with pytest.raises(UsageError, match=complaint):
        words(arguments)


def test_workers_never_start_from_an_image_without_the_product():
    arguments = ["--phase=ingest", "--directory=/x", f"--warehouse={WAREHOUSE}", *BEAM[:2]]
    with pytest.raises(UsageError, match="no --sdk_container_image"):
        words(arguments)


def test_errors_end_the_launcher_as_they_end_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["main.py", "--phase=analytics"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: template: the following arguments are required: --start")


@pytest.fixture
def command(loaded_house):
    """What follows `run PHASE`: the league's first day, detached."""
    house = loaded_house
    day = house.one("SELECT MIN(game_date) FROM nba_raw.counted_team_games")
    return ("--date", day, "--warehouse", house.url, "--now", house.now.isoformat(), "--detach")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("analytics", "--fail-on-incomplete"), "--detach does not wait for what --fail-on-incomplete asks"),
        (("all",), "--detach goes with one phase"),
        (("analytics",), "the in-process runner ends with its pipeline"),
    ],
)
def test_a_job_that_nobody_can_hand_over_is_refused(cli, command, loaded_house, words, complaint):
    before = loaded_house.tables(*RECORDS)
    code, _, err = cli("run", *words, *command)
    assert (code, complaint in err) == (2, True)
    assert loaded_house.tables(*RECORDS) == before
    assert loaded_house.warehouse.stagings() == []


def test_a_job_handed_over_is_not_waited_for_and_keeps_its_snapshot(cli, cloud, command, loaded_house):
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    before = loaded_house.tables(*RECORDS)
    options = ("--project=some-project", "--region=europe-west1", "--job_name=one", "--no_auth", *BEAM[:1])
    places = ("--temp_location=gs://stage/temp", "--staging_location=gs://stage/staging")
    words = ("run", "analytics", "--processors", "team_offense_game_summary", *command, "--format", "json", "--")
    code, out, err = cli(*words, *options, *places, f"--dataflow_endpoint={cloud.url}", DETACHED[-1])
    assert code == 0, err
    (said,) = json.loads(out)
    assert (said["detached"], said["days"]) == (True, 1)
    assert [job["name"] for job in cloud.jobs.values()] == ["one"]
    assert loaded_house.tables(*RECORDS) == before, "the job publishes, not the launcher"
    (staging,) = loaded_house.warehouse.stagings()
    assert (staging.run_id, staging.size > 0) == (said["run_id"], True)


def test_where_the_service_s_launcher_asks_for_a_file_the_job_is_written_and_not_created(cli, cloud, command):
    """So it may: then the service creates the job from the file."""
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    options = ("--project=some-project", "--region=europe-west1", "--job_name=one", "--no_auth", *BEAM[:1])
    places = ("--temp_location=gs://stage/temp", "--staging_location=gs://stage/staging")
    words = ("run", "analytics", "--processors", "team_offense_game_summary", *command, "--")
    code, _, err = cli(
        *words,
        *options,
        *places,
        "--template_location=gs://stage/job.json",
        f"--dataflow_endpoint={cloud.url}",
        DETACHED[-1],
    )
    assert (code, cloud.jobs) == (0, {}), err
    assert json.loads(cloud.objects["job.json"])["name"] == "one"


def test_a_job_that_the_service_refuses_leaves_nothing_behind(cli, cloud, command, loaded_house):
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    cloud.create("some-project", "europe-west1", "one")
    options = ("--project=some-project", "--region=europe-west1", "--job_name=one", "--no_auth", *BEAM[:1])
    places = ("--temp_location=gs://stage/temp", "--staging_location=gs://stage/staging")
    words = ("run", "analytics", "--processors", "team_offense_game_summary", *command, "--")
    code, _, err = cli(*words, *options, *places, f"--dataflow_endpoint={cloud.url}", DETACHED[-1])
    assert (code, "the job was not submitted" in err) == (3, True), err
    assert len(cloud.jobs) == 1
    assert loaded_house.warehouse.stagings() == []
