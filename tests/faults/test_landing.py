"""Files, rows and columns that are not what they should be, up to who waits because of them."""

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.domain.errors import GateError
from schemas import TABLES
from tests.houses import RAW, change, read, rewrite

BOX, TEAM_BOX = "player_boxscores", "team_boxscores"
TDZA, PDC = "team_defense_zone_analysis", "player_daily_cache"
HUGE = "x" * 1_000_000


def only(directory, *stems):
    for path in directory.iterdir():
        if path.name.split(".")[0] not in stems:
            path.unlink()


def as_floats(table, column, values):
    """The column as floating point numbers, the first of them as given."""
    place = table.column_names.index(column)
    rest = table[column].cast(pa.float64()).to_pylist()[len(values) :]
    return table.set_column(place, column, pa.array([*values, *rest]))


def letters(house):
    rows = house.query("SELECT row_number, field, value, reason FROM nba_orchestration.dead_letters ORDER BY 1")
    return [tuple(row.values()) for row in rows]


# ---- files


def test_fault_12_what_waits_for_the_games_of_a_torn_file_stays_not_ready(season_house, season, landing):
    only(landing)
    whole = (season.landing / f"{TEAM_BOX}.parquet").read_bytes()
    (landing / f"{TEAM_BOX}.parquet").write_bytes(whole[: len(whole) // 2])
    before = season_house.path.read_bytes()
    with pytest.raises(GateError, match=f"{TEAM_BOX}.parquet cannot be read, it may be torn"):
        season_house.ingest(landing)
    assert season_house.path.read_bytes() == before
    day = season.judged[-1]
    season_house.run("precompute", day, processors=[TDZA])
    (row,) = season_house.query(
        f"SELECT is_production_ready AS ready, missing_game_ids AS missing FROM {TABLES[TDZA].id} "
        "WHERE analysis_date = @day AND team_abbr = @team",
        day=day,
        team=season.team,
    )
    assert (row["ready"], len(row["missing"])) == (False, len(season.lost))


# ---- rows


def test_fault_17_values_that_cannot_be_are_dead_letters_and_bounded(loaded_house, landing):
    only(landing, BOX)
    table = read(landing, BOX)
    table = as_floats(table, "pts", [float("nan"), float("inf"), -float("inf"), 1e300])
    names = [HUGE, *["?"] * 3, *table["player_name"].to_pylist()[4:]]
    table = table.set_column(table.column_names.index("player_name"), "player_name", pa.array(names))
    codes = table["team_tricode"].to_pylist()
    codes[4], codes[5] = HUGE, "\x00\u202e"
    rewrite(landing, BOX, table.set_column(table.column_names.index("team_tricode"), "team_tricode", pa.array(codes)))
    report = loaded_house.ingest(landing, max_dead_percent=5)
    a_number, a_team = "expected a whole number", "expected one of the league's 30 tricodes"
    assert letters(loaded_house) == [
        (1, "pts", "nan", a_number),
        (2, "pts", "inf", a_number),
        (3, "pts", "-inf", a_number),
        (4, "pts", "1e+300", a_number),
        (5, "team_tricode", HUGE[:200], a_team),
        (6, "team_tricode", "\x00\u202e", a_team),
    ]
    (file,) = report["files"]
    assert (file["rows_dead"], file["rows_loaded"]) == (6, table.num_rows - 6)


def sides(games):
    return {game[f"{side}_tricode"] for game in games for side in ("home", "away")}


def test_fault_17_who_lacks_the_game_of_a_dead_letter_waits_for_it(season_house, season, landing):
    day, rows, schedule = season.judged[-1], read(season.landing, BOX), season.league.schedule.to_pylist()
    teams = sides(game for game in schedule if game["game_date"] == day)
    teams -= sides(game for game in schedule if game["game_id"] in season.lost)
    earlier = [row for row in rows.to_pylist() if row["game_date"] < day and row["team_tricode"] in teams]
    poisoned = max((row for row in earlier if row["played"]), key=lambda row: (row["game_date"], row["player_name"]))
    of_the_game = rows.filter(pc.field("game_id") == poisoned["game_id"])
    where = {"player_name": poisoned["player_name"]}
    only(landing)
    rewrite(landing, BOX, change(of_the_game, where, pts="NaN"))
    season_house.ingest(landing, max_dead_percent=10)
    season_house.run("analytics", poisoned["game_date"], processors=["player_game_summary"])
    season_house.run("precompute", day, processors=[PDC])
    key = season_house.one(
        "SELECT player_lookup FROM nba_reference.player_aliases WHERE alias_name = @name LIMIT 1",
        name=poisoned["player_name"],
    )
    (row,) = season_house.query(
        "SELECT is_production_ready AS ready, processing_decision_reason AS reason, missing_game_ids AS missing "
        f"FROM {TABLES[PDC].id} WHERE cache_date = @day AND player_lookup = @player",
        day=day,
        player=key,
    )
    (game,) = row.pop("missing")
    assert row == {"ready": False, "reason": "incomplete_upstream_data_multi_window"}
    assert game.startswith(f"{poisoned['game_date']:%Y%m%d}")


def test_fault_19_a_corrected_file_takes_the_dead_letter_away_once_and_for_all(loaded_house, loaded_file, landing):
    only(landing, BOX)
    whole = read(landing, BOX)
    row = next(row for row in whole.to_pylist() if row["played"])
    where = {"game_id": row["game_id"], "player_id": row["player_id"]}
    table = "nbac_gamebook_player_stats"
    runs = []
    for rows, dead, missing in ((change(whole, where, pts=999), 1, 1), (whole, 0, 0), (whole, 0, 0)):
        rewrite(landing, BOX, rows)
        runs.append(loaded_house.ingest(landing))
        assert len(letters(loaded_house)) == dead
        assert loaded_house.table(table).num_rows == loaded_file.table(table).num_rows - missing
    assert loaded_house.table(table, content=True).equals(loaded_file.table(table, content=True))
    assert [report["files"][0]["status"] for report in runs] == ["loaded", "loaded", "unchanged"]
    manifest = loaded_house.query(
        "SELECT run_id, rows_dead FROM nba_orchestration.landing_manifest WHERE run_id IN UNNEST(@runs)",
        runs=[report["run_id"] for report in runs],
    )
    assert {row["run_id"]: row["rows_dead"] for row in manifest} == {
        report["run_id"]: report["files"][0]["rows_dead"] for report in runs
    }


# ---- columns


@pytest.mark.parametrize(
    ("column", "becomes"), [("pts", "points"), ("game_id", "Game_ID"), ("played", "played ")], ids=lambda name: name
)
def test_fault_20_a_renamed_column_is_missed_by_its_name(loaded_house, landing, column, becomes):
    table = read(landing, BOX)
    rewrite(landing, BOX, table.rename_columns({column: becomes}))
    before = loaded_house.path.read_bytes()
    with pytest.raises(
        GateError, match=re.escape(f"{BOX}.parquet lacks the columns {column}: expected those of {BOX}")
    ):
        loaded_house.ingest(landing)
    assert loaded_house.path.read_bytes() == before


def test_fault_21_a_column_more_changes_nothing(loaded_house, landing):
    for stem in (BOX, TEAM_BOX, "schedule", "players"):
        table = read(landing, stem)
        more = {
            "new_text": pa.nulls(table.num_rows, pa.binary()),
            "new_list": pa.nulls(table.num_rows, pa.list_(pa.int8())),
        }
        for name, values in more.items():
            table = table.append_column(name, values)
        rewrite(landing, stem, table)
    before = loaded_house.tables(*RAW)
    report = loaded_house.ingest(landing, max_dead_percent=0)
    assert loaded_house.tables(*RAW) == before
    assert {table["changed"] for table in report["tables"]} == {0}
    named = report["unread_columns"]
    assert [named[f"{stem}.parquet"][-2:] for stem in (BOX, "schedule")] == [["new_text", "new_list"]] * 2, "told once"


def test_fault_22_rows_that_come_twice_are_counted_and_change_nothing(loaded_house, landing):
    stems = {"schedule": "nbac_schedule", BOX: "nbac_gamebook_player_stats", TEAM_BOX: "nbac_team_boxscore"}
    only(landing, *stems)
    rows = {}
    for stem, table in stems.items():
        once = read(landing, stem)
        rows[f"nba_raw.{table}"] = once.num_rows
        rewrite(landing, stem, pa.concat_tables([once, once.slice(0, 100), once]))
    before = loaded_house.tables(*RAW)
    report = loaded_house.ingest(landing, max_dead_percent=0)
    assert loaded_house.tables(*RAW) == before
    dropped = {table["table"]: table["repeats_dropped"] for table in report["tables"]}
    assert dropped == {name: count + min(count, 100) for name, count in rows.items()}
