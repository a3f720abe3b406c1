"""A run's files, by path on this machine or by URL in a bucket. Google's client is imported on use only."""

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


def blob(url: str) -> Any:
    from google.cloud import storage

    return storage.Blob.from_string(url, client=storage.Client())
