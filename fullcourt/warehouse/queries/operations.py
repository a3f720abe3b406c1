"""What ran and how large it is, which messages are held, what a clean-up deletes or deleted."""

from fullcourt.warehouse.queries.query import NOW, RANGE, Query
from schemas import TABLES

NEWEST_RUNS = Query(
    "newest_runs",
    "The newest run of each processor; one still running after four hours is stale_running, which is no success.",
    """SELECT processor_name, run_id, data_date,
  IF(status = 'running' AND started_at <= TIMESTAMP_SUB(@now, INTERVAL 4 HOUR), 'stale_running', status) AS status,
  started_at, duration_seconds, records_processed, skip_reason, failure_category
FROM nba_reference.processor_run_history
WHERE started_at <= @now
QUALIFY ROW_NUMBER() OVER (PARTITION BY processor_name ORDER BY started_at DESC, run_id DESC) = 1
ORDER BY processor_name""",
    NOW,
)

_RUNS_OF_DAYS = Query(
    "runs_of_days",
    "A processor's runs that cover a day of the range, the newest first; runs that were skipped and drills left out. "
    "A run of several days is one row: data_date is its last day, first_day its first.",
    """WITH runs AS (
  SELECT run_id, status, started_at, data_date, errors, failure_category, warnings,
    COALESCE(SAFE_CAST(JSON_VALUE(summary, '$.first_day') AS DATE), data_date) AS first_day
  FROM nba_reference.processor_run_history
  WHERE processor_name = @processor AND status <> 'skipped' AND NOT COALESCE(test_mode, FALSE)
    AND data_date >= @start
)
SELECT run_id, status, started_at, first_day, data_date, errors, failure_category, warnings
FROM runs
WHERE first_day <= @end
ORDER BY started_at DESC, run_id DESC""",
    {**RANGE, "processor": "STRING"},
)

_BACKFILL_SIZES = Query(
    "backfill_sizes",
    "Per game day, how many teams and listed players it has, and how many of both its season has.",
    """WITH games AS (
  SELECT season_year, game_date, COUNT(*) AS team_games FROM nba_raw.counted_team_games
  WHERE game_date IN UNNEST(@days) GROUP BY season_year, game_date
),
listed AS (
  SELECT game_date, COUNT(DISTINCT player_lookup) AS players FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date IN UNNEST(@days) GROUP BY game_date
),
players AS (
  SELECT season_year, COUNT(DISTINCT player_lookup) AS season_players FROM nba_raw.nbac_gamebook_player_stats
  GROUP BY season_year
),
teams AS (
  SELECT season_year, COUNT(DISTINCT team_abbr) AS season_teams FROM nba_raw.counted_team_games GROUP BY season_year
)
SELECT games.game_date, games.team_games, COALESCE(listed.players, 0) AS listed_players,
  COALESCE(players.season_players, 0) AS season_players, teams.season_teams
FROM games
JOIN teams ON teams.season_year = games.season_year
LEFT JOIN listed ON listed.game_date = games.game_date
LEFT JOIN players ON players.season_year = games.season_year
ORDER BY games.game_date""",
    {"days": "ARRAY<DATE>"},
)

_HELD_EVENTS = Query(
    "held_events",
    "Completion messages kept in for @reason, by topic and processor.",
    """SELECT topic, processor_name, COUNT(*) AS messages, MIN(game_date) AS first_day, MAX(game_date) AS last_day
FROM nba_orchestration.outbox_events
WHERE held AND held_reason = @reason
GROUP BY topic, processor_name
ORDER BY topic, processor_name""",
    {"reason": "STRING"},
)

_STALE = Query(
    "stale_upcoming",
    "Rows of the upcoming tables for game days before @cutoff: what a clean-up deletes.",
    """SELECT 'upcoming_player_game_context' AS table_name, COUNT(*) AS stale_rows, MIN(game_date) AS oldest_day
FROM nba_analytics.upcoming_player_game_context
WHERE game_date < @cutoff
UNION ALL
SELECT 'upcoming_team_game_context', COUNT(*), MIN(game_date)
FROM nba_analytics.upcoming_team_game_context
WHERE game_date < @cutoff
ORDER BY table_name""",
    {"cutoff": "DATE"},
)

_CLEANUPS = Query(
    "cleanup_history",
    "Clean-ups since @since, the newest first.",
    """SELECT cleanup_time, cleanup_type, ttl_days, tables_cleaned, total_records_deleted, missing_files_found, errors
FROM nba_orchestration.cleanup_operations
WHERE cleanup_time >= @since
ORDER BY cleanup_time DESC""",
    {"since": "TIMESTAMP"},
)


def _columns_of(dataset: str) -> str:
    """BigQuery keeps one INFORMATION_SCHEMA per dataset."""
    names = ", ".join(f"'{table.name}'" for table in TABLES.values() if table.dataset == dataset)
    return f"""SELECT table_schema AS dataset, table_name, COUNT(*) AS column_count
FROM {dataset}.INFORMATION_SCHEMA.COLUMNS
WHERE table_schema = '{dataset}' AND table_name IN ({names})
GROUP BY dataset, table_name"""


_COLUMN_COUNTS = Query(
    "column_counts",
    "How many columns each of our tables has in the warehouse.",
    "\nUNION ALL\n".join(_columns_of(dataset) for dataset in dict.fromkeys(t.dataset for t in TABLES.values()))
    + "\nORDER BY dataset, table_name",
    {},
)

QUERIES = (NEWEST_RUNS, _RUNS_OF_DAYS, _BACKFILL_SIZES, _HELD_EVENTS, _STALE, _CLEANUPS, _COLUMN_COUNTS)
