"""What installs, and under which names."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from fullcourt.cli import schema

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("package", ["fullcourt", "pipelines", "transforms", "schemas"])
def test_an_import_name_is_ours_alone(package):
    assert packages_distributions()[package] == ["full-court"]


@pytest.mark.parametrize("package", ["tests", "benchmarks", "templates", "docs", "examples", "monitoring"])
def test_nothing_else_of_the_checkout_installs(package):
    assert "full-court" not in packages_distributions().get(package, [])


def test_files_that_are_no_modules_install_with_their_package():
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {
        file
        for package, patterns in declared.items()
        for pattern in patterns
        for file in REPOSITORY.joinpath(*package.split(".")).glob(pattern)
    }
    others = {
        file
        for package in ("fullcourt", "pipelines", "transforms", "schemas")
        for file in (REPOSITORY / package).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert installed == others != set()


def test_the_landing_document_is_what_the_schemas_say(capsys):
    schema.landing()
    assert (REPOSITORY / "docs" / "landing.md").read_text() == capsys.readouterr().out


def test_the_page_of_commands_is_what_the_commands_say(tmp_path):
    """`make generate` writes it."""
    written = tmp_path / "commands.md"
    command = [sys.executable, "-m", "typer", "fullcourt.cli.main", "utils", "docs", "--name", "fullcourt"]
    subprocess.run([*command, "--title", "Commands", "--output", str(written)], check=True, cwd=REPOSITORY)
    assert (REPOSITORY / "docs" / "commands.md").read_text() == written.read_text()
