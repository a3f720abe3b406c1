"""Views, in BigQuery's dialect: what consumers, dashboards and commands read instead of the tables.

In order of dependence.  No view knows the time; what depends on a clock is a query with a parameter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fullcourt.domain.breaker import CLOSE, OVERRIDE, RESET
from fullcourt.domain.calendar import CALLED_OFF, COUNTED_TYPES, FINAL
from fullcourt.domain.processors import GATED, PROCESSORS, Processor
from fullcourt.domain.tables import PublishMode, Table
from fullcourt.warehouse.kept import kept
from schemas import TABLES
from schemas.completeness import DNP_LINEAGE, STANDARD, completeness

# Rows with other reasons are stubs: keys and verdict, no business columns.
COMPUTED_REASONS = ("processed_successfully", "bootstrap_mode_allowed", "processed_with_incomplete_upstream")


@dataclass(frozen=True)
class View:
    name: str
    dataset: str
    doc: str
    sql: str

    @property
    def id(self) -> str:
        return f"{self.dataset}.{self.name}"

    @cached_property
    def columns(self) -> frozenset[str]:
        return frozenset(kept(self.sql, _selected, __file__))


def _selected(sql: str) -> tuple[str, ...]:
    import sqlglot  # on use: it takes long to import

    return tuple(sqlglot.parse_one(sql, read="bigquery").named_selects)


def _quoted(values: Iterable[str]) -> str:
    """The constants of a rule, as SQL strings."""
    return ", ".join(f"'{value}'" for value in values)


def _ready(table: Table) -> View:
    """A superseded prediction is not ready, whatever its verdict was."""
    active = " AND is_active" if table.publish is PublishMode.SUPERSEDE else ""
    return View(
        name=f"{table.name}_ready",
        dataset=table.dataset,
        doc=f"Rows of {table.name} that consumers may use.",
        sql=f"SELECT {', '.join(table.by_name)}\nFROM {table.read_id}\nWHERE is_production_ready{active}",
    )


def _all(table: Table) -> View:
    """Of a key in both places the table has the newer row."""
    columns = ", ".join(table.by_name)
    same_key = " AND ".join(f"live.{name} = past.{name}" for name in table.grain)
    live, history = table.stored_in
    return View(
        name=f"{table.name}_all",
        dataset=table.dataset,
        doc=f"{table.name} and its history: a clean-up moves rows from the one to the other, and changes nothing here.",
        sql=f"""SELECT {columns}
FROM {live}
UNION ALL
SELECT {columns}
FROM {history} AS past
WHERE NOT EXISTS (SELECT 1 FROM {live} AS live WHERE {same_key})""",
    )


def _by_analysis_date(processor: Processor) -> View:
    table = TABLES[processor.name]
    columns = ", ".join(column.name for column in completeness(processor))
    return View(
        name=f"{table.name}_by_analysis_date",
        dataset=table.dataset,
        doc=f"Verdicts of {table.name} under the key that all processors share: entity_id and analysis_date.",
        sql=f"""SELECT {processor.key_column} AS entity_id, {processor.day_column} AS analysis_date, {columns}
FROM {table.read_id}""",
    )


_BY_ANALYSIS_DATE = [_by_analysis_date(processor) for processor in GATED]


def _verdicts(view: View) -> str:
    columns = ", ".join(column.name for column in (*STANDARD, *DNP_LINEAGE))
    return f"""SELECT '{view.name.removesuffix("_by_analysis_date")}' AS processor_name, entity_id, analysis_date,
  COALESCE(processing_decision_reason, '') NOT IN ({_quoted(COMPUTED_REASONS)}) AS is_stub, {columns}
FROM {view.id}"""


_ENTITY_VERDICTS = View(
    name="entity_verdicts",
    dataset="nba_orchestration",
    doc="Every processor's verdict on every entity and day; is_stub marks rows that were held back.",
    sql="\nUNION ALL\n".join(_verdicts(view) for view in _BY_ANALYSIS_DATE),
)


def _missing_games(processor: Processor) -> str:
    return f"""SELECT '{processor.name}' AS processor_name, {processor.key_column} AS entity_id,
  {processor.day_column} AS analysis_date, missing AS game_id, PARSE_DATE('%Y%m%d', SUBSTR(missing, 1, 8)) AS game_date
FROM {TABLES[processor.name].read_id}, UNNEST(missing_game_ids) AS missing
WHERE NOT is_production_ready"""


_MISSING_GAMES = View(
    name="missing_games",
    dataset="nba_orchestration",
    doc="What missing games hold back: one row per processor, entity and day that is not ready, and game it lacks.",
    sql="\nUNION ALL\n".join(_missing_games(processor) for processor in GATED),
)

_COUNTED_TEAM_GAMES = View(
    name="counted_team_games",
    dataset="nba_raw",
    doc="Games that count, one row per team and game: regular season, play-in and playoffs, not called off.",
    sql=f"""WITH counted AS (
  SELECT season_year, game_date, game_id, nba_game_id, game_status = {FINAL} AS is_final,
    home_team_tricode, away_team_tricode, home_team_score, away_team_score
  FROM nba_raw.nbac_schedule
  WHERE season_type IN ({_quoted(COUNTED_TYPES)}) AND game_id IS NOT NULL
    AND COALESCE(game_status_text, '') NOT IN ({_quoted(CALLED_OFF)})
    AND NOT (game_status = {FINAL} AND (home_team_score IS NULL OR away_team_score IS NULL))
)
SELECT season_year, game_date, game_id, nba_game_id, is_final, home_team_tricode AS team_abbr,
  away_team_tricode AS opponent_team_abbr, TRUE AS home_game, home_team_score AS score
FROM counted
UNION ALL
SELECT season_year, game_date, game_id, nba_game_id, is_final, away_team_tricode AS team_abbr,
  home_team_tricode AS opponent_team_abbr, FALSE AS home_game, away_team_score AS score
FROM counted""",
)

_BREAKER_STATE = View(
    name="breaker_state",
    dataset="nba_orchestration",
    doc="Every breaker that ever had an attempt, one row per processor, entity and day: its newest attempt since the "
    "last reset or close (attempt_number 0: none), and the last action. At an instant it is open if open_until is "
    "later, else half-open if circuit_breaker_tripped, else closed.",
    sql=f"""WITH acted AS (
  SELECT processor_name, entity_id, analysis_date, MAX(acted_at) AS acted_at,
    MAX(IF(action IN ('{RESET}', '{CLOSE}'), acted_at, NULL)) AS cleared_at,
    MAX(IF(action = '{OVERRIDE}', acted_at, NULL)) AS overridden_at
  FROM nba_orchestration.breaker_actions
  GROUP BY processor_name, entity_id, analysis_date
),
last_action AS (
  SELECT processor_name, entity_id, analysis_date, action, acted_by, reason
  FROM nba_orchestration.breaker_actions
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY processor_name, entity_id, analysis_date ORDER BY acted_at DESC, action_id
  ) = 1
),
attempts AS (
  SELECT processor_name, entity_id, analysis_date, attempt_number, attempted_at, completeness_pct, skip_reason,
    circuit_breaker_tripped, circuit_breaker_until, missing_games_hash, notes, acted_at,
    COALESCE(attempted_at > cleared_at, TRUE) AS live, COALESCE(overridden_at >= attempted_at, FALSE) AS overridden,
    GREATEST(attempted_at, COALESCE(acted_at, attempted_at)) AS fact_at
  FROM nba_orchestration.reprocess_attempts
  LEFT JOIN acted USING (processor_name, entity_id, analysis_date)
),
newest AS (
  SELECT *, MAX(fact_at) OVER (PARTITION BY processor_name, entity_id, analysis_date) AS last_fact_at
  FROM attempts
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY processor_name, entity_id, analysis_date ORDER BY live DESC, attempted_at DESC, attempt_number DESC
  ) = 1
)
SELECT processor_name, entity_id, analysis_date, IF(live, attempt_number, 0) AS attempt_number,
  IF(live, attempted_at, NULL) AS attempted_at, IF(live, completeness_pct, NULL) AS completeness_pct,
  IF(live, skip_reason, NULL) AS skip_reason, live AND circuit_breaker_tripped AS circuit_breaker_tripped,
  IF(live, circuit_breaker_until, NULL) AS circuit_breaker_until, live AND overridden AS overridden,
  IF(live AND NOT overridden, circuit_breaker_until, NULL) AS open_until,
  IF(live, missing_games_hash, NULL) AS missing_games_hash, IF(live, notes, NULL) AS notes, last_fact_at,
  action, acted_at, acted_by, reason
FROM newest
LEFT JOIN last_action USING (processor_name, entity_id, analysis_date)""",
)

_REPROCESS_ATTEMPTS_SUMMARY = View(
    name="reprocess_attempts_summary",
    dataset="nba_orchestration",
    doc="The newest attempt ever, one row per processor, entity and day; is_current unless reset or closed since.",
    sql="""WITH newest AS (
  SELECT processor_name, entity_id, analysis_date, attempt_number, attempted_at, completeness_pct, skip_reason,
    circuit_breaker_tripped, circuit_breaker_until, notes
  FROM nba_orchestration.reprocess_attempts
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY processor_name, entity_id, analysis_date ORDER BY attempted_at DESC, attempt_number DESC
  ) = 1
)
SELECT newest.processor_name, newest.entity_id, newest.analysis_date, newest.attempt_number,
  newest.attempt_number AS attempt_count, newest.attempted_at, newest.completeness_pct, newest.skip_reason,
  newest.circuit_breaker_tripped, newest.circuit_breaker_until, newest.notes,
  state.attempt_number > 0 AS is_current, state.overridden
FROM newest
JOIN nba_orchestration.breaker_state AS state
  ON state.processor_name = newest.processor_name
  AND state.entity_id = newest.entity_id
  AND state.analysis_date = newest.analysis_date""",
)

_RECEIPTS = TABLES["publish_receipts"]
_LATEST_RECEIPTS = View(
    name="latest_receipts",
    dataset="nba_orchestration",
    doc="The newest receipt of each processor and day: what stands in the table now.",
    sql=f"""SELECT {", ".join(_RECEIPTS.by_name)}
FROM {_RECEIPTS.id}
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY processor_name, analysis_date ORDER BY published_at DESC, publish_id DESC
) = 1""",
)

_BACKFILL_PROCESSING_METADATA = View(
    name="backfill_processing_metadata",
    dataset="nba_orchestration",
    doc="Coverage of each processor and day by its newest receipt, under the names of the backfill tracker.",
    sql="""SELECT analysis_date, processor_name, run_id, coverage_expected AS expected_players,
  coverage_written AS actual_players, ROUND(coverage_pct, 2) AS coverage_pct, data_source,
  published_at AS last_created_at, status, published_at AS tracked_at, mode, forced
FROM nba_orchestration.latest_receipts""",
)

_COVERAGE = View(
    name="coverage",
    dataset="nba_orchestration",
    doc="What each processor and day owed, what is there, and what is explained, by its newest receipt.",
    sql="""SELECT processor_name, analysis_date, coverage_expected, coverage_written, coverage_explained,
  coverage_synthetic, coverage_pct, status
FROM nba_orchestration.latest_receipts""",
)

_RUN_DAYS = View(
    name="run_days",
    dataset="nba_orchestration",
    doc="The days that each run covered, first and last; runs that were skipped and drills left out.",
    sql="""SELECT processor_name, run_id, status, started_at,
  COALESCE(SAFE_CAST(JSON_VALUE(summary, '$.first_day') AS DATE), data_date) AS first_day, data_date AS last_day
FROM nba_reference.processor_run_history
WHERE status <> 'skipped' AND NOT COALESCE(test_mode, FALSE)""",
)

_OUTPUTS = " UNION ALL ".join(
    f"SELECT '{processor.name}' AS processor_name, '{processor.phase.value}' AS phase" for processor in PROCESSORS
)
_EXPECTED_OUTPUTS = View(
    name="expected_outputs",
    dataset="nba_orchestration",
    doc="Every game day of every season and every output it owes: EXPECTED while there is no receipt, EMPTY_OK when "
    "nothing was owed, else COMPLETE or DEGRADED.",
    sql=f"""WITH outputs AS (
  {_OUTPUTS}
),
game_days AS (SELECT DISTINCT season_year, game_date FROM nba_raw.counted_team_games)
SELECT game_days.season_year, game_days.game_date AS analysis_date, outputs.phase, outputs.processor_name,
  CASE
    WHEN receipts.status IS NULL THEN 'EXPECTED'
    WHEN receipts.status = 'COMPLETE' AND receipts.row_count = 0 THEN 'EMPTY_OK'
    WHEN receipts.status = 'COMPLETE' THEN 'COMPLETE'
    ELSE 'DEGRADED'
  END AS status
FROM game_days CROSS JOIN outputs
LEFT JOIN nba_orchestration.latest_receipts AS receipts
  ON receipts.processor_name = outputs.processor_name AND receipts.analysis_date = game_days.game_date""",
)

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        *(_all(table) for table in TABLES.values() if table.archived),
        *(_ready(table) for table in TABLES.values() if table.readiness),
        *_BY_ANALYSIS_DATE,
        _COUNTED_TEAM_GAMES,
        _ENTITY_VERDICTS,
        _MISSING_GAMES,
        _BREAKER_STATE,
        _REPROCESS_ATTEMPTS_SUMMARY,
        _LATEST_RECEIPTS,
        _BACKFILL_PROCESSING_METADATA,
        _COVERAGE,
        _EXPECTED_OUTPUTS,
        _RUN_DAYS,
    )
}
