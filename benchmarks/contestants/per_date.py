"""The query style of the system that Full Court replaces: date by date, a query a window, then a loop over the players.

    python -m benchmarks.contestants.per_date DATA OUT [--dates N]

--dates computes so many dates, spread over all; OUT/sample.json says how many of how many, and what loading took.
The rules are those of the other contestants, so that the cells are the same: only the style is not.
"""

import argparse
import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.windows import Span, Window

Counts = tuple[dt.date, int, int, int]  # first day in the window, expected, excused, actual
UNLISTED_GAMES = 10
_GOLDEN_RATIO = 0.6180339887498949  # its multiples, modulo one, keep apart from each other and from any period

# What is known before a date: each player's games, which of them are required, which present.
_KNOWN = """
WITH team_games AS (
  SELECT game_id, game_date, home_team_tricode AS team, home_team_score AS score FROM schedule
  WHERE season_year = $season AND game_date < $day
  UNION ALL SELECT game_id, game_date, away_team_tricode, away_team_score FROM schedule
  WHERE season_year = $season AND game_date < $day),
whole AS (
  SELECT t.game_id, t.game_date, t.team, coalesce(sum(b.points), 0) = any_value(t.score) AS is_whole
  FROM team_games t LEFT JOIN (FROM box WHERE season_year = $season) b ON b.game_id = t.game_id AND b.team_abbr = t.team
  GROUP BY ALL),
listed AS (
  SELECT b.player_lookup AS player, t.team, t.game_date, b.played
  FROM box b JOIN team_games t ON t.game_id = b.game_id AND t.team = b.team_abbr WHERE b.season_year = $season)"""
_CANDIDATES = f"""{_KNOWN},
stints AS (
  SELECT player, team, game_date AS begins,
    lead(game_date, 1, DATE '9999-01-01') OVER (PARTITION BY player ORDER BY game_date) AS ends
  FROM (SELECT *, lag(team) OVER (PARTITION BY player ORDER BY game_date) AS before FROM listed)
  WHERE before IS DISTINCT FROM team),
games AS (
  SELECT s.player, w.game_date, p.game_id IS NOT NULL AS present, {", ".join(f"p.{name}" for name in STATISTICS)},
    p.game_id IS NOT NULL OR coalesce(l.played, FALSE) OR NOT (w.is_whole OR l.player IS NOT NULL) AS required
  FROM stints s JOIN whole w ON w.team = s.team AND w.game_date >= s.begins AND w.game_date < s.ends
  LEFT JOIN listed l ON l.player = s.player AND l.game_date = w.game_date
  LEFT JOIN (FROM pgs WHERE season_year = $season) p ON p.player_lookup = s.player AND p.game_id = w.game_id)"""
_ENTITIES = f"""{_KNOWN},
last AS (SELECT player, max(game_date) AS day, arg_max(team, game_date) AS team FROM listed GROUP BY player)
SELECT l.player FROM last l LEFT JOIN whole w ON w.team = l.team AND w.game_date > l.day AND w.is_whole
GROUP BY l.player HAVING count(w.game_id) < {UNLISTED_GAMES}"""
_HISTORY = f"{_CANDIDATES} SELECT player, game_date, {', '.join(STATISTICS)} FROM games WHERE present"


def run(data: Path, out: Path, dates: int | None = None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for table in ("schedule", "box", "pgs"):
        connection.execute(f"CREATE TABLE {table} AS FROM '{data}/{table}.parquet'")
    every = connection.execute("SELECT DISTINCT season_year, game_date FROM schedule ORDER BY ALL").fetchall()
    loading = time.perf_counter() - began
    chosen = sampled(len(every), dates)
    for place in chosen:
        season, day = every[place]
        _write(_rows(connection, season, day), out, day)
    (out / "sample.json").write_text(json.dumps({"dates": len(chosen), "of": len(every), "loading_seconds": loading}))


def sampled(of: int, number: int | None) -> list[int]:
    """So many places of `of`; all without a number.

    Not evenly spread, as a season has its days: of a round number of dates each would be the first of its season.
    """
    if number is None or number >= of:
        return list(range(of))
    return [int((place + 0.5) * _GOLDEN_RATIO % 1 * of) for place in range(number)]


def _rows(connection: duckdb.DuckDBPyConnection, season: int, day: dt.date) -> list[dict[str, Any]]:
    asked = {"season": season, "day": day}
    players = [player for (player,) in connection.execute(_ENTITIES, asked).fetchall()]
    history: dict[str, list[tuple[Any, ...]]] = {}
    for player, *game in connection.execute(_HISTORY, asked).fetchall():
        history.setdefault(player, []).append(tuple(game))
    counted = {window: _counted(connection, window, asked) for window in WINDOWS}
    rows = []
    for player in players:
        counts = {window: found.get(player, (day, 0, 0, 0)) for window, found in counted.items()}
        if any(expected for _, expected, _, _ in counts.values()):
            row = dict(zip(KEY, (player, season, day), strict=True))
            rows.append(row | _figures(counts, history.get(player, [])))
    return rows


def _counted(connection: duckdb.DuckDBPyConnection, window: Window, asked: dict[str, Any]) -> dict[str, Counts]:
    """One query: the window's counts of all players."""
    inside = f"game_date >= $day - {window.length}"
    if window.span is Span.GAMES:
        inside = f"newer < {window.length}"
    query = f"""{_CANDIDATES},
placed AS (
  SELECT *, coalesce(sum(required::INT) OVER (PARTITION BY player ORDER BY game_date DESC
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS newer FROM games)
SELECT player, min(game_date), count(*) FILTER (required), count(*) FILTER (NOT required), count(*) FILTER (present)
FROM placed WHERE {inside} GROUP BY player"""
    return {player: counts for player, *counts in connection.execute(query, asked).fetchall()}  # type: ignore[misc]


def _figures(counts: dict[Window, Counts], games: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Counts, and where every window is full the means of its games."""
    row: dict[str, Any] = {}
    for window, (_, expected, excused, actual) in counts.items():
        row |= {f"{window.name}_expected": expected, f"{window.name}_excused": excused, f"{window.name}_actual": actual}
    row["ready"] = all(1000 * actual >= THRESHOLD_PER_MILLE * expected for _, expected, _, actual in counts.values())
    if row["ready"]:
        for window, (opening, *_) in counts.items():
            inside = [game for game in games if game[0] >= opening]
            for place, name in enumerate(STATISTICS, start=1):
                values = [game[place] for game in inside]
                row[f"{window.name}_{name}_avg"] = sum(values) / len(values) if values else None
    return row


def _write(rows: list[dict[str, Any]], out: Path, day: dt.date) -> None:
    for name, columns in (("ready", (*KEY, *COUNTS, *MEANS)), ("held_back", (*KEY, *COUNTS))):
        chosen = [row for row in rows if row["ready"] == (name == "ready")]
        if chosen:
            table = pa.table({column: [row[column] for row in chosen] for column in columns})
            pq.write_table(table, out / f"{name}-{day}.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dates", type=int)
    asked = parser.parse_args()
    run(asked.data, asked.out, asked.dates)


if __name__ == "__main__":
    main()
