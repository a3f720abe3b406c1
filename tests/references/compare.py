"""Rows of a table against what the references expect: every business column, cell by cell, in both directions."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from fullcourt.domain.tables import Column, Table
from schemas import TABLES
from tests.references.completeness import SomeText, Verdict
from tests.references.composite_factors import composite_factors
from tests.references.daily_cache import daily_caches
from tests.references.feature_store import feature_rows
from tests.references.league import MLFS, PCF, PDC, UPGC, UTGC, League, Row
from tests.references.player_context import player_contexts
from tests.references.team_context import Miles, team_contexts

Key = tuple[str, ...]
Difference = tuple[Key, str, Any, Any]
REFERENCES: Mapping[str, Callable[[League, dt.date], dict[Key, tuple[Verdict, Row]]]] = {
    UTGC: team_contexts,
    UPGC: player_contexts,
    PDC: daily_caches,
    PCF: composite_factors,
    MLFS: feature_rows,
}
KEYS = {
    UTGC: ("team_abbr", "game_id"),
    UPGC: ("player_lookup", "game_id"),
    PDC: ("player_lookup",),
    PCF: ("player_lookup",),
    MLFS: ("player_lookup", "feature_version"),
}
# What a held-back row still says: who, when, against whom.
IDENTITY = (
    "player_lookup",
    "universal_player_id",
    "team_abbr",
    "game_id",
    "nba_game_id",
    "game_date",
    "cache_date",
    "analysis_date",
    "season_year",
    "feature_version",
    "opponent_team_abbr",
    "home_game",
    "is_home",
)
EMPTY_ARRAYS = ("features", "feature_names", "feature_sources")
# Lineage that no document predicts: how many rows of a team's or a market's history were looked at.
UNPREDICTED = re.compile(r"source_(team_offense|team_defense|player_props|game_lines|injury_report)_\w+")


def differences(league: League, name: str, day: dt.date) -> tuple[int, list[Difference]]:
    """Cells compared, and (key, column, expected, found) of those that differ, rows missing on either side too."""
    table = TABLES[name]
    expected = REFERENCES[name](league, day)
    found = {tuple(row[key] for key in KEYS[name]): row for row in league.published(name, day)}
    assert len(found) == len(league.published(name, day)), f"{name} on {day}: keys are not unique"
    wrong: list[Difference] = []
    cells = 0
    for key in sorted({*expected, *found}):
        verdict, row = expected.get(key, (None, {}))
        if verdict is None or verdict.excluded:
            if key in found:
                wrong.append((key, "the row", f"none ({verdict.excluded if verdict else 'not of this day'})", "stored"))
            continue
        if key not in found:
            wrong.append((key, "the row", verdict.columns["processing_decision_reason"], "not stored"))
            continue
        told, differing = row_differences(table, verdict, row, found[key])
        cells += told
        wrong += [(key, column, *values) for column, *values in differing]
    wrong += _excluded_differences(league, name, day, expected)
    return cells, wrong


def _excluded_differences(league: League, name: str, day: dt.date, expected: Mapping[Key, tuple[Verdict, Row]]) -> Any:
    """Who is excluded is recorded, with the reason; nobody else is."""
    excluded = {key[0]: verdict.excluded for key, (verdict, _) in expected.items() if verdict.excluded}
    recorded = {
        row["entity_id"]: row["failure_reason"]
        for row in league.rows(
            "SELECT entity_id, failure_reason FROM warehouse.nba_processing.precompute_failures "
            "WHERE processor_name = ? AND analysis_date = ? AND failure_category = 'EXPECTED_INCOMPLETE'",
            name,
            day,
        )
    }
    return [
        ((entity,), "recorded as excluded", excluded.get(entity), recorded.get(entity))
        for entity in sorted({*excluded, *recorded})
        if excluded.get(entity) != recorded.get(entity)
    ]


def row_differences(table: Table, verdict: Verdict, row: Row, found: Row) -> tuple[int, list[tuple[str, Any, Any]]]:
    expected = {**row, **verdict.columns}
    wrong = []
    cells = 0
    for column in table.columns:
        if column.bookkeeping:
            continue
        if column.unfillable:
            value = None
        elif column.name in expected:
            value = expected[column.name]
        elif UNPREDICTED.fullmatch(column.name):
            problem = _lineage_problem(column.name, found)
            if problem:
                wrong.append((column.name, problem, found[column.name]))
            continue
        elif column.reserved:
            value = SomeText()
        else:
            raise AssertionError(f"{table.name}.{column.name}: the reference does not say what it expects")
        if not verdict.computed and column.name in row and not column.name.startswith("source_"):
            if column.name in EMPTY_ARRAYS:
                value = []
            elif column.name not in IDENTITY:
                value = None
        elif not verdict.computed and column.reserved:
            value = None
        cells += 1
        if (problem := _problem(column, value, found)) is not None:
            wrong.append((column.name, problem, found[column.name]))
    return cells, wrong


def _lineage_problem(name: str, found: Row) -> str | None:
    """A hash is null exactly when no row was found."""
    upstream = name.rsplit("_hash", 1)[0]
    if not name.endswith("_hash") or (found[name] is None) == (not found[f"{upstream}_rows_found"]):
        return None
    return f"null exactly when rows_found ({found[f'{upstream}_rows_found']}) is 0"


def _problem(column: Column, expected: Any, row: Row) -> Any:
    """What should have been there; None if it is."""
    found = row[column.name]
    if callable(expected):
        return expected(found, row)
    if isinstance(expected, SomeText):
        return "any text" if found is None else None
    if isinstance(expected, list):
        return _list_problem(column, expected, found)
    if isinstance(expected, Miles):
        return None if found is not None and abs(found - expected) <= 1 else int(expected)
    if isinstance(expected, Fraction | float) and found is not None:
        return None if abs(float(found) - float(expected)) <= half_a_unit(column) else round(float(expected), 4)
    if expected is None or found is None or isinstance(expected, bool):
        return None if expected is found else _shown(expected)
    return None if expected == found else expected


def _shown(value: Any) -> Any:
    return "null" if value is None else value


def _list_problem(column: Column, expected: list[Any], found: Any) -> Any:
    if found is None or len(found) != len(expected):
        return expected
    if column.name == "data_quality_issues":  # in any order
        return None if sorted(found) == sorted(expected) else expected
    for place, (wanted, value) in enumerate(zip(expected, found, strict=True)):
        if isinstance(wanted, str):
            if wanted != value:
                return f"[{place}] {wanted}, not {value}"
        elif abs(float(wanted) - value) > FEATURE_TOLERANCE[place]:
            return f"[{place}] {round(float(wanted), 4)}, not {value}"
    return None


# A feature that is computed here from games may be stored as the column it stands for, which is rounded.
FEATURE_TOLERANCE = [1e-6] * 25
FEATURE_TOLERANCE[2], FEATURE_TOLERANCE[3] = 0.05 + 1e-6, 0.005 + 1e-6


def half_a_unit(column: Column) -> float:
    """Of the last place that the column stores; percentages of completeness are kept to one decimal."""
    numeric = re.fullmatch(r"NUMERIC\(\d+,(\d+)\)", column.type)
    places = int(numeric[1]) if numeric else 1
    return 0.5 * 10**-places + 1e-6


def report(name: str, day: dt.date, wrong: list[Difference], shown: int = 8) -> str:
    lines = [
        f"  {'/'.join(key)}  {column}: expected {expected}, found {str(found)[:200]}"
        for key, column, expected, found in wrong[:shown]
    ]
    return f"{name} on {day}: {len(wrong)} differences, such as\n" + "\n".join(lines)


def assert_as_expected(league: League, name: str, day: dt.date) -> int:
    """Fails with examples unless the table's rows of the day are those expected; returns the cells compared."""
    cells, wrong = differences(league, name, day)
    assert not wrong, report(name, day, wrong)
    return cells
