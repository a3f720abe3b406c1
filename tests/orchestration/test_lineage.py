"""Lineage through OpenLineage's own client, to a file and to a server on the loopback interface."""

import datetime as dt
import json
import logging
import os
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fullcourt.domain.errors import GateError
from fullcourt.orchestration import lineage
from fullcourt.orchestration.lineage.facts import Job, dataset
from schemas import TABLES
from tests.backfills import carry_out, plan
from tests.verified import game_days

pytest.importorskip("openlineage.client", reason="openlineage-python is not installed: install the extra lineage")

FILE = {"TYPE": "file", "APPEND": "true"}
EXTRAS = ("lineage", "dev")
LOGGER = "fullcourt.orchestration.lineage"
ANALYTICS = [
    "team_offense_game_summary",
    "team_defense_game_summary",
    "player_game_summary",
    "upcoming_team_game_context",
    "upcoming_player_game_context",
]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No configuration of the machine's is seen, and what the client adds to the environment goes with the test."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("OPENLINEAGE"):
            del os.environ[name]
    os.environ["HOME"] = str(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


def transport(**settings):
    """Configures it as the client has it."""
    for name, value in settings.items():
        os.environ[f"OPENLINEAGE__TRANSPORT__{name}"] = value


@pytest.fixture
def told(tmp_path):
    """To a file: told() lists the events so far."""
    path = tmp_path / "events.jsonl"
    transport(**FILE, LOG_FILE_PATH=str(path))
    return lambda: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class _Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.status = [], 201


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization"), json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Nothing on stderr."""


@pytest.fixture
def server():
    with _Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        os.environ["OPENLINEAGE_URL"] = f"http://127.0.0.1:{serving.server_address[1]}"
        yield serving
        serving.shutdown()


@pytest.fixture
def day(loaded_file):
    return game_days(loaded_file)[0]


def by_job(events, state):
    return {event["job"]["name"]: event for event in events if event["eventType"] == state}


def short(dataset_event):
    """dataset.table of a told dataset."""
    return ".".join(dataset_event["name"].split(".")[-2:])


def test_a_run_starts_and_completes_its_phase_and_each_processor(loaded_house, day, told):
    report = loaded_house.run("analytics", day)
    events = told()
    jobs = ["analytics", *(f"analytics.{name}" for name in ANALYTICS)]
    assert [(e["eventType"], e["job"]["name"]) for e in events] == [
        *(("START", job) for job in jobs),
        *(("COMPLETE", job) for job in reversed(jobs)),
    ]
    assert {event["job"]["namespace"] for event in events} == {"fullcourt"}
    starts, ends = by_job(events, "START"), by_job(events, "COMPLETE")
    for name in jobs:
        assert starts[name]["run"]["runId"] == ends[name]["run"]["runId"] == Job(name, report["run_id"], {}).uuid
        facets = ends[name]["run"]["facets"]
        tags = {tag["key"]: tag["value"] for tag in facets["tags"]["tags"]}
        assert (tags["fullcourt_run_id"], tags["mode"], tags["forced"]) == (report["run_id"], "run", "false")
        assert facets["nominalTime"]["nominalStartTime"] == f"{day}T00:00:00-04:00"
        assert facets["nominalTime"]["nominalEndTime"] == f"{day + dt.timedelta(1)}T00:00:00-04:00"
        assert ("parent" in facets) is (name != "analytics")
    assert len({event["run"]["runId"] for event in events}) == len(jobs)
    parent = ends["analytics.player_game_summary"]["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == starts["analytics"]["run"]["runId"]
    assert (parent["job"]["namespace"], parent["job"]["name"]) == ("fullcourt", "analytics")
    assert all(event["producer"] == "urn:fullcourt" for event in events)


def test_tables_read_and_written_by_their_conventional_names(loaded_house, day, told):
    loaded_house.run("analytics", day)
    ends = by_job(told(), "COMPLETE")
    assert ends["analytics"]["inputs"] == ends["analytics"]["outputs"] == []
    summary, context = (ends[f"analytics.{name}"] for name in ("player_game_summary", "upcoming_player_game_context"))
    (output,) = summary["outputs"]
    assert output["namespace"] == f"duckdb://{loaded_house.path.absolute()}"
    assert output["name"] == "house.nba_analytics.player_game_summary"
    told_columns = [(field["name"], field["type"]) for field in output["facets"]["schema"]["fields"]]
    assert told_columns == [(column.name, column.type) for column in TABLES["player_game_summary"].columns]
    assert "nba_raw.nbac_gamebook_player_stats" in {short(read) for read in summary["inputs"]}
    reads = {short(read) for read in context["inputs"]}
    assert {"nba_analytics.player_game_summary", "nba_raw.nbac_schedule", "nba_orchestration.breaker_state"} <= reads


def assertions(event):
    (output,) = event["outputs"]
    return {told["assertion"]: told for told in output["facets"]["dataQualityAssertions"]["assertions"]}


def test_rows_and_quality_are_those_of_the_receipts(loaded_house, day, told):
    loaded_house.run("analytics", day)
    receipts = {row["processor_name"]: row for row in loaded_house.table("publish_receipts").to_pylist()}
    for name, receipt in receipts.items():
        event = by_job(told(), "COMPLETE")[f"analytics.{name}"]
        (output,) = event["outputs"]
        assert output["outputFacets"]["outputStatistics"]["rowCount"] == receipt["row_count"]
        found = assertions(event)
        assert [found[audit]["severity"] for audit in ("row_count", "unique", "coverage")] == ["error", "error", "warn"]
        assert found["completeness"]["params"] == {
            kind: receipt[f"{kind}_count"]
            for kind in ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")
        }
        assert found["coverage"]["success"] is (receipt["status"] == "COMPLETE")
        percent = receipt["coverage_pct"]
        owed = "nothing was owed" if percent is None else f"{percent:.1f} %"
        assert found["coverage"]["actual"] == f"{owed}, {int(receipt['status'] != 'COMPLETE')} of 1 days short"


def test_what_is_held_back_is_told(season_house, season, told):
    """The days after a team's lost games."""
    season_house.run("precompute", season.judged[0], season.judged[-1])
    receipts = [
        row for row in season_house.table("publish_receipts").to_pylist() if row["phase"].endswith("precompute")
    ]
    ends = by_job(told(), "COMPLETE")
    held = 0
    for name in {row["processor_name"] for row in receipts}:
        mine = [row for row in receipts if row["processor_name"] == name]
        found = assertions(ends[f"precompute.{name}"])["completeness"]
        waiting = sum(row[f"{kind}_count"] for row in mine for kind in ("incomplete", "blocked", "dead_letter"))
        assert found["success"] is (waiting == 0)
        assert found["actual"].startswith(f"{waiting} of ")
        held += waiting
    assert held > 0


def test_the_same_run_again_writes_nothing_and_still_tells_of_what_stands(loaded_house, day, told):
    loaded_house.run("analytics", day)
    loaded_house.run("analytics", day)
    (event,) = [e for e in told()[-6:] if e["job"]["name"] == "analytics.player_game_summary"]
    assert event["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 0
    assert assertions(event)["completeness"]["params"]["ready"] > 0


@pytest.fixture
def emptied_house(loaded_house, day, monkeypatch):
    """Of which the day's publish is refused: its rows stand, and their sources are gone."""
    with monkeypatch.context() as silent:
        silent.setenv("OPENLINEAGE_DISABLED", "true")
        loaded_house.run("analytics", day)
    with loaded_house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_raw.nbac_gamebook_player_stats WHERE TRUE")
        session.execute("DELETE FROM nba_raw.nbac_team_boxscore WHERE TRUE")
    return loaded_house


def test_a_refused_publish_fails_with_its_message(emptied_house, day, told):
    with pytest.raises(GateError) as refused:
        emptied_house.run("analytics", day)
    failed = by_job(told(), "FAIL")
    assert len(failed) == 6
    for event in failed.values():
        facet = event["run"]["facets"]["errorMessage"]
        assert (facet["message"], facet["programmingLanguage"]) == (str(refused.value), "PYTHON")
        assert all("outputFacets" not in output or not output["outputFacets"] for output in event["outputs"])


def test_a_run_of_no_game_day_is_no_job(loaded_house, day, told):
    loaded_house.run("analytics", day - dt.timedelta(1))  # after the last exhibition game
    assert told() == []


def test_ctrl_c_aborts(told):
    begun = Job("job", "run", {})
    with pytest.raises(KeyboardInterrupt), lineage._told(lambda: [begun], dict):
        raise KeyboardInterrupt
    assert [event["eventType"] for event in told()] == ["START", "ABORT"]


def test_the_end_of_a_detached_run_is_told_where_its_last_step_runs(loaded_house, day, told):
    """Here in the same process: what the launcher tells comes first, and with the inputs."""
    handed_over = {"detached": True, "beam_args": ("--runner=FnApiRunner",)}
    loaded_house.run("analytics", day, processors=["player_game_summary"], **handed_over)
    states = [(e["eventType"], e["job"]["name"].count("."), bool(e["inputs"])) for e in told()]
    assert states == [("START", 0, False), ("START", 1, True), ("COMPLETE", 1, False), ("COMPLETE", 0, False)]
    assert len({event["run"]["runId"] for event in told()}) == 2


def test_slices_of_a_backfill_are_runs_too(loaded_house, day, told):
    carry_out(loaded_house, plan(loaded_house, [day], "analytics", ["player_game_summary"]))
    assert [event["eventType"] for event in told()] == ["START", "START", "COMPLETE", "COMPLETE"]
    assert {tag["value"] for e in told() for tag in e["run"]["facets"]["tags"]["tags"] if tag["key"] == "mode"} == {
        "backfill"
    }


def test_a_load_tells_files_tables_and_unreadable_rows(empty_house, landing, told):
    report = empty_house.ingest(landing)
    start, end = told()
    assert [(e["eventType"], e["job"]["name"]) for e in (start, end)] == [("START", "ingest"), ("COMPLETE", "ingest")]
    loaded = {file["target_table"]: file for file in report["files"] if file["target_table"]}
    assert {(i["namespace"], Path(i["name"]).name) for i in end["inputs"]} == {
        ("file", file["file_name"]) for file in loaded.values()
    }
    assert {short(output) for output in end["outputs"]} == set(loaded)
    for output in end["outputs"]:
        file = loaded[short(output)]
        assert output["outputFacets"]["outputStatistics"]["rowCount"] == file["rows_loaded"]
        (readable,) = output["facets"]["dataQualityAssertions"]["assertions"]
        assert (readable["assertion"], readable["success"]) == ("readable", True)
        assert readable["actual"] == f"{file['rows_dead']} of {file['rows_read']} rows unreadable"


def test_a_server_is_sent_the_same(loaded_house, day, server):
    os.environ["OPENLINEAGE_API_KEY"] = "key"
    os.environ["OPENLINEAGE_NAMESPACE"] = "courtside"
    loaded_house.run("analytics", day, processors=["player_game_summary"])
    assert [body["eventType"] for _, _, body in server.asked] == ["START", "START", "COMPLETE", "COMPLETE"]
    assert {(path, key) for path, key, _ in server.asked} == {("/api/v1/lineage", "Bearer key")}
    assert {body["job"]["namespace"] for _, _, body in server.asked} == {"courtside"}


def refused(server):
    server.status = 400


def away(_):
    os.environ["OPENLINEAGE_URL"] = "http://127.0.0.1:9"
    os.environ["OPENLINEAGE__TRANSPORT__TYPE"], os.environ["OPENLINEAGE__TRANSPORT__URL"] = "http", "http://127.0.0.1:9"
    os.environ["OPENLINEAGE__TRANSPORT__RETRY"] = '{"total": 0}'


def misconfigured(_):
    transport(TYPE="carrier pigeon")


def unwritable(_):
    transport(**FILE, LOG_FILE_PATH="/nowhere/events.jsonl")


@pytest.mark.parametrize("broken", [refused, away, misconfigured, unwritable])
def test_a_run_succeeds_without_its_lineage_and_warns_once_a_moment(loaded_house, day, server, caplog, broken):
    broken(server)
    with caplog.at_level(logging.WARNING, LOGGER):
        report = loaded_house.run("analytics", day, processors=["player_game_summary"])
    assert report["processors"][0]["days_not_covered"] == []
    warnings = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert [text.split(":")[1] for text in warnings] == [" START was not told", " COMPLETE was not told"]
    assert len(server.asked) <= 2  # the first that is refused is the last that is asked


def test_a_failure_stays_the_failure_it_is(emptied_house, day, server):
    server.status = 400
    with pytest.raises(GateError, match="ready rows"):
        emptied_house.run("analytics", day)


@pytest.mark.parametrize(
    ("variables", "file", "expected"),
    [
        pytest.param({}, None, False, id="nothing"),
        pytest.param({"OPENLINEAGE_URL": "http://lineage.example"}, None, True, id="the variable of a server"),
        pytest.param({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, None, True, id="a transport's variables"),
        pytest.param({"OPENLINEAGE__TRANSPORT": '{"type": "console"}'}, None, True, id="a transport's as JSON"),
        pytest.param({"OPENLINEAGE_NAMESPACE": "mine"}, None, False, id="a namespace alone"),
        pytest.param({}, "openlineage.yml", True, id="a file here"),
        pytest.param({}, ".openlineage/openlineage.yml", True, id="a file at home"),
        pytest.param({"OPENLINEAGE_CONFIG": "named.yml"}, "named.yml", True, id="a file that is named"),
        pytest.param({"OPENLINEAGE_CONFIG": "named.yml"}, None, False, id="a named file that is not there"),
        pytest.param(
            {"OPENLINEAGE_URL": "http://lineage.example", "OPENLINEAGE_DISABLED": "true"}, None, False, id="disabled"
        ),
    ],
)
def test_what_configures_it(tmp_path, variables, file, expected):
    os.environ.update(variables)
    if file:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("transport:\n  type: console\n")
    assert lineage.configured() is expected


def test_without_configuration_nothing_of_the_client_is_imported(tmp_path):
    program = (
        "import sys; from fullcourt.orchestration import ingest; from fullcourt.orchestration.lineage import _told\n"
        "with _told(lambda: 1 / 0, lambda: 1 / 0): pass\n"
        "sys.exit('openlineage' in sys.modules)"
    )
    here = dict(os.environ, PYTHONPATH=str(Path(lineage.__file__).parents[3]))
    assert subprocess.run([sys.executable, "-c", program], env=here, cwd=tmp_path).returncode == 0


def test_without_the_client_there_is_a_warning(told, monkeypatch, caplog):
    monkeypatch.setattr(lineage, "find_spec", lambda _: None)
    with caplog.at_level(logging.WARNING, LOGGER), lineage._told(list, dict):
        pass
    assert "pip install 'full-court[lineage]'" in caplog.text
    assert told() == []


def test_names_on_bigquery():
    found = dataset("bigquery://project-1?location=US&temp=gs://bucket/prefix", "nba_raw.nbac_schedule")
    assert (found.namespace, found.name) == ("bigquery", "project-1.nba_raw.nbac_schedule")


def test_the_client_is_an_extra_and_no_dependency():
    project = tomllib.loads((Path(lineage.__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert not any(need.startswith("openlineage") for need in project["dependencies"])
    pinned = [[need for need in project["optional-dependencies"][name] if "openlineage" in need] for name in EXTRAS]
    assert pinned[0] == pinned[1] != []
