"""Names the packages that install. Everything else about the project is in pyproject.toml."""

from setuptools import find_packages, setup

# An explicit list: a bare find_packages() would also install tests, benchmarks and templates.
setup(packages=find_packages(include=["fullcourt*", "pipelines*", "transforms*", "schemas*"]))
