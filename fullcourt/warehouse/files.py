"""A run's files, by path on this machine or by URL in a bucket. Google's client is imported on use only."""

from functools import cache
from pathlib import Path
from typing import IO, Any

BUCKET = "gs://"


def is_in_bucket(path: str) -> bool:
    return path.startswith(BUCKET)


def opened(path: str, mode: str) -> IO[Any]:
    """As `open`. What is written to a bucket is there once it is closed, whole."""
    return blob(path).open(mode) if is_in_bucket(path) else Path(path).open(mode)


def read_text(path: str) -> str | None:
    """None where there is no such file."""
    if not is_in_bucket(path):
        return Path(path).read_text() if Path(path).exists() else None
    from google.api_core.exceptions import NotFound

    try:
        return blob(path).download_as_text()
    except NotFound:
        return None


def listed(directory: str) -> list[str] | None:
    """The files right in it, by name; None where there is no such directory, or, in a bucket, nothing in it."""
    if is_in_bucket(directory):
        base = blob(f"{directory.rstrip('/')}/")
        found = base.client.list_blobs(base.bucket, prefix=base.name, delimiter="/")
        return sorted(f"{BUCKET}{base.bucket.name}/{each.name}" for each in found if each.name != base.name) or None
    if not Path(directory).is_dir():
        return None
    return sorted(str(path.absolute()) for path in Path(directory).iterdir() if path.is_file())


def blob(url: str) -> Any:
    from google.cloud import storage

    return storage.Blob.from_string(url, client=_client())


@cache
def _client() -> Any:
    from google.cloud import storage

    return storage.Client()
