"""A server on the loopback interface that plays the parts of Dataflow and Cloud Storage that launching a job needs.

It checks nothing as the services would; it keeps what it was sent, so that tests can look at the very requests.  Told
how, it runs what a template launches.
"""

import json
import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BUCKET = "stage"
_ACTIVE = ("JOB_STATE_PENDING", "JOB_STATE_RUNNING")
_JOBS = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/jobs")
_JOB = re.compile(_JOBS.pattern + r"/([^/?]+)")
_LAUNCH = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/flexTemplates:launch")


class Cloud(ThreadingHTTPServer):
    """jobs: what was created, as sent, by job id.  launches: bodies of template launches.  objects: by name.

    states: of a job, to be changed at will.  refusal: (HTTP status, message) of whatever is asked next, if any, and
    refusals: how often.
    run: begins what was launched, given its parameters, and returns what tells its exit code, None while it runs.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("localhost", 0), _Handler)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.launches: list[dict[str, Any]] = []
        self.states: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.refusal: tuple[int, str] | None = None
        self.refusals = math.inf
        self.run: Callable[[dict[str, str]], Callable[[], int | None]] | None = None
        self._ending: dict[str, Callable[[], int | None]] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"

    def create(self, project: str, region: str, name: str) -> tuple[int, dict[str, Any]]:
        """As the service does, refuses a second active job of one name."""
        if any(job["name"] == name and self.state(number) in _ACTIVE for number, job in self.jobs.items()):
            return 409, _error(409, f"The workflow could not be created, since there is already an active job {name}")
        job_id = f"2026-01-01_00_00_00-{len(self.jobs) + 1}"
        created = f"2026-01-01T00:00:{len(self.jobs):02}Z"
        job = {"id": job_id, "projectId": project, "location": region, "name": name, "createTime": created}
        self.jobs[job_id], self.states[job_id] = job, "JOB_STATE_PENDING"
        return 200, job

    def launch(self, project: str, region: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.launches.append(body)
        launched = body["launchParameter"]
        code, job = self.create(project, region, launched["jobName"])
        if code == 200 and self.run:
            self._ending[job["id"]] = self.run(launched["parameters"])
            self.states[job["id"]] = "JOB_STATE_RUNNING"
        return code, {"job": job} if code == 200 else job

    def state(self, job_id: str) -> str:
        ending = self._ending.get(job_id)
        if ending and self.states[job_id] in _ACTIVE and (code := ending()) is not None:
            self.states[job_id] = "JOB_STATE_FAILED" if code else "JOB_STATE_DONE"
        return self.states[job_id]

    def page(self, name: str, number: int) -> dict[str, Any]:
        """Of the list of jobs of a name, the oldest first: one job a page."""
        found = [job for job in self.jobs.values() if job["name"] == name]
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(found) else {}
        return {"jobs": found[number : number + 1], **more}


@contextmanager
def serving() -> Iterator[Cloud]:
    with Cloud() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


class _Handler(BaseHTTPRequestHandler):
    server: Cloud
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if self.server.refusal and self.server.refusals > 0:
            self.server.refusals -= 1
            code, message = self.server.refusal
            self._send(code, _error(code, message))
        elif "/storage/v1/" in self.path:
            self._storage(body)
        else:
            self._dataflow(json.loads(body or b"{}"))

    def _dataflow(self, body: dict[str, Any]) -> None:
        server = self.server
        if self.command == "POST" and (found := _LAUNCH.match(self.path)):
            self._send(*server.launch(found[1], found[2], body))
        elif self.command == "POST" and (found := _JOBS.match(self.path)):
            code, job = server.create(found[1], found[2], body["name"])
            if code == 200:
                server.jobs[job["id"]] = body
            self._send(code, {**body, **job})
        elif (found := _JOB.match(self.path)) and found[3] in server.jobs:
            job = server.jobs[found[3]]
            self._send(200, {"id": found[3], "name": job["name"], "currentState": server.state(found[3])})
        elif _JOBS.fullmatch(urlsplit(self.path).path):
            asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            self._send(200, server.page(asked["name"][0], int(asked["pageToken"][0] or 0)))
        else:
            self._send(404, _error(404, f"not found: {self.path}"))

    def _storage(self, body: bytes) -> None:
        """A bucket that exists, and uploads in pieces, as Beam makes them."""
        if self.path.startswith("/upload/") and self.command == "POST":
            name = json.loads(body)["name"]
            self.server.objects[name] = b""
            self._send(200, {}, Location=f"{self.server.url}/upload/storage/v1/b/{BUCKET}/o/{name}")
        elif self.path.startswith("/upload/"):
            name = self.path.partition(f"/b/{BUCKET}/o/")[2]
            self.server.objects[name] += body
            self._send(200, {"bucket": BUCKET, "name": name, "size": str(len(self.server.objects[name]))})
        elif re.match(rf"/storage/v1/b/{BUCKET}(\?|$)", self.path):
            self._send(200, {"kind": "storage#bucket", "name": BUCKET})
        else:
            self._send(404, _error(404, f"not found: {self.path}"))

    def _send(self, code: int, content: dict[str, Any], **headers: str) -> None:
        data = json.dumps(content).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
