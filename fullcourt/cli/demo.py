"""`fullcourt demo`: the whole way from landing files to verdicts, on a simulated half season with known defects."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import typer

from fullcourt.cli.options import Format
from fullcourt.cli.output import progress, show
from fullcourt.cli.phases import PHASES
from fullcourt.cli.schema import apply_plan
from fullcourt.demo.league import simulate, with_defects, write
from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import Phase, select
from fullcourt.warehouse import open_warehouse

START_YEAR = 2024
GAMES_PER_TEAM = 41

_VERDICTS_BY_PROCESSOR = """
SELECT processor_name AS processor, SUM(ready_count) AS ready, SUM(flagged_count) AS flagged,
  SUM(incomplete_count) AS incomplete, SUM(excluded_count) AS excluded,
  ROUND(AVG(mean_completeness_pct), 1) AS mean_pct
FROM nba_orchestration.latest_receipts
WHERE phase IN ('phase_3_analytics', 'phase_4_precompute') AND mean_completeness_pct IS NOT NULL
GROUP BY processor_name, phase ORDER BY phase, processor_name"""

_WORST_GAMES = """
SELECT game_id, COUNT(*) AS held_back, COUNT(DISTINCT entity_id) AS entities,
  MIN(analysis_date) AS first_day, MAX(analysis_date) AS last_day
FROM nba_processing.precompute_failures, UNNEST(missing_game_ids) AS game_id
GROUP BY game_id ORDER BY held_back DESC, game_id LIMIT 3"""

_HELD_BACK = """
SELECT entity_id AS entity, analysis_date AS day, processor_name AS processor, failure_reason AS reason,
  CONCAT(CAST(actual_game_count AS STRING), '/', CAST(expected_game_count AS STRING)) AS games
FROM nba_processing.precompute_failures
WHERE failure_category = 'INCOMPLETE_DATA' AND processor_name = 'player_shot_zone_analysis'
ORDER BY expected_game_count - actual_game_count DESC, analysis_date DESC, entity_id LIMIT 5"""


# One row a player: his line, if a bookmaker has one, and what each system says of him.
_SLATE = """
SELECT player_lookup AS player, MAX(team_abbr) AS team, MAX(opponent_team_abbr) AS opponent,
  MAX(CASE WHEN line_source <> 'estimated' THEN current_points_line END) AS line,
  MAX(CASE WHEN system_id = 'moving_average' THEN predicted_points END) AS moving_average,
  MAX(CASE WHEN system_id = 'zone_matchup_v1' THEN predicted_points END) AS zone_matchup,
  MAX(CASE WHEN system_id = 'similarity_balanced_v1' THEN predicted_points END) AS similarity,
  MAX(CASE WHEN system_id = 'xgboost_v1' THEN predicted_points END) AS xgboost,
  MAX(CASE WHEN system_id = 'ensemble_v1' THEN predicted_points END) AS ensemble,
  MAX(CASE WHEN system_id = 'ensemble_v1' THEN confidence_score END) AS confidence,
  MAX(CASE WHEN system_id = 'ensemble_v1' AND line_source <> 'estimated' THEN recommendation END) AS call,
  MAX(completeness_percentage) AS complete
FROM nba_predictions.player_prop_predictions
WHERE is_active AND game_date = @day
GROUP BY player_lookup ORDER BY ensemble DESC, player LIMIT 8"""

_NOT_PREDICTED = """
SELECT failure_reason AS reason, COUNT(*) AS players, MIN(entity_id) AS such_as
FROM nba_processing.precompute_failures
WHERE analysis_date = @day AND (processor_name = 'player_prop_predictions'
  OR (processor_name = 'upcoming_player_game_context' AND failure_category = 'EXPECTED_INCOMPLETE'))
GROUP BY failure_reason ORDER BY players DESC, reason"""


def run_demo(directory: Path) -> None:
    """Writes landing files and a warehouse below the directory, and prints what the gate found."""
    from fullcourt.orchestration.ingest import IngestRequest, ingest
    from fullcourt.orchestration.run import RunRequest, run_phase
    from pipelines import ingest as ingest_pipeline

    landing, file = directory / "landing", directory / "demo.duckdb"
    _claim(directory)
    for stale in directory.glob(f"{file.name}*"):  # the file, and a log that a killed run may have left
        if stale.is_file():
            stale.unlink()
    league, defects = with_defects(simulate([START_YEAR], games_per_team=GAMES_PER_TEAM))
    write(league, landing)
    warehouse = str(file)
    with progress("demo") as say:
        say("creating the warehouse")
        apply_plan(warehouse)
        start, end = (pc.min_max(league.schedule["game_date"])[edge].as_py() for edge in ("min", "max"))
        now = dt.datetime.combine(end + dt.timedelta(days=1), dt.time(12), dt.UTC)
        ingest(IngestRequest(warehouse, landing, now), ingest_pipeline, say)
        reports = {}
        for title, phase in PHASES.items():
            first = end if phase.phase is Phase.PREDICTIONS else start
            request = RunRequest(warehouse, select(phase.phase), first, end, now)
            reports[title] = run_phase(request, phase, say)
    days = reports["precompute"]["days"]
    typer.echo(f"A simulated half season, {days} game days up to {end}, with four known defects:")
    for defect in defects.in_order():
        typer.echo(f"  {defect.game_date}  {_described(defect)}")
    store = open_warehouse(warehouse)
    show(store.query(_VERDICTS_BY_PROCESSOR).to_pylist(), Format.TABLE, "Entity-days by verdict")
    show(store.query(_HELD_BACK).to_pylist(), Format.TABLE, "Held back: the five with the most missing games")
    show(
        store.query(_WORST_GAMES).to_pylist(), Format.TABLE, "The three worst missing games: entity-days they hold back"
    )
    (predicted,) = reports["predictions"]["processors"]
    typer.echo(f"Predictions for {', '.join(predicted['coordinator'])}")
    show(store.query(_SLATE, day=end).to_pylist(), Format.TABLE, "The top of the slate: points, by system")
    show(store.query(_NOT_PREDICTED, day=end).to_pylist(), Format.TABLE, "Not predicted, and why")
    worst = store.query(_HELD_BACK).to_pylist()
    if worst:
        typer.echo("See why, game by game:")
        typer.echo(f"  .venv/bin/fullcourt check {worst[0]['entity']} --date {worst[0]['day']} --warehouse {file}")


def _claim(directory: Path) -> None:
    """The demo writes into a directory of its own: a new or empty one, or one it marked before."""
    marker = directory / ".fullcourt-demo"
    if directory.exists() and (not directory.is_dir() or (any(directory.iterdir()) and not marker.exists())):
        raise UsageError(
            f"{directory} is not the demo's: expected a directory that is new, empty, or from an earlier demo"
        )
    directory.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _described(defect: Any) -> str:
    games = f"{len(defect.game_ids)} games" if len(defect.game_ids) > 1 else defect.game_ids[0]
    return f"{defect.what} ({games}{', ' + defect.team_tricode if defect.team_tricode else ''})"
