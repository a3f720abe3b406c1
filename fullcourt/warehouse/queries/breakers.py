"""Which breakers are open and what led to it, and which gates people have changed."""

from fullcourt.domain.alerts import RESPONSE_LIMIT_HOURS, RESPONSE_TARGET_HOURS
from fullcourt.warehouse.queries.query import IN_RANGE, NOW, RANGE, Query

_ACTIVE_BREAKERS = Query(
    "active_breakers",
    "Breakers open at @now, the longest first.",
    """SELECT processor_name, entity_id, analysis_date, attempt_number, completeness_pct, skip_reason,
  circuit_breaker_until, ROUND(TIMESTAMP_DIFF(circuit_breaker_until, @now, SECOND) / 86400, 1) AS days_remaining, notes
FROM nba_orchestration.breaker_state
WHERE open_until > @now
ORDER BY circuit_breaker_until DESC, processor_name, entity_id, analysis_date""",
    NOW,
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
    {**RANGE, **NOW, "processors": "ARRAY<STRING>", "entity": "STRING"},
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
    NOW,
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
    NOW,
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
    RANGE,
)

_BREAKER_ACTIVITY = Query(
    "breaker_activity",
    "Attempts and trips of each processor by the game day concerned.",
    f"""SELECT analysis_date, processor_name, COUNT(*) AS attempts, COUNTIF(circuit_breaker_tripped) AS trips,
  COUNT(DISTINCT entity_id) AS entities
FROM nba_orchestration.reprocess_attempts
WHERE {IN_RANGE}
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    RANGE,
)

_ATTEMPT_PATTERNS = Query(
    "attempt_patterns",
    "How often processors needed a first, second, third attempt, by the game day concerned.",
    f"""SELECT processor_name, attempt_number, COUNT(*) AS attempts, COUNT(DISTINCT entity_id) AS entities,
  ROUND(AVG(completeness_pct), 1) AS mean_completeness_pct
FROM nba_orchestration.reprocess_attempts
WHERE {IN_RANGE}
GROUP BY processor_name, attempt_number
ORDER BY processor_name, attempt_number""",
    RANGE,
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

ACTIVE_POLICIES = Query(
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
    NOW,
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

QUERIES = (
    _ACTIVE_BREAKERS,
    _BREAKER_STATUS,
    _BREAKER_SUMMARY,
    _UNANSWERED_BREAKERS,
    _BREAKER_HISTORY,
    _BREAKER_ACTIVITY,
    _ATTEMPT_PATTERNS,
    _RECENT_ATTEMPTS,
    ACTIVE_POLICIES,
    _POLICY_CHANGES,
)
