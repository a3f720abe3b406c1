"""The command line: argv in; data on stdout, progress and errors on stderr, and a documented exit code out."""

import csv
import datetime as dt
import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from fullcourt.cli.output import as_csv
from fullcourt.domain.names import player_lookup
from fullcourt.domain.processors import Phase, select
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES
from tests.houses import read, rewrite

TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
PRECOMPUTE = [processor.name for processor in select(Phase.PRECOMPUTE)]
OF_PLAYERS = ["upcoming_player_game_context", *PRECOMPUTE[1:]]
COMMAND = [sys.executable, "-c", "from fullcourt.cli.main import main; main()"]


def on(house):
    return ("--warehouse", house.url, "--now", house.now.isoformat())


# ---- exit codes


def test_fault_41_completion_messages_can_be_held_in(cli, season, season_house):
    house, day = season_house, season.judged[0]
    command = ("run", "precompute", "--date", day, "--processors", TDZA, "--skip-downstream-trigger", *on(house))
    _, _, err = cli(*command)
    assert "precompute: 1 completion messages are held in" in err
    events = house.query(
        "SELECT held, held_reason, sent_at FROM nba_orchestration.outbox_events WHERE processor_name = @name",
        name=TDZA,
    )
    assert events == [{"held": True, "held_reason": "skip_downstream_trigger", "sent_at": None}]


def test_a_warehouse_is_made_filled_and_run(cli, tmp_path, landing, league):
    file = tmp_path / "new" / "house.duckdb"
    where = ("--warehouse", f"duckdb://{file}")
    now = ("--now", "2024-12-01T12:00:00+00:00")
    code, out, _ = cli("init", *where)
    assert (code, f"duckdb://{file}" in out) == (0, True)
    assert json.loads(cli("init", *where, "--format", "json")[1])[0]["changes"] == 0
    code, out, err = cli("ingest", landing, *where, *now)
    assert code == 0
    assert "schedule.parquet" in out
    assert "ingest: loading 9 files" in err
    days = sorted(set(league.team_boxscores["game_date"].to_pylist()))
    for phase in ("analytics", "precompute"):
        code, out, err = cli("run", phase, "--start", days[0], "--end", days[-1], *where, *now)
        assert (code, f"run {phase}: computing {len(days)} game days" in err) == (0, True)
        assert f"{phase}: {len(days)} game days" in out


USAGE = {
    "command": (("fly",), "No such command 'fly'"),
    "option": (("init", "--wharehouse", "x"), "No such option: --wharehouse"),
    "phase": (
        ("run", "predict", "--date", "2024-11-01"),
        "unknown phase 'predict': expected one of analytics, precompute",
    ),
    "processor": (
        ("run", "precompute", "--date", "2024-11-01", "--processors", "tdza"),
        f"unknown precompute processor 'tdza': expected one of {TDZA}, {PSZA}",
    ),
    "no day": (("run", "precompute"), "expected either --date, or both --start and --end"),
    "two days": (
        ("run", "precompute", "--date", "2024-11-01", "--start", "2024-11-01"),
        "expected either --date, or both --start and --end",
    ),
    "day": (("run", "precompute", "--date", "1.11.2024"), "'1.11.2024' is no day: expected YYYY-MM-DD"),
    "order": (
        ("run", "precompute", "--start", "2024-11-02", "--end", "2024-11-01"),
        "the first day must not be after the last: start=2024-11-02, end=2024-11-01",
    ),
    "clock": (("run", "precompute", "--date", "2024-11-01", "--now", "2024-11-01T10:00"), "has no time zone"),
    "warehouse": (("init", "--warehouse", "mysql://x"), "unknown warehouse 'mysql://x': expected duckdb:///"),
    "share": (("ingest", ".", "--max-dead-percent", "101"), "less than or equal to 100"),
    "directory": (("ingest", "nowhere"), "no directory nowhere: expected one with landing files"),
    "format": (("check", "BOS", "--date", "2024-11-01", "--format", "xml"), "'xml'"),
    "table": (
        ("schema", "ddl", "player_game_sumary"),
        "unknown table 'player_game_sumary': did you mean player_game_summary",
    ),
    "dataset": (("schema", "ddl", "nba_raw.player_game_summary"), "unknown table 'nba_raw.player_game_summary'"),
    "beam": (
        ("run", "precompute", "--date", "2024-11-01", "--", "--direct_num_worker=2"),
        "unknown Beam option --direct_num_worker=2",
    ),
    "beam value": (
        ("run", "precompute", "--date", "2024-11-01", "--", "--direct_num_workers=two"),
        "invalid int value: 'two'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "complaint"), USAGE.values(), ids=USAGE)
def test_usage_ends_in_2(cli, loaded_house, arguments, complaint):
    known = arguments[0] in ("run", "ingest", "check") and "--warehouse" not in arguments
    head, dashes, beam = (arguments, (), ()) if "--" not in arguments else (arguments[:-2], ("--",), arguments[-1:])
    code, out, err = cli(*head, *(("--warehouse", loaded_house.url) if known else ()), *dashes, *beam)
    assert (code, out) == (2, "")
    assert complaint in re.sub(r"[\s│]+", " ", err)
    assert "Traceback" not in err
    assert len(err) < 1500


def test_a_gate_ends_in_1_and_says_why(cli, loaded_house, landing):
    code, _, err = cli("run", "precompute", "--date", "2021-11-01", *on(loaded_house))
    assert (code, "error: no schedule is loaded for 2021-11-01" in err) == (1, True)
    (landing / "schedule.parquet").write_bytes(b"")
    code, out, err = cli("ingest", landing, *on(loaded_house))
    assert (code, out, "error: schedule.parquet is empty (0 bytes)" in err) == (1, "", True)
    assert "Traceback" not in err


def test_fault_18_too_many_unreadable_rows_end_in_1_unless_allowed(cli, loaded_house, landing):
    table = read(landing, "inactives")
    names = table["player_name"].to_pylist()
    place = table.schema.get_field_index("player_name")
    rewrite(landing, "inactives", table.set_column(place, "player_name", [[None] * 20 + names[20:]]))
    code, _, err = cli("ingest", landing, *on(loaded_house))
    assert (code, "20 of " in err, "inactives.parquet row 1: player_name=None" in err) == (1, True, True)
    assert cli("ingest", landing, *on(loaded_house), "--max-dead-percent", "50")[0] == 0


def test_a_day_that_is_not_covered_ends_in_1_and_is_named(cli, season, season_house):
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "DELETE FROM nba_analytics.team_defense_game_summary WHERE game_date IN UNNEST(@days)",
            days=list(season.days[-5:-1]),
        )
    day = season.judged[-1]
    code, out, err = cli(
        "run", "precompute", "--date", day, "--processors", TDZA, *on(season_house), "--format", "json"
    )
    assert code == 1
    assert json.loads(out)[0]["incomplete"] > 3
    assert f"{TDZA}: 1 days are not covered: {day}" in err


def test_an_engine_that_cannot_ends_in_3(cli, tmp_path, loaded_house, landing):
    code, out, err = cli("run", "precompute", "--date", "2024-11-01", "--warehouse", tmp_path / "none.duckdb")
    assert (code, out) == (3, "")
    assert "none.duckdb: create it with `fullcourt init`" in err
    torn = tmp_path / "torn.duckdb"
    torn.write_bytes(b"not a database" * 1000)
    code, _, err = cli("ingest", landing, "--warehouse", torn)
    assert (code, f"error: cannot open {torn} as a DuckDB file" in err) == (3, True)
    with loaded_house.warehouse.transaction({}) as session:
        session.execute("DROP VIEW nba_precompute.player_shot_zone_analysis_ready")
        session.execute("ALTER TABLE nba_precompute.player_shot_zone_analysis DROP COLUMN run_id")
    code, _, err = cli("run", "precompute", "--date", "2024-11-01", *on(loaded_house))
    assert (code, "`fullcourt schema apply`" in err) == (3, True)


def test_an_unknown_runner_ends_in_3_without_a_traceback(cli, season, season_house):
    day = season.judged[0]
    code, _, err = cli("run", "precompute", "--date", day, *on(season_house), "--", "--runner=NoSuchRunner")
    assert (code, "NoSuchRunner" in err, "Traceback" in err) == (3, True, False)


def test_fault_20_drift_ends_in_3(cli, loaded_house):
    with loaded_house.warehouse.transaction({}) as session:
        session.execute("DROP TABLE nba_orchestration.cleanup_operations")
        session.execute("CREATE TABLE nba_orchestration.cleanup_operations (cleanup_id INT64)")
    for command in ("plan", "apply"):
        code, _, err = cli("schema", command, "--warehouse", loaded_house.url)
        assert code == 3
        assert "nba_orchestration.cleanup_operations.cleanup_id is INT64, expected STRING" in err


@pytest.mark.parametrize("sign", ["*.parquet", f"{PSZA}-*.parquet"], ids=["snapshot", "staged"])
def test_an_interrupt_ends_in_130_and_leaves_nothing_behind(season, season_house, sign):
    before = season_house.everything()
    staging = Path(f"{season_house.path}.staging")
    command = [*COMMAND, "run", "precompute", "--start", str(season.days[0]), "--end", str(season.days[-1])]
    with subprocess.Popen([*command, *on(season_house)], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(staging.glob(f"*/{sign}")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in err
    assert season_house.everything() == before
    assert not staging.exists()


def test_days_without_games_end_in_0_and_say_so(cli, loaded_house):
    code, out, _ = cli("run", "precompute", "--date", "2025-07-01", *on(loaded_house))
    assert (code, out) == (0, "No games between 2025-07-01 and 2025-07-01; rows: none\n")
    assert json.loads(cli("run", "precompute", "--date", "2025-07-01", *on(loaded_house), "--format", "json")[1]) == []


# ---- formats


def test_json_and_csv_are_data_and_nothing_else(cli, season, season_house):
    day = season.days[20]  # before any game was lost
    code, out, _ = cli("run", "precompute", "--date", day, *on(season_house), "--format", "json")
    assert code == 0
    rows = json.loads(out)
    assert [row["processor"] for row in rows] == PRECOMPUTE
    assert rows[0]["ready"] == 30
    code, out, _ = cli("run", "precompute", "--date", season.days[21], *on(season_house), "--format", "csv")
    assert code == 0
    read_back = list(csv.DictReader(io.StringIO(out)))
    assert [row["processor"] for row in read_back] == PRECOMPUTE
    assert read_back[0].keys() == rows[0].keys()


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_what_was_ingested_is_shown_in_every_format(cli, loaded_house, landing, form):
    code, out, _ = cli("ingest", landing, *on(loaded_house), "--format", form)
    assert code == 0
    names = sorted(path.name for path in landing.iterdir())
    if form == "json":
        assert [row["file_name"] for row in json.loads(out)["files"]] == names
    elif form == "csv":
        assert [row["file_name"] for row in csv.DictReader(io.StringIO(out))] == names
    else:
        assert all(name in out for name in names)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_fault_40_a_cell_that_a_spreadsheet_would_run_is_text(text):
    rows = list(csv.reader(io.StringIO(as_csv([{"a": text, "b": [text, "x"], "c": -1, "d": None}]), newline="")))
    assert rows == [["a", "b", "c", "d"], [f"'{text}", f"'{text} x", "-1", ""]]


# ---- check


def check(cli, house, entity, day, *more):
    return cli("check", entity, "--date", day, "--warehouse", house.url, "--now", house.now.isoformat(), *more)


@pytest.fixture(scope="module")
def star(season):
    """Somebody of the team with the lost games who played in both of them and on each judged day listed since."""
    rows = season.league.player_boxscores.to_pylist()
    there = [{r["player_name"] for r in rows if r["game_id"] == game and r["team_tricode"] == season.team}
             for game in season.lost]  # fmt: skip
    played = {r["player_name"] for r in rows if r["team_tricode"] == season.team and r["played"]}
    return sorted(there[0] & there[1] & played)[0]


def test_a_team_is_told_which_games_are_missing_under_both_ids(cli, season, season_house):
    code, out, _ = check(cli, season_house, season.team.lower(), season.judged[-1], "--format", "json")
    assert code == 0
    report = json.loads(out)
    assert (report["entity"], report["kind"]) == (season.team, "team")
    context, judged = report["processors"]
    assert (judged["processor"], judged["verdict"], judged["published"]) == (TDZA, "incomplete", None)
    assert context["processor"] == "upcoming_team_game_context"
    (window,) = judged["windows"]
    assert (window["required"], window["present"], window["verdict"]) == (15, 13, "incomplete")
    assert [game["nba_game_id"] for game in window["missing"]] == list(season.lost)
    days = {row["game_id"]: row for row in season.league.schedule.to_pylist()}
    assert [game["game_id"] for game in window["missing"]] == [
        f"{days[game]['game_date']:%Y%m%d}_{days[game]['away_tricode']}_{days[game]['home_tricode']}"
        for game in season.lost
    ]


def test_check_says_what_a_run_says(cli, season, season_house):
    day = season.judged[-1]
    season_house.run("precompute", day, processors=[TDZA])
    _, judged = json.loads(check(cli, season_house, season.team, day, "--format", "json")[1])["processors"]
    assert judged["published"].startswith("incomplete_upstream_data (run ")
    row = season_house.query(
        "SELECT missing_nba_game_ids, expected_games_count, actual_games_count "
        "FROM nba_precompute.team_defense_zone_analysis WHERE team_abbr = @team AND analysis_date = @day",
        team=season.team, day=day,
    )[0]  # fmt: skip
    (window,) = judged["windows"]
    assert [g["nba_game_id"] for g in window["missing"]] == row["missing_nba_game_ids"]
    assert (window["required"], window["present"]) == (row["expected_games_count"], row["actual_games_count"])


def test_three_spellings_are_one_player(cli, season, season_house, star):
    words = re.sub(r"[^\w ]", "", star).lower().split()
    spellings = [star, "_".join(words), "-".join(words), star.upper()]
    reports = [check(cli, season_house, name, season.judged[-1], "--format", "json") for name in spellings]
    assert {code for code, _, _ in reports} == {0}
    assert {json.loads(out)["entity"] for _, out, _ in reports} == {player_lookup(star)}
    judged = json.loads(reports[0][1])["processors"]
    assert [found["processor"] for found in judged] == OF_PLAYERS
    windows = judged[OF_PLAYERS.index(PSZA)]["windows"]
    assert [window["window"] for window in windows] == ["l10", "l20"]
    assert [window["verdict"] for window in windows][1] == "trend, does not gate"


def test_the_table_and_the_csv_name_the_missing_games(cli, season, season_house):
    code, out, _ = check(cli, season_house, season.team, season.judged[-1])
    assert code == 0
    assert f"{TDZA}: incomplete (incomplete_upstream_data)" in out
    code, out, _ = check(cli, season_house, season.team, season.judged[-1], "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["missing_nba"].split() == list(season.lost)
    assert len(row["missing"].split()) == 2


def test_an_unknown_name_gets_suggestions(cli, season, season_house, star):
    code, out, err = check(cli, season_house, star[:-1] + "q", season.judged[-1])
    assert (code, out) == (2, "")
    assert f"error: unknown entity {star[:-1] + 'q'!r}: did you mean" in err
    assert player_lookup(star) in err
    code, _, err = check(cli, season_house, "XYZ", season.judged[-1])
    assert code == 2
    assert "unknown entity 'XYZ'" in err


def test_check_refuses_a_processor_that_has_no_such_entity(cli, season, season_house):
    code, _, err = check(cli, season_house, season.team, season.judged[-1], "--processor", PSZA)
    assert (code, f"{PSZA} has no rows for a team" in err) == (2, True)
    code, _, err = check(cli, season_house, season.team, season.judged[-1], "--processor", "nothing")
    assert (code, "unknown processor 'nothing': expected one of" in err) == (2, True)


def test_a_day_off_names_its_neighbours(cli, season, season_house):
    code, out, _ = check(cli, season_house, season.team, dt.date(2025, 7, 1))
    assert code == 0
    assert f"no games on 2025-07-01: the last game day before it is {season.days[-1]}" in out
    report = json.loads(check(cli, season_house, season.team, dt.date(2025, 7, 1), "--format", "json")[1])
    assert (report["processors"], "no games" in report["note"]) == ([], True)


def test_who_is_not_judged_is_told_why(cli, season, season_house, star):
    code, out, _ = check(cli, season_house, star, season.days[0])
    assert code == 0
    assert f"{PSZA}: not judged (not listed by any team this season before the day)" in out


def test_a_season_that_is_not_loaded_ends_in_1(cli, season_house):
    code, _, err = check(cli, season_house, "BOS", dt.date(2020, 1, 15))
    assert (code, "no schedule loaded for season 2019-20" in err) == (1, True)


# ---- schema


def test_the_ddl_of_every_table_and_view_is_bigquery_sql(cli):
    for name, item in {**TABLES, **VIEWS}.items():
        for spelling in (name, item.id):
            code, out, _ = cli("schema", "ddl", spelling)
            assert code == 0
        (tree,) = sqlglot.parse(out, read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
        assert isinstance(tree, exp.Create), name
        assert tree.find(exp.Table).sql("bigquery") == item.id
        assert out.endswith(";\n")


def test_the_plan_is_what_apply_does(cli, tmp_path):
    where = ("--warehouse", tmp_path / "house.duckdb")
    code, out, _ = cli("schema", "plan", *where)
    assert code == 0
    statements = [s for s in sqlglot.parse(out, read="bigquery") if s is not None and not isinstance(s, exp.Semicolon)]
    assert f"-- {len(statements)} changes" in out
    assert not (tmp_path / "house.duckdb").exists()
    assert json.loads(cli("schema", "apply", *where, "--format", "json")[1])[0]["changes"] == len(statements)
    assert cli("schema", "plan", *where)[1] == "-- nothing is lacking\n"


# ---- start-up, demo


def test_help_and_start_up_load_no_engine():
    script = """
import sys
from typer.testing import CliRunner
from fullcourt.cli.main import app
for arguments in (["--help"], ["run", "--help"], ["schema", "--help"], ["check", "--help"]):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output
loaded = {name for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(sorted(name for name in loaded if name.split(".")[0] in sys.argv[1:]))
"""
    heavy = ["apache_beam", "numpy", "pyarrow", "pandas", "duckdb", "google", "sqlglot"]
    done = subprocess.run([sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_the_demo_shows_its_defects_and_ends_in_0(cli, tmp_path):
    code, out, err = cli("demo", "--directory", tmp_path / "demo")
    assert (code, "Traceback" in err) == (0, False)
    for defect in ("stale", "Scheduled", "lost", "Held back", "The three worst missing games"):
        assert defect in out or defect == "stale"
    told = re.search(r"fullcourt check (\S+) --date (\S+) --warehouse (\S+)", out)
    assert told
    code, out, _ = cli("check", told[1], "--date", told[2], "--warehouse", told[3], "--format", "json")
    assert code == 0
    assert any(window["missing"] for judged in json.loads(out)["processors"] for window in judged["windows"])
