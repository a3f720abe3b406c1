"""One made-up report, drawn once: 130 players, one of them with a hostile name, over 20 days."""

import pytest

from fullcourt.report.gather import Facts
from fullcourt.report.page import render
from tests.report.made import HOSTILE, made


@pytest.fixture(scope="session")
def made_facts() -> Facts:
    return made([HOSTILE, *(f"player{number:03d}" for number in range(129))], 20)


@pytest.fixture(scope="session")
def made_text(made_facts: Facts) -> str:
    return render(made_facts)
