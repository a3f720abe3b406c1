"""What a run came to, as a file in its staging directory.

The end of a run hangs off the pipeline's graph, where an exception reaches the launcher only as text, and on a
service not at all.  So the end writes its outcome down, and a launcher that is still there reads it back.
"""

import json
from collections.abc import Callable
from typing import Any

from fullcourt.domain import errors
from fullcourt.domain.errors import FullCourtError
from fullcourt.warehouse import files

_FILE = "outcome.json"


def record(directory: str, finish: Callable[[], dict[str, Any]]) -> None:
    """Writes down what finish returns, or the error it raises, which it then raises again."""
    try:
        report = finish()
    except FullCourtError as error:
        _write(directory, {"error": type(error).__name__, "message": str(error)})
        raise
    _write(directory, {"report": report})


def read(directory: str, launch: Callable[[], None]) -> dict[str, Any]:
    """Launches, and returns the report; a recorded error is raised as itself, any other failure names its cause."""
    failure: Exception | None = None
    try:
        launch()
    except Exception as error:  # noqa: BLE001 - a runner raises anything; it is raised again below, said better
        failure = error
    outcome = json.loads(files.read_text(f"{directory}/{_FILE}") or "{}")
    if "error" in outcome:
        raise getattr(errors, outcome["error"])(outcome["message"]) from failure
    if isinstance(failure, FullCourtError):
        raise failure
    if failure is not None and _last_line(failure).startswith(KeyboardInterrupt.__name__):
        raise KeyboardInterrupt from failure  # pressed inside a step, where the runner makes it a failure like others
    if failure is not None:
        raise errors.EngineError(f"the pipeline failed: {_last_line(failure)}") from failure
    if "report" not in outcome:
        raise errors.EngineError(f"the pipeline ended without an outcome in {directory}")
    return outcome["report"]


def submit(launch: Callable[[], None]) -> None:
    """Hands a job to a service and does not wait: what becomes of it, only the job itself writes down."""
    try:
        launch()
    except FullCourtError:
        raise
    except Exception as error:
        raise errors.EngineError(f"the job was not submitted: {_last_line(error)}") from error


def _write(directory: str, outcome: dict[str, Any]) -> None:
    with files.opened(f"{directory}/{_FILE}", "w") as file:
        json.dump(outcome, file)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
