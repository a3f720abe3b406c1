"""The simulated league has what the real seasons lack: lines on points and games, injury reports, rosters, defects."""

import datetime as dt

import pytest

from fullcourt.demo.defects import with_defects
from fullcourt.demo.league import simulate, write
from tests.real.conftest import load, run
from tests.references.compare import REFERENCES, assert_as_expected
from tests.references.completeness import UPGC
from tests.references.league import League, newest_quote

FIRST, LAST = dt.date(2024, 10, 22), dt.date(2025, 1, 13)
NOW = dt.datetime(2025, 1, 14, 12, tzinfo=dt.UTC)
DAYS = (
    "2024-10-22",
    "2024-10-24",
    "2024-10-28",
    "2024-11-08",
    "2024-11-22",
    "2024-12-03",  # a game of which nothing is loaded
    "2024-12-04",
    "2024-12-16",  # all box scores of the day are lost: rosters name the players
    "2024-12-17",
    "2024-12-23",  # one team's shots are lost
    "2024-12-28",
    "2025-01-01",  # one team's player rows are lost
    "2025-01-06",
    "2025-01-13",
)


@pytest.fixture(scope="session")
def simulated(once):
    """Half a season with defects, through every phase."""

    def build(directory):
        landing = directory / "landing"
        landing.mkdir()
        league, _ = with_defects(simulate([2024], games_per_team=41))
        write(league, landing)
        warehouse = directory / "simulated.duckdb"
        load(warehouse, landing, NOW)
        for phase in ("analytics", "precompute"):
            run(warehouse, phase, FIRST, LAST, NOW)

    directory = once("simulated_league", build)
    return League(directory / "landing", directory / "simulated.duckdb")


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("day", DAYS)
def test_every_cell_of_a_day(simulated, name, day):
    assert_as_expected(simulated, name, dt.date.fromisoformat(day))


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_every_cell_of_every_day(simulated, name):
    for day in simulated.game_days:
        assert_as_expected(simulated, name, day)


def test_the_line_of_a_game_is_its_newest_quote(simulated):
    games = [row for day in simulated.game_days for row in simulated.rows(CLOSING_LINES, day)]
    expected = {}
    for row in games:
        quotes = simulated.point_quotes(simulated.by_id[row["nba_game_id"]], row["player_lookup"])
        expected[row["nba_game_id"], row["player_lookup"]] = newest_quote(quotes).line if quotes else None
    found = {(row["nba_game_id"], row["player_lookup"]): row["points_line"] for row in games}
    assert sum(line is not None for line in found.values()) > 3000
    assert found == expected


CLOSING_LINES = "SELECT * FROM warehouse.nba_analytics.player_game_summary WHERE game_date = ?"


def test_the_simulated_league_has_what_the_real_seasons_lack(simulated):
    """Else the comparison of these columns would be of nulls with nulls."""
    columns = (
        "current_points_line", "line_movement", "game_spread", "game_total", "spread_movement", "prop_over_streak",
        "prop_under_streak", "star_teammates_out", "player_status", "questionable_teammates", "probable_teammates",
        "primary_source_used", "data_quality_issues",
    )  # fmt: skip
    distinct = ", ".join(f"count(DISTINCT {column}) AS {column}" for column in columns)
    (counts,) = simulated.rows(f"SELECT {distinct} FROM warehouse.nba_analytics.{UPGC}")
    assert {column: count for column, count in counts.items() if count < 2} == {}
