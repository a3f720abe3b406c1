"""The Pub/Sub emulator, and a project of its own for each test."""

import uuid

import pytest

from fullcourt.pubsub.address import Address
from fullcourt.pubsub.client import PubSub
from tests import pubsub_emulator
from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.events import World
from tests.verified import game_days


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    if lacking := pubsub_emulator.missing():
        pytest.skip(lacking)
    with pubsub_emulator.running(tmp_path_factory.mktemp("pubsub")) as host:
        yield host


@pytest.fixture
def address(emulator, monkeypatch):
    """Of a project in which everything is set up."""
    monkeypatch.setenv(pubsub_emulator.VARIABLE, emulator)
    found = Address(f"test-{uuid.uuid4().hex[:12]}")
    PubSub(found).set_up()
    return found


@pytest.fixture
def world(loaded_house):
    return World(loaded_house, loaded_house.now)


@pytest.fixture(scope="session")
def days(loaded_file):
    return game_days(loaded_file)
