"""The gate in Spark SQL, one local JVM with two threads: a dense table, running totals, windows as ranges or joins."""

import shutil
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.windows import Span

TOTALS = ("required", "excused", "present", *STATISTICS)
CACHED = ("days", "team_days", "totals", "judged")  # each is read more than once
_DAYS = [window for window in WINDOWS if window.span is Span.DAYS]
_GAMES = [window for window in WINDOWS if window.span is Span.GAMES]


def views() -> dict[str, str]:
    """Temporary views in the order in which they build on each other; slots count a season's game days from 0.

    A window of days is a RANGE of the calendar; one of games begins where the N-th required game before the row is.
    """
    totals = ", ".join(f"coalesce(sum({name}) OVER earlier, 0) AS {name}" for name in TOTALS)
    spans = ", ".join(
        f"coalesce(sum({name}) OVER (player ORDER BY day RANGE BETWEEN {w.length} PRECEDING AND 1 PRECEDING), 0) "
        f"AS {w.name}_{name}"
        for w in _DAYS
        for name in TOTALS
    ).replace("(player", "(PARTITION BY season, player")
    joins = "\n".join(
        f"""LEFT JOIN nth n_{w.name} ON n_{w.name}.season = t.season AND n_{w.name}.player = t.player
  AND n_{w.name}.number = t.required - {w.length - 1}"""
        for w in _GAMES
    )
    since = ", ".join(
        f"t.{name} - coalesce(n_{w.name}.{name}, 0) AS {w.name}_{name}" for w in _GAMES for name in TOTALS
    )
    counts = ", ".join(
        f"{w.name}_required AS {w.name}_expected, {w.name}_excused, {w.name}_present AS {w.name}_actual"
        for w in WINDOWS
    )
    means = ", ".join(
        f"{w.name}_{s} / nullif({w.name}_present, 0) AS {w.name}_{s}_avg" for w in WINDOWS for s in STATISTICS
    )
    return {
        "days": """SELECT season_year AS season, game_date, unix_date(game_date) AS day,
  row_number() OVER (PARTITION BY season_year ORDER BY game_date) - 1 AS slot
FROM (SELECT DISTINCT season_year, game_date FROM schedule)""",
        "team_games": """SELECT d.season, d.slot, game_id, side.team, side.score FROM schedule
JOIN days d ON d.season = season_year AND d.game_date = schedule.game_date
LATERAL VIEW inline(array(struct(home_team_tricode AS team, home_team_score AS score),
  struct(away_team_tricode AS team, away_team_score AS score))) side""",
        "whole": """SELECT t.season, t.team, t.slot, t.game_id, coalesce(p.points, 0) = t.score AS whole
FROM team_games t LEFT JOIN (SELECT game_id, team_abbr AS team, sum(points) AS points FROM box GROUP BY ALL) p
ON p.game_id = t.game_id AND p.team = t.team""",
        "team_days": """SELECT d.season, d.slot, t.team, w.game_id, w.whole,
  sum(CASE WHEN w.whole THEN 1 ELSE 0 END) OVER (PARTITION BY d.season, t.team ORDER BY d.slot) AS whole_games
FROM days d JOIN (SELECT DISTINCT season, team FROM team_games) t ON t.season = d.season
LEFT JOIN whole w ON w.season = d.season AND w.team = t.team AND w.slot = d.slot""",
        "listed": """SELECT t.season, b.player_lookup AS player, t.slot, t.team, b.played
FROM box b JOIN team_games t ON t.game_id = b.game_id AND t.team = b.team_abbr""",
        "belonging": """SELECT * FROM (
  SELECT p.season, p.player, d.slot, d.day, l.slot IS NOT NULL AS named, l.played,
    last(l.team, true) OVER w AS team, last(l.slot, true) OVER w AS listed_on
  FROM (SELECT DISTINCT season, player FROM listed) p JOIN days d ON d.season = p.season
  LEFT JOIN listed l ON l.season = p.season AND l.player = p.player AND l.slot = d.slot
  WINDOW w AS (PARTITION BY p.season, p.player ORDER BY d.slot ROWS UNBOUNDED PRECEDING)
) WHERE team IS NOT NULL""",
        "grid": f"""SELECT *, CAST(belongs AND needed AS INT) AS required,
  CAST(belongs AND NOT needed AS INT) AS excused
FROM (
  SELECT b.season, b.player, b.slot, b.day, b.listed_on, d.whole_games, d.game_id IS NOT NULL AS belongs,
    coalesce(s.game_id IS NOT NULL OR b.played OR NOT (d.whole OR b.named), FALSE) AS needed,
    CAST(s.game_id IS NOT NULL AS INT) AS present,
    {", ".join(f"coalesce(s.{name}, 0) AS {name}" for name in STATISTICS)}
  FROM belonging b JOIN team_days d ON d.season = b.season AND d.team = b.team AND d.slot = b.slot
  LEFT JOIN pgs s ON s.player_lookup = b.player AND s.game_id = d.game_id
)""",
        "totals": f"""SELECT season, player, slot, day, required > 0 AS is_required, {totals}, {spans},
  lag(whole_games) OVER (in_order) - last(CASE WHEN listed_on = slot THEN whole_games END, true) OVER earlier
    AS whole_since
FROM grid
WINDOW in_order AS (PARTITION BY season, player ORDER BY slot),
  earlier AS (PARTITION BY season, player ORDER BY slot ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)""",
        "nth": f"""SELECT season, player, required + 1 AS number, {", ".join(TOTALS)} FROM totals WHERE is_required""",
        "judged": f"""SELECT player AS {KEY[0]}, season AS {KEY[1]}, date_from_unix_date(day) AS {KEY[2]},
  {counts}, {means}
FROM (SELECT t.*, {since} FROM totals t
{joins}
WHERE t.whole_since < 10)""",
    }


def run(data: Path, out: Path) -> None:
    """Spark writes directories; the parts are brought under the names that every contestant writes."""
    out.mkdir(parents=True, exist_ok=True)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.parquet.compression.codec", "lz4")
        .config("spark.local.dir", str(out))
        .getOrCreate()
    )
    for name in ("schedule", "box", "pgs"):
        spark.read.parquet(str(data / f"{name}.parquet")).createOrReplaceTempView(name)
    for name, query in views().items():
        frame = spark.sql(query)
        (frame.cache() if name in CACHED else frame).createOrReplaceTempView(name)
    full = " AND ".join(f"1000 * {w.name}_actual >= {THRESHOLD_PER_MILLE} * {w.name}_expected" for w in WINDOWS)
    anything = " OR ".join(f"{w.name}_expected > 0" for w in WINDOWS)
    for name, columns, condition in (("ready", MEANS, full), ("held_back", (), f"NOT ({full})")):
        rows = spark.sql(
            f"SELECT {', '.join((*KEY, *COUNTS, *columns))} FROM judged WHERE ({anything}) AND {condition}"
        )
        rows.write.parquet(str(out / name))
        for number, part in enumerate(sorted((out / name).glob("*.parquet"))):
            part.rename(out / f"{name}-{number}.parquet")
        shutil.rmtree(out / name)
    spark.stop()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
