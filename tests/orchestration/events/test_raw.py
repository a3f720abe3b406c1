"""Phase 2 tells of the game days that a load brought rows of, and analytics follow; a whole season is no news."""

import json

import pyarrow.compute as pc

from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events.handle import Decision
from fullcourt.orchestration.events.reconcile import look
from tests.houses import change, read, rewrite

BOX = "player_boxscores"


def correct(landing, day, **values):
    """Other figures in the box scores of a game of the day."""
    rows = read(landing, BOX)
    game = rows.filter(pc.field("game_date") == day)["game_id"][0].as_py()
    rewrite(landing, BOX, change(rows, {"game_id": game}, **values))


def test_a_season_is_no_news(loaded_file):
    assert len(loaded_file.table("outbox_events")) == 0


def test_a_corrected_day_starts_the_analytics_that_build_on_it(world, days, landing):
    correct(landing, days[3], pf=1)
    report = world.house.ingest(landing)
    assert report["announced"] == {"messages": 1, "days": 1}
    (event,) = world.outbox()
    message = json.loads(event["payload"])
    assert (event["topic"], message["processor_name"]) == ("nba-phase2-raw-complete", "nbac_gamebook_player_stats")
    assert (
        message
        | {
            "phase": "phase_2_raw",
            "execution_id": report["run_id"],
            "game_date": days[3].isoformat(),
            "status": "success",
            "output_table": "nbac_gamebook_player_stats",
        }
        == message
    )
    assert world.take(event["event_id"]).decision is Decision.TRIGGERED
    (trigger,) = world.triggers(Phase.ANALYTICS)
    fields = json.loads(trigger["payload"])
    assert (trigger["topic"], fields["game_date"]) == ("nba-phase3-trigger", days[4].isoformat())
    assert (fields["triggered_by"], fields["upstream_processors_count"]) == ("nbac_gamebook_player_stats", 2)
    assert world.take(trigger["event_id"]).decision is Decision.LAUNCHED
    assert world.launched == [("analytics", days[4])]
    assert world.take(trigger["event_id"], "again").repeated


def test_the_same_files_again_tell_nothing(world, days, landing):
    correct(landing, days[3], pf=1)
    world.house.ingest(landing)
    assert world.house.ingest(landing)["announced"] == {"messages": 0, "days": 0}
    assert len(world.outbox()) == 1


def test_a_lost_message_of_a_load_is_found(world, days, landing):
    correct(landing, days[3], pf=1)
    world.house.ingest(landing)
    world.tick(hours=2)
    found = [(one.phase, one.day) for one in look(world.warehouse, days[0], days[-1], world.now) if one.due]
    # Its own day is summarised anew by either: the later one runs over both.
    assert found == [(Phase.ANALYTICS, days[3]), (Phase.ANALYTICS, days[4])]


def test_messages_of_a_load_can_be_held_in(world, days, landing):
    correct(landing, days[3], pf=1)
    world.house.ingest(landing, skip_downstream_trigger=True)
    (event,) = world.outbox()
    assert (event["held"], event["held_reason"]) == (True, "skip_downstream_trigger")
    world.tick(hours=2)
    assert not any(one.due for one in look(world.warehouse, days[0], days[-1], world.now))


def test_box_scores_of_a_day_that_lack_are_waited_for(world, days):
    with world.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_raw.nbac_team_boxscore WHERE game_date = @day", day=days[3])
    fields = {
        "processor_name": "nbac_gamebook_player_stats",
        "phase": "phase_2_raw",
        "execution_id": "run",
        "correlation_id": "c",
        "game_date": days[3].isoformat(),
        "status": "success",
        "timestamp": "2024-10-25T12:00:00+00:00",
    }
    handled = world.receive("nba-phase2-raw-complete", fields)
    assert (handled.decision, handled.reason) == (
        Decision.WAITING,
        f"analytics of {days[4]} waits for nbac_team_boxscore of {days[3]}",
    )
