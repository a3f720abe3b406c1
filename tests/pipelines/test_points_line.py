"""The closing line on points arrives in player_game_summary, from points lines alone."""

import pytest


@pytest.fixture(scope="module")
def summarised(loaded_file, league, tmp_path_factory):
    house = loaded_file.copy(tmp_path_factory.mktemp("lines") / "house.duckdb")
    days = sorted(set(league.team_boxscores["game_date"].to_pylist()))
    house.run("analytics", days[0], days[-1])
    return house


CLOSING = """
SELECT player_lookup, game_id, line FROM nba_raw.player_props WHERE market = 'points'
QUALIFY ROW_NUMBER() OVER (PARTITION BY player_lookup, game_id
  ORDER BY snapshot_timestamp DESC, bookmaker) = 1  -- DraftKings before FanDuel
"""


def test_every_line_is_the_closing_one_and_who_has_none_has_null(summarised):
    stored = summarised.query("SELECT player_lookup, game_id, points_line FROM nba_analytics.player_game_summary")
    closing = {(row["player_lookup"], row["game_id"]): row["line"] for row in summarised.query(CLOSING)}
    wanted = {key: closing.get(key) for key in ((row["player_lookup"], row["game_id"]) for row in stored)}
    assert {(row["player_lookup"], row["game_id"]): row["points_line"] for row in stored} == wanted
    filled = sum(line is not None for line in wanted.values())
    assert 100 < filled < len(wanted)


def test_without_lines_on_points_every_line_is_null_and_nothing_else_differs(summarised, loaded_house, league):
    """Lines on points, rebounds and assists stay, and fill nothing."""
    with loaded_house.warehouse.transaction({}) as session:
        session.execute("DELETE FROM nba_raw.player_props WHERE market = 'points'")
    assert loaded_house.one("SELECT COUNT(*) AS n FROM nba_raw.player_props") > 0
    days = sorted(set(league.team_boxscores["game_date"].to_pylist()))
    loaded_house.run("analytics", days[0], days[-1])
    table = "player_game_summary"
    rows = loaded_house.table(table, content=True).to_pylist()
    assert {row["points_line"] for row in rows} == {None}
    other = ("points_line", "data_hash")
    without = [{name: value for name, value in row.items() if name not in other} for row in rows]
    assert without == [
        {name: value for name, value in row.items() if name not in other}
        for row in summarised.table(table, content=True).to_pylist()
    ]


def test_a_line_that_moves_renews_the_row(summarised, tmp_path):
    house = summarised.copy(tmp_path / "house.duckdb")
    day = house.one("SELECT MAX(game_date) AS day FROM nba_analytics.player_game_summary WHERE points_line IS NOT NULL")
    with house.warehouse.transaction({}) as session:
        session.execute(
            "UPDATE nba_raw.player_props SET line = line + 2 WHERE game_date = @day AND market = 'points'", day=day
        )
    columns = "SELECT player_lookup, points_line FROM nba_analytics.player_game_summary WHERE game_date = @day"
    before = {row["player_lookup"]: row["points_line"] for row in house.query(columns, day=day)}
    house.run("analytics", day)
    after = {row["player_lookup"]: row["points_line"] for row in house.query(columns, day=day)}
    assert after == {name: line and line + 2 for name, line in before.items()}
