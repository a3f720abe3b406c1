"""`fullcourt events` where no broker is needed, and what `ingest` says of its messages."""

import json

import pytest

from fullcourt.domain.processors import Phase
from tests.events import PRECOMPUTE, World
from tests.verified import game_days


@pytest.fixture
def world(loaded_house):
    return World(loaded_house, loaded_house.now)


@pytest.fixture
def day(world):
    return game_days(world.house)[5]


def on(world):
    return ("--warehouse", world.house.url, "--format", "json")


def test_what_was_not_sent_and_what_could_not_be_handled_is_listed(cli, world, day):
    world.report(PRECOMPUTE[0], day, held="skip_downstream_trigger")
    world.receive("nba-phase4-trigger", b"{")
    code, out, _ = cli("events", "list", *on(world))
    said = json.loads(out)
    assert code == 0
    assert said["outbox"] == [
        {
            "topic": "nba-phase4-processor-complete",
            "state": "held",
            "held_reason": "skip_downstream_trigger",
            "messages": 1,
            "first_day": str(day),
            "last_day": str(day),
        }
    ]
    (letter,) = said["dead_letters"]
    assert letter["reason"].startswith("the message is no JSON: ")
    assert json.loads(cli("events", "release", "--start", day, "--end", day, *on(world))[1]) == [{"released": 1}]
    assert json.loads(cli("events", "list", *on(world))[1])["outbox"][0]["state"] == "waiting"


def test_what_was_lost_is_triggered_and_waits_for_the_next_sending(cli, world, day):
    for name in PRECOMPUTE:
        world.report(name, day)
    now = world.tick(hours=1).isoformat()
    command = ("events", "reconcile", "--start", day, "--end", day, "--now", now, *on(world))
    code, out, err = cli(*command, "--dry-run")
    assert (code, [row["found"] for row in json.loads(out)]) == (0, ["not_triggered"])
    assert "nothing was changed" in err
    assert world.triggers(Phase.PREDICTIONS) == []
    _, _, err = cli(*command)
    assert "1 phases are triggered" in err
    assert "their messages wait in the outbox: `fullcourt events send`, or set FULLCOURT_PUBSUB" in err
    assert len(world.triggers(Phase.PREDICTIONS)) == 1


def test_a_pubsub_has_one_form(cli, world):
    code, _, err = cli("events", "send", "--pubsub", "project", "--warehouse", world.house.url)
    assert (code, err) == (2, "error: unknown Pub/Sub 'project': expected pubsub://project\n")


def test_a_season_that_is_loaded_tells_nobody_and_says_so(cli, empty_house, landing_files):
    where = ("--warehouse", empty_house.url, "--now", empty_house.now.isoformat())
    _, _, err = cli("ingest", landing_files, *where)
    assert "game days are history, no messages tell of them" in err
    assert len(empty_house.table("outbox_events")) == 0
