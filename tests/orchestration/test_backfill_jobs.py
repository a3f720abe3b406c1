"""Slices as jobs of a template, launched over HTTP and computed by processes: one job a slice, whoever is killed."""

import datetime as dt
import json
import os
import signal
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.cli.template_parameters import command as command_of
from fullcourt.domain.backfill import State, job_name
from fullcourt.domain.days import micros, to_number
from fullcourt.domain.errors import GateError, OwnershipError
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.backfill import claims, plans
from fullcourt.orchestration.backfill.inputs import stage_hash
from fullcourt.orchestration.backfill.jobs import Fleet
from fullcourt.orchestration.backfill.work import FixedClock
from fullcourt.orchestration.publish import BACKFILL, Publish
from tests.backfills import carry_out, plan, states
from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.drills import Command
from tests.houses import House
from tests.loopback import serving
from tests.verified import game_days

TOGS = "team_offense_game_summary"
RECORDS = ("publish_receipts", "processor_run_history", "backfill_slices", TOGS)
OWNER = "Dataflow some-project/europe-west1"
PLACE = ("--project", "some-project", "--region", "europe-west1")
ACCOUNT = ("--service-account", "workers@some-project.iam.gserviceaccount.com")
ON = ("--on", "dataflow", *PLACE, "--template", "gs://bucket/templates", *ACCOUNT)
MINUTE = dt.timedelta(minutes=1)
PENDING, RUNNING, DONE, FAILED = State.PENDING, State.RUNNING, State.DONE, State.FAILED


@pytest.fixture
def cloud():
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def planned(loaded_file, once):
    """With a plan of two slices of two days each; not to be written to."""

    def build(directory: Path) -> None:
        house = loaded_file.copy(directory / "planned.duckdb")
        plan(house, game_days(house)[:4], "analytics", [TOGS], slice_days=2)

    return House(once("planned", build) / "planned.duckdb", loaded_file.now)


@pytest.fixture
def house(planned, tmp_path):
    return planned.copy(tmp_path / "house.duckdb")


@pytest.fixture
def made(house):
    return plans.load(house.warehouse, "2")


@pytest.fixture(scope="session")
def local(planned, once):
    """The plan carried out by a process of this machine; not to be written to."""

    def build(directory: Path) -> None:
        house = planned.copy(directory / "local.duckdb")
        carry_out(house, plans.load(house.warehouse, "2"))

    return House(once("local", build) / "local.duckdb", planned.now)


@pytest.fixture
def backfill(cli, cloud, house):  # noqa: F811
    """Runs `backfill WORDS` here, with slices as jobs of the cloud: (exit code, stdout, stderr on one line)."""

    def run(verb, plan_id, *words, on=ON):
        place = (*on, "--endpoint", cloud.url) if on else ()
        at = ("--warehouse", house.url, "--now", house.now.isoformat())
        code, out, err = cli("backfill", verb, plan_id, *words, *place, *at)
        return code, out, " ".join(err.split())

    return run


class Workers:
    """What is launched becomes a process on the house. kills: points at which the next ones are killed.

    together: of each, whether all before it were still at work when it began.
    wait_until_asked: the next ones do nothing until somebody asks how they are.
    """

    def __init__(self, house):
        self._house, self._begun = house, []
        self.kills, self.together, self.wait_until_asked = [], [], False

    def run(self, parameters):
        self.together.append(all(started.code is None for started in self._begun))
        given = {name: value for name, value in parameters.items() if name != "warehouse"}  # a command has the house's
        runner = ("--detach", "--", "--runner=FnApiRunner")  # which computes it before it lets go
        crash_at = self.kills.pop(0) if self.kills else ""
        started = Command(self._house, *command_of(given["phase"], given), after=runner, crash_at=crash_at)
        if self.wait_until_asked:
            os.kill(started.pid, signal.SIGSTOP)
        self._begun.append(started)
        return lambda: self._code(started)

    @staticmethod
    def _code(started):
        if started.code is None:
            started.go_on()
        return started.code

    def stop(self):
        for started in self._begun:
            if started.code is None:
                started.kill()


@pytest.fixture
def workers(cloud, house):
    made = Workers(house)
    cloud.run = made.run
    yield made
    made.stop()


def slices(house):
    return house.query("SELECT * FROM nba_orchestration.backfill_slices ORDER BY plan_id, slice_number")


def names(cloud):
    return [launch["launchParameter"]["jobName"] for launch in cloud.launches]


def said_of(house):
    """What receipts say, but for whose run it was and when."""
    rows = house.query(
        "SELECT processor_name, analysis_date, status, fingerprint, row_count FROM nba_orchestration.publish_receipts"
    )
    return Counter(tuple(row.values()) for row in rows)


def assert_as_done_here(house, local):
    assert {row["state"] for row in slices(house)} == {DONE}
    assert house.table(TOGS, content=True) == local.table(TOGS, content=True)
    assert said_of(house) == said_of(local)
    assert house.warehouse.stagings() == []


def claimed(house, made, number=0):
    """For a job that was never launched."""
    _, days = made.slices[number]
    found = stage_hash(house.warehouse, made, made.stages[0], 2024, house.now, PHASES)
    with house.warehouse.transaction({}) as session:
        claim = claims.claim(session, made.plan_id, number, OWNER, FixedClock(house.now), found, by_job=True)
    return claim, ",".join(map(str, days))


# ---- to the end, and killed


@pytest.mark.slow
def test_slices_as_jobs_side_by_side_end_as_slices_done_here(backfill, house, local, made, workers):
    code, out, err = backfill("apply", made.plan_id, "--yes", "--parallel", "2", "--format", "json")
    assert code == 0, err
    assert workers.together == [True, True]
    assert_as_done_here(house, local)
    report = json.loads(out)
    assert (report["computed_days"], report["rows"]) == (4, house.table(TOGS).num_rows)


def test_fault_42_a_coordinator_killed_over_two_jobs_is_followed_by_one_that_adopts_them(
    backfill, cloud, house, local, made, workers
):
    """One is on record, the other is not."""
    workers.wait_until_asked = True  # so that they have not ended when the next one comes
    words = ("backfill", "apply", made.plan_id, "--yes", "--parallel", "2", *ON, "--endpoint", cloud.url)
    assert Command(house, *words, crash_at="job_launched:2").wait().code == -signal.SIGKILL
    ids = list(cloud.jobs)
    assert [row["job_id"] for row in slices(house)] == [ids[0], None]
    code, out, err = backfill("resume", made.plan_id, "--yes", "--format", "json")
    assert code == 0, err
    assert [f"slice {number}: adopted" in err for number in (0, 1)] == [True, True]
    assert_as_done_here(house, local)
    report = json.loads(out)
    assert (report["computed_days"], report["rows"]) == (4, house.table(TOGS).num_rows)
    assert workers.together == [True, True]
    assert names(cloud) == [job_name(made.plan_id, number, number + 1) for number in (0, 1)], "no slice is done twice"
    shown = json.loads(backfill("status", made.plan_id, "--format", "json", on=None)[1])
    assert shown["jobs"] == [
        {"slice": number, "state": "DONE", "job": name, "job_id": ids[number], "where": OWNER}
        for number, name in enumerate(names(cloud))
    ]
    sent = cloud.launches[0]["launchParameter"]
    assert sent["parameters"] == {
        "phase": "backfill",
        "warehouse": f"duckdb://{house.url}",
        "plan_id": made.plan_id,
        "slice_number": "0",
        "token": "1",
        "days": ",".join(map(str, made.days[:2])),
    }
    assert sent["containerSpecGcsPath"] == "gs://bucket/templates/backfill.json"
    assert sent["environment"]["additionalUserLabels"]["plan"] == made.plan_id.lower()


LAUNCHED_BEFORE = {"claimed": 0, "job_launched": 1, "job_recorded": 1}


@pytest.mark.slow
@pytest.mark.parametrize("point", LAUNCHED_BEFORE)
def test_fault_42_a_coordinator_killed_anywhere_is_followed_by_one_that_goes_on(
    backfill, cloud, house, local, made, workers, point
):
    words = ("backfill", "apply", made.plan_id, "--yes", "--parallel", "1", *ON, "--endpoint", cloud.url)
    assert Command(house, *words, crash_at=point).wait().code == -signal.SIGKILL
    assert len(cloud.launches) == LAUNCHED_BEFORE[point]
    assert (slices(house)[0]["job_id"] is not None) is (point == "job_recorded")
    code, _, err = backfill("resume", made.plan_id, "--yes", "--parallel", "1")
    assert code == 0, err
    assert ("slice 0: adopted" in err) is (point != "claimed")
    assert names(cloud) == [job_name(made.plan_id, number, number + 1) for number in (0, 1)], "no slice is done twice"
    assert_as_done_here(house, local)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "left"), [("in_transaction", [FAILED, DONE]), ("published", [DONE, DONE])])
def test_fault_42_of_a_job_that_is_killed_counts_what_it_has_published(
    backfill, house, local, made, workers, point, left
):
    workers.kills.append(point)
    code, _, err = backfill("apply", made.plan_id, "--yes", "--parallel", "2")
    assert (code, states(house, made)) == (int(FAILED in left), left), err
    assert backfill("resume", made.plan_id, "--yes", "--parallel", "2")[0] == 0
    for staging in house.warehouse.stagings():  # of the job that was killed before it settled
        house.warehouse.discard(staging.run_id)
    assert_as_done_here(house, local)


# ---- jobs that are there, or are not


@pytest.mark.parametrize(
    "answer",
    [(409, "there is already an active job"), pytest.param((503, "lost on the way"), marks=pytest.mark.slow)],
)
def test_fault_42_a_job_that_was_launched_all_the_same_is_found_by_its_name(backfill, cloud, house, made, answer):
    _, job = cloud.create("some-project", "europe-west1", job_name(made.plan_id, 0, 1))
    cloud.states[job["id"]] = "JOB_STATE_CANCELLED"  # so that it is not waited for
    cloud.refusal, cloud.refusals = answer, 1
    code, out, _ = backfill("apply", made.plan_id, "--yes", "--parallel", "1", "--format", "json")
    assert (code, cloud.launches) == (1, [])
    assert (slices(house)[0]["job_id"], states(house, made)) == (job["id"], [FAILED, PENDING])
    assert [failure["day"] for failure in json.loads(out)["failures"]] == list(map(str, made.days[:2]))


@pytest.mark.parametrize(
    "changed", ["the job has ended", pytest.param("its inputs are others", marks=pytest.mark.slow)]
)
def test_a_job_of_no_use_is_not_adopted_but_begun_anew_under_a_greater_token(backfill, cloud, house, made, changed):
    claim, _ = claimed(house, made)
    _, job = cloud.create("some-project", "europe-west1", job_name(made.plan_id, 0, claim.token))
    cloud.states[job["id"]] = "JOB_STATE_FAILED" if "ended" in changed else "JOB_STATE_RUNNING"
    if "inputs" in changed:
        with house.warehouse.transaction({}) as session:
            session.execute("UPDATE nba_orchestration.backfill_slices SET inputs_hash = 'other' WHERE token = 1")
    cloud.run = lambda _: lambda: 1
    code, _, err = backfill("resume", made.plan_id, "--yes", "--parallel", "1")
    assert (code, names(cloud)) == (1, [job_name(made.plan_id, 0, 2)]), err
    assert "adopted" not in err


def test_a_job_that_settles_just_before_it_is_adopted_is_done(
    backfill, cloud, house, local, made, workers, monkeypatch
):
    claim, days = claimed(house, made)
    _, job = cloud.create("some-project", "europe-west1", job_name(made.plan_id, 0, claim.token))
    cloud.states[job["id"]] = "JOB_STATE_DONE"
    job_of_slice = ("backfill", "slice", made.plan_id, "0", str(claim.token), "--days", days)
    read, ended = Fleet._rows, []

    def read_while_it_settles(fleet, plan):
        rows = read(fleet, plan)
        if not ended:
            ended.append(Command(house, *job_of_slice).wait().code)
        return rows

    monkeypatch.setattr(Fleet, "_rows", read_while_it_settles)
    code, _, err = backfill("resume", made.plan_id, "--yes", "--parallel", "1")
    assert (code, ended, "slice 0: adopted" in err) == (0, [0], True), err
    assert names(cloud) == [job_name(made.plan_id, 1, 2)], "no slice is done twice"
    assert_as_done_here(house, local)


# ---- what goes wrong


def test_a_job_that_fails_fails_its_days_and_resume_begins_another(backfill, cloud, house, made):
    cloud.run = lambda _: lambda: 1
    code, out, err = backfill("apply", made.plan_id, "--yes", "--parallel", "1", "--format", "json")
    assert (code, states(house, made)) == (1, [FAILED, PENDING]), err
    ended = f"job {job_name(made.plan_id, 0, 1)} (2026-01-01_00_00_00-1) ended as JOB_STATE_FAILED without settling"
    failures = json.loads(out)["failures"]
    assert [(row["day"], ended in row["why"]) for row in failures] == [(str(day), True) for day in made.days[:2]]
    assert backfill("resume", made.plan_id, "--yes", "--parallel", "1")[0] == 1
    assert names(cloud) == [job_name(made.plan_id, 0, token) for token in (1, 2)]


@pytest.mark.parametrize(
    ("status", "ends_in", "left"), [(403, 3, PENDING), pytest.param(409, 4, RUNNING, marks=pytest.mark.slow)]
)
def test_a_launch_that_is_refused_gives_the_slice_back_unless_there_is_a_job(
    backfill, cloud, house, made, status, ends_in, left
):
    cloud.launch = lambda *_: (status, {"error": {"code": status, "message": "in the service's words"}})
    code, _, err = backfill("apply", made.plan_id, "--yes", "--parallel", "1")
    assert (code, states(house, made)) == (ends_in, [left, PENDING])
    assert "in the service's words; resume with `fullcourt backfill resume" in err
    assert f"--on dataflow {' '.join(PLACE)} --template gs://bucket/templates" in err, "the command goes on there"


def test_ctrl_c_leaves_jobs_alone_and_names_them(backfill, cloud, house, made):
    def launched_as_somebody_presses(_):
        os.kill(os.getpid(), signal.SIGINT)
        return lambda: None

    cloud.run = launched_as_somebody_presses
    code, _, err = backfill("apply", made.plan_id, "--yes", "--parallel", "1")
    name = f"{job_name(made.plan_id, 0, 1)} (2026-01-01_00_00_00-1)"
    assert (code, states(house, made)) == (130, [RUNNING, PENDING]), err
    assert f"left running, for `resume` to adopt: {name} interrupted; resume with" in err
    code, _, err = backfill("cancel", made.plan_id, "--yes", on=None)
    assert (code, err) == (0, f"what runs ends by itself: {name}")
    code, _, err = backfill("resume", made.plan_id, "--yes", on=None)
    assert (code, f"run by {OWNER} since" in err) == (4, True), "processes here do not take over what a job has"


def test_the_claim_of_a_job_stands_as_long_as_it_is_renewed(house, made):
    claim, _ = claimed(house, made)
    for minutes in (40, 80):
        now = house.now + dt.timedelta(minutes=minutes)
        with house.warehouse.transaction({}) as session:
            with pytest.raises(OwnershipError, match=f"run by {OWNER}"):
                claims.claim(session, made.plan_id, 0, OWNER, FixedClock(now), "")
            claims.renew(session, [claim], now)
    with house.warehouse.transaction({}) as session:
        late = FixedClock(now + claims.LEASE)
        assert claims.claim(session, made.plan_id, 0, OWNER, late, "") is not None
        with pytest.raises(OwnershipError, match="was taken over"):
            claim.hold(session, None)


# ---- inside the job


def test_fault_09_a_stale_token_computes_nothing(backfill, house, made):
    claim, days = claimed(house, made)
    with house.warehouse.transaction({}) as session:
        claims.give_back(session, claim)
    claimed(house, made)
    before = house.tables(*RECORDS)
    code, _, err = backfill("slice", made.plan_id, 0, claim.token, "--days", days, on=None)
    assert (code, "slice 0 of backfill" in err, "nothing was published" in err) == (4, True, True)
    assert house.tables(*RECORDS) == before


@pytest.mark.parametrize(
    ("number", "days", "complaint"),
    [(2, "2024-10-22", "expected 0 to 1"), (0, "2023-10-22", "2023-10-22 is no day of slice 0")],
)
def test_a_slice_that_is_none_is_refused(backfill, made, number, days, complaint):
    code, _, err = backfill("slice", made.plan_id, number, 1, "--days", days, on=None)
    assert (code, complaint in err) == (2, True), err


def test_days_that_the_gates_stop_are_settled_before_any_pipeline(backfill, house):
    made = plan(house, game_days(house)[:2], "precompute", ["team_defense_zone_analysis"], house.now + MINUTE)
    claim, days = claimed(house, made)
    code, _, err = backfill("slice", made.plan_id, 0, claim.token, "--days", days, "--detach", on=None)
    assert (code, states(house, made)) == (1, [FAILED]), err
    failed = json.loads(slices(house)[-1]["failed_days"])
    assert list(failed) == days.split(",")
    assert all("team_defense_game_summary is not published" in why for why in failed.values())


@pytest.mark.parametrize("refused", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_job_handed_over_settles_itself_and_one_that_is_refused_is_settled_at_once(
    cli,  # noqa: F811
    cloud,
    house,
    made,
    monkeypatch,
    refused,
):
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.url)
    if refused:
        cloud.create("some-project", "europe-west1", "one")
    claim, days = claimed(house, made)
    beam = ("--runner=DataflowRunner", "--job_name=one", "--no_auth", f"--dataflow_endpoint={cloud.url}")
    places = ("--temp_location=gs://stage/temp", "--staging_location=gs://stage/staging")
    options = (*beam, "--project=some-project", "--region=europe-west1", *places)
    more = "--experiments=disable_logging_submission_environment"
    at = ("--warehouse", house.url, "--now", house.now.isoformat())
    words = (0, claim.token, "--days", days, "--detach", *at, "--", *options, more)
    code, _, err = cli("backfill", "slice", made.plan_id, *words)
    assert (code, states(house, made)[0]) == ((1, FAILED) if refused else (0, RUNNING)), err
    assert len(house.warehouse.stagings()) == (0 if refused else 1), "the job reads it"
    assert len(cloud.jobs) == 1


@pytest.mark.parametrize("detached", [True, False])
def test_what_refuses_to_be_published_is_said_in_the_slice_where_nobody_waits(house, made, tmp_path, detached):
    claim, _ = claimed(house, made)
    _, days = made.slices[0]
    stamp = Stamp(run_id="of-a-job", now=micros(house.now), recording=False)
    last_step = Publish(
        house.url,
        (BY_NAME[TOGS],),
        tuple(map(to_number, days)),
        stamp,
        str(tmp_path),
        micros(house.now),
        mode=BACKFILL,
        claim=claim,
        detached=detached,
    )
    counted = pa.table({"day": pa.array([to_number(days[0])]), "fingerprint": pa.array([1], pa.uint64()), "ready": [3]})
    for _ in range(2):  # a service tries again
        with pytest.raises(GateError, match="audit"):
            last_step([], [SimpleNamespace(processor=TOGS, counts=counted)])
    row = slices(house)[0]
    assert (row["state"], row["run_id"]) == ((FAILED, "of-a-job") if detached else (RUNNING, None))
    if detached:
        assert ["audit" in why for why in json.loads(row["failed_days"]).values()] == [True, True]


# ---- options


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--on", "dataflow", *PLACE), "--on dataflow lacks --template, --service-account"),
        (("--template", "gs://bucket/templates"), "go with --on dataflow"),
        (ON, "template parameter warehouse="),
        ((*ON, "--", "--runner=x"), "--runner=x does not reach the jobs of a template"),
        ((*ON, "--endpoint", "http://localhost:1", "--label", "Team=data"), "label Team=data"),
    ],
)
def test_what_jobs_would_not_take_is_refused_before_anything_begins(
    cli,  # noqa: F811
    house,
    made,
    words,
    complaint,
):
    before = house.table("backfill_slices")
    code, _, err = cli("backfill", "apply", made.plan_id, "--yes", "--warehouse", house.url, *words)
    assert (code, complaint in " ".join(err.split())) == (2, True), err
    assert house.table("backfill_slices") == before
