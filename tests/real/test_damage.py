"""The season 2022-23 with known damage: exactly the windows that hold a lost game say so, and name it.

Each expectation is reached twice: by the oracle from the damaged files, and by counting games in the windows of the
undamaged season.
"""

import datetime as dt
import random
import shutil
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

import duckdb
import pytest

from tests.real.conftest import AFTER, load, run
from tests.real.oracle import FILES, Oracle

SEASON, SEASON_YEAR = "2022-23", 2022
FIRST, LAST = dt.date(2022, 10, 1), dt.date(2023, 6, 30)
SUMMARIES = ["team_offense_game_summary", "team_defense_game_summary", "player_game_summary"]
ZONES = ["team_defense_zone_analysis", "player_shot_zone_analysis"]  # a team's gate and a player's
WINDOW = {"team": 15, "player": 10}
BOX_SCORES = ("player_box", "team_box", "shots")

LOST_DAYS = ("2022-10-26", "2023-01-11", "2023-03-05")  # in bootstrap; in mid-season; with a moved game
PARTIAL_TEAM, PARTIAL_DAY = "BOS", "2023-01-16"
NEWEST_DAY, MORNING_AFTER = "2023-02-23", "2023-02-24"  # the first game days after the All-Star break
LOST_ROWS_PERCENT, SEED = 5, 20230224


@dataclass(frozen=True)
class Damage:
    """The oracle of damaged landing files and their warehouse, and the oracle of the undamaged season.

    lost: (league game id, tricode) of the team-games of which something is lost.  end: the last day run.
    """

    oracle: Oracle
    undamaged: Oracle
    lost: frozenset[tuple[str, str]]
    end: dt.date = LAST


def write_landing(data, directory, removed, schedule):
    """The season's landing files without the rows that `removed` describes: file -> SQL condition."""
    directory.mkdir()
    for name, stem in FILES.items():
        kept = "TRUE" if name == "players" else f"season = '{SEASON}'"
        if name in removed:
            kept += f" AND NOT ({removed[name]})"
        columns = schedule if name == "schedule" else "*"
        duckdb.execute(
            f"COPY (SELECT {columns} FROM read_parquet('{data / stem}.parquet') WHERE {kept}) "
            f"TO '{directory / stem}.parquet' (FORMAT parquet)"
        )


@pytest.fixture(scope="session")
def damage(data, oracle, once):
    """damage(name, removed, lost, ...): the season loaded and run from landing files with rows removed.

    removed: file -> SQL condition on its rows.  lost: SQL condition on team_game.  schedule: its columns, as SQL.
    """

    def damaged(name, removed, lost, *, end=LAST, now=AFTER, schedule="*"):
        def build(directory):
            landing, warehouse = directory / "landing", directory / "damaged.duckdb"
            write_landing(data, landing, removed, schedule)
            load(warehouse, landing, now)
            run(warehouse, "analytics", FIRST, end, now, names=SUMMARIES)
            run(warehouse, "precompute", FIRST, end, now, names=ZONES)

        directory = once(f"real_{name}", build)
        games = oracle.rows(f"SELECT game_id, team FROM team_game WHERE season = '{SEASON}' AND {lost}")
        return Damage(Oracle(directory / "landing", directory / "damaged.duckdb"), oracle, frozenset(games), end)

    return damaged


@pytest.fixture(scope="session")
def lost_days(damage):
    """All box scores of three days are lost: players, teams and shots."""
    days = ", ".join(f"'{day}'" for day in LOST_DAYS)
    return damage("lost_days", dict.fromkeys(BOX_SCORES, f"game_date IN ({days})"), f"day IN ({days})")


@pytest.fixture(scope="session")
def partial_game(damage):
    """One team's player rows of one game are lost; the team's own row and the shots are there."""
    removed = {"player_box": f"team_tricode = '{PARTIAL_TEAM}' AND game_date = '{PARTIAL_DAY}'"}
    return damage("partial_game", removed, f"team = '{PARTIAL_TEAM}' AND day = '{PARTIAL_DAY}'")


@pytest.fixture(scope="session")
def newest_day(damage):
    """The morning after a game day whose box scores never came: its games are final, all later ones scheduled."""
    removed = dict.fromkeys(BOX_SCORES, f"game_date >= '{NEWEST_DAY}'")
    removed["inactives"] = f"game_date >= '{MORNING_AFTER}'"
    over = f"game_date < '{MORNING_AFTER}'"
    schedule = (
        f"* REPLACE (CASE WHEN {over} OR status <> 'Final' THEN status ELSE 'Scheduled' END AS status, "
        f"CASE WHEN {over} THEN home_score END AS home_score, CASE WHEN {over} THEN away_score END AS away_score)"
    )
    end = dt.date.fromisoformat(MORNING_AFTER)
    now = dt.datetime.combine(end, dt.time(16), dt.UTC)
    return damage("newest_day", removed, f"day = '{NEWEST_DAY}'", end=end, now=now, schedule=schedule)


@pytest.fixture(scope="session")
def lost_rows(data, oracle, season_warehouse, once):
    """A random twentieth of player_game_summary is deleted from the warehouse, and precompute runs again.

    (oracle of what is left, {(player, league game id) deleted})
    """
    table = "nba_analytics.player_game_summary"
    rows = oracle.rows(
        f"SELECT player_lookup, nba_game_id FROM warehouse.{table} WHERE season_year = ? ORDER BY ALL", SEASON_YEAR
    )
    lost = random.Random(SEED).sample(rows, len(rows) * LOST_ROWS_PERCENT // 100)

    def build(directory):
        warehouse = directory / "damaged.duckdb"
        shutil.copyfile(season_warehouse, warehouse)
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("CREATE TEMP TABLE lost (player VARCHAR, game VARCHAR)")
            connection.executemany("INSERT INTO lost VALUES (?, ?)", lost)
            connection.execute(f"DELETE FROM {table} WHERE (player_lookup, nba_game_id) IN (FROM lost)")
        run(warehouse, "precompute", FIRST, LAST, AFTER + dt.timedelta(hours=1), names=ZONES, allow_demotion=True)

    return Oracle(data, once("real_lost_rows", build) / "damaged.duckdb", lost), frozenset(lost)


@pytest.fixture(params=["lost_days", "partial_game", "newest_day"])
def damaged(request):
    """Each kind of damage to the landing files."""
    return request.getfixturevalue(request.param)


# What the windows of the undamaged season say


def expected_missing(required, judged, length, lost):
    """{(entity, day): games missing}, for the windows of `length` required games that hold a lost one.

    required: (entity, day, game) of every game an entity must have.  judged: (entity, day).
    lost: (entity, game) pairs that are not there.
    """
    owed = defaultdict(list)
    for entity, day, game in sorted(required):
        owed[entity].append((day, game))
    found = {}
    for entity, day in judged:
        games = owed[entity]
        earlier = bisect_left(games, (day,))
        window = games[max(0, earlier - length) : earlier]
        missing = [game for _, game in window if (entity, game) in lost]
        if missing:
            found[entity, day] = missing
    return found


def stored_missing(oracle, entity):
    """{(entity, day): games missing} of the rows that list any."""
    rows = oracle.rows(f"SELECT entity, analysis_date, missing FROM stored_{entity}_verdict WHERE len(missing) > 0")
    return {(name, day): missing for name, day, missing in rows}


def judged_days(oracle, entity, end=LAST):
    """Every (entity, day) of the season up to `end`."""
    return oracle.rows(f"SELECT entity, day FROM {entity}_judged WHERE season = ? AND day <= ?", SEASON, end)


def stored_verdicts(oracle, entity, end=LAST):
    """{(entity, day): (ready, bootstrap, reason, required, present)} of the season's rows up to `end`."""
    rows = oracle.rows(
        f"SELECT entity, analysis_date, ready, bootstrap, reason, expected, actual FROM stored_{entity}_verdict "
        "WHERE analysis_date BETWEEN ? AND ?",
        FIRST,
        end,
    )
    return {(name, day): verdict for name, day, *verdict in rows}


# Files with rows removed


@pytest.mark.parametrize("entity", ["team", "player"])
def test_every_verdict_follows_from_the_damaged_files(damaged, entity):
    cells = damaged.oracle.same_verdicts(entity, last=damaged.end)
    assert cells > {"team": 30_000, "player": 400_000}[entity]


@pytest.mark.parametrize("damaged", ["lost_days", "newest_day"], indirect=True)
def test_teams_list_exactly_the_lost_games_of_their_windows(damaged):
    required = damaged.undamaged.rows("SELECT entity, day, game_id FROM team_owes WHERE season = ?", SEASON)
    judged = judged_days(damaged.undamaged, "team", damaged.end)
    expected = expected_missing(required, judged, WINDOW["team"], {(team, game) for game, team in damaged.lost})
    assert expected
    assert stored_missing(damaged.oracle, "team") == expected


def test_a_team_whose_players_are_lost_still_has_its_own_box_score(partial_game):
    assert stored_missing(partial_game.oracle, "team") == {}


def test_players_list_exactly_the_lost_games_of_their_windows(damaged):
    """What is not lost is required as ever. A lost game is owed by everybody whose stint covers it, whoever played it,
    but for those on its inactive list. Who stays and who is judged is what the files still say: a debut in a lost
    game is not known of, and a lost game is no whole game that would end a stay.
    """
    lost_games = ", ".join(f"('{game}', '{team}')" for game, team in sorted(damaged.lost))
    kept = damaged.undamaged.rows(
        "SELECT entity, day, game_id FROM player_owes "
        f"WHERE season = ? AND required AND (game_id, team) NOT IN ({lost_games})",
        SEASON,
    )
    owed = damaged.oracle.rows(
        f"""
SELECT m.player, g.day, g.game_id FROM team_game AS g
JOIN membership AS m ON m.team = g.team AND m.since <= g.day AND (m.until IS NULL OR g.day < m.until)
WHERE (g.game_id, g.team) IN ({lost_games}) AND NOT EXISTS (FROM landing.inactives AS i
  WHERE i.game_id = g.game_id AND i.team_tricode = g.team AND key_of(i.player_id, i.player_name) = m.player)"""
    )
    judged = judged_days(damaged.oracle, "player", damaged.end)
    expected = expected_missing(kept + owed, judged, WINDOW["player"], {(player, game) for player, _, game in owed})
    assert expected
    assert stored_missing(damaged.oracle, "player") == expected


@pytest.mark.parametrize("entity", ["team", "player"])
def test_verdicts_change_exactly_below_nine_tenths(damaged, entity):
    """Every row of the undamaged season is ready; a damaged one is not where 10 x present < 9 x required."""
    before = stored_verdicts(damaged.undamaged, entity, damaged.end)
    after = stored_verdicts(damaged.oracle, entity, damaged.end)
    assert all(ready for ready, *_ in before.values())
    common = before.keys() & after.keys()
    assert len(common) > 0.99 * len(before)
    changed = {key for key in common if not after[key][0]}
    short = {key for key, (_, _, _, required, present) in after.items() if 10 * present < 9 * required}
    assert changed == short & common
    for key in short:
        _, bootstrap, reason, _, present = after[key]
        computed = bootstrap and present > 0
        assert reason == ("bootstrap_mode_allowed" if computed else "incomplete_upstream_data"), key


def test_rows_come_and_go_only_with_what_was_lost(damaged):
    """A row that only one of the two seasons has is a player's who owes a lost game, or whose listing there is lost."""
    before = stored_verdicts(damaged.undamaged, "player", damaged.end)
    after = stored_verdicts(damaged.oracle, "player", damaged.end)
    games = ", ".join(f"'{game}'" for game, _ in sorted(damaged.lost))
    touched = set(
        damaged.undamaged.rows(f"SELECT player FROM listed WHERE game_id IN ({games})")
        + damaged.oracle.rows(f"SELECT entity FROM player_owes WHERE game_id IN ({games})")
    )
    assert {(player,) for player, _ in before.keys() ^ after.keys()} <= touched


def test_computed_rows_average_the_games_that_are_there(damaged):
    cells = damaged.oracle.same(
        f"SELECT * FROM player_verdict WHERE shots IS NOT NULL AND analysis_date <= '{damaged.end}'",
        "SELECT * FROM stored_player_verdict WHERE shots IS NOT NULL",
        ("entity", "analysis_date"),
        exact=("shots",),
    )
    assert cells > 40_000


def test_held_back_rows_are_stubs_with_a_failure_and_one_attempt(damaged):
    """No business column is filled; the failure names the same games; in bootstrap no attempt is recorded."""
    stubs = "processing_decision_reason = 'incomplete_upstream_data'"
    for entity, table, key, sample in (
        ("player", "player_shot_zone_analysis", "player_lookup", "games_in_sample_10"),
        ("team", "team_defense_zone_analysis", "team_abbr", "games_in_sample"),
    ):
        rows = f"SELECT * FROM warehouse.nba_precompute.{table} WHERE {stubs}"
        filled = damaged.oracle.value(
            f"SELECT count(*) FROM ({rows}) WHERE {sample} IS NOT NULL OR data_quality_tier IS NOT NULL "
            "OR data_hash IS NOT NULL OR is_production_ready"
        )
        assert filled == 0, entity
        stubs_by_key = f"SELECT {key} AS entity_id, * FROM ({rows})"
        damaged.oracle.same(
            stubs_by_key,
            "SELECT * FROM warehouse.nba_processing.precompute_failures "
            f"WHERE processor_name = '{table}' AND failure_category = 'INCOMPLETE_DATA'",
            ("entity_id", "analysis_date"),
            exact=("missing_game_ids",),
        )
        damaged.oracle.same(
            f"SELECT *, 1 AS attempt_number FROM ({stubs_by_key}) WHERE reprocess_attempt_count = 1",
            f"SELECT * FROM warehouse.nba_orchestration.reprocess_attempts WHERE processor_name = '{table}'",
            ("entity_id", "analysis_date"),
            exact=("attempt_number",),
        )
        in_bootstrap = damaged.oracle.rows(
            f"SELECT DISTINCT backfill_bootstrap_mode, reprocess_attempt_count FROM ({rows})"
        )
        assert set(in_bootstrap) <= {(False, 1), (True, 0)}


# Each kind of damage on its own


def test_a_lost_day_is_a_day_without_data(lost_days):
    receipts = lost_days.oracle.rows(
        "SELECT DISTINCT analysis_date::VARCHAR, status FROM warehouse.nba_orchestration.publish_receipts "
        "WHERE processor_name LIKE '%_game_summary' AND status <> 'COMPLETE' ORDER BY ALL"
    )
    assert receipts == [(day, "NO_DATA") for day in LOST_DAYS]


def test_a_day_lost_in_bootstrap_flags_what_can_be_computed(lost_days):
    """Two or three games into the season one lost game is a third or more of every window."""
    after = stored_verdicts(lost_days.oracle, "player")
    reasons = defaultdict(int)
    for (_, day), (ready, bootstrap, reason, _, _) in after.items():
        if day <= dt.date(2022, 11, 16):
            assert bootstrap
            reasons[reason] += not ready
    assert reasons["bootstrap_mode_allowed"] > 1000
    assert 0 < reasons["incomplete_upstream_data"] < 100, "players of whom nothing but the lost game is known"


def test_one_lost_game_of_ten_is_tolerated_two_are_not(lost_days):
    after = stored_verdicts(lost_days.oracle, "player")
    missing = stored_missing(lost_days.oracle, "player")
    full = {(len(missing[key]), after[key][0]) for key in missing if after[key][3] == 10}
    assert full >= {(1, True)}
    assert (1, False) not in full
    teams = stored_verdicts(lost_days.oracle, "team")
    lost = stored_missing(lost_days.oracle, "team")
    assert {(len(lost[key]), teams[key][0]) for key in lost if teams[key][3] == 15} == {(1, True)}


def test_a_partial_game_is_missed_by_all_the_team_but_the_inactive(partial_game):
    """BOS on 2023-01-17: the thirteen on the box, played or not, miss the game; the inactive are excused of it."""
    ((game, _),) = partial_game.lost
    next_day = dt.date(2023, 1, 17)
    missing = {p for (p, day), games in stored_missing(partial_game.oracle, "player").items() if day == next_day}
    in_box = partial_game.undamaged.rows(
        "SELECT player FROM box WHERE game_id = ? AND team_tricode = ?", game, PARTIAL_TEAM
    )
    inactive = partial_game.undamaged.rows(
        "SELECT key_of(player_id, player_name) FROM landing.inactives WHERE game_id = ? AND team_tricode = ?",
        game,
        PARTIAL_TEAM,
    )
    assert {(player,) for player in missing} >= set(in_box)
    assert not {(player,) for player in missing} & set(inactive)


def test_the_newest_lost_day_is_seen_the_next_morning(newest_day):
    """Whoever is with a team that played on the lost day lacks that game, and nobody else lacks any."""
    morning = dt.date.fromisoformat(MORNING_AFTER)
    missing = stored_missing(newest_day.oracle, "player")
    assert {day for _, day in missing} == {morning}
    assert {len(games) for games in missing.values()} == {1}
    played = newest_day.undamaged.rows("SELECT player FROM played WHERE day = ?::DATE", NEWEST_DAY)
    known = {player for player, day in stored_verdicts(newest_day.oracle, "player") if day == morning}
    assert {player for (player,) in played} & known <= {player for player, _ in missing}
    assert {team for team, _ in stored_missing(newest_day.oracle, "team")} == {team for _, team in newest_day.lost}


# Rows lost from the warehouse


def test_every_verdict_follows_from_the_rows_left(lost_rows):
    after, _ = lost_rows
    assert after.same_verdicts("player") > 8 * 216_000
    assert after.same_verdicts("team") > 8 * 12_000


def test_players_list_exactly_their_lost_rows(oracle, lost_rows):
    """The box still says who played: the same games are required as before, so the undamaged windows tell."""
    after, lost = lost_rows
    required = oracle.rows("SELECT entity, day, game_id FROM player_owes WHERE season = ? AND required", SEASON)
    expected = expected_missing(required, judged_days(oracle, "player"), WINDOW["player"], lost)
    assert len(expected) > 30_000
    assert stored_missing(after, "player") == expected
    assert stored_missing(after, "team") == {}


def test_lost_rows_change_verdicts_exactly_below_nine_tenths(oracle, lost_rows):
    after, _ = lost_rows
    before, now = stored_verdicts(oracle, "player"), stored_verdicts(after, "player")
    assert before.keys() == now.keys()
    changed = {key for key in now if now[key][0] is not before[key][0]}
    assert changed == {key for key, (_, _, _, required, present) in now.items() if 10 * present < 9 * required}
    assert len(changed) > 5_000
    demoted = after.value(
        "SELECT sum(demoted_count) FROM warehouse.nba_orchestration.latest_receipts "
        "WHERE processor_name = 'player_shot_zone_analysis'"
    )
    assert demoted == len(changed), "the receipts count every row that was ready before"


def test_lost_rows_are_not_averaged(lost_rows):
    after, _ = lost_rows
    cells = after.same(
        "SELECT * FROM player_verdict WHERE shots IS NOT NULL",
        "SELECT * FROM stored_player_verdict WHERE shots IS NOT NULL",
        ("entity", "analysis_date"),
        exact=("shots",),
    )
    assert cells > 180_000
