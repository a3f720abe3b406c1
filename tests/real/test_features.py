"""Rolling figures of players and teams: what the windows before a day say, recomputed from the landing files."""

import pytest

from tests.real.oracle import LEAGUE_DEFAULTS, ZONE_COUNTS, ZONES

# Ten players of all kinds: stars, traded in mid-season (four), a rookie, rarely on court, long injured, and names
# with accents or a suffix.
PLAYERS = {
    "nikolajokic": "Nikola Jokić",
    "lukadoncic": "Luka Dončić",
    "stephencurry": "Stephen Curry",
    "jarenjacksonjr": "Jaren Jackson Jr.",
    "kevindurant": "Kevin Durant, BKN to PHX in February 2023",
    "kyrieirving": "Kyrie Irving, BKN to DAL in February 2023",
    "mobamba": "Mo Bamba, ORL to LAL in February 2023",
    "jamesharden": "James Harden, PHI to LAC in November 2023",
    "paolobanchero": "Paolo Banchero, rookie of 2022-23",
    "zionwilliamson": "Zion Williamson, out from January 2023",
}
PLAYER_DAYS = (
    "2022-10-21",  # after one or two games
    "2022-11-16",
    "2022-12-25",
    "2023-01-20",
    "2023-02-13",  # just after the trades
    "2023-03-07",  # a game was moved to this day
    "2023-04-20",  # play-offs: no shots are known of the newest games
    "2023-11-20",
    "2024-03-15",
    "2024-05-28",  # the windows of those still playing hold play-off games only
)
TEAM_DAYS = (
    "2022-11-05",  # no team has ten games in thirty days: the league defaults stand in
    "2023-01-15",
    "2023-04-09",
    "2023-04-28",  # play-offs: fewer than fifteen games with known shots
    "2024-02-29",
)


# Where players shoot from

# The games a player entered in the season before the day, newest first; zones count where they are known.
SHOT_ZONES = f"""
WITH earlier AS (
  SELECT d.day AS analysis_date, p.*,
    row_number() OVER (PARTITION BY p.player, d.day ORDER BY p.day DESC) AS newest,
    p.paint_attempts + p.mid_range_attempts + p.three_pt_attempts AS attempts
  FROM game_day AS d JOIN played AS p ON p.season = d.season AND p.day < d.day
  WHERE d.day IN (SELECT unnest(?::DATE[])) AND p.player IN (SELECT unnest(?::VARCHAR[]))
),
summed AS (
  SELECT player AS player_lookup, analysis_date,
    least(count(*), 10) AS games_in_sample_10, least(count(*), 20) AS games_in_sample_20,
    count(*) FILTER (newest <= 10 AND zones_known) AS known,
    sum(attempts) FILTER (newest <= 10) AS total_shots_last_10,
    {", ".join(f"sum({count}) FILTER (newest <= 10) AS {count}" for count in ZONE_COUNTS)},
    sum(attempts) FILTER (newest <= 20) AS attempts_20,
    sum(paint_attempts) FILTER (newest <= 20) AS paint_attempts_20,
    sum(paint_makes) FILTER (newest <= 20) AS paint_makes_20
  FROM earlier GROUP BY player, analysis_date
)
SELECT *,
  {", ".join(f"100.0 * {zone}_attempts / nullif(total_shots_last_10, 0) AS {zone}_rate_last_10" for zone in ZONES)},
  {", ".join(f"{zone}_makes / nullif({zone}_attempts, 0) AS {zone}_pct_last_10" for zone in ZONES)},
  {", ".join(f"{zone}_attempts / nullif(known, 0) AS {zone}_attempts_per_game" for zone in ZONES)},
  CASE WHEN games_in_sample_20 >= 15 THEN 100.0 * paint_attempts_20 / nullif(attempts_20, 0) END AS paint_rate_last_20,
  CASE WHEN games_in_sample_20 >= 15 THEN paint_makes_20 / nullif(paint_attempts_20, 0) END AS paint_pct_last_20,
  CASE
    WHEN paint_rate_last_10 >= 40 THEN 'paint'
    WHEN three_pt_rate_last_10 >= 40 THEN 'perimeter'
    WHEN mid_range_rate_last_10 >= 35 THEN 'mid_range'
    WHEN total_shots_last_10 > 0 THEN 'balanced'
  END AS primary_scoring_zone,
  CASE WHEN games_in_sample_10 = 10 THEN 'excellent' WHEN games_in_sample_10 >= 7 THEN 'good'
    WHEN games_in_sample_10 >= 5 THEN 'limited' ELSE 'insufficient' END AS sample_quality_10,
  CASE WHEN games_in_sample_20 = 20 THEN 'excellent' WHEN games_in_sample_20 >= 14 THEN 'good'
    WHEN games_in_sample_20 >= 10 THEN 'limited' ELSE 'insufficient' END AS sample_quality_20,
  CASE WHEN games_in_sample_10 = 10 THEN 'high' WHEN games_in_sample_10 >= 7 THEN 'medium' ELSE 'low' END
    AS data_quality_tier,
  games_in_sample_10 < 10 AS early_season_flag
FROM summed
"""
SHOT_ZONE_FACTS = (
    "total_shots_last_10",
    "games_in_sample_10",
    "games_in_sample_20",
    "sample_quality_10",
    "sample_quality_20",
    "primary_scoring_zone",
    "data_quality_tier",
    "early_season_flag",
)
SHOT_ZONE_RATES = {
    **{f"{zone}_rate_last_10": 2 for zone in ZONES},
    **{f"{zone}_pct_last_10": 3 for zone in ZONES},
    **{f"{zone}_attempts_per_game": 1 for zone in ZONES},
    "paint_rate_last_20": 2,
    "paint_pct_last_20": 3,
}


def _shot_zones_agree(oracle, days, players):
    oracle.connection.execute(f"CREATE OR REPLACE TEMP TABLE shot_zones AS {SHOT_ZONES}", [list(days), list(players)])
    # Whoever is no longer on any list has no row, however much he has played: see the judged players below.
    judged = "SELECT 1 FROM player_judged AS j WHERE j.entity = player_lookup AND j.day = analysis_date"
    return oracle.same(
        f"SELECT * FROM shot_zones WHERE EXISTS ({judged})",
        "SELECT stored.* FROM warehouse.nba_precompute.player_shot_zone_analysis AS stored "
        "JOIN shot_zones USING (player_lookup, analysis_date)",
        ("player_lookup", "analysis_date"),
        exact=SHOT_ZONE_FACTS,
        rounded=SHOT_ZONE_RATES,
    )


@pytest.mark.parametrize("day", PLAYER_DAYS)
def test_rolling_shot_zones_of_ten_named_players(oracle, day):
    cells = _shot_zones_agree(oracle, [day], PLAYERS)
    assert cells >= 7 * 19, "most of the ten have a row on every day"


@pytest.mark.parametrize("day", ["2022-12-25", "2024-04-28"])
def test_rolling_shot_zones_of_everybody(oracle, day):
    players = [player for (player,) in oracle.rows("SELECT DISTINCT player FROM played")]
    assert _shot_zones_agree(oracle, [day], players) >= 400 * 19


def test_shots_of_playoff_windows_are_unknown_not_zero(oracle):
    """On the last day of a season the finalists' last ten games are play-off games, of which no shot is recorded."""
    rows = oracle.rows(
        "SELECT total_shots_last_10, paint_rate_last_10, paint_attempts_per_game, primary_scoring_zone, "
        "data_quality_issues, is_production_ready FROM warehouse.nba_precompute.player_shot_zone_analysis "
        "WHERE player_lookup IN ('nikolajokic', 'lukadoncic') AND analysis_date IN ('2023-06-12', '2024-06-17') "
        "AND expected_games_count > 0 AND season_year = CASE player_lookup WHEN 'nikolajokic' THEN 2022 ELSE 2023 END"
    )
    assert rows == [(None, None, None, None, ["shot_zones_unavailable"], True)] * 2


# What teams concede

_LEAGUE_SHARE = ",\n    ".join(
    f"CASE WHEN count(*) >= 10 AND count({zone}) = count(*) THEN avg({zone}) ELSE {LEAGUE_DEFAULTS[zone]} END AS {zone}"
    for zone in ZONES
)
# The last 15 games before the day.  The league: every team's games of the last 30 days, teams with ten of them or
# more, the plain mean of their shares; with fewer than ten such teams, or a zone nobody knows of, fixed figures.
CONCEDED = f"""
WITH earlier AS (
  SELECT d.day AS analysis_date, c.*, row_number() OVER (PARTITION BY c.team, d.day ORDER BY c.day DESC) AS newest,
    round(100.0 * c.pts / c.possessions, 2) AS rating, round(c.possessions * 48 / c.minutes_each, 1) AS pace
  FROM game_day AS d JOIN conceded AS c ON c.season = d.season AND c.day < d.day
  WHERE d.day = ?::DATE
),
league AS (
  SELECT
    {_LEAGUE_SHARE}
  FROM (
    SELECT {", ".join(f"sum({zone}_makes) / sum({zone}_attempts) AS {zone}" for zone in ZONES)}
    FROM earlier WHERE day >= analysis_date - 30 GROUP BY team HAVING count(*) >= 10
  )
),
summed AS (
  SELECT team AS team_abbr, analysis_date, count(*) AS games_in_sample, count(paint_makes) AS known,
    avg(rating) AS defensive_rating_last_15, avg(pace) AS opponent_pace, avg(pts) AS opponent_points_per_game,
    {", ".join(f"sum({count}) AS {count}" for count in ZONE_COUNTS)}
  FROM earlier WHERE newest <= 15 GROUP BY team, analysis_date
)
SELECT summed.*,
  {", ".join(f"{zone}_makes / nullif({zone}_attempts, 0) AS {zone}_pct_allowed_last_15" for zone in ZONES)},
  {", ".join(f"{zone}_attempts / nullif(known, 0) AS {zone}_attempts_allowed_per_game" for zone in ZONES)},
  {", ".join(f"100 * ({zone}_pct_allowed_last_15 - league.{zone}) AS {zone}_defense_vs_league_avg" for zone in ZONES)},
  2 * paint_makes / nullif(known, 0) AS paint_points_allowed_per_game,
  CASE WHEN games_in_sample >= 15 THEN 'high' WHEN games_in_sample >= 10 THEN 'medium' ELSE 'low' END
    AS data_quality_tier,
  games_in_sample < 15 AS early_season_flag
FROM summed, league
"""
CONCEDED_RATES = {
    **{f"{zone}_pct_allowed_last_15": 3 for zone in ZONES},
    **{f"{zone}_attempts_allowed_per_game": 1 for zone in ZONES},
    **{f"{zone}_defense_vs_league_avg": 2 for zone in ZONES},
    "paint_points_allowed_per_game": 1,
    "defensive_rating_last_15": 2,
    "opponent_pace": 1,
    "opponent_points_per_game": 1,
}


@pytest.mark.parametrize("day", TEAM_DAYS)
def test_what_all_teams_conceded(oracle, day):
    oracle.connection.execute(f"CREATE OR REPLACE TEMP TABLE conceded_zones AS {CONCEDED}", [day])
    cells = oracle.same(
        "FROM conceded_zones",
        f"SELECT * FROM warehouse.nba_precompute.team_defense_zone_analysis WHERE analysis_date = DATE '{day}'",
        ("team_abbr", "analysis_date"),
        exact=("games_in_sample", "data_quality_tier", "early_season_flag"),
        rounded=CONCEDED_RATES,
    )
    assert cells == 30 * 16


def test_strongest_and_weakest_zone_are_the_extremes_against_the_league(oracle):
    against = {zone: f"{zone}_defense_vs_league_avg" for zone in ZONES}
    rows = oracle.rows(
        f"SELECT strongest_zone, weakest_zone, {', '.join(against.values())} "
        "FROM warehouse.nba_precompute.team_defense_zone_analysis WHERE strongest_zone IS NOT NULL"
    )
    labels = ("paint", "mid_range", "perimeter")
    assert len(rows) > 10_000
    for strongest, weakest, *values in rows:
        known = {label: value for label, value in zip(labels, values, strict=True) if value is not None}
        assert known[strongest] == min(known.values())
        assert known[weakest] == max(known.values())
