"""The jobs as Dataflow would receive them: built, staged and submitted over the loopback interface, and taken apart."""

import base64
import binascii
import bz2
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import apache_beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from fullcourt.cli.phases import PHASES
from fullcourt.domain.processors import select
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.ingest import PublishRaw
from fullcourt.orchestration.landing_files import SOURCES, copied_columns
from fullcourt.orchestration.publish import Publish
from pipelines import ingest
from tests.loopback import Cloud, serving

pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")

PIPELINES = ("ingest", *PHASES)
WAREHOUSE = "bigquery://some-project?location=US&temp=gs://stage/temp"
STAGING = "gs://stage/runs/run-1"
STAMP = Stamp("20240115T060000-0000aaaa", 1_705_298_400_000_000)
IMAGE = "europe-docker.pkg.dev/p/full-court/pipelines@sha256:" + "a" * 64
OPENING_NIGHT = 19_654  # 2023-10-24, in days since 1970
SEASON_DAYS = 165
OPTIONS = (
    "--runner=DataflowRunner",
    "--project=some-project",
    "--region=europe-west1",
    "--temp_location=gs://stage/temp",
    "--staging_location=gs://stage/staging",
    "--no_auth",
    f"--sdk_container_image={IMAGE}",
    "--labels=app=full-court",
    "--labels=team=data",
    "--service_account_email=workers@some-project.iam.gserviceaccount.com",
    "--subnetwork=regions/europe-west1/subnetworks/workers",
    "--no_use_public_ips",
    "--machine_type=n2-standard-4",
    "--max_num_workers=7",
    "--experiments=disable_logging_submission_environment",
    "--no_wait_until_finish",
)


@dataclass(frozen=True)
class Submitted:
    """request: the body that created the job.  graph: what it was built of, staged beside it, and its bytes."""

    request: dict
    graph: beam_runner_api_pb2.Pipeline
    staged: bytes

    @property
    def steps(self) -> list[str]:
        """The full names of all steps but the root, which has none."""
        names = (step.unique_name for step in self.graph.components.transforms.values())
        return sorted(name for name in names if not name.startswith("ref_"))

    @property
    def shape(self) -> list[tuple]:
        steps = self.graph.components.transforms.values()
        return sorted((step.unique_name, step.spec.urn, len(step.inputs), len(step.outputs)) for step in steps)

    @property
    def pickled(self) -> list[bytes]:
        """What the steps run on workers, as it will be unpickled there."""
        found = []
        for step in self.graph.components.transforms.values():
            if step.spec.urn == "beam:transform:pardo:v1":
                payload = beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload).do_fn.payload
                found.append(_unpacked(payload))
        return found


def _unpacked(payload: bytes) -> bytes:
    try:
        return bz2.decompress(base64.b64decode(payload, validate=True))
    except (binascii.Error, OSError):
        return payload


def submit(cloud: Cloud, name: str, days: int, job_name: str) -> Submitted:
    """Launches a pipeline over so many days, as a launcher would whose warehouse and staging are the cloud's."""
    arguments = (*OPTIONS, f"--dataflow_endpoint={cloud.url}", f"--job_name={job_name}")
    if name == "ingest":
        _submit_ingest(arguments)
    else:
        phase = PHASES[name]
        processors = select(phase.phase, None)
        wanted = tuple(range(OPENING_NIGHT, OPENING_NIGHT + days))
        reads = phase.reads(processors, (2023,), wanted)
        snapshot = {read.key: (f"{STAGING}/{read.key}.parquet",) for read in reads}
        finish = Publish(WAREHOUSE, processors, wanted, STAMP, STAGING, 1)
        phase.launch(phase.config(processors, wanted, (2023,), STAMP, STAGING), snapshot, finish, arguments)
    (staged,) = [cloud.objects.pop(path) for path in list(cloud.objects) if path.endswith("/pipeline.pb")]
    (job_id,) = [job_id for job_id, job in cloud.jobs.items() if job["name"] == job_name]
    return Submitted(cloud.jobs[job_id], beam_runner_api_pb2.Pipeline.FromString(staged), staged)


def _submit_ingest(arguments):
    files = {}
    for source in SOURCES:
        table, landing = source.TABLE, source.LANDING
        files[table.name] = (
            ingest.LandingFile(
                path=f"gs://stage/landing/{table.name}.parquet",
                name=f"{table.name}.parquet",
                table=table.name,
                columns=landing.needed,
                copied=copied_columns(table, landing),
                required=tuple(column.name for column in table.columns if column.required),
                schema=table.arrow_schema,
            ),
        )
    snapshot = {name: (f"{STAGING}/{name}.parquet",) for name in ("nbac_schedule", "player_aliases")}
    finish = PublishRaw(WAREHOUSE, (), STAMP, STAGING, 1.0)
    ingest.launch(ingest.Config(files, STAMP, STAGING), snapshot, finish, arguments)


@dataclass(frozen=True)
class Jobs:
    """The job of one pipeline over one day, and over a season; a load has no days."""

    a_day: Submitted
    season: Submitted


@pytest.fixture(params=PIPELINES)
def jobs(request, once, monkeypatch):
    """Building a graph takes seconds, so each is built once and kept on disk."""

    def build(directory):
        with serving() as cloud:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.url)
            for name, days in spans.items():
                job = submit(cloud, request.param, days, f"fullcourt-{request.param}-{days}")
                (directory / f"{name}.pb").write_bytes(job.staged)
                (directory / f"{name}.json").write_text(json.dumps(job.request))

    spans = {"season": SEASON_DAYS} if request.param == "ingest" else {"a_day": 1, "season": SEASON_DAYS}
    directory = once(f"graphs-{request.param}", build)
    return Jobs(_read(directory, next(iter(spans))), _read(directory, "season"))


def _read(directory, name):
    staged = (directory / f"{name}.pb").read_bytes()
    request = json.loads((directory / f"{name}.json").read_text())
    return Submitted(request, beam_runner_api_pb2.Pipeline.FromString(staged), staged)


def test_step_names_are_unique(jobs):
    assert max(Counter(jobs.season.steps).values()) == 1


def test_the_graph_does_not_depend_on_the_days(jobs):
    assert jobs.a_day.shape == jobs.season.shape


def test_the_same_job_built_again_is_the_same(monkeypatch):
    with serving() as cloud:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.url)
        first, second = (submit(cloud, "predictions", 3, name) for name in ("first", "second"))
    assert first.shape == second.shape
    assert sorted(first.pickled) == sorted(second.pickled)


def test_outer_steps_have_names_that_people_gave(jobs):
    """They are what the service's page shows; Beam makes up others, with line numbers that change."""
    outer = {step.partition("/")[0] for step in jobs.season.steps}
    assert "FinishRun" in outer
    assert [name for name in outer if not re.fullmatch(r"[A-Z][A-Za-z]*( [a-z0-9_]+)*", name)] == []


def test_a_season_makes_a_graph_hardly_larger_than_a_day(jobs):
    """The service takes 10 MB; rows, games and listings of files do not belong in a graph."""
    assert len(jobs.season.staged) < 400_000
    assert len(jobs.season.staged) < 1.1 * len(jobs.a_day.staged)
    assert len(json.dumps(jobs.season.request)) < 50_000


def test_what_workers_unpickle_is_named_by_module(jobs):
    """By value go Beam's own lambdas alone: nothing of the launcher's main module, no function made on the way."""
    pickled = jobs.season.pickled
    assert any(b"transforms.finish_run" in part for part in pickled)
    assert not any(b"__main__" in part for part in pickled)
    beam = str(Path(apache_beam.__file__).parent).encode()
    files = {file for part in pickled for file in re.findall(rb"/[\w./-]+\.py", part)}
    assert [file for file in files if not file.startswith(beam)] == []


def test_nothing_of_this_machine_is_in_the_request(jobs):
    text = json.dumps(jobs.season.request)
    assert "pickled_main_session" not in text
    assert [place for place in (str(Path(__file__).parents[2]), str(Path.home()), "/tmp/") if place in text] == []


def test_workers_are_as_asked_for(jobs):
    request = jobs.season.request
    assert request["labels"] == {"app": "full-court", "team": "data"}
    environment = request["environment"]
    assert environment["serviceAccountEmail"] == "workers@some-project.iam.gserviceaccount.com"
    assert {"use_runner_v2", "disable_logging_submission_environment"} <= set(environment["experiments"])
    (pool,) = environment["workerPools"]
    assert pool["ipConfiguration"] in ("WORKER_IP_PRIVATE", 2)
    assert pool["subnetwork"] == "regions/europe-west1/subnetworks/workers"
    assert pool["machineType"] == "n2-standard-4"
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 7
    assert {image["containerImage"] for image in pool["sdkHarnessContainerImages"]} == {IMAGE}
    assert pool.get("packages", []) == []


def test_every_environment_of_the_graph_is_the_image(jobs):
    for environment in jobs.season.graph.components.environments.values():
        assert environment.urn == "beam:env:docker:v1"
        assert beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image == IMAGE
        assert not environment.dependencies
