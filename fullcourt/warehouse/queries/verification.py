"""What verifies a phase: what its tables hold of each day, beside what the day owes.

Asked once for a whole range, never day by day.
"""

from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.domain.tables import PublishMode, Table
from fullcourt.warehouse.queries.query import RANGE, Query
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES

# Tables of landing files that every game day must have rows in.
LANDED = ("nbac_schedule", "nbac_gamebook_player_stats", "nbac_team_boxscore", "shot_zones")
RAW = LANDED[:3]
# Columns that are null only where the shots behind them are not known.
ZONES = {
    "player_game_summary": ("paint_attempts", "mid_range_attempts", "three_pt_zone_attempts"),
    "team_offense_game_summary": ("team_paint_attempts", "team_mid_range_attempts"),
    "team_defense_game_summary": ("opp_paint_attempts", "opp_mid_range_attempts", "opp_three_pt_attempts"),
    "team_defense_zone_analysis": (
        "paint_attempts_allowed_per_game",
        "mid_range_attempts_allowed_per_game",
        "three_pt_attempts_allowed_per_game",
    ),
    "player_shot_zone_analysis": (
        "paint_attempts_per_game",
        "mid_range_attempts_per_game",
        "three_pt_attempts_per_game",
    ),
}

# The source has shots of the regular season; of others it may have none at all, and then a day of these owes none.
DAYS_OWED = """WITH kinds AS (
  SELECT DISTINCT schedule.season_year, schedule.season_type
  FROM nba_raw.shot_zones AS shots
  JOIN nba_raw.nbac_schedule AS schedule ON schedule.nba_game_id = shots.nba_game_id
),
zoned AS (
  SELECT schedule.nba_game_id
  FROM nba_raw.nbac_schedule AS schedule
  LEFT JOIN kinds ON kinds.season_year = schedule.season_year AND kinds.season_type = schedule.season_type
  WHERE schedule.game_date BETWEEN @start AND @end
    AND (schedule.season_type = 'regular' OR kinds.season_type IS NOT NULL)
),
whole AS (
  SELECT game_id, team_abbr, SUM(points) AS score
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @start AND @end
  GROUP BY game_id, team_abbr
),
team_boxes AS (
  SELECT DISTINCT game_id, team_abbr FROM nba_raw.nbac_team_boxscore WHERE game_date BETWEEN @start AND @end
),
games AS (
  SELECT owed.game_date, COUNT(*) AS team_games, COUNTIF(owed.is_final) AS final_team_games,
    COUNTIF(owed.is_final AND whole.score = owed.score) AS whole_team_games,
    COUNTIF(owed.is_final AND team_boxes.game_id IS NOT NULL) AS team_boxscores,
    COUNTIF(zoned.nba_game_id IS NOT NULL) > 0 AS owes_zones
  FROM nba_raw.counted_team_games AS owed
  LEFT JOIN whole ON whole.game_id = owed.game_id AND whole.team_abbr = owed.team_abbr
  LEFT JOIN team_boxes ON team_boxes.game_id = owed.game_id AND team_boxes.team_abbr = owed.team_abbr
  LEFT JOIN zoned ON zoned.nba_game_id = owed.nba_game_id
  WHERE owed.game_date BETWEEN @start AND @end
  GROUP BY owed.game_date
),
entered AS (
  SELECT owed.game_date, COUNT(DISTINCT box.player_lookup) AS players_entered
  FROM nba_raw.nbac_gamebook_player_stats AS box
  JOIN nba_raw.counted_team_games AS owed ON owed.game_id = box.game_id AND owed.team_abbr = box.team_abbr
  WHERE box.game_date BETWEEN @start AND @end AND box.played AND owed.is_final
  GROUP BY owed.game_date
)
SELECT game_date, team_games, final_team_games, whole_team_games, team_boxscores, owes_zones,
  COALESCE(players_entered, 0) AS players_entered
FROM games
LEFT JOIN entered USING (game_date)
ORDER BY game_date"""

OUTPUT_DAYS = """SELECT outputs.season_year, outputs.analysis_date, outputs.phase, outputs.processor_name,
  outputs.status, receipts.run_id, receipts.row_count, receipts.coverage_expected, receipts.coverage_written,
  receipts.coverage_explained, ROUND(receipts.coverage_pct, 2) AS coverage_pct, receipts.max_null_share
FROM nba_orchestration.expected_outputs AS outputs
LEFT JOIN nba_orchestration.latest_receipts AS receipts
  ON receipts.processor_name = outputs.processor_name AND receipts.analysis_date = outputs.analysis_date
WHERE outputs.analysis_date BETWEEN @start AND @end
ORDER BY outputs.analysis_date, outputs.processor_name"""


def landed_days() -> str:
    """Per landing table and day: rows, the files they came from, and how many of these no manifest lists."""
    rows = "\n  UNION ALL\n".join(
        f"  SELECT '{TABLES[name].id}' AS table_name, game_date, source_file FROM {TABLES[name].id}\n"
        "  WHERE game_date BETWEEN @start AND @end"
        for name in LANDED
    )
    return f"""WITH listed AS (
  SELECT DISTINCT file_name, target_table FROM nba_orchestration.landing_manifest
  WHERE status IN ('loaded', 'unchanged')
),
landed AS (
{rows}
)
SELECT landed.table_name, landed.game_date, COUNT(*) AS row_count, COUNT(DISTINCT landed.source_file) AS files,
  COUNTIF(listed.file_name IS NULL) AS unlisted_rows,
  COUNT(DISTINCT IF(listed.file_name IS NULL, COALESCE(landed.source_file, ''), NULL)) AS unlisted_files
FROM landed
LEFT JOIN listed ON listed.file_name = landed.source_file AND listed.target_table = landed.table_name
GROUP BY landed.table_name, landed.game_date
ORDER BY landed.table_name, landed.game_date"""


def phase_tables(phase: Phase) -> tuple[Table, ...]:
    """The tables that a phase fills and that are verified."""
    if phase is Phase.INGEST:
        return tuple(TABLES[name] for name in RAW)
    return tuple(TABLES[processor.name] for processor in PROCESSORS if processor.phase is phase)


def stored_rows(phase: Phase) -> str:
    """Per table and day: standing rows, their keys, those with figures, and of these the percentage of unknown zones.

    A key on two days counts on the first of them.  unknown_zones_pct is that of the column with most nulls; null for a
    table without zones, and for a day without computed rows.
    """
    return "\nUNION ALL\n".join(map(_stored_rows, phase_tables(phase))) + "\nORDER BY table_name, day"


def _stored_rows(table: Table) -> str:
    keys = table.supersede_by or table.grain
    reasons = ", ".join(f"'{reason}'" for reason in COMPUTED_REASONS)
    computed = f"COALESCE(processing_decision_reason, '') IN ({reasons})" if table.readiness else "TRUE"
    standing = " AND is_active" if table.publish is PublishMode.SUPERSEDE else ""
    zones = ZONES.get(table.name, ())
    nulls = "".join(f",\n    COUNTIF({computed} AND {column} IS NULL) AS {column}" for column in zones)
    most = f"GREATEST({', '.join(f'SUM({column})' for column in zones)})" if zones else "CAST(NULL AS INT64)"
    return f"""SELECT '{table.id}' AS table_name, day, SUM(copies) AS row_count, COUNT(*) AS key_count,
  SUM(computed_rows) AS computed_rows, 100 * {most} / NULLIF(SUM(computed_rows), 0) AS unknown_zones_pct
FROM (
  SELECT MIN({table.day}) AS day, COUNT(*) AS copies, COUNTIF({computed}) AS computed_rows{nulls}
  FROM {table.read_id}
  WHERE {table.day} BETWEEN @start AND @end{standing}
  GROUP BY {", ".join(keys)}
) AS by_key
GROUP BY day"""


QUERIES = (
    Query(
        "days_owed",
        "Per day of the schedule: team-games, those that are final, those whose players' points make the score or that "
        "have a team box score, the players who entered final ones, and whether the day owes shots by zone.",
        DAYS_OWED,
        RANGE,
    ),
    Query(
        "landed_days",
        "Rows of each landing table and day, the files they came from, and what of it no manifest lists as loaded.",
        landed_days(),
        RANGE,
    ),
    *(
        Query(
            f"stored_rows_{phase.name.lower()}",
            f"Rows, keys, rows with figures and unknown zones of each table of {phase.value} and day.",
            stored_rows(phase),
            RANGE,
        )
        for phase in Phase
    ),
    Query(
        "output_days",
        "Every output that a game day owes, its status, and what its newest receipt says; nulls where there is none.",
        OUTPUT_DAYS,
        RANGE,
    ),
)
