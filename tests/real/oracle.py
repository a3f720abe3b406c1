"""What the documents say about the landing files, in plain DuckDB SQL: nothing here calls the product.

Slow and obvious on purpose: every player-day is joined to every earlier game, and windows are cut out by counting.
Keys are the product's (player_lookup, tricode) and the league's game ids; days are sports days.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

FILES = {
    "schedule": "schedule",
    "players": "players",
    "player_box": "player_boxscores",
    "team_box": "team_boxscores",
    "shots": "shots-by-zone",
    "inactives": "inactives",
}
ZONES = ("paint", "mid_range", "three_pt")
ZONE_COUNTS = tuple(f"{zone}_{what}" for zone in ZONES for what in ("makes", "attempts"))
LEAGUE_DEFAULTS = {"paint": 0.580, "mid_range": 0.410, "three_pt": 0.355}
BOOTSTRAP_DAYS = 30

FACTS = """
-- The key of a player: lower case, accents folded, letters and digits only.
CREATE MACRO lookup(name) AS regexp_replace(lower(strip_accents(name)), '[^a-z0-9]', '', 'g');

-- Names differ between files, ids do not; a few who never played have no id, and keep their own name.
CREATE MACRO key_of(id, name) AS coalesce((SELECT lookup(p.player_name) FROM landing.players AS p
  WHERE p.player_id = id), lookup(name));

-- Games that count: no pre-season, no All-Star game, no cup final, nothing called off.
CREATE TABLE game AS
SELECT season, game_id, game_date AS day, home_tricode AS home, away_tricode AS away, home_score, away_score,
  status = 'Final' AS final, season_type,
  strftime(game_date, '%Y%m%d') || '_' || away_tricode || '_' || home_tricode AS canonical_id
FROM landing.schedule
WHERE season_type IN ('regular', 'play_in', 'playoffs') AND status <> 'Cancelled' AND game_date IS NOT NULL;

CREATE TABLE team_game AS
SELECT season, game_id, day, home AS team, away AS opponent, home_score AS score, final, canonical_id FROM game
UNION ALL
SELECT season, game_id, day, away, home, away_score, final, canonical_id FROM game;

CREATE TABLE game_day AS
SELECT DISTINCT season, day,
  day - (SELECT min(g.day) FROM game AS g WHERE g.season = game.season AND g.season_type = 'regular') AS day_number
FROM game;

CREATE TABLE box AS
SELECT key_of(b.player_id, b.player_name) AS player, b.* EXCLUDE (season, game_date), g.season, g.day
FROM landing.player_box AS b JOIN game AS g USING (game_id);

-- Where anybody of a team shot from; a team-game without any shot row is unknown, not zero.
CREATE TABLE shot AS
SELECT game_id_resolved AS game_id, team_tricode AS team, key_of(player_id, player_name) AS player,
  paint_fgm AS paint_makes, paint_fga AS paint_attempts,
  mid_range_fgm AS mid_range_makes, mid_range_fga AS mid_range_attempts,
  corner3_fgm + above_break3_fgm + backcourt_fgm AS three_pt_makes,
  corner3_fga + above_break3_fga + backcourt_fga AS three_pt_attempts
FROM landing.shots;

CREATE TABLE team_shot AS
SELECT game_id, team, {zone_sums}
FROM shot GROUP BY game_id, team;

-- What a player who entered a game shot there: 0 without a shot row if his team's shots are known, else unknown.
CREATE TABLE played AS
SELECT b.season, b.day, b.player, b.game_id, b.team_tricode AS team, t.game_id IS NOT NULL AS zones_known,
  {player_zones}
FROM box AS b
LEFT JOIN team_shot AS t ON t.game_id = b.game_id AND t.team = b.team_tricode
LEFT JOIN shot AS s ON s.game_id = b.game_id AND s.team = b.team_tricode AND s.player = b.player
WHERE b.played;

-- What a team conceded: the other side's box score and shots. Possessions = FGA + 0.44 FTA - OREB + TO.
CREATE TABLE conceded AS
SELECT g.season, g.day, g.team, g.game_id, o.pts, o.fga + 0.44 * o.fta - o.oreb + o.tov AS possessions,
  48 + 5 * o.n_ot AS minutes_each, {team_zones}
FROM team_game AS g
JOIN landing.team_box AS o ON o.game_id = g.game_id AND o.team_tricode = g.opponent
LEFT JOIN team_shot AS s ON s.game_id = g.game_id AND s.team = g.opponent;
""".format(
    zone_sums=", ".join(f"sum({count}) AS {count}" for count in ZONE_COUNTS),
    player_zones=",\n  ".join(
        f"CASE WHEN t.game_id IS NOT NULL THEN coalesce(s.{count}, 0) END AS {count}" for count in ZONE_COUNTS
    ),
    team_zones=", ".join(f"s.{count}" for count in ZONE_COUNTS),
)

RULES = """
-- A whole team-game: its players' points add up to the schedule's score.
CREATE TABLE whole AS
SELECT season, team, day, row_number() OVER (PARTITION BY season, team ORDER BY day) AS nth
FROM team_game AS g
WHERE final AND score = (SELECT sum(b.pts) FROM box AS b WHERE b.game_id = g.game_id AND b.team_tricode = g.team);

-- Who is named for a game: in the box, played or not, or on the inactive list.
CREATE TABLE listed AS
SELECT season, day, player, game_id, team_tricode AS team FROM box
UNION
SELECT g.season, g.day, key_of(i.player_id, i.player_name), g.game_id, i.team_tricode
FROM landing.inactives AS i JOIN game AS g USING (game_id);

-- Stints, cut at each listing: from that day to the day before the next one the player is the team's.
-- Named for two teams on one day, he belongs to the one he was not with before.
CREATE TABLE membership AS
SELECT season, player, team, since, lead(since) OVER (PARTITION BY season, player ORDER BY since) AS until
FROM (
  SELECT season, player, since, arg_max(team, (team <> coalesce(team_before, ''), team)) AS team
  FROM (
    SELECT season, player, team, day AS since, last_value(team) OVER (PARTITION BY season, player ORDER BY day
      RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 DAY PRECEDING) AS team_before
    FROM listed
  )
  GROUP BY season, player, since
);

-- Every game of a player's stints, and whether he must have it. He is excused where he did not play as far as the
-- box says, and either the team's game is whole or he is named as not playing; absent from a partial game he is not.
CREATE TABLE player_owes AS
SELECT m.season, m.player AS entity, g.team, g.day, g.game_id,
  p.game_id IS NOT NULL OR (w.team IS NULL AND l.game_id IS NULL) AS required,
  p.game_id IS NOT NULL AND lost.game_id IS NULL AS present,
  p.paint_attempts + p.mid_range_attempts + p.three_pt_attempts AS shots
FROM membership AS m
JOIN team_game AS g
  ON g.season = m.season AND g.team = m.team AND g.day >= m.since AND (m.until IS NULL OR g.day < m.until)
LEFT JOIN played AS p ON p.game_id = g.game_id AND p.player = m.player AND p.team = g.team
LEFT JOIN listed AS l ON l.game_id = g.game_id AND l.player = m.player AND l.team = g.team
LEFT JOIN whole AS w ON w.season = g.season AND w.team = g.team AND w.day = g.day
LEFT JOIN lost ON lost.game_id = g.game_id AND lost.player = m.player;

-- Players are judged from the day after a listing, until the day of the team's tenth whole game without one.
CREATE TABLE player_judged AS
SELECT d.season, d.day, d.day_number, m.player AS entity
FROM (
  SELECT m.*, (SELECT count(*) FROM whole AS w WHERE w.season = m.season AND w.team = m.team AND w.day <= m.since)
    AS whole_so_far
  FROM membership AS m
) AS m
LEFT JOIN whole AS tenth ON tenth.season = m.season AND tenth.team = m.team AND tenth.nth = m.whole_so_far + 10
JOIN game_day AS d ON d.season = m.season AND d.day > m.since AND (m.until IS NULL OR d.day <= m.until)
  AND (tenth.day IS NULL OR d.day <= tenth.day);

-- Teams are judged on every game day, and must have every game of theirs.
CREATE TABLE team_owes AS
SELECT g.season, g.team AS entity, g.day, g.game_id, TRUE AS required, c.game_id IS NOT NULL AS present,
  c.paint_attempts AS shots
FROM team_game AS g LEFT JOIN conceded AS c ON c.game_id = g.game_id AND c.team = g.team;

CREATE TABLE team_judged AS
SELECT d.season, d.day, d.day_number, t.team AS entity
FROM game_day AS d JOIN (SELECT DISTINCT season, team FROM team_game) AS t USING (season);
"""

# The window of an entity-day goes back until it holds {length} required games, or the season starts: an earlier game,
# required or excused, belongs to it while fewer than {length} required games are newer.
JUDGED = """
CREATE TABLE {entity}_verdict AS
WITH owes AS (
  SELECT *, count(*) FILTER (required) OVER (PARTITION BY season, entity ORDER BY day) AS required_so_far
  FROM {entity}_owes
),
judged AS (
  SELECT j.*, coalesce(o.required_so_far, 0) AS required_before
  FROM {entity}_judged AS j
  ASOF LEFT JOIN owes AS o ON o.season = j.season AND o.entity = j.entity AND o.day < j.day
),
in_window AS (
  SELECT j.entity, j.day AS analysis_date, j.day_number, o.game_id, o.day, o.required, o.present, o.shots
  FROM judged AS j
  LEFT JOIN owes AS o ON o.season = j.season AND o.entity = j.entity AND o.day < j.day
    AND j.required_before - o.required_so_far < {length}
),
counted AS (
  SELECT entity, analysis_date, day_number,
    count(*) FILTER (required) AS expected,
    count(*) FILTER (NOT required) AS excused,
    count(*) FILTER (required AND present) AS actual,
    sum(shots) FILTER (required AND present) AS shots,
    coalesce(list(game_id ORDER BY day) FILTER (required AND NOT present), []) AS missing
  FROM in_window GROUP BY entity, analysis_date, day_number
)
SELECT entity, analysis_date, expected, excused, actual, expected - actual AS missing_count, missing,
  CASE WHEN expected > 0 THEN round(100.0 * actual / expected, 1) END AS percentage,
  expected > 0 AND 10 * actual >= 9 * expected AS ready,
  day_number BETWEEN 0 AND {bootstrap} - 1 AS bootstrap,
  CASE
    WHEN expected = 0 AND excused > 0 THEN 'all_games_excused'
    WHEN expected = 0 THEN 'no_expected_games'
    WHEN 10 * actual >= 9 * expected THEN 'processed_successfully'
    WHEN bootstrap AND actual > 0 THEN 'bootstrap_mode_allowed'
    ELSE 'incomplete_upstream_data'
  END AS reason,
  CASE WHEN reason IN ('processed_successfully', 'bootstrap_mode_allowed') THEN shots END AS shots
FROM counted;
"""

VERDICT_COLUMNS = (
    "expected",
    "excused",
    "actual",
    "missing_count",
    "missing",
    "percentage",
    "ready",
    "bootstrap",
    "reason",
)

# The warehouse's answer under the oracle's names. Entity-days with nothing required have no row, only a record.
STORED = """
CREATE VIEW stored_{entity}_verdict AS
SELECT {key} AS entity, analysis_date, expected_games_count AS expected, dnp_games_count AS excused,
  actual_games_count AS actual, missing_games_count AS missing_count, missing_nba_game_ids AS missing,
  completeness_percentage AS percentage, is_production_ready AS ready, backfill_bootstrap_mode AS bootstrap,
  processing_decision_reason AS reason, {shots} AS shots
FROM warehouse.nba_precompute.{table}
"""
STORED_EXCLUDED = """
CREATE VIEW stored_{entity}_excluded AS
SELECT entity_id AS entity, analysis_date, expected_game_count AS expected, failure_reason AS reason
FROM warehouse.nba_processing.precompute_failures
WHERE processor_name = '{table}' AND failure_category = 'EXPECTED_INCOMPLETE'
"""
ENTITIES = {
    "team": ("team_defense_zone_analysis", "team_abbr", 15, "NULL"),
    "player": ("player_shot_zone_analysis", "player_lookup", 10, "total_shots_last_10"),
}


class Oracle:
    """One directory of landing files, with the rules applied to them, beside the warehouse they were loaded into.

    lost: (player_lookup, league game id) pairs whose row was taken out of player_game_summary.
    """

    def __init__(self, landing: Path, warehouse: Path, lost: Sequence[tuple[str, str]] = ()) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        self.connection.execute("CREATE SCHEMA landing")
        for name, stem in FILES.items():
            self.connection.execute(
                f"CREATE VIEW landing.{name} AS SELECT * FROM read_parquet('{landing / stem}.parquet')"
            )
        self.connection.execute("CREATE TABLE lost (player VARCHAR, game_id VARCHAR)")
        if lost:
            self.connection.executemany("INSERT INTO lost VALUES (?, ?)", lost)
        self.connection.execute(FACTS)
        self.connection.execute(RULES)
        for entity, (table, key, length, shots) in ENTITIES.items():
            names = {"entity": entity, "table": table, "key": key, "length": length, "shots": shots}
            self.connection.execute(JUDGED.format(**names, bootstrap=BOOTSTRAP_DAYS))
            self.connection.execute(STORED.format(**names))
            self.connection.execute(STORED_EXCLUDED.format(**names))

    def rows(self, sql: str, *parameters: object) -> list[tuple]:
        return self.connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, *parameters: object) -> object:
        ((value,),) = self.rows(sql, *parameters)
        return value

    def same(
        self,
        expected: str,
        found: str,
        keys: Iterable[str],
        exact: Iterable[str] = (),
        rounded: Mapping[str, int] | None = None,
    ) -> int:
        """Fails with examples unless both queries give the same rows by key; returns the number of cells compared.

        exact: columns that must be equal, null equal to null.  rounded: columns of the expectation that are not
        rounded, with the decimal places of the stored value, which must lie within half a unit of its last place.
        """
        wrong = {name: f"e.{name} IS DISTINCT FROM f.{name}" for name in exact}
        for name, places in (rounded or {}).items():
            half_a_unit = 0.5 * 10**-places + 1e-6
            wrong[name] = (
                f"(e.{name} IS NULL) <> (f.{name} IS NULL) OR abs(e.{name}::DOUBLE - f.{name}::DOUBLE) > {half_a_unit}"
            )
        told = [
            f"CASE WHEN e.row_there AND f.row_there AND ({test}) THEN "
            f"'{name}: ' || coalesce(e.{name}::VARCHAR, 'null') "
            f"|| ' is stored as ' || coalesce(f.{name}::VARCHAR, 'null') END"
            for name, test in wrong.items()
        ]
        both = ", ".join(keys)
        self.connection.execute(f"""
CREATE OR REPLACE TEMP TABLE comparison AS
SELECT {both}, list_filter([
  CASE WHEN f.row_there IS NULL THEN 'not stored' WHEN e.row_there IS NULL THEN 'stored, not expected' END,
  {", ".join(told) or "NULL"}
], lambda text: text IS NOT NULL) AS wrong
FROM (SELECT *, TRUE AS row_there FROM ({expected})) AS e
FULL JOIN (SELECT *, TRUE AS row_there FROM ({found})) AS f USING ({both})""")
        differing = self.value("SELECT count(*) FROM comparison WHERE len(wrong) > 0")
        examples = self.rows(f"SELECT * FROM comparison WHERE len(wrong) > 0 ORDER BY {both} LIMIT 8")
        rows = self.value("SELECT count(*) FROM comparison")
        assert differing == 0, f"{differing} of {rows} rows differ, such as\n" + "\n".join(map(str, examples))
        return int(rows) * max(len(wrong), 1)

    def same_verdicts(self, entity: str, first: str = "2000-01-01", last: str = "2100-01-01") -> int:
        """Every (entity, day) of the closed range is judged as the rules say; returns the number of cells compared."""
        days = f"analysis_date BETWEEN '{first}' AND '{last}'"
        cells = self.same(
            f"SELECT * FROM {entity}_verdict WHERE {days} AND expected > 0",
            f"SELECT * FROM stored_{entity}_verdict WHERE {days}",
            ("entity", "analysis_date"),
            exact=VERDICT_COLUMNS,
        )
        return cells + self.same(
            f"SELECT * FROM {entity}_verdict WHERE {days} AND expected = 0",
            f"SELECT * FROM stored_{entity}_excluded WHERE {days}",
            ("entity", "analysis_date"),
            exact=("expected", "reason"),
        )
