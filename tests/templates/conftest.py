"""The loopback cloud, commands run as a user runs them, and the wheel as the image's recipe builds it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from templates.image import RECIPE
from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.loopback import serving

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def cloud(monkeypatch):
    """Dataflow and Cloud Storage on the loopback interface, and the clients led there."""
    with serving() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        yield server


def copy_context(directory: Path) -> None:
    """What the recipe copies out of the repository, laid out as there."""
    for line in re.findall(r"^COPY (?!--from)(.+)$", RECIPE.read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            target = directory / source
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.endswith("/"):
                shutil.copytree(REPOSITORY / source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(REPOSITORY / source, target)


@pytest.fixture(scope="session")
def wheel(once) -> Path:
    def build(directory: Path) -> None:
        copy_context(directory / "context")
        options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", directory / "wheels")
        command = [sys.executable, "-m", "pip", "wheel", *options, directory / "context"]
        subprocess.run(list(map(str, command)), check=True, cwd=directory)

    (built,) = (once("wheel", build) / "wheels").glob("*.whl")
    return built
