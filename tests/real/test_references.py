"""Contexts, cache, factors and features: every cell of sampled days against slow, obvious references."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from fullcourt.domain.arenas import ARENAS
from schemas import TABLES
from tests.references.compare import KEYS, REFERENCES, UNPREDICTED, assert_as_expected, row_differences
from tests.references.completeness import MLFS, PCF, PDC, UPGC, UTGC
from tests.references.league import WHERE, League

# Days with something particular; all days are in the slow lane.
DAYS = (
    "2022-10-18",  # the first day: nobody has a game behind him
    "2022-10-19",  # the other 24 teams begin
    "2022-11-16",  # the last day of the first thirty
    "2022-12-10",  # seven of sixteen teams played the day before
    "2023-02-09",  # trade deadline; a player is named for two teams
    "2023-02-23",  # the first day after the all-star break: no game in seven days
    "2023-03-07",  # a game was moved to this day
    "2023-04-09",  # the last regular day: all thirty teams
    "2023-04-11",  # play-in
    "2023-04-22",  # playoffs
    "2023-06-12",  # the last final
    "2023-10-24",
    "2023-11-24",  # the first day after the first thirty
    "2023-12-11",  # the cup final of two days before does not count
    "2023-12-23",  # eight of 26 teams played the day before
    "2024-01-31",
    "2024-02-08",  # trade deadline
    "2024-02-22",  # after the all-star break
    "2024-04-14",
    "2024-04-17",  # play-in
    "2024-06-17",  # the last final
)
# Where the buildings are, from memory, to a twentieth of a degree; zones as the hours from New York in January.
WHERE_ARENAS_ARE = {
    "ATL": (33.76, -84.40, 0),
    "BKN": (40.68, -73.98, 0),
    "BOS": (42.37, -71.06, 0),
    "CHA": (35.23, -80.84, 0),
    "CHI": (41.88, -87.67, -1),
    "CLE": (41.50, -81.69, 0),
    "DAL": (32.79, -96.81, -1),
    "DEN": (39.75, -105.01, -2),
    "DET": (42.34, -83.06, 0),
    "GSW": (37.77, -122.39, -3),
    "HOU": (29.75, -95.36, -1),
    "IND": (39.76, -86.16, 0),
    "LAC": (34.04, -118.27, -3),
    "LAL": (34.04, -118.27, -3),
    "MEM": (35.14, -90.05, -1),
    "MIA": (25.78, -80.19, 0),
    "MIL": (43.05, -87.92, -1),
    "MIN": (44.98, -93.28, -1),
    "NOP": (29.95, -90.08, -1),
    "NYK": (40.75, -73.99, 0),
    "OKC": (35.46, -97.52, -1),
    "ORL": (28.54, -81.38, 0),
    "PHI": (39.90, -75.17, 0),
    "PHX": (33.45, -112.07, -2),
    "POR": (45.53, -122.67, -3),
    "SAC": (38.58, -121.50, -3),
    "SAS": (29.43, -98.44, -1),
    "TOR": (43.64, -79.38, 0),
    "UTA": (40.77, -111.90, -2),
    "WAS": (38.90, -77.02, 0),
}


@pytest.fixture(scope="session")
def league(data, season_warehouse):
    return League(data, season_warehouse)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("day", DAYS)
def test_every_cell_of_a_day(league, name, day):
    assert_as_expected(league, name, dt.date.fromisoformat(day))


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("month", [f"{year}-{month:02}" for year in (2022, 2023, 2024) for month in range(1, 13)])
def test_every_cell_of_every_day(league, name, month):
    days = [day for day in league.game_days if f"{day:%Y-%m}" == month]
    if not days:
        pytest.skip(f"no games in {month}")
    for day in days:
        assert_as_expected(league, name, day)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_comparison_notices_every_column(league, name):
    """A stored row with one cell changed or emptied differs in that cell; unpredicted texts are only emptied."""
    day, table = dt.date(2024, 1, 31), TABLES[name]
    key, (verdict, expected) = max(REFERENCES[name](league, day).items())
    (stored,) = (row for row in league.published(name, day) if tuple(row[column] for column in KEYS[name]) == key)
    already = [column for column, *_ in row_differences(table, verdict, expected, stored)[1]]
    for column in table.columns:
        if column.bookkeeping or UNPREDICTED.fullmatch(column.name):
            continue
        changed = [] if column.name.endswith("_hash") or column.reserved else [_another(stored[column.name])]
        for value in [*changed, *([None] if stored[column.name] is not None else [])]:
            _, wrong = row_differences(table, verdict, expected, {**stored, column.name: value})
            assert column.name in {*already, *(found for found, *_ in wrong)}, (column.name, value)


def _another(value):
    """A value of the same kind, near enough to be overlooked."""
    match value:
        case None:
            return 1
        case bool():
            return not value
        case str():
            return value + "x"
        case list():
            return [*value, "x"]
        case dt.date():
            return value + dt.timedelta(days=1)
        case Decimal():
            return value + Decimal(11).scaleb(value.as_tuple().exponent) / 10
        case float():
            return value + 0.2
    return value + 2  # miles may differ by one


def test_rows_of_both_seasons(league):
    """Each team's first game has no row; the four player tables have the same players on every day."""
    team_games = 2 * len(league.games)
    first_games = 2 * 30
    assert league.rows(f"SELECT count(*) AS n FROM warehouse.nba_analytics.{UTGC}") == [{"n": team_games - first_games}]
    players_of_days = [
        league.rows(f"SELECT player_lookup, {day} AS day FROM warehouse.{dataset}.{name} ORDER BY ALL")
        for name, (dataset, day, _) in WHERE.items()
        if name in (UPGC, PDC, PCF, MLFS)
    ]
    assert len(players_of_days[0]) > 60_000
    assert all(rows == players_of_days[0] for rows in players_of_days)


def test_arenas_are_where_they_are():
    assert ARENAS.keys() == WHERE_ARENAS_ARE.keys()
    january = dt.datetime(2023, 1, 15, 12, tzinfo=dt.UTC)
    new_york = january.astimezone(ZoneInfo("America/New_York")).utcoffset()
    for team, (latitude, longitude, zone) in ARENAS.items():
        north, east, hours = WHERE_ARENAS_ARE[team]
        assert abs(latitude - north) < 0.05, team
        assert abs(longitude - east) < 0.05, team
        assert january.astimezone(ZoneInfo(zone)).utcoffset() - new_york == dt.timedelta(hours=hours), team


# By hand, from the schedule: Denver won in Brooklyn on 22 December and went to Charlotte the next day.
def test_one_player_by_hand(league):
    (context,) = [row for row in league.published(UPGC, dt.date(2023, 12, 23)) if row["player_lookup"] == "nikolajokic"]
    assert context["game_id"] == "20231223_DEN_CHA"
    assert (context["days_rest"], context["back_to_back"], context["home_game"]) == (1, True, False)
    assert context["days_rest_before_last_game"] == 2  # in Toronto on the 20th
    assert (context["games_in_last_7_days"], context["games_in_last_14_days"]) == (4, 7)
    assert context["back_to_backs_last_14_days"] == 1  # the 11th and the 12th
    assert abs(context["travel_miles"] - 531) <= 1
    assert context["time_zone_changes"] == 0
    assert context["season_phase"] == "mid"
