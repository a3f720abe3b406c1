"""A column that never varies was never computed (incident I-73): each takes two values or more in two real seasons."""

import re

import duckdb
import pytest

from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.domain.tables import Column, Table
from schemas import TABLES
from tests.references.completeness import COMPUTED

RUN = [processor.name for processor in PROCESSORS if processor.phase in (Phase.ANALYTICS, Phase.PRECOMPUTE)]

# Why a column has one value, or none, in the two seasons: patterns of table.column.
NO_LINES, NO_REPORTS = "no points or game lines are landed", "no injury reports are landed"
UNDAMAGED = "the real seasons lack no game"
TEAMS_OWE_EVERY_GAME = "a team is never excused from a game"
EXPLAINED = {
    r"player_game_summary\.(is_active|player_status)": "only who entered the game has a row",
    r"player_game_summary\.points_line": NO_LINES,
    r"upcoming_\w+\.(game|opening)_(spread|total)(_source)?": NO_LINES,
    r"upcoming_\w+\.(spread|total|line)_movement": NO_LINES,
    r"upcoming_\w+\.(has_prop_line|(current|opening)_points_line(_source)?)": NO_LINES,
    r"upcoming_\w+\.(betting_lines_updated_at|prop_(over|under)_streak)": NO_LINES,
    r"upcoming_\w+\.source_(player_props|game_lines)_\w+": NO_LINES,
    r"upcoming_\w+\.(player_status|injury_report|(questionable|probable)_\w+)": NO_REPORTS,
    r"upcoming_\w+\.source_injury_report_\w+": NO_REPORTS,
    r"upcoming_player_game_context\.primary_source_used": "every box listing names eight players or more",
    r"upcoming_team_game_context\.(early_season_flag|insufficient_data_reason)": "a fixture has no sample",
    r"(upcoming_team_game_context|team_defense_zone_analysis)\.dnp_games_count": TEAMS_OWE_EVERY_GAME,
    r"team_defense_zone_analysis\.calculation_notes": "the play-offs are its one occasion: no shots are known of them",
    r"ml_feature_store_v2\.(feature_version|feature_names)": "one version so far",
    # Sixteen of 25 features come from phase 4 and three from phase 3; injury_risk needs a report.
    r"ml_feature_store_v2\.data_quality_tier": f"at most 94.6 of the 95 that are high: {NO_REPORTS}",
    r"ml_feature_store_v2\.data_source": "16 of 19 from phase 4 at most, and never fewer than half",
    r"\w+\.(completeness_percentage|missing_games_count|is_production_ready|processing_decision_reason)": UNDAMAGED,
    r"\w+\.(l\d+d?_(completeness_pct|is_complete)|all_windows_complete|gap_classification)": UNDAMAGED,
    r"\w+\.(missing_(nba_)?game_ids|data_quality_issues|processed_with_issues|upstream_\w+_ready)": UNDAMAGED,
    r"\w+\.source_\w+_(rows_found|completeness_pct)": UNDAMAGED,
}


@pytest.fixture(scope="session")
def connection(season_warehouse):
    with duckdb.connect(str(season_warehouse), read_only=True) as connection:
        yield connection


def business_columns(table: Table) -> list[Column]:
    return [column for column in table.columns if not column.bookkeeping]


def values_of(connection, table: Table, column: Column) -> tuple[int, int]:
    """(distinct values, rows with a value) on computed rows: held-back ones are null; an empty list is a value."""
    where = f"WHERE {COMPUTED[table.name]} IS NOT NULL" if table.name in COMPUTED else ""
    return connection.execute(
        f"SELECT count(DISTINCT {column.name}), count({column.name}) FROM {table.dataset}.{table.name} {where}"
    ).fetchone()


def explanation(name: str) -> str | None:
    return next((why for pattern, why in EXPLAINED.items() if re.fullmatch(pattern, name)), None)


@pytest.mark.parametrize("name", RUN)
def test_no_column_is_constant(connection, name):
    table = TABLES[name]
    constant = {
        column.name: found
        for column in business_columns(table)
        if not (column.unfillable or column.reserved)
        and (found := values_of(connection, table, column))[0] < 2
        and not explanation(f"{name}.{column.name}")
    }
    assert constant == {}, f"{name}: (distinct values, rows with one) of columns that never vary"


@pytest.mark.parametrize("name", RUN)
def test_what_nothing_can_fill_is_null_and_what_is_reserved_has_one_value(connection, name):
    table = TABLES[name]
    for column in business_columns(table):
        distinct, filled = values_of(connection, table, column)
        if column.unfillable:
            assert filled == 0, f"{name}.{column.name}: {column.unfillable}"
        elif column.reserved:
            assert distinct == 1, f"{name}.{column.name}: {column.reserved}"


def test_every_explanation_is_needed(connection):
    constant = [
        f"{name}.{column.name}"
        for name in RUN
        for column in business_columns(TABLES[name])
        if values_of(connection, TABLES[name], column)[0] < 2
    ]
    assert [pattern for pattern in EXPLAINED if not any(re.fullmatch(pattern, name) for name in constant)] == []
