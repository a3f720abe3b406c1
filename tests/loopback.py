"""A server on the loopback interface that plays the parts of Dataflow and Cloud Storage that launching a job needs.

It checks nothing as the services would; it keeps what it was sent, so that tests can look at the very requests.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "stage"
_ACTIVE = ("JOB_STATE_PENDING", "JOB_STATE_RUNNING")
_JOBS = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/jobs")
_JOB = re.compile(_JOBS.pattern + r"/([^/?]+)")
_LAUNCH = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/flexTemplates:launch")


class Cloud(ThreadingHTTPServer):
    """jobs: what was created, as sent, by job id.  launches: bodies of template launches.  objects: by name.

    states: of a job, to be changed at will.  refusal: (HTTP status, message) of whatever is asked next, if any.
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

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"

    def create(self, project: str, region: str, name: str) -> tuple[int, dict[str, Any]]:
        """As the service does, refuses a second active job of one name."""
        if any(job["name"] == name and self.states[number] in _ACTIVE for number, job in self.jobs.items()):
            return 409, _error(409, f"The workflow could not be created, since there is already an active job {name}")
        job_id = f"2026-01-01_00_00_00-{len(self.jobs) + 1}"
        job = {"id": job_id, "projectId": project, "location": region, "name": name}
        self.jobs[job_id], self.states[job_id] = job, "JOB_STATE_PENDING"
        return 200, job


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
        if self.server.refusal:
            code, message = self.server.refusal
            self._send(code, _error(code, message))
        elif "/storage/v1/" in self.path:
            self._storage(body)
        else:
            self._dataflow(json.loads(body or b"{}"))

    def _dataflow(self, body: dict[str, Any]) -> None:
        server = self.server
        if self.command == "POST" and (found := _LAUNCH.match(self.path)):
            server.launches.append(body)
            code, job = server.create(found[1], found[2], body["launchParameter"]["jobName"])
            self._send(code, {"job": job} if code == 200 else job)
        elif self.command == "POST" and (found := _JOBS.match(self.path)):
            code, job = server.create(found[1], found[2], body["name"])
            if code == 200:
                server.jobs[job["id"]] = body
            self._send(code, {**body, **job})
        elif (found := _JOB.match(self.path)) and found[3] in server.jobs:
            job = server.jobs[found[3]]
            self._send(200, {"id": found[3], "name": job["name"], "currentState": server.states[found[3]]})
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
