"""A run of what was computed from the very same inputs computes nothing, and says so; any change has it compute."""

import datetime as dt
import subprocess
import sys

import pytest

from fullcourt.cli.phases import PHASES
from fullcourt.domain.processors import BY_NAME, Phase, select
from fullcourt.orchestration import unchanged
from fullcourt.orchestration.publish import BACKFILL, RUN
from fullcourt.orchestration.run import RunRequest, run_phase
from schemas import TABLES

HISTORY = "processor_run_history"
OTHERS = [name for name in TABLES if name != HISTORY]
SUMMARY = "team_defense_game_summary"
TDZA = BY_NAME["team_defense_zone_analysis"]


def execute(house, sql, **parameters):
    with house.warehouse.transaction({}) as session:
        session.execute(sql, **parameters)


@pytest.fixture
def day(season):
    return season.days[20]


@pytest.fixture
def house(season_house, day):
    """Its summaries of one day are computed."""
    season_house.run("analytics", day, processors=[SUMMARY])
    return season_house


def again(house, day, **more):
    return house.run("analytics", day, processors=[SUMMARY], **more)


def runs(house):
    mine = f"FROM nba_reference.{HISTORY} WHERE processor_name = '{SUMMARY}'"
    return house.query(f"SELECT * {mine} ORDER BY processed_at")


def test_a_run_that_finds_its_result_there_records_itself_and_nothing_else(house, day):
    computed, before = runs(house)[-1], house.tables(*OTHERS)
    report = again(house, day, now=house.now + dt.timedelta(hours=1))
    assert report["unchanged_since"] == computed["run_id"]
    (row,) = report["processors"]
    assert (row["processor"], row["days"], row["unchanged_days"], row["ready"] > 0) == (SUMMARY, 1, 1, True)
    assert house.tables(*OTHERS) == before
    recorded = runs(house)[-1]
    assert recorded["run_id"] == report["run_id"] != computed["run_id"]
    same = ("status", "upstream_dependencies", "inputs_hash", "publishes_hash", "data_date", "season_year")
    assert {name: recorded[name] for name in same} == {name: computed[name] for name in same}


def test_it_reports_what_computing_again_reports(house, day):
    (found,), (computed,) = again(house, day)["processors"], again(house, day, recompute=True)["processors"]
    assert found == computed


CHANGES = {
    "a box score": "UPDATE nba_raw.nbac_team_boxscore SET fg_makes = fg_makes - 1 WHERE game_date = @day",
    "a game is no longer final": "UPDATE nba_raw.nbac_schedule SET game_status = 2 WHERE game_date = @day",
    "a row of the result is lost": f"DELETE FROM {TABLES[SUMMARY].id} WHERE game_date = @day AND home_game",
    "somebody published since": (
        "INSERT INTO nba_orchestration.publish_receipts SELECT * REPLACE ('later' AS publish_id, "
        "TIMESTAMP_ADD(published_at, INTERVAL 1 HOUR) AS published_at) FROM nba_orchestration.publish_receipts "
        f"WHERE processor_name = '{SUMMARY}' AND analysis_date = @day"
    ),
    "the run's history is lost": f"DELETE FROM nba_reference.{HISTORY} WHERE data_date = @day",
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_computes_when_something_changed(house, day, change):
    execute(house, CHANGES[change], day=day)
    assert "unchanged_since" not in again(house, day, allow_demotion=True)


@pytest.mark.parametrize(
    "more",
    [
        {"recompute": True},
        {"processors": [SUMMARY, "team_offense_game_summary"]},
        {"end": dt.timedelta(days=1)},
        {"now": dt.timedelta(days=-200)},  # when the day was not past, it owed less
    ],
    ids=["it is told to", "another processor", "another day", "the day is past"],
)
def test_it_computes_when_something_else_is_asked(house, day, more):
    asked = {"processors": [SUMMARY], **more}
    if "end" in asked:
        asked["end"] += day
    if "now" in asked:
        asked["now"] += house.now
    assert "unchanged_since" not in house.run("analytics", day, **asked)


def test_it_computes_when_the_code_changed(house, day, monkeypatch):
    monkeypatch.setattr(unchanged, "_code", lambda: "another")
    assert "unchanged_since" not in again(house, day)


def test_inputs_that_change_while_they_are_read_are_no_proof(house, day):
    def hears(step):
        if step == "taking a snapshot":
            execute(house, CHANGES["a box score"], day=day)

    asked = RunRequest(house.url, select(Phase.ANALYTICS, [SUMMARY]), day, day, house.now, recompute=True)
    run_phase(asked, PHASES["analytics"], hears)
    assert runs(house)[-1]["inputs_hash"] is None
    assert "unchanged_since" not in again(house, day)
    assert "unchanged_since" in again(house, day)


def test_attempts_go_on_until_the_breaker_opens_and_again_when_it_has_cooled_down(season_house, season):
    """One attempt a run is a change; an open breaker makes none, until its cooldown is over."""

    def computes(hours):
        report = season_house.run(
            "precompute", season.judged[-1], processors=[TDZA.name], now=season_house.now + dt.timedelta(hours=hours)
        )
        (row,) = report["processors"]
        return "unchanged_since" not in report, row["incomplete"] > 0, row["blocked"] > 0

    assert [computes(hours) for hours in (0, 1, 2)] == [(True, True, False)] * 3
    assert [computes(hours) for hours in (3, 4, 5)] == [(True, False, True), (False, False, True), (False, False, True)]
    assert computes(2 + 168 + 1) == (True, True, False)


def test_the_inputs_hash_is_of_content_configuration_mode_and_the_model_itself(tmp_path):
    def of(prints=None, processor=TDZA, mode=RUN, model=b"one"):
        file = tmp_path / "model.json"
        file.write_bytes(model)
        return unchanged.inputs_hash(prints or {"games": "1"}, [processor], mode, {"model_file": str(file)})

    other = select(Phase.PRECOMPUTE, ["player_daily_cache"])[0]
    assert of() == of()
    assert len({of(), of({"games": "2"}), of(processor=other), of(mode=BACKFILL), of(model=b"two")}) == 5


def test_beam_is_not_even_imported(house, day):
    code = (
        "import sys; from fullcourt.cli.main import main\n"
        "try: main()\nexcept SystemExit as end: print(end.code, 'apache_beam' in sys.modules)"
    )
    asked = ["run", "analytics", "--date", str(day), "--processors", SUMMARY, "--now", house.now.isoformat()]
    ran = subprocess.run(
        [sys.executable, "-c", code, *asked, "--warehouse", house.url], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split()[-2:] == ["0", "False"], ran.stderr
    assert "nothing to compute" in ran.stderr
