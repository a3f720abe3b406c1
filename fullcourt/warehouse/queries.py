"""The questions that monitoring and operators ask, in BigQuery's dialect, each once.

Dashboards, alerts and commands all read these.  No query knows the time: `@now`, `@date` and ranges (both
ends included) are parameters.  Percentages are 0-100.  A computed row is one that is no stub.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fullcourt.domain.alerts import (
    JUDGED_DAYS,
    READY_EXCELLENT,
    READY_GOOD,
    READY_WARNING,
    RESPONSE_LIMIT_HOURS,
    RESPONSE_TARGET_HOURS,
)
from fullcourt.domain.processors import GATED, PROCESSORS, Entity, Phase, Processor
from fullcourt.domain.records import EXPLAINED, INCOMPLETE_COVERAGE
from fullcourt.warehouse import alerts, fallback, verification
from fullcourt.warehouse.views import VIEWS
from schemas import TABLES

_DAY = {"date": "DATE"}
_RANGE = {"start": "DATE", "end": "DATE"}
_NOW = {"now": "TIMESTAMP"}

_IN_RANGE = "analysis_date BETWEEN @start AND @end"


@dataclass(frozen=True)
class Query:
    """parameters: name -> BigQuery type; all must be bound."""

    name: str
    doc: str
    sql: str
    parameters: Mapping[str, str]


def _share(condition: str) -> str:
    """Percentage of the group's rows that meet a condition, to one decimal."""
    return f"ROUND(100 * COUNTIF({condition}) / COUNT(*), 1)"


def _processors(processors: tuple[Processor, ...]) -> str:
    """A named subquery with one row per processor, so that one without any rows still shows."""
    names = ", ".join(f"'{processor.name}'" for processor in processors)
    return f"processors AS (\n  SELECT processor_name FROM UNNEST([{names}]) AS processor_name\n)"


_GATED_PLAYERS = tuple(processor for processor in GATED if processor.entity is Entity.PLAYER)

_HEALTH = Query(
    "completeness_health",
    f"How complete each processor's rows of one day are, with a band: EXCELLENT from {READY_EXCELLENT} % ready, GOOD "
    f"from {READY_GOOD}, WARNING from {READY_WARNING}, else CRITICAL; NO_DATA for a processor without rows.",
    f"""WITH {_processors(GATED)},
health AS (
  SELECT processor_name, COUNT(*) AS total_rows, COUNTIF(is_production_ready) AS ready_rows,
    ROUND(AVG(completeness_percentage), 1) AS mean_completeness_pct,
    100 * COUNTIF(is_production_ready) / COUNT(*) AS ready_pct
  FROM nba_orchestration.entity_verdicts
  WHERE analysis_date = @date
  GROUP BY processor_name
)
SELECT processor_name, COALESCE(total_rows, 0) AS total_rows, COALESCE(ready_rows, 0) AS ready_rows,
  mean_completeness_pct, ROUND(ready_pct, 1) AS ready_pct,
  CASE
    WHEN ready_pct IS NULL THEN 'NO_DATA'
    WHEN ready_pct >= {READY_EXCELLENT} THEN 'EXCELLENT'
    WHEN ready_pct >= {READY_GOOD} THEN 'GOOD'
    WHEN ready_pct >= {READY_WARNING} THEN 'WARNING'
    ELSE 'CRITICAL'
  END AS status
FROM processors
LEFT JOIN health USING (processor_name)
ORDER BY processor_name""",
    _DAY,
)

_ACTIVE_BREAKERS = Query(
    "active_breakers",
    "Breakers open at @now, the longest first.",
    """SELECT processor_name, entity_id, analysis_date, attempt_number, completeness_pct, skip_reason,
  circuit_breaker_until, ROUND(TIMESTAMP_DIFF(circuit_breaker_until, @now, SECOND) / 86400, 1) AS days_remaining, notes
FROM nba_orchestration.breaker_state
WHERE open_until > @now
ORDER BY circuit_breaker_until DESC, processor_name, entity_id, analysis_date""",
    _NOW,
)

_BREAKER_STATUS = Query(
    "breaker_status",
    "Breakers of some processors and game days, of one entity or (an empty @entity) of all, and their state at @now; "
    "the open ones first.",
    """SELECT processor_name, entity_id, analysis_date, attempt_number, attempted_at, completeness_pct, skip_reason,
  CASE WHEN open_until > @now THEN 'open' WHEN circuit_breaker_tripped THEN 'half_open' ELSE 'closed' END AS state,
  circuit_breaker_until, ROUND(TIMESTAMP_DIFF(open_until, @now, SECOND) / 86400, 1) AS days_remaining, overridden,
  action, acted_at, acted_by, reason
FROM nba_orchestration.breaker_state
WHERE processor_name IN UNNEST(@processors) AND (@entity = '' OR entity_id = @entity)
  AND analysis_date BETWEEN @start AND @end
ORDER BY COALESCE(open_until > @now, FALSE) DESC, circuit_breaker_tripped DESC, circuit_breaker_until DESC,
  last_fact_at DESC, processor_name, entity_id, analysis_date""",
    {**_RANGE, **_NOW, "processors": "ARRAY<STRING>", "entity": "STRING"},
)

_ACTIVE_POLICIES = Query(
    "active_policies",
    "Processors whose gate is not as the code has it at @now: by the newest change of each, unless that has lapsed.",
    """WITH newest AS (
  SELECT processor_name, threshold_per_mille, set_at, set_by, reason, valid_until
  FROM nba_orchestration.processor_policies
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY processor_name ORDER BY set_at DESC, policy_id) = 1
)
SELECT processor_name, threshold_per_mille, set_at, set_by, reason, valid_until
FROM newest
WHERE threshold_per_mille IS NOT NULL AND COALESCE(valid_until > @now, TRUE)
ORDER BY processor_name""",
    _NOW,
)

_POLICY_CHANGES = Query(
    "policy_changes",
    "Every change of the processors' gates, the newest first.",
    """SELECT processor_name, threshold_per_mille, set_at, set_by, reason, valid_until
FROM nba_orchestration.processor_policies
WHERE processor_name IN UNNEST(@processors)
ORDER BY set_at DESC, processor_name""",
    {"processors": "ARRAY<STRING>"},
)

_BREAKER_SUMMARY = Query(
    "breaker_summary",
    "Attempts, trips and breakers of each processor; open ones as of @now.",
    """WITH attempts AS (
  SELECT processor_name, COUNT(*) AS total_attempts, COUNT(DISTINCT entity_id) AS entities,
    COUNTIF(circuit_breaker_tripped) AS trips
  FROM nba_orchestration.reprocess_attempts
  GROUP BY processor_name
),
states AS (
  SELECT processor_name, COUNTIF(overridden) AS overridden,
    COUNTIF(open_until > @now) AS active
  FROM nba_orchestration.breaker_state
  GROUP BY processor_name
)
SELECT processor_name, total_attempts, entities, trips, COALESCE(active, 0) AS active,
  COALESCE(overridden, 0) AS overridden
FROM attempts
LEFT JOIN states USING (processor_name)
ORDER BY processor_name""",
    _NOW,
)

_UNANSWERED_BREAKERS = Query(
    "unanswered_breakers",
    "Breakers open at @now that nobody acted on: how many, how many of them for longer than the target and the limit, "
    "and the hours the oldest is open, per processor.",
    f"""SELECT processor_name, COUNT(*) AS active,
  COUNTIF(attempted_at < TIMESTAMP_SUB(@now, INTERVAL {RESPONSE_TARGET_HOURS} HOUR)) AS beyond_target,
  COUNTIF(attempted_at < TIMESTAMP_SUB(@now, INTERVAL {RESPONSE_LIMIT_HOURS} HOUR)) AS beyond_limit,
  ROUND(MAX(TIMESTAMP_DIFF(@now, attempted_at, SECOND)) / 3600, 1) AS oldest_hours
FROM nba_orchestration.breaker_state
WHERE open_until > @now
GROUP BY processor_name
ORDER BY processor_name""",
    _NOW,
)

_BREAKER_HISTORY = Query(
    "breaker_history",
    "Trips per processor and US Eastern day.",
    """WITH trips AS (
  SELECT processor_name, DATE(attempted_at, 'America/New_York') AS day
  FROM nba_orchestration.reprocess_attempts
  WHERE circuit_breaker_tripped
)
SELECT day, processor_name, COUNT(*) AS trips
FROM trips
WHERE day BETWEEN @start AND @end
GROUP BY day, processor_name
ORDER BY day, processor_name""",
    _RANGE,
)

_ATTEMPT_PATTERNS = Query(
    "attempt_patterns",
    "How often processors needed a first, second, third attempt, by the game day concerned.",
    f"""SELECT processor_name, attempt_number, COUNT(*) AS attempts, COUNT(DISTINCT entity_id) AS entities,
  ROUND(AVG(completeness_pct), 1) AS mean_completeness_pct
FROM nba_orchestration.reprocess_attempts
WHERE {_IN_RANGE}
GROUP BY processor_name, attempt_number
ORDER BY processor_name, attempt_number""",
    _RANGE,
)

_RECENT_ATTEMPTS = Query(
    "recent_attempts",
    "The newest attempt of every entity and day attempted since @since: sixty days is the usual look back.",
    """SELECT processor_name, entity_id, analysis_date, attempt_count, completeness_pct, skip_reason,
  circuit_breaker_tripped, circuit_breaker_until, overridden, is_current
FROM nba_orchestration.reprocess_attempts_summary
WHERE attempted_at >= @since
ORDER BY attempted_at DESC, processor_name, entity_id, analysis_date""",
    {"since": "TIMESTAMP"},
)

_TREND = Query(
    "completeness_trend",
    "Mean completeness and share ready per day and processor.",
    f"""SELECT analysis_date, processor_name, COUNT(*) AS total_rows,
  ROUND(AVG(completeness_percentage), 1) AS mean_completeness_pct, {_share("is_production_ready")} AS ready_pct
FROM nba_orchestration.entity_verdicts
WHERE {_IN_RANGE}
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    _RANGE,
)

_FALL = Query(
    "completeness_fall",
    "Processors whose mean completeness on @date lies @points or more below their mean since @since, a week before.",
    """WITH daily AS (
  SELECT processor_name, analysis_date, AVG(completeness_percentage) AS mean_pct
  FROM nba_orchestration.entity_verdicts
  WHERE analysis_date BETWEEN @since AND @date
  GROUP BY processor_name, analysis_date
)
SELECT today.processor_name, ROUND(ANY_VALUE(today.mean_pct), 1) AS mean_completeness_pct,
  ROUND(AVG(earlier.mean_pct), 1) AS mean_before
FROM daily AS today
JOIN daily AS earlier ON earlier.processor_name = today.processor_name AND earlier.analysis_date < today.analysis_date
WHERE today.analysis_date = @date
GROUP BY today.processor_name
HAVING AVG(earlier.mean_pct) - ANY_VALUE(today.mean_pct) >= @points
ORDER BY today.processor_name""",
    {**_DAY, "since": "DATE", "points": "FLOAT64"},
)

_BELOW_THRESHOLD = Query(
    "entities_below_threshold",
    "Entities whose primary window is below @threshold percent, the most games missing first; compared unrounded.",
    """SELECT processor_name, entity_id, completeness_percentage, missing_games_count, processing_decision_reason
FROM nba_orchestration.entity_verdicts
WHERE analysis_date = @date AND 100 * actual_games_count < @threshold * expected_games_count
ORDER BY missing_games_count DESC, processor_name, entity_id""",
    {**_DAY, "threshold": "FLOAT64"},
)

_NOT_READY = Query(
    "not_ready",
    "Everything of a range that was not ready: computed and flagged, held back, or unreadable; the most games missing "
    "first.",
    f"""SELECT processor_name, entity_id, analysis_date, completeness_percentage, missing_games_count,
  processing_decision_reason
FROM nba_orchestration.entity_verdicts
WHERE {_IN_RANGE} AND NOT is_production_ready
UNION ALL
SELECT DISTINCT processor_name, entity_id, analysis_date, CAST(NULL AS FLOAT64), CAST(NULL AS INT64),
  'unreadable_upstream_row'
FROM nba_orchestration.dead_letters
WHERE processor_name IS NOT NULL AND {_IN_RANGE}
ORDER BY missing_games_count DESC, processor_name, analysis_date, entity_id""",
    _RANGE,
)

_BOOTSTRAP = Query(
    "bootstrap_share",
    "Share of rows in bootstrap per day: above half in a season's first 30 days, below 5 % afterwards.",
    f"""SELECT analysis_date, COUNT(*) AS total_rows, COUNTIF(backfill_bootstrap_mode) AS bootstrap_rows,
  {_share("backfill_bootstrap_mode")} AS bootstrap_pct
FROM nba_orchestration.entity_verdicts
WHERE {_IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    _RANGE,
)

_MULTI_WINDOW = Query(
    "multi_window_detail",
    "Mean completeness of each window of player_daily_cache per day, and the share with all of them complete.",
    f"""SELECT analysis_date, ROUND(AVG(l5_completeness_pct), 1) AS l5_pct,
  ROUND(AVG(l10_completeness_pct), 1) AS l10_pct, ROUND(AVG(l7d_completeness_pct), 1) AS l7d_pct,
  ROUND(AVG(l14d_completeness_pct), 1) AS l14d_pct, {_share("all_windows_complete")} AS all_windows_complete_pct
FROM nba_precompute.player_daily_cache_by_analysis_date
WHERE {_IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    _RANGE,
)

_READINESS = Query(
    "production_readiness",
    "Rows ready, computed but not ready, and held back, per day.",
    f"""SELECT analysis_date, COUNTIF(is_production_ready) AS ready_rows,
  COUNTIF(NOT is_production_ready AND NOT is_stub) AS flagged_rows, COUNTIF(is_stub) AS held_back_rows,
  {_share("is_production_ready")} AS ready_pct
FROM nba_orchestration.entity_verdicts
WHERE {_IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    _RANGE,
)

_CASCADE = Query(
    "cascade_health",
    "Share of feature rows of one day for which each upstream was ready, and the lowest of the four.",
    f"""WITH shares AS (
  SELECT COUNT(*) AS total_rows,
    {_share("upstream_player_daily_cache_ready")} AS player_daily_cache_pct,
    {_share("upstream_player_composite_factors_ready")} AS player_composite_factors_pct,
    {_share("upstream_player_shot_zone_ready")} AS player_shot_zone_pct,
    {_share("upstream_upcoming_player_context_ready")} AS upcoming_player_context_pct
  FROM nba_predictions.ml_feature_store_v2_by_analysis_date
  WHERE analysis_date = @date
  HAVING COUNT(*) > 0
)
SELECT total_rows, player_daily_cache_pct, player_composite_factors_pct, player_shot_zone_pct,
  upcoming_player_context_pct, LEAST(
    player_daily_cache_pct, player_composite_factors_pct, player_shot_zone_pct, upcoming_player_context_pct
  ) AS lowest_pct
FROM shares""",
    _DAY,
)

_COVERAGE = Query(
    "coverage_by_day",
    "Players who entered a game, and how many of them each player processor has a computed row for, per day. "
    "Counts keys, not rows; absences with a reason on record are in the receipts, not here.",
    f"""WITH {_processors(_GATED_PLAYERS)},
played AS (
  SELECT DISTINCT game_date AS analysis_date, player_lookup AS entity_id
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @start AND @end
),
computed AS (
  SELECT DISTINCT processor_name, entity_id, analysis_date
  FROM nba_orchestration.entity_verdicts
  WHERE {_IN_RANGE} AND NOT is_stub
)
SELECT analysis_date, processor_name, COUNT(*) AS expected_players,
  COUNT(computed.entity_id) AS covered_players,
  ROUND(100 * COUNT(computed.entity_id) / COUNT(*), 2) AS coverage_pct
FROM played
CROSS JOIN processors
LEFT JOIN computed USING (processor_name, entity_id, analysis_date)
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    _RANGE,
)

_NEWEST_GAME_DAYS = Query(
    "newest_game_days",
    "The last two days with games that count, up to @date, the newest first.",
    """SELECT DISTINCT game_date
FROM nba_raw.counted_team_games
WHERE game_date <= @date
ORDER BY game_date DESC
LIMIT 2""",
    _DAY,
)

_DEAD_LETTERS = Query(
    "dead_lettered",
    "Entities that were left out because an upstream row in their windows contradicts itself.",
    f"""SELECT processor_name, entity_id, analysis_date
FROM nba_processing.precompute_failures
WHERE failure_category = 'PROCESSING_ERROR' AND {_IN_RANGE}
ORDER BY analysis_date, processor_name, entity_id""",
    _RANGE,
)

_LOST_GAME_DAYS = Query(
    "lost_game_days",
    "The game days whose lost games hold back rows of one processor on its newest judged day up to @date: games lost, "
    "and rows held back.",
    f"""SELECT game_date, COUNT(DISTINCT game_id) AS games, COUNT(DISTINCT entity_id) AS entities
FROM nba_orchestration.missing_games
WHERE processor_name = @processor AND analysis_date = (
  SELECT MAX(analysis_date) FROM nba_orchestration.entity_verdicts
  WHERE processor_name = @processor AND analysis_date <= @date
    AND analysis_date > DATE_SUB(@date, INTERVAL {JUDGED_DAYS} DAY)
)
GROUP BY game_date
ORDER BY game_date""",
    {**_DAY, "processor": "STRING"},
)

_GAPS = Query(
    "game_day_gaps",
    "Game days of the schedule on which a processor has no complete publish, days off left out; "
    "status is that of the newest receipt, or MISSING.",
    f"""WITH {_processors(PROCESSORS)},
game_days AS (
  SELECT DISTINCT game_date AS analysis_date
  FROM nba_raw.counted_team_games
  WHERE game_date BETWEEN @start AND @end
)
SELECT analysis_date, processor_name, COALESCE(status, 'MISSING') AS status, coverage_pct
FROM game_days
CROSS JOIN processors
LEFT JOIN nba_orchestration.latest_receipts USING (processor_name, analysis_date)
WHERE COALESCE(status, 'MISSING') <> 'COMPLETE'
ORDER BY analysis_date, processor_name""",
    _RANGE,
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

_BACKFILL_STATUS = Query(
    "backfill_status",
    "Coverage of each processor and day as its newest receipt has it.",
    f"""SELECT analysis_date, processor_name, expected_players, actual_players, coverage_pct, status, data_source,
  mode, forced
FROM nba_orchestration.backfill_processing_metadata
WHERE {_IN_RANGE}
ORDER BY analysis_date, processor_name""",
    _RANGE,
)

_NEWEST_RUNS = Query(
    "newest_runs",
    "The newest run of each processor; one still running after four hours is stale_running, which is no success.",
    """SELECT processor_name, run_id, data_date,
  IF(status = 'running' AND started_at <= TIMESTAMP_SUB(@now, INTERVAL 4 HOUR), 'stale_running', status) AS status,
  started_at, duration_seconds, records_processed, skip_reason, failure_category
FROM nba_reference.processor_run_history
WHERE started_at <= @now
QUALIFY ROW_NUMBER() OVER (PARTITION BY processor_name ORDER BY started_at DESC, run_id DESC) = 1
ORDER BY processor_name""",
    _NOW,
)

_ALERTS = Query(
    "alerts",
    "What is wrong on the game day @date as of @now, one row a cause; a row with explained_by is a symptom of that "
    "lost game day, and wakes nobody.",
    alerts.sql(_NEWEST_RUNS.sql, _ACTIVE_POLICIES.sql),
    {**_DAY, **_NOW},
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
    {**_RANGE, "processor": "STRING"},
)

_SUMMARY_VALIDITY = Query(
    "summary_validity",
    "Per game day, what the game summaries should hold and do: two team rows per final game, a row for every "
    "player who entered, zones known.",
    """WITH games AS (
  SELECT game_date, COUNT(DISTINCT game_id) AS final_games
  FROM nba_raw.counted_team_games
  WHERE game_date BETWEEN @start AND @end AND is_final
  GROUP BY game_date
),
entered AS (
  SELECT game_date, COUNT(DISTINCT player_lookup) AS players_entered
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @start AND @end AND played
  GROUP BY game_date
),
players AS (
  SELECT game_date, COUNT(DISTINCT player_lookup) AS player_rows
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @start AND @end
  GROUP BY game_date
),
teams AS (
  SELECT game_date, COUNT(*) AS team_rows, COUNTIF(opp_paint_attempts IS NULL) AS unknown_zones
  FROM nba_analytics.team_defense_game_summary
  WHERE game_date BETWEEN @start AND @end
  GROUP BY game_date
)
SELECT game_date, 2 * final_games AS expected_team_rows, COALESCE(team_rows, 0) AS team_rows,
  COALESCE(players_entered, 0) AS players_entered, COALESCE(player_rows, 0) AS player_rows,
  ROUND(100 * unknown_zones / team_rows, 1) AS unknown_zones_pct
FROM games
LEFT JOIN entered USING (game_date)
LEFT JOIN players USING (game_date)
LEFT JOIN teams USING (game_date)
ORDER BY game_date""",
    _RANGE,
)

_GAME_DAYS = Query(
    "game_days",
    "The days of the schedule with games that count.",
    """SELECT DISTINCT game_date
FROM nba_raw.counted_team_games
WHERE game_date BETWEEN @start AND @end
ORDER BY game_date""",
    _RANGE,
)

_CELLS = Query(
    "verdict_cells",
    "Every gated processor's verdict on every entity and day, those without a row included, with the counts of its "
    "primary window and what is missing; game ids and issues are joined by blanks.",
    f"""WITH {_processors(GATED)},
failed AS (
  SELECT processor_name, entity_id, analysis_date, failure_category, failure_reason, expected_game_count,
    actual_game_count, ARRAY_TO_STRING(missing_game_ids, ' ') AS missing_games
  FROM nba_processing.precompute_failures
  JOIN processors USING (processor_name)
  WHERE {_IN_RANGE} AND failure_category <> '{INCOMPLETE_COVERAGE}'
),
judged AS (
  SELECT processor_name, entity_id, analysis_date, is_stub, is_production_ready, processing_decision_reason,
    actual_games_count, expected_games_count, dnp_games_count, completeness_percentage,
    ARRAY_TO_STRING(data_quality_issues, ' ') AS issues
  FROM nba_orchestration.entity_verdicts
  WHERE {_IN_RANGE}
)
SELECT processor_name, entity_id, analysis_date,
  CASE
    WHEN is_production_ready THEN 'ready'
    WHEN NOT is_stub THEN 'flagged'
    WHEN is_stub AND processing_decision_reason = 'circuit_breaker_active' THEN 'blocked'
    WHEN is_stub THEN 'incomplete'
    WHEN failure_category = '{EXPLAINED}' THEN 'excluded'
    ELSE 'dead_letter'
  END AS verdict,
  COALESCE(processing_decision_reason, failure_reason, '') AS reason,
  COALESCE(actual_games_count, actual_game_count) AS actual_games,
  COALESCE(expected_games_count, expected_game_count) AS required_games,
  dnp_games_count AS excused_games, completeness_percentage,
  COALESCE(missing_games, '') AS missing_games, COALESCE(issues, '') AS issues
FROM judged
FULL JOIN failed USING (processor_name, entity_id, analysis_date)
ORDER BY processor_name, entity_id, analysis_date""",
    _RANGE,
)


def _window_means(processor: Processor) -> str:
    """One SELECT a window; with several of them each has its own column, else the primary one is meant."""
    return "\nUNION ALL\n".join(
        f"SELECT analysis_date, '{processor.name}' AS processor_name, '{window.name}' AS window_name,\n"
        f"  ROUND(AVG({f'{window.name}_completeness_pct' if processor.multi_window else 'completeness_percentage'}), 1)"
        " AS mean_completeness_pct\n"
        f"FROM {VIEWS[f'{processor.name}_by_analysis_date'].id}\n"
        f"WHERE {_IN_RANGE}\n"
        "GROUP BY analysis_date"
        for window in processor.windows
    )


_WINDOW_TREND = Query(
    "window_trend",
    "Mean completeness of each window of each processor per day; null where no entity expected a game.",
    "\nUNION ALL\n".join(map(_window_means, GATED)) + "\nORDER BY processor_name, window_name, analysis_date",
    _RANGE,
)

_COVERAGE_PARTS = Query(
    "coverage_parts",
    "What each processor and day owed by its newest receipt: keys real, synthetic and lacking, and absences excused.",
    f"""SELECT analysis_date, processor_name, status, coverage_expected AS expected_keys,
  coverage_written - COALESCE(coverage_synthetic, 0) AS real_keys, coverage_explained AS excused_keys,
  COALESCE(coverage_synthetic, 0) AS synthetic_keys,
  coverage_expected - coverage_written - coverage_explained AS lacking_keys, ROUND(coverage_pct, 2) AS coverage_pct
FROM nba_orchestration.coverage
WHERE {_IN_RANGE}
ORDER BY analysis_date, processor_name""",
    _RANGE,
)

_BREAKER_ACTIVITY = Query(
    "breaker_activity",
    "Attempts and trips of each processor by the game day concerned.",
    f"""SELECT analysis_date, processor_name, COUNT(*) AS attempts, COUNTIF(circuit_breaker_tripped) AS trips,
  COUNT(DISTINCT entity_id) AS entities
FROM nba_orchestration.reprocess_attempts
WHERE {_IN_RANGE}
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    _RANGE,
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

_DAYS_OWED = Query(
    "days_owed",
    "Per day of the schedule: team-games, those that are final, those whose players' points make the score or that "
    "have a team box score, the players who entered final ones, and whether the day owes shots by zone.",
    verification.DAYS_OWED,
    _RANGE,
)

_LANDED_DAYS = Query(
    "landed_days",
    "Rows of each landing table and day, the files they came from, and what of it no manifest lists as loaded.",
    verification.landed_days(),
    _RANGE,
)

_STORED_ROWS = {
    phase: Query(
        f"stored_rows_{phase.name.lower()}",
        f"Rows, keys, rows with figures and unknown zones of each table of {phase.value} and day.",
        verification.stored_rows(phase),
        _RANGE,
    )
    for phase in Phase
}

_OUTPUT_DAYS = Query(
    "output_days",
    "Every output that a game day owes, its status, and what its newest receipt says; nulls where there is none.",
    verification.OUTPUT_DAYS,
    _RANGE,
)

_CONTEXT_COVERAGE = Query(
    "context_coverage",
    "Per game day with a final game, how many of the players in player_game_summary have a context, or none and a "
    "reason; and whether that table is whole itself: final team-games, and those whose players' points make the score.",
    fallback.CONTEXT_COVERAGE,
    {"days": "ARRAY<DATE>"},
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

QUERIES: dict[str, Query] = {
    query.name: query
    for query in (
        _BACKFILL_SIZES,
        _HELD_EVENTS,
        _HEALTH,
        _TREND,
        _FALL,
        _BELOW_THRESHOLD,
        _NOT_READY,
        _BOOTSTRAP,
        _MULTI_WINDOW,
        _READINESS,
        _CASCADE,
        _ACTIVE_BREAKERS,
        _ACTIVE_POLICIES,
        _POLICY_CHANGES,
        _BREAKER_STATUS,
        _BREAKER_SUMMARY,
        _UNANSWERED_BREAKERS,
        _BREAKER_HISTORY,
        _ATTEMPT_PATTERNS,
        _RECENT_ATTEMPTS,
        _COVERAGE,
        _NEWEST_GAME_DAYS,
        _DEAD_LETTERS,
        _LOST_GAME_DAYS,
        _GAPS,
        _BACKFILL_STATUS,
        _NEWEST_RUNS,
        _RUNS_OF_DAYS,
        _ALERTS,
        _SUMMARY_VALIDITY,
        _STALE,
        _CLEANUPS,
        _GAME_DAYS,
        _CELLS,
        _WINDOW_TREND,
        _COVERAGE_PARTS,
        _BREAKER_ACTIVITY,
        _COLUMN_COUNTS,
        _DAYS_OWED,
        _LANDED_DAYS,
        *_STORED_ROWS.values(),
        _OUTPUT_DAYS,
        _CONTEXT_COVERAGE,
    )
}
