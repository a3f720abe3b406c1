"""The same gate as one set-based DuckDB program: the best of several rewrites.

A window is an interval of a player's candidate games, so every window is two ordinals, and every count and sum the
difference of two rows of one table of running totals.
"""

import sys
from pathlib import Path

import duckdb

from benchmarks.spec import STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.windows import Span

_TOTALS = ", ".join(f"coalesce({s}, 0)::INT AS {s}" for s in STATISTICS)
_RUNNING = ", ".join(f"sum({s}) OVER w::INT AS c_{s}" for s in STATISTICS)
_GAMES = [window for window in WINDOWS if window.span is Span.GAMES]
_DAYS = [window for window in WINDOWS if window.span is Span.DAYS]


def setup(data: Path) -> str:
    """Calendar, teams, whole games, stints and every player's candidate games with running totals."""
    return f"""
CREATE TABLE games AS SELECT season_year AS season, game_id, game_date AS d, home_team_tricode AS home,
  away_team_tricode AS away, home_team_score AS home_score, away_team_score AS away_score
FROM '{data}/schedule.parquet';
CREATE TABLE days AS SELECT season, d, row_number() OVER (PARTITION BY season ORDER BY d)::INT AS x
FROM (SELECT DISTINCT season, d FROM games);
CREATE TABLE team_games AS
SELECT season, x, game_id, home AS team, home_score AS score FROM games JOIN days USING (season, d)
UNION ALL SELECT season, x, game_id, away, away_score FROM games JOIN days USING (season, d);
CREATE TABLE box AS SELECT game_id, team_abbr AS team, player_lookup AS player, season_year AS season, played, points
FROM '{data}/box.parquet';
CREATE TABLE pgs AS SELECT game_id, player_lookup AS player, season_year AS season, {_TOTALS} FROM '{data}/pgs.parquet';
CREATE TABLE players AS SELECT season, player, row_number() OVER ()::INT AS pid
FROM (SELECT DISTINCT season, player FROM box);
CREATE TABLE whole AS SELECT tg.season, tg.team, tg.x, tg.game_id,
  sum(coalesce(box.points, 0)) = any_value(tg.score) AS is_whole
FROM team_games tg LEFT JOIN box ON box.game_id = tg.game_id AND box.team = tg.team GROUP BY ALL;
CREATE TABLE whole_before AS SELECT season, team, d.x,
  coalesce(sum(w.is_whole::INT) OVER (PARTITION BY season, team ORDER BY d.x
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::INT AS n
FROM (SELECT DISTINCT season, team FROM team_games) JOIN (
  SELECT season, x FROM days UNION ALL SELECT season, max(x) + 1 FROM days GROUP BY season) d USING (season)
LEFT JOIN whole w USING (season, team, x);
CREATE TABLE listed AS SELECT pid, season, tg.team, tg.x, bool_or(box.played) AS played
FROM box JOIN players USING (season, player) JOIN team_games tg ON tg.game_id = box.game_id AND tg.team = box.team
GROUP BY ALL;
CREATE TABLE stints AS
SELECT pid, season, team, x AS first_x, lead(x, 1, 1000) OVER (PARTITION BY pid ORDER BY x) AS end_x
FROM (SELECT *, lag(team) OVER (PARTITION BY pid ORDER BY x) AS before FROM listed)
WHERE before IS DISTINCT FROM team;
CREATE TABLE candidates AS
SELECT s.pid, w.x, w.season, pgs.game_id IS NOT NULL AS present, l.pid IS NOT NULL AS named,
  coalesce(l.played, FALSE) AS in_box, w.is_whole, {", ".join(f"coalesce(pgs.{s}, 0) AS {s}" for s in STATISTICS)}
FROM stints s JOIN whole w ON w.season = s.season AND w.team = s.team AND w.x >= s.first_x AND w.x < s.end_x
JOIN players p ON p.pid = s.pid
LEFT JOIN listed l ON l.pid = s.pid AND l.x = w.x
LEFT JOIN pgs ON pgs.player = p.player AND pgs.game_id = w.game_id;
CREATE TABLE running AS
SELECT pid, x, required, row_number() OVER w::INT AS n, sum(required::INT) OVER w::INT AS c_required,
  sum((NOT required)::INT) OVER w::INT AS c_excused, sum(present::INT) OVER w::INT AS c_present, {_RUNNING}
FROM (SELECT *, present OR in_box OR NOT (is_whole OR named) AS required FROM candidates)
WINDOW w AS (PARTITION BY pid ORDER BY x);
CREATE TABLE totals AS SELECT pid * 256 + n AS k, * EXCLUDE (x, required) FROM running
UNION ALL SELECT pid * 256, pid, 0, 0, 0, 0, {", ".join("0" for _ in STATISTICS)} FROM players;
CREATE TABLE nth AS SELECT pid * 256 + c_required AS k, n FROM running WHERE required;
"""


def program(data: Path, out: Path) -> list[str]:
    """The statements in order; the last two write the results."""
    spans = ", ".join(f"(count(*) FILTER (b.d >= a.d - {w.length}))::INT AS back_{w.name}" for w in _DAYS)
    nth = "\n".join(
        f"LEFT JOIN nth nth_{w.name} ON nth_{w.name}.k = z.pid * 256 + t.c_required - {w.length - 1} "
        f"AND t.c_required >= {w.length}"
        for w in _GAMES
    )
    lows = ", ".join(
        [
            *(f"coalesce(nth_{w.name}.n - 1, 0)::INT AS low_{w.name}" for w in _GAMES),
            *(f"z.low_{w.name}" for w in _DAYS),
        ]
    )
    counts = ", ".join(
        f"h.c_required - l_{w.name}.c_required AS {w.name}_expected, h.c_excused - l_{w.name}.c_excused AS "
        f"{w.name}_excused, h.c_present - l_{w.name}.c_present AS {w.name}_actual"
        for w in WINDOWS
    )
    low_joins = "\n".join(f"JOIN totals l_{w.name} ON l_{w.name}.k = b.pid * 256 + b.low_{w.name}" for w in WINDOWS)
    means = ", ".join(
        f"(h.c_{s} - l_{w.name}.c_{s}) / nullif({w.name}_actual, 0)::DOUBLE AS {w.name}_{s}_avg"
        for w in WINDOWS
        for s in STATISTICS
    )
    enough = " AND ".join(f"1000 * {w.name}_actual >= {THRESHOLD_PER_MILLE} * {w.name}_expected" for w in WINDOWS)
    anything = " OR ".join(f"{w.name}_expected > 0" for w in WINDOWS)
    keys = "p.player AS player_lookup, p.season AS season_year, b.d AS analysis_date"
    names = ", ".join(f"{w.name}_{what}" for w in WINDOWS for what in ("expected", "excused", "actual"))
    return [
        setup(data),
        f"""CREATE TABLE spans AS SELECT a.season, a.x, any_value(a.d) AS d, {spans}
FROM days a LEFT JOIN days b ON b.season = a.season AND b.x < a.x AND b.d >= a.d - 30 GROUP BY a.season, a.x""",
        """CREATE TABLE dense AS
SELECT pid, season, team, last_x, unnest(range(last_x + 1, until + 1))::INT AS x
FROM (SELECT pid, season, team, x AS last_x,
    lead(x, 1, nd) OVER (PARTITION BY pid ORDER BY x) AS until
  FROM listed JOIN (SELECT season, max(x) AS nd FROM days GROUP BY season) USING (season))""",
        """CREATE TABLE placed AS SELECT dense.*, r.n
FROM dense ASOF JOIN (SELECT pid, x, n FROM running) r ON dense.pid = r.pid AND dense.x > r.x""",
        f"""CREATE TABLE windowed AS SELECT pid, p.season, p.team, last_x, p.x, s.d, n,
  {", ".join(f"lag(n, s.back_{w.name}, 0) OVER w AS low_{w.name}" for w in _DAYS)}
FROM placed p JOIN spans s ON s.season = p.season AND s.x = p.x WINDOW w AS (PARTITION BY pid ORDER BY p.x)""",
        f"""CREATE TABLE bounded AS SELECT z.pid, z.d, z.n, {lows}
FROM windowed z JOIN totals t ON t.k = z.pid * 256 + z.n
JOIN whole_before wb ON wb.season = z.season AND wb.team = z.team AND wb.x = z.x
JOIN whole_before wl ON wl.season = z.season AND wl.team = z.team AND wl.x = z.last_x + 1
{nth}
WHERE wb.n - wl.n < 10""",
        f"""CREATE TABLE counted AS SELECT b.*, {counts}
FROM bounded b JOIN totals h ON h.k = b.pid * 256 + b.n
{low_joins}""",
        f"""CREATE TABLE judged AS SELECT *, {enough} AS ready FROM counted WHERE {anything}""",
        f"""COPY (SELECT {keys}, {names}, {means} FROM judged b JOIN players p USING (pid)
JOIN totals h ON h.k = b.pid * 256 + b.n
{low_joins} WHERE ready) TO '{out}/ready.parquet'""",
        f"""COPY (SELECT {keys}, {names} FROM judged b JOIN players p USING (pid) WHERE NOT ready)
TO '{out}/held_back.parquet'""",
    ]


def run(data: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET preserve_insertion_order = false")
    for statement in program(data, out):
        connection.execute(statement)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
