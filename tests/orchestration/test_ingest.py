"""Landing files to raw tables: what loads, what is kept apart, what is refused, and what a second load changes."""

import datetime as dt
import gzip
import hashlib
import re
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from fullcourt.domain.calendar import counted_games
from fullcourt.domain.errors import EngineError, GateError, UsageError
from fullcourt.domain.names import player_lookup
from tests.houses import RAW, House, change, read, rewrite

STEMS = (
    "schedule",
    "player_boxscores",
    "team_boxscores",
    "shots-by-zone",
    "inactives",
    "players",
    "prop_lines",
    "injury_report",
    "game_lines",
)


def as_csv(directory, compress):
    """Rewrites every landing file as CSV."""
    for path in directory.glob("*.parquet"):
        target = path.with_suffix(".csv.gz" if compress else ".csv")
        with gzip.open(target, "wb") if compress else target.open("wb") as file:
            pacsv.write_csv(pq.read_table(path), file)
        path.unlink()


def only(directory, *stems):
    """Leaves these landing files alone in the directory."""
    for path in directory.iterdir():
        if path.name.split(".")[0] not in stems:
            path.unlink()


def first(table, **where):
    """The first row with these values."""
    return next(row for row in table.to_pylist() if all(row[name] == value for name, value in where.items()))


def a_game(directory, number=0):
    """A regular game of the schedule, as a row."""
    games = [row for row in read(directory, "schedule").to_pylist() if row["season_type"] == "regular"]
    return games[number]


def letters(house):
    return house.query(
        "SELECT source, row_number, field, value, reason FROM nba_orchestration.dead_letters "
        "ORDER BY source, row_number"
    )


def raw_row(house, nba_game_id, player_name, table="nbac_gamebook_player_stats"):
    (row,) = [
        row
        for row in house.table(table).to_pylist()
        if row["nba_game_id"] == nba_game_id and row["player_name"] == player_name
    ]
    return row


# ---- what loads


def test_every_row_of_the_league_is_loaded(loaded_file, league):
    rows = {name: loaded_file.one(f"SELECT COUNT(*) AS n FROM {table}") for name, table in (
        ("schedule", "nba_raw.nbac_schedule"), ("player_boxscores", "nba_raw.nbac_gamebook_player_stats"),
        ("team_boxscores", "nba_raw.nbac_team_boxscore"), ("shots", "nba_raw.shot_zones"),
        ("inactives", "nba_raw.inactive_lists"), ("prop_lines", "nba_raw.player_props"),
        ("injury_reports", "nba_raw.injury_reports"), ("game_lines", "nba_raw.game_lines"),
    )}  # fmt: skip
    assert rows == {name: getattr(league, name).num_rows for name in rows}
    assert letters(loaded_file) == []


def test_the_numbers_arrive_under_their_names(loaded_file, league):
    sums = loaded_file.query(
        "SELECT SUM(points) AS pts, SUM(rebounds) AS reb, SUM(turnovers) AS tov, SUM(three_pt_attempts) AS fg3a, "
        "SUM(seconds_played) AS seconds_played, SUM(plus_minus) AS plus_minus FROM nba_raw.nbac_gamebook_player_stats"
    )[0]
    assert sums == {name: pc.sum(league.player_boxscores[name]).as_py() for name in sums}
    zones = loaded_file.query(
        "SELECT SUM(three_pt_attempts) AS three, SUM(paint_makes) AS paint FROM nba_raw.shot_zones"
    )
    three = sum(pc.sum(league.shots[f"{zone}_fga"]).as_py() for zone in ("corner3", "above_break3", "backcourt"))
    assert zones == [{"three": three, "paint": pc.sum(league.shots["paint_fgm"]).as_py()}]


@pytest.mark.parametrize("compress", [False, True], ids=["csv", "csv.gz"])
def test_csv_gives_the_same_tables_as_parquet(loaded_file, empty_house, landing, compress):
    as_csv(landing, compress)
    empty_house.ingest(landing)
    for name in RAW:
        assert empty_house.table(name, content=True).equals(loaded_file.table(name, content=True)), name


def test_a_file_may_be_split_by_season_or_day_and_quoted_or_with_a_byte_order_mark(loaded_file, empty_house, landing):
    games = read(landing, "team_boxscores")
    half = games.num_rows // 2
    (landing / "team_boxscores.parquet").unlink()
    pq.write_table(games.slice(0, half), landing / "team_boxscores-2024-25.parquet")
    quoted = landing / "team_boxscores_20241103.csv"
    pacsv.write_csv(games.slice(half), quoted, pacsv.WriteOptions(quoting_style="all_valid"))
    quoted.write_bytes(b"\xef\xbb\xbf" + quoted.read_bytes())
    empty_house.ingest(landing)
    assert empty_house.table("nbac_team_boxscore", content=True) == loaded_file.table(
        "nbac_team_boxscore", content=True
    )


def test_dictionaries_and_large_strings_load_alike(loaded_file, empty_house, landing):
    for stem in STEMS:
        table = read(landing, stem)
        kinds = {"player_name": pa.dictionary(pa.int32(), pa.string()), "game_id": pa.large_string()}
        kinds["season_type"] = pa.dictionary(pa.int8(), pa.large_string())
        schema = pa.schema([f.with_type(kinds.get(f.name, f.type)) for f in table.schema])
        rewrite(landing, stem, table.cast(schema))
    empty_house.ingest(landing)
    for name in RAW:
        assert empty_house.table(name, content=True).equals(loaded_file.table(name, content=True)), name


# ---- again


def test_the_same_files_again_change_nothing(loaded_house, landing):
    before = loaded_house.tables(*RAW)
    report = loaded_house.ingest(landing, now=loaded_house.now + dt.timedelta(days=1))
    assert loaded_house.tables(*RAW) == before
    assert {table["table"]: table["changed"] for table in report["tables"]} == dict.fromkeys(
        [f"nba_raw.{name}" for name in RAW if name != "player_aliases"] + ["nba_reference.player_aliases"], 0
    )
    assert {file["status"] for file in report["files"]} == {"unchanged"}


def test_a_corrected_file_replaces_only_the_games_it_changes(loaded_house, landing):
    game = a_game(landing)["game_id"]
    box = read(landing, "player_boxscores")
    player = first(box, game_id=game, played=True)["player_name"]
    points = first(box, game_id=game, player_name=player)
    rewrite(
        landing, "player_boxscores",
        change(box, {"game_id": game, "player_name": player}, pts=points["pts"] + 1, ftm=points["ftm"] + 1,
               fta=points["fta"] + 1),
    )  # fmt: skip
    before = loaded_house.tables(*RAW)
    report = loaded_house.ingest(landing)
    after = loaded_house.tables(*RAW)
    assert {t["table"]: t["changed"] for t in report["tables"] if t["changed"]} == {
        "nba_raw.nbac_gamebook_player_stats": 1
    }
    table = "nbac_gamebook_player_stats"
    rows = (tables[table].to_pylist() for tables in (before, after))
    differing = [new for old, new in zip(*rows, strict=True) if old != new]
    assert {row["nba_game_id"] for row in differing} == {game}
    assert {row["run_id"] for row in differing} == {report["run_id"]}
    assert raw_row(loaded_house, game, player)["points"] == points["pts"] + 1
    assert all(after[name] == before[name] for name in RAW if name != table)


def test_a_row_gone_from_a_corrected_game_goes_and_other_games_stay(loaded_house, landing):
    only(landing, "player_boxscores")
    game = a_game_of(landing)
    box = read(landing, "player_boxscores").filter(pc.field("game_id") == game)
    gone = box["player_name"][0].as_py()
    rewrite(landing, "player_boxscores", box.slice(1))
    count = "SELECT COUNT(*) AS n FROM nba_raw.nbac_gamebook_player_stats"
    before = loaded_house.one(count)
    report = loaded_house.ingest(landing)
    assert loaded_house.one(count) == before - 1
    assert report["tables"] == [
        {"table": "nba_raw.nbac_gamebook_player_stats", "rows": box.num_rows - 1, "repeats_dropped": 0, "covered": 1,
         "changed": 1}
    ]  # fmt: skip
    found = loaded_house.query(
        f"SELECT player_name FROM nba_raw.nbac_gamebook_player_stats WHERE nba_game_id = '{game}'"
    )
    assert gone not in {row["player_name"] for row in found}


def a_game_of(directory):
    return read(directory, "player_boxscores")["game_id"][0].as_py()


def test_box_scores_find_the_schedule_and_the_names_loaded_before(empty_house, loaded_file, landing, tmp_path):
    early = tmp_path / "early"
    early.mkdir()
    for stem in ("schedule", "players"):
        shutil.move(landing / f"{stem}.parquet", early)
    empty_house.ingest(early)
    empty_house.ingest(landing)
    for name in RAW:
        assert empty_house.table(name, content=True).equals(loaded_file.table(name, content=True)), name


# ---- names


def test_a_bare_name_that_the_registry_lacks_is_nobody_if_he_played(empty_house, landing):
    """His points keep the game whole: as a new player he would excuse the one whose name was misspelt."""
    box = read(landing, "player_boxscores")
    game = a_game(landing)["game_id"]
    rows = [row for row in box.to_pylist() if row["game_id"] == game]
    (by_id, bare), idle = [r["player_id"] for r in rows if r["played"]][:2], first(box, game_id=game, played=False)
    box = change(box, {"game_id": game, "player_id": by_id}, player_name="New Arrival", player_id=99_999_999)
    box = change(box, {"game_id": game, "player_id": bare}, player_name="Misspelt Name", player_id=None)
    box = change(box, {"game_id": game, "player_id": idle["player_id"]}, player_name="Idle Name", player_id=None)
    rewrite(landing, "player_boxscores", box)
    empty_house.ingest(landing)
    found = [raw_row(empty_house, game, name) for name in ("New Arrival", "Misspelt Name", "Idle Name")]
    assert [(row["player_lookup"], row["name_status"]) for row in found] == [
        ("newarrival", "resolved"),
        (None, "NAME_UNRESOLVED"),
        ("idlename", "resolved"),
    ]


def test_fault_26_three_spellings_and_diacritics_are_one_player(empty_house, landing):
    box = read(landing, "player_boxscores")
    game = a_game(landing)["game_id"]
    original = first(box, game_id=game, played=True)
    spellings = ["Nikola Jokić", "nikola_jokic", "nikola-jokic"]
    games = [row["game_id"] for row in box.to_pylist() if row["player_id"] == original["player_id"]][:3]
    for game, spelling in zip(games, spellings, strict=True):
        where = {"game_id": game, "player_id": original["player_id"]}
        box = change(box, where, player_name=spelling, player_id=None)
    rewrite(landing, "player_boxscores", box)
    next(landing.glob("players.*")).unlink()  # no registry: the spelling is all there is
    empty_house.ingest(landing)
    rows = [raw_row(empty_house, game, spelling) for game, spelling in zip(games, spellings, strict=True)]
    assert {(row["player_lookup"], row["name_status"]) for row in rows} == {("nikolajokic", "resolved")}


def test_an_id_outranks_the_spelling_and_an_alias_names_the_registered_player(empty_house, landing):
    box = read(landing, "player_boxscores")
    one, other = read(landing, "players").to_pylist()[:2]
    players = change(read(landing, "players"), {"player_id": one["player_id"]}, names_in_shots="Slim One|Slim|The One")
    rewrite(landing, "players", players)
    first_game, second_game = [row["game_id"] for row in box.to_pylist() if row["player_id"] == one["player_id"]][:2]
    by_id = {"game_id": first_game, "player_id": one["player_id"]}
    box = change(box, by_id, player_name="Somebody Else Entirely")
    by_alias = {"game_id": second_game, "player_id": one["player_id"]}
    rewrite(landing, "player_boxscores", change(box, by_alias, player_name="the  ONE", player_id=None))
    empty_house.ingest(landing)
    key = player_lookup(one["player_name"])
    assert raw_row(empty_house, first_game, "Somebody Else Entirely")["player_lookup"] == key
    assert raw_row(empty_house, second_game, "the  ONE")["player_lookup"] == key
    aliases = empty_house.query(
        "SELECT alias_lookup, alias_name FROM nba_reference.player_aliases WHERE player_lookup = @key "
        "ORDER BY alias_lookup", key=key,
    )  # fmt: skip
    assert {"slimone", "slim", "theone", key} <= {row["alias_lookup"] for row in aliases}
    assert other["player_name"] != one["player_name"]


@pytest.mark.parametrize("name", ["???", "Twin"], ids=["no letters", "two players"])
def test_fault_26_a_name_that_names_nobody_loads_without_a_key_and_is_no_dead_letter(empty_house, landing, name):
    one, other = read(landing, "players").to_pylist()[:2]
    players = read(landing, "players")
    for twin in (one, other):
        players = change(players, {"player_id": twin["player_id"]}, names_in_shots="Twin")
    rewrite(landing, "players", players)
    box = read(landing, "player_boxscores")
    row = first(box, player_id=one["player_id"])
    where = {"game_id": row["game_id"], "player_id": row["player_id"]}
    rewrite(landing, "player_boxscores", change(box, where, player_name=name, player_id=None))
    empty_house.ingest(landing, max_dead_percent=0.0)
    loaded = raw_row(empty_house, row["game_id"], name)
    assert (loaded["player_lookup"], loaded["name_status"]) == (None, "NAME_UNRESOLVED")
    assert letters(empty_house) == []


# ---- games


def game_row(house, nba_game_id):
    (row,) = [row for row in house.table("nbac_schedule").to_pylist() if row["nba_game_id"] == nba_game_id]
    return row


def counted(house):
    return set(counted_games(house.table("nbac_schedule"))["nba_game_id"].to_pylist())


def test_a_game_has_its_canonical_id_season_status_and_winner(loaded_file, landing):
    game = a_game(landing)
    row = game_row(loaded_file, game["game_id"])
    assert row["game_id"] == f"{game['game_date']:%Y%m%d}_{game['away_tricode']}_{game['home_tricode']}"
    assert (row["season_year"], row["game_status"], row["is_regular_season"]) == (2024, 3, True)
    home_won = game["home_score"] > game["away_score"]
    assert row["winning_team_tricode"] == game["home_tricode" if home_won else "away_tricode"]


def test_preseason_is_kept_raw_and_reported_as_excluded(loaded_file, empty_house, landing):
    report = empty_house.ingest(landing, max_dead_percent=0.0)
    schedule = read(landing, "schedule")
    outside = {row["game_id"] for row in schedule.to_pylist() if row["season_type"] == "preseason"}
    (file,) = [file for file in report["files"] if file["file_name"] == "schedule.parquet"]
    assert (file["rows_excluded"], file["rows_dead"]) == (len(outside), 0)
    assert file["rows_loaded"] == schedule.num_rows
    assert counted(empty_house) == set(schedule["game_id"].to_pylist()) - outside
    assert counted(loaded_file) == counted(empty_house)


# What a regular final game of the schedule becomes, and whether it counts then.
GAMES = {
    "the cup final": ({"season_type": "cup_final"}, False),
    "all star": ({"season_type": "all_star", "home_tricode": "EST", "away_tricode": "WST"}, False),
    "play in": ({"season_type": "play_in"}, True),
    "playoffs": ({"season_type": "playoffs"}, True),
    "postponed": ({"status": "Postponed", "home_score": None, "away_score": None}, False),
    "cancelled": ({"status": "Cancelled", "home_score": None, "away_score": None, "game_date": None}, False),
    "final without a score": ({"home_score": None}, False),
    "scheduled": ({"status": "Scheduled", "home_score": None, "away_score": None}, True),
    "under way": ({"status": "In Progress"}, True),
}


def test_fault_25_which_games_count(empty_house, landing):
    only(landing, "schedule")
    schedule = read(landing, "schedule")
    preseason = sum(row["season_type"] == "preseason" for row in schedule.to_pylist())
    games = {what: a_game(landing, number)["game_id"] for number, what in enumerate(GAMES)}
    for what, (values, _) in GAMES.items():
        schedule = change(schedule, {"game_id": games[what]}, **values)
    rewrite(landing, "schedule", schedule)
    report = empty_house.ingest(landing, max_dead_percent=0.0)
    known = counted(empty_house)
    assert {what: game in known for what, game in games.items()} == {
        what: counts for what, (_, counts) in GAMES.items()
    }
    assert report["files"][0]["rows_excluded"] == preseason + 2  # the cup final and the all-star game


def test_a_league_id_twice_keeps_the_more_final_row(empty_house, landing):
    only(landing, "schedule")
    schedule = read(landing, "schedule")
    game = a_game(landing)["game_id"]
    stale = change(
        schedule.filter(pc.field("game_id") == game), {}, status="Scheduled", home_score=None, away_score=None
    )
    rewrite(landing, "schedule", pa.concat_tables([schedule, stale]))
    report = empty_house.ingest(landing)
    assert game_row(empty_house, game)["game_status"] == 3
    assert report["tables"][0]["repeats_dropped"] == 1


def as_other_fixture(schedule, game, nba_game_id, **values):
    """The game's row again, under another league id."""
    return change(schedule.filter(pc.field("game_id") == game), {}, game_id=nba_game_id, **values)


def test_fault_25_a_fixture_under_two_league_ids_keeps_the_more_final_row(empty_house, landing):
    only(landing, "schedule")
    schedule, game = read(landing, "schedule"), a_game(landing)["game_id"]
    stale = as_other_fixture(schedule, game, "0022499999", status="Scheduled", home_score=None, away_score=None)
    rewrite(landing, "schedule", pa.concat_tables([schedule, stale]))
    empty_house.ingest(landing)
    assert game_row(empty_house, game)["game_status"] == 3
    assert "0022499999" not in counted(empty_house)
    before = empty_house.tables("nbac_schedule")
    assert empty_house.ingest(landing)["tables"][0]["changed"] == 0
    assert empty_house.tables("nbac_schedule") == before


@pytest.mark.parametrize("stored_first", [True, False], ids=["the final row is stored", "the stale row is stored"])
def test_fault_25_a_fixture_under_two_league_ids_in_two_loads_keeps_the_more_final_row(
    empty_house, landing, stored_first
):
    only(landing, "schedule")
    schedule, game = read(landing, "schedule"), a_game(landing)["game_id"]
    stale = as_other_fixture(schedule, game, "0022499999", status="Scheduled", home_score=None, away_score=None)
    rest = schedule.filter(pc.field("game_id") != game)
    loads = [schedule, pa.concat_tables([rest, stale])]
    for table in loads if stored_first else reversed(loads):
        rewrite(landing, "schedule", table)
        empty_house.ingest(landing)
    assert game in counted(empty_house)
    assert "0022499999" not in counted(empty_house)


INSTANTS = {
    "2024-10-23T02:30:00Z": dt.date(2024, 10, 22),
    "2024-10-23 02:30:00+00:00": dt.date(2024, 10, 22),
    "2024-10-22T22:30:00-04:00": dt.date(2024, 10, 22),
    "2024-10-22T23:59:59-07:00": dt.date(2024, 10, 23),
    "2024-11-04T04:30:00Z": dt.date(2024, 11, 3),  # standard time began that morning
    "2024-10-22T00:00:00": dt.date(2024, 10, 22),
    "2024-10-22": dt.date(2024, 10, 22),
}


def test_fault_27_an_instant_lies_on_its_eastern_day(empty_house, landing):
    only(landing, "schedule")
    schedule = read(landing, "schedule")
    games = {text: a_game(landing, number)["game_id"] for number, text in enumerate(INSTANTS)}
    for text, game in games.items():
        schedule = change(schedule, {"game_id": game}, game_date=text)
    rewrite(landing, "schedule", schedule)
    empty_house.ingest(landing, max_dead_percent=0.0)
    assert {text: game_row(empty_house, game)["game_date"] for text, game in games.items()} == INSTANTS


def test_fault_27_a_column_of_utc_instants_is_read_as_eastern_days(empty_house, landing):
    only(landing, "schedule")
    schedule = read(landing, "schedule")
    tip = pc.add(schedule["game_date"].cast(pa.timestamp("us")), pa.scalar(dt.timedelta(days=1, hours=1))).cast(
        pa.timestamp("us", tz="UTC")
    )
    rewrite(landing, "schedule", schedule.set_column(schedule.schema.get_field_index("game_date"), "game_date", tip))
    empty_house.ingest(landing, max_dead_percent=0.0)
    game = a_game_in(schedule)
    assert game_row(empty_house, game["game_id"])["game_date"] == game["game_date"]


def a_game_in(schedule):
    return next(row for row in schedule.to_pylist() if row["season_type"] == "regular")


# ---- dead letters


# Damage to a row, and the letter it becomes: field, value, reason.
A_DATE = "expected a date, or an instant with its time zone"
DAMAGE = {
    "schedule": (
        ({"game_date": "2024-10-22T19:30:00"}, "game_date", "2024-10-22T19:30:00", A_DATE),
        ({"game_date": "22/10/2024"}, "game_date", "22/10/2024", A_DATE),
        ({"home_tricode": "NJN"}, "home_tricode", "NJN", "expected one of the league's 30 tricodes"),
        ({"away_tricode": None}, "away_tricode", None, "expected one of the league's 30 tricodes"),
        ({"status": "Finished"}, "status", "Finished", "expected one of Scheduled, "),
        ({"season": "2024"}, "season", "2024", "expected a season such as 2023-24"),
        ({"season_type": "summer"}, "season_type", "summer", "expected one of preseason, "),
        ({"home_score": "a lot"}, "home_score", "a lot", "expected a whole number"),
        ({"away_score": -1}, "away_score", "-1", "expected 0 or more"),
        ({"game_id": "22400001"}, "game_id", "22400001", "expected the league's 10 digits"),
        ({"game_id": None}, "game_id", None, "expected the league's 10 digits"),
    ),
    "player_boxscores": (
        ({"game_id": "22400001"}, "game_id", "22400001", "expected the league's 10 digits"),
        ({"game_id": "0022488888"}, "game_id", "0022488888", "expected a game of the schedule"),
        ({"team_tricode": "XXX"}, "team_tricode", "XXX", "expected one of the league's 30"),
        ({"game_date": dt.date(2024, 1, 1)}, "game_date", "2024-01-01", "expected the day the schedule has"),
        ({"pts": 999}, "pts", "999", "expected 2 x fgm + fg3m + ftm"),
        ({"pts": None}, "pts", None, "expected points and makes of one who played"),
        ({"ftm": 30}, "ftm", "30", "expected no more makes than attempts"),
        ({"fg3a": -1}, "fg3a", "-1", "expected 0 or more"),
        ({"seconds_played": "12:30"}, "seconds_played", "12:30", "expected a whole number"),
        ({"reb": "3.5"}, "reb", "3.5", "expected a whole number"),
        ({"ast": "99999999999999999999"}, "ast", "99999999999999999999", "expected a whole number"),
        ({"played": "perhaps"}, "played", "perhaps", "expected true or false"),
        ({"status": "INJURED"}, "status", "INJURED", "expected one of PLAYED, "),
        ({"player_name": None}, "player_name", None, "expected a value, found none"),
        ({"player_id": "x1"}, "player_id", "x1", "expected a whole number"),
    ),
}


@pytest.mark.parametrize("stem", DAMAGE)
def test_fault_17_rows_that_cannot_be_read_are_dead_letters_and_the_rest_loads(empty_house, landing, stem):
    table = read(landing, stem)
    if stem == "schedule":
        only(landing, stem)
    wanted = {"season_type": "regular"} | ({"played": True} if stem == "player_boxscores" else {})
    rows = table.to_pylist()
    places = [n for n, row in enumerate(rows) if all(row[name] == value for name, value in wanted.items())]
    for place, (values, *_) in zip(places, DAMAGE[stem], strict=False):
        key = {name: rows[place][name] for name in ("game_id", "player_name") if name in rows[place]}
        table = change(table, key, **values)
    rewrite(landing, stem, table)
    report = empty_house.ingest(landing, max_dead_percent=20.0)
    for letter, place, (_, field, value, reason) in zip(letters(empty_house), places, DAMAGE[stem], strict=False):
        assert (letter["source"], letter["row_number"]) == (f"{stem}.parquet", place + 1)
        assert (letter["field"], letter["value"]) == (field, value)
        assert letter["reason"].startswith(reason)
    (file,) = [file for file in report["files"] if file["file_name"] == f"{stem}.parquet"]
    assert file["rows_dead"] == len(letters(empty_house)) == len(DAMAGE[stem])
    assert file["rows_loaded"] == table.num_rows - len(DAMAGE[stem])


def test_a_ragged_csv_row_is_a_dead_letter_and_the_rest_loads(empty_house, landing):
    only(landing, "schedule")
    as_csv(landing, compress=False)
    path = landing / "schedule.csv"
    lines = path.read_text().splitlines()
    ragged = [*lines[:5], lines[5] + ",surplus", *lines[6:], "short,row"]
    path.write_text("\n".join(ragged) + "\n")
    report = empty_house.ingest(landing, max_dead_percent=10)
    assert [(letter["row_number"], letter["reason"]) for letter in letters(empty_house)] == [
        (5, f"expected {lines[0].count(',') + 1} columns, found {lines[0].count(',') + 2}"),
        (len(ragged) - 1, f"expected {lines[0].count(',') + 1} columns, found 2"),
    ]
    assert report["files"][0]["rows_loaded"] == len(lines) - 2


def bad_share(landing, count):
    """Unreadable points in the first rows of the box scores."""
    box = read(landing, "player_boxscores").to_pylist()
    for row in box[:count]:
        row["reb"] = "many"
    for row in box:
        row["reb"] = None if row["reb"] is None else str(row["reb"])
    schema = read(landing, "player_boxscores").schema
    schema = schema.set(schema.get_field_index("reb"), pa.field("reb", pa.string()))
    rewrite(landing, "player_boxscores", pa.Table.from_pylist(box, schema))
    return len(box)


def test_fault_18_above_one_percent_nothing_is_published_and_rows_are_quoted(loaded_house, landing):
    total = bad_share(landing, 30)
    before = loaded_house.path.read_bytes()
    expected = (
        f"30 of {total} rows for nbac_gamebook_player_stats cannot be read, more than 1 %; nothing was published. "
        "First ones: player_boxscores.parquet row 1: reb='many', expected a whole number; "
        "player_boxscores.parquet row 2: reb='many', expected a whole number; "
    )
    with pytest.raises(GateError, match=re.escape(expected)):
        loaded_house.ingest(landing)
    assert loaded_house.path.read_bytes() == before


def test_the_share_can_be_raised(loaded_house, landing):
    bad_share(landing, 30)
    loaded_house.ingest(landing, max_dead_percent=5)
    assert len(letters(loaded_house)) == 30


def test_below_one_percent_the_rest_loads(loaded_house, landing):
    bad_share(landing, 20)
    loaded_house.ingest(landing)
    assert len(letters(loaded_house)) == 20


# ---- what is refused


def refused(house, directory, error, *said):
    """The load is refused in these words, and nothing is written: no row, no staging."""
    before = house.path.read_bytes()
    with pytest.raises(error) as caught:
        house.ingest(directory)
    for words in said:
        assert words in str(caught.value)
    assert house.path.read_bytes() == before
    assert not list(house.path.parent.glob("*.staging"))


def test_fault_20_missing_columns_are_named(loaded_house, landing):
    rewrite(landing, "inactives", read(landing, "inactives").drop_columns(["player_name", "team_tricode"]))
    refused(loaded_house, landing, GateError, "inactives.parquet lacks the columns", "player_name", "team_tricode")


@pytest.mark.parametrize("name", ["schedule.parquet", "schedule.csv", "schedule.csv.gz"])
def test_fault_12_an_empty_file_is_named(loaded_house, landing, name):
    (landing / name).write_bytes(b"")
    refused(loaded_house, landing, GateError, f"{name} is empty (0 bytes)")


@pytest.mark.parametrize("share", [0.9])
def test_fault_12_a_truncated_parquet_file_is_named(loaded_house, landing, share):
    path = landing / "player_boxscores.parquet"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(loaded_house, landing, GateError, "player_boxscores.parquet cannot be read, it may be torn")


def test_fault_12_a_parquet_file_damaged_inside_is_named(loaded_house, landing):
    path = landing / "player_boxscores.parquet"
    whole = bytearray(path.read_bytes())
    whole[2000:6000] = bytes(4000)
    path.write_bytes(whole)
    refused(loaded_house, landing, GateError, "player_boxscores.parquet cannot be read, it may be torn")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.98])
def test_fault_12_a_truncated_gz_file_is_named(loaded_house, landing, share):
    table = pa.concat_tables([read(landing, "player_boxscores")] * 12)  # longer than one block of the reader
    (landing / "player_boxscores.parquet").unlink()
    path = landing / "player_boxscores.csv.gz"
    with gzip.open(path, "wb") as file:
        pacsv.write_csv(table, file)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(loaded_house, landing, GateError, "player_boxscores.csv.gz cannot be read, it may be torn")


# Lines of a CSV file, one of which is no UTF-8.
NOT_UTF8 = {
    "a cell": lambda header, row: [header, row, row.replace(b"Final", b"F\xffnal")],
    "a row of too many": lambda header, row: [header, row, row + b",\xff"],
    "a row of too few": lambda header, row: [header, row, b"\xff"],
    "the header": lambda header, row: [header + b",\xff", row + b","],
    "a ragged row behind the reader's first block": lambda header, row: [header, *[row] * 50_000, row + b",\xff"],
}


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")  # else Python prints it, with a traceback
@pytest.mark.parametrize("place", NOT_UTF8)
def test_text_that_is_not_utf8_is_named(loaded_house, landing, place):
    only(landing, "schedule")
    as_csv(landing, compress=False)
    path = landing / "schedule.csv"
    header, row = path.read_bytes().splitlines()[:2]
    path.write_bytes(b"\n".join(NOT_UTF8[place](header, row)) + b"\n")
    words = "'utf-8' codec can't decode byte 0xff"
    refused(loaded_house, landing, GateError, f"schedule.csv cannot be read, it may be torn: {words}")


@pytest.mark.parametrize("kind", [pa.list_(pa.int16()), pa.struct([("x", pa.int16())]), pa.binary()], ids=str)
def test_fault_20_a_nested_or_binary_column_is_named(loaded_house, landing, kind):
    table = read(landing, "player_boxscores")
    column = pa.nulls(table.num_rows, kind)
    table = table.set_column(table.schema.get_field_index("pts"), "pts", column)
    rewrite(landing, "player_boxscores", table)
    refused(loaded_house, landing, GateError, "player_boxscores.parquet has columns of a wrong type: pts is")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("pts", dt.datetime(2024, 1, 1)),
        ("game_date", 20241022),
        ("played", 1.5),
        ("season", dt.date(2024, 1, 1)),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_fault_20_a_column_of_a_wrong_type_is_quoted(loaded_house, landing, column, value):
    table = read(landing, "player_boxscores")
    values = pa.array([value] * table.num_rows)
    rewrite(landing, "player_boxscores", table.set_column(table.schema.get_field_index(column), column, values))
    refused(loaded_house, landing, GateError, f"player_boxscores.parquet row 1: {column}=")


@pytest.mark.parametrize("stem", ["players", "schedule"])
def test_numbers_in_place_of_text_are_no_crash(loaded_house, landing, stem):
    column = {"players": "names_in_shots", "schedule": "national_tv"}[stem]
    table = read(landing, stem)
    values = pa.array(range(table.num_rows), pa.int64())
    rewrite(landing, stem, table.set_column(table.schema.get_field_index(column), column, values))
    loaded_house.ingest(landing)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_with_nothing_but_a_header_is_named(loaded_house, landing, kind):
    rewrite(landing, "inactives", read(landing, "inactives").slice(0, 0))
    if kind == "csv":
        pacsv.write_csv(read(landing, "inactives"), landing / "inactives.csv")
        (landing / "inactives.parquet").unlink()
    refused(
        loaded_house, landing, GateError, f"inactives.{kind} has no rows: expected a landing file of inactive_lists"
    )


def test_a_directory_without_landing_files_is_refused(loaded_house, tmp_path):
    empty = tmp_path / "empty"
    refused(loaded_house, empty, UsageError, f"no directory {empty}: expected one with landing files")
    empty.mkdir()
    refused(loaded_house, empty, UsageError, f"no landing files in {empty}: expected names such as schedule, players")
    (empty / "notes.txt").write_text("hello")
    (empty / "schedule.xlsx").write_text("hello")
    refused(loaded_house, empty, UsageError, f"no landing files in {empty}")


def test_a_warehouse_that_was_never_made_says_what_makes_it(landing, tmp_path, league):
    house = House(tmp_path / "none.duckdb", dt.datetime(2024, 11, 4, tzinfo=dt.UTC))
    with pytest.raises(EngineError, match=re.escape(f"{tmp_path}/none.duckdb: create it with `fullcourt init`")):
        house.ingest(landing)
    assert not list(tmp_path.glob("none.duckdb*"))


# ---- manifest


def test_the_manifest_keeps_every_file_of_every_load(empty_house, landing):
    (landing / "notes.txt").write_text("not ours")
    (landing / "schedule_as_released.parquet").write_bytes(b"not ours either")
    runs = [empty_house.ingest(landing)["run_id"] for _ in range(2)]
    rows = empty_house.query(
        "SELECT run_id, file_name, file_sha256, file_bytes, target_table, status, rows_read, rows_dead "
        "FROM nba_orchestration.landing_manifest ORDER BY file_name"
    )
    assert len(rows) == 2 * (len(STEMS) + 2)
    for run, status in zip(runs, ("loaded", "unchanged"), strict=True):
        mine = {row["file_name"]: row for row in rows if row["run_id"] == run}
        assert set(mine) == {path.name for path in landing.iterdir()}
        for path in landing.iterdir():
            row = mine[path.name]
            assert row["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
            assert row["file_bytes"] == path.stat().st_size
            ours = path.name.split(".")[0] in STEMS
            assert row["status"] == (status if ours else "ignored")
            assert row["rows_read"] == (pq.read_metadata(path).num_rows if ours else None)
            assert row["rows_dead"] == (0 if ours else None)
        assert mine["players.parquet"]["target_table"] == "nba_reference.player_aliases"


def test_fault_19_the_same_dead_rows_again_are_the_same_dead_letters(empty_house, landing):
    box = read(landing, "player_boxscores")
    row = first(box, played=True)
    where = {"game_id": row["game_id"], "player_id": row["player_id"]}
    rewrite(landing, "player_boxscores", change(box, where, pts=999))
    counts = []
    for _ in range(2):
        empty_house.ingest(landing)
        counts.append(empty_house.one("SELECT COUNT(*) AS n FROM nba_orchestration.dead_letters"))
    assert counts == [1, 1]


def test_fault_25_a_corrected_date_takes_the_games_rows_along(loaded_house, landing, tmp_path):
    """A schedule alone, with one game a day later than its box scores said."""
    schedule = read(landing, "schedule")
    game = a_game(landing, -1)  # late enough for its players to have lines
    later = game["game_date"] + dt.timedelta(days=200)
    (tmp_path / "fix").mkdir()
    rewrite(tmp_path / "fix", "schedule", change(schedule, {"game_id": game["game_id"]}, game_date=later))
    loaded_house.ingest(tmp_path / "fix")
    tables = ("nbac_gamebook_player_stats", "nbac_team_boxscore", "shot_zones", "inactive_lists", "game_lines")
    for table in (*tables, "player_props"):
        days = loaded_house.query(
            f"SELECT DISTINCT game_date, SUBSTR(game_id, 1, 8) AS named FROM nba_raw.{table} WHERE nba_game_id = @game",
            game=game["game_id"],
        )
        assert days == [{"game_date": later, "named": f"{later:%Y%m%d}"}], table
