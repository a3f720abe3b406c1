"""What installs, and under which names."""

from importlib.metadata import files, packages_distributions

import pytest


@pytest.mark.parametrize("package", ["fullcourt", "pipelines", "transforms", "schemas"])
def test_an_import_name_is_ours_alone(package):
    assert packages_distributions()[package] == ["full-court"]


@pytest.mark.parametrize("package", ["tests", "benchmarks", "templates", "docs", "examples", "monitoring"])
def test_nothing_else_of_the_checkout_installs(package):
    assert "full-court" not in packages_distributions().get(package, [])
    assert not [file for file in files("full-court") or [] if file.parts[0] == package]
