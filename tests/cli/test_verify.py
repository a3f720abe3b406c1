"""`verify`, `gaps --outputs` and `gaps --flag-incomplete`, as a user meets them."""

import csv
import datetime as dt
import io
import json

import pytest

from fullcourt.domain.processors import PROCESSORS
from tests.houses import House
from tests.verified import build, execute, game_days

PGS, PDC, TDGS = "player_game_summary", "player_daily_cache", "team_defense_game_summary"
FAILURES = "nba_processing.precompute_failures"
CHECKS = ["check", "table", "days", "found", "expected", "ok"]


@pytest.fixture(scope="session")
def verified(loaded_file, once):
    """Every phase of every game day; not to be written to."""
    return House(once("verified", lambda directory: build(loaded_file, directory)) / "verified.duckdb", loaded_file.now)


@pytest.fixture
def house(verified, tmp_path):
    return verified.copy(tmp_path / "house.duckdb")


def on(house, now=None):
    return ("--warehouse", house.url, "--now", (now or house.now).isoformat())


def verify(cli, house, phase, *more):
    days = game_days(house)
    return cli("verify", phase, "--start", days[0], "--end", days[-1], *on(house), *more)


def receipts_lost(house, *lost):
    """As if the processors had never run for the days: (processor, day)."""
    for name, day in lost:
        execute(
            house,
            "DELETE FROM nba_orchestration.publish_receipts WHERE processor_name = @name AND analysis_date = @day",
            name=name,
            day=day,
        )


# ---- verify


@pytest.mark.parametrize(
    ("number", "name"), list(enumerate(("landing", "raw", "analytics", "precompute", "predictions"), start=1))
)
def test_a_phase_that_is_all_there_ends_in_0_by_number_and_by_name(cli, verified, number, name):
    code, out, err = verify(cli, verified, number, "--format", "json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert rows
    assert all(list(row) == CHECKS and row["ok"] for row in rows)
    if name == "raw":
        assert verify(cli, verified, name, "--format", "json") == (0, out, "")


def test_all_checks_are_shown_and_the_first_failed_one_is_named(cli, house):
    days = game_days(house)
    execute(house, f"DELETE FROM nba_analytics.{PGS} WHERE game_date IN UNNEST(@days)", days=[days[3], days[5]])
    execute(house, f"DELETE FROM nba_analytics.{TDGS} WHERE game_date = @day", day=days[7])
    code, out, err = verify(cli, house, "analytics", "--format", "csv")
    assert code == 1
    assert err.startswith(
        f"error: verify analytics: game_days of nba_analytics.{TDGS} on {days[7]}: found 11, expected 12; "
    )
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len({(row["check"], row["table"]) for row in rows}) > 20  # those that passed too
    assert [row["days"] for row in rows if row["check"] == "game_days" and row["table"] == f"nba_analytics.{PGS}"] == [
        f"{days[3]} {days[5]}"
    ]


def test_a_table_shows_the_first_days_of_a_check_and_counts_the_others(cli, house):
    execute(house, f"UPDATE nba_analytics.{PGS} SET mid_range_attempts = NULL")
    code, out, _ = verify(cli, house, "analytics")
    lines = [line for line in out.splitlines() if "unknown_zones_pct" in line and PGS in line]
    days = game_days(house)
    assert (code, len(lines)) == (1, 4)
    assert str(days[2]) in lines[2]
    assert "and 9 more days" in lines[3]
    code, out, _ = verify(cli, house, "analytics", "--format", "json")
    assert sum(row["check"] == "unknown_zones_pct" and not row["ok"] for row in json.loads(out)) == 12


def test_a_range_without_game_days_says_so_and_ends_in_0(cli, verified):
    for form, said in (("table", "nothing to verify"), ("json", "[]"), ("csv", "")):
        ask = ("--start", "2024-10-01", "--end", "2024-10-03", "--format", form)
        code, out, err = cli("verify", "3", *ask, *on(verified))
        assert (code, err) == (0, "")
        assert said in out


USAGE = {
    "phase": (("6",), 2, "unknown phase '6': expected 1 to 5, or one of landing, raw"),
    "order": (("3", "--end", "2024-10-01"), 2, "the first day must not be after the last"),
    "season": (("3", "--start", "2020-01-01", "--end", "2020-02-01"), 1, "no schedule is loaded for 2020-01-01"),
}


@pytest.mark.parametrize(("arguments", "expected", "complaint"), USAGE.values(), ids=USAGE)
def test_what_verify_cannot_answer_is_said(cli, verified, arguments, expected, complaint):
    phase, *more = arguments
    code, out, err = verify(cli, verified, phase, *more)
    assert (code, out) == (expected, "")
    assert complaint in err


# ---- gaps --outputs


def outputs(cli, house, *more, now=None):
    code, out, err = cli("gaps", "--outputs", "--format", "json", *on(house, now), *more)
    return code, {row["processor"]: row for row in json.loads(out)} if out else {}, err


def test_i77_a_hole_in_october_shows_in_may_without_a_range(cli, house):
    days = game_days(house)
    receipts_lost(house, (PGS, days[4]))
    execute(
        house,
        "UPDATE nba_orchestration.publish_receipts SET status = 'INCOMPLETE' "
        "WHERE processor_name = @name AND analysis_date = @day",
        name=PDC,
        day=days[6],
    )
    may = dt.datetime(2025, 5, 15, 12, tzinfo=dt.UTC)
    code, rows, _ = outputs(cli, house, now=may)
    assert (code, list(rows)) == (1, [processor.name for processor in PROCESSORS])
    assert {name: row["missing_dates"] for name, row in rows.items() if row["gap_count"]} == {
        PGS: [str(days[4])],
        PDC: [str(days[6])],
    }
    assert (rows[PGS]["incomplete_dates"], rows[PDC]["incomplete_dates"]) == ([], [str(days[6])])
    assert (rows[PDC]["expected_days"], rows[PDC]["coverage_pct"], rows[PDC]["phase"]) == (12, 91.7, "precompute")
    assert rows[PDC]["empty_ok_days"] > 0  # on the first day nobody has anything to look back on
    code, rows, _ = outputs(cli, house, "--processor", TDGS, now=may)
    assert (code, list(rows), rows[TDGS]["gap_count"]) == (0, [TDGS], 0)
    code, rows, _ = outputs(cli, house, "--start", days[5], "--processor", PGS, now=may)
    assert (code, rows[PGS]["expected_days"]) == (0, 7)


def test_days_from_today_on_owe_nothing_yet(cli, house):
    days = game_days(house)
    receipts_lost(house, *((PGS, day) for day in days[8:]))
    noon = dt.datetime.combine(days[9], dt.time(16), dt.UTC)
    code, rows, _ = outputs(cli, house, "--processor", PGS, now=noon)
    assert (code, rows[PGS]["missing_dates"], rows[PGS]["expected_days"]) == (1, [str(days[8])], 9)
    code, rows, _ = outputs(cli, house, "--processor", PGS, "--end", days[-1], now=noon)
    assert rows[PGS]["missing_dates"] == [str(days[8])]
    code, rows, _ = outputs(cli, house, now=dt.datetime(2024, 10, 1, tzinfo=dt.UTC))
    assert (code, rows[PGS]["expected_days"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "expected --start and --end, or --outputs"),
        (("--start", "2024-10-22"), "expected --start and --end, or --outputs"),
        (("--outputs", "--table", PGS), "--outputs excludes --table and --calendar-days"),
        (("--outputs", "--calendar-days"), "--outputs excludes --table and --calendar-days"),
        (("--flag-incomplete",), "--flag-incomplete goes with --outputs"),
        (("--outputs", "--start", "2024-11-02", "--end", "2024-11-01"), "must not be after the last"),
    ],
    ids=str,
)
def test_what_gaps_is_not_asked_for_is_usage(cli, verified, arguments, complaint):
    code, out, err = cli("gaps", *arguments, *on(verified))
    assert (code, out) == (2, "")
    assert complaint in err


def test_outputs_without_any_schedule_are_an_error(cli, empty_house):
    code, _, err = outputs(cli, empty_house)
    assert (code, "no schedule is loaded" in err) == (1, True)


# ---- gaps --flag-incomplete


def flagged(house):
    return house.query(
        "SELECT processor_name, analysis_date, failure_category, failure_reason, resolution_status, run_id "
        f"FROM {FAILURES} WHERE entity_id = '*' ORDER BY processor_name, analysis_date"
    )


def flag(cli, house, *more):
    return cli("gaps", "--outputs", "--flag-incomplete", *on(house), *more)


def test_an_incomplete_day_is_flagged_once_and_only_when_it_is_meant(cli, house):
    days = game_days(house)
    receipts_lost(house, (PGS, days[4]))
    execute(
        house,
        "UPDATE nba_orchestration.publish_receipts SET status = 'INCOMPLETE', coverage_expected = 187, "
        "coverage_written = 1, coverage_explained = 0, coverage_pct = 100 / 187 "
        "WHERE processor_name = @name AND analysis_date = @day",
        name=PDC,
        day=days[6],
    )
    watched = ("precompute_failures", "publish_receipts", "reprocess_attempts", PDC, PGS)
    kept = house.tables(*watched)
    code, _, err = flag(cli, house)
    assert (code, "there is no terminal to ask on" in err) == (2, True)
    code, _, err = flag(cli, house, "--dry-run")
    assert (code, "2 processor-days would be flagged; nothing was changed" in err) == (1, True)
    assert house.tables(*watched) == kept
    code, _, err = flag(cli, house, "--yes")
    assert (code, "2 processor-days are flagged" in err) == (1, True)
    rows = [{name: value for name, value in row.items() if name != "run_id"} for row in flagged(house)]
    said = {"failure_category": "INCOMPLETE_COVERAGE", "resolution_status": "UNRESOLVED"}
    short, none = "1 of 187 keys are there or explained, 0.53 %", "nothing was published"
    assert rows == [
        {"processor_name": PDC, "analysis_date": days[6], "failure_reason": short, **said},
        {"processor_name": PGS, "analysis_date": days[4], "failure_reason": none, **said},
    ]
    once = house.tables(*watched, content=True)
    assert flag(cli, house, "--yes")[0] == 1
    assert house.tables(*watched, content=True) == once
    changed = {name for name, table in house.tables(*watched).items() if table != kept[name]}
    assert changed == {"precompute_failures"}


def test_a_flag_is_of_a_day_and_no_entity_of_a_report(cli, house):
    days = game_days(house)
    cells = "verdict_cells"
    before = house.query(_query(cells), start=days[0], end=days[-1])
    receipts_lost(house, (PDC, days[6]))
    flag(cli, house, "--yes")
    assert house.query(_query(cells), start=days[0], end=days[-1]) == before


def _query(name):
    from fullcourt.warehouse.queries import QUERIES

    return QUERIES[name].sql


def test_a_complete_publish_takes_the_flag_away_whether_or_not_its_rows_changed(cli, house):
    days = game_days(house)
    receipts_lost(house, (PGS, days[6]), (PDC, days[6]), (PDC, days[7]))
    execute(  # the rows are what they were, and only now enough
        house,
        "UPDATE nba_orchestration.publish_receipts SET status = 'INCOMPLETE' "
        "WHERE processor_name = @name AND analysis_date = @day",
        name=PDC,
        day=days[8],
    )
    flag(cli, house, "--yes")
    assert [(row["processor_name"], row["analysis_date"]) for row in flagged(house)] == [
        (PDC, days[6]),
        (PDC, days[7]),
        (PDC, days[8]),
        (PGS, days[6]),
    ]
    house.run("analytics", days[6], processors=[PGS])
    house.run("precompute", days[6], processors=[PDC])
    house.run("precompute", days[8], processors=[PDC])
    assert [(row["processor_name"], row["analysis_date"]) for row in flagged(house)] == [(PDC, days[7])]
    assert outputs(cli, house, "--processor", PDC)[1][PDC]["missing_dates"] == [str(days[7])]


def test_a_publish_that_is_still_not_complete_leaves_the_flag(cli, house):
    day = game_days(house)[8]
    receipts_lost(house, (PDC, day))
    flag(cli, house, "--yes")
    execute(house, f"DELETE FROM nba_analytics.{PGS} WHERE player_lookup > 'b' AND game_date < @day", day=day)
    (report,) = house.run("precompute", day, processors=[PDC], allow_demotion=True)["processors"]
    assert report["days_not_covered"] == [day.isoformat()]
    assert [(row["processor_name"], row["analysis_date"]) for row in flagged(house)] == [(PDC, day)]
