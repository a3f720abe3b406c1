"""`cleanup`: looks first, asks, and says what it did and what it could not do."""

import csv
import datetime as dt
import io
import json

import pyarrow as pa
import pytest

from schemas import TABLES

UPGC, UTGC = "upcoming_player_game_context", "upcoming_team_game_context"
NOW = dt.datetime(2024, 11, 20, 9, tzinfo=dt.UTC)
OLD, NEW = dt.date(2024, 11, 12), dt.date(2024, 11, 13)


@pytest.fixture
def house(empty_house):
    """A team's context of the last day that has expired, and of the first that has not."""
    empty_house.now = NOW
    rows = [
        {"team_abbr": "AAA", "game_id": f"{day:%Y%m%d}_AAA_BBB", "nba_game_id": f"00224{day:%m%d}0", "game_date": day}
        for day in (OLD, NEW)
    ]
    with empty_house.warehouse.transaction({}) as session:
        session.insert(UTGC, pa.Table.from_pylist(rows, TABLES[UTGC].arrow_subset(rows[0])))
    return empty_house


def on(house, *more):
    return ("--warehouse", house.url, "--now", house.now.isoformat(), *more)


def days(house, relation=UTGC):
    rows = house.query(f"SELECT game_date FROM nba_analytics.{relation} ORDER BY game_date")
    return [row["game_date"] for row in rows]


def test_a_dry_run_shows_the_rows_and_leaves_everything(cli, house):
    before = house.everything()
    code, out, err = cli("cleanup", "upcoming", *on(house, "--dry-run", "--format", "json"))
    assert (code, "dry run: nothing was changed" in err) == (0, True)
    assert json.loads(out) == [
        {"table_name": UPGC, "stale_rows": 0, "oldest_day": None, "cutoff": "2024-11-13"},
        {"table_name": UTGC, "stale_rows": 1, "oldest_day": "2024-11-12", "cutoff": "2024-11-13"},
    ]
    assert house.everything() == before
    assert [name for name in house.warehouse.columns() if "backup" in name] == []


def test_nothing_is_deleted_unasked(cli, house):
    code, _, err = cli("cleanup", "upcoming", *on(house))
    assert (code, "expected --yes" in err, days(house)) == (2, True, [OLD, NEW])


def test_a_clean_up_and_back(cli, house):
    code, out, _ = cli("cleanup", "upcoming", *on(house, "--yes", "--format", "json"))
    report = json.loads(out)
    assert (code, report["total_records_deleted"], report["cutoff"], report["errors"]) == (0, 1, "2024-11-13", [])
    assert (days(house), days(house, f"{UTGC}_history")) == ([NEW], [OLD])
    code, out, _ = cli("cleanup", "backups", "--warehouse", house.url, "--format", "csv")
    (listed,) = csv.DictReader(io.StringIO(out))
    assert (code, listed["day"], listed["table"], listed["rows"]) == (0, "2024-11-20", UTGC, "1")
    code, out, _ = cli("cleanup", "restore", "--date", "20241120", *on(house, "--dry-run"))
    assert (code, "Would put back 1 row" in out, days(house)) == (0, True, [NEW])
    for _ in range(2):
        code, out, _ = cli("cleanup", "restore", "--date", "20241120", *on(house, "--yes"))
        assert (code, "Put back 1 row" in out) == (0, True)
        assert (days(house), days(house, f"{UTGC}_history")) == ([OLD, NEW], [])


def test_a_backup_is_left_out_when_asked_and_that_is_said(cli, house):
    code, out, err = cli("cleanup", "upcoming", *on(house, "--skip-backup", "--dry-run"))
    assert (code, "Would clean up 1 row" in out, "no backup is made" in err) == (0, True, True)
    code, _, err = cli("cleanup", "upcoming", *on(house, "--skip-backup"))
    assert (code, "expected --yes" in err, days(house)) == (2, True, [OLD, NEW])
    code, out, err = cli("cleanup", "upcoming", *on(house, "--skip-backup", "--yes"))
    assert (code, "Cleaned up 1 row" in out, "no backup is made" in err) == (0, True, True)
    assert (days(house), days(house, f"{UTGC}_history")) == ([NEW], [OLD])
    assert [name for name in house.warehouse.columns() if "backup" in name] == []
    code, _, err = cli("cleanup", "restore", "--date", "20241120", *on(house, "--yes"))
    assert (code, "there is no backup" in err) == (2, True)


def test_with_nothing_to_delete_nobody_is_asked(cli, house):
    code, out, _ = cli("cleanup", "upcoming", *on(house, "--days", 30))
    assert (code, "Cleaned up 0 rows" in out) == (0, True)
    assert house.one("SELECT total_records_deleted FROM nba_orchestration.cleanup_operations") == 0


def test_a_table_that_fails_ends_in_1_and_is_named(cli, house):
    house.warehouse.apply([f"CREATE TABLE nba_analytics.{UTGC}_backup_20241120 (game_date DATE)"])
    code, out, _ = cli("cleanup", "upcoming", *on(house, "--yes", "--format", "json"))
    assert (code, days(house)) == (1, [OLD, NEW])
    (error,) = json.loads(out)["errors"]
    assert error.startswith(UTGC)


def test_more_than_ten_thousand_rows_are_told_at_once(cli, house, tmp_path):
    key = {"game_id": "20241112_AAA_BBB", "nba_game_id": "0022400001", "team_abbr": "AAA", "game_date": OLD}
    rows = [{"player_lookup": f"player{number}", **key} for number in range(10_000)]
    with house.warehouse.transaction({}) as session:
        session.insert(UPGC, pa.Table.from_pylist(rows, TABLES[UPGC].arrow_subset(rows[0])))
    other = house.copy(tmp_path / "other.duckdb")
    code, out, err = cli("cleanup", "upcoming", *on(house, "--yes"))
    assert (code, "Cleaned up 10001 rows" in out) == (0, True)
    assert "more than 10000 rows were deleted; `fullcourt cleanup restore` puts them back" in err
    code, _, err = cli("cleanup", "upcoming", *on(other, "--yes", "--skip-backup"))
    assert "more than 10000 rows were deleted; they are in the history" in err
    assert (code, "cleanup restore` puts them back" in err) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("upcoming", "--days", "0"), "'--days'"),
        (("restore", "--date", "x'; DROP TABLE y; --", "--yes"), "is no day"),
        (("restore", "--date", "20241119", "--yes"), "there is no backup of 20241119"),
        (("staging", "--older-than", "-1"), "'--older-than'"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, house, arguments, message):
    code, _, err = cli("cleanup", *arguments, *on(house))
    assert (code, message in err) == (2, True)


def test_old_backups_are_dropped_when_asked(cli, house):
    cli("cleanup", "upcoming", *on(house, "--yes"))
    house.now += dt.timedelta(days=1)
    cli("cleanup", "upcoming", *on(house, "--yes"))
    warehouse = ("--warehouse", house.url)
    code, out, _ = cli("cleanup", "backups", "--keep", 1, "--dry-run", *warehouse)
    assert (code, "Would drop 1 backups" in out) == (0, True)
    code, _, err = cli("cleanup", "backups", "--keep", 1, *warehouse)
    assert (code, "expected --yes" in err) == (2, True)
    code, out, _ = cli("cleanup", "backups", "--keep", 1, "--yes", *warehouse)
    assert (code, "Dropped 1 backups" in out) == (0, True)
    assert [n for n in house.warehouse.columns() if "_backup_" in n] == [f"nba_analytics.{UTGC}_backup_20241121"]


def test_orphaned_staging_is_swept_when_asked(cli, house):
    house.warehouse.staging("killed")
    house.now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
    code, out, _ = cli("cleanup", "staging", *on(house, "--older-than", 26, "--yes"))
    assert (code, "Removed 0 staging directories" in out) == (0, True)
    code, out, _ = cli("cleanup", "staging", *on(house, "--dry-run", "--format", "json"))
    assert (code, [row["run_id"] for row in json.loads(out)]) == (0, ["killed"])
    code, _, err = cli("cleanup", "staging", *on(house))
    assert (code, "expected --yes" in err) == (2, True)
    assert len(house.warehouse.stagings()) == 1
    code, out, _ = cli("cleanup", "staging", *on(house, "--yes"))
    assert (code, "Removed 1 staging directories" in out, house.warehouse.stagings()) == (0, True, [])
