"""Many made-up inputs: a few in the default lane, thousands in the slow one, each counted for docs/reliability.md."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import figures

FEW = 40
# What people and machines write that ends up in places where it means something.
HOSTILE = (
    "'; DROP TABLE x; --",
    '"',
    "`",
    "$1",
    "@day",
    "{}",
    "%s",
    "\\",
    "\n",
    "\x00",
    "=1+1",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "-1",
    "NaN",
    "Infinity",
    "1e309",
    "null",
    "2024-02-30",
    "9999-12-31",
    "0001-01-01",
    "🏀" * 3,
    "é",
    "",
    " ",
    "x" * 5_000,
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


def lanes(slow: int) -> pytest.MarkDecorator:
    """Parametrizes a test by how many inputs it tries; slow: in the slow lane."""
    return pytest.mark.parametrize("inputs", [FEW, pytest.param(slow, marks=pytest.mark.slow)])


def try_all(inputs: int, made: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """check: raises on whatever must not come of an input."""

    @settings(max_examples=inputs, database=None, suppress_health_check=list(HealthCheck))
    @given(made)
    def tried(value: Any) -> None:
        check(value)

    tried()
    figures.count(figures.BAD_INPUTS, inputs)
