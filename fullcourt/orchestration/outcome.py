"""What a run came to, as a file in its staging directory.

The end of a run hangs off the pipeline's graph, where an exception reaches the launcher only as text, and on a
service not at all.  So the end writes its outcome down, and a launcher that is still there reads it back.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fullcourt.domain import errors
from fullcourt.domain.errors import FullCourtError

_FILE = "outcome.json"


def record(directory: str, finish: Callable[[], dict[str, Any]]) -> None:
    """Writes down what finish returns, or the error it raises, which it then raises again."""
    path = Path(directory) / _FILE
    try:
        report = finish()
    except FullCourtError as error:
        path.write_text(json.dumps({"error": type(error).__name__, "message": str(error)}))
        raise
    path.write_text(json.dumps({"report": report}))


def read(directory: str, launch: Callable[[], None]) -> dict[str, Any]:
    """Launches, and returns the report; a recorded error is raised as itself, any other failure names its cause."""
    failure: Exception | None = None
    try:
        launch()
    except Exception as error:  # noqa: BLE001 - a runner raises anything; it is raised again below, said better
        failure = error
    path = Path(directory) / _FILE
    outcome = json.loads(path.read_text()) if path.exists() else {}
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


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
