"""A small platform whose every row is known, on a morning on which nothing is wrong, and ways to break it."""

import datetime as dt
import json

import pyarrow as pa

from fullcourt.domain.processors import GATED, PROCESSORS
from schemas import TABLES

FIRST, LOST, EARLIER, D, NEXT = (dt.date(2023, 11, 1), *(dt.date(2024, 1, day) for day in (6, 8, 10, 12)))
MORNING = dt.datetime(2024, 1, 10, 11, tzinfo=dt.UTC)  # 06:00 US Eastern, when the night's run should be over
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TDZA, PSZA, PDC, MLFS, UPGC = (
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_daily_cache",
    "ml_feature_store_v2",
    "upcoming_player_game_context",
)
ENTITIES = [f"player{number:02}" for number in range(40)]
LOST_GAME = "20240106_AAA_BBB"


def insert(house, table, rows):
    schema = pa.schema([TABLES[table].arrow_schema.field(name) for name in rows[0]])
    with house.warehouse.transaction({}) as session:
        session.insert(table, pa.Table.from_pylist(rows, schema))


def execute(house, sql, **parameters):
    with house.warehouse.transaction({}) as session:
        session.execute(sql, **parameters)


def verdicts(processor, entities, day, **more):
    """Rows of entities that have all of ten games."""
    table = TABLES[processor.name]
    fixture = {"team_abbr": "AAA", "game_id": "20240110_AAA_BBB", "nba_game_id": "7", "feature_version": "v1"}
    flags = {gate.flag: True for gate in processor.hard}
    complete = {
        "expected_games_count": 10,
        "actual_games_count": 10,
        "missing_games_count": 0,
        "completeness_percentage": 100.0,
        "is_production_ready": True,
        "backfill_bootstrap_mode": False,
        "processing_decision_reason": "processed_successfully",
        "missing_game_ids": [],
    }
    named = {name: value for name, value in fixture.items() if name in table.by_name}
    keys = ({processor.key_column: entity, processor.day_column: day} for entity in entities)
    return [{**named, **flags, **complete, **key, **more} for key in keys]


def receipts(day, names, status="COMPLETE", **more):
    coverage = {"coverage_expected": 100, "coverage_written": 100, "coverage_explained": 0, "coverage_pct": 100.0}
    at = dt.datetime.combine(day, dt.time(10), dt.UTC)
    return [
        {"publish_id": f"{name} {day}", "run_id": "r", "processor_name": name, "analysis_date": day, "row_count": 40}
        | {"status": status, "published_at": at, **coverage, **more}
        for name in names
    ]


def attempts(processor, entities, day=D, number=3, at=MORNING - HOUR, days=7):
    tripped = number >= 3
    return [
        {"processor_name": processor, "entity_id": entity, "analysis_date": day, "attempt_number": number}
        | {"attempted_at": at, "circuit_breaker_tripped": tripped, "missing_games_hash": "h"}
        | {"circuit_breaker_until": at + days * DAY if tripped else None}
        for entity in entities
    ]


def run(processor, status, started, day=D):
    return {"processor_name": processor, "run_id": f"{processor} {started}", "data_date": day} | {
        "status": status,
        "started_at": started,
        "summary": json.dumps({"first_day": day.isoformat()}),
    }


def not_ready(house, table, entities, missing=(), pct=80.0, flags=()):
    """Holds entities of D back: short of games, named or not."""
    processor = next(p for p in GATED if p.name == table)
    sets = ", ".join(f"{flag} = FALSE" for flag in flags)
    execute(
        house,
        f"UPDATE {TABLES[table].id} SET is_production_ready = FALSE, completeness_percentage = @pct, "
        f"actual_games_count = CAST(@pct / 10 AS INT64), missing_game_ids = @missing{', ' if sets else ''}{sets} "
        f"WHERE {processor.key_column} IN UNNEST(@entities) AND {processor.day_column} = @day",
        pct=pct,
        missing=list(missing),
        entities=list(entities),
        day=D,
    )


def load(house, *days):
    """The box scores of days' games."""
    games = house.query(
        "SELECT nba_game_id, game_date FROM nba_raw.nbac_schedule WHERE game_date IN UNNEST(@d)", d=days
    )
    named = {"player_name": "x", "name_status": "resolved", "played": True}
    rows = [{**game, "team_abbr": team, **named} for game in games for team in ("AAA", "BBB")]
    insert(house, "nbac_gamebook_player_stats", rows)


def good_day(house):
    """A good morning: forty entities of each processor ready on D, all runs done, the games before D loaded."""
    house.now = MORNING
    games = [
        {"nba_game_id": str(number), "game_id": f"{day:%Y%m%d}_AAA_BBB", "game_date": day, "season_year": 2023}
        | {"season_type": "regular", "game_status": 3 if day < D else 1, "game_status_text": "x"}
        | {"home_team_tricode": "BBB", "away_team_tricode": "AAA"}
        | dict.fromkeys(("home_team_score", "away_team_score"), 100 if day < D else None)
        for number, day in enumerate((FIRST, LOST, EARLIER, D, NEXT))
    ]
    insert(house, "nbac_schedule", games)
    load(house, FIRST, LOST, EARLIER)
    for processor in GATED:
        rows = [row for day in (EARLIER, D) for row in verdicts(processor, ENTITIES, day)]
        insert(house, processor.name, rows)
    names = [processor.name for processor in PROCESSORS]
    insert(house, "publish_receipts", [*receipts(EARLIER, names), *receipts(D, names)])
    insert(house, "processor_run_history", [run(name, "success", MORNING - 2 * HOUR) for name in names])
    return house
