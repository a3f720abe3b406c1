"""The completeness checker as a library, on real DuckDB: beside published rows, and beside plain counts."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from fullcourt import completeness
from fullcourt.completeness import (
    DependencyError,
    GateError,
    UsageError,
    check_completeness_batch,
    check_date_range_completeness,
    check_upstream_processor_status,
)
from fullcourt.domain.names import player_lookup
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.windows import Span
from schemas import TABLES
from tests.houses import House

DAY = dt.timedelta(1)
HOUR = dt.timedelta(hours=1)
TDGS, PGS = "nba_analytics.team_defense_game_summary", "nba_analytics.player_game_summary"
RESULT = set(completeness.EntityCompleteness.__annotations__)
STRICT = ["own_data_incomplete", "upstream_processor_failed", "historical_gaps"]


def teams(house: House, names: list[str], day: dt.date, **more: Any) -> dict[str, Any]:
    """Fifteen games of the teams, as team_defense_zone_analysis asks for them."""
    return check_completeness_batch(
        house.url, names, "team", day, TDGS, "defending_team_abbr", 15, "games", now=house.now, **more
    )


@pytest.fixture(scope="module")
def all_teams(season) -> list[str]:
    return sorted(set(season.league.team_boxscores["team_tricode"].to_pylist()))


class Counting:
    """A warehouse that counts its queries."""

    def __init__(self, warehouse: Any) -> None:
        self._warehouse, self.asked = warehouse, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def query(self, sql: str, **parameters: Any) -> Any:
        self.asked += 1
        return self._warehouse.query(sql, **parameters)


# ---- the batch, beside what a run published


WINDOWS = [
    (name, window.name)
    for name in ("team_defense_zone_analysis", "player_shot_zone_analysis", "player_daily_cache")
    for window in BY_NAME[name].windows
]


@pytest.mark.parametrize(("name", "window_name"), WINDOWS)
def test_results_are_what_a_run_published(chain, name, window_name):
    processor = BY_NAME[name]
    window = next(window for window in processor.windows if window.name == window_name)
    primary = window == processor.primary
    compared = 0
    for day in (chain.days[0], chain.days[-1]):
        rows = {
            row[processor.key_column]: row
            for row in chain.house.query(
                f"SELECT * FROM {TABLES[name].id} WHERE {processor.day_column} = @day", day=day
            )
        }
        kind = "days" if window.span is Span.DAYS else "games"
        table = processor.upstream.table
        results = check_completeness_batch(
            chain.house.url, list(rows), processor.entity.value, day, table, None, window.length, kind
        )
        assert list(results) == list(rows)
        for entity, row in rows.items():
            found = results[entity]
            if processor.multi_window:
                assert found["completeness_pct"] == row[f"{window_name}_completeness_pct"]
            if primary:
                assert found["adjusted_expected"] == row["expected_games_count"]
                assert found["actual_count"] == row["actual_games_count"]
                assert found["missing_count"] == row["missing_games_count"]
                assert found["completeness_pct"] == row["completeness_percentage"]
                assert found["dnp_count"] == row["dnp_games_count"]
            if not processor.multi_window:
                assert found["missing_game_ids"] == row["missing_game_ids"]
                assert found["gap_classification"] == row["gap_classification"]
                assert found["is_production_ready"] == row["is_production_ready"]
                assert found["processing_decision_reason"] == row["processing_decision_reason"]
            compared += 1
    assert compared > 50


def test_the_lost_games_are_missing_and_the_rest_is_ready(season, all_teams):
    """13 of 15 is 86.7, 14 of 15 is 93.3."""
    results = teams(season.house, all_teams, season.judged[0])
    short = {name: result for name, result in results.items() if not result["is_complete"]}
    assert season.team in short
    for name, result in short.items():
        lost = 2 if name == season.team else result["missing_count"]
        assert result["expected_count"] == result["adjusted_expected"] == 15
        assert result["missing_count"] == len(result["missing_game_ids"]) == lost
        assert result["completeness_pct"] == {1: 93.3, 2: 86.7}[lost]
        assert result["is_production_ready"] == (lost == 1)
        assert result["data_quality_issues"] == ["own_data_incomplete"]
    assert all(results[name]["completeness_pct"] == 100.0 for name in all_teams if name not in short)


@pytest.mark.parametrize("after_last", [None, 1, 9], ids=["day off", "day after the season", "nine days after"])
def test_a_day_without_games_is_answered_like_any_other(season, after_last):
    """Days windows end the day before, whether or not the day has games; counted here from the schedule."""
    games = [row for row in season.league.schedule.to_pylist() if row["season_type"] == "regular"]
    played = {game["game_date"] for game in games}
    off = [day for day in map(season.days[0].__add__, map(dt.timedelta, range(90))) if day not in played]
    day = off[0] if after_last is None else season.days[-1] + after_last * DAY
    assert day not in played
    length = 12
    results = check_completeness_batch(
        season.house.url, [season.team, "NYK"], "team", day, "team_defense_game_summary", None, length, "days"
    )
    for team, result in results.items():
        mine = [
            game["game_id"]
            for game in games
            if team in (game["home_tricode"], game["away_tricode"]) and day - length * DAY <= game["game_date"] < day
        ]
        lost = set(mine).intersection(season.lost)
        assert mine
        assert (result["expected_count"], result["missing_count"]) == (len(mine), len(lost))
        assert result["completeness_pct"] == round(100 * (len(mine) - len(lost)) / len(mine) + 1e-9, 1)


def test_a_players_rests_are_excused_and_no_miss(season):
    """Beside his own box rows of the games his team played."""
    rows = season.league.player_boxscores.to_pylist()
    resting = next(row for row in rows if not row["played"] and row["game_date"] < season.judged[0])["player_name"]
    day = season.judged[0]
    result = check_completeness_batch(season.house.url, [resting], "player", day, PGS, None, 60, "days")[resting]
    rested = [
        row
        for row in rows
        if row["player_name"] == resting
        and not row["played"]
        and day - 60 * DAY <= row["game_date"] < day
        and row["game_id"] not in season.lost
    ]
    assert result["dnp_count"] >= len(rested) > 0
    assert result["adjusted_expected"] == result["expected_count"] - result["dnp_count"]
    assert result["actual_count"] + result["missing_count"] == result["adjusted_expected"]


def test_i09_every_entity_has_every_field(season):
    """Stubs without some of the fields stopped a backfill entity by entity."""
    day = season.judged[0]
    results = teams(season.house, [season.team, "ZZZ"], day)
    results |= teams(season.house, ["BOS"], season.days[0])
    results |= check_completeness_batch(season.house.url, ["No Body"], "player", day, PGS)
    assert {name: set(result) for name, result in results.items()} == dict.fromkeys(
        [season.team, "ZZZ", "BOS", "No Body"], RESULT
    )
    for name in ("ZZZ", "No Body", "BOS"):  # of BOS no game lies before the season's first day
        found = results[name]
        assert (found["completeness_pct"], found["is_production_ready"], found["expected_count"]) == (None, False, 0)
        assert found["processing_decision_reason"] == "no_expected_games"


def test_names_may_be_spelled_as_one_likes_and_come_back_so(season, season_house):
    name = season.league.player_boxscores["player_name"].to_pylist()[0]
    spellings = [name, name.upper(), name.replace(" ", "-")]
    results = check_completeness_batch(season.house.url, spellings, "player", season.judged[0], PGS)
    assert list(results) == spellings
    assert results[spellings[0]] == results[spellings[1]] == results[spellings[2]]
    assert results[name]["expected_count"] > 0
    with season_house.warehouse.transaction({}) as session:
        session.execute(
            "INSERT INTO nba_reference.player_aliases (alias_lookup, player_lookup) VALUES ('thekid', @player)",
            player=player_lookup(name),
        )
    (nicknamed,) = check_completeness_batch(season_house.url, ["The Kid"], "player", season.judged[0], PGS).values()
    assert nicknamed == results[name]
    assert teams(season.house, ["bos"], season.judged[0])["bos"]["expected_count"] == 15


def test_another_table_can_be_counted_against(season):
    """Each in its own column of the entity: raw box scores of players, and of teams; player rows by team."""
    day = season.judged[0]
    asked = {
        "nba_raw.nbac_team_boxscore": None,
        "player_game_summary": None,
        "team_offense_game_summary": "team_abbr",
        "nbac_gamebook_player_stats": "team_abbr",
    }
    for table, field in asked.items():
        found = check_completeness_batch(season.house.url, [season.team], "team", day, table, field, 15)[season.team]
        assert (found["expected_count"], found["missing_count"]) == (15, 2), table
    name = season.league.player_boxscores["player_name"].to_pylist()[0]
    raw, summarised = (
        check_completeness_batch(season.house.url, [name], "player", day, table, None, 10)[name]
        for table in ("nbac_gamebook_player_stats", PGS)
    )
    assert raw == summarised


def test_i23_all_entities_are_asked_about_at_once(season, all_teams):
    """A query per window and batch of players timed out; one per entity took minutes."""
    asked = []
    players = sorted(set(season.league.player_boxscores["player_name"].to_pylist()))
    for kind, table, names in (("team", TDGS, all_teams), ("player", PGS, players)):
        for some in (names[:1], names):
            warehouse = Counting(season.house.warehouse)
            check_completeness_batch(warehouse, some, kind, season.judged[0], table, None, 15)
            asked.append(warehouse.asked)
    assert asked == [2, 2, 5, 5]


def test_a_threshold_of_ones_own(season):
    """86.7 is enough for 86.6, and 86.7 itself is not: 13 of 15 is less."""
    ready = {
        percent: teams(season.house, [season.team], season.judged[0], completeness_threshold=percent)[season.team][
            "is_production_ready"
        ]
        for percent in (50, 86.6, 86.7, 90.0)
    }
    assert ready == {50: True, 86.6: True, 86.7: False, 90.0: False}


def test_a_season_can_be_told_to_start_later(season):
    day, start = season.judged[0], season.judged[0] - 10 * DAY
    whole = teams(season.house, [season.team], day)[season.team]
    short = teams(season.house, [season.team], day, season_start_date=start)[season.team]
    mine = [
        game
        for game in season.league.schedule.to_pylist()
        if season.team in (game["home_tricode"], game["away_tricode"]) and start <= game["game_date"] < day
    ]
    assert whole["expected_count"] == 15
    assert short["expected_count"] == len(mine) < 15


def test_no_entities_no_results(season):
    assert teams(season.house, [], season.judged[0], fail_on_incomplete=True) == {}


REFUSED = {
    "entity type": ({"entity_type": "coach"}, "unknown entity type 'coach': expected one of team, player"),
    "table": ({"upstream_table": "team_defence_game_summary"}, "did you mean team_defense_game_summary"),
    "field": ({"upstream_entity_field": "team_name"}, "has no column 'team_name'"),
    "not of games": ({"upstream_table": "team_defense_zone_analysis"}, "has no game_id: expected a table of one row"),
    "window": ({"lookback_window": 0}, "lookback_window must be 1 or more, got 0"),
    "window type": ({"window_type": "weeks"}, "unknown window type 'weeks': expected one of games, days"),
    "threshold": ({"completeness_threshold": 0.9999}, "above 0 to 100 at one decimal, got 0.9999"),
    "no threshold": ({"completeness_threshold": 0}, "above 0 to 100 at one decimal, got 0"),
    "season": ({"season_start_date": dt.date(2030, 1, 1)}, "season_start_date=2030-01-01"),
    "upstream": ({"upstream_processor": "PlayerGameSummaryProcessor"}, "unknown processor 'PlayerGameSummaryP"),
    "date column": (
        {"check_historical_gaps": True, "date_column": "defending_team_abbr"},
        "has no date column 'defending_team_abbr'",
    ),
    "lookback": ({"check_historical_gaps": True, "historical_lookback_days": 0}, "must be 1 or more, got 0"),
    "clock": (
        {"upstream_processor": "player_game_summary", "now": dt.datetime(2024, 1, 1)},
        "now needs a time zone, got 2024-01-01T00:00:00",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_by_name(season, changed, complaint):
    usual = {"entity_ids": ["BOS"], "entity_type": "team", "analysis_date": season.judged[0], "upstream_table": TDGS}
    with pytest.raises(UsageError, match=complaint):
        check_completeness_batch(season.house.url, **{**usual, **changed})


def test_a_season_that_is_not_loaded_is_an_error_and_not_a_verdict(season):
    with pytest.raises(GateError, match="no schedule loaded for season 2019-20"):
        teams(season.house, ["BOS"], dt.date(2020, 1, 15))
    with pytest.raises(GateError, match="no schedule is loaded for 2020-01-01"):
        check_date_range_completeness(season.house.url, TDGS, None, dt.date(2020, 1, 1), dt.date(2020, 1, 31))
    days = check_date_range_completeness(
        season.house.url, TDGS, None, dt.date(2020, 1, 1), dt.date(2020, 1, 31), "all_days"
    )
    assert days["gap_count"] == 31  # of calendar days nothing needs to be known


def test_the_examples_of_the_documentation_run(season_house, tmp_path, monkeypatch, capsys):
    """On another warehouse than theirs: what they print is theirs alone."""
    document = (Path(__file__).parents[2] / "docs" / "python-api.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    assert len(examples) == 4
    (tmp_path / "demo").mkdir()
    season_house.path.rename(tmp_path / "demo" / "demo.duckdb")
    monkeypatch.chdir(tmp_path)
    exec("\n".join(examples), {})
    said = capsys.readouterr().out
    assert "LAL 15 15 100.0 True" in said
    assert said.endswith("not_found False no run covers the day\n")


# ---- strict


def lose(house: House, table: str, days: list[dt.date]) -> None:
    with house.warehouse.transaction({}) as session:
        session.execute(f"DELETE FROM {table} WHERE game_date IN UNNEST(@days)", days=days)


def ran(house: House, processor: str, day: dt.date, status: str, started: dt.datetime, **more: Any) -> None:
    """A row of the run history."""
    row = {"processor_name": processor, "run_id": f"{status} {started}", "data_date": day, "status": status}
    row |= {"started_at": started, **more}
    names = ", ".join(row)
    with house.warehouse.transaction({}) as session:
        session.execute(
            f"INSERT INTO nba_reference.processor_run_history ({names}) "
            f"VALUES ({', '.join(f'@{name}' for name in row)})",
            **row,
        )


LATER = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)  # runs of the fixtures began when the tests did


def test_strict_checks_that_hold_change_nothing(season, all_teams):
    day = season.days[20]  # before any game was lost
    plain = teams(season.house, all_teams, day)
    strict = teams(
        season.house,
        all_teams,
        day,
        fail_on_incomplete=True,
        check_historical_gaps=True,
        upstream_processor="team_defense_game_summary",
    )
    assert strict == plain
    assert all(result["is_production_ready"] for result in plain.values())


def test_an_upstream_that_failed_makes_nobody_ready(season_house, season, all_teams):
    day, before = season.days[20], season.days[19]
    ran(season_house, "team_defense_game_summary", before, "failed", LATER)
    results = teams(season_house, all_teams, day, upstream_processor="team_defense_game_summary")
    assert not any(result["is_production_ready"] for result in results.values())
    assert {tuple(result["data_quality_issues"]) for result in results.values()} == {("upstream_processor_failed",)}
    assert all(result["completeness_pct"] == 100.0 for result in results.values())  # what was counted stays
    next_day = season.days[21]  # whose game day before is another
    results = teams(season_house, all_teams, next_day, upstream_processor="team_defense_game_summary")
    assert all(result["is_production_ready"] for result in results.values())


def test_i59_a_day_without_rows_in_the_look_back_makes_nobody_ready(season_house, season, all_teams):
    """Team box scores were missing for 26 days, and only the day itself was ever looked at."""
    day, gone = season.days[22], season.days[10]
    lose(season_house, TDGS, [gone])
    away = (day - gone).days
    soft = teams(season_house, all_teams, day)
    assert any(result["is_production_ready"] for result in soft.values())
    for lookback, ready in ((away, False), (away - 1, True)):
        results = teams(season_house, all_teams, day, check_historical_gaps=True, historical_lookback_days=lookback)
        if ready:
            assert results == soft
        else:
            assert not any(result["is_production_ready"] for result in results.values())
            assert all("historical_gaps" in result["data_quality_issues"] for result in results.values())


def test_all_issues_in_the_order_of_the_checks_and_the_error_with_its_details(season_house, season, all_teams):
    day = season.judged[0]
    before = season.days[season.days.index(day) - 1]
    lose(season_house, TDGS, [season.days[season.days.index(day) - 6]])
    ran(season_house, "team_defense_game_summary", before, "failed", LATER)
    asked = {"check_historical_gaps": True, "upstream_processor": "team_defense_game_summary"}
    soft = teams(season_house, all_teams, day, **asked)
    assert soft[season.team]["data_quality_issues"] == STRICT
    with pytest.raises(DependencyError) as refused:
        teams(season_house, all_teams, day, fail_on_incomplete=True, **asked)
    error = refused.value
    assert isinstance(error, GateError)
    assert error.exit_code == 1
    known = [result["completeness_pct"] for result in soft.values()]
    assert error.details == {
        "upstream_table": TDGS,
        "analysis_date": day,
        "threshold": 90.0,
        "incomplete_entities": all_teams,
        "avg_completeness": round(sum(known) / len(known), 1),
        "total_missing_games": sum(result["missing_count"] for result in soft.values()),
        "results": soft,
    }
    assert f"{len(all_teams)} of {len(all_teams)} entities are not ready on {day} by {TDGS}" in str(error)
    assert str(error).endswith(f"issues: {', '.join(STRICT)}")


def test_only_who_is_not_ready_is_named(season, all_teams):
    day = season.judged[0]
    soft = teams(season.house, all_teams, day)
    held_back = [name for name in all_teams if not soft[name]["is_production_ready"]]
    assert season.team in held_back
    assert len(held_back) < 4
    with pytest.raises(DependencyError) as refused:
        teams(season.house, all_teams, day, fail_on_incomplete=True)
    assert refused.value.details["incomplete_entities"] == held_back
    with pytest.raises(DependencyError) as refused:
        teams(season.house, all_teams, day, fail_on_incomplete=True, completeness_threshold=100)
    assert refused.value.details["threshold"] == 100.0
    assert len(refused.value.details["incomplete_entities"]) > len(held_back)
    ready = [name for name in all_teams if name not in held_back]
    assert list(teams(season.house, ready, day, fail_on_incomplete=True)) == ready


# ---- ranges of days


def test_i63_days_off_are_no_gaps_and_no_game_day_is_a_continuous_range(season):
    """Every league off-day was reported as a gap."""
    first = season.days[0]
    before = check_date_range_completeness(season.house.url, PGS, "game_date", first - 20 * DAY, first - DAY)
    assert before == {
        "has_gaps": False,
        "missing_dates": [],
        "gap_count": 0,
        "coverage_pct": 100.0,
        "date_range": (first - 20 * DAY, first - DAY),
        "is_continuous": True,
    }
    calendar = check_date_range_completeness(season.house.url, PGS, None, first - 20 * DAY, first - DAY, "all_days")
    assert (calendar["gap_count"], calendar["coverage_pct"]) == (20, 0.0)
    assert check_date_range_completeness(season.house.url, PGS, None, first, season.days[-1])["is_continuous"]


def test_a_gap_is_a_game_day_without_rows(season_house, season):
    gone = [season.days[3], season.days[9]]
    lose(season_house, PGS, gone)
    found = check_date_range_completeness(season_house.url, "player_game_summary", None, gone[0], gone[1])
    assert (found["missing_dates"], found["gap_count"]) == (gone, 2)
    due = 9 - 3 + 1
    assert found["coverage_pct"] == round(100 * (due - 2) / due, 1)


def test_a_row_that_was_held_back_is_no_row(chain, tmp_path):
    """Existence is not validity: of a day that has stubs only, nothing is there."""
    house, day = chain.house.copy(tmp_path / "house.duckdb"), chain.days[1]
    table = "nba_precompute.team_defense_zone_analysis"
    ask = (house.url, table, None, chain.days[0], chain.days[-1])
    assert check_date_range_completeness(*ask)["is_continuous"]
    with house.warehouse.transaction({}) as session:
        session.execute(
            f"UPDATE {table} SET processing_decision_reason = 'incomplete_upstream_data' WHERE analysis_date = @day",
            day=day,
        )
    assert check_date_range_completeness(*ask)["missing_dates"] == [day]


def test_a_range_refuses_what_it_does_not_know(season):
    first, last = season.days[0], season.days[-1]
    for arguments, complaint in (
        (("player_game_sumary", None, first, last), "did you mean player_game_summary"),
        ((PGS, "player_lookup", first, last), "has no date column 'player_lookup': expected one of game_date"),
        (("player_aliases", None, first, last), "has no column of dates"),
        ((PGS, None, last, first), "the first day must not be after the last"),
        ((PGS, None, first, last, "weekdays"), "unknown frequency 'weekdays': expected one of game_days, all_days"),
    ):
        with pytest.raises(UsageError, match=complaint):
            check_date_range_completeness(season.house.url, *arguments)


# ---- upstream processors


def status(house: House, processor: str, day: dt.date, now: dt.datetime | None = None) -> dict[str, Any]:
    return check_upstream_processor_status(house.url, processor, day, now=now or house.now)


def test_a_run_of_many_days_covers_each_of_them(season):
    """One history row; before its first day and after its last there is no run."""
    (run_id,) = {
        row["run_id"]
        for row in season.house.query(
            "SELECT run_id FROM nba_reference.processor_run_history WHERE processor_name = 'player_game_summary'"
        )
    }
    for day in (season.days[0], season.days[20], season.days[-1]):
        found = status(season.house, "player_game_summary", day)
        assert (found["run_id"], found["stale_age_hours"]) == (run_id, None)
        assert (found["processor_succeeded"], found["status"], found["safe_to_process"]) == (True, "success", True)
    for day in (season.days[0] - DAY, season.days[-1] + DAY):
        assert status(season.house, "player_game_summary", day)["status"] == "not_found"


def test_a_day_that_the_run_left_short_is_partial_and_its_other_days_are_not(season_house, season):
    """The history says partial of the whole run; each day's receipt says of which."""
    day, other = season.days[12], season.days[13]
    lose(season_house, "nba_raw.nbac_gamebook_player_stats", [day])
    lose(season_house, "nba_raw.nbac_team_boxscore", [day])
    season_house.run("analytics", day, other, allow_demotion=True, now=LATER)
    found = status(season_house, "player_game_summary", day)
    assert (found["status"], found["safe_to_process"]) == ("partial", False)
    assert "NO_DATA" in found["error_message"]
    assert status(season_house, "player_game_summary", other)["status"] == "success"


def test_a_run_stopped_at_a_gate_fails_every_day_it_was_asked_for(season_house, season):
    day, other = season.days[12], season.days[13]
    lose(season_house, "nba_raw.nbac_gamebook_player_stats", [day])
    with pytest.raises(GateError, match="would lose more than"):
        season_house.run("analytics", day, other, now=LATER)
    for asked in (day, other):
        found = status(season_house, "player_game_summary", asked)
        assert (found["status"], found["safe_to_process"]) == ("failed", False)
        assert "would lose more than" in found["error_message"]
    assert status(season_house, "player_game_summary", season.days[14])["status"] == "success"


def test_drills_and_skipped_runs_are_no_runs(season_house, season):
    day = season.days[5]
    ran(season_house, "player_game_summary", day, "failed", LATER, test_mode=True)
    ran(season_house, "player_game_summary", day, "skipped", LATER)
    assert status(season_house, "player_game_summary", day)["status"] == "success"
    ran(season_house, "player_game_summary", day, "failed", LATER)
    assert status(season_house, "player_game_summary", day)["status"] == "failed"


def test_a_stale_run_is_no_success_but_the_table_may_hold_the_day(season_house, season):
    day = season.days[5]
    ran(season_house, "player_game_summary", day, "running", LATER)
    for age, expected in ((HOUR, ("running", False)), (4 * HOUR, ("stale_running", True))):
        found = status(season_house, "player_game_summary", day, LATER + age)
        assert (found["status"], found["safe_to_process"]) == expected
        assert (found["processor_succeeded"], found["stale_age_hours"]) == (False, age / HOUR)
    lose(season_house, PGS, [day])
    assert not status(season_house, "player_game_summary", day, LATER + 4 * HOUR)["safe_to_process"]


def test_an_unknown_processor_is_refused(season):
    with pytest.raises(UsageError, match="unknown processor 'PlayerGameSummaryProcessor': expected one of team_off"):
        check_upstream_processor_status(season.house.url, "PlayerGameSummaryProcessor", season.days[0])
