"""The SQL of the query `alerts`: one row a cause, in BigQuery's dialect, with @date, a game day, and @now.

One rule keeps it quiet.  A symptom (a low share, open breakers) is computed a second time without the rows that a lost
game holds back; if that is within its limit, the lost game is the cause, and the symptom's explained_by names the lost
game day that holds back most.  That day's alert then takes over a critical symptom's severity.
"""

from fullcourt.domain import alerts
from fullcourt.domain.alerts import Severity
from fullcourt.domain.backfill import State
from fullcourt.domain.calendar import BOOTSTRAP_DAYS
from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.warehouse.queries.breakers import ACTIVE_POLICIES
from fullcourt.warehouse.queries.operations import NEWEST_RUNS
from fullcourt.warehouse.queries.query import DAY, NOW, Query

_CRITICAL, _WARNING, _INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_EASTERN = "'America/New_York'"
_COMMANDS = {Phase.ANALYTICS: "analytics", Phase.PRECOMPUTE: "precompute", Phase.PREDICTIONS: "predictions"}
_FINISHED = ", ".join(f"'{state}'" for state in State if state.finished)
_PHASES = ", ".join(f"STRUCT('{p.name}' AS processor_name, '{_COMMANDS[p.phase]}' AS phase)" for p in PROCESSORS)


def _due(day: str, hour: str) -> str:
    """Whether it is that hour of that day, US Eastern, or later."""
    today = f"DATE(@now, {_EASTERN})"
    return f"({today} > {day} OR ({today} = {day} AND EXTRACT(HOUR FROM @now AT TIME ZONE {_EASTERN}) >= {hour}))"


# What is lost: games that hold back an entity on the newest day that its processor has judged (before the night's run
# that is not @date), or one whose breaker is open; and games of the newest two days that were never loaded.
_LOST = f"""recent_days AS (
  SELECT DISTINCT game_date FROM nba_raw.counted_team_games
  WHERE game_date <= @date ORDER BY game_date DESC LIMIT 2
),
missing_so_far AS (
  SELECT processor_name, entity_id, analysis_date, game_id, game_date FROM nba_orchestration.missing_games
  WHERE analysis_date <= @date
),
newest_judged AS (
  SELECT processor_name, MAX(analysis_date) AS analysis_date FROM nba_orchestration.entity_verdicts
  WHERE analysis_date > DATE_SUB(@date, INTERVAL {alerts.JUDGED_DAYS} DAY) AND analysis_date <= @date
  GROUP BY processor_name
),
missing AS (
  SELECT processor_name, entity_id, analysis_date, game_id, game_date
  FROM missing_so_far JOIN newest_judged USING (processor_name, analysis_date)
),
open_now AS (
  SELECT processor_name, entity_id, analysis_date, attempted_at FROM nba_orchestration.breaker_state
  WHERE open_until > @now AND analysis_date <= @date
),
loaded AS (
  SELECT DISTINCT nba_game_id, team_abbr FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date IN (SELECT game_date FROM recent_days)
),
never_loaded AS (
  SELECT owed.game_id, owed.game_date
  FROM nba_raw.counted_team_games AS owed
  JOIN recent_days ON recent_days.game_date = owed.game_date
  LEFT JOIN loaded ON loaded.nba_game_id = owed.nba_game_id AND loaded.team_abbr = owed.team_abbr
  WHERE loaded.nba_game_id IS NULL AND {_due("DATE_ADD(owed.game_date, INTERVAL 1 DAY)", str(alerts.RUN_DUE_HOUR))}
),
lost_dates AS (
  SELECT game_date FROM missing
  UNION DISTINCT
  SELECT game_date FROM missing_so_far JOIN open_now USING (processor_name, entity_id, analysis_date)
  UNION DISTINCT
  SELECT game_date FROM never_loaded
),
lost_games AS (
  SELECT game_date, game_id FROM missing_so_far JOIN lost_dates USING (game_date)
  UNION DISTINCT
  SELECT game_date, game_id FROM never_loaded
),
held_back AS (
  SELECT game_date, COUNT(DISTINCT CONCAT(processor_name, ' ', entity_id)) AS on_day
  FROM missing GROUP BY game_date
),
held_back_so_far AS (
  SELECT game_date, COUNT(DISTINCT CONCAT(processor_name, ' ', entity_id, ' ', CAST(analysis_date AS STRING))) AS so_far
  FROM missing_so_far GROUP BY game_date
),
lost_days AS (
  SELECT game_date, COUNT(DISTINCT game_id) AS games, COALESCE(ANY_VALUE(on_day), 0) AS on_day,
    COALESCE(ANY_VALUE(so_far), 0) AS so_far
  FROM lost_games
  LEFT JOIN held_back USING (game_date)
  LEFT JOIN held_back_so_far USING (game_date)
  GROUP BY game_date
),
worst AS (SELECT (SELECT game_date FROM lost_days ORDER BY on_day DESC, game_date DESC LIMIT 1) AS worst_day)"""

# The day's rows; explained: not ready, and a lost game holds back the same entity in some processor.
_ROWS = f"""verdicts AS (
  SELECT processor_name, entity_id, is_production_ready AS ready, completeness_percentage AS pct,
    100 * actual_games_count < {alerts.ENTITY_COMPLETE} * expected_games_count AS low,
    backfill_bootstrap_mode AS bootstrap, NOT is_production_ready AND held.name IS NOT NULL AS explained
  FROM nba_orchestration.entity_verdicts
  LEFT JOIN (SELECT DISTINCT entity_id AS name FROM missing) AS held ON held.name = entity_id
  WHERE analysis_date = @date
),
shares AS (
  SELECT processor_name, COUNT(*) AS total_rows, COUNTIF(NOT ready) AS not_ready, COUNTIF(pct < 100) AS not_complete,
    100 * COUNTIF(ready) / COUNT(*) AS ready_pct, 100 * COUNTIF(ready OR explained) / COUNT(*) AS other_ready_pct,
    AVG(pct) AS mean_pct, AVG(IF(explained, NULL, pct)) AS other_mean_pct
  FROM verdicts
  GROUP BY processor_name
),
earlier AS (
  SELECT processor_name, analysis_date, AVG(completeness_percentage) AS mean_pct
  FROM nba_orchestration.entity_verdicts
  WHERE analysis_date >= DATE_SUB(@date, INTERVAL {alerts.FALL_DAYS} DAY) AND analysis_date < @date
  GROUP BY processor_name, analysis_date
),
falls AS (
  SELECT shares.processor_name, ANY_VALUE(not_complete) AS not_complete,
    AVG(earlier.mean_pct) - ANY_VALUE(shares.mean_pct) AS points,
    AVG(earlier.mean_pct) - ANY_VALUE(other_mean_pct) AS other_points
  FROM shares
  JOIN earlier ON earlier.processor_name = shares.processor_name
  GROUP BY shares.processor_name
),
day AS (
  SELECT COUNT(*) AS total_rows, COUNTIF(bootstrap) AS bootstrap_rows, COUNT(DISTINCT entity_id) AS entities,
    COUNT(DISTINCT IF(low, entity_id, NULL)) AS low,
    COUNT(DISTINCT IF(low AND NOT explained, entity_id, NULL)) AS other_low
  FROM verdicts
),
season AS (
  SELECT MIN(game_date) AS first_day FROM nba_raw.counted_team_games
  WHERE season_year IN (SELECT season_year FROM nba_raw.counted_team_games WHERE game_date = @date)
)"""

_BREAKERS = f"""held AS (
  SELECT DISTINCT processor_name, entity_id, analysis_date
  FROM missing_so_far
  JOIN lost_days USING (game_date)
),
open_breakers AS (
  SELECT breakers.entity_id, breakers.analysis_date = @date AS of_day, held.entity_id IS NOT NULL AS explained,
    breakers.attempted_at < TIMESTAMP_SUB(@now, INTERVAL {alerts.RESPONSE_LIMIT_HOURS} HOUR) AS overdue
  FROM open_now AS breakers
  LEFT JOIN held ON held.processor_name = breakers.processor_name AND held.entity_id = breakers.entity_id
    AND held.analysis_date = breakers.analysis_date
),
breakers AS (
  SELECT COUNT(*) AS active, COUNTIF(NOT explained) AS other_active, COUNTIF(overdue) AS overdue,
    COUNTIF(overdue AND NOT explained) AS other_overdue, COUNT(DISTINCT IF(of_day, entity_id, NULL)) AS entities,
    COUNT(DISTINCT IF(of_day AND NOT explained, entity_id, NULL)) AS other_entities
  FROM open_breakers
),
tripped AS (
  SELECT DISTINCT processor_name, entity_id FROM nba_orchestration.reprocess_attempts
  WHERE analysis_date = @date AND circuit_breaker_tripped AND attempted_at <= @now
),
trips AS (
  SELECT processor_name, COUNT(*) AS trips, COUNTIF(explained) AS explained_trips
  FROM tripped JOIN verdicts USING (processor_name, entity_id)
  GROUP BY processor_name
)"""

# expected_outputs knows every output that is owed; one that never ran at all is not rolled out yet, and not missed.
_RUNS = f"""phases AS (SELECT processor_name, phase FROM UNNEST([{_PHASES}])),
covering AS (
  SELECT DISTINCT processor_name FROM nba_orchestration.run_days WHERE first_day <= @date AND last_day >= @date
),
rolled_out AS (
  SELECT DISTINCT processor_name FROM nba_orchestration.latest_receipts WHERE analysis_date < @date
),
unrun AS (
  SELECT outputs.processor_name, phases.phase
  FROM nba_orchestration.expected_outputs AS outputs
  JOIN phases USING (processor_name)
  JOIN rolled_out USING (processor_name)
  LEFT JOIN covering ON covering.processor_name = outputs.processor_name
  WHERE outputs.analysis_date = @date AND outputs.status = 'EXPECTED' AND covering.processor_name IS NULL
    AND {_due("@date", f"IF(phases.phase = 'predictions', {alerts.PREDICTIONS_DUE_HOUR}, {alerts.RUN_DUE_HOUR})")}
),
coverage AS (
  SELECT receipts.processor_name, receipts.analysis_date, receipts.coverage_expected AS owed,
    receipts.coverage_written + receipts.coverage_explained AS there,
    COALESCE(held_back_there.entities, 0) AS held_back,
    receipts.analysis_date IN (SELECT game_date FROM lost_days) AS is_lost
  FROM nba_orchestration.latest_receipts AS receipts
  JOIN recent_days ON recent_days.game_date = receipts.analysis_date
  LEFT JOIN (
    SELECT processor_name, analysis_date, COUNT(DISTINCT entity_id) AS entities FROM held
    GROUP BY processor_name, analysis_date
  ) AS held_back_there
    ON held_back_there.processor_name = receipts.processor_name
    AND held_back_there.analysis_date = receipts.analysis_date
  WHERE receipts.status <> 'COMPLETE'
),
synthetic AS (
  SELECT coverage_synthetic AS there, coverage_expected AS owed FROM nba_orchestration.latest_receipts
  WHERE analysis_date = @date AND data_source = 'SYNTHETIC_PGS'
  ORDER BY there DESC, owed DESC LIMIT 1
),
left_over AS (
  SELECT plan_id, MAX(started_at) AS at_work
  FROM nba_orchestration.backfill_slices
  JOIN nba_orchestration.backfill_plans USING (plan_id)
  WHERE cancelled_at IS NULL
  GROUP BY plan_id
  HAVING MAX(started_at) > TIMESTAMP_SUB(@now, INTERVAL {alerts.BACKFILL_HOURS} HOUR) AND MAX(started_at) <= @now
    AND COUNTIF(state NOT IN ({_FINISHED})) > 0 AND COUNTIF(state = '{State.RUNNING}' AND lease_until > @now) = 0
    AND (COUNTIF(state = '{State.FAILED}') > 0 OR MAX(COALESCE(ended_at, started_at))
      <= TIMESTAMP_SUB(@now, INTERVAL {alerts.BACKFILL_QUIET_MINUTES} MINUTE))
),
large_cleanups AS (
  SELECT DATE(cleanup_time, {_EASTERN}) AS day, MAX(total_records_deleted) AS deleted
  FROM nba_orchestration.cleanup_operations
  WHERE cleanup_time > TIMESTAMP_SUB(@now, INTERVAL {alerts.CLEANUP_HOURS} HOUR) AND cleanup_time <= @now
    AND total_records_deleted > {alerts.CLEANUP_LIMIT}
  GROUP BY day
),
good_cleanup AS (
  SELECT MAX(cleanup_time) AS newest FROM nba_orchestration.cleanup_operations
  WHERE cleanup_type = 'upcoming_tables_ttl' AND cleanup_time <= @now
    AND duration_seconds IS NOT NULL AND ARRAY_LENGTH(errors) = 0
),
failed_cleanups AS (
  SELECT DATE(cleanup_time, {_EASTERN}) AS day, COUNT(*) AS cleanups
  FROM nba_orchestration.cleanup_operations CROSS JOIN good_cleanup
  WHERE cleanup_type = 'upcoming_tables_ttl' AND (newest IS NULL OR cleanup_time > newest)
    AND cleanup_time > TIMESTAMP_SUB(@now, INTERVAL {alerts.CLEANUP_HOURS} HOUR) AND cleanup_time <= @now
    AND (ARRAY_LENGTH(errors) > 0 OR (duration_seconds IS NULL
      AND cleanup_time < TIMESTAMP_SUB(@now, INTERVAL {alerts.CLEANUP_CUT_OFF_HOURS} HOUR)))
  GROUP BY day
),
with_shots AS (
  SELECT DISTINCT nba_game_id, team_abbr FROM nba_raw.shot_zones
  WHERE game_date > DATE_SUB(@date, INTERVAL {alerts.JUDGED_DAYS} DAY) AND game_date <= @date
),
without_shots AS (
  SELECT DISTINCT boxes.nba_game_id, boxes.team_abbr, boxes.game_date
  FROM nba_raw.nbac_gamebook_player_stats AS boxes
  JOIN nba_raw.counted_team_games AS games
    ON games.nba_game_id = boxes.nba_game_id AND games.team_abbr = boxes.team_abbr
  LEFT JOIN with_shots ON with_shots.nba_game_id = boxes.nba_game_id AND with_shots.team_abbr = boxes.team_abbr
  WHERE boxes.game_date > DATE_SUB(@date, INTERVAL {alerts.JUDGED_DAYS} DAY) AND boxes.game_date <= @date
    AND with_shots.nba_game_id IS NULL AND (SELECT COUNT(*) FROM nba_raw.shot_zones) > 0
),
dead_letters AS (
  SELECT processor_name, COUNT(*) AS entities FROM nba_processing.precompute_failures
  WHERE analysis_date = @date AND failure_category = 'PROCESSING_ERROR'
  GROUP BY processor_name
),
failing AS (
  SELECT processor_name, LOGICAL_OR(other) AS other
  FROM (
    SELECT processor_name, other_ready_pct < {alerts.READY_LIMIT} AS other FROM shares
    WHERE ready_pct < {alerts.READY_LIMIT}
    UNION ALL
    SELECT processor_name, TRUE AS other FROM newest_runs WHERE status IN ('failed', 'stale_running')
  )
  GROUP BY processor_name
)"""

# cause, severity, processor_name, phase, analysis_date, affected, value, explained
_SYMPTOMS = f"""symptoms AS (
  SELECT 'PROCESSOR_READY_LOW' AS cause, '{_WARNING}' AS severity, processor_name, CAST(NULL AS STRING) AS phase,
    @date AS analysis_date, not_ready AS affected, ready_pct AS value,
    other_ready_pct >= {alerts.READY_LIMIT} AS explained
  FROM shares WHERE ready_pct < {alerts.READY_LIMIT}
  UNION ALL
  SELECT 'COMPLETENESS_LOW', '{_WARNING}', processor_name, NULL, @date, not_complete, mean_pct,
    COALESCE(other_mean_pct >= {alerts.COMPLETENESS_LIMIT}, TRUE)
  FROM shares WHERE mean_pct < {alerts.COMPLETENESS_LIMIT}
  UNION ALL
  SELECT 'COMPLETENESS_FALL', '{_WARNING}', processor_name, NULL, @date, not_complete, points,
    COALESCE(other_points < {alerts.FALL_POINTS}, TRUE)
  FROM falls WHERE points >= {alerts.FALL_POINTS}
  UNION ALL
  SELECT 'ENTITIES_LOW', '{_WARNING}', NULL, NULL, @date, low, low, other_low <= {alerts.ENTITIES_LIMIT}
  FROM day WHERE low > {alerts.ENTITIES_LIMIT}
  UNION ALL
  SELECT 'BOOTSTRAP_UNEXPECTED', '{_WARNING}', NULL, NULL, @date, bootstrap_rows, 100 * bootstrap_rows / total_rows,
    FALSE
  FROM day CROSS JOIN season
  WHERE DATE_DIFF(@date, first_day, DAY) >= {BOOTSTRAP_DAYS}
    AND 100 * bootstrap_rows > {alerts.BOOTSTRAP_LIMIT} * total_rows
  UNION ALL
  SELECT 'PROCESSORS_FAILING', '{_CRITICAL}', NULL, NULL, @date, COUNT(*), COUNT(*),
    COUNTIF(other) < {alerts.PROCESSORS_CRITICAL}
  FROM failing HAVING COUNT(*) >= {alerts.PROCESSORS_CRITICAL}
  UNION ALL
  SELECT 'BREAKERS_ACTIVE', IF(active > {alerts.BREAKERS_CRITICAL}, '{_CRITICAL}', '{_WARNING}'), NULL, NULL, @date,
    active, active, other_active <= {alerts.BREAKERS_LIMIT}
  FROM breakers WHERE active > {alerts.BREAKERS_LIMIT}
  UNION ALL
  SELECT 'BREAKER_RESPONSE', '{_WARNING}', NULL, NULL, @date, overdue, overdue, other_overdue = 0
  FROM breakers WHERE overdue > 0
  UNION ALL
  SELECT 'MOST_OPEN', '{_CRITICAL}', NULL, NULL, @date, breakers.entities, 100 * breakers.entities / day.entities,
    100 * other_entities <= {alerts.MOST_OPEN_LIMIT} * day.entities
  FROM breakers CROSS JOIN day
  WHERE day.entities > 0 AND 100 * breakers.entities > {alerts.MOST_OPEN_LIMIT} * day.entities
  UNION ALL
  SELECT 'BREAKER_TRIP_RATE', '{_WARNING}', processor_name, NULL, @date, trips, 100 * trips / total_rows,
    100 * (trips - explained_trips) <= {alerts.TRIP_RATE_LIMIT} * total_rows
  FROM trips JOIN shares USING (processor_name)
  WHERE 100 * trips > {alerts.TRIP_RATE_LIMIT} * total_rows
  UNION ALL
  SELECT 'COVERAGE_LOW', '{_WARNING}', processor_name, NULL, analysis_date, owed - there,
    IF(owed > 0, 100 * there / owed, 0), is_lost OR 100 * (there + held_back) >= {alerts.COVERAGE_LIMIT} * owed
  FROM coverage
  UNION ALL
  SELECT 'SYNTHETIC_CONTEXT', '{_WARNING}', NULL, NULL, @date, there, owed, FALSE
  FROM synthetic
  UNION ALL
  SELECT 'SHOTS_MISSING', '{_INFO}', NULL, NULL, MIN(game_date), COUNT(*), COUNT(*), FALSE
  FROM without_shots HAVING COUNT(*) > 0
  UNION ALL
  SELECT 'DEAD_LETTERS', '{_WARNING}', processor_name, NULL, @date, entities, entities, FALSE
  FROM dead_letters
  UNION ALL
  SELECT 'RUN_MISSING', '{_CRITICAL}', NULL, IF(MIN(phase) = MAX(phase), MIN(phase), 'all'), @date, COUNT(*), COUNT(*),
    FALSE
  FROM unrun HAVING COUNT(*) > 0
  UNION ALL
  SELECT IF(status = 'failed', 'RUN_FAILED', 'RUN_STALE'), '{_CRITICAL}',
    IF(COUNT(*) = 1, MIN(processor_name), NULL), MIN(phase), data_date, COUNT(*), COUNT(*), FALSE
  FROM newest_runs JOIN phases USING (processor_name)
  WHERE status IN ('failed', 'stale_running')
  GROUP BY run_id, status, data_date
  UNION ALL
  SELECT 'BACKFILL_LEFT_OVER', '{_WARNING}', NULL, NULL, DATE(MAX(at_work), {_EASTERN}), COUNT(*), COUNT(*), FALSE
  FROM left_over HAVING COUNT(*) > 0
  UNION ALL
  SELECT 'CLEANUP_FAILED', '{_WARNING}', NULL, NULL, day, cleanups, cleanups, FALSE
  FROM failed_cleanups
  UNION ALL
  SELECT 'CLEANUP_LARGE', '{_WARNING}', NULL, NULL, day, deleted, deleted, FALSE
  FROM large_cleanups
  UNION ALL
  SELECT 'POLICY_ACTIVE', '{_INFO}', processor_name, NULL, @date, 1, threshold_per_mille / 10, FALSE
  FROM active_policies
)"""


def sql(newest_runs: str, active_policies: str) -> str:
    """cause, severity, processor_name (null: all), phase, analysis_date, affected, games, value, explained_by.

    newest_runs, active_policies: the SQL of the queries of these names.  value is what the cause's text says, rounded.
    """
    return f"""WITH newest_runs AS (
{newest_runs}
),
active_policies AS (
{active_policies}
),
{_LOST},
{_ROWS},
{_BREAKERS},
{_RUNS},
{_SYMPTOMS},
folded AS (
  SELECT cause, severity, processor_name, phase, analysis_date, affected, value,
    IF(explained, COALESCE(own.game_date, worst_day), NULL) AS explained_by
  FROM symptoms
  CROSS JOIN worst
  LEFT JOIN lost_days AS own ON own.game_date = analysis_date AND cause = 'COVERAGE_LOW'
),
taken_over AS (SELECT DISTINCT explained_by AS lost_day FROM folded WHERE severity = '{_CRITICAL}'),
raised AS (
  SELECT 'LOST_GAME_DAY' AS cause, IF(lost_day IS NULL, '{_WARNING}', '{_CRITICAL}') AS severity,
    CAST(NULL AS STRING) AS processor_name, CAST(NULL AS STRING) AS phase, game_date AS analysis_date,
    so_far AS affected, games, CAST(on_day AS FLOAT64) AS value, CAST(NULL AS DATE) AS explained_by
  FROM lost_days LEFT JOIN taken_over ON lost_day = game_date
  UNION ALL
  SELECT cause, severity, processor_name, phase, analysis_date, affected, NULL, ROUND(value, 1), explained_by
  FROM folded
)
SELECT cause, severity, processor_name, phase, analysis_date, affected, games, value, explained_by
FROM raised
ORDER BY explained_by IS NOT NULL, severity, cause, analysis_date, processor_name"""


QUERIES = (
    Query(
        "alerts",
        "What is wrong on the game day @date as of @now, one row a cause; a row with explained_by is a symptom of that "
        "lost game day, and wakes nobody.",
        sql(NEWEST_RUNS.sql, ACTIVE_POLICIES.sql),
        {**DAY, **NOW},
    ),
)
