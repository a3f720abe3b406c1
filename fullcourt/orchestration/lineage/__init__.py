"""Lineage: OpenLineage events of what runs and loads read, wrote and found. docs/lineage.md has the names and facets.

Only where OpenLineage's client is configured, by its own means; else nothing of it is imported, and nothing is sent.
What cannot be told is a warning: no run fails of it.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fullcourt.domain.errors import UsageError
from fullcourt.orchestration.lineage.facts import (
    Facts,
    Job,
    Load,
    Publication,
    Reads,
    State,
    job_of_load,
    jobs_of_run,
    loaded,
    published,
)

__all__ = ["configured", "of_load", "of_load_step", "of_run", "of_run_step"]

LOG = logging.getLogger(__name__)
_FILE = "openlineage.yml"


def configured() -> bool:
    """Whether OpenLineage's client would find a transport: a file of its own, or variables of the environment."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    named = any(name.startswith("OPENLINEAGE__TRANSPORT") for name in os.environ)
    files = (Path(_FILE), Path.home() / ".openlineage" / _FILE, Path(os.environ.get("OPENLINEAGE_CONFIG") or _FILE))
    return bool(os.environ.get("OPENLINEAGE_URL")) or named or any(file.is_file() for file in files)


@contextmanager
def of_run(finish: Publication, reads: Reads, seasons: Sequence[int]) -> Iterator[None]:
    """Tells of the run that the block is: that it starts, then that it is complete, or why it failed.

    reads: what the pipeline reads for processors, seasons and days.
    The end of a detached run is not the block's: `of_run_step` tells it where the last step runs.
    """
    with _told(lambda: jobs_of_run(finish, reads, seasons), lambda: published(finish), handed_over=finish.detached):
        yield


@contextmanager
def of_run_step(finish: Publication) -> Iterator[None]:
    """Tells the end of a detached run, which the block, its last step, is."""
    with _told(lambda: jobs_of_run(finish), lambda: published(finish), when=finish.detached, begins=False):
        yield


@contextmanager
def of_load(finish: Load) -> Iterator[None]:
    """Tells of the load of landing files that the block is, as `of_run` does of a run."""
    with _told(lambda: job_of_load(finish), lambda: loaded(finish), handed_over=finish.detached):
        yield


@contextmanager
def of_load_step(finish: Load) -> Iterator[None]:
    """Tells the end of a detached load, which the block, its last step, is."""
    with _told(lambda: job_of_load(finish), lambda: loaded(finish), when=finish.detached, begins=False):
        yield


@contextmanager
def _told(
    jobs: Callable[[], list[Job]],
    facts: Callable[[], Facts],
    *,
    when: bool = True,
    begins: bool = True,
    handed_over: bool = False,
) -> Iterator[None]:
    """begins: the start is the block's, too.  handed_over: its end, if it is a good one, is somebody else's."""
    if not (when and configured()):
        yield
        return
    if begins:
        _tell(State.START, jobs)
    try:
        yield
    except KeyboardInterrupt:
        _tell(State.ABORT, jobs)
        raise
    except Exception as error:
        _tell(State.FAIL, jobs, error=str(error))
        raise
    if not handed_over:
        _tell(State.COMPLETE, jobs, facts)


def _tell(state: State, jobs: Callable[[], list[Job]], facts: Callable[[], Facts] = dict, **more: Any) -> None:
    """One event a job, up to the first that cannot be told: a service that is down is not asked again at once."""
    try:
        if find_spec("openlineage") is None:
            raise UsageError("the client is not installed: pip install 'full-court[lineage]'")
        from fullcourt.orchestration.lineage.events import emit

        emit(state, jobs(), facts(), **more)
    except Exception as error:  # noqa: BLE001 - transports raise anything, and the run is worth more than its lineage
        LOG.warning("lineage: %s was not told: %s: %s", state.value, type(error).__name__, error)
