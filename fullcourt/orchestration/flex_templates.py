"""Jobs of Dataflow launched from flex templates, over the service's REST interface.

A launch is not repeated by itself: a job's name is its key, and the service refuses a second active job of one name.
Questions are asked again, a few times, where the service is not up to an answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from fullcourt.domain.errors import EngineError, OwnershipError, UsageError

ENDPOINT = "https://dataflow.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 6
_TOO_MANY = 429
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PINNED = re.compile(r"[a-z0-9][a-z0-9.:/_-]*@sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}=[a-z0-9_-]{0,63}")
_FORMS = {
    "project": re.compile(r"[a-z][a-z0-9.:-]*[a-z0-9]"),
    "region": re.compile(r"[a-z]+-[a-z]+[0-9]+"),
    "name": _NAME,
    "template": re.compile(r"gs://\S+\.json"),
    "service_account": re.compile(r"[^@\s]+@[^@\s]+"),
}
PRIVATE = "WORKER_IP_PRIVATE"
# Of a job that has ended, and stays as it is.
ENDED = frozenset(f"JOB_STATE_{name}" for name in ("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED"))


@dataclass(frozen=True)
class TemplateJob:
    """One job of a template.

    name: unique among the project's active jobs of the region.  template: the spec, gs://bucket/path.json.
    service_account: of the workers, which have no public addresses.  labels: key -> value.
    """

    project: str
    region: str
    name: str
    template: str
    parameters: Mapping[str, str]
    service_account: str
    max_workers: int
    temp_location: str | None = None
    subnetwork: str | None = None
    machine_type: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, form in _FORMS.items():
            if not form.fullmatch(getattr(self, name)):
                raise UsageError(f"{name}={getattr(self, name)!r} of the job: expected {form.pattern}")
        if self.max_workers < 1:
            raise UsageError(f"max_workers must be 1 or more, got {self.max_workers}")
        for key, value in self.labels.items():
            if not _LABEL.fullmatch(f"{key}={value}"):
                raise UsageError(f"label {key}={value}: expected {_LABEL.pattern}")

    @property
    def path(self) -> str:
        """Of the REST call, behind the endpoint."""
        return f"/v1b3/projects/{quote(self.project)}/locations/{self.region}/flexTemplates:launch"

    @property
    def body(self) -> dict[str, Any]:
        """Of the REST call."""
        optional = {
            "tempLocation": self.temp_location,
            "subnetwork": self.subnetwork,
            "machineType": self.machine_type,
        }
        environment = {
            "serviceAccountEmail": self.service_account,
            "maxWorkers": self.max_workers,
            "ipConfiguration": PRIVATE,
            "additionalUserLabels": dict(self.labels),
            **{name: value for name, value in optional.items() if value},
        }
        parameter = {
            "jobName": self.name,
            "containerSpecGcsPath": self.template,
            "parameters": dict(self.parameters),
            "environment": environment,
        }
        return {"launchParameter": parameter}


def spec(image: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A template's container spec; launcher and workers start from one image. UsageError for one without a digest."""
    if not _PINNED.fullmatch(image):
        raise UsageError(f"image {image!r} is not pinned: expected name@sha256:digest")
    environment = {"sdkContainerImage": image, "ipConfiguration": PRIVATE}
    return {
        "image": image,
        "sdkInfo": {"language": "PYTHON"},
        "metadata": dict(metadata),
        "defaultEnvironment": environment,
    }


class _UnavailableError(EngineError):
    """The service was not reached, or not up to an answer."""


class Service:
    """Dataflow's REST interface, with the credentials of the environment."""

    def __init__(self, endpoint: str = ENDPOINT) -> None:
        """UsageError where credentials would cross a network in the clear. On the loopback interface none are sent."""
        parts = urlsplit(endpoint)
        self._endpoint, self._loopback = endpoint.rstrip("/"), parts.hostname in _LOOPBACK
        if parts.scheme != "https" and not self._loopback:
            raise UsageError(f"endpoint {endpoint!r}: expected https://, or the loopback interface")

    @property
    def on_this_machine(self) -> bool:
        """On the loopback interface: its jobs see what this machine sees."""
        return self._loopback

    def launch(self, job: TemplateJob) -> str:
        """Launches the job and returns its id. OwnershipError while another job of the name is active."""
        answer = self._call("POST", job.path, job.body)
        try:
            return str(answer["job"]["id"])
        except (KeyError, TypeError):
            raise EngineError(f"Dataflow answered without a job: {str(answer)[:200]}") from None

    def state(self, project: str, region: str, job_id: str) -> str:
        """What the service says of the job, such as JOB_STATE_RUNNING or JOB_STATE_DONE."""
        answer = self._asked(f"{_jobs(project, region)}/{quote(job_id, safe='')}")
        return str(answer.get("currentState", "JOB_STATE_UNKNOWN"))

    def find(self, project: str, region: str, name: str) -> str | None:
        """The id of the newest job of that name, active or not; None if there is none."""
        found: list[dict[str, Any]] = []
        page = ""
        while True:
            answer = self._asked(_jobs(project, region), {"name": name, "pageToken": page})
            found += [job for job in answer.get("jobs", ()) if job.get("name") == name]
            if not (page := answer.get("nextPageToken", "")):
                break
        newest = max(found, key=lambda job: str(job.get("createTime", "")), default=None)
        return str(newest["id"]) if newest else None

    def _asked(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        asking = Retrying(
            retry=retry_if_exception_type(_UnavailableError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=20),
            reraise=True,
        )
        return asking(self._call, "GET", path, parameters=parameters)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            import google.auth
            from google.auth.credentials import AnonymousCredentials
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import AuthorizedSession
            from requests import RequestException
        except ImportError:
            raise UsageError("templates need Google's clients: pip install 'full-court[gcp]'") from None
        try:
            known = AnonymousCredentials() if self._loopback else google.auth.default(scopes=[_SCOPE])[0]
            with AuthorizedSession(known) as session:
                address = self._endpoint + path
                answer = session.request(method, address, json=body, params=parameters, timeout=_TIMEOUT_SECONDS)
        except (GoogleAuthError, RequestException) as error:
            raise _UnavailableError(f"cannot ask Dataflow at {self._endpoint}: {error}") from error
        if answer.ok:
            return _content(answer)
        text = _message(answer)
        if answer.status_code == 409:
            raise OwnershipError(f"Dataflow refuses: {text}")
        unavailable = answer.status_code == _TOO_MANY or answer.status_code >= 500
        raise (_UnavailableError if unavailable else EngineError)(f"Dataflow answered {answer.status_code}: {text}")


def _jobs(project: str, region: str) -> str:
    """The path of a region's jobs, behind the endpoint."""
    return f"/v1b3/projects/{quote(project)}/locations/{quote(region)}/jobs"


def _content(answer: Any) -> dict[str, Any]:
    try:
        return dict(answer.json())
    except (ValueError, TypeError):
        raise EngineError(f"Dataflow answered with what is no JSON object: {str(answer.text)[:200]}") from None


def _message(answer: Any) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text)[:200]
