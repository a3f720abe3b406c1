"""How much of what a day owed is there: expected, written and explained keys, read back from the tables."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fullcourt.domain.processors import Entity, Phase, Processor
from fullcourt.domain.records import EXPLAINED, INCOMPLETE_COVERAGE, WHOLE_DAY
from fullcourt.warehouse.queries.fallback import FIRST_LISTED
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES

PASS_PERCENT = 90.0
WARNING_PERCENT = 95.0

_COMPUTED = ", ".join(f"'{reason}'" for reason in COMPUTED_REASONS)

# A player whose context was left out for want of games is explained: there is nothing to predict from.
_PREDICTIONS = f"""
WITH games AS (
  SELECT game_date AS day, COUNT(*) AS games FROM nba_raw.counted_team_games
  WHERE game_date IN UNNEST(@days) GROUP BY game_date
),
owed AS (
  SELECT game_date AS day, player_lookup FROM {TABLES["upcoming_player_game_context"].read_id}
  WHERE game_date IN UNNEST(@days)
  UNION DISTINCT
  SELECT analysis_date, entity_id FROM nba_processing.precompute_failures
  WHERE processor_name = 'upcoming_player_game_context' AND failure_category = '{EXPLAINED}'
    AND analysis_date IN UNNEST(@days)
),
predicted AS (
  SELECT DISTINCT game_date AS day, player_lookup FROM nba_predictions.player_prop_predictions
  WHERE is_active AND game_date IN UNNEST(@days)
),
answered AS (
  SELECT DISTINCT analysis_date AS day, entity_id AS player_lookup FROM nba_processing.precompute_failures
  WHERE analysis_date IN UNNEST(@days) AND (processor_name = 'player_prop_predictions'
    OR (processor_name = 'upcoming_player_game_context' AND failure_category = '{EXPLAINED}'))
),
counted AS (
  SELECT owed.day, COUNT(*) AS expected, COUNTIF(predicted.player_lookup IS NOT NULL) AS written,
    COUNTIF(predicted.player_lookup IS NULL AND answered.player_lookup IS NOT NULL) AS explained
  FROM owed
  LEFT JOIN predicted ON predicted.day = owed.day AND predicted.player_lookup = owed.player_lookup
  LEFT JOIN answered ON answered.day = owed.day AND answered.player_lookup = owed.player_lookup
  GROUP BY owed.day
)
SELECT games.day, COALESCE(counted.expected, 0) AS expected, COALESCE(counted.written, 0) AS written,
  COALESCE(counted.explained, 0) AS explained, games.games AS finals
FROM games LEFT JOIN counted ON counted.day = games.day"""


def coverage_sql(processor: Processor) -> str:
    """SQL with @days (and @today): day, expected, written, explained, finals; one row a day with something expected.

    Summaries owe a row a team of every game that is final or past; the gated processors owe one for everybody who
    played on D (players) or plays on D (teams); predictions owe everybody with a context an answer.  finals counts the
    day's final team-games; of predictions, games of any state.
    """
    if processor.phase is Phase.PREDICTIONS:
        return _PREDICTIONS
    if not processor.windows:
        return _summaries(processor)
    return _players(processor) if processor.entity is Entity.PLAYER else _teams(processor)


def _summaries(processor: Processor) -> str:
    table = TABLES[processor.name]
    if processor.entity is Entity.PLAYER:
        # A team's players are there when their points make its score.
        there = f"""SELECT game_id, team_abbr, SUM(points) AS score FROM {table.id}
  WHERE game_date IN UNNEST(@days) GROUP BY game_id, team_abbr"""
        matches = "there.score = owed.score"
    else:
        team = table.grain[1]
        there = f"SELECT game_id, {team} AS team_abbr FROM {table.id} WHERE game_date IN UNNEST(@days)"
        matches = "there.game_id IS NOT NULL"
    return f"""
WITH there AS ({there})
SELECT owed.game_date AS day, COUNT(*) AS expected, COUNTIF({matches}) AS written, 0 AS explained,
  COUNTIF(owed.is_final) AS finals
FROM nba_raw.counted_team_games AS owed
LEFT JOIN there ON there.game_id = owed.game_id AND there.team_abbr = owed.team_abbr
WHERE owed.game_date IN UNNEST(@days) AND (owed.is_final OR owed.game_date < @today)
GROUP BY owed.game_date"""


def _players(processor: Processor) -> str:
    return f"""
WITH first_listed AS ({FIRST_LISTED}),
finals AS (
  SELECT game_date AS day, COUNT(*) AS finals FROM nba_raw.counted_team_games
  WHERE game_date IN UNNEST(@days) AND is_final GROUP BY game_date
),
owed AS (
  SELECT DISTINCT game_date AS day, season_year, player_lookup FROM nba_analytics.player_game_summary
  WHERE game_date IN UNNEST(@days)
),
counted AS (
  SELECT owed.day, COUNT(*) AS expected,
    COUNTIF(COALESCE(there.processing_decision_reason, '') IN ({_COMPUTED})) AS written,
    COUNTIF(there.player_lookup IS NULL AND (excused.entity_id IS NOT NULL OR debut.player_lookup IS NOT NULL))
      AS explained
  FROM owed
  LEFT JOIN {TABLES[processor.name].read_id} AS there
    ON there.player_lookup = owed.player_lookup AND there.{processor.day_column} = owed.day
  LEFT JOIN nba_processing.precompute_failures AS excused
    ON excused.processor_name = '{processor.name}' AND excused.entity_id = owed.player_lookup
    AND excused.analysis_date = owed.day AND excused.failure_category = '{EXPLAINED}'
  LEFT JOIN first_listed AS debut
    ON debut.player_lookup = owed.player_lookup AND debut.season_year = owed.season_year AND debut.first_day = owed.day
  GROUP BY owed.day
)
SELECT finals.day, COALESCE(counted.expected, 0) AS expected, COALESCE(counted.written, 0) AS written,
  COALESCE(counted.explained, 0) AS explained, finals.finals
FROM finals LEFT JOIN counted ON counted.day = finals.day"""


def _teams(processor: Processor) -> str:
    return f"""
SELECT owed.game_date AS day, COUNT(*) AS expected,
  COUNTIF(COALESCE(there.processing_decision_reason, '') IN ({_COMPUTED})) AS written,
  COUNTIF(there.team_abbr IS NULL AND excused.entity_id IS NOT NULL) AS explained,
  COUNTIF(owed.is_final) AS finals
FROM nba_raw.counted_team_games AS owed
LEFT JOIN {TABLES[processor.name].read_id} AS there
  ON there.team_abbr = owed.team_abbr AND there.{processor.day_column} = owed.game_date
LEFT JOIN nba_processing.precompute_failures AS excused
  ON excused.processor_name = '{processor.name}' AND excused.entity_id = owed.team_abbr
  AND excused.analysis_date = owed.game_date AND excused.failure_category = '{EXPLAINED}'
WHERE owed.game_date IN UNNEST(@days)
GROUP BY owed.game_date"""


def failure(output: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """A row of precompute_failures for a day that lacks what it owed.

    output: the day's receipt, or its row of the query output_days, where nulls say that nothing was published.
    """
    owed = output["coverage_expected"]
    if output["status"] == "EXPECTED":
        reason = "nothing was published"
    elif not owed:
        reason = "games were played, and nothing says by whom"
    else:
        there = output["coverage_written"] + output["coverage_explained"]
        reason = f"{there} of {owed} keys are there or explained, {output['coverage_pct']:g} %"
    return {
        "processor_name": output["processor_name"],
        "run_id": output["run_id"],
        "analysis_date": output["analysis_date"],
        "entity_id": WHOLE_DAY,
        "failure_category": INCOMPLETE_COVERAGE,
        "failure_reason": reason,
        "can_retry": True,
        "failure_type": "UNKNOWN",
        "is_correctable": True,
        "missing_game_dates": "[]",
        "missing_game_ids": [],
        "raw_data_checked": False,
        "resolution_status": "UNRESOLVED",
        "created_at": now,
    }
