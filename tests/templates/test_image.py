"""The image's recipe: pinned, of one version of everything, and built of what the repository holds."""

import json
import re
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from templates import audit
from templates.image import RECIPE, bases, steps

REPOSITORY = Path(__file__).parents[2]
TEXT = RECIPE.read_text()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def pins(name):
    """(package, version) of a lock file."""
    text = (REPOSITORY / "requirements" / f"{name}.lock").read_text()
    return set(re.findall(r"^([a-zA-Z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\\n]+)", text, re.MULTILINE))


def test_one_version_of_beam_everywhere():
    """In what is declared, in every lock file, in the image's SDK, and in the environment of these tests."""
    declared = {
        found[1]
        for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
        for line in group
        if (found := re.match(r"apache-beam(?:\[\w+\])?==(\S+)", line))
    }
    (sdk,) = re.findall(r"apache/beam_python3\.11_sdk:([\d.]+)@", TEXT)
    assert declared == {sdk}
    assert {dict(pins(name))["apache-beam"] for name in ("runtime", "dev", "image")} == {sdk}
    assert version("apache-beam") == sdk


def test_one_version_of_python_in_all_of_the_image():
    base, beam, launcher = bases().values()
    assert re.search(r"python:3\.11-slim", base)
    assert "beam_python3.11_sdk" in beam
    assert "python311-template-launcher" in launcher
    (made,) = re.findall(r"^.*-o requirements/image.lock$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert "--python-version 3.11 --python-platform x86_64" in made


def test_every_image_the_recipe_starts_from_is_named_by_digest():
    assert list(bases()) == ["PYTHON_DIGEST", "BEAM_DIGEST", "LAUNCHER_DIGEST"]
    stages, named = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", TEXT, re.MULTILINE), set()
    for image, stage in stages:
        assert image in named or re.search(r"@\$\{\w+_DIGEST\}$", image), image
        named.add(stage)
    assert set(re.findall(r"--from=(\w+)", TEXT)) <= named
    assert re.findall(r"^ARG (.*)$", TEXT, re.MULTILINE) == list(bases()), "no digest has a default"


def test_packages_come_from_the_lock_by_their_hashes_alone():
    commands = [command for step in steps() for command in step.split(" && ")]
    installing = [command for command in commands if re.search(r" pip (install|wheel) ", command)]
    assert len(installing) == 4
    for command in installing:
        assert "--require-hashes" in command or "--no-index" in command, command
    assert "requirements/image.lock" in installing[1]


def test_the_lock_of_the_image_holds_the_versions_that_are_tested():
    """The other lock file is of several versions of Python, and may hold a package once for each."""
    assert pins("image") - pins("dev") == set()


def test_the_recipe_copies_only_what_its_context_holds():
    sources = {
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert sources
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    kept = re.findall(r"^!(\S+)$", (RECIPE.parent / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert {source.partition("/")[0] for source in sources} == set(kept)


def test_the_bill_of_materials_lists_what_the_lock_does():
    """`make sbom` writes it, after `make lock`."""
    text = (RECIPE.parent / "sbom.json").read_text()
    bill = json.loads(text)
    assert {each["name"]: each["version"] for each in bill["components"]} == dict(pins("image"))
    described = bill["metadata"]["component"]
    assert (described["name"], described["version"]) == (PROJECT["name"], PROJECT["version"])
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]
    assert str(REPOSITORY) not in text
    assert "file:" not in text


def test_the_wheel_holds_every_module_and_every_file_beside_them(wheel):
    """Built of nothing but what the recipe copies."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = ("fullcourt", "pipelines", "schemas", "transforms")
    files = {
        str(path.relative_to(REPOSITORY))
        for package in packages
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == files


FINE = {"name": "numpy", "version": "2.4.6", "vulns": []}
BAD = {"name": "jinja2", "version": "3.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}
UNKNOWN = {"name": "uv", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([FINE, FINE], 0, ["pip-audit: 2 packages, no known vulnerability"]),
        ([FINE, BAD], 1, ["jinja2 3.0: PYSEC-1, fixed in 3.1.6"]),
        ([FINE, UNKNOWN], 1, ["not audited: uv"]),
        ([UNKNOWN, UNKNOWN], 0, [audit.SKIPPED]),
    ],
)
def test_an_audit_that_asked_nobody_is_no_pass(dependencies, code, said):
    assert audit.verdict(dependencies) == (code, said)
