"""Why an entity is held back, against what its published rows and the league's landing files say."""

import datetime as dt
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.domain.errors import UsageError
from fullcourt.domain.names import player_lookup
from fullcourt.orchestration.explain import explain
from tests.houses import read, rewrite

MLFS, PDC = "ml_feature_store_v2", "player_daily_cache"


@pytest.fixture(scope="module")
def held_back(chain):
    """(player, day) of a feature row that is not ready, whose own games and whose cache's are not all there."""
    rows = chain.house.query(
        f"SELECT features.player_lookup, features.game_date FROM nba_predictions.{MLFS} AS features "
        f"JOIN nba_precompute.{PDC} AS cache ON cache.player_lookup = features.player_lookup "
        "AND cache.cache_date = features.game_date "
        "WHERE NOT features.is_production_ready AND NOT cache.is_production_ready "
        "AND ARRAY_LENGTH(features.missing_game_ids) > 1 ORDER BY features.game_date, features.player_lookup"
    )
    return rows[0]["player_lookup"], rows[0]["game_date"]


def explained(chain, entity, day, processor=None):
    return explain(chain.house.warehouse, entity, day, chain.house.now, processor)


def nodes_of(report):
    return {(node["processor"], node["entity"]): node for node in report["nodes"]}


def stored(house, name, entity, day):
    (row,) = house.query(
        "SELECT * FROM nba_orchestration.entity_verdicts AS verdicts "
        "WHERE processor_name = @name AND entity_id = @entity AND analysis_date = @day",
        name=name,
        entity=entity,
        day=day,
    )
    return row


def test_the_tree_reaches_the_lost_games(chain, season, held_back):
    player, day = held_back
    report = explained(chain, player, day, MLFS)
    assert report["roots"] == [MLFS]
    nodes = nodes_of(report)
    root = nodes[MLFS, player]
    gates = {up["processor"] for up in root["upstream"] if up["gates"]}
    assert gates == {PDC, "player_composite_factors", "player_shot_zone_analysis", "upcoming_player_game_context"}
    for node in report["nodes"]:
        for upstream in node["upstream"]:
            assert upstream["ready"] or (upstream["processor"], upstream["entity"]) in nodes
        missing = [game for game in node["games"] if game["standing"] == "missing"]
        row = stored(chain.house, node["processor"], node["entity"], day)
        assert node["published"].startswith(row["processing_decision_reason"])
        assert {game["nba_game_id"] for game in missing} <= set(season.lost)
        assert {game["table"] for game in missing} <= {"nbac_gamebook_player_stats", "nbac_team_boxscore"}
    assert {game["nba_game_id"] for game in root["games"] if game["standing"] == "missing"} == set(season.lost)


def test_windows_and_games_add_up(chain, held_back):
    player, day = held_back
    for node in explained(chain, player, day)["nodes"]:
        for window in node["windows"]:
            if window["verdict"].startswith("trend"):
                continue
            standing = Counter(g["standing"] for g in node["games"] if window["window"] in g["windows"])
            assert (standing["excused"], standing["missing"]) == (window["excused"], len(window["missing"]))
            assert (standing["present"], standing.total()) == (window["present"], window["expected"])
        assert [g["game_date"] for g in node["games"]] == sorted(g["game_date"] for g in node["games"])
        assert all(game["game_date"] < day.isoformat() for game in node["games"])


def test_excused_games_name_the_row_that_says_so(chain, season):
    """Every excused game of a day's players: the landing files list him as not playing, or do not list him at all."""
    box, inactive = read(season.landing, "player_boxscores"), read(season.landing, "inactives")
    in_box = {(player_lookup(r["player_name"]), r["game_id"]): r for r in box.to_pylist()}
    out = {(player_lookup(r["player_name"]), r["game_id"]) for r in inactive.to_pylist()}
    day = chain.days[-1]
    players = chain.house.query(
        f"SELECT player_lookup FROM nba_precompute.{PDC} WHERE cache_date = @day AND dnp_games_count > 0 "
        "ORDER BY dnp_games_count DESC, player_lookup LIMIT 4",
        day=day,
    )
    seen = Counter()
    for player in (row["player_lookup"] for row in players):
        (node,) = [n for n in explained(chain, player, day, PDC)["nodes"] if n["processor"] == PDC]
        for game in node["games"]:
            if game["standing"] != "excused":
                continue
            listed = in_box.get((player, game["nba_game_id"]))
            seen[game["table"], game["row"] is not None] += 1
            if listed is not None:
                assert not listed["played"]
                assert game["evidence"] == f"in the box score, did not play: {listed['not_played_reason']}"
            elif (player, game["nba_game_id"]) in out:
                assert game["table"] == "inactive_lists"
            else:
                assert game["evidence"].startswith("not listed in a whole game")
    assert {table for table, _ in seen} == {"nbac_gamebook_player_stats", "inactive_lists"}


def test_what_to_run_and_how_long_it_lasts(chain, season, held_back):
    player, day = held_back
    report = explained(chain, player, day, "player_shot_zone_analysis")
    (node,) = report["nodes"]
    schedule = {row["game_id"]: row for row in read(season.landing, "schedule").to_pylist()}
    first = min(schedule[game]["game_date"] for game in season.lost)
    assert [load["files"] for load in report["repair"]["reload"]] == [["player_boxscores"]] * 2
    last = max(dt.date.fromisoformat(node["affected"]["last_day"] or day.isoformat()), day)
    assert report["repair"]["commands"] == [
        "fullcourt ingest landing/",
        f"fullcourt run analytics --start {first} --end {last}",
        f"fullcourt run precompute --start {first} --end {last}",
    ]
    # The window of ten games holds the last lost game until ten more are required: at a season of twenty, to its end.
    later = [later for later in chain.days if later > day]
    assert (node["affected"]["days"], node["affected"]["last_day"]) == (
        len(later),
        later[-1].isoformat() if later else None,
    )


def test_the_breakers_history_is_told(chain, held_back):
    player, day = held_back
    (node,) = explained(chain, player, day, "player_shot_zone_analysis")["nodes"]
    attempts = chain.house.query(
        "SELECT attempt_number FROM nba_orchestration.reprocess_attempts WHERE entity_id = @player "
        "AND analysis_date = @day AND processor_name = 'player_shot_zone_analysis'",
        player=player,
        day=day,
    )
    assert [a["attempt_number"] for a in node["breaker"]["attempts"]] == [a["attempt_number"] for a in attempts]
    assert node["breaker"]["state"] == "closed"


def test_a_loaded_game_that_was_never_summarised_needs_a_run_and_no_file(chain, season, held_back, tmp_path):
    player, day = held_back
    house = chain.house.copy(tmp_path / "house.duckdb")
    (tmp_path / "landing").mkdir()
    box = read(season.landing, "player_boxscores")
    rewrite(tmp_path / "landing", "player_boxscores", box.filter(pc.is_in(box["game_id"], pa.array(season.lost))))
    house.ingest(tmp_path / "landing")
    report = explain(house.warehouse, player, day, house.now, "player_shot_zone_analysis")
    (node,) = report["nodes"]
    standing = {game["nba_game_id"]: game for game in node["games"]}
    played = {r["game_id"] for r in box.to_pylist() if player_lookup(r["player_name"]) == player and r["played"]}
    assert played & set(season.lost)
    for lost in season.lost:
        game = standing[lost]
        assert (game["standing"], game["table"]) == (
            ("missing", "player_game_summary") if lost in played else ("excused", "nbac_gamebook_player_stats")
        )
    assert report["repair"]["reload"] == []
    assert [command.split()[:3] for command in report["repair"]["commands"]] == [
        ["fullcourt", "run", "analytics"],
        ["fullcourt", "run", "precompute"],
    ]


def test_a_ready_entity_without_its_row_needs_only_that_run(chain, tmp_path):
    """The cache's row is gone: the cache is run, and after it what reads it and is not ready."""
    house = chain.house.copy(tmp_path / "house.duckdb")
    day = chain.days[-1]
    player = house.one(
        f"SELECT MIN(player_lookup) AS player FROM nba_predictions.{MLFS}_ready WHERE game_date = @day",
        day=day,
    )
    with house.warehouse.transaction({}) as session:
        session.execute(f"DELETE FROM nba_precompute.{PDC} WHERE player_lookup = @player", player=player)
    report = explain(house.warehouse, player, day, house.now, MLFS)
    nodes = nodes_of(report)
    assert nodes[PDC, player]["verdict"] == "ready"
    assert (nodes[PDC, player]["published"], nodes[MLFS, player]["verdict"]) == (None, "flagged")
    command = f"fullcourt run precompute --date {day} --processors {PDC},{MLFS}"  # the factors made of it are there
    assert report["repair"] == {"reload": [], "commands": [command]}


def test_a_day_without_games_and_what_does_not_exist(chain, season):
    day = season.days[-1] + dt.timedelta(40)
    report = explained(chain, season.team, day)
    assert report["note"].startswith(f"no games on {day}")
    assert report["nodes"] == []
    with pytest.raises(UsageError, match="unknown entity"):
        explained(chain, "nobody at all", season.days[-1])
    with pytest.raises(UsageError, match="unknown processor"):
        explained(chain, season.team, season.days[-1], "no_such_processor")
