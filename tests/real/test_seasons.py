"""Two whole NBA seasons: what the warehouse holds equals what plain SQL says about the landing files."""

import datetime as dt

import pytest

from fullcourt.domain.processors import BY_NAME
from schemas import TABLES
from tests.real.oracle import ZONE_COUNTS

SEASONS = {2022: "2022-23", 2023: "2023-24"}

# Landing file -> raw table, and the rows of each season.
RAW = {
    "schedule": ("nba_raw.nbac_schedule", (1394, 1396)),
    "player_box": ("nba_raw.nbac_gamebook_player_stats", (33999, 34837)),
    "team_box": ("nba_raw.nbac_team_boxscore", (2640, 2638)),
    "shots": ("nba_raw.shot_zones", (24677, 24895)),
    "inactives": ("nba_raw.inactive_lists", (9657, 11283)),
}

# Column of the landing files -> column of player_game_summary and team_offense_game_summary.
BOX_STATISTICS = {
    "pts": "points",
    "fgm": "fg_makes",
    "fga": "fg_attempts",
    "fg3m": "three_pt_makes",
    "fg3a": "three_pt_attempts",
    "ftm": "ft_makes",
    "fta": "ft_attempts",
    "oreb": "offensive_rebounds",
    "dreb": "defensive_rebounds",
    "reb": "rebounds",
    "ast": "assists",
    "stl": "steals",
    "blk": "blocks",
    "tov": "turnovers",
    "pf": "personal_fouls",
    "plus_minus": "plus_minus",
}
NOT_IN_OFFENSE = ("stl", "blk", "plus_minus")

# One game each whose rates are asserted by name, beside those of all the others.
RATE_GAMES = {
    "nikolajokic": "2022-11-03",
    "lukadoncic": "2024-01-26",  # 73 points
    "stephencurry": "2023-04-30",  # game seven, 50 points
    "jarenjacksonjr": "2023-03-24",
    "kevindurant": "2022-10-27",  # overtime
    "kyrieirving": "2024-06-12",
    "mobamba": "2023-02-03",
    "jamesharden": "2022-12-05",  # two overtimes
    "paolobanchero": "2022-10-19",
    "zionwilliamson": "2023-12-04",
}


# Raw tables


@pytest.mark.parametrize("file", RAW)
def test_every_landing_row_is_in_its_raw_table(oracle, file):
    table, rows = RAW[file]
    landed = oracle.rows(f"SELECT season, count(*) FROM landing.{file} GROUP BY season ORDER BY season")
    stored = oracle.rows(f"SELECT season_year, count(*) FROM warehouse.{table} GROUP BY season_year ORDER BY 1")
    assert landed == list(zip(SEASONS.values(), rows, strict=True))
    assert stored == list(zip(SEASONS, rows, strict=True))


def test_no_row_is_a_dead_letter(oracle):
    assert oracle.value("SELECT count(*) FROM warehouse.nba_orchestration.dead_letters") == 0


def test_the_registry_holds_every_player(oracle):
    names = "SELECT DISTINCT lookup(player_name) AS player FROM landing.players"
    stored = "SELECT DISTINCT player_lookup AS player FROM warehouse.nba_reference.player_aliases"
    assert oracle.same(names, stored, ("player",)) == 673


# The game summaries

_PLAYED_SUMS = ", ".join(f"sum({landed}) AS {stored}" for landed, stored in BOX_STATISTICS.items())
_STORED_SUMS = ", ".join(f"sum({stored}) AS {stored}" for stored in BOX_STATISTICS.values())


def test_player_box_statistics_sum_up_by_season(oracle):
    cells = oracle.same(
        f"SELECT season[:4]::INT AS season_year, count(*) AS n, {_PLAYED_SUMS} FROM box WHERE played GROUP BY season",
        f"SELECT season_year, count(*) AS n, {_STORED_SUMS} FROM warehouse.nba_analytics.player_game_summary "
        "GROUP BY season_year",
        ("season_year",),
        exact=("n", *BOX_STATISTICS.values()),
    )
    assert cells == 2 * 17


def test_team_box_statistics_sum_up_by_season(oracle):
    columns = {
        landed: "points_scored" if stored == "points" else stored
        for landed, stored in BOX_STATISTICS.items()
        if landed not in NOT_IN_OFFENSE
    }
    landed_sums = ", ".join(f"sum(b.{landed}) AS {stored}" for landed, stored in columns.items())
    stored_sums = ", ".join(f"sum({stored}) AS {stored}" for stored in columns.values())
    cells = oracle.same(
        f"SELECT g.season[:4]::INT AS season_year, count(*) AS n, sum(b.opp_pts) AS opponent_points, "
        f"sum(b.n_ot) AS overtime_periods, {landed_sums} FROM game AS g JOIN landing.team_box AS b USING (game_id) "
        "GROUP BY g.season",
        f"SELECT season_year, count(*) AS n, sum(opponent_points) AS opponent_points, "
        f"sum(overtime_periods) AS overtime_periods, {stored_sums} "
        "FROM warehouse.nba_analytics.team_offense_game_summary GROUP BY season_year",
        ("season_year",),
        exact=("n", "opponent_points", "overtime_periods", *columns.values()),
    )
    assert cells == 2 * 16


def test_rows_of_the_summaries(oracle):
    counts = {
        table: tuple(
            oracle.value(f"SELECT count(*) FROM warehouse.nba_analytics.{table} WHERE season_year = ?", year)
            for year in SEASONS
        )
        for table in ("player_game_summary", "team_offense_game_summary", "team_defense_game_summary")
    }
    assert counts == {
        "player_game_summary": (27740, 28206),
        "team_offense_game_summary": (2640, 2636),
        "team_defense_game_summary": (2640, 2636),
    }


# Every statistic, share and zone of every player-game. USG is the share of the team's plays (FGA + 0.44 FTA + TO)
# while on court, a fifth of the team's minutes being everybody's fair share; a few seconds on court can make it more
# than 100, which says nothing and is null.
PLAYER_GAMES = f"""
SELECT b.player AS player_lookup, b.day AS game_date, b.game_id AS nba_game_id, g.canonical_id AS game_id,
  b.team_tricode AS team_abbr, g.opponent AS opponent_team_abbr, g.score > t.opp_pts AS win_flag,
  b.is_home AS home_game, b.starter AS starter_flag, b.seconds_played / 60.0 AS minutes_played,
  {", ".join(f"b.{landed} AS {stored}" for landed, stored in BOX_STATISTICS.items())},
  CASE WHEN b.fga + b.fta > 0 THEN b.pts / (2 * (b.fga + 0.44 * b.fta)) END AS ts_pct,
  CASE WHEN b.fga > 0 THEN (b.fgm + 0.5 * b.fg3m) / b.fga END AS efg_pct,
  CASE WHEN b.seconds_played > 0 THEN
    100 * (b.fga + 0.44 * b.fta + b.tov) * (48 + 5 * t.n_ot)
    / (b.seconds_played / 60.0 * (t.fga + 0.44 * t.fta + t.tov)) END AS raw_usage,
  CASE WHEN raw_usage <= 100 THEN raw_usage END AS usage_rate,
  {", ".join(f"p.{count} AS {count.replace('three_pt', 'three_pt_zone')}" for count in ZONE_COUNTS)}
FROM box AS b
JOIN played AS p USING (player, game_id)
JOIN team_game AS g ON g.game_id = b.game_id AND g.team = b.team_tricode
JOIN landing.team_box AS t ON t.game_id = b.game_id AND t.team_tricode = b.team_tricode
WHERE b.played
"""
PLAYER_GAME_RATES = {"minutes_played": 1, "usage_rate": 2, "ts_pct": 3, "efg_pct": 3}
PLAYER_GAME_FACTS = (
    "nba_game_id",
    "game_id",
    "team_abbr",
    "opponent_team_abbr",
    "win_flag",
    "home_game",
    "starter_flag",
    *BOX_STATISTICS.values(),
    *(count.replace("three_pt", "three_pt_zone") for count in ZONE_COUNTS),
)
STORED_PLAYER_GAMES = "SELECT * FROM warehouse.nba_analytics.player_game_summary"


def test_every_player_game(oracle):
    cells = oracle.same(
        PLAYER_GAMES,
        STORED_PLAYER_GAMES,
        ("player_lookup", "game_date"),
        exact=PLAYER_GAME_FACTS,
        rounded=PLAYER_GAME_RATES,
    )
    assert cells == 55946 * 33


def test_rates_of_ten_named_player_games(oracle):
    games = ", ".join(f"('{player}', DATE '{day}')" for player, day in RATE_GAMES.items())
    cells = oracle.same(
        f"SELECT * FROM ({PLAYER_GAMES}) WHERE (player_lookup, game_date) IN ({games})",
        f"{STORED_PLAYER_GAMES} WHERE (player_lookup, game_date) IN ({games})",
        ("player_lookup", "game_date"),
        exact=("points", "team_abbr"),
        rounded=PLAYER_GAME_RATES,
    )
    assert cells == 10 * 6


# By hand, from the box score: 73 points on 33 field-goal attempts (25 made, 8 of them threes) and 16 free throws.
def test_one_game_by_hand(oracle):
    ((points, efg, ts),) = oracle.rows(
        f"{STORED_PLAYER_GAMES.replace('*', 'points, efg_pct, ts_pct')} "
        "WHERE player_lookup = 'lukadoncic' AND game_date = '2024-01-26'"
    )
    assert points == 73
    assert float(efg) == round((25 + 0.5 * 8) / 33, 3)
    assert float(ts) == round(73 / (2 * (33 + 0.44 * 16)), 3)


def test_every_team_game_on_offense(oracle):
    cells = oracle.same(
        f"""
SELECT g.team AS team_abbr, g.canonical_id AS game_id, g.opponent AS opponent_team_abbr, b.is_home AS home_game,
  b.wl = 'W' AS win_flag, b.n_ot AS overtime_periods, b.pts AS points_scored, b.opp_pts AS opponent_points,
  b.fga + 0.44 * b.fta - b.oreb + b.tov AS possessions, possessions * 48 / (48 + 5 * b.n_ot) AS pace,
  100.0 * b.pts / possessions AS offensive_rating, b.pts / (2 * (b.fga + 0.44 * b.fta)) AS ts_pct,
  {", ".join(f"s.{zone}_{w} AS team_{zone}_{w}" for zone in ("paint", "mid_range") for w in ("makes", "attempts"))}
FROM team_game AS g
JOIN landing.team_box AS b ON b.game_id = g.game_id AND b.team_tricode = g.team
LEFT JOIN team_shot AS s ON s.game_id = g.game_id AND s.team = g.team""",
        "SELECT * FROM warehouse.nba_analytics.team_offense_game_summary",
        ("team_abbr", "game_id"),
        exact=(
            "opponent_team_abbr",
            "home_game",
            "win_flag",
            "overtime_periods",
            "points_scored",
            "opponent_points",
            "team_paint_makes",
            "team_paint_attempts",
            "team_mid_range_makes",
            "team_mid_range_attempts",
        ),
        rounded={"possessions": 0, "pace": 1, "offensive_rating": 2, "ts_pct": 3},
    )
    assert cells == 5276 * 14


def test_every_team_game_on_defense(oracle):
    cells = oracle.same(
        f"""
SELECT c.team AS defending_team_abbr, g.canonical_id AS game_id, c.pts AS points_allowed,
  100.0 * c.pts / c.possessions AS defensive_rating, c.possessions * 48 / c.minutes_each AS opponent_pace,
  {", ".join(f"c.{zone} AS opp_{zone}" for zone in ZONE_COUNTS)},
  2 * c.paint_makes AS points_in_paint_allowed, 2 * c.mid_range_makes AS mid_range_points_allowed,
  3 * c.three_pt_makes AS three_pt_points_allowed
FROM conceded AS c JOIN team_game AS g USING (game_id, team)""",
        "SELECT * FROM warehouse.nba_analytics.team_defense_game_summary",
        ("defending_team_abbr", "game_id"),
        exact=(
            "points_allowed",
            *(f"opp_{zone}" for zone in ZONE_COUNTS),
            "points_in_paint_allowed",
            "mid_range_points_allowed",
            "three_pt_points_allowed",
        ),
        rounded={"defensive_rating": 2, "opponent_pace": 1},
    )
    assert cells == 5276 * 12


# Completeness


@pytest.mark.parametrize("entity", ["team", "player"])
@pytest.mark.parametrize(("first", "last"), [("2023-01-01", "2023-01-31"), ("2024-03-01", "2024-03-31")])
def test_completeness_of_every_entity_and_day_of_a_month(oracle, entity, first, last):
    cells = oracle.same_verdicts(entity, first, last)
    assert cells >= {"team": 29 * 30 * 9, "player": 29 * 450 * 9}[entity]


@pytest.mark.parametrize(("entity", "rows"), [("team", 12_570), ("player", 216_722)])
def test_completeness_of_both_seasons(oracle, entity, rows):
    """Every entity-day there is."""
    assert oracle.value(f"SELECT count(*) FROM {entity}_verdict") == rows
    assert oracle.same_verdicts(entity) > 8 * rows


def test_players_shot_what_their_windows_hold(oracle):
    """Exactly the required games are averaged, for every player and day."""
    cells = oracle.same(
        "SELECT * FROM player_verdict WHERE shots IS NOT NULL",
        "SELECT * FROM stored_player_verdict WHERE shots IS NOT NULL",
        ("entity", "analysis_date"),
        exact=("shots",),
    )
    assert cells > 190_000


def test_undamaged_seasons_lack_nothing(oracle):
    assert oracle.value("SELECT count(*) FROM player_verdict WHERE missing_count > 0") == 0
    receipts = oracle.rows(
        "SELECT processor_name, count(*), count(*) FILTER (status <> 'COMPLETE') "
        "FROM warehouse.nba_orchestration.publish_receipts GROUP BY processor_name ORDER BY processor_name"
    )
    game_days = oracle.value("SELECT count(*) FROM game_day")
    assert game_days == 419
    assert receipts == [
        ("ml_feature_store_v2", game_days, 0),
        ("player_composite_factors", game_days, 0),
        ("player_daily_cache", game_days, 0),
        ("player_game_summary", game_days, 0),
        ("player_shot_zone_analysis", game_days, 0),
        ("team_defense_game_summary", game_days, 0),
        ("team_defense_zone_analysis", game_days, 0),
        ("team_offense_game_summary", game_days, 0),
        ("upcoming_player_game_context", game_days, 0),
        ("upcoming_team_game_context", game_days, 0),
    ]


# A season's opening


@pytest.mark.parametrize(
    ("opening", "last_bootstrap_day", "first_normal_day"),
    [("2022-10-18", "2022-11-16", "2022-11-17"), ("2023-10-24", "2023-11-22", "2023-11-24")],
)
def test_bootstrap_is_days_0_to_29(oracle, opening, last_bootstrap_day, first_normal_day):
    """2023-11-23, day 30 of its season, was Thanksgiving: no games."""
    year = int(opening[:4])
    for table in ("team_defense_zone_analysis", "player_shot_zone_analysis"):
        flags = oracle.rows(
            f"SELECT backfill_bootstrap_mode, min(analysis_date), max(analysis_date) "
            f"FROM warehouse.nba_precompute.{table} WHERE season_year = {year} GROUP BY 1 ORDER BY 1 DESC"
        )
        second_day = dt.date.fromisoformat(opening) + dt.timedelta(days=1)
        assert flags[0] == (True, second_day, dt.date.fromisoformat(last_bootstrap_day))
        assert flags[1][:2] == (False, dt.date.fromisoformat(first_normal_day))


@pytest.mark.parametrize("opening", ["2022-10-18", "2023-10-24"])
def test_nothing_is_expected_on_the_first_day(oracle, opening):
    excluded = oracle.rows(
        "SELECT processor_name, failure_category, failure_reason, count(*) "
        f"FROM warehouse.nba_processing.precompute_failures WHERE analysis_date = DATE '{opening}' GROUP BY ALL "
        "ORDER BY 1"
    )
    in_box = oracle.value("SELECT count(DISTINCT player) FROM box WHERE day = ?::DATE", opening)
    entities = {
        "ml_feature_store_v2": in_box,
        "player_composite_factors": in_box,
        "player_daily_cache": in_box,
        "team_defense_zone_analysis": 30,  # the league; nobody has been listed yet whose shots could be analysed
        "upcoming_player_game_context": in_box,
        "upcoming_team_game_context": 4,
    }
    assert excluded == [(name, "EXPECTED_INCOMPLETE", "no_expected_games", count) for name, count in entities.items()]
    for name in (*entities, "player_shot_zone_analysis"):
        table, day = TABLES[name], BY_NAME[name].day_column
        assert oracle.value(f"SELECT count(*) FROM warehouse.{table.id} WHERE {day} = DATE '{opening}'") == 0
    explained = oracle.rows(
        "SELECT processor_name, coverage_expected, coverage_explained FROM "
        f"warehouse.nba_orchestration.publish_receipts WHERE analysis_date = DATE '{opening}' "
        "AND phase = 'phase_4_precompute' ORDER BY 1"
    )
    debutants = oracle.value("SELECT count(*) FROM played WHERE day = ?::DATE", opening)
    of_players = ("ml_feature_store_v2", "player_composite_factors", "player_daily_cache", "player_shot_zone_analysis")
    assert explained == [
        *((name, debutants, debutants) for name in of_players),
        ("team_defense_zone_analysis", 4, 4),
    ]
