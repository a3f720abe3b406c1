"""What lands on a morning knows nothing of what comes later, and in the end all but the lost game has come, right."""

from datetime import UTC, datetime

import pytest

from tests.houses import read
from tests.soak.story import CORRECTED_AFTER, troubled


@pytest.fixture(scope="module")
def story():
    return troubled(12, 12)


@pytest.fixture(scope="module")
def landed(story, tmp_path_factory):
    """Morning -> directory."""
    root = tmp_path_factory.mktemp("landed")
    return {morning: story.land(morning, root / str(morning)) for morning in story.mornings}


def test_every_kind_of_trouble_is_in_it(story):
    assert all((story.late, story.wrong, story.announced, story.lost, story.outages))


def test_nothing_lands_before_it_is_known(story, landed):
    for morning, directory in landed.items():
        now, today = story.now(morning), story.now(morning).date()
        for game in read(directory, "schedule").to_pylist():
            if game["game_id"] in story.day_of and game["home_score"] is not None:
                assert game["game_date"] < today
                assert game["status"] == "Final"
        box = set(read(directory, "player_boxscores")["game_id"].to_pylist())
        assert {story.arrival(game) <= morning for game in box} == {True}
        assert not box & story.lost
        assert max(read(directory, "game_lines")["snapshot_timestamp"].to_pylist()) <= now
        newest = max(read(directory, "prop_lines")["observed_at_utc"].to_pylist())
        assert datetime.strptime(newest, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) <= now
        assert max(read(directory, "injury_report")["game_date"].to_pylist()) < today


def test_a_wrong_count_is_corrected_two_mornings_later(story, landed):
    whole = story.league.player_boxscores
    for game, column in story.wrong.items():
        right = sum(row[column] or 0 for row in whole.to_pylist() if row["game_id"] == game)
        for later, excess in ((0, 1), (CORRECTED_AFTER, 0)):
            rows = read(landed[story.arrival(game) + later], "player_boxscores").to_pylist()
            assert sum(row[column] or 0 for row in rows if row["game_id"] == game) == right + excess


def test_a_postponed_game_stands_under_its_old_day_until_it_is_moved(story, landed):
    for game, announced in story.announced.items():
        seen = []
        for morning in range(announced, announced + 3):
            (row,) = [row for row in read(landed[morning], "schedule").to_pylist() if row["game_id"] == game]
            seen.append((row["status"], story.days.index(row["game_date"])))
        assert seen == [("Scheduled", announced), ("Postponed", announced), ("Scheduled", story.day_of[game])]
