"""Google's Pub/Sub emulator as a process on this machine: the jar of the Cloud SDK, run by java."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.emulators import await_port, free_port

PROJECT = "test-project"
VARIABLE = "PUBSUB_EMULATOR_HOST"


def missing() -> str | None:
    """What this machine lacks, by name."""
    if shutil.which("java") is None:
        return "the Pub/Sub emulator needs java"
    if _jar() is None:
        return "the Pub/Sub emulator is not installed: gcloud components install pubsub-emulator"
    try:
        import google.cloud.pubsub_v1  # noqa: F401
    except ImportError:
        return "google-cloud-pubsub is not installed: install the extra gcp"
    return None


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """The emulator on a free port of the loopback interface; yields the variable's value that leads clients to it."""
    port = free_port()
    command = ["java", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-jar", str(_jar()), "--host=127.0.0.1", f"--port={port}"]
    with (directory / "pubsub.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        await_port(port, directory)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _jar() -> Path | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    library = Path(os.path.realpath(gcloud)).parents[1] / "platform" / "pubsub-emulator" / "lib"
    return max(library.glob("cloud-pubsub-emulator-*-all.jar"), default=None)
