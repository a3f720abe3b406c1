"""One test an incident of the system that this one replaces, where its rule lies in the chain up to predictions.

docs/incidents.md lists them all, those of other files too.
"""

import datetime as dt
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.calendar import Calendar, game_days
from fullcourt.domain.days import to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.names import player_lookup
from fullcourt.domain.numbers import decimals
from fullcourt.domain.predictions.features import VERSIONS
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.domain.processors import GATED, PROCESSORS, Entity, select
from fullcourt.domain.rows import fit
from fullcourt.domain.tables import PublishMode
from fullcourt.orchestration.run import RunRequest
from fullcourt.warehouse import Read
from pipelines.reads import of_gated
from schemas import TABLES
from tests.bridge import PLAYERS, TEAMS, ask, schedule_table
from tests.reference_gate import BoxRow, Game, Season, Upstream

REPOSITORY = Path(__file__).parents[1]
LISTED = (REPOSITORY / "docs" / "incidents.md").read_text()
VERDICTS = "nba_orchestration.entity_verdicts"


def league(count: int = 12, *, played: int | None = None) -> Season:
    """AAA against BBB every second day, ann plays all of AAA's games, and has a summary of the first `played`."""
    first = dt.date(2023, 12, 1).toordinal()
    games = tuple(Game(f"G{n:02}", f"00223{n:05}", first + 2 * n, "AAA", "BBB", "final", 100, 90) for n in range(count))
    box = tuple(BoxRow("ann", game.game_id, "AAA", True, 100) for game in games)
    there = games[: count if played is None else played]
    return Season(
        games,
        box,
        player_summaries=tuple(Upstream("ann", game.game_id, 1, "AAA") for game in there),
        team_summaries=tuple(Upstream(team, game.game_id, 1, team) for game in there for team in game.teams),
    )


def last_verdict(season: Season, processor, entity: str):
    judged = ask(season, processor).judgements()
    return judged[entity, max(day for name, day in judged if name == entity)]


def test_i04_completeness_is_a_set_of_games_not_the_existence_of_rows(chain, tmp_path):
    """A table with rows for the day is not a day done: of everybody who played, the receipt counts who is there."""
    day = chain.days[-1]
    played = {
        row["player_lookup"]
        for row in chain.house.query(
            "SELECT player_lookup FROM nba_analytics.player_game_summary WHERE game_date = @day", day=day
        )
    }
    receipts = "SELECT * FROM nba_orchestration.latest_receipts WHERE analysis_date = @day AND processor_name = @name"
    (receipt,) = chain.house.query(receipts, day=day, name="player_daily_cache")
    assert receipt["coverage_expected"] == len(played)
    house = chain.house.copy(tmp_path / "house.duckdb")
    with house.warehouse.transaction({}) as session:  # all but a handful of D's predecessors are lost
        session.execute(
            "DELETE FROM nba_analytics.player_game_summary WHERE player_lookup > 'b' AND game_date < @day", day=day
        )
    (report,) = house.run("precompute", day, processors=["player_daily_cache"], allow_demotion=True)["processors"]
    (receipt,) = house.query(receipts, day=day, name="player_daily_cache")
    assert receipt["row_count"] > 0
    assert (receipt["status"], report["days_not_covered"]) == ("INCOMPLETE", [day.isoformat()])


def test_i08_unknown_options_are_refused(chain):
    with pytest.raises(TypeError, match="is_backfill"):
        RunRequest("x", (), chain.days[0], chain.days[0], chain.house.now, is_backfill=True)


def test_i10_i39_an_unknown_zone_count_stays_unknown_all_the_way(season, tmp_path):
    """One team's shots lost: its players' zones are null in the analysis, absent in the features, never zero."""
    house = season.house.copy(tmp_path / "house.duckdb")
    day = season.judged[-1]
    with house.warehouse.transaction({}) as session:
        for table, columns in (
            ("player_game_summary", ("paint", "mid_range", "three_pt_zone")),
            ("team_defense_game_summary", ("opp_paint", "opp_mid_range", "opp_three_pt")),
        ):
            unknown = ", ".join(f"{zone}_{what} = NULL" for zone in columns for what in ("makes", "attempts"))
            session.execute(f"UPDATE nba_analytics.{table} SET {unknown} WHERE TRUE")
    for phase in ("precompute",):
        house.run(phase, day)
    analysis = house.query(
        "SELECT paint_rate_last_10, data_quality_issues FROM nba_precompute.player_shot_zone_analysis "
        "WHERE analysis_date = @day AND is_production_ready",
        day=day,
    )
    assert analysis
    assert {row["paint_rate_last_10"] for row in analysis} == {None}
    assert all("shot_zones_unavailable" in row["data_quality_issues"] for row in analysis)
    factors = house.query(
        "SELECT shot_zone_mismatch_score AS score FROM nba_precompute.player_composite_factors "
        "WHERE game_date = @day AND data_hash IS NOT NULL",
        day=day,
    )
    assert {float(row["score"]) for row in factors} == {0.0}
    place = next(iter(VERSIONS.values())).index("pct_paint")
    for row in house.query(
        "SELECT features, feature_sources FROM nba_predictions.ml_feature_store_v2 "
        "WHERE game_date = @day AND data_hash IS NOT NULL",
        day=day,
    ):
        assert (row["features"][place], row["feature_sources"][place]) == (0.30, "default")


def test_i11_both_teams_of_a_game_are_expected_to_have_it():
    judged = ask(league(), TEAMS).judgements()
    counts = {team: last_verdict(league(), TEAMS, team).windows[TEAMS.primary].expected for team in ("AAA", "BBB")}
    assert judged
    assert counts == {"AAA": 11, "BBB": 11}


def test_i12_completeness_never_exceeds_100(chain):
    most = chain.house.one(f"SELECT MAX(completeness_percentage) AS most FROM {VERDICTS}")
    assert most == 100


def test_i13_i14_who_did_not_play_is_excused_and_not_missing():
    season = league()
    rested = {"G05", "G06", "G07"}
    season = Season(
        season.games,
        tuple(
            BoxRow(row.player, row.game_id, row.team, row.game_id not in rested, None if row.game_id in rested else 100)
            for row in season.box
        )
        + tuple(BoxRow("bob", game, "AAA", True, 100) for game in rested),
        player_summaries=tuple(row for row in season.player_summaries if row.game_id not in rested),
        team_summaries=season.team_summaries,
    )
    verdict = last_verdict(season, PLAYERS, "ann")
    assert verdict.verdict == "ready"
    assert verdict.windows[PLAYERS.primary].excused == 3


def test_i20_one_threshold_for_all():
    assert {processor.threshold_per_mille for processor in GATED} == {900}


def test_i22_the_breakers_of_a_run_are_read_once_and_not_entity_by_entity():
    reads = of_gated(GATED, [2023], [to_number(dt.date(2023, 12, day)) for day in range(1, 32)])
    (breakers,) = [read for read in reads if read.table == BREAKER_STATE]
    assert set(breakers.only) == {"processor_name", "analysis_date"}
    assert len(breakers.only["analysis_date"]) == 31


def test_i21_an_upstream_that_is_not_ready_flags_a_row_and_does_not_drop_it(chain):
    rows = chain.house.query(
        "SELECT processing_decision_reason AS reason, is_production_ready AS ready, "
        "upstream_player_daily_cache_ready AS cache, data_hash IS NOT NULL AS computed "
        "FROM nba_precompute.player_composite_factors WHERE processing_decision_reason = "
        "'processed_with_incomplete_upstream'"
    )
    assert rows
    assert {(row["ready"], row["cache"], row["computed"]) for row in rows} == {(False, False, True)}


def test_i26_i30_every_key_is_there_once(chain):
    for table in TABLES.values():
        keys = table.supersede_by or table.grain
        active = "WHERE is_active" if table.publish is PublishMode.SUPERSEDE else ""
        repeated = chain.house.query(
            f"SELECT {', '.join(keys)} FROM {table.id} {active} GROUP BY {', '.join(keys)} HAVING COUNT(*) > 1 LIMIT 1"
        )
        assert repeated == [] or table.name == "dead_letters", table.name


def test_i28_tables_are_named_by_the_registry_alone(chain):
    assert all(re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", table.id) for table in TABLES.values())
    with pytest.raises(KeyError, match="player_game_sumary"):
        Read("player_game_sumary", ("points",))
    with pytest.raises(ValueError, match="pionts"):
        Read("player_game_summary", ("pionts",))


def test_i29_i54_a_day_with_games_and_no_rows_is_not_done(empty_house, landing):
    empty_house.ingest(landing)
    day = min(empty_house.query("SELECT game_date FROM nba_raw.counted_team_games"), key=lambda r: r["game_date"])
    (processor,) = empty_house.run("predictions", day["game_date"])["processors"]
    assert processor["days_not_covered"] == [day["game_date"].isoformat()]


def test_i32_i33_one_player_under_any_spelling():
    spellings = ("Nikola Jokić", "nikola_jokic", "NIKOLA JOKIC", "nikola-jokic", "Nikola  Jokic")
    assert {player_lookup(name) for name in spellings} == {"nikolajokic"}
    assert player_lookup("Jaren Jackson Jr.") != player_lookup("Jaren Jackson")
    assert player_lookup("De'Aaron Fox") == "deaaronfox"


def test_i35_nobody_listed_is_dropped_for_want_of_another_source(chain):
    """No props, no report: players of D's box scores without either still have a context or a reason."""
    day = chain.days[-1]
    missing = chain.house.query(
        "SELECT DISTINCT box.player_lookup FROM nba_raw.nbac_gamebook_player_stats AS box "
        f"LEFT JOIN {VERDICTS} AS context ON context.processor_name = 'upcoming_player_game_context' "
        "AND context.entity_id = box.player_lookup AND context.analysis_date = box.game_date "
        "LEFT JOIN nba_processing.precompute_failures AS failed ON failed.entity_id = box.player_lookup "
        "AND failed.processor_name = 'upcoming_player_game_context' AND failed.analysis_date = box.game_date "
        "WHERE box.game_date = @day AND context.entity_id IS NULL AND failed.entity_id IS NULL",
        day=day,
    )
    assert missing == []


def test_i38_no_window_reaches_into_the_season_before():
    """Two leagues a season apart: the second's first windows are empty."""
    schedule = schedule_table(league(4))
    years = schedule["season_year"].combine_chunks()
    before = schedule.set_column(
        schedule.column_names.index("season_year"), "season_year", pa.array([2022] * len(years))
    )
    both = pa.concat_tables([before, schedule])
    assert Calendar.from_schedule(both, 2023).game_ids.to_pylist() == schedule["game_id"].to_pylist()
    first = min(day for _, day in ask(league(), TEAMS).judgements())
    assert ask(league(), TEAMS).judgements()["AAA", first].verdict == "excluded"


def test_i42_i43_averages_are_of_games_played_zero_points_included(chain):
    """A game entered without a point counts; one not entered does not."""
    rows = chain.house.query(
        "SELECT cache.player_lookup, cache.points_avg_season AS published, cache.games_played_season AS counted, "
        "COUNT(*) AS games, SUM(box.points) AS points "
        "FROM nba_precompute.player_daily_cache AS cache JOIN nba_analytics.player_game_summary AS box "
        "ON box.player_lookup = cache.player_lookup AND box.game_date < cache.cache_date "
        "WHERE cache.is_production_ready GROUP BY cache.player_lookup, cache.cache_date, published, counted"
    )
    assert len(rows) > 100
    assert any(row["points"] < row["games"] for row in rows)
    for row in rows:
        assert row["counted"] <= row["games"]
        if row["counted"] == row["games"]:
            assert abs(float(row["published"]) - row["points"] / row["games"]) <= 0.05 + 1e-9


def test_i44_the_last_ten_games_are_ten_games_however_long_ago():
    season = league(30)
    spread = tuple(
        Game(g.game_id, g.nba_game_id, g.day + 4 * n, *g.teams, "final", 100, 90) for n, g in enumerate(season.games)
    )
    stretched = Season(spread, season.box, (), season.player_summaries, season.team_summaries)
    assert last_verdict(stretched, PLAYERS, "ann").windows[PLAYERS.primary].expected == 10


def test_i45_i46_who_is_asked_about_is_listed_for_d_with_or_without_its_box_scores(season, tmp_path):
    """Without D's box scores the rosters stand in, and nobody who then was listed is missing."""
    house, day = season.house.copy(tmp_path / "house.duckdb"), season.judged[-1]
    house.run("analytics", day, processors=["upcoming_player_game_context"])
    query = (
        "SELECT player_lookup, primary_source_used FROM nba_analytics.upcoming_player_game_context "
        "WHERE game_date = @day"
    )
    after = {row["player_lookup"]: row["primary_source_used"] for row in house.query(query, day=day)}
    with house.warehouse.transaction({}) as session:
        for table in ("nba_raw.nbac_gamebook_player_stats", "nba_analytics.player_game_summary"):
            session.execute(f"DELETE FROM {table} WHERE game_date = @day", day=day)
    house.run("analytics", day, processors=["upcoming_player_game_context"])
    before = {row["player_lookup"]: row["primary_source_used"] for row in house.query(query, day=day)}
    assert len(after) > 100
    assert {source for source in before.values() if source} == {"rosters"}
    assert {source for source in after.values() if source} == {"box_scores"}
    assert len(set(after) - set(before)) <= 0.02 * len(after)


def test_i49_what_does_not_fit_its_column_is_an_error_and_nan_is_null(chain):
    with pytest.raises(OverflowError, match=r"NUMERIC\(3,1\)"):
        decimals(np.array([1_000]), np.array([True]), 3, 1)
    for row in chain.house.query(
        "SELECT features FROM nba_predictions.ml_feature_store_v2 WHERE data_hash IS NOT NULL"
    ):
        assert all(value is not None and math.isfinite(value) for value in row["features"])


def test_i50_one_registry_names_the_features_that_are_written_and_read(chain):
    (version,) = VERSIONS.values()
    names = chain.house.query(
        "SELECT DISTINCT ARRAY_TO_STRING(feature_names, ',') AS names, feature_version AS version, feature_count AS n "
        "FROM nba_predictions.ml_feature_store_v2 WHERE data_hash IS NOT NULL"
    )
    assert names == [{"names": ",".join(version.names), "version": version.name, "n": len(version.names)}]
    with pytest.raises(UsageError, match="opponent_def_rating_last_15"):
        version.index("opponent_def_rating_last_15")


def test_i51_processors_are_called_the_same_everywhere(chain):
    names = {processor.name for processor in PROCESSORS}
    for table in ("publish_receipts", "outbox_events", "precompute_failures", "reprocess_attempts"):
        found = chain.house.query(f"SELECT DISTINCT processor_name FROM {TABLES[table].id}")
        assert {row["processor_name"] for row in found} <= names


def test_i53_usage_is_a_share_of_possessions(chain):
    low, high = chain.house.query(
        "SELECT MIN(usage_rate) AS low, MAX(usage_rate) AS high FROM nba_analytics.player_game_summary"
    )[0].values()
    assert 0 <= low < high <= 100


def test_i55_a_game_that_is_not_final_has_no_summary():
    schedule = schedule_table(league(3))
    status = pa.array([3, 2, 1])
    calendar = Calendar.from_schedule(
        schedule.set_column(schedule.column_names.index("game_status"), "game_status", status), 2023
    )
    assert calendar.final.tolist() == [True, False, False]


def test_i56_one_bad_team_holds_back_its_own_and_nobody_else(chain, season):
    rows = chain.house.query(
        f"SELECT entity_id, is_production_ready AS ready FROM {VERDICTS} "
        "WHERE processor_name = 'team_defense_zone_analysis' AND analysis_date = @day",
        day=chain.days[-1],
    )
    held = {row["entity_id"] for row in rows if not row["ready"]}
    assert season.team in held
    assert 0 < len(held) <= 3
    assert len(rows) == 30


def test_i58_a_game_called_off_or_final_without_a_score_is_not_expected():
    season = league(6)
    games = [*season.games]
    games[2] = Game("G02", games[2].nba_game_id, games[2].day, "AAA", "BBB", "postponed")
    games[3] = Game("G03", games[3].nba_game_id, games[3].day, "AAA", "BBB", "final", None, None)
    off = Season(tuple(games), team_summaries=season.team_summaries)
    assert last_verdict(off, TEAMS, "AAA").windows[TEAMS.primary].expected == 3


def test_i60_nothing_expected_is_no_success(chain):
    excluded = chain.house.query(
        "SELECT failure_reason FROM nba_processing.precompute_failures WHERE failure_category = 'EXPECTED_INCOMPLETE' "
        "AND processor_name <> 'player_prop_predictions'"
    )
    assert {row["failure_reason"] for row in excluded} <= {"no_expected_games", "all_games_excused"}
    with pytest.raises(GateError, match="2019"):
        Calendar.from_schedule(schedule_table(league(3)), 2019)


def test_i61_the_season_begins_with_its_first_game():
    calendar = Calendar.from_schedule(schedule_table(league()), 2023)
    assert calendar.season_start == calendar.days[0]


def test_i62_few_games_are_a_label_and_no_bar():
    verdict = last_verdict(league(3), PLAYERS, "ann")
    assert (verdict.verdict, verdict.windows[PLAYERS.primary].expected) == ("ready", 2)


def test_i63_a_day_off_is_no_gap():
    days = game_days(schedule_table(league(4)), dt.date(2023, 11, 1), dt.date(2023, 12, 31))
    assert [day.day for day in days] == [1, 3, 5, 7]


def test_i66_a_line_or_report_that_changes_is_a_change(season, tmp_path):
    house, day = season.house.copy(tmp_path / "house.duckdb"), season.judged[-1]

    def unchanged_days():
        (report,) = house.run("analytics", day, processors=["upcoming_team_game_context"])["processors"]
        return report["unchanged_days"]

    unchanged_days()
    assert unchanged_days() == 1
    for change in ("game_lines SET outcome_point = outcome_point + 1", "injury_reports SET injury_status = 'doubtful'"):
        with house.warehouse.transaction({}) as session:
            session.execute(f"UPDATE nba_raw.{change} WHERE game_date = @day", day=day)
        assert unchanged_days() == 0, change


def test_i69_confidence_is_0_to_100_in_every_system(chain):
    rows = chain.house.query(
        "SELECT system_id, MIN(confidence_score) AS low, MAX(confidence_score) AS high "
        "FROM nba_predictions.player_prop_predictions GROUP BY system_id"
    )
    assert {row["system_id"] for row in rows} == set(SYSTEMS)
    assert all(1 < row["low"] <= row["high"] <= 100 for row in rows)


def test_i74_predictions_are_the_same_each_time(chain, tmp_path):
    house = chain.house.copy(tmp_path / "house.duckdb")
    day = chain.days[-1]
    with house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_predictions.player_prop_predictions WHERE game_date = @day", day=day)
    house.run("predictions", day)
    query = "SELECT prediction_id, data_hash FROM nba_predictions.player_prop_predictions WHERE game_date = @day"
    assert sorted(map(str, house.query(query, day=day))) == sorted(map(str, chain.house.query(query, day=day)))


def test_i76_the_season_flag_exempts_nothing(chain):
    rows = chain.house.query(
        f"SELECT is_stub FROM {VERDICTS} WHERE season_boundary_detected AND NOT backfill_bootstrap_mode "
        "AND completeness_percentage < 90 AND processor_name = 'player_shot_zone_analysis'"
    )
    assert rows
    assert all(row["is_stub"] for row in rows)


def test_i77_every_output_of_every_game_day_is_expected(chain):
    rows = chain.house.query(
        "SELECT processor_name, COUNT(*) AS days FROM nba_orchestration.expected_outputs GROUP BY processor_name"
    )
    days = chain.house.one("SELECT COUNT(DISTINCT game_date) AS n FROM nba_raw.counted_team_games")
    assert {row["processor_name"]: row["days"] for row in rows} == {p.name: days for p in PROCESSORS}


def test_i78_several_bookmakers_make_one_context(chain):
    quoted, contexts, players = chain.house.query(
        "SELECT COUNT(DISTINCT CONCAT(p.player_lookup, p.bookmaker)) AS quoted, COUNT(DISTINCT c.player_lookup) AS n, "
        "COUNT(DISTINCT p.player_lookup) AS players "
        "FROM nba_raw.player_props AS p JOIN nba_analytics.upcoming_player_game_context AS c "
        "ON c.player_lookup = p.player_lookup AND c.game_id = p.game_id WHERE p.market = 'points'"
    )[0].values()
    assert quoted > contexts == players


@pytest.mark.parametrize("entity", [Entity.TEAM, Entity.PLAYER])
def test_every_processor_can_be_selected_by_its_own_name(entity):
    for processor in PROCESSORS:
        if processor.entity is entity:
            assert select(processor.phase, [processor.name]) == (processor,)


def test_a_row_with_a_column_that_its_table_lacks_is_an_error():
    """I-75: what is written and what is declared cannot drift apart in silence."""
    with pytest.raises(ValueError, match="stray"):
        fit({"stray": pa.array([1])}, pa.schema([("known", pa.int64())]), 1)


def test_the_list_of_incidents_names_tests_that_exist():
    """Each line of docs/incidents.md: `test_…` in a file that holds it."""
    lines = re.findall(r"^\| (I-[\d, I-]+) \|.*\| `(test_\w+)` \| `([\w/.]+)` \|$", LISTED, re.MULTILINE)
    assert len(lines) > 40
    for incidents, test, file in lines:
        assert f"def {test}(" in (REPOSITORY / file).read_text(), (incidents, test, file)
    here = set(re.findall(r"^def (test_i\d+\w*)\(", Path(__file__).read_text(), re.MULTILINE))
    assert here <= {test for _, test, _ in lines}
