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
from fullcourt.domain.processors import select
from fullcourt.warehouse import open_warehouse

START_YEAR = 2024
GAMES_PER_TEAM = 41

_VERDICTS_BY_PROCESSOR = """
SELECT processor_name AS processor, SUM(ready_count) AS ready, SUM(flagged_count) AS flagged,
  SUM(incomplete_count) AS incomplete, SUM(excluded_count) AS excluded,
  ROUND(AVG(mean_completeness_pct), 1) AS mean_pct
FROM nba_orchestration.latest_receipts
WHERE phase = 'phase_4_precompute'
GROUP BY processor_name ORDER BY processor_name"""

_WORST_GAMES = """
SELECT game_id, COUNT(*) AS held_back, COUNT(DISTINCT entity_id) AS entities,
  MIN(analysis_date) AS first_day, MAX(analysis_date) AS last_day
FROM nba_processing.precompute_failures, UNNEST(missing_game_ids) AS game_id
GROUP BY game_id ORDER BY held_back DESC, game_id LIMIT 3"""

_HELD_BACK = """
SELECT entity_id AS entity, analysis_date AS day, processor_name AS processor, failure_reason AS reason,
  CONCAT(CAST(actual_game_count AS STRING), '/', CAST(expected_game_count AS STRING)) AS games
FROM nba_processing.precompute_failures
WHERE failure_category = 'INCOMPLETE_DATA'
ORDER BY expected_game_count - actual_game_count DESC, analysis_date DESC, entity_id LIMIT 5"""


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
        for phase in PHASES.values():
            report = run_phase(RunRequest(warehouse, select(phase.phase), start, end, now), phase.pipeline(), say)
    typer.echo(f"A simulated half season, {report['days']} game days up to {end}, with four known defects:")
    for defect in defects.in_order():
        typer.echo(f"  {defect.game_date}  {_described(defect)}")
    store = open_warehouse(warehouse)
    show(store.query(_VERDICTS_BY_PROCESSOR).to_pylist(), Format.TABLE, "Entity-days by verdict")
    show(store.query(_HELD_BACK).to_pylist(), Format.TABLE, "Held back: the five with the most missing games")
    show(
        store.query(_WORST_GAMES).to_pylist(), Format.TABLE, "The three worst missing games: entity-days they hold back"
    )
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
