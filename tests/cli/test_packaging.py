"""What installs, and under which names."""

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


def test_the_landing_document_is_what_the_schemas_say(capsys):
    schema.landing()
    assert (REPOSITORY / "docs" / "landing.md").read_text() == capsys.readouterr().out
