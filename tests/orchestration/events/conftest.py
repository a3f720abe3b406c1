"""A loaded season of which nothing has been computed."""

import pytest

from tests.events import World
from tests.verified import game_days


@pytest.fixture
def world(loaded_house):
    return World(loaded_house, loaded_house.now)


@pytest.fixture(scope="session")
def days(loaded_file):
    """The season's game days, ascending."""
    return game_days(loaded_file)
