"""A report of made-up verdicts, of any size: for the browser, and for the benchmark."""

import datetime as dt

import numpy as np
import pyarrow as pa

from fullcourt.domain.processors import GATED, PROCESSORS, Entity
from fullcourt.report.gather import Facts, assemble

FIRST = dt.date(2024, 10, 22)
NOW = dt.datetime(2025, 4, 15, 12, tzinfo=dt.UTC)
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">'&amp;"
VERDICTS = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")
REASONS = (
    "processed_successfully",
    "bootstrap_mode_allowed",
    "incomplete_own_data",
    "circuit_breaker_active",
    "no_expected_games",
    "unreadable_upstream_row",
)
_CELL = pa.schema(
    [
        ("processor_name", pa.string()),
        ("entity_id", pa.string()),
        ("analysis_date", pa.date32()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("actual_games", pa.int64()),
        ("required_games", pa.int64()),
        ("excused_games", pa.int64()),
        ("completeness_percentage", pa.float64()),
        ("missing_games", pa.string()),
        ("issues", pa.string()),
    ]
)
_COVERAGE = ("expected_keys", "real_keys", "excused_keys", "synthetic_keys", "lacking_keys")


def made(players: list[str], days: int, seed: int = 0) -> Facts:
    """Every player and thirty teams on every other day; about one cell in twelve is held back."""
    random = np.random.default_rng(seed)
    calendar = [FIRST + dt.timedelta(number) for number in range(days)]
    names = {Entity.PLAYER: players, Entity.TEAM: [f"T{number:02d}" for number in range(30)]}
    cells = [_cells(processor.name, names[processor.entity], calendar, random) for processor in GATED]
    answers = {
        "game_days": pa.table({"game_date": calendar}),
        "verdict_cells": pa.concat_tables(cells),
        "coverage_parts": _coverage(calendar),
        "window_trend": _windows(calendar, random),
        "breaker_activity": _activity(calendar, random),
        "active_breakers": _breakers(players[:3]),
        "unanswered_breakers": pa.table(
            {"processor_name": ["player_daily_cache"], "active": [3], "beyond_target": [3], "oldest_hours": [25.0]}
        ),
    }
    return assemble("made.duckdb", calendar[0], calendar[-1], NOW, answers, _repair(players[0]))


def _cells(processor: str, entities: list[str], calendar: list[dt.date], random: np.random.Generator) -> pa.Table:
    entity, day = np.nonzero(random.random((len(entities), len(calendar))) < 0.5)
    verdict = random.choice(len(VERDICTS), len(entity), p=(0.8, 0.08, 0.06, 0.02, 0.03, 0.01))
    required = random.integers(1, 11, len(entity))
    lost = np.where(verdict >= 2, np.minimum(required, random.integers(1, 3, len(entity))), 0)
    games = np.array(["", *(f"202411{number:02d}_AAA_BBB" for number in range(1, 29))])
    missing = games[np.where(lost > 0, random.integers(1, len(games), len(entity)), 0)]
    there = (verdict < 4).astype(bool)
    return pa.table(
        [
            [processor] * len(entity),
            pa.array(entities).take(pa.array(entity)),
            pa.array(calendar).take(pa.array(day)),
            pa.array(VERDICTS).take(pa.array(verdict)),
            pa.array(REASONS).take(pa.array(verdict)),
            required - lost,
            required,
            np.zeros(len(entity), dtype=np.int64),
            pa.array(np.round(100 * (required - lost) / required, 1), mask=~there),
            missing,
            np.where(verdict == 2, "own_data_incomplete", ""),
        ],
        schema=_CELL,
    )


def _coverage(calendar: list[dt.date]) -> pa.Table:
    rows = [
        {
            "analysis_date": day,
            "processor_name": processor.name,
            "status": "COMPLETE",
            **dict(zip(_COVERAGE, (100, 80, 9, 5, 6), strict=True)),
            "coverage_pct": 94.0,
        }
        for day in calendar
        for processor in PROCESSORS
    ]
    return pa.Table.from_pylist(rows)


def _windows(calendar: list[dt.date], random: np.random.Generator) -> pa.Table:
    rows = [
        {"analysis_date": day, "processor_name": processor.name, "window_name": window.name}
        for processor in GATED
        for window in processor.windows
        for day in calendar
    ]
    table = pa.Table.from_pylist(rows)
    return table.append_column("mean_completeness_pct", pa.array(np.round(random.uniform(85, 100, len(rows)), 1)))


def _activity(calendar: list[dt.date], random: np.random.Generator) -> pa.Table:
    rows = [
        {"analysis_date": day, "processor_name": processor.name, "attempts": attempts, "trips": attempts // 3}
        for day in calendar
        for processor, attempts in zip(GATED, random.integers(1, 40, len(GATED)).tolist(), strict=True)
    ]
    return pa.Table.from_pylist([{**row, "entities": row["attempts"]} for row in rows])


def _breakers(players: list[str]) -> pa.Table:
    rows = [
        {
            "processor_name": "player_daily_cache",
            "entity_id": player,
            "analysis_date": FIRST,
            "attempt_number": 3,
            "completeness_pct": 70.0,
            "skip_reason": "incomplete_upstream_data_multi_window",
            "circuit_breaker_until": NOW + dt.timedelta(5),
        }
        for player in players
    ]
    return pa.Table.from_pylist(rows)


def _repair(name: str) -> dict:
    cell = {
        "rank": 1,
        "game_id": "20241101_AAA_BBB",
        "teams": name,
        "table": "nbac_gamebook_player_stats",
        "alone": 40,
        "gain": 40,
        "cumulative": 40,
        "cumulative_pct": 33.3,
        "reload": "player_boxscores of 0022400001",
        "command": "fullcourt ingest landing/",
    }
    return {"held_back": 120, "cells": [cell], "commands": [cell["command"]]}
