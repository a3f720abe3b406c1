"""The emulators of BigQuery and Cloud Storage, as processes on this machine: for the lane `make test-cloud`.

They live in an environment of their own, which the Makefile makes from requirements/emulators.lock.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[1] / ".venv-emulators"
_BUCKET = "stage"
_READY_SECONDS = 60


@dataclass(frozen=True)
class Emulators:
    """Running servers. The clients find them by the environment's variables."""

    def url(self, staging: Path | str, project: str | None = None) -> str:
        """A warehouse: of a project of its own, which holds nothing, unless it is named. staging: as in a URL."""
        project = project or f"test-{uuid.uuid4().hex[:12]}"
        return f"bigquery://{project}?location=US&temp=gs://{_BUCKET}/{project}&staging={staging}"


def missing() -> str | None:
    """What this machine lacks, by name."""
    for program in ("local-bigquery", "gcp-storage-emulator"):
        if not (ENVIRONMENT / "bin" / program).exists():
            return f"{program} is not installed in {ENVIRONMENT.name}: run `make test-cloud`, which needs Python 3.13"
    try:
        import google.cloud.bigquery  # noqa: F401
    except ImportError:
        return "google-cloud-bigquery is not installed: install the extra gcp"
    return None


@contextmanager
def running(directory: Path) -> Iterator[Emulators]:
    """Both servers on free ports of the loopback interface, with the variables that lead the clients to them."""
    rest, rpc, storage = (free_port() for _ in range(3))
    home = directory / "home"
    _lay_out_extensions(home)
    variables = {
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{rest}",
        "BIGQUERY_STORAGE_EMULATOR_HOST": f"127.0.0.1:{rpc}",
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{storage}",
    }
    commands = {
        "gcp-storage-emulator": f"start --host=127.0.0.1 --port={storage} --in-memory --default-bucket={_BUCKET}",
        "local-bigquery": f"serve --host=127.0.0.1 --port={rest} --grpc-port={rpc} --data-dir={directory / 'data'}",
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    _be_anonymous()
    processes = []
    try:
        for program, options in commands.items():
            with (directory / f"{program}.log").open("w") as log:
                processes.append(
                    subprocess.Popen(
                        [str(ENVIRONMENT / "bin" / program), *options.split()],
                        env=os.environ | {"HOME": str(home)},
                        stdout=log,
                        stderr=log,
                    )
                )
        for port in (storage, rest, rpc):
            await_port(port, directory)
        yield Emulators()
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _be_anonymous() -> None:
    """Beam would look for credentials for 20 s before it does without."""
    from apache_beam.internal.gcp.auth import _Credentials

    _Credentials._credentials_init = True


def _lay_out_extensions(home: Path) -> None:
    """DuckDB's extensions, which it would download, where it looks for those it has: they come as wheels."""
    files = sorted((ENVIRONMENT / "lib").glob("python3*/site-packages/duckdb_extension_*/extensions/*/*"))
    asked = "import duckdb; print(duckdb.sql('PRAGMA platform').fetchone()[0])"
    platform = subprocess.check_output([ENVIRONMENT / "bin" / "python", "-c", asked], text=True).strip()
    for file in files:
        target = home / ".duckdb" / "extensions" / file.parent.name / platform
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, directory: Path) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    logs = "\n".join(path.read_text()[-2000:] for path in directory.glob("*.log"))
    print(logs, file=sys.stderr)
    raise RuntimeError(f"an emulator did not answer on port {port} within {_READY_SECONDS} s")
