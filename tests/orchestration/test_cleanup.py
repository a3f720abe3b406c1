"""Clean-ups: what has expired moves away with a backup, no reader notices, and it can be put back."""

import dataclasses
import datetime as dt
import json
import os
import random
from pathlib import Path

import pyarrow as pa
import pytest

from fullcourt.domain.alerts import CLEANUP_LIMIT
from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import BY_NAME, GATED
from fullcourt.orchestration import cleanup
from fullcourt.orchestration.check import check
from fullcourt.orchestration.gaps import Frequency, table_gaps
from fullcourt.orchestration.stale import stale
from fullcourt.warehouse.ddl import create_table
from fullcourt.warehouse.queries import QUERIES
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES
from tests.houses import LEDGER

UPGC, UTGC = "upcoming_player_game_context", "upcoming_team_game_context"
BOTH = (UPGC, UTGC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
NOW = dt.datetime(2024, 11, 20, 9, tzinfo=dt.UTC)  # 04:00 in New York
TODAY = NOW.date()
BACKUP = f"nba_analytics.{UPGC}_backup_20241120"


def contexts(house, *days, players=("alice", "bob"), miles=10):
    """A context of each player on each day, and one of a team, with its opponent's left out."""
    game = {
        day: {
            "game_id": f"{day:%Y%m%d}_AAA_BBB",
            "nba_game_id": f"00224{day:%m%d}0",
            "game_date": day,
            "season_year": 2024,
            "team_abbr": "AAA",
            "travel_miles": miles,
            "missing_game_ids": ["x", "y"],
            "is_production_ready": True,
        }
        for day in days
    }
    rows = {UPGC: [{"player_lookup": name, **game[day]} for day in days for name in players], UTGC: list(game.values())}
    with house.warehouse.transaction({}) as session:
        for table, made in rows.items():
            session.insert(table, pa.Table.from_pylist(made, TABLES[table].arrow_subset(made[0])))


def days_of(house, relation):
    rows = house.query(f"SELECT game_date, COUNT(*) AS n FROM nba_analytics.{relation} GROUP BY game_date ORDER BY 1")
    return {(TODAY - row["game_date"]).days: row["n"] for row in rows}


def content(house, relation, table=UPGC):
    columns = ", ".join(TABLES[table].by_name)
    return house.warehouse.query(f"SELECT {columns} FROM {relation} ORDER BY {', '.join(TABLES[table].grain)}")


def audits(house):
    rows = house.query("SELECT * FROM nba_orchestration.cleanup_operations ORDER BY cleanup_id")
    return [{**row, "tables_cleaned": json.loads(row["tables_cleaned"])} for row in rows]


@pytest.fixture
def house(empty_house):
    """Contexts of 0, 6, 7, 8 and 40 days ago, and of tomorrow."""
    contexts(empty_house, *(TODAY - back * DAY for back in (-1, 0, 6, 7, 8, 40)))
    return empty_house


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param("2024-11-20T03:30+00:00", "2024-11-12", id="half past ten in the evening before"),
        pytest.param("2024-11-20T05:00+00:00", "2024-11-13", id="midnight in winter"),
        pytest.param("2024-07-20T03:59+00:00", "2024-07-12", id="a minute before midnight in summer"),
        pytest.param("2024-07-20T04:00+00:00", "2024-07-13", id="midnight in summer"),
        pytest.param("2024-11-03T04:30+00:00", "2024-10-27", id="the day the clocks go back begins in summer time"),
        pytest.param("2024-11-04T04:30+00:00", "2024-10-27", id="and has 25 hours"),
        pytest.param("2024-11-04T05:00+00:00", "2024-10-28", id="so it ends at five"),
        pytest.param("2024-03-10T04:59+00:00", "2024-03-02", id="the day the clocks go forward begins in winter time"),
        pytest.param("2024-03-11T03:59+00:00", "2024-03-03", id="and has 23 hours"),
        pytest.param("2024-03-11T04:00+00:00", "2024-03-04", id="so it ends at four"),
    ],
)
def test_fault_28_37_the_day_in_new_york_decides(instant, expected):
    assert cleanup.cutoff(dt.datetime.fromisoformat(instant), 7) == dt.date.fromisoformat(expected)


def test_i02_no_row_older_than_seven_days_stays_and_every_other_does(house):
    report = cleanup.clean(house.warehouse, NOW)
    assert days_of(house, UPGC) == {-1: 2, 0: 2, 6: 2, 7: 2}
    assert days_of(house, UTGC) == {-1: 1, 0: 1, 6: 1, 7: 1}
    assert days_of(house, f"{UPGC}_history") == {8: 2, 40: 2}
    assert days_of(house, f"{UTGC}_history") == {8: 1, 40: 1}
    assert [row["stale_rows"] for row in cleanup.expired(house.warehouse, NOW, 7)] == [0, 0]
    assert (report["total_records_deleted"], report["errors"]) == (6, [])


def test_an_evening_in_new_york_is_not_yet_the_next_day(house):
    cleanup.clean(house.warehouse, dt.datetime(2024, 11, 21, 3, 30, tzinfo=dt.UTC))
    assert 7 in days_of(house, UPGC)
    cleanup.clean(house.warehouse, dt.datetime(2024, 11, 21, 5, tzinfo=dt.UTC))
    assert 7 not in days_of(house, UPGC)


def test_what_stays_is_untouched_and_what_goes_is_in_the_backup_to_the_last_value(house):
    columns, grain = ", ".join(TABLES[UPGC].by_name), ", ".join(TABLES[UPGC].grain)
    sql = f"SELECT {columns} FROM nba_analytics.{UPGC} WHERE game_date {{}} @cutoff ORDER BY {grain}"
    goes, stays = (house.warehouse.query(sql.format(sign), cutoff=TODAY - 7 * DAY) for sign in ("<", ">="))
    assert (goes.num_rows, stays.num_rows) == (4, 8)
    cleanup.clean(house.warehouse, NOW)
    assert content(house, f"nba_analytics.{UPGC}") == stays
    assert content(house, BACKUP) == content(house, f"nba_analytics.{UPGC}_history") == goes
    moved = house.query(f"SELECT DISTINCT archived_at FROM nba_analytics.{UPGC}_history")
    assert moved == [{"archived_at": NOW}]


def test_i75_the_audit_row_says_what_was_done_and_its_columns_are_declared(house):
    cleanup.clean(house.warehouse, NOW, days=6)
    (audit,) = audits(house)
    assert {name: audit[name] for name in ("cleanup_type", "cleanup_time", "ttl_days", "tables_cleaned")} == {
        "cleanup_type": "upcoming_tables_ttl",
        "cleanup_time": NOW,
        "ttl_days": 6,
        "tables_cleaned": {UPGC: 6, UTGC: 3},
    }
    assert (audit["total_records_deleted"], audit["errors"], audit["missing_files"]) == (9, [], [])
    assert audit["duration_seconds"] > 0
    (told,) = house.query(QUERIES["cleanup_history"].sql, since=NOW)
    assert told["total_records_deleted"] == 9


def test_without_a_backup_the_rows_go_to_the_history_all_the_same(house):
    whole = content(house, f"nba_analytics.{UPGC}")
    report = cleanup.clean(house.warehouse, NOW, backup=False)
    told = [(line["deleted"], line["backup"], line["error"]) for line in report["tables"]]
    assert told == [(4, None, None), (2, None, None)]
    assert cleanup.backups(house.warehouse) == []
    assert days_of(house, f"{UPGC}_history") == {8: 2, 40: 2}
    assert content(house, f"nba_analytics.{UPGC}_all") == whole
    (audit,) = audits(house)
    assert (audit["tables_cleaned"], audit["total_records_deleted"], audit["errors"]) == ({UPGC: 4, UTGC: 2}, 6, [])


def test_again_on_the_same_day_doubles_nothing_and_keeps_the_first_backup(house):
    cleanup.clean(house.warehouse, NOW)
    first = content(house, BACKUP)
    cleanup.clean(house.warehouse, NOW)
    assert (content(house, BACKUP), days_of(house, f"{UPGC}_history")) == (first, {8: 2, 40: 2})
    cleanup.clean(house.warehouse, NOW + HOUR, days=6)
    assert days_of(house, f"{UPGC}_history") == days_of(house, f"{UPGC}_backup_20241120") == {7: 2, 8: 2, 40: 2}
    assert sorted(row["total_records_deleted"] for row in audits(house)) == [0, 3, 6]


def test_fault_37_one_late_row_of_a_cleaned_day_replaces_its_own_and_loses_no_other(house):
    """The incident's one row of 187: it comes again to a day that was archived whole."""
    cleanup.clean(house.warehouse, NOW)
    contexts(house, TODAY - 40 * DAY, players=("bob",), miles=99)
    everyone = "SELECT player_lookup, travel_miles FROM nba_analytics.{} WHERE game_date = @day ORDER BY player_lookup"

    def of_the_day(relation):
        return [tuple(row.values()) for row in house.query(everyone.format(relation), day=TODAY - 40 * DAY)]

    assert of_the_day(f"{UPGC}_all") == [("alice", 10), ("bob", 99)]
    cleanup.clean(house.warehouse, NOW)
    for relation in (f"{UPGC}_all", f"{UPGC}_history", f"{UPGC}_backup_20241120"):
        assert of_the_day(relation) == [("alice", 10), ("bob", 99)]
    assert days_of(house, UPGC) == {-1: 2, 0: 2, 6: 2, 7: 2}


def spoil(house, how):
    """A backup table of the day that is there already and cannot take the rows, or not as they are."""
    if how == "refuses":
        made = f"CREATE TABLE {BACKUP} (game_date DATE)"
    else:
        declared = create_table(dataclasses.replace(TABLES[UPGC], name=f"{UPGC}_backup_20241120"))
        made = declared.replace("travel_miles INT64", "travel_miles BOOL")
        assert made != declared
    house.warehouse.apply([made])


@pytest.mark.parametrize(("how", "message"), [("refuses", "does not have a column"), ("alters", "expected 4 with")])
def test_fault_37_a_table_that_fails_is_as_it_was_and_stops_no_other(house, how, message):
    before = {name: content(house, f"nba_analytics.{name}") for name in (UPGC, f"{UPGC}_history")}
    spoil(house, how)
    report = cleanup.clean(house.warehouse, NOW)
    assert {name: content(house, f"nba_analytics.{name}") for name in before} == before
    assert days_of(house, UTGC) == {-1: 1, 0: 1, 6: 1, 7: 1}
    assert [line["deleted"] for line in report["tables"]] == [0, 2]
    (audit,) = audits(house)
    (error,) = audit["errors"]
    assert error.startswith(f"{UPGC}: ")
    assert message in error
    assert (audit["tables_cleaned"], audit["total_records_deleted"]) == ({UPGC: 0, UTGC: 2}, 2)


def test_what_is_put_back_replaces_the_days_rows_and_twice_is_the_same(house):
    whole = content(house, f"nba_analytics.{UPGC}")
    cleanup.clean(house.warehouse, NOW)
    contexts(house, TODAY - 8 * DAY, players=("bob", "carol"), miles=77)
    for _ in range(2):
        rows = cleanup.restore(house.warehouse, TODAY, NOW + HOUR)
        assert [(row["table"], row["rows"]) for row in rows] == [(UPGC, 4), (UTGC, 2)]
        assert content(house, f"nba_analytics.{UPGC}") == content(house, f"nba_analytics.{UPGC}_all") == whole
        assert days_of(house, f"{UPGC}_history") == {}
    restored = [audit for audit in audits(house) if audit["cleanup_type"] == "upcoming_tables_restore"]
    assert [(a["tables_cleaned"], a["total_records_deleted"]) for a in restored] == [({UPGC: 4, UTGC: 2}, 0)] * 2


def test_only_a_backup_that_is_there_and_holds_rows_can_be_put_back(house):
    with pytest.raises(UsageError, match="there is no backup of 20241120: expected one of none"):
        cleanup.restore(house.warehouse, TODAY, NOW)
    house.warehouse.apply([create_table(dataclasses.replace(TABLES[UPGC], name=f"{UPGC}_backup_20241119"))])
    with pytest.raises(UsageError, match="there is no backup of 20241119"):
        cleanup.restore(house.warehouse, TODAY - DAY, NOW)
    cleanup.clean(house.warehouse, NOW)
    with pytest.raises(UsageError, match="expected one of 20241120"):
        cleanup.restore(house.warehouse, TODAY - DAY, NOW)


def test_fault_37_whatever_is_cleaned_and_put_back_in_whatever_order_no_row_is_lost_or_doubled(house):
    whole, chance = content(house, f"nba_analytics.{UPGC}"), random.Random(5)
    for _ in range(6):
        backups = sorted({row["day"] for row in cleanup.backups(house.warehouse) if row["rows"]})
        if backups and chance.random() < 0.4:
            cleanup.restore(house.warehouse, chance.choice(backups), NOW)
        else:
            cleanup.clean(house.warehouse, NOW + chance.randrange(3) * DAY, days=chance.randrange(1, 10))
        assert content(house, f"nba_analytics.{UPGC}_all") == whole
        parts = [days_of(house, relation) for relation in (UPGC, f"{UPGC}_history")]
        assert sum(sum(part.values()) for part in parts) == whole.num_rows
    assert len({row["day"] for row in cleanup.backups(house.warehouse)}) > 1


def test_backups_are_listed_and_dropped(house):
    for later, days in ((0, 30), (1, 8), (2, 7)):
        cleanup.clean(house.warehouse, NOW + later * DAY, days)
    rows = cleanup.backups(house.warehouse)
    listed = [((row["day"] - TODAY).days, row["table"], row["rows"]) for row in rows]
    assert listed == [(2, UPGC, 4), (2, UTGC, 2), (1, UPGC, 2), (1, UTGC, 1), (0, UPGC, 2), (0, UTGC, 1)]
    cleanup.drop(house.warehouse, rows[2:])
    assert cleanup.backups(house.warehouse) == rows[:2]


def test_staging_left_behind_is_told_from_staging_in_use(house):
    store, now = house.warehouse, dt.datetime.now(dt.UTC)
    long_ago = (now - 30 * HOUR).timestamp()
    for run_id, old in (("killed", ("part/rows", "part", "")), ("writes deep inside", ("",)), ("fresh", ())):
        directory = Path(store.staging(run_id))
        (directory / "part").mkdir()
        (directory / "part" / "rows").write_bytes(b"x" * 2_000_000)
        for name in old:
            os.utime(directory / name, (long_ago, long_ago))
    (killed,) = cleanup.orphans(store, now, 24)
    assert (killed["run_id"], killed["idle_hours"], killed["megabytes"]) == ("killed", 30.0, 2.0)
    later = [row["run_id"] for row in cleanup.orphans(store, now + 2 * HOUR, 1)]
    assert later == ["fresh", "killed", "writes deep inside"]
    cleanup.sweep(store, ["killed"])
    assert [staging.run_id for staging in store.stagings()] == ["fresh", "writes deep inside"]
    cleanup.sweep(store, ["fresh", "writes deep inside"])
    assert store.stagings() == []


@pytest.mark.parametrize(
    ("deleted", "hours", "expected"),
    [(CLEANUP_LIMIT, 1, []), (CLEANUP_LIMIT + 1, 1, [10_001]), (CLEANUP_LIMIT + 1, 24, []), (30_000, -1, [])],
)
def test_more_than_ten_thousand_rows_deleted_are_an_alert_for_a_day(empty_house, deleted, hours, expected):
    made = [
        {"cleanup_id": str(rows), "cleanup_type": cleanup.TTL, "cleanup_time": NOW, "total_records_deleted": rows}
        for rows in (deleted, 3)
    ]
    rows = [{**row, "missing_files": [], "errors": []} for row in made]
    with empty_house.warehouse.transaction({}) as session:
        session.insert(
            "cleanup_operations", pa.Table.from_pylist(rows, TABLES["cleanup_operations"].arrow_subset(rows[0]))
        )
    raised = empty_house.query(QUERIES["alerts"].sql, date=TODAY, now=NOW + hours * HOUR)
    found = [row for row in raised if row["cause"] == "CLEANUP_LARGE"]
    assert [row["affected"] for row in found] == expected
    assert {(row["severity"], row["analysis_date"], row["explained_by"]) for row in found} <= {("warning", TODAY, None)}


FINE = {"errors": [], "duration_seconds": 1.5}
FAILED = {"errors": [f"{UPGC}: refused"], "duration_seconds": 1.5}
CUT_OFF = {"errors": [], "duration_seconds": None}
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("cleanups", "later", "expected"),
    [
        pytest.param([FINE], HOUR, [], id="none failed"),
        pytest.param([FAILED], SECOND, [1], id="one ended with an error"),
        pytest.param([FAILED], DAY - SECOND, [1], id="and is told for a day"),
        pytest.param([FAILED], DAY, [], id="but no longer"),
        pytest.param([FAILED], -SECOND, [], id="nor before it began"),
        pytest.param([CUT_OFF], HOUR, [], id="one may be under way for an hour"),
        pytest.param([CUT_OFF], HOUR + SECOND, [1], id="then it was cut off"),
        pytest.param([FAILED, CUT_OFF], 2 * HOUR, [2], id="two of a day"),
        pytest.param([FAILED, FINE], HOUR, [], id="a later one that went well answers it"),
        pytest.param([FINE, FAILED], HOUR, [1], id="an earlier one does not"),
        pytest.param([FAILED | {"cleanup_type": cleanup.RESTORE}], HOUR, [], id="a restore changes nothing or all"),
    ],
)
def test_a_clean_up_that_failed_or_was_cut_off_is_an_alert_until_one_goes_well(empty_house, cleanups, later, expected):
    rows = [
        {
            "cleanup_id": str(minute),
            "cleanup_type": cleanup.TTL,
            "cleanup_time": NOW + (minute + 1 - len(cleanups)) * dt.timedelta(minutes=1),
            "missing_files": [],
            **row,
        }
        for minute, row in enumerate(cleanups)
    ]
    with empty_house.warehouse.transaction({}) as session:
        session.insert(
            "cleanup_operations", pa.Table.from_pylist(rows, TABLES["cleanup_operations"].arrow_subset(rows[0]))
        )
    raised = empty_house.query(QUERIES["alerts"].sql, date=TODAY, now=NOW + later)
    found = [row for row in raised if row["cause"] == "CLEANUP_FAILED"]
    assert [row["affected"] for row in found] == expected
    assert {(row["severity"], row["analysis_date"], row["explained_by"]) for row in found} <= {("warning", TODAY, None)}


def test_i48_nothing_of_the_warehouse_expires_by_itself():
    assert [table.name for table in TABLES.values() if "expiration" in create_table(table).lower()] == []


@pytest.fixture(scope="module")
def cleaned(chain, tmp_path_factory):
    """The chain's house, and the same after a clean-up long after its last game."""
    house = chain.house.copy(tmp_path_factory.mktemp("cleaned") / "house.duckdb")
    report = cleanup.clean(house.warehouse, house.now + 30 * DAY)
    assert report["total_records_deleted"] > 1000
    assert house.table(UPGC).num_rows == house.table(UTGC).num_rows == 0
    return house


ABOUT_THE_CLEANUP = ("stale_upcoming", "cleanup_history")
CONCERNED = []  # views that read the cleaned tables, or another such view
for _view in VIEWS.values():
    if any(name in _view.sql for name in (*BOTH, *(VIEWS[name].id for name in CONCERNED))):
        CONCERNED.append(_view.name)
ASKED = [
    query.name
    for query in QUERIES.values()
    if query.name not in ABOUT_THE_CLEANUP
    and any(name in query.sql for name in (*BOTH, *(VIEWS[name].id for name in CONCERNED)))
]


def test_the_views_and_queries_that_read_the_cleaned_tables_are_found():
    assert {"entity_verdicts", "missing_games", f"{UPGC}_all", f"{UTGC}_ready"} < set(CONCERNED)
    assert {"completeness_health", "alerts", "verdict_cells", "coverage_by_day"} < set(ASKED)


@pytest.mark.parametrize("view", CONCERNED)
def test_every_view_says_the_same_after_a_clean_up(chain, cleaned, view):
    def rows(house):
        return sorted(map(repr, house.query(f"SELECT * FROM {VIEWS[view].id}")))

    assert rows(cleaned) == rows(chain.house)


@pytest.mark.parametrize("name", ASKED)
def test_every_query_says_the_same_after_a_clean_up(chain, cleaned, name):
    day, now = chain.days[-1], chain.house.now
    values = {
        "date": day,
        "start": chain.days[0],
        "end": day,
        "days": list(chain.days),
        "now": now,
        "processors": list(BY_NAME),
        "processor": UPGC,
        "entity": "",
        "since": now - 60 * DAY,
        "points": 5.0,
        "threshold": 90.0,
        "cutoff": day,
    }
    query = QUERIES[name]
    given = {parameter: values[parameter] for parameter in query.parameters}
    if query.parameters.get("since") == "DATE":
        given["since"] = day - 7 * DAY
    missing = set(query.parameters) - set(values)
    assert not missing
    assert cleaned.query(query.sql, **given) == chain.house.query(query.sql, **given)


def test_no_command_calls_a_cleaned_day_lost_or_stale(chain, cleaned):
    first, last = chain.days[0], chain.days[-1]
    assert stale(cleaned.warehouse, first, last, cleaned.now)["entity_days"] == []
    for name in BOTH:
        before, after = (
            table_gaps(house.warehouse, TABLES[name], "game_date", first, last, Frequency.GAME_DAYS)
            for house in (chain.house, cleaned)
        )
        assert after == before
        assert after.gap_count == 0
    player = chain.house.one(f"SELECT MIN(player_lookup) FROM nba_analytics.{UPGC} WHERE game_date = @day", day=last)
    before, after = (check(house.warehouse, player, last, house.now) for house in (chain.house, cleaned))
    assert after == before


def test_runs_over_a_cleaned_day_read_the_history_and_publish_the_same(chain, cleaned, tmp_path):
    houses = [house.copy(tmp_path / f"{name}.duckdb") for name, house in (("kept", chain.house), ("cleaned", cleaned))]
    for house in houses:
        house.now += HOUR
        for phase, processors in (("analytics", [UTGC]), ("precompute", None), ("predictions", None)):
            house.run(phase, chain.days[-1], processors=processors)
    compared = [name for name in LEDGER if name != "outbox_events"] + ["player_prop_predictions"]
    compared += [processor.name for processor in GATED if processor.name not in BOTH]
    kept, after = (house.tables(*compared, content=True) for house in houses)
    assert {name for name in compared if kept[name] != after[name]} == set()
    # Nobody's inputs seem changed, so the day does not come back to the table.
    assert houses[1].table(UTGC).num_rows == 0


def test_a_day_published_anew_leaves_the_history(chain, cleaned, tmp_path):
    house = cleaned.copy(tmp_path / "house.duckdb")
    day, whole = chain.days[0], content(house, f"nba_analytics.{UTGC}_all", UTGC).num_rows
    newer = dataclasses.replace(BY_NAME[UTGC], version=f"{BY_NAME[UTGC].version}-newer")
    house.run("analytics", day, processors=(newer,))
    there = f"SELECT COUNT(*) FROM nba_analytics.{{}} WHERE game_date = DATE '{day}'"
    assert house.one(there.format(f"{UTGC}_history")) == 0
    assert house.one(there.format(UTGC)) == house.one(there.format(f"{UTGC}_all")) > 0
    assert content(house, f"nba_analytics.{UTGC}_all", UTGC).num_rows == whole
