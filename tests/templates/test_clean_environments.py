"""What the image would hold, without an engine to build it: its steps replayed, and workers in a fresh environment."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from fullcourt.domain.processors import Phase, select
from templates.image import steps
from tests.houses import LEDGER
from tests.templates.conftest import REPOSITORY, copy_context

pytestmark = pytest.mark.slow


def fresh(directory):
    """An environment that nothing is installed in, and what a process in it may see of this one."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_", "http"))}
    return {**kept, "PIP_QUIET": "1", "PATH": f"{directory / 'bin'}:/usr/bin:/bin", "HOME": str(directory.parent)}


def normal(pin):
    """name==version, by the one spelling of the name."""
    name, _, number = pin.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={number}"


def test_the_steps_of_the_recipe_install_the_lock_and_the_product(tmp_path):
    """Each stage in an environment of its own; what a mount would hand over lies in one directory."""
    context, wheels = tmp_path / "context", tmp_path / "wheels"
    copy_context(context)
    stages = {"build": fresh(tmp_path / "build"), "final": fresh(tmp_path / "final")}
    for step in steps():
        stage = "final" if f"{wheels.name}/*.whl" in step else "build"
        command = step.replace("/wheels", str(wheels))
        subprocess.run(["bash", "-euc", command], check=True, cwd=context, env=stages[stage])
    final, environment = tmp_path / "final" / "bin", stages["final"]
    asked = (
        "from importlib.metadata import distributions as d; print(*(f'{each.name}=={each.version}' for each in d()))"
    )
    listed = subprocess.check_output([final / "python", "-c", asked], text=True, env=environment, cwd=tmp_path).split()
    own = {each for each in map(normal, listed) if re.match(r"(pip|setuptools|full-court)==", each)}
    assert f"full-court=={version('full-court')}" in own
    lock = (context / "requirements/image.lock").read_text()
    pinned = re.findall(r"^([a-zA-Z0-9._-]+==[^ ;\\]+)", lock, re.MULTILINE)
    assert set(map(normal, listed)) - own == set(map(normal, pinned))
    told = subprocess.check_output([final / "fullcourt", "--help"], text=True, env=environment, cwd=tmp_path)
    assert "Completeness gates" in told
    main = [final / "python", context / "templates/main.py", "--phase=analytics", "--start=2024-01-15"]
    ended = subprocess.run(main, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (ended.returncode, "required: --end, --warehouse" in ended.stderr) == (2, True)


@contextmanager
def serving(command, port, environment, directory):
    """A server process until the block ends, once it listens."""
    with (directory / f"{port}.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=directory, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        assert process.poll() is None, (directory / f"{port}.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_workers_with_nothing_but_the_wheel_make_the_same_tables(season, wheel, tmp_path):
    """A job service, and a pool that starts each worker as a process of its own, as on a service."""
    here, there = (season.house.copy(tmp_path / f"{name}.duckdb") for name in ("here", "there"))
    days = season.judged[0], season.judged[-1]
    here.run("precompute", *days)

    clean = tmp_path / "clean"
    environment = fresh(clean)
    uv = shutil.which("uv", path=str(Path(sys.prefix) / "bin"))
    install = [uv, "pip", "install", "--quiet", "--python", clean / "bin/python", "--no-deps"]
    lock = ["--require-hashes", "--compile-bytecode", "--only-binary", ":all:"]
    subprocess.run([*install, *lock, "-r", REPOSITORY / "requirements/runtime.lock"], check=True)
    subprocess.run([*install, wheel], check=True)
    seen = subprocess.check_output(
        [clean / "bin/python", "-c", "import pipelines; print(pipelines.__file__)"],
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert seen.startswith(str(clean)), "the checkout is not what runs"

    jobs, pool = free_port(), free_port()
    run = [clean / "bin/fullcourt", "run", "precompute", "--start", days[0], "--end", days[1]]
    run += ["--warehouse", there.url, "--now", there.now.isoformat(), "--", "--runner=PortableRunner"]
    run += [f"--job_endpoint=localhost:{jobs}", "--environment_type=EXTERNAL", f"--environment_config=localhost:{pool}"]
    module = "apache_beam.runners"
    with ExitStack() as servers:
        for name, port in (
            (f"{module}.portability.local_job_service_main", f"--port={jobs}"),
            (f"{module}.worker.worker_pool_main", f"--service_port={pool}"),
        ):
            command = [clean / "bin/python", "-m", name, port]
            servers.enter_context(serving(command, int(port.partition("=")[2]), environment, tmp_path))
        ended = subprocess.run(list(map(str, run)), env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode in (0, 1), ended.stderr  # 1: the season's lost games leave days short, as in the other
        said = (tmp_path / f"{pool}.log").read_text()
    assert "fullcourt.orchestration.receipts" in said, "the last step ran in a process that the pool started"

    names = [processor.name for processor in select(Phase.PRECOMPUTE, None)]
    names += [name for name in LEDGER if name != "outbox_events"]  # messages say when, and of which run
    same = here.tables(*names, content=True)
    assert all(same[processor.name].num_rows for processor in select(Phase.PRECOMPUTE, None))
    assert there.tables(*names, content=True) == same
    sent = "SELECT topic, game_date, status, held FROM nba_orchestration.outbox_events ORDER BY topic, game_date"
    assert there.query(sent) == here.query(sent)
