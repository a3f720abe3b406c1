"""Staging directories on this machine: one a run, below one root."""

import datetime as dt
import shutil
import time
from contextlib import suppress
from pathlib import Path

from fullcourt.domain.errors import EngineError
from fullcourt.warehouse.protocol import Staging

ORPHAN_SECONDS = 24 * 3600


class LocalStaging:
    """The directories of runs under way, and those that killed runs left."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, run_id: str) -> Path:
        return made(self.root / run_id)

    def sweep(self, run_id: str) -> None:
        self.discard(run_id)
        if not self.root.is_dir():
            return
        for orphan in self.root.iterdir():  # of a run that was killed
            if time.time() - orphan.stat().st_mtime > ORPHAN_SECONDS:
                self.discard(orphan.name)

    def discard(self, run_id: str) -> None:
        shutil.rmtree(self.root / run_id, ignore_errors=True)
        with suppress(OSError):  # it holds another run's, or is not there
            self.root.rmdir()

    def list(self) -> list[Staging]:
        if not self.root.is_dir():
            return []
        return [_staging(directory) for directory in sorted(self.root.iterdir())]


def made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"cannot make the directory {directory}: {error.strerror}") from error
    return directory


def _staging(directory: Path) -> Staging:
    touched, size = 0.0, 0
    for path in (directory, *directory.rglob("*")):
        with suppress(FileNotFoundError):  # the run may be ending this moment
            found = path.stat()
            touched, size = max(touched, found.st_mtime), size + (found.st_size if path.is_file() else 0)
    return Staging(directory.name, dt.datetime.fromtimestamp(touched, dt.UTC), size)
