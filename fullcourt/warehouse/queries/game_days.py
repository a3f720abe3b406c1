"""Which days have games, and what of each is there or lacking: publishes, players, games."""

from fullcourt.domain.alerts import JUDGED_DAYS
from fullcourt.domain.processors import GATED, PROCESSORS, Entity
from fullcourt.warehouse.queries.query import DAY, IN_RANGE, RANGE, Query, processors

_GATED_PLAYERS = tuple(processor for processor in GATED if processor.entity is Entity.PLAYER)

_GAME_DAYS = Query(
    "game_days",
    "The days of the schedule with games that count.",
    """SELECT DISTINCT game_date
FROM nba_raw.counted_team_games
WHERE game_date BETWEEN @start AND @end
ORDER BY game_date""",
    RANGE,
)

_NEWEST_GAME_DAYS = Query(
    "newest_game_days",
    "The last two days with games that count, up to @date, the newest first.",
    """SELECT DISTINCT game_date
FROM nba_raw.counted_team_games
WHERE game_date <= @date
ORDER BY game_date DESC
LIMIT 2""",
    DAY,
)

_GAPS = Query(
    "game_day_gaps",
    "Game days of the schedule on which a processor has no complete publish, days off left out; "
    "status is that of the newest receipt, or MISSING.",
    f"""WITH {processors(PROCESSORS)},
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
    RANGE,
)

_BACKFILL_STATUS = Query(
    "backfill_status",
    "Coverage of each processor and day as its newest receipt has it.",
    f"""SELECT analysis_date, processor_name, expected_players, actual_players, coverage_pct, status, data_source,
  mode, forced
FROM nba_orchestration.backfill_processing_metadata
WHERE {IN_RANGE}
ORDER BY analysis_date, processor_name""",
    RANGE,
)

_COVERAGE = Query(
    "coverage_by_day",
    "Players who entered a game, and how many of them each player processor has a computed row for, per day. "
    "Counts keys, not rows; absences with a reason on record are in the receipts, not here.",
    f"""WITH {processors(_GATED_PLAYERS)},
played AS (
  SELECT DISTINCT game_date AS analysis_date, player_lookup AS entity_id
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @start AND @end
),
computed AS (
  SELECT DISTINCT processor_name, entity_id, analysis_date
  FROM nba_orchestration.entity_verdicts
  WHERE {IN_RANGE} AND NOT is_stub
)
SELECT analysis_date, processor_name, COUNT(*) AS expected_players,
  COUNT(computed.entity_id) AS covered_players,
  ROUND(100 * COUNT(computed.entity_id) / COUNT(*), 2) AS coverage_pct
FROM played
CROSS JOIN processors
LEFT JOIN computed USING (processor_name, entity_id, analysis_date)
GROUP BY analysis_date, processor_name
ORDER BY analysis_date, processor_name""",
    RANGE,
)

_COVERAGE_PARTS = Query(
    "coverage_parts",
    "What each processor and day owed by its newest receipt: keys real, synthetic and lacking, and absences excused.",
    f"""SELECT analysis_date, processor_name, status, coverage_expected AS expected_keys,
  coverage_written - COALESCE(coverage_synthetic, 0) AS real_keys, coverage_explained AS excused_keys,
  COALESCE(coverage_synthetic, 0) AS synthetic_keys,
  coverage_expected - coverage_written - coverage_explained AS lacking_keys, ROUND(coverage_pct, 2) AS coverage_pct
FROM nba_orchestration.coverage
WHERE {IN_RANGE}
ORDER BY analysis_date, processor_name""",
    RANGE,
)

_DEAD_LETTERS = Query(
    "dead_lettered",
    "Entities that were left out because an upstream row in their windows contradicts itself.",
    f"""SELECT processor_name, entity_id, analysis_date
FROM nba_processing.precompute_failures
WHERE failure_category = 'PROCESSING_ERROR' AND {IN_RANGE}
ORDER BY analysis_date, processor_name, entity_id""",
    RANGE,
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
    {**DAY, "processor": "STRING"},
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
    RANGE,
)

QUERIES = (
    _GAME_DAYS,
    _NEWEST_GAME_DAYS,
    _GAPS,
    _BACKFILL_STATUS,
    _COVERAGE,
    _COVERAGE_PARTS,
    _DEAD_LETTERS,
    _LOST_GAME_DAYS,
    _SUMMARY_VALIDITY,
)
