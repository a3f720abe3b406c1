"""BigQuery that answers badly: a server on this machine that refuses, keeps one waiting, or loses an answer."""

import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.bigquery.address import Address
from fullcourt.warehouse.bigquery.jobs import Jobs

pytest.importorskip("google.cloud.bigquery")
JOB = re.compile(r"/projects/some-project/jobs/([\w-]+)")


class Service:
    """Knows jobs by id. answers: what the next requests get, instead of what they ask for: (status, reason)."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict] = {}
        self.begun: Counter[str] = Counter()  # by job id
        self.asked: Counter[str] = Counter()  # by method
        self.answers: list[tuple[int, str]] = []
        self.loses_answer = False  # the job is begun, and nobody is told
        self.waits = 0  # how often a job says that it still runs

    def answer(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        self.asked[method] += 1
        if self.answers:
            return _error(*self.answers.pop(0))
        if method == "POST":
            job_id = body["jobReference"]["jobId"]
            if job_id in self.jobs:
                return _error(409, "duplicate")
            self.begun[job_id] += 1
            self.jobs[job_id] = body | {"status": {"state": "RUNNING"}}
            if self.loses_answer:
                self.loses_answer = False
                return _error(503, "backendError")
            return 200, self.jobs[job_id]
        job_id = JOB.search(path)[1] if JOB.search(path) else path.partition("/queries/")[2].partition("?")[0]
        done, self.waits = self.waits <= 0, self.waits - 1
        if "/queries/" in path:
            schema = {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]}
            rows = {"schema": schema, "totalRows": "1", "rows": [{"f": [{"v": "7"}]}]} if done else {}
            return 200, {"jobComplete": done, "jobReference": {"projectId": "some-project", "jobId": job_id}, **rows}
        job = self.jobs[job_id]
        job["status"] = {"state": "DONE" if done else "RUNNING"}
        return 200, job


def _error(status: int, reason: str) -> tuple[int, dict]:
    return status, {"error": {"code": status, "message": reason, "errors": [{"reason": reason, "message": reason}]}}


@pytest.fixture
def service(monkeypatch):
    """Running, and found by the client."""
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            status, answer = made.answer(self.command, self.path, json.loads(self.rfile.read(size) or "{}"))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def jobs(service):
    """As in earnest, but for the pauses between two tries."""
    made = Jobs(Address.parse("bigquery://some-project?location=US&temp=gs://bucket/temp"))
    made.retry = made.retry.with_delay(initial=0.001, maximum=0.002).with_timeout(2.0)
    return made


def answered(jobs):
    return jobs.rows("SELECT 7 AS n", {})["n"].to_pylist()


@pytest.mark.parametrize(
    "refusals",
    [[(503, "backendError")] * 3, [(403, "rateLimitExceeded")] * 2, [(500, "internalError"), (502, "badGateway")]],
    ids=["unavailable", "too many requests", "broken"],
)
def test_fault_38_asking_is_repeated_and_the_job_begun_once(service, jobs, refusals):
    service.answers = list(refusals)
    assert answered(jobs) == [7]
    assert list(service.begun.values()) == [1]
    assert service.asked["POST"] == len(refusals) + 1


def test_fault_38_a_job_whose_answer_was_lost_is_found_by_its_id(service, jobs):
    service.loses_answer = True
    assert answered(jobs) == [7]
    assert list(service.begun.values()) == [1]
    assert service.asked["POST"] == 2  # the second is told that there is such a job


def test_fault_38_a_job_that_takes_long_is_asked_for_and_not_begun_again(service, jobs):
    service.waits = 5
    assert answered(jobs) == [7]
    assert list(service.begun.values()) == [1]
    assert service.asked == {"POST": 1, "GET": service.asked["GET"]}
    assert service.asked["GET"] > 5


def test_fault_38_a_quota_that_is_used_up_is_an_error_at_once(service, jobs):
    service.answers = [(403, "quotaExceeded")]
    with pytest.raises(EngineError, match=r"BigQuery project some-project: 403 .*quotaExceeded"):
        answered(jobs)
    assert (service.asked["POST"], service.begun) == (1, {})


def test_fault_38_asking_ends(service, jobs):
    jobs.retry = jobs.retry.with_timeout(0.05)
    service.answers = [(503, "backendError")] * 10_000
    with pytest.raises(EngineError, match="BigQuery project some-project: "):
        answered(jobs)
    assert service.begun == {}
    assert 1 < service.asked["POST"] < 10_000
