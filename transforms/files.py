"""Files that workers read and write: on this machine, or wherever Beam knows to find them."""

from typing import IO, Any

import pyarrow as pa


def readable(path: str) -> IO[bytes]:
    return _beam().open(path) if _is_url(path) else pa.OSFile(path)


def writable(path: str) -> IO[bytes]:
    """At a URL it is there once it is closed, whole."""
    return _beam().create(path) if _is_url(path) else pa.OSFile(path, "wb")


def _is_url(path: str) -> bool:
    return "://" in path


def _beam() -> Any:
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
