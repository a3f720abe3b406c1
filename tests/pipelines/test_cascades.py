"""Processors that read each other: in one job or alone, by policy, and each entity and day through one way out."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from fullcourt.domain.processors import BY_NAME, GATED, CascadePolicy, Entity, Phase, select
from schemas import TABLES
from tests.houses import House

PSZA, PDC, PCF, MLFS = (
    "player_shot_zone_analysis",
    "player_daily_cache",
    "player_composite_factors",
    "ml_feature_store_v2",
)
ANALYTICS = [processor.name for processor in select(Phase.ANALYTICS)]
CONTEXTS = [name for name in ANALYTICS if BY_NAME[name].windows]
SUMMARIES = [name for name in ANALYTICS if name not in CONTEXTS]
PRECOMPUTE = [processor.name for processor in select(Phase.PRECOMPUTE)]


def rows_of(house: House, name: str, day: dt.date) -> dict[str, dict]:
    """The published rows of the day by entity."""
    processor = BY_NAME[name]
    rows = house.query(f"SELECT * FROM {TABLES[name].id} WHERE {processor.day_column} = @day", day=day)
    return {row[processor.key_column]: row for row in rows}


def execute(house: House, sql: str, **parameters) -> None:
    with house.warehouse.transaction({}) as session:
        session.execute(sql, **parameters)


def attempted(house: House, name: str, day: dt.date) -> Counter:
    """How many attempts each entity has."""
    rows = house.query(
        "SELECT entity_id FROM nba_orchestration.reprocess_attempts WHERE processor_name = @name "
        "AND analysis_date = @day",
        name=name,
        day=day,
    )
    return Counter(row["entity_id"] for row in rows)


# ---- in one job or alone


def test_precompute_in_one_job_is_five_jobs_in_their_order(season, season_house, chain):
    for name in PRECOMPUTE:
        season_house.run("precompute", season.judged[0], season.judged[-1], processors=[name])
    for name in PRECOMPUTE:
        alone, together = (house.table(name, content=True) for house in (season_house, chain.house))
        assert alone.equals(together), name
        assert alone.num_rows > 0, name


def test_analytics_in_one_job_is_summaries_first_and_then_each_context(season, season_house, tmp_path):
    """Of the same days once more, after their rows are gone; and both are what one job over all days had made."""
    whole = season_house.tables(*ANALYTICS, content=True)
    for name in ANALYTICS:
        execute(season_house, f"DELETE FROM {TABLES[name].id} WHERE game_date IN UNNEST(@days)", days=season.judged)
    alone = season_house.copy(tmp_path / "alone.duckdb")
    season_house.run("analytics", season.judged[0], season.judged[-1])
    for names in (SUMMARIES, *([name] for name in CONTEXTS)):
        alone.run("analytics", season.judged[0], season.judged[-1], processors=names)
    apart, together = (house.tables(*ANALYTICS, content=True) for house in (alone, season_house))
    for name in ANALYTICS:
        assert apart[name] == together[name] == whole[name], name
        assert whole[name].num_rows > 0, name


# ---- policy


SKIPPING = (replace(BY_NAME[PCF], cascade_policy=CascadePolicy.SKIP),)
FLAGGING = (BY_NAME[PCF],)


@pytest.fixture(scope="module")
def caches(season, tmp_path_factory) -> House:
    """All that the factors of the last day read; not to be written to."""
    house = season.house.copy(tmp_path_factory.mktemp("caches") / "house.duckdb")
    house.run("precompute", season.judged[-1], processors=PRECOMPUTE[:3])
    return house


@pytest.fixture(scope="module")
def undamaged(season, caches, tmp_path_factory) -> dict[str, dict]:
    """The factors of the last day."""
    house = caches.copy(tmp_path_factory.mktemp("factors") / "house.duckdb")
    house.run("precompute", season.judged[-1], processors=FLAGGING)
    return rows_of(house, PCF, season.judged[-1])


@pytest.fixture
def house(caches, tmp_path) -> House:
    return caches.copy(tmp_path / "house.duckdb")


MISSING, NOT_READY = "missing", "not ready"


@pytest.fixture(params=[MISSING, NOT_READY])
def player(request, season, house, undamaged) -> str:
    """One whose factors have no issue, before his cache row is taken away or no longer ready."""
    name = min(name for name, row in undamaged.items() if not row["data_quality_issues"])
    where = f"{TABLES[PDC].id} {{}} WHERE player_lookup = @name AND cache_date = @day"
    verb = "DELETE FROM {}" if request.param == MISSING else "UPDATE {}"
    change = "" if request.param == MISSING else "SET is_production_ready = FALSE"
    execute(house, verb.format(where.format(change)), name=name, day=season.judged[-1])
    return name


def others(rows: dict[str, dict], name: str) -> dict[str, dict]:
    """Everybody else's row, without bookkeeping."""
    kept = TABLES[PCF].content_columns
    return {player: {column: row[column] for column in kept} for player, row in rows.items() if player != name}


def test_under_skip_an_entity_without_its_gate_waits(season, house, player):
    day = season.judged[-1]
    house.run("precompute", day, processors=SKIPPING)
    row = rows_of(house, PCF, day)[player]
    assert row["processing_decision_reason"] == "incomplete_upstream_dependencies"
    assert (row["is_production_ready"], row["upstream_player_daily_cache_ready"]) == (False, False)
    assert row["missing_games_count"] == 0
    assert row["data_quality_issues"] == ["upstream_player_daily_cache_incomplete"]
    figures = ("fatigue_score", "shot_zone_mismatch_score", "total_composite_adjustment", "data_hash")
    assert {row[name] for name in figures} == {None}
    assert row["reprocess_attempt_count"] == attempted(house, PCF, day)[player] == 1
    (failure,) = house.query(
        "SELECT failure_category, can_retry, is_correctable FROM nba_processing.precompute_failures "
        "WHERE processor_name = @name AND entity_id = @player AND analysis_date = @day",
        name=PCF,
        player=player,
        day=day,
    )
    assert failure == {"failure_category": "UPSTREAM_INCOMPLETE", "can_retry": True, "is_correctable": False}


@pytest.mark.parametrize("player", [MISSING], indirect=True)
def test_under_skip_the_breaker_opens_and_closes_with_the_gate(season, house, player):
    day, cache = season.judged[-1], house.table(PDC)
    for hour in range(4):
        house.run("precompute", day, processors=SKIPPING, now=house.now + dt.timedelta(hours=hour))
    blocked = rows_of(house, PCF, day)[player]
    assert (blocked["processing_decision_reason"], blocked["circuit_breaker_active"]) == (
        "circuit_breaker_active",
        True,
    )
    assert attempted(house, PCF, day)[player] == 3
    assert house.table(PDC).equals(cache)
    house.run("precompute", day, processors=[PDC], now=house.now + dt.timedelta(hours=5))  # the row comes back
    execute(house, f"UPDATE {TABLES[PDC].id} SET is_production_ready = TRUE WHERE player_lookup = @p", p=player)
    house.run("precompute", day, processors=SKIPPING, now=house.now + dt.timedelta(hours=6))
    row = rows_of(house, PCF, day)[player]
    assert (row["is_production_ready"], row["circuit_breaker_active"]) == (True, False)
    assert attempted(house, PCF, day)[player] == 3


def test_under_flag_an_entity_without_its_gate_is_computed_and_not_ready(season, house, player, undamaged):
    day = season.judged[-1]
    house.run("precompute", day, processors=FLAGGING)
    row = rows_of(house, PCF, day)[player]
    assert row["processing_decision_reason"] == "processed_with_incomplete_upstream"
    assert (row["is_production_ready"], row["upstream_player_daily_cache_ready"]) == (False, False)
    assert row["data_quality_issues"] == ["upstream_player_daily_cache_incomplete"]
    figures = ("fatigue_score", "shot_zone_mismatch_score", "total_composite_adjustment")
    assert [row[name] for name in figures] == [undamaged[player][name] for name in figures]
    assert row["reprocess_attempt_count"] == attempted(house, PCF, day)[player] == 0


@pytest.mark.parametrize("processors", [FLAGGING, SKIPPING], ids=["flag", "skip"])
def test_who_has_his_gate_does_not_notice_that_another_has_not(season, house, player, undamaged, processors):
    day = season.judged[-1]
    house.run("precompute", day, processors=processors)
    gated = {name for name, row in undamaged.items() if row["upstream_player_daily_cache_ready"]}
    after, before = others(rows_of(house, PCF, day), player), others(undamaged, player)
    assert len(gated) > 100
    assert {name: row for name, row in after.items() if name in gated} == {
        name: row for name, row in before.items() if name in gated
    }


def test_games_lost_reach_the_factors_through_the_cache(undamaged, season, caches):
    """One of the last five games is missing, one of the last ten: 4 of 5 holds the cache back, 9 of 10 no factors."""
    flagged = {
        name for name, row in undamaged.items()
        if row["processing_decision_reason"] == "processed_with_incomplete_upstream"
    }  # fmt: skip
    cached = rows_of(caches, PDC, season.judged[-1])
    held_back = {name for name, row in cached.items() if not row["is_production_ready"]}
    assert flagged
    assert flagged <= held_back
    assert all(cached[name]["l5_is_complete"] is False for name in flagged)
    assert {undamaged[name]["processing_decision_reason"] for name in held_back - flagged} <= {"incomplete_own_data"}


def test_a_soft_upstream_is_an_issue_and_a_default(season, house, undamaged):
    day = season.judged[-1]
    player = min(
        name
        for name, row in undamaged.items()
        if not row["data_quality_issues"] and row["shot_zone_mismatch_score"] != 0
    )
    execute(house, f"DELETE FROM {TABLES[PSZA].id} WHERE player_lookup = @p AND analysis_date = @d", p=player, d=day)
    house.run("precompute", day, processors=FLAGGING)
    row = rows_of(house, PCF, day)[player]
    assert row["is_production_ready"] is True
    assert row["data_quality_issues"] == ["upstream_player_shot_zone_incomplete"]
    assert row["shot_zone_mismatch_score"] == 0
    assert row["fatigue_score"] == undamaged[player]["fatigue_score"]
    assert row["missing_data_fields"] == "player_shot_zone"
    assert (row["source_player_shot_zone_rows_found"], row["source_player_shot_zone_hash"]) == (0, None)
    assert row["source_player_shot_zone_completeness_pct"] == 0


# ---- conservation


@pytest.fixture(scope="module")
def mixed(season, chain, tmp_path_factory) -> House:
    """The judged days once more, with rows that contradict themselves, and the breakers of two days open."""
    house = chain.house.copy(tmp_path_factory.mktemp("mixed") / "house.duckdb")
    for table, key, change in (
        ("player_game_summary", "player_lookup", "paint_makes = paint_attempts + 1, ft_makes = -1"),
        ("team_defense_game_summary", "defending_team_abbr", "opp_paint_makes = opp_paint_attempts + 1"),
    ):
        execute(
            house,
            f"UPDATE {TABLES[table].id} SET {change} WHERE game_date = @day AND LOWER({key}) < 'd'",
            day=season.days[-5],
        )
    attempts = TABLES["reprocess_attempts"]
    kept = ", ".join(name for name in attempts.by_name if name not in TRIPPED)
    execute(
        house,
        f"INSERT INTO {attempts.id} ({', '.join(TRIPPED)}, {kept}) SELECT {', '.join(TRIPPED.values())}, {kept} "
        f"FROM {attempts.id} WHERE attempt_number = 1 AND analysis_date IN UNNEST(@days)",
        days=season.judged[:2],
    )
    house.run("analytics", *ends(season), processors=CONTEXTS, allow_demotion=True)
    house.run("precompute", *ends(season), allow_demotion=True)
    return house


TRIPPED = {
    "attempt_number": "3",
    "attempted_at": "TIMESTAMP_ADD(attempted_at, INTERVAL 1 SECOND)",
    "circuit_breaker_tripped": "TRUE",
    "circuit_breaker_until": "TIMESTAMP_ADD(attempted_at, INTERVAL 168 HOUR)",
}
WAYS = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")


def ends(season):
    return season.judged[0], season.judged[-1]


def way_out(row: dict) -> str:
    """What a published row says became of its entity."""
    if row["is_production_ready"]:
        return "ready"
    if row["data_hash"] is not None:
        return "flagged"
    return "blocked" if row["circuit_breaker_active"] else "incomplete"


def ways(house: House, name: str, day: dt.date) -> Counter:
    """(entity, way out) of all that is published of the day, with the failures that are no rows."""
    failed = house.query(
        "SELECT entity_id, failure_category, failure_reason FROM nba_processing.precompute_failures "
        "WHERE processor_name = @name AND analysis_date = @day",
        name=name,
        day=day,
    )
    of_category = {"EXPECTED_INCOMPLETE": "excluded", "PROCESSING_ERROR": "dead_letter"}
    found = Counter((entity, way_out(row)) for entity, row in rows_of(house, name, day).items())
    held_back = {entity for entity, way in found if way in ("incomplete", "blocked")}
    assert held_back == {row["entity_id"] for row in failed if row["failure_category"] not in of_category}
    gone = [row for row in failed if row["failure_category"] in of_category]
    return found + Counter((row["entity_id"], of_category[row["failure_category"]]) for row in gone)


@pytest.mark.parametrize("processor", GATED, ids=lambda processor: processor.name)
def test_each_entity_day_leaves_through_one_way_out(season, mixed, processor):
    everything = Counter()
    for day in season.judged:
        found = ways(mixed, processor.name, day)
        entities = Counter(entity for entity, _ in found.elements())
        assert set(entities.values()) == {1}
        if processor.name != PSZA:  # it judges who was listed before the day, whatever the day has
            assert set(entities) == owed(mixed, processor, day)
        (receipt,) = mixed.query(
            "SELECT * FROM nba_orchestration.latest_receipts WHERE processor_name = @name AND analysis_date = @day",
            name=processor.name,
            day=day,
        )
        counted = Counter(way for _, way in found.elements())
        assert {way: receipt[f"{way}_count"] for way in WAYS} == {way: counted[way] for way in WAYS}
        assert receipt["row_count"] == len(rows_of(mixed, processor.name, day))
        everything += counted
    letters = mixed.query(
        "SELECT entity_id, analysis_date FROM nba_orchestration.dead_letters WHERE processor_name = @name",
        name=processor.name,
    )
    assert len(letters) == everything["dead_letter"]
    taken = {way for way, count in everything.items() if count}
    assert taken >= LEAST[processor.name]


HELD = {"ready", "incomplete", "blocked"}
# The ways out that somebody takes, so that nothing is proved of nobody.
LEAST = {
    "upcoming_team_game_context": {"ready", "flagged"},
    "upcoming_player_game_context": HELD | {"excluded"},
    "team_defense_zone_analysis": HELD | {"dead_letter"},
    "player_shot_zone_analysis": HELD | {"excluded", "dead_letter"},
    "player_daily_cache": HELD | {"excluded"},
    "player_composite_factors": HELD | {"excluded", "flagged"},
    "ml_feature_store_v2": HELD | {"excluded", "flagged", "dead_letter"},
}


def owed(house: House, processor, day: dt.date) -> set[str]:
    """Who must leave through some way: the teams of the league or of the day, the players its box scores list."""
    if processor.entity is Entity.PLAYER:
        sql = "SELECT player_lookup AS name FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = @day"
        return {row["name"] for row in house.query(sql, day=day)} - {None}
    sql = "SELECT {}_team_tricode AS name FROM nba_raw.nbac_schedule WHERE season_type = 'regular'"
    sql += " AND game_date = @day" if processor.fixtures else " AND @day IS NOT NULL"
    return {row["name"] for side in ("home", "away") for row in house.query(sql.format(side), day=day)}
