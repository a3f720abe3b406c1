"""How complete the rows of a day are, and what the gate made of them: ready, flagged or held back."""

from fullcourt.domain.alerts import READY_EXCELLENT, READY_GOOD, READY_WARNING
from fullcourt.domain.processors import GATED, Processor
from fullcourt.domain.records import EXPLAINED, INCOMPLETE_COVERAGE
from fullcourt.warehouse.queries.query import DAY, IN_RANGE, RANGE, Query, processors, share
from fullcourt.warehouse.views import VIEWS

_HEALTH = Query(
    "completeness_health",
    f"How complete each processor's rows of one day are, with a band: EXCELLENT from {READY_EXCELLENT} % ready, GOOD "
    f"from {READY_GOOD}, WARNING from {READY_WARNING}, else CRITICAL; NO_DATA for a processor without rows.",
    f"""WITH {processors(GATED)},
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
    DAY,
)

_TREND = Query(
    "completeness_trend",
    "Mean completeness and share ready per day and processor.",
    f"""SELECT analysis_date, processor_name, COUNT(*) AS total_rows,
  ROUND(AVG(completeness_percentage), 1) AS mean_completeness_pct, {share("is_production_ready")} AS ready_pct
FROM nba_orchestration.entity_verdicts
WHERE {IN_RANGE}
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    RANGE,
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
    {**DAY, "since": "DATE", "points": "FLOAT64"},
)

_READINESS = Query(
    "production_readiness",
    "Rows ready, computed but not ready, and held back, per day.",
    f"""SELECT analysis_date, COUNTIF(is_production_ready) AS ready_rows,
  COUNTIF(NOT is_production_ready AND NOT is_stub) AS flagged_rows, COUNTIF(is_stub) AS held_back_rows,
  {share("is_production_ready")} AS ready_pct
FROM nba_orchestration.entity_verdicts
WHERE {IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    RANGE,
)

_BOOTSTRAP = Query(
    "bootstrap_share",
    "Share of rows in bootstrap per day: above half in a season's first 30 days, below 5 % afterwards.",
    f"""SELECT analysis_date, COUNT(*) AS total_rows, COUNTIF(backfill_bootstrap_mode) AS bootstrap_rows,
  {share("backfill_bootstrap_mode")} AS bootstrap_pct
FROM nba_orchestration.entity_verdicts
WHERE {IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    RANGE,
)

_BELOW_THRESHOLD = Query(
    "entities_below_threshold",
    "Entities whose primary window is below @threshold percent, the most games missing first; compared unrounded.",
    """SELECT processor_name, entity_id, completeness_percentage, missing_games_count, processing_decision_reason
FROM nba_orchestration.entity_verdicts
WHERE analysis_date = @date AND 100 * actual_games_count < @threshold * expected_games_count
ORDER BY missing_games_count DESC, processor_name, entity_id""",
    {**DAY, "threshold": "FLOAT64"},
)

_NOT_READY = Query(
    "not_ready",
    "Everything of a range that was not ready: computed and flagged, held back, or unreadable; the most games missing "
    "first.",
    f"""SELECT processor_name, entity_id, analysis_date, completeness_percentage, missing_games_count,
  processing_decision_reason
FROM nba_orchestration.entity_verdicts
WHERE {IN_RANGE} AND NOT is_production_ready
UNION ALL
SELECT DISTINCT processor_name, entity_id, analysis_date, CAST(NULL AS FLOAT64), CAST(NULL AS INT64),
  'unreadable_upstream_row'
FROM nba_orchestration.dead_letters
WHERE processor_name IS NOT NULL AND {IN_RANGE}
ORDER BY missing_games_count DESC, processor_name, analysis_date, entity_id""",
    RANGE,
)

_CELLS = Query(
    "verdict_cells",
    "Every gated processor's verdict on every entity and day, those without a row included, with the counts of its "
    "primary window and what is missing; game ids and issues are joined by blanks.",
    f"""WITH {processors(GATED)},
failed AS (
  SELECT processor_name, entity_id, analysis_date, failure_category, failure_reason, expected_game_count,
    actual_game_count, ARRAY_TO_STRING(missing_game_ids, ' ') AS missing_games
  FROM nba_processing.precompute_failures
  JOIN processors USING (processor_name)
  WHERE {IN_RANGE} AND failure_category <> '{INCOMPLETE_COVERAGE}'
),
judged AS (
  SELECT processor_name, entity_id, analysis_date, is_stub, is_production_ready, processing_decision_reason,
    actual_games_count, expected_games_count, dnp_games_count, completeness_percentage,
    ARRAY_TO_STRING(data_quality_issues, ' ') AS issues
  FROM nba_orchestration.entity_verdicts
  WHERE {IN_RANGE}
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
    RANGE,
)

_MULTI_WINDOW = Query(
    "multi_window_detail",
    "Mean completeness of each window of player_daily_cache per day, and the share with all of them complete.",
    f"""SELECT analysis_date, ROUND(AVG(l5_completeness_pct), 1) AS l5_pct,
  ROUND(AVG(l10_completeness_pct), 1) AS l10_pct, ROUND(AVG(l7d_completeness_pct), 1) AS l7d_pct,
  ROUND(AVG(l14d_completeness_pct), 1) AS l14d_pct, {share("all_windows_complete")} AS all_windows_complete_pct
FROM nba_precompute.player_daily_cache_by_analysis_date
WHERE {IN_RANGE}
GROUP BY analysis_date
ORDER BY analysis_date""",
    RANGE,
)


def _window_means(processor: Processor) -> str:
    """One SELECT a window; with several of them each has its own column, else the primary one is meant."""
    return "\nUNION ALL\n".join(
        f"SELECT analysis_date, '{processor.name}' AS processor_name, '{window.name}' AS window_name,\n"
        f"  ROUND(AVG({f'{window.name}_completeness_pct' if processor.multi_window else 'completeness_percentage'}), 1)"
        " AS mean_completeness_pct\n"
        f"FROM {VIEWS[f'{processor.name}_by_analysis_date'].id}\n"
        f"WHERE {IN_RANGE}\n"
        "GROUP BY analysis_date"
        for window in processor.windows
    )


_WINDOW_TREND = Query(
    "window_trend",
    "Mean completeness of each window of each processor per day; null where no entity expected a game.",
    "\nUNION ALL\n".join(map(_window_means, GATED)) + "\nORDER BY processor_name, window_name, analysis_date",
    RANGE,
)

_CASCADE = Query(
    "cascade_health",
    "Share of feature rows of one day for which each upstream was ready, and the lowest of the four.",
    f"""WITH shares AS (
  SELECT COUNT(*) AS total_rows,
    {share("upstream_player_daily_cache_ready")} AS player_daily_cache_pct,
    {share("upstream_player_composite_factors_ready")} AS player_composite_factors_pct,
    {share("upstream_player_shot_zone_ready")} AS player_shot_zone_pct,
    {share("upstream_upcoming_player_context_ready")} AS upcoming_player_context_pct
  FROM nba_predictions.ml_feature_store_v2_by_analysis_date
  WHERE analysis_date = @date
  HAVING COUNT(*) > 0
)
SELECT total_rows, player_daily_cache_pct, player_composite_factors_pct, player_shot_zone_pct,
  upcoming_player_context_pct, LEAST(
    player_daily_cache_pct, player_composite_factors_pct, player_shot_zone_pct, upcoming_player_context_pct
  ) AS lowest_pct
FROM shares""",
    DAY,
)

QUERIES = (
    _HEALTH,
    _TREND,
    _FALL,
    _READINESS,
    _BOOTSTRAP,
    _BELOW_THRESHOLD,
    _NOT_READY,
    _CELLS,
    _MULTI_WINDOW,
    _WINDOW_TREND,
    _CASCADE,
)
