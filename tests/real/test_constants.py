"""A column that never varies was never computed (incident I-73): each takes two values or more in two real seasons."""

import re

import duckdb
import pytest

from fullcourt.domain.processors import PROCESSORS
from fullcourt.domain.tables import Column, Table
from schemas import TABLES

# Held-back rows are null in their figures: of a table that may hold some, only the others count.
COMPUTED = {
    "upcoming_team_game_context": "game_number_in_season",
    "upcoming_player_game_context": "games_in_last_7_days",
    "team_defense_zone_analysis": "games_in_sample",
    "player_shot_zone_analysis": "games_in_sample_10",
    "player_daily_cache": "games_played_season",
    "player_composite_factors": "fatigue_score",
    "ml_feature_store_v2": "feature_count",
}
# Why a column has one value, or none, in the two seasons: a pattern of names, and of what it may hold.
EXPLAINED: dict[str, str] = {}


@pytest.fixture(scope="session")
def connection(season_warehouse):
    with duckdb.connect(str(season_warehouse), read_only=True) as connection:
        yield connection


def business_columns(table: Table) -> list[Column]:
    return [column for column in table.columns if not column.bookkeeping]


def values_of(connection, table: Table, column: Column) -> tuple[int, int]:
    """(distinct values, rows with a value) on computed rows; an empty list is a value."""
    where = f"WHERE {COMPUTED[table.name]} IS NOT NULL" if table.name in COMPUTED else ""
    return connection.execute(
        f"SELECT count(DISTINCT {column.name}), count({column.name}) FROM {table.dataset}.{table.name} {where}"
    ).fetchone()


def explanation(name: str) -> str | None:
    return next((why for pattern, why in EXPLAINED.items() if re.fullmatch(pattern, name)), None)


@pytest.mark.parametrize("name", [processor.name for processor in PROCESSORS])
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


@pytest.mark.parametrize("name", [processor.name for processor in PROCESSORS])
def test_what_nothing_can_fill_is_null_and_what_is_reserved_has_one_value(connection, name):
    table = TABLES[name]
    for column in business_columns(table):
        distinct, filled = values_of(connection, table, column)
        if column.unfillable:
            assert filled == 0, f"{name}.{column.name}: {column.unfillable}"
        elif column.reserved:
            assert distinct == 1, f"{name}.{column.name}: {column.reserved}"


@pytest.mark.parametrize("name", [processor.name for processor in PROCESSORS])
def test_explained_columns_are_as_explained(connection, name):
    """Once a source fills them, or damage is seen in them, they leave the list."""
    table = TABLES[name]
    varying = [
        column.name
        for column in business_columns(table)
        if explanation(f"{name}.{column.name}") and values_of(connection, table, column)[0] > 1
    ]
    assert varying == []
