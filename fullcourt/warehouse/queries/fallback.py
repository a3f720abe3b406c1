"""Whether a backfill must do without a day's context: what is there of it and of its substitute."""

from fullcourt.domain.fallback import CONTEXT
from fullcourt.domain.records import EXPLAINED
from fullcourt.warehouse.queries.query import Query
from schemas import TABLES

# A player's first listing of a season: on that day nothing could be known of him.
FIRST_LISTED = """
  SELECT player_lookup, season_year, MIN(game_date) AS first_day
  FROM (
    SELECT player_lookup, season_year, game_date FROM nba_raw.nbac_gamebook_player_stats
    UNION ALL
    SELECT player_lookup, season_year, game_date FROM nba_raw.inactive_lists
  ) AS listings
  WHERE player_lookup IS NOT NULL
  GROUP BY player_lookup, season_year
"""

# Held-back rows of the context count: they are there, and wait for a player's history.
CONTEXT_COVERAGE = f"""WITH first_listed AS ({FIRST_LISTED}),
scored AS (
  SELECT game_id, team_abbr, SUM(points) AS score FROM nba_analytics.player_game_summary
  WHERE game_date IN UNNEST(@days) GROUP BY game_id, team_abbr
),
finals AS (
  SELECT games.game_date, COUNT(*) AS team_games, COUNTIF(scored.score = games.score) AS whole_team_games
  FROM nba_raw.counted_team_games AS games
  LEFT JOIN scored ON scored.game_id = games.game_id AND scored.team_abbr = games.team_abbr
  WHERE games.game_date IN UNNEST(@days) AND games.is_final
  GROUP BY games.game_date
),
played AS (
  SELECT DISTINCT game_date, season_year, player_lookup FROM nba_analytics.player_game_summary
  WHERE game_date IN UNNEST(@days)
),
contexts AS (
  SELECT DISTINCT game_date, player_lookup FROM {TABLES[CONTEXT].read_id} WHERE game_date IN UNNEST(@days)
),
excused AS (
  SELECT DISTINCT analysis_date, entity_id FROM nba_processing.precompute_failures
  WHERE processor_name = '{CONTEXT}' AND failure_category = '{EXPLAINED}' AND analysis_date IN UNNEST(@days)
),
counted AS (
  SELECT played.game_date, COUNT(*) AS expected, COUNTIF(contexts.player_lookup IS NOT NULL) AS real_players,
    COUNTIF(contexts.player_lookup IS NULL AND (excused.entity_id IS NOT NULL OR debut.player_lookup IS NOT NULL))
      AS explained
  FROM played
  LEFT JOIN contexts ON contexts.game_date = played.game_date AND contexts.player_lookup = played.player_lookup
  LEFT JOIN excused ON excused.analysis_date = played.game_date AND excused.entity_id = played.player_lookup
  LEFT JOIN first_listed AS debut
    ON debut.player_lookup = played.player_lookup AND debut.season_year = played.season_year
    AND debut.first_day = played.game_date
  GROUP BY played.game_date
)
SELECT finals.game_date, COALESCE(expected, 0) AS expected, COALESCE(real_players, 0) AS real_players,
  COALESCE(explained, 0) AS explained, team_games, whole_team_games
FROM finals
LEFT JOIN counted USING (game_date)
ORDER BY finals.game_date"""

QUERIES = (
    Query(
        "context_coverage",
        "Per game day with a final game, how many of the players in player_game_summary have a context, or none and a "
        "reason; and whether that table is whole itself: final team-games, and those whose players' points make the "
        "score.",
        CONTEXT_COVERAGE,
        {"days": "ARRAY<DATE>"},
    ),
)
