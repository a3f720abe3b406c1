"""Props, injury reports and game lines to raw tables: what each column becomes, and what cannot be read."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from fullcourt.domain.names import TEAM_NAMES, player_lookup
from tests.houses import House, change, read, rewrite

TABLES = {"prop_lines": "player_props", "injury_report": "injury_reports", "game_lines": "game_lines"}
FULL_NAME = {code: name for name, code in TEAM_NAMES.items()}
EARLY, LATE = "2024-10-25T22:00:00Z", "2024-10-26T17:00:00-04:00"


@pytest.fixture
def alone(tmp_path):
    """A directory for landing files that arrive by themselves."""
    directory = tmp_path / "alone"
    directory.mkdir()
    return directory


@pytest.fixture(scope="module")
def known_file(empty_file, landing_files, tmp_path_factory) -> House:
    """A warehouse that knows the schedule and the players, and no line yet; not to be written to."""
    directory = tmp_path_factory.mktemp("known")
    (directory / "landing").mkdir()
    for stem in ("schedule", "players"):
        rewrite(directory / "landing", stem, read(landing_files, stem))
    house = empty_file.copy(directory / "known.duckdb")
    house.ingest(directory / "landing")
    return house


@pytest.fixture
def house(known_file, tmp_path) -> House:
    return known_file.copy(tmp_path / "house.duckdb")


@pytest.fixture
def game(landing_files):
    """A regular game of the schedule, as a row."""
    return next(row for row in read(landing_files, "schedule").to_pylist() if row["season_type"] == "regular")


@pytest.fixture
def player(landing_files):
    return read(landing_files, "players").to_pylist()[0]


def prop(game, player, **values):
    row = {
        "market": "points",
        "resolved_game_id": game["game_id"],
        "player_name_as_listed": player["player_name"],
        "resolved_player_id": player["player_id"],
        "bookmaker": "DraftKings",
        "line": "21.5",
        "over_price": "-110",
        "under_price": "-112.5",
        "observed_at_utc": EARLY,
    }
    return row | values


def report(game, player, **values):
    row = {
        "game_date": game["game_date"],
        "team_tricode": game["home_tricode"],
        "player_id": player["player_id"],
        "player_name": player["player_name"],
        "injury_status": "Questionable",
        "reason": "Left Ankle; Sprain",
        "report_hour": "11",
    }
    return row | values


def game_line(game, **values):
    row = {
        "game_date": game["game_date"],
        "home_team": FULL_NAME[game["home_tricode"]],
        "away_team": FULL_NAME[game["away_tricode"]],
        "market_key": "spreads",
        "bookmaker_key": "draftkings",
        "outcome_name": FULL_NAME[game["away_tricode"]],
        "outcome_point": "4.5",
        "snapshot_timestamp": EARLY,
    }
    return row | values


def put(directory, name, rows):
    """The only file of its stem: rows with the same columns, as Parquet or CSV."""
    for old in directory.glob(f"{name.split('.')[0]}.*"):
        old.unlink()
    table = pa.Table.from_pylist(rows)
    if name.endswith(".csv"):
        pacsv.write_csv(table, directory / name)
    else:
        pq.write_table(table, directory / name)


def stored(house, table):
    """The table's rows without bookkeeping, in order of the grain."""
    return house.table(table, content=True).to_pylist()


def letters(house):
    rows = house.query(
        "SELECT row_number, field, value, reason FROM nba_orchestration.dead_letters ORDER BY row_number"
    )
    return [tuple(row.values()) for row in rows]


# ---- what loads

EXTENSIONS = pytest.mark.parametrize("extension", ["parquet", "csv"])


@EXTENSIONS
def test_every_column_of_a_prop_arrives(house, alone, game, player, extension):
    rows = [
        prop(game, player, market=" Points ", bookmaker=" BetOnline.ag "),
        prop(game, player, market="points_rebounds_assists", line="33.0", over_price=None, observed_at_utc=LATE),
    ]
    put(alone, f"prop_lines.{extension}", rows)
    (file,) = house.ingest(alone, max_dead_percent=0)["files"]
    assert (file["rows_read"], file["rows_loaded"], file["rows_excluded"], file["rows_dead"]) == (2, 2, 0, 0)
    shared = {
        "nba_game_id": game["game_id"],
        "game_id": f"{game['game_date']:%Y%m%d}_{game['away_tricode']}_{game['home_tricode']}",
        "game_date": game["game_date"],
        "season_year": 2024,
        "season_type": "regular",
        "player_lookup": player_lookup(player["player_name"]),
        "universal_player_id": str(player["player_id"]),
        "player_name": player["player_name"],
        "name_status": "resolved",
        "under_price": -112.5,
    }
    assert stored(house, "player_props") == [
        shared
        | {
            "snapshot_id": f"{game['game_id']}:points:BetOnline.ag:2024-10-25T22:00:00Z",
            "market": "points",
            "bookmaker": "BetOnline.ag",
            "line": Decimal("21.5"),
            "over_price": -110.0,
            "snapshot_timestamp": dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC),
        },
        shared
        | {
            "snapshot_id": f"{game['game_id']}:points_rebounds_assists:DraftKings:2024-10-26T21:00:00Z",
            "market": "points_rebounds_assists",
            "bookmaker": "DraftKings",
            "line": Decimal("33.0"),
            "over_price": None,
            "snapshot_timestamp": dt.datetime(2024, 10, 26, 21, tzinfo=dt.UTC),
        },
    ]


@EXTENSIONS
def test_every_column_of_an_injury_report_arrives(house, alone, game, player, extension):
    """Also of a team's report on a day on which the schedule has no game."""
    rows = [
        report(game, player),
        report(game, player, report_hour="17", injury_status="OUT", reason=None),
        report(game, player, game_date=dt.date(2025, 7, 1), injury_status="probable "),
    ]
    put(alone, f"injury_report.{extension}", rows)
    house.ingest(alone, max_dead_percent=0)
    shared = {
        "season_year": 2024,
        "team_abbr": game["home_tricode"],
        "player_lookup": player_lookup(player["player_name"]),
        "universal_player_id": str(player["player_id"]),
        "player_name": player["player_name"],
        "name_status": "resolved",
    }
    wanted = [
        (game["game_date"], "questionable", "Left Ankle; Sprain", 11),
        (game["game_date"], "out", None, 17),
        (dt.date(2025, 7, 1), "probable", "Left Ankle; Sprain", 11),
    ]
    assert stored(house, "injury_reports") == [
        shared
        | {
            "report_id": f"{day:%Y%m%d}_{game['home_tricode']}_{hour}",
            "game_date": day,
            "injury_status": status,
            "reason": reason,
            "report_hour": hour,
        }
        for day, status, reason, hour in wanted
    ]


@EXTENSIONS
def test_every_column_of_a_game_line_arrives(house, alone, game, extension):
    totals = {"market_key": "TOTALS", "outcome_name": "over", "outcome_point": "221.0"}
    rows = [
        game_line(game, bookmaker_key=" DraftKings", outcome_point="-4.5", outcome_name=game["away_tricode"].lower()),
        game_line(game, snapshot_timestamp=LATE, home_team=game["home_tricode"], **totals),
        game_line(game, **totals | {"outcome_name": "UNDER"}),
    ]
    put(alone, f"game_lines.{extension}", rows)
    house.ingest(alone, max_dead_percent=0)
    shared = {
        "nba_game_id": game["game_id"],
        "game_id": f"{game['game_date']:%Y%m%d}_{game['away_tricode']}_{game['home_tricode']}",
        "game_date": game["game_date"],
        "season_year": 2024,
        "season_type": "regular",
        "bookmaker_key": "draftkings",
    }
    wanted = [
        ("spreads", game["away_tricode"], "-4.5", dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC)),
        ("totals", "Over", "221.0", dt.datetime(2024, 10, 26, 21, tzinfo=dt.UTC)),
        ("totals", "Under", "221.0", dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC)),
    ]
    assert stored(house, "game_lines") == [
        shared
        | {
            "snapshot_id": f"{game['game_id']}:{market}:draftkings:{seen:%Y-%m-%dT%H:%M:%SZ}",
            "market_key": market,
            "outcome_name": outcome,
            "outcome_point": Decimal(point),
            "snapshot_timestamp": seen,
        }
        for market, outcome, point, seen in wanted
    ]


@pytest.mark.parametrize("name", ["LA Clippers", "Los Angeles Clippers", "los angeles clippers ", "LAC"])
def test_one_team_goes_by_several_names(house, alone, landing_files, name):
    """The game is found by its day and sides, and a spread belongs to a side."""
    schedule = read(landing_files, "schedule").to_pylist()
    game = next(row for row in schedule if row["season_type"] == "regular" and row["away_tricode"] == "LAC")
    put(alone, "game_lines.parquet", [game_line(game, away_team=name, outcome_name=name)])
    house.ingest(alone, max_dead_percent=0)
    (row,) = stored(house, "game_lines")
    assert (row["nba_game_id"], row["outcome_name"]) == (game["game_id"], "LAC")


def test_a_name_that_names_nobody_loads_without_a_key(house, alone, game, player):
    """A line may be anybody's; someone new on an injury report is a new player, as on an inactive list."""
    nobody = {"resolved_player_id": None, "player_name_as_listed": "Misspelt Name"}
    newcomer = {"player_id": None, "player_name": "New Arrival"}
    put(alone, "prop_lines.parquet", [prop(game, player), prop(game, player, **nobody)])
    put(alone, "injury_report.parquet", [report(game, player), report(game, player, **newcomer)])
    house.ingest(alone, max_dead_percent=0)
    names = [
        {row["player_name"]: (row["player_lookup"], row["name_status"]) for row in stored(house, table)}
        for table in ("player_props", "injury_reports")
    ]
    assert names[0]["Misspelt Name"] == (None, "NAME_UNRESOLVED")
    assert names[1]["New Arrival"] == ("newarrival", "resolved")
    assert letters(house) == []


def test_preseason_lines_are_kept_and_counted_apart(house, alone, landing_files, game, player):
    schedule = read(landing_files, "schedule").to_pylist()
    before = next(r for r in schedule if r["season_type"] == "preseason" and r["away_tricode"] in FULL_NAME)
    put(alone, "prop_lines.parquet", [prop(game, player), prop(before, player)])
    put(alone, "game_lines.parquet", [game_line(game), game_line(before)])
    files = house.ingest(alone, max_dead_percent=0)["files"]
    assert [(file["rows_loaded"], file["rows_excluded"]) for file in files] == [(2, 1), (2, 1)]
    assert {row["season_type"] for row in stored(house, "game_lines")} == {"regular", "preseason"}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("prop_lines_pra.parquet", "loaded"),
        ("prop_lines_points-2024-25.csv", "loaded"),
        ("prop_lines_points_20241026.parquet", "loaded"),
        ("prop_lines-2024-25.parquet", "loaded"),
        ("prop_lines2.parquet", "ignored"),
        ("injury_report_final.parquet", "ignored"),
        ("game_lines_spreads.parquet", "ignored"),
    ],
)
def test_only_props_may_carry_a_label(house, alone, game, player, name, status):
    """What the label says is not read: the market is a column."""
    put(alone, "injury_report.parquet", [report(game, player)])
    put(alone, name, [prop(game, player, market="assists")])
    files = {file["file_name"]: file["status"] for file in house.ingest(alone, max_dead_percent=0)["files"]}
    assert files == {"injury_report.parquet": "loaded", name: status}
    assert [row["market"] for row in stored(house, "player_props")] == ["assists"] * (status == "loaded")


# ---- again


def test_a_whole_league_loads_and_the_same_files_again_change_nothing(loaded_file, loaded_house, landing, league):
    for stem, table in TABLES.items():
        count = read(landing, stem).num_rows
        assert loaded_file.one(f"SELECT COUNT(*) AS n FROM nba_raw.{table}") == count > 0
    for stem in ("schedule", "players", "player_boxscores", "team_boxscores", "shots-by-zone", "inactives"):
        (landing / f"{stem}.parquet").unlink()
    before = loaded_house.tables(*TABLES.values())
    report = loaded_house.ingest(landing, now=loaded_house.now + dt.timedelta(days=1))
    assert loaded_house.tables(*TABLES.values()) == before
    assert {table["changed"] for table in report["tables"]} == {0}


def test_a_later_snapshot_keeps_the_earlier_ones(house, alone, game, player):
    put(alone, "prop_lines.parquet", [prop(game, player)])
    put(alone, "game_lines.parquet", [game_line(game)])
    put(alone, "injury_report.parquet", [report(game, player)])
    house.ingest(alone)
    put(alone, "prop_lines.parquet", [prop(game, player, line="23.5", observed_at_utc=LATE)])
    put(alone, "game_lines.parquet", [game_line(game, outcome_point="6.5", snapshot_timestamp=LATE)])
    put(alone, "injury_report.parquet", [report(game, player, injury_status="Out", report_hour="17")])
    house.ingest(alone)
    assert [row["line"] for row in stored(house, "player_props")] == [Decimal("21.5"), Decimal("23.5")]
    assert [row["outcome_point"] for row in stored(house, "game_lines")] == [Decimal("4.5"), Decimal("6.5")]
    assert [row["injury_status"] for row in stored(house, "injury_reports")] == ["questionable", "out"]


def test_a_corrected_file_replaces_the_snapshots_in_it(house, alone, landing_files, game, player):
    other = read(landing_files, "players").to_pylist()[1]
    gone = {"player_name_as_listed": other["player_name"], "resolved_player_id": other["player_id"]}
    pra = {"market": "points_rebounds_assists"}
    put(alone, "prop_lines.parquet", [prop(game, player), prop(game, player, **gone), prop(game, player, **pra)])
    house.ingest(alone)
    put(alone, "prop_lines.parquet", [prop(game, player, line="22.5")])
    (table,) = house.ingest(alone)["tables"]
    assert (table["covered"], table["changed"]) == (1, 1)
    assert [(row["market"], row["line"]) for row in stored(house, "player_props")] == [
        ("points", Decimal("22.5")),
        ("points_rebounds_assists", Decimal("21.5")),
    ]


def test_of_repeats_the_last_row_stays(house, alone, game, player):
    put(alone, "prop_lines.parquet", [prop(game, player), prop(game, player), prop(game, player, line="22.5")])
    (table,) = house.ingest(alone)["tables"]
    assert (table["rows"], table["repeats_dropped"]) == (1, 2)
    assert [row["line"] for row in stored(house, "player_props")] == [Decimal("22.5")]


def test_a_fixture_under_two_league_ids_takes_the_row_the_schedule_keeps(house, alone, landing_files, game):
    schedule = read(landing_files, "schedule")
    stale = change(
        schedule.filter(pc.field("game_id") == game["game_id"]),
        {}, game_id="0022499999", status="Scheduled", home_score=None, away_score=None,
    )  # fmt: skip
    rewrite(alone, "schedule", stale)
    put(alone, "game_lines.parquet", [game_line(game)])
    house.ingest(alone)
    assert [row["nba_game_id"] for row in stored(house, "game_lines")] == [game["game_id"]]


# ---- dead letters

A_LINE = "expected a number below 10000 with at most 1 decimal"
AN_INSTANT = "expected an instant with its time zone"
A_TEAM = "expected the full name of one of the league's 30 teams"
NO_VALUE = "expected a value, found none"
# What a row of the file says instead, and the letter it becomes: field, value, reason.
DAMAGE = {
    "prop_lines": [
        ({"line": "abc"}, "line", "abc", A_LINE),
        ({"line": "21.25"}, "line", "21.25", A_LINE),
        ({"line": "0"}, "line", "0.0", "expected more than 0 and less than 1000"),
        ({"line": "-3.5"}, "line", "-3.5", "expected more than 0 and less than 1000"),
        ({"line": "1000"}, "line", "1000.0", "expected more than 0 and less than 1000"),
        ({"line": None}, "line", None, NO_VALUE),
        ({"market": " "}, "market", None, NO_VALUE),
        ({"bookmaker": None}, "bookmaker", None, NO_VALUE),
        ({"player_name_as_listed": None}, "player_name_as_listed", None, NO_VALUE),
        ({"over_price": "NaN"}, "over_price", "NaN", "expected a finite number"),
        ({"under_price": "Infinity"}, "under_price", "Infinity", "expected a finite number"),
        ({"observed_at_utc": "2024-10-25T22:00:00"}, "observed_at_utc", "2024-10-25T22:00:00", AN_INSTANT),
        ({"observed_at_utc": "yesterday"}, "observed_at_utc", "yesterday", AN_INSTANT),
        ({"observed_at_utc": None}, "observed_at_utc", None, NO_VALUE),
        ({"resolved_game_id": "22400001"}, "resolved_game_id", "22400001", "expected the league's 10 digits, kept"),
        ({"resolved_game_id": "0022488888"}, "resolved_game_id", "0022488888", "expected a game of the schedule"),
        ({"resolved_player_id": "x1"}, "resolved_player_id", "x1", "expected a whole number"),
    ],
    "injury_report": [
        ({"injury_status": "Sick"}, "injury_status", "Sick", "expected one of out, doubtful, questionable, probable, "),
        ({"injury_status": None}, "injury_status", None, "expected one of out, doubtful, questionable, probable, "),
        ({"team_tricode": "XXX"}, "team_tricode", "XXX", "expected one of the league's 30 tricodes"),
        ({"report_hour": "24"}, "report_hour", "24", "expected an hour from 0 to 23"),
        ({"report_hour": "5 PM"}, "report_hour", "5 PM", "expected a whole number"),
        ({"report_hour": None}, "report_hour", None, NO_VALUE),
        ({"player_name": None}, "player_name", None, NO_VALUE),
        ({"game_date": None}, "game_date", None, NO_VALUE),
        ({"game_date": "soon"}, "game_date", "soon", "expected a date, or an instant with its time zone"),
    ],
    "game_lines": [
        ({"home_team": "Seattle SuperSonics"}, "home_team", "Seattle SuperSonics", A_TEAM),
        ({"away_team": None}, "away_team", None, A_TEAM),
        ({"game_date": "2024-08-01"}, "game_date", "20240801_{away}_{home}", "expected a game of the schedule"),
        ({"game_date": None}, "game_date", None, NO_VALUE),
        ({"market_key": "h2h"}, "market_key", "h2h", "expected spreads or totals"),
        ({"bookmaker_key": ""}, "bookmaker_key", None, NO_VALUE),
        ({"outcome_name": "Over"}, "outcome_name", "Over", "expected one of the game's two teams"),
        ({"outcome_name": None}, "outcome_name", None, "expected one of the game's two teams"),
        ({"market_key": "totals"}, "outcome_name", "{away_name}", "expected Over or Under"),
        ({"outcome_point": "pk"}, "outcome_point", "pk", A_LINE),
        ({"outcome_point": None}, "outcome_point", None, NO_VALUE),
        ({"outcome_point": "-1000.0"}, "outcome_point", "-1000.0", "expected less than 1000 either way"),
        (
            {"market_key": "totals", "outcome_name": "Over", "outcome_point": "-200"},
            "outcome_point", "-200.0", "expected a total above 0",
        ),
        ({"snapshot_timestamp": "2024-10-25 22:00"}, "snapshot_timestamp", "2024-10-25 22:00", AN_INSTANT),
    ],
}  # fmt: skip


@EXTENSIONS
@pytest.mark.parametrize("stem", DAMAGE)
def test_fault_17_rows_that_cannot_be_read_are_dead_letters_and_the_rest_loads(
    house, alone, game, player, stem, extension
):
    whole = {"prop_lines": prop(game, player), "injury_report": report(game, player), "game_lines": game_line(game)}
    row = {name: str(value) for name, value in whole[stem].items()}
    put(alone, f"{stem}.{extension}", [row | damage for damage, *_ in DAMAGE[stem]] + [row])
    house.ingest(alone, max_dead_percent=100)
    filled = {
        "away": game["away_tricode"], "home": game["home_tricode"], "away_name": FULL_NAME[game["away_tricode"]]
    }  # fmt: skip
    for letter, (number, (_, field, value, reason)) in zip(
        letters(house), enumerate(DAMAGE[stem], start=1), strict=True
    ):
        assert letter[:3] == (number, field, value and value.format(**filled))
        assert letter[3].startswith(reason)
    assert len(stored(house, TABLES[stem])) == 1


def test_an_arrow_time_without_a_zone_cannot_be_read_and_one_with_a_zone_can(house, alone, game):
    naive = pa.array([dt.datetime(2024, 10, 25, 22)], pa.timestamp("ns"))
    local = naive.cast(pa.timestamp("ns", tz="America/New_York"))
    for instant in (naive, local):
        table = pa.Table.from_pylist([game_line(game)])
        place = table.schema.get_field_index("snapshot_timestamp")
        rewrite(alone, "game_lines", table.set_column(place, "snapshot_timestamp", instant))
        house.ingest(alone, max_dead_percent=100)
        if instant is naive:
            assert letters(house) == [(1, "snapshot_timestamp", "2024-10-25 22:00:00.000000000", AN_INSTANT)]
            assert stored(house, "game_lines") == []
    (row,) = stored(house, "game_lines")
    assert row["snapshot_timestamp"] == dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC)
