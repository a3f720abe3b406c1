"""Write, audit, publish: what a run leaves behind, and what it leaves alone."""

import datetime as dt
import json
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.days import micros, to_number
from fullcourt.domain.errors import EngineError, GateError, UsageError
from fullcourt.domain.processors import BY_NAME, Phase, select
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration.check import check
from fullcourt.orchestration.publish import Publish
from fullcourt.orchestration.run import RunRequest, run_phase
from pipelines import precompute
from pipelines.reads import of_gated
from schemas import TABLES
from tests.houses import LEDGER

HOUR = dt.timedelta(hours=1)
TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
ZONES = [TDZA, PSZA]
ANALYTICS = [processor.name for processor in select(Phase.ANALYTICS)]
PRECOMPUTE = [processor.name for processor in select(Phase.PRECOMPUTE)]
SUMMARIES = [name for name in ANALYTICS if not BY_NAME[name].windows]
PUBLISHED = (*ANALYTICS, *PRECOMPUTE, *LEDGER)
UNTOUCHED = tuple(name for name in PUBLISHED if name != "outbox_events")  # by a run that is refused: it says so


def announcements(house):
    """The messages that something was published."""
    return [event for event in house.table("outbox_events").to_pylist() if event["status"] != "failed"]


def verdict(house, processor, entity, day):
    """What the published row says."""
    key = BY_NAME[processor].key_column
    rows = house.query(
        "SELECT is_production_ready AS ready, reprocess_attempt_count AS attempts, circuit_breaker_active AS blocked, "
        f"processing_decision_reason AS reason FROM {TABLES[processor].id} "
        f"WHERE {key} = @entity AND analysis_date = @day",
        entity=entity,
        day=day,
    )
    return rows[0] if rows else None


def receipts(house, processor, day=None):
    rows = house.query(
        "SELECT * FROM nba_orchestration.publish_receipts WHERE processor_name = @processor "
        "ORDER BY analysis_date, published_at",
        processor=processor,
    )
    return [row for row in rows if day in (None, row["analysis_date"])]


def attempts(house, processor, entity):
    rows = house.query(
        "SELECT analysis_date, attempt_number, circuit_breaker_tripped AS tripped "
        "FROM nba_orchestration.reprocess_attempts WHERE processor_name = @processor AND entity_id = @entity "
        "ORDER BY analysis_date, attempted_at",
        processor=processor,
        entity=entity,
    )
    return [tuple(row.values()) for row in rows]


def played_day(season, number=0):
    """One of the judged days on which the team with the lost games plays."""
    games = season.league.schedule.to_pylist()
    days = [g["game_date"] for g in games if season.team in (g["home_tricode"], g["away_tricode"])]
    return sorted(day for day in days if day in season.judged)[number]


def repair(house, season):
    """The whole files arrive, and the lost games are summarised."""
    house.ingest(season.landing)
    games = season.league.schedule.to_pylist()
    for day in sorted({game["game_date"] for game in games if game["game_id"] in season.lost}):
        house.run("analytics", day, processors=SUMMARIES)


def damage(house, day, tables=("team_defense_game_summary",), share="TRUE"):
    """Upstream rows of a day vanish."""
    with house.warehouse.transaction({}) as session:
        for table in tables:
            session.execute(f"DELETE FROM {TABLES[table].id} WHERE game_date = @day AND {share}", day=day)


# ---- rerun


@pytest.mark.parametrize("recompute", [False, True])
def test_an_identical_rerun_changes_nothing(season_house, season, recompute):
    early = season.days[20:23]
    for phase in ("analytics", "precompute"):
        season_house.run(phase, early[0], early[-1])
    before = season_house.tables(*PUBLISHED)
    for phase in ("analytics", "precompute"):
        report = season_house.run(phase, early[0], early[-1], now=season_house.now + HOUR, recompute=recompute)
        assert ("unchanged_since" in report) is not recompute
        assert [p["unchanged_days"] for p in report["processors"]] == [p["days"] for p in report["processors"]]
        assert {p["days"] for p in report["processors"]} == {len(early)}
        assert [p["processor"] for p in report["processors"]] == (ANALYTICS if phase == "analytics" else PRECOMPUTE)
    assert season_house.tables(*PUBLISHED) == before


def test_a_part_of_a_range_has_identical_rows(season_house, season, tmp_path):
    days = season.days[20:22]
    other = season_house.copy(tmp_path / "other.duckdb")
    season_house.run("precompute", days[0], days[-1])
    for day in reversed(days):
        other.run("precompute", day)
    for name in PRECOMPUTE:
        assert other.table(name, content=True).equals(season_house.table(name, content=True))
    before = season_house.tables(*PUBLISHED)
    assert [p["unchanged_days"] for p in season_house.run("precompute", days[1])["processors"]] == [1] * 5
    assert season_house.tables(*PUBLISHED) == before


@pytest.mark.parametrize("change", [{"version": "2"}, {"threshold_per_mille": 850}], ids=["code version", "threshold"])
def test_a_change_of_code_or_threshold_is_no_repeat(season_house, season, change):
    day = played_day(season)
    season_house.run("precompute", day, processors=[TDZA])
    assert verdict(season_house, TDZA, season.team, day)["ready"] is False
    report = season_house.run("precompute", day, processors=(replace(BY_NAME[TDZA], **change),))
    assert report["processors"][0]["unchanged_days"] == 0
    assert len(receipts(season_house, TDZA)) == 2
    assert verdict(season_house, TDZA, season.team, day)["ready"] is ("threshold_per_mille" in change)  # 13 of 15


def test_going_back_and_forth_under_one_clock_the_last_publish_stands(season_house, season):
    """Drills give many runs the same instant; the newest receipt is the last one nonetheless."""
    day = season.days[20]
    versions = [(replace(BY_NAME[TDZA], version=version),) for version in ("1", "2", "1", "3", "1")]
    for processors in versions:
        report = season_house.run("precompute", day, processors=processors)
        assert report["processors"][0]["unchanged_days"] == 0
    assert season_house.run("precompute", day, processors=versions[-1])["processors"][0]["unchanged_days"] == 1
    (latest,) = season_house.query(
        "SELECT processor_version, published_at FROM nba_orchestration.latest_receipts WHERE processor_name = @name",
        name=TDZA,
    )
    assert latest["processor_version"] == "1"
    keys = [tuple(row[name] for name in TABLES["publish_receipts"].grain) for row in receipts(season_house, TDZA)]
    assert len(set(keys)) == len(keys) == 5


# ---- breaker


def test_fault_30_an_incomplete_day_is_tried_until_its_breaker_opens_and_closes_when_data_comes(season_house, season):
    day, other = played_day(season, 0), played_day(season, 1)
    season_house.run("precompute", other, processors=[TDZA])
    seen = []
    for run in range(5):
        report = season_house.run("precompute", day, processors=ZONES, now=season_house.now + run * HOUR)
        row = verdict(season_house, TDZA, season.team, day)
        seen.append((row["attempts"], row["blocked"], row["reason"], report["processors"][0]["unchanged_days"]))
    assert seen == [
        (1, False, "incomplete_upstream_data", 0),
        (2, False, "incomplete_upstream_data", 0),
        (3, False, "incomplete_upstream_data", 0),
        (3, True, "circuit_breaker_active", 0),
        (3, True, "circuit_breaker_active", 1),
    ]
    expected = [(day, 1, False), (day, 2, False), (day, 3, True), (other, 1, False)]
    assert attempts(season_house, TDZA, season.team) == expected

    repair(season_house, season)
    season_house.run("precompute", day, processors=ZONES, now=season_house.now + 6 * HOUR)
    assert verdict(season_house, TDZA, season.team, day)["ready"] is True
    assert attempts(season_house, TDZA, season.team) == expected
    closed = season_house.query(
        "SELECT action, analysis_date, reason FROM nba_orchestration.breaker_actions "
        "WHERE processor_name = @processor AND entity_id = @entity",
        processor=TDZA,
        entity=season.team,
    )
    assert closed == [{"action": "close", "analysis_date": day, "reason": "auto_reset_on_data"}]
    assert verdict(season_house, TDZA, season.team, other)["ready"] is False
    assert season_house.query(
        "SELECT attempt_number, circuit_breaker_tripped AS tripped, open_until FROM nba_orchestration.breaker_state "
        "WHERE entity_id = @team AND analysis_date = @day",
        team=season.team,
        day=day,
    ) == [{"attempt_number": 0, "tripped": False, "open_until": None}]
    before = season_house.tables(TDZA, PSZA, "breaker_actions", "reprocess_attempts", content=True)
    again = season_house.run("precompute", day, processors=ZONES, now=season_house.now + 7 * HOUR)
    assert season_house.tables(*before, content=True) == before
    assert [p["unchanged_days"] for p in again["processors"]] == [1, 1]


def test_the_breaker_of_somebody_who_is_no_longer_asked_about_closes(season_house, season):
    """As of a player whom no box score of his team's last games lists, once a lost one has come."""
    day, other = season.judged[0], season.judged[1]
    tried = {
        "processor_name": TDZA,
        "entity_id": "SEA",
        "attempt_number": 3,
        "attempted_at": season_house.now - HOUR,
        "circuit_breaker_tripped": True,
        "circuit_breaker_until": season_house.now + 167 * HOUR,
    }
    rows = [{**tried, "analysis_date": date} for date in (day, other)]
    with season_house.warehouse.transaction({}) as session:
        session.insert("reprocess_attempts", pa.Table.from_pylist(rows, TABLES["reprocess_attempts"].arrow_schema))
    season_house.run("precompute", day, processors=[TDZA])
    closed = season_house.query(
        "SELECT entity_id, analysis_date, action, reason FROM nba_orchestration.breaker_actions"
    )
    assert [tuple(row.values()) for row in closed] == [("SEA", day, "close", "auto_reset_on_data")]
    assert attempts(season_house, TDZA, "SEA") == [(day, 3, True), (other, 3, True)]


def test_after_the_cooldown_one_more_attempt_trips_at_once(season_house, season):
    day = played_day(season)
    for hours in (0, 1, 2, 2 + 168, 2 + 169):
        season_house.run("precompute", day, processors=[TDZA], now=season_house.now + hours * HOUR)
    assert attempts(season_house, TDZA, season.team)[2:] == [(day, 3, True), (day, 4, True)]
    assert verdict(season_house, TDZA, season.team, day)["blocked"] is True


def test_nothing_is_recorded_in_bootstrap(season_house, season):
    damage(season_house, season.days[12])
    damage(season_house, season.days[13])
    report = season_house.run("precompute", season.days[16], processors=[TDZA])
    assert report["processors"][0]["flagged"] > 0
    assert season_house.one(  # by no processor: the contexts of these days were written too
        "SELECT COUNT(*) AS n FROM nba_orchestration.reprocess_attempts WHERE analysis_date <= @day",
        day=season.days[16],
    ) == 0  # fmt: skip


# ---- demotion


def test_a_demotion_of_many_is_refused_and_changes_nothing_until_it_is_allowed(season_house, season):
    day = season.judged[-1]
    season_house.run("precompute", day, processors=[TDZA])
    for lost in season.days[-5:-1]:  # two games of everybody
        damage(season_house, lost)
    before, announced = season_house.tables(*UNTOUCHED), announcements(season_house)
    with pytest.raises(
        GateError, match=rf"{TDZA}: 1 days would lose more than 10 % .* {day} \(\d+ of 29\).*--allow-dem"
    ):
        season_house.run("precompute", day, processors=ZONES)
    assert season_house.tables(*UNTOUCHED) == before
    assert announcements(season_house) == announced
    (stopped,) = [row for row in season_house.table("processor_run_history").to_pylist() if row["status"] == "failed"][
        :1
    ]
    assert "--allow-demotion" in stopped["errors"]
    told = [event for event in season_house.table("outbox_events").to_pylist() if event["status"] == "failed"]
    assert {(event["processor_name"], event["game_date"]) for event in told} == {(name, day) for name in ZONES}
    assert len(told) == len(ZONES)
    assert all("--allow-demotion" in json.loads(event["payload"])["error_message"] for event in told)
    (report,) = season_house.run("precompute", day, processors=[TDZA], allow_demotion=True)["processors"]
    assert report["demoted"] > 3
    assert report["ready"] == 29 - report["demoted"]
    assert receipts(season_house, TDZA)[-1]["demoted_count"] == report["demoted"]


def test_a_demotion_of_few_is_published_and_counted(season_house, season):
    day = season.judged[-1]
    season_house.run("precompute", day, processors=[TDZA])
    for lost in season.days[-5:-1]:
        damage(season_house, lost, share="defending_team_abbr IN ('ATL', 'BOS')")
    report = season_house.run("precompute", day, processors=[TDZA])["processors"][0]
    assert 0 < report["demoted"] <= 2
    assert receipts(season_house, TDZA)[-1]["demoted_count"] == report["demoted"]


# ---- audit


@dataclass(frozen=True)
class Tampering:
    """A finish that hears something else than what the pipeline staged."""

    finish: Any
    how: str

    def __call__(self, staged, tallied):
        table = [part for part in staged if part.table == TDZA]
        if self.how == "twice":
            counts = [part for part in tallied if part.processor == TDZA]
            self.finish([*staged, *table], [*tallied, *counts])
        elif self.how == "rows":
            self.finish([*staged, *table], tallied)
        else:
            self.finish([part for part in staged if part.table != TDZA], tallied)


def tampered(how):
    """The precompute pipeline with a tampered end."""

    def launch(config, snapshot, finish, beam_args):
        precompute.launch(config, snapshot, Tampering(finish, how), beam_args)

    return SimpleNamespace(config=precompute.Config, reads=of_gated, launch=launch)


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("twice", f"audit: {TDZA} staged a key more than once: "),
        ("rows", f"audit: {TDZA} staged 60 rows, expected the 30 it counted"),
        ("lost", f"audit: {TDZA} staged 0 rows, expected the 30 it counted"),
    ],
)
def test_fault_39_the_audit_refuses_what_does_not_add_up(season_house, season, how, complaint):
    before, announced = season_house.tables(*UNTOUCHED), announcements(season_house)
    day = season.judged[-1]
    request = RunRequest(season_house.url, select(Phase.PRECOMPUTE, ZONES), day, day, season_house.now)
    with pytest.raises(GateError, match=re.escape(complaint)):
        run_phase(request, tampered(how))
    assert season_house.tables(*UNTOUCHED) == before
    assert announcements(season_house) == announced
    assert not list(season_house.path.parent.glob("*.staging"))


def breaking(when):
    """The precompute pipeline, whose job breaks."""

    def launch(config, snapshot, finish, beam_args):
        if when == "after it published":
            precompute.launch(config, snapshot, finish, beam_args)
        raise RuntimeError("the worker is gone")

    return SimpleNamespace(config=precompute.Config, reads=of_gated, launch=launch)


def test_where_not_even_the_failure_can_be_recorded_both_are_said(season_house, season, caplog):
    def lose(step):
        if step == "looking for changes":
            season_house.path.unlink()

    day = season.judged[-1]
    request = RunRequest(season_house.url, select(Phase.PRECOMPUTE, [TDZA]), day, day, season_house.now)
    with pytest.raises(EngineError, match="no warehouse at"):
        run_phase(request, PHASES["precompute"], lose)
    assert "that the run failed is not on record: no warehouse at" in caplog.text


@pytest.mark.parametrize(
    ("when", "status", "told"), [("before it published", "failed", ["failed"]), ("after it published", "success", [])]
)
def test_a_job_that_breaks_is_on_record_and_told_unless_it_published_first(season_house, season, when, status, told):
    day = season.judged[-1]
    request = RunRequest(season_house.url, select(Phase.PRECOMPUTE, [TDZA]), day, day, season_house.now)
    with pytest.raises(EngineError, match="the pipeline failed: the worker is gone"):
        run_phase(request, breaking(when))
    runs = season_house.query(
        "SELECT status, errors FROM nba_reference.processor_run_history WHERE processor_name = @name", name=TDZA
    )
    assert [(row["status"], row["errors"] is not None) for row in runs] == [(status, status == "failed")]
    events = [e for e in season_house.table("outbox_events").to_pylist() if e["processor_name"] == TDZA]
    assert [e["status"] for e in events if e["status"] == "failed"] == told


def test_every_entity_day_is_counted_once(season_house, season):
    days = season.judged
    report = season_house.run("precompute", days[0], days[-1])
    for processor in report["processors"]:
        name = processor["processor"]
        held_back = processor["incomplete"] + processor["blocked"]
        rows = season_house.one(f"SELECT COUNT(*) AS n FROM {TABLES[name].id}")
        assert rows == processor["ready"] + processor["flagged"] + held_back
        failures = season_house.one(
            "SELECT COUNT(*) AS n FROM nba_processing.precompute_failures WHERE processor_name = @name", name=name
        )
        assert failures == held_back + processor["excluded"] + processor["dead_letter"]
        published = receipts(season_house, name)
        assert [r["analysis_date"] for r in published] == list(days)
        assert sum(r["row_count"] for r in published) == rows
        assert all(r["ready_count"] + r["flagged_count"] + r["incomplete_count"] + r["blocked_count"] == r["row_count"]
                   for r in published)  # fmt: skip
        if name == TDZA:
            assert rows + processor["excluded"] + processor["dead_letter"] == 30 * len(days)


def test_an_upstream_row_that_contradicts_itself_is_a_dead_letter(season_house, season):
    day = season.judged[-1]
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_analytics.team_defense_game_summary SET opp_paint_makes = opp_paint_attempts + 1 "
            "WHERE defending_team_abbr = 'BOS' AND game_date = (SELECT MAX(game_date) "
            "FROM nba_analytics.team_defense_game_summary WHERE defending_team_abbr = 'BOS' AND game_date < @day)",
            day=day,
        )
    (report,) = season_house.run("precompute", day, processors=[TDZA])["processors"]
    assert report["dead_letter"] == 1
    (letter,) = season_house.table("dead_letters").to_pylist()
    assert (letter["source"], letter["entity_id"], letter["analysis_date"]) == ("team_defense_game_summary", "BOS", day)
    assert verdict(season_house, TDZA, "BOS", day) is None


# ---- receipts, history, events


def test_a_covered_day_is_complete_and_the_view_says_so(season_house, season):
    day = season.judged[-1]
    season_house.run("precompute", day, processors=ZONES)
    rows = season_house.query(
        "SELECT processor_name, status, expected_players, actual_players, coverage_pct "
        "FROM nba_orchestration.backfill_processing_metadata "
        "WHERE analysis_date = @day AND processor_name IN UNNEST(@of)",
        day=day,
        of=ZONES,
    )
    played = season_house.one(
        "SELECT COUNT(DISTINCT player_lookup) AS n FROM nba_analytics.player_game_summary WHERE game_date = @day",
        day=day,
    )
    assert {row["processor_name"]: row["status"] for row in rows} == {TDZA: "COMPLETE", PSZA: "COMPLETE"}
    assert {row["processor_name"]: row["expected_players"] for row in rows}[PSZA] == played
    assert all(row["coverage_pct"] >= 90 for row in rows)


def test_a_day_with_too_little_is_incomplete(season_house, season):
    day = season.judged[-1]
    for lost in season.days[-5:-1]:
        damage(season_house, lost)
    (report,) = season_house.run("precompute", day, processors=[TDZA])["processors"]
    assert report["days_not_covered"] == [day.isoformat()]
    (receipt,) = receipts(season_house, TDZA)
    assert receipt["status"] == "INCOMPLETE"
    assert receipt["coverage_pct"] < 90
    (history,) = [r for r in season_house.table("processor_run_history").to_pylist() if r["processor_name"] == TDZA]
    assert history["status"] == "partial"
    assert f"{day}: INCOMPLETE" in history["warnings"]
    rerun = season_house.run("precompute", day, processors=[TDZA])
    assert rerun["processors"][0]["days_not_covered"] == [day.isoformat()]


def test_a_day_prepared_before_its_games_is_covered_once_they_are_played(season_house, season):
    """The rows do not change, what they are held against does: 1 of 187 must not stay a day that owed nothing."""
    day = season.judged[-1]
    with season_house.warehouse.transaction({}) as session:
        for statement in (
            "CREATE TABLE nba_analytics.kept AS SELECT * FROM nba_analytics.player_game_summary WHERE game_date = @day",
            "DELETE FROM nba_analytics.player_game_summary WHERE game_date = @day",
            "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE game_date = @day",
        ):
            session.execute(statement, day=day)
    for hour in range(5):  # until every breaker is open, and a rerun changes nothing
        season_house.run("precompute", day, processors=[PSZA], now=season_house.now + hour * HOUR)
    before = receipts(season_house, PSZA)
    assert {(r["status"], r["coverage_expected"]) for r in before} == {("COMPLETE", 0)}
    rows = season_house.tables(PSZA, content=True)

    with season_house.warehouse.transaction({}) as session:
        session.execute("INSERT INTO nba_analytics.player_game_summary SELECT * FROM nba_analytics.kept")
        session.execute("DROP TABLE nba_analytics.kept")
        session.execute("UPDATE nba_raw.nbac_schedule SET game_status = 3 WHERE game_date = @day", day=day)
    season_house.run("precompute", day, processors=[PSZA], now=season_house.now + 5 * HOUR)
    (late,) = receipts(season_house, PSZA)[len(before) :]
    assert late["coverage_expected"] > 100
    assert season_house.tables(PSZA, content=True) == rows


def test_fault_13_rows_that_went_missing_come_back(season_house, season):
    day = season.days[25]
    season_house.run("precompute", day, processors=ZONES)
    before = season_house.tables(*ZONES, content=True)
    with season_house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_precompute.team_defense_zone_analysis WHERE team_abbr < 'M'")
    season_house.run("precompute", day, processors=ZONES)
    assert season_house.tables(*ZONES, content=True) == before


def test_fault_25_a_day_whose_games_are_all_postponed_is_emptied_but_not_by_accident(season_house, season):
    day, names = season.days[25], [TDZA, "player_daily_cache"]  # of the league's days, and of fixtures
    season_house.run("precompute", day, processors=names)
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_raw.nbac_schedule SET game_status_text = 'Postponed' WHERE game_date = @day", day=day
        )
    with pytest.raises(GateError, match="would lose more than 10 %"):
        season_house.run("precompute", day, processors=names)
    season_house.run("precompute", day, processors=names, allow_demotion=True)
    assert {table.num_rows for table in season_house.tables(*names).values()} == {0}
    assert season_house.run("precompute", day, processors=names)["skipped"] == "no_games"


def test_the_nightly_run_before_midnight_takes_the_games_of_the_evening(season_house, season):
    """23:30 Eastern on the last day: its games are final, and tomorrow's are not."""
    day = season.days[-1]
    with season_house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_analytics.player_game_summary WHERE game_date = @day", day=day)
    tonight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(4, 30), dt.UTC)
    report = season_house.run("analytics", season.days[-3], day, now=tonight)
    assert report["days"] == 3
    assert season_house.one(
        "SELECT COUNT(*) AS n FROM nba_analytics.player_game_summary WHERE game_date = @day", day=day
    ) > 50  # fmt: skip


def test_fault_24_a_range_that_reaches_into_a_season_never_loaded_is_refused(season_house, season):
    with pytest.raises(GateError, match="no schedule is loaded for 2023-03-01"):
        season_house.run("precompute", dt.date(2023, 3, 1), season.days[25])


def test_fault_06_a_retried_last_step_records_its_run_once(season_house, season, tmp_path):
    (processor,) = select(Phase.PRECOMPUTE, [TDZA])
    day = to_number(season.days[0])
    finish = Publish(season_house.url, (processor,), (day,), Stamp("a-run", micros(season_house.now)), str(tmp_path), 0)
    for _ in range(2):
        finish([], [])
    assert season_house.one("SELECT COUNT(*) AS n FROM nba_reference.processor_run_history WHERE run_id = 'a-run'") == 1
    assert len(receipts(season_house, TDZA)) == 1


def test_check_sees_an_impossible_row_as_a_run_does(season_house, season):
    day = season.days[25]
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_analytics.team_defense_game_summary SET opp_paint_makes = opp_paint_attempts + 1 "
            "WHERE game_date = @day",
            day=season.days[24],
        )
    team = season_house.one(
        "SELECT MIN(defending_team_abbr) AS team FROM nba_analytics.team_defense_game_summary WHERE game_date = @day",
        day=season.days[24],
    )
    season_house.run("precompute", day, processors=[TDZA])
    letters = season_house.table("dead_letters").to_pylist()
    assert team in {letter["entity_id"] for letter in letters if letter["processor_name"] == TDZA}
    (judged,) = check(season_house.warehouse, team, day, season_house.now, TDZA)["processors"]
    assert (judged["verdict"], judged["reason"]) == ("dead_letter", "unreadable_upstream_row")


def test_fault_33_a_final_day_without_any_row_has_no_data(season_house, season):
    day = season.days[20]
    tables = ("nbac_team_boxscore", "nbac_gamebook_player_stats", "shot_zones")
    damage(season_house, day, tables)
    report = season_house.run("analytics", day, processors=SUMMARIES, allow_demotion=True)
    assert {tuple(p["days_not_covered"]) for p in report["processors"]} == {(day.isoformat(),)}
    for name in SUMMARIES:
        assert receipts(season_house, name, day)[-1]["status"] == "NO_DATA"
        assert receipts(season_house, name, day)[-1]["row_count"] == 0
    statuses = season_house.query(
        "SELECT status FROM nba_orchestration.backfill_processing_metadata "
        "WHERE analysis_date = @day AND processor_name IN UNNEST(@of)",
        day=day,
        of=SUMMARIES,
    )
    assert [row["status"] for row in statuses] == ["NO_DATA"] * 3


def test_a_run_leaves_its_history_and_one_event_a_day(season_house, season):
    day = season.judged[-1]
    run = season_house.run("precompute", day, processors=[TDZA])["run_id"]
    (row,) = [r for r in season_house.table("processor_run_history").to_pylist() if r["run_id"] == run]
    assert row | {
        "processor_name": TDZA, "season_year": 2024, "data_date": day, "phase": "phase_4_precompute",
        "status": "success", "skipped": False, "skip_reason": None, "failure_category": None, "backfill_mode": False,
        "output_table": TDZA, "output_dataset": "nba_precompute", "data_source_primary": "team_defense_game_summary",
        "records_processed": 30,
    } == row  # fmt: skip
    (event,) = [e for e in season_house.table("outbox_events").to_pylist() if e["processor_name"] == TDZA]
    assert event["topic"] == "nba-phase4-processor-complete"
    assert (event["sent_at"], event["held"], event["game_date"]) == (None, False, day)
    message = json.loads(event["payload"])
    assert message == {
        "processor_name": TDZA,
        "phase": "phase_4_precompute",
        "execution_id": run,
        "correlation_id": message["correlation_id"],
        "game_date": day.isoformat(),
        "status": "success",
        "timestamp": season_house.now.isoformat(),
        "output_dataset": "nba_precompute",
        "output_table": TDZA,
        "record_count": 30,
    } | {name: message[name] for name in ("duration_seconds", "trigger_source") if name in message}
    assert message["correlation_id"] == event["correlation_id"]
    assert None not in message.values()


# ---- days without games, seasons not loaded, a schema that lacks something


def test_a_day_without_games_is_skipped_and_recorded(season_house):
    before = season_house.tables(*PUBLISHED)
    summer = dt.date(2025, 7, 1)
    report = season_house.run("precompute", summer)
    assert (report["skipped"], report["days"]) == ("no_games", 0)
    rows = [r for r in season_house.table("processor_run_history").to_pylist() if r["run_id"] == report["run_id"]]
    assert {(r["processor_name"], r["status"], r["skipped"], r["skip_reason"], r["data_date"]) for r in rows} == {
        (name, "skipped", True, "no_games", summer) for name in PRECOMPUTE
    }
    assert season_house.tables(*PUBLISHED) == before


def test_fault_24_a_season_that_is_not_loaded_is_an_error_of_the_run(season_house, season):
    day = dt.date(2023, 11, 1)
    with pytest.raises(GateError, match=f"no schedule is loaded for {day} to {day}; the warehouse holds games from"):
        season_house.run("precompute", day)


def test_fault_24_an_empty_warehouse_has_no_schedule(empty_house):
    with pytest.raises(GateError, match="the warehouse holds no games at all"):
        empty_house.run("analytics", dt.date(2024, 11, 1))


def test_fault_20_a_missing_column_names_what_adds_it(season_house, season):
    with season_house.warehouse.transaction({}) as session:
        session.execute("ALTER TABLE nba_reference.processor_run_history DROP COLUMN warnings")
    with pytest.raises(EngineError, match=r"lacks 1 tables, columns or views.*`fullcourt schema apply`"):
        season_house.run("precompute", season.judged[0])


def test_a_range_that_ends_before_it_starts_is_refused(season_house, season):
    with pytest.raises(UsageError, match=r"the first day must not be after the last: start=.*, end=.*"):
        season_house.run("precompute", season.judged[1], season.judged[0])
