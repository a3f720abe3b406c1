"""The simulated league is consistent, looks like a season, and is the same every time.

Facts are checked by plain SQL over the Arrow tables.
"""

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcourt.demo.calendar import playing_days
from fullcourt.demo.league import League, simulate, write
from fullcourt.domain.errors import UsageError
from fullcourt.domain.names import TRICODES, player_lookup

COUNTS = "pts fgm fga fg3m fg3a ftm fta oreb dreb reb ast stl blk tov pf".split()
ZONES = "restricted_area paint_non_ra mid_range left_corner3 right_corner3 above_break3 backcourt".split()


@pytest.fixture(scope="module")
def full() -> League:
    """Two full seasons."""
    return simulate([2023, 2024])


@pytest.fixture(scope="module")
def half() -> League:
    return simulate([2024], games_per_team=41)


@pytest.fixture(scope="module", params=["full", "half"])
def league(request: pytest.FixtureRequest) -> League:
    return request.getfixturevalue(request.param)


def rows(league: League, sql: str) -> list[tuple]:
    """The answer of a query whose tables are the league's, and `regular`, the schedule of the regular season."""
    with duckdb.connect() as connection:
        for table in League.__dataclass_fields__:
            connection.register(table, getattr(league, table))
        connection.execute("CREATE VIEW regular AS SELECT * FROM schedule WHERE season_type = 'regular'")
        return connection.execute(sql).fetchall()


# --- the same every time


def test_the_same_seed_gives_identical_tables():
    one, other = simulate([2022, 2023], seed=3, games_per_team=12), simulate([2022, 2023], seed=3, games_per_team=12)
    assert all(getattr(one, table).equals(getattr(other, table)) for table in League.__dataclass_fields__)


def test_another_seed_gives_another_league():
    one, other = simulate([2024], seed=1, games_per_team=4), simulate([2024], seed=2, games_per_team=4)
    assert not one.schedule.equals(other.schedule)
    assert not one.players.equals(other.players)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_hash_seed_changes_nothing(hash_seed):
    program = """if True:
        from fullcourt.demo.league import League, simulate
        league = simulate([2024], games_per_team=3)
        print([getattr(league, table).to_pylist() for table in League.__dataclass_fields__])
    """
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
    )
    league = simulate([2024], games_per_team=3)
    assert run.stdout.strip() == str([getattr(league, table).to_pylist() for table in League.__dataclass_fields__])


# --- box scores add up


def test_points_follow_from_shots(league):
    wrong = "SELECT * FROM {} WHERE pts <> 2 * fgm + fg3m + ftm OR reb <> oreb + dreb"
    assert rows(league, wrong.format("player_boxscores")) == []
    assert rows(league, wrong.format("team_boxscores")) == []


def test_no_more_is_made_than_attempted(league):
    assert (
        rows(
            league,
            "SELECT * FROM player_boxscores WHERE fgm > fga OR fg3m > fg3a OR ftm > fta OR fg3a > fga OR pf > 6",
        )
        == []
    )


def test_a_team_row_is_the_sum_of_its_players(league):
    sums = ", ".join(f"sum({stat}) AS {stat}" for stat in COUNTS)
    differs = " OR ".join(f"p.{stat} <> t.{stat}" for stat in COUNTS)
    assert (
        rows(
            league,
            f"""
        SELECT * FROM team_boxscores t
        FULL JOIN (SELECT game_id, team_id, {sums} FROM player_boxscores WHERE played GROUP BY ALL) p
        USING (game_id, team_id)
        WHERE {differs} OR t.pts IS NULL OR p.pts IS NULL
        """,
        )
        == []
    )


def test_plus_minus_of_five_on_court_is_five_margins(league):
    assert (
        rows(
            league,
            """
        SELECT game_id FROM player_boxscores p JOIN team_boxscores t USING (game_id, team_id)
        GROUP BY game_id, team_id, t.plus_minus, t.pts, t.opp_pts
        HAVING sum(p.plus_minus) <> 5 * t.plus_minus OR t.plus_minus <> t.pts - t.opp_pts
        """,
        )
        == []
    )


def test_the_schedule_has_the_teams_points_and_nobody_draws(league):
    assert (
        rows(
            league,
            """
        SELECT * FROM regular s
        LEFT JOIN team_boxscores h ON h.game_id = s.game_id AND h.team_id = s.home_team_id
        LEFT JOIN team_boxscores a ON a.game_id = s.game_id AND a.team_id = s.away_team_id
        WHERE (h.pts, a.pts, a.pts, h.pts) IS DISTINCT FROM (s.home_score, s.away_score, h.opp_pts, a.opp_pts)
           OR h.pts = a.pts OR (h.wl = 'W') <> (h.pts > a.pts) OR (a.wl = 'W') <> (a.pts > h.pts)
           OR NOT h.is_home OR a.is_home OR h.n_ot <> a.n_ot OR h.game_date <> s.game_date
        """,
        )
        == []
    )


def test_overtimes_occur_as_often_as_they_should(full):
    ((share,),) = rows(full, "SELECT avg((n_ot > 0)::INT) FROM team_boxscores")
    assert 0.01 < share < 0.08


def test_minutes_add_up(league):
    assert (
        rows(
            league,
            """
        SELECT game_id FROM player_boxscores p JOIN team_boxscores t USING (game_id, team_id) WHERE played
        GROUP BY game_id, team_id, n_ot, t.minutes
        HAVING sum(seconds_played) <> 60 * t.minutes OR t.minutes <> 240 + 25 * n_ot
            OR abs(sum(p.minutes) - t.minutes) > 6 OR max(seconds_played) > 60 * (48 + 5 * n_ot)
            OR min(seconds_played) <= 0
        """,
        )
        == []
    )


def test_turnovers_of_the_team_come_on_top(league):
    assert rows(league, "SELECT * FROM team_boxscores WHERE tov_incl_team < tov") == []


# --- rosters


def test_five_start_and_eight_to_twelve_of_fifteen_play(league):
    assert (
        rows(
            league,
            """
        SELECT game_id, team_id FROM (
            SELECT game_id, team_id, player_id, starter, played FROM player_boxscores
            UNION ALL SELECT game_id, team_id, player_id, FALSE, FALSE FROM inactives)
        GROUP BY ALL
        HAVING count(DISTINCT player_id) <> 15 OR count(*) <> 15 OR count_if(starter) <> 5
            OR count_if(starter AND NOT played) > 0 OR count_if(played) NOT BETWEEN 8 AND 12
        """,
        )
        == []
    )


def test_statistics_are_null_exactly_for_who_did_not_play(league):
    nulls = " + ".join(f"({stat} IS NULL)::INT" for stat in (*COUNTS, "minutes", "seconds_played", "plus_minus"))
    assert (
        rows(
            league,
            f"""
        SELECT * FROM player_boxscores
        WHERE {nulls} <> CASE WHEN played THEN 0 ELSE {len(COUNTS) + 3} END
           OR status <> CASE WHEN played THEN 'PLAYED' ELSE 'DNP' END OR played <> (not_played_reason IS NULL)
        """,
        )
        == []
    )


def test_nobody_is_in_two_teams_on_a_day(league):
    assert (
        rows(
            league,
            """
        SELECT game_date, player_id FROM (
            SELECT game_date, player_id, team_id FROM player_boxscores
            UNION ALL SELECT game_date, player_id, team_id FROM inactives)
        GROUP BY ALL HAVING count(*) > 1
        """,
        )
        == []
    )


def test_a_few_players_are_traded_during_a_season(full):
    shares = rows(
        full,
        """
        SELECT avg((teams > 1)::INT), max(teams) FROM (
            SELECT season, player_id, count(DISTINCT team_id) AS teams FROM player_boxscores GROUP BY ALL)
        GROUP BY season
        """,
    )
    assert len(shares) == 2
    assert all(0.015 < share < 0.035 and most <= 3 for share, most in shares)


def test_injuries_last_several_games(full):
    ((longest, average),) = rows(
        full,
        """
        WITH numbered AS (
            SELECT *, row_number() OVER (PARTITION BY season, team_id ORDER BY game_date) AS n FROM team_boxscores),
        spells AS (
            SELECT i.season, i.player_id,
                n - row_number() OVER (PARTITION BY i.season, i.player_id, i.team_id ORDER BY n) AS spell
            FROM inactives i JOIN numbered USING (game_id, team_id)
            WHERE i.player_id IN (
                SELECT player_id FROM player_boxscores WHERE starter GROUP BY player_id HAVING count(*) > 60))
        SELECT max(games), avg(games) FROM (SELECT count(*) AS games FROM spells GROUP BY season, player_id, spell)
        """,
    )
    assert longest > 10
    assert 3 < average < 9


def test_players_carry_over_with_some_turnover(full):
    seasons = [row[0] for row in rows(full, "SELECT seasons FROM players")]
    assert seasons.count("2023-24,2024-25") > 350
    assert 30 < seasons.count("2024-25") == seasons.count("2023-24") < 80


def test_skill_differs_as_it_does_in_reality(full):
    ((bench, middle, star),) = rows(
        full,
        """
        SELECT quantile_cont(points, 0.1), quantile_cont(points, 0.5), quantile_cont(points, 0.98) FROM (
            SELECT avg(pts) AS points FROM player_boxscores WHERE played GROUP BY season, player_id
            HAVING count(*) > 20)
        """,
    )
    assert bench < 5
    assert 6 < middle < 12
    assert star > 24


def test_team_averages_look_real(full):
    ((pts, fga, fg3a, reb, ast, pct, spread),) = rows(
        full,
        """
        SELECT avg(pts), avg(fga), avg(fg3a), avg(reb), avg(ast), sum(fgm) / sum(fga), stddev(pts)
        FROM team_boxscores
        """,
    )
    assert 110 < pts < 120
    assert 85 < fga < 92
    assert 31 < fg3a < 38
    assert 40 < reb < 48
    assert 23 < ast < 29
    assert 0.44 < pct < 0.51
    assert 9 < spread < 15


# --- names


def test_names_are_unique_however_they_are_spelt():
    players = simulate([2022, 2023, 2024], games_per_team=4).players
    names = players["player_name"].to_pylist()
    lookups = {player_lookup(name) for name in names}
    letters_only = {re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}
    assert len(names) == len(set(names)) == len(lookups) == len(letters_only)
    assert len(set(players["player_id"].to_pylist())) == len(set(players["bref_id"].to_pylist())) == len(names)


@pytest.mark.parametrize("mark", [r"[^\x00-\x7f]", "'", "-", r"Jr\.$", "III$"])
def test_names_have_what_makes_names_hard(full, mark):
    assert any(re.search(mark, name) for name in full.players["player_name"].to_pylist())


def test_the_shot_source_spells_plainly_but_means_the_same(full):
    spellings = full.players.select(["player_name", "names_in_shots"]).to_pylist()
    assert all(each["names_in_shots"].isascii() for each in spellings)
    assert all(player_lookup(each["player_name"]) == player_lookup(each["names_in_shots"]) for each in spellings)
    assert (
        rows(
            full,
            "SELECT * FROM shots s ANTI JOIN players p ON (p.player_id, names_in_shots) = (s.player_id, s.player_name)",
        )
        == []
    )
    assert (
        rows(full, "SELECT * FROM player_boxscores ANTI JOIN players USING (player_id, player_name)")
        == rows(full, "SELECT * FROM inactives ANTI JOIN players USING (player_id, player_name)")
        == []
    )


# --- shots


def test_zones_add_up_to_the_box_score(league):
    zones = {side: " + ".join(f"s.{zone}_{side}" for zone in ZONES) for side in ("fgm", "fga")}
    assert (
        rows(
            league,
            f"""
        SELECT * FROM (SELECT * FROM player_boxscores WHERE fga > 0) p
        FULL JOIN shots s USING (game_id, player_id)
        WHERE s.game_id_resolved IS DISTINCT FROM p.game_id OR s.team_id IS DISTINCT FROM p.team_id
           OR (s.fgm, s.fga, s.fg3m, s.fg3a) IS DISTINCT FROM (p.fgm, p.fga, p.fg3m, p.fg3a)
           OR s.fgm <> {zones["fgm"]} OR s.fga <> {zones["fga"]}
           OR s.fg3m <> s.corner3_fgm + s.above_break3_fgm + s.backcourt_fgm
           OR s.fg3a <> s.corner3_fga + s.above_break3_fga + s.backcourt_fga
           OR s.paint_fga <> s.restricted_area_fga + s.paint_non_ra_fga
           OR s.paint_fgm <> s.restricted_area_fgm + s.paint_non_ra_fgm
           OR s.corner3_fga <> s.left_corner3_fga + s.right_corner3_fga
           OR s.corner3_fgm <> s.left_corner3_fgm + s.right_corner3_fgm
        """,
        )
        == []
    )


# --- calendar


@pytest.mark.parametrize(("name", "games"), [("full", 82), ("half", 41)])
def test_every_team_plays_its_games_half_of_them_at_home(request, name, games):
    counts = rows(
        request.getfixturevalue(name),
        "SELECT team_tricode, count(*), count_if(is_home) FROM team_boxscores GROUP BY season, team_tricode",
    )
    assert {team for team, _, _ in counts} == TRICODES
    assert all(played == games and home in (games // 2, (games + 1) // 2) for _, played, home in counts)


def test_a_team_plays_at_most_once_a_day(league):
    assert rows(league, "SELECT game_date, team_id FROM team_boxscores GROUP BY ALL HAVING count(*) > 1") == []


def test_a_full_season_runs_from_october_to_april(full):
    for season, first, last, days, busiest in rows(
        full,
        """
        SELECT season, min(game_date), max(game_date), count(*), max(games)
        FROM (SELECT season, game_date, count(*) AS games FROM regular GROUP BY ALL) GROUP BY season
        """,
    ):
        assert first.month == 10
        assert first.day >= 18
        assert last.month == 4
        assert 160 <= days <= 175, season
        assert busiest <= 15


@pytest.mark.parametrize(
    "day_off",
    [
        pytest.param(dt.date(2024, 11, 28), id="thanksgiving"),
        pytest.param(dt.date(2024, 12, 24), id="christmas-eve"),
        pytest.param(dt.date(2025, 2, 16), id="all-star-game"),
    ],
)
def test_the_league_rests(day_off):
    days = playing_days(2024, 164).tolist()
    assert days[0] == dt.date(2024, 10, 22)
    assert day_off not in days
    assert days[0] < day_off < days[-1]


def test_back_to_backs_occur_but_are_not_the_rule(full):
    ((per_team,),) = rows(
        full,
        """
        SELECT count_if(rest = 1) / 60 FROM (
            SELECT game_date - lag(game_date) OVER (PARTITION BY season, team_id ORDER BY game_date) AS rest
            FROM team_boxscores)
        """,
    )
    assert 8 < per_team < 22


def test_preseason_is_in_the_schedule_only(league):
    preseason = rows(league, "SELECT game_id, game_date, status FROM schedule WHERE season_type = 'preseason'")
    assert preseason
    assert all(game.startswith("001") and day.month == 10 and status == "Final" for game, day, status in preseason)
    assert (
        rows(
            league,
            "SELECT * FROM player_boxscores SEMI JOIN schedule s USING (game_id) WHERE left(game_id, 3) <> '002'",
        )
        == []
    )
    assert rows(league, "SELECT game_id FROM regular ANTI JOIN player_boxscores USING (game_id)") == []


def test_game_ids_are_the_leagues(full):
    ids = full.schedule["game_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"00[12]2[34]\d{5}", game_id) for game_id in ids)


# --- files and arguments


TYPES = {
    "season": pa.string(), "season_type": pa.string(), "game_date": pa.date32(), "team_id": pa.int64(),
    "player_id": pa.int64(), "is_home": pa.bool_(), "starter": pa.bool_(), "played": pa.bool_(), "pts": pa.int16(),
    "home_score": pa.int16(), "home_team_id": pa.int64(), "backcourt_fga": pa.int16(), "n_ot": pa.int16(),
}  # fmt: skip


def test_files_have_the_landing_names_and_types(tmp_path, half):
    write(half, tmp_path / "landing")
    assert {path.name for path in (tmp_path / "landing").iterdir()} == {
        "schedule.parquet",
        "player_boxscores.parquet",
        "team_boxscores.parquet",
        "shots-by-zone.parquet",
        "inactives.parquet",
        "players.parquet",
        "prop_lines.parquet",
        "injury_report.parquet",
        "game_lines.parquet",
    }
    for path in (tmp_path / "landing").iterdir():
        schema = pq.read_schema(path)
        assert {name: schema.field(name).type for name in schema.names if name in TYPES} == {
            name: kind for name, kind in TYPES.items() if name in schema.names
        }
    assert pq.read_table(tmp_path / "landing" / "shots-by-zone.parquet").equals(half.shots)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param({"start_years": []}, "start_years", id="no-season"),
        pytest.param({"start_years": [2024, 2024]}, "start_years", id="a-season-twice"),
        pytest.param({"start_years": [2024], "games_per_team": 83}, "games_per_team=83", id="too-many-games"),
        pytest.param({"start_years": range(1960, 2024)}, "names", id="more-players-than-names"),
    ],
)
def test_impossible_leagues_are_refused(arguments, complaint):
    with pytest.raises(UsageError, match=complaint):
        simulate(**arguments)
