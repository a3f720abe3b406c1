"""What is stale after a correction is what a run of everything changes, and running only that changes the same."""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.domain.names import player_lookup
from fullcourt.domain.processors import PROCESSORS
from fullcourt.orchestration.repair import repair_plan
from fullcourt.orchestration.stale import stale
from schemas import TABLES
from tests.houses import House, read, rewrite
from tests.verified import execute

OUTPUTS = tuple(processor.name for processor in PROCESSORS)
PREDICTIONS = "player_prop_predictions"
ENTITY = {p.name: p.key_column for p in PROCESSORS} | {"team_defense_game_summary": "defending_team_abbr"}


def look(house, season):
    return stale(house.warehouse, season.days[0], season.days[-1], house.now)


def rows_of(house):
    """{(table, entity, day): the rows' content}; of predictions the active ones."""
    found = {}
    for name in OUTPUTS:
        table = TABLES[name]
        active = " WHERE is_active" if name == PREDICTIONS else ""
        columns, order = ", ".join(table.content_columns), ", ".join(table.grain)
        for row in house.query(f"SELECT {columns} FROM {table.id}{active} ORDER BY {order}"):
            found.setdefault((name, row[ENTITY[name]], row[table.day]), []).append(row)
    return found


def corrected(season):
    """The newest game before the days judged of two teams that lost none."""
    schedule = read(season.landing, "schedule").to_pylist()
    teams = {row["game_id"]: {row["home_tricode"], row["away_tricode"]} for row in schedule}
    lost = set().union(*(teams[game] for game in season.lost))
    whole = [r for r in schedule if not lost & teams[r["game_id"]] and r["game_date"] < season.judged[0]]
    return max(whole, key=lambda row: (row["game_date"], row["game_id"]))


def canonical(game):
    return f"{game['game_date']:%Y%m%d}_{game['away_tricode']}_{game['home_tricode']}"


def write_news(season, directory):
    """Landing files of two games: in one two team-mates swap a basket and their team has a rebound less; the other is
    the second of the lost ones, which arrives late.

    Returns (the corrected game, the two players' keys).
    """
    game, players = corrected(season), set()
    directory.mkdir()
    for stem in ("player_boxscores", "team_boxscores", "shots-by-zone"):
        table = read(season.landing, stem)
        rows = table.filter(pc.is_in(table["game_id"], pa.array([game["game_id"], season.lost[1]]))).to_pylist()
        mine = [r for r in rows if (r["game_id"], r["team_tricode"]) == (game["game_id"], game["home_tricode"])]
        if stem == "team_boxscores":
            mine[0] |= {"oreb": mine[0]["oreb"] - 1, "reb": mine[0]["reb"] - 1}
        if stem == "player_boxscores":
            giver, taker = [row for row in mine if row["played"] and row["fgm"] > row["fg3m"]][:2]
            players = {player_lookup(row["player_name"]) for row in (giver, taker)}
            for row, sign in ((giver, -1), (taker, 1)):
                row |= {"fgm": row["fgm"] + sign, "fga": row["fga"] + sign, "pts": row["pts"] + 2 * sign}
        rewrite(directory, stem, pa.Table.from_pylist(rows, table.schema))
    return game, players


@dataclass
class News:
    """The chain with two games loaded anew, and the same after a run of everything. before: its rows as they were."""

    game: dict
    players: set
    before: dict
    house: House
    everything: House
    report: dict


@pytest.fixture(scope="module")
def news(chain, season, tmp_path_factory):
    directory = tmp_path_factory.mktemp("news")
    game, players = write_news(season, directory / "landing")
    house = chain.house.copy(directory / "some.duckdb")
    house.ingest(directory / "landing")
    everything = house.copy(directory / "all.duckdb")
    everything.run("analytics", game["game_date"] - dt.timedelta(7), season.days[-1], allow_demotion=True)
    for phase in ("precompute", "predictions"):
        everything.run(phase, season.judged[0], season.judged[-1], allow_demotion=True)
    return News(game, players, rows_of(chain.house), house, everything, look(house, season))


def test_what_was_just_published_is_not_stale(chain, season):
    report = look(chain.house, season)
    assert (report["games"], report["processors"], report["entity_days"], report["commands"]) == ([], [], [], [])


def test_stale_is_exactly_what_a_run_of_everything_changes(news, season):
    after = rows_of(news.everything)
    changed = {key for key in news.before.keys() | after.keys() if news.before.get(key) != after.get(key)}
    assert {name for name, *_ in changed} == set(OUTPUTS)
    found = {(row["processor"], row["entity"], row["day"]): row["change"] for row in news.report["entity_days"]}
    assert found.keys() - changed <= {key for key in found if key[0] == PREDICTIONS}
    # Whether other features make another prediction is not known before it is made; a new one is none that is stale.
    assert {key for key in changed - found.keys() if key[0] != PREDICTIONS or key in news.before} == set()
    for key, change in found.items():
        if key[0] != PREDICTIONS:
            assert change == ("changed" if key in news.before and key in after else "new" if key in after else "gone")
    lost = {news.game["game_id"], season.lost[1]}
    assert {game["nba_game_id"] for game in news.report["games"]} == lost


def test_the_days_whose_windows_hold_the_late_game_and_no_others_are_stale(news, season):
    """A team's context counts the defences of 14 days: its fixtures in the 14 days after the game, by the calendar."""
    schedule = season.league.schedule.to_pylist()
    (game,) = [row for row in schedule if row["game_id"] == season.lost[1]]
    last = game["game_date"] + dt.timedelta(14)
    teams = game["home_tricode"], game["away_tricode"]
    expected = {
        (team, row["game_date"])
        for row in schedule
        for team in teams
        if team in (row["home_tricode"], row["away_tricode"]) and game["game_date"] < row["game_date"] <= last
    }
    found = {
        (row["entity"], row["day"]): row["games"]
        for row in news.report["entity_days"]
        if row["processor"] == "upcoming_team_game_context" and "team_defense" in row["sources"]
    }
    assert found.keys() == expected
    assert {tuple(games) for games in found.values()} == {(canonical(game),)}


def test_a_players_season_holds_the_corrected_game_to_its_end(news):
    """The two whose points changed: every later fixture's context, as it was published."""
    context = "upcoming_player_game_context"
    after = news.game["game_date"]
    expected = {(who, day) for name, who, day in news.before if name == context and who in news.players and day > after}
    found = {
        (row["entity"], row["day"])
        for row in news.report["entity_days"]
        if row["processor"] == context and canonical(news.game) in row["games"]
    }
    assert found == expected
    assert {who for who, _ in expected} == news.players


def test_running_only_what_is_stale_gives_the_same_as_running_everything(news, season, tmp_path):
    house = news.house.copy(tmp_path / "house.duckdb")
    commands = news.report["commands"]
    assert [run["phase"] for run in commands] == ["analytics", "precompute", "predictions"]
    for run in commands:
        first, last = dt.date.fromisoformat(run["start"]), dt.date.fromisoformat(run["end"])
        house.run(run["phase"], first, last, run["processors"], allow_demotion=True)
    renewed = house.tables(*OUTPUTS, "precompute_failures", content=True)
    for name, rows in news.everything.tables(*OUTPUTS, "precompute_failures", content=True).items():
        assert renewed[name].equals(rows), name
    assert look(house, season)["entity_days"] == []


def test_a_prediction_is_stale_when_a_team_it_looks_back_at_is_rated_anew(chain, season, tmp_path):
    """Similar games are found by what the opponent's defence was on their day, which no feature of today holds."""
    house, first = chain.house.copy(tmp_path / "house.duckdb"), season.judged[0]
    games = [row for row in season.league.schedule.to_pylist() if row["season_type"] == "regular"]
    team = next(game["home_tricode"] for game in games if game["game_date"] == first)
    sides = ("home_tricode", "away_tricode")
    past = [game for game in games if team in (game[side] for side in sides) and game["game_date"] < first]
    newest = max((game for game in past if game["game_id"] not in season.lost), key=lambda game: game["game_date"])
    other = next(newest[side] for side in sides if newest[side] != team)
    execute(
        house,
        f"UPDATE {TABLES['nbac_team_boxscore'].id} SET turnovers = 2 * turnovers "
        "WHERE nba_game_id = @game AND team_abbr = @other",
        game=newest["game_id"],
        other=other,
    )
    met = house.query(
        f"SELECT DISTINCT predicted.player_lookup, predicted.game_date FROM {TABLES[PREDICTIONS].id} AS predicted "
        "JOIN nba_analytics.player_game_summary AS played USING (player_lookup) WHERE predicted.is_active "
        "AND predicted.game_date > @day AND played.game_date = @day AND played.opponent_team_abbr = @team",
        day=first,
        team=team,
    )
    report = look(house, season)
    found = {
        (row["entity"], row["day"]): row["sources"] for row in report["entity_days"] if row["processor"] == PREDICTIONS
    }
    assert {found[tuple(row.values())][0] for row in met} >= {"history"}
    assert report["commands"][-1]["phase"] == "predictions"


def test_the_repair_plan_foretold_what_the_late_game_unblocks(chain, season, news):
    """Published rows that were not ready and are, after the run of everything; in the plan, by the game's two cells."""
    plan = repair_plan(chain.house.warehouse, season.judged[0], season.judged[-1])
    assert {cell["nba_game_id"] for cell in plan["cells"]} == set(season.lost)
    alone = {cell["table"]: cell["alone"] for cell in plan["cells"] if cell["nba_game_id"] == season.lost[1]}
    assert alone.keys() == {"nbac_gamebook_player_stats", "nbac_team_boxscore"}
    before, after = (
        house.query(
            "SELECT processor_name, entity_id, analysis_date, is_production_ready "
            "FROM nba_orchestration.entity_verdicts WHERE analysis_date BETWEEN @start AND @end",
            start=season.judged[0],
            end=season.judged[-1],
        )
        for house in (chain.house, news.everything)
    )
    ready = {tuple(row.values())[:3] for row in after if row["is_production_ready"]}
    held_back = {tuple(row.values())[:3] for row in before if not row["is_production_ready"]}
    assert plan["held_back"] == len(held_back)
    assert sum(alone.values()) == len(ready & held_back)
