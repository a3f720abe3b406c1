"""The ledger of completeness columns, spelled out by hand, and what every table must declare."""

import re

import pytest

from fullcourt.domain.processors import PROCESSORS
from fullcourt.domain.tables import ARCHIVED_AT, PublishMode, Table
from schemas import (
    TABLES,
    game_lines,
    inactive_lists,
    injury_reports,
    player_aliases,
    player_props,
    shot_zones,
)
from schemas import nbac_gamebook_player_stats as gamebook
from schemas import nbac_schedule as schedule
from schemas import nbac_team_boxscore as team_boxscore
from schemas.completeness import TAIL

STANDARD = {
    "expected_games_count": "INT64",
    "actual_games_count": "INT64",
    "completeness_percentage": "FLOAT64",
    "missing_games_count": "INT64",
    "is_production_ready": "BOOL",
    "data_quality_issues": "ARRAY<STRING>",
    "last_reprocess_attempt_at": "TIMESTAMP",
    "reprocess_attempt_count": "INT64",
    "circuit_breaker_active": "BOOL",
    "circuit_breaker_until": "TIMESTAMP",
    "manual_override_required": "BOOL",
    "season_boundary_detected": "BOOL",
    "backfill_bootstrap_mode": "BOOL",
    "processing_decision_reason": "STRING",
}
L5_L10 = {
    "l5_completeness_pct": "FLOAT64",
    "l5_is_complete": "BOOL",
    "l10_completeness_pct": "FLOAT64",
    "l10_is_complete": "BOOL",
}
L7D_L14D = {
    "l7d_completeness_pct": "FLOAT64",
    "l7d_is_complete": "BOOL",
    "l14d_completeness_pct": "FLOAT64",
    "l14d_is_complete": "BOOL",
}
L30D = {"l30d_completeness_pct": "FLOAT64", "l30d_is_complete": "BOOL"}
ALL_WINDOWS = {"all_windows_complete": "BOOL"}

LEDGER = {
    "team_defense_zone_analysis": STANDARD,
    "player_shot_zone_analysis": STANDARD,
    "player_daily_cache": STANDARD | L5_L10 | L7D_L14D | ALL_WINDOWS,
    "player_composite_factors": STANDARD | {"upstream_player_daily_cache_ready": "BOOL"},
    "ml_feature_store_v2": STANDARD
    | {
        "upstream_player_daily_cache_ready": "BOOL",
        "upstream_player_composite_factors_ready": "BOOL",
        "upstream_player_shot_zone_ready": "BOOL",
        "upstream_upcoming_player_context_ready": "BOOL",
    },
    "upcoming_player_game_context": STANDARD | L5_L10 | L7D_L14D | L30D | ALL_WINDOWS,
    "upcoming_team_game_context": STANDARD | L7D_L14D | ALL_WINDOWS,
    "player_prop_predictions": STANDARD,
}
COUNTS = {
    "team_defense_zone_analysis": 14,
    "player_shot_zone_analysis": 14,
    "player_daily_cache": 23,
    "player_composite_factors": 15,
    "ml_feature_store_v2": 18,
    "upcoming_player_game_context": 25,
    "upcoming_team_game_context": 19,
    "player_prop_predictions": 14,
}
DNP_LINEAGE = {"dnp_games_count": "INT64", "gap_classification": "STRING"}
PREDICTIONS = "player_prop_predictions"

# BigQuery's reserved words.
RESERVED = set(
    """ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
    DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL
    GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP
    MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE
    RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN
    WHERE WINDOW WITH WITHIN""".split()
)

# When a fact was observed, not when a run wrote it: part of what a row says.
CONTENT_TIMESTAMPS = {"snapshot_timestamp", "betting_lines_updated_at"}

# Any column that could belong to the ledger, by its name, so that one too many is noticed too.
COMPLETENESS_NAME = re.compile(
    r"(expected|actual|missing)_games_count|completeness_percentage|is_production_ready|data_quality_issues"
    r"|\w*reprocess_attempt\w*|circuit_breaker_\w+|manual_override_required|season_boundary_detected"
    r"|backfill_bootstrap_mode|processing_decision_reason|l\d+d?_\w+|all_windows_complete|upstream_\w+|all_upstreams_\w+"
)


@pytest.mark.parametrize("name", LEDGER)
def test_a_table_has_exactly_the_completeness_columns_of_the_ledger(name):
    found = {c.name: c.type for c in TABLES[name].columns if COMPLETENESS_NAME.fullmatch(c.name)}
    assert found == LEDGER[name]
    assert len(found) == COUNTS[name]


def test_the_ledger_sums_to_142_and_to_156_with_the_excused_games():
    base = sum(len(columns) for columns in LEDGER.values())
    lineage = [(name, column.name) for name in LEDGER for column in TABLES[name].columns if column.name in DNP_LINEAGE]
    assert (base, len(lineage), base + len(lineage)) == (142, 14, 156)


@pytest.mark.parametrize("name", LEDGER)
def test_the_excused_games_stand_on_processor_tables_and_not_on_predictions(name):
    found = {c.name: c.type for c in TABLES[name].columns if c.name in DNP_LINEAGE}
    assert found == ({} if name == PREDICTIONS else DNP_LINEAGE)


@pytest.mark.parametrize("name", LEDGER)
def test_the_columns_of_the_attempts_and_the_breaker_are_bookkeeping(name):
    order = list(STANDARD)
    bookkeeping = [column for column in order if TABLES[name].by_name[column].bookkeeping]
    assert bookkeeping == order[6:11]


@pytest.mark.parametrize("name", [name for name in LEDGER if name != PREDICTIONS])
def test_a_processor_table_ends_with_the_common_tail(name):
    table = TABLES[name]
    assert table.columns[-len(TAIL) :] == TAIL
    upstreams = {c.name.removesuffix("_rows_found") for c in table.columns if c.name.endswith("_rows_found")}
    assert upstreams
    for upstream in upstreams:
        assert {f"{upstream}{part}" for part in ("_last_updated", "_completeness_pct", "_hash")} <= set(table.by_name)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_and_column_is_documented(table: Table):
    for text in (table.doc, *(column.doc for column in table.columns)):
        assert text.endswith((".", "…")), text


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_clock_and_the_run_are_bookkeeping(table: Table):
    for column in table.columns:
        if column.name in CONTENT_TIMESTAMPS:
            assert (column.type, column.bookkeeping) == ("TIMESTAMP", False), column.name
        elif column.type == "TIMESTAMP" or column.name in ("run_id", "source_file"):
            assert column.bookkeeping, column.name


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_grain_is_a_set_of_columns_that_are_never_null(table: Table):
    assert len(set(table.grain)) == len(table.grain) > 0
    if table.name == "dead_letters":
        return  # a row that cannot be read may lack its own key
    assert [name for name in table.grain if not table.by_name[name].required] == []


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_column_name_needs_quotes_in_bigquery(table: Table):
    assert RESERVED.isdisjoint(name.upper() for name in table.by_name)


def test_no_two_tables_share_a_name_or_an_id():
    assert [table.name for table in TABLES.values()] == list(TABLES)
    assert len({table.id for table in TABLES.values()}) == len(TABLES)


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.name)
def test_every_processor_has_its_table(processor):
    table = TABLES[processor.name]
    key = "defending_team_abbr" if processor.name == "team_defense_game_summary" else processor.key_column
    assert table.day == table.partition == processor.day_column
    if processor.name == PREDICTIONS:
        assert table.publish is PublishMode.SUPERSEDE
        assert {key, processor.day_column} < set(table.supersede_by)
    else:
        assert key in table.grain
        assert table.publish is PublishMode.REPLACE
        assert table.replace_by == (processor.day_column,)
    # A prediction has no windows of its own: it is as ready as the features it was made from.
    assert table.readiness == (bool(processor.windows) or processor.name == PREDICTIONS)
    if processor.upstream:
        assert processor.upstream.entity_column in TABLES[processor.upstream.table].by_name
    for dependency in processor.depends:
        assert dependency.processor in TABLES
        assert f"source_{dependency.short}_hash" in table.by_name
        assert dependency.flag is None or dependency.flag in table.by_name


@pytest.mark.parametrize(
    "module",
    [
        schedule,
        gamebook,
        team_boxscore,
        shot_zones,
        inactive_lists,
        player_aliases,
        player_props,
        injury_reports,
        game_lines,
    ],
)
def test_a_landing_file_fills_columns_that_exist(module):
    assert set(module.LANDING.columns) <= set(module.TABLE.by_name)
    assert set(module.LANDING.columns.values()) <= set(module.LANDING.needed)


def test_the_landing_columns_are_those_the_box_scores_and_shots_have():
    assert gamebook.LANDING.columns["points"] == "pts"
    assert gamebook.LANDING.columns["personal_fouls"] == "pf"
    assert shot_zones.LANDING.columns["nba_game_id"] == "game_id_resolved"
    assert "backcourt_fga" in shot_zones.LANDING.needed
    assert len(set(gamebook.LANDING.needed)) == len(gamebook.LANDING.needed)


def test_what_no_landing_file_can_fill_is_listed():
    tables = [table for table in TABLES.values() if ARCHIVED_AT not in table.by_name]  # a history repeats its table
    unfillable = {(t.name, c.name) for t in tables for c in t.columns if c.unfillable}
    assert {table for table, _ in unfillable} == {
        "player_game_summary",
        "team_defense_game_summary",
        "team_defense_zone_analysis",
        "player_shot_zone_analysis",
        "player_daily_cache",
        "upcoming_player_game_context",
    }
    assert len(unfillable) == 5 + 3 + 3 + 3 + 3 + 2
