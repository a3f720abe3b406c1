"""`gaps`, `run --strict` and `run --fail-on-incomplete`, as a user meets them."""

import csv
import datetime as dt
import io
import json

import pytest

from fullcourt.domain.processors import PROCESSORS, Phase

TDZA, PDC = "team_defense_zone_analysis", "player_daily_cache"
TDGS, PGS = "team_defense_game_summary", "player_game_summary"
DAY = dt.timedelta(1)
HISTORY = "processor_run_history"


def on(house):
    return ("--warehouse", house.url, "--now", house.now.isoformat())


def unpublish(house, processor, days):
    """As if the processor had never run for the days."""
    with house.warehouse.transaction({}) as session:
        session.execute(
            "DELETE FROM nba_orchestration.publish_receipts "
            "WHERE processor_name = @processor AND analysis_date IN UNNEST(@days)",
            processor=processor,
            days=days,
        )


def gaps(cli, house, start, end, *more):
    return cli("gaps", "--start", start, "--end", end, "--warehouse", house.url, *more)


# ---- gaps


def test_gaps_are_listed_by_processor_and_end_in_1(cli, season, season_house):
    gone = [season.days[3], season.days[5]]
    unpublish(season_house, PGS, gone)
    start, end = season.days[0], season.days[9]
    code, out, err = gaps(cli, season_house, start, end, "--format", "json")
    assert (code, err) == (1, "")
    rows = {row["processor"]: row for row in json.loads(out)}
    assert list(rows) == [p.name for p in PROCESSORS if p.phase is Phase.ANALYTICS], "the others never ran"
    assert rows[PGS] == {
        "processor": PGS,
        "expected_days": 10,
        "present_days": 8,
        "gap_count": 2,
        "coverage_pct": 80.0,
        "missing_dates": [day.isoformat() for day in gone],
        "incomplete_dates": [],
    }
    assert (rows[TDGS]["gap_count"], rows[TDGS]["coverage_pct"]) == (0, 100.0)
    (row,) = json.loads(gaps(cli, season_house, start, end, "--processor", TDZA, "--format", "json")[1])
    assert row["missing_dates"] == [day.isoformat() for day in season.days[:10]], "asked about by name"


def test_a_processor_without_gaps_ends_in_0_in_every_format(cli, season, season_house):
    start, end = season.days[0], season.days[9]
    for form in ("table", "json", "csv"):
        code, out, _ = gaps(cli, season_house, start, end, "--processor", PGS, "--format", form)
        assert (code, PGS in out) == (0, True)
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["expected_days"], row["gap_count"], row["missing_dates"]) == ("10", "0", "")


def test_a_day_published_in_part_is_a_gap_and_marked(cli, season, season_house):
    day = season.days[4]
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_orchestration.publish_receipts SET status = 'INCOMPLETE' "
            "WHERE processor_name = @processor AND analysis_date = @day",
            processor=PGS,
            day=day,
        )
    code, out, _ = gaps(cli, season_house, day - DAY, day + DAY, "--processor", PGS, "--format", "json")
    (row,) = json.loads(out)
    assert (code, row["missing_dates"], row["incomplete_dates"]) == (1, [day.isoformat()], [day.isoformat()])


def test_i63_calendar_days_are_asked_for_and_never_the_default(cli, season, season_house):
    """Before the season there are days and no games: nothing is missing, unless every day is expected."""
    start, end = season.days[0] - 5 * DAY, season.days[0]
    code, out, _ = gaps(cli, season_house, start, end, "--processor", PGS, "--format", "json")
    assert (code, json.loads(out)[0]["expected_days"]) == (0, 1)
    code, out, _ = gaps(cli, season_house, start, end, "--processor", PGS, "--calendar-days", "--format", "json")
    (row,) = json.loads(out)
    assert (code, row["expected_days"], row["gap_count"]) == (1, 6, 5)


def test_a_long_list_is_shortened_for_the_eye_only(cli, season, season_house):
    ask = (season.days[0], season.days[9], "--processor", TDZA)
    _, out, _ = gaps(cli, season_house, *ask)
    assert f"{season.days[4]} and 5 more" in " ".join(out.replace("│", " ").split())
    (row,) = json.loads(gaps(cli, season_house, *ask, "--format", "json")[1])
    assert len(row["missing_dates"]) == 10


def test_any_table_can_be_asked_for(cli, season, season_house):
    gone = season.days[7]
    with season_house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_raw.nbac_team_boxscore WHERE game_date = @day", day=gone)
    ask = (season.days[0], season.days[9], "--table", "nba_raw.nbac_team_boxscore", "--format", "json")
    for more in ((), ("--date-column", "game_date")):
        code, out, _ = gaps(cli, season_house, *ask, *more)
        (row,) = json.loads(out)
        assert (code, row["table"]) == (1, "nba_raw.nbac_team_boxscore")
        assert (row["missing_dates"], row["coverage_pct"]) == ([gone.isoformat()], 90.0)


USAGE = {
    "processor": (("--processor", "nothing"), 2, "unknown processor 'nothing': expected one of team_offense_game_s"),
    "both": (("--processor", PGS, "--table", PGS), 2, "--processor and --table exclude each other"),
    "column alone": (("--date-column", "game_date"), 2, "--date-column goes with --table"),
    "table": (("--table", "player_game_sumary"), 2, "did you mean player_game_summary"),
    "column": (("--table", PGS, "--date-column", "player_lookup"), 2, "expected one of game_date"),
    "order": (("--end", "2024-01-01"), 2, "the first day must not be after the last"),
    "season": (("--start", "2020-01-01", "--end", "2020-02-01"), 1, "no schedule is loaded for 2020-01-01"),
}


@pytest.mark.parametrize(("arguments", "expected", "complaint"), USAGE.values(), ids=USAGE)
def test_what_gaps_cannot_answer_is_said(cli, season, arguments, expected, complaint):
    code, out, err = gaps(cli, season.house, season.days[0], season.days[9], *arguments)
    assert (code, out) == (expected, "")
    assert complaint in err


# ---- run --strict


def precompute(cli, house, day, *more, processors=TDZA):
    return cli("run", "precompute", "--date", day, "--processors", processors, *on(house), *more)


def test_strict_runs_where_all_is_safe_and_says_the_same(cli, season, season_house):
    code, _, err = precompute(cli, season_house, season.days[20], "--strict")
    assert (code, "asking the upstream processors" in err) == (0, True)
    strict = season_house.table(TDZA, content=True)
    assert strict.num_rows == 30
    code, out, err = precompute(cli, season_house, season.days[20], "--format", "json")
    assert (code, "asking" in err, json.loads(out)[0]["unchanged_days"]) == (0, False, 1)
    assert season_house.table(TDZA, content=True) == strict


def failed(house, processor, day):
    """As if a run of the processor had failed since."""
    with house.warehouse.transaction({}) as session:
        session.execute(
            "INSERT INTO nba_reference.processor_run_history "
            "(processor_name, run_id, data_date, status, started_at, errors) "
            "VALUES (@processor, 'later', @day, 'failed', @at, @errors)",
            processor=processor,
            day=day,
            at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            errors='["disk full"]',
        )


def test_i65_strict_asks_only_for_what_a_consumer_cannot_do_without(cli, season, season_house):
    """An optional upstream that was late blocked the whole run: player_daily_cache reads team summaries, if there."""
    failed(season_house, "team_offense_game_summary", season.days[19])
    failed(season_house, TDGS, season.days[19])
    assert precompute(cli, season_house, season.days[20], "--strict", processors=PDC)[0] == 0


def test_strict_refuses_an_upstream_run_that_failed_before_anything_is_computed(cli, season, season_house):
    day, before = season.days[20], season.days[19]
    failed(season_house, TDGS, before)
    kept = season_house.everything()
    code, out, err = precompute(cli, season_house, day, "--strict")
    assert (code, out) == (1, "")
    assert f"error: strict: {TDGS} of {before} is failed (disk full), needed by {TDZA}; nothing was computed" in err
    assert "computing" not in err
    now = season_house.everything()
    assert {name for name in kept if kept[name] != now[name]} == {HISTORY, "outbox_events"}
    assert season_house.query(
        f"SELECT status, run_id FROM nba_reference.{HISTORY} WHERE processor_name = @name", name=TDZA
    )[0]["status"] == "failed"  # fmt: skip
    told = [event["processor_name"] for event in now["outbox_events"].to_pylist() if event["status"] == "failed"]
    assert told == [TDZA]
    assert precompute(cli, season_house, day)[0] == 0  # soft is the default
    assert precompute(cli, season_house, season.days[21], "--strict")[0] == 0  # whose day before is safe


def test_i63_strict_asks_for_the_game_day_before_and_not_for_yesterday(cli, season, season_house):
    """A league off-day blocked the next night's run."""
    day = next(day for before, day in zip(season.days, season.days[1:], strict=False) if day - before > DAY)
    _, _, err = precompute(cli, season_house, day, "--strict")
    assert ("computing 1 game days" in err, "error" in err) == (True, False)


def test_strict_refuses_gaps_in_the_look_back_and_names_them(cli, season, season_house):
    day = season.days[20]
    gone = next(known for known in season.days if day - known <= 15 * DAY)
    unpublish(season_house, TDGS, [gone])
    code, _, err = precompute(cli, season_house, day, "--strict")
    assert code == 1
    assert f"{TDGS} lacks {gone}, within the 15-day look-back of {TDZA}; nothing was computed" in err
    assert precompute(cli, season_house, day, "--strict", processors=PDC)[0] == 0  # which reads another table
    later = next(known for known in season.days if known - gone > 15 * DAY)
    assert precompute(cli, season_house, later, "--strict")[0] == 0


def test_the_first_day_of_a_season_relies_on_nothing(cli, season, season_house):
    _, _, err = precompute(cli, season_house, season.days[0], "--strict")
    assert ("computing 1 game days" in err, "error" in err) == (True, False)


# ---- run --fail-on-incomplete


def test_fail_on_incomplete_publishes_and_then_ends_in_1(cli, season, season_house):
    day = season.judged[-1]
    code, out, err = precompute(cli, season_house, day, "--fail-on-incomplete", "--format", "json")
    assert code == 1
    (report,) = json.loads(out)
    held_back = season_house.query(
        f"SELECT team_abbr FROM nba_precompute.{TDZA} WHERE NOT is_production_ready ORDER BY team_abbr"
    )
    assert season.team in [row["team_abbr"] for row in held_back]
    assert report["incomplete"] == len(held_back)
    assert f"error: published, but not all is ready: {TDZA} (threshold 90 %, mean completeness" in err
    assert f"{season.team} on {day}" in err
    assert season_house.table(TDZA).num_rows == 30
    receipts = season_house.query(
        "SELECT status FROM nba_orchestration.latest_receipts WHERE processor_name = @name", name=TDZA
    )
    assert receipts == [{"status": "COMPLETE"}]
    assert precompute(cli, season_house, day)[0] == 0  # soft is the default


def test_fail_on_incomplete_ends_in_0_when_everybody_is_ready(cli, season, season_house):
    assert precompute(cli, season_house, season.days[20], "--fail-on-incomplete")[0] == 0
    code, out, _ = cli("run", "precompute", "--date", "2025-07-01", "--fail-on-incomplete", *on(season_house))
    assert (code, "No games" in out) == (0, True)


def test_an_uncovered_day_is_named_beside_who_is_not_ready(cli, season, season_house):
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "DELETE FROM nba_analytics.team_defense_game_summary WHERE game_date IN UNNEST(@days)",
            days=list(season.days[-5:-1]),
        )
    code, _, err = precompute(cli, season_house, season.judged[-1], "--fail-on-incomplete")
    assert code == 1
    assert f"{TDZA}: 1 days are not covered: {season.judged[-1]}" in err
    assert "error: published, but not all is ready" in err
