"""What is made of SQL by parsing it, kept between commands: a file each, below the user's cache directory.

Parsing a statement takes longer than most statements run.  What is not kept is made again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path


def kept(sql: str, make: Callable[[str], tuple[str, ...]], code: str) -> tuple[str, ...]:
    """make(sql), or what it was when it was made before. code: the file that `make` is written in."""
    path = _directory(code) / hashlib.sha256(sql.encode()).hexdigest()
    found = _read(path)
    if found is None:
        found = make(sql)
        _keep(path, found)
    return found


@cache
def _directory(code: str) -> Path:
    """Of this code's own: another version of it, or of sqlglot, keeps what it makes elsewhere."""
    maker = hashlib.sha256(Path(code).read_bytes()).hexdigest()[:12]
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(root) / "fullcourt" / "sql" / f"sqlglot-{version('sqlglot')}-{maker}"


def _read(path: Path) -> tuple[str, ...] | None:
    """None where it is not kept, or was cut off."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return tuple(found)


def _keep(path: Path, made: tuple[str, ...]) -> None:
    """Whole or not at all, and only where this user may write: what is not kept costs time only."""
    if not path.is_absolute():  # a user without a home
        return
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            json.dump(made, file)
        Path(file.name).replace(path)
