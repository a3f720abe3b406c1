"""Every check of `verify`, damaged one by one, and against the same checks computed in plain Python."""

import datetime as dt
import random

import pytest

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import GATED, Entity, Phase
from fullcourt.orchestration.verify import NAMES, failure, phase_name, verify
from schemas import TABLES
from tests.verified import Reference, execute, game_days

PGS, TDGS, TOGS = "player_game_summary", "team_defense_game_summary", "team_offense_game_summary"
UPGC, UTGC = "upcoming_player_game_context", "upcoming_team_game_context"
PSZA, PDC, TDZA = "player_shot_zone_analysis", "player_daily_cache", "team_defense_zone_analysis"
PPP, BOX, TEAM_BOX, SCHEDULE = (
    "player_prop_predictions",
    "nbac_gamebook_player_stats",
    "nbac_team_boxscore",
    "nbac_schedule",
)


@pytest.fixture
def house(verified, tmp_path):
    return verified.copy(tmp_path / "house.duckdb")


def failed(house, phases=NAMES, now=None):
    """(phase, check, table, day) of everything that fails."""
    days = game_days(house)
    return {
        (phase, row["check"], row["table"].rpartition(".")[2], day)
        for phase in phases
        for row in verify(house.warehouse, phase, days[0], days[-1], now or house.now)
        if not row["ok"]
        for day in row["days"]
    }


def test_a_season_that_is_all_there_passes_everything(verified):
    assert failed(verified) == set()
    days = game_days(verified)
    for phase in NAMES:
        rows = verify(verified.warehouse, phase, days[0], days[-1], verified.now)
        assert rows
        assert failure(rows) is None
        assert all(row["days"] == [] for row in rows)


PLAYERS_OF_D = [processor.name for processor in GATED if processor.entity is Entity.PLAYER]
PLAYERS_AHEAD = [p.name for p in GATED if p.entity is Entity.PLAYER and p.phase is Phase.PRECOMPUTE]


def on(phase, *named):
    """Of one phase, (check, table) on the damaged day."""
    return {(phase, check, table) for check, table in named}


COPY = (
    "INSERT INTO {id} SELECT * FROM {id} WHERE {day} = @day "
    "AND {key} = (SELECT MIN({key}) FROM {id} WHERE {day} = @day)"
)


def sql(text, name, **more):
    table = TABLES[name]
    return text.format(id=table.id, day=table.day, **more)


def gone(name):
    return sql("DELETE FROM {id} WHERE {day} = @day", name)


# What is done to one day: (the statements, all that must fail).  Nothing else may.
DAMAGE = {
    "a team's row deleted": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND team_abbr = @team", TOGS)],
        on("analytics", ("team_rows", TOGS), ("published_rows", TOGS)),
    ),
    "a team's defence deleted": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND defending_team_abbr = @team", TDGS)],
        on("analytics", ("team_rows", TDGS), ("published_rows", TDGS)),
    ),
    "a team's context deleted": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND team_abbr = @team", UTGC)],
        on("analytics", ("team_rows", UTGC), ("published_rows", UTGC)),
    ),
    "a key twice": (
        [sql(COPY, PDC, key="player_lookup")],
        on("precompute", ("repeated_keys", PDC), ("published_rows", PDC)),
    ),
    "a player's summary twice": (
        [sql(COPY, PGS, key="player_lookup")],
        on("analytics", ("repeated_keys", PGS), ("published_rows", PGS)),
    ),
    "an active prediction twice": (
        [sql(COPY, PPP, key="prediction_id")],
        on("predictions", ("repeated_keys", PPP), ("published_rows", PPP)),
    ),
    "a player's box score twice": (
        [sql("INSERT INTO {id} SELECT * FROM {id} WHERE {day} = @day AND NOT played", BOX)],
        on("raw", ("repeated_keys", BOX)),
    ),
    "a team's box score twice": (
        [sql(COPY, TEAM_BOX, key="CONCAT(nba_game_id, team_abbr)")],
        on("raw", ("repeated_keys", TEAM_BOX)),
    ),
    "the zones of a day null": (
        [sql("UPDATE {id} SET paint_attempts = NULL WHERE {day} = @day", PGS)],
        on("analytics", ("unknown_zones_pct", PGS)),
    ),
    "one zone of the teams null": (
        [sql("UPDATE {id} SET opp_three_pt_attempts = NULL WHERE {day} = @day", TDGS)],
        on("analytics", ("unknown_zones_pct", TDGS)),
    ),
    "zones of the analysis null": (
        [sql("UPDATE {id} SET mid_range_attempts_per_game = NULL WHERE {day} = @day", PSZA)],
        on("precompute", ("unknown_zones_pct", PSZA)),
    ),
    "players dropped": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND player_lookup < 'f'", PGS)],
        on("analytics", ("players", PGS), ("coverage_pct", PGS), ("published_rows", PGS)),
    ),
    "contexts dropped": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND player_lookup < 'f'", UPGC)],
        on("analytics", ("coverage_pct", UPGC), ("published_rows", UPGC)),
    ),
    "one player's row lost": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND player_lookup = @player", PDC)],
        on("precompute", ("published_rows", PDC)),
    ),
    "rows held back that had been published": (
        [sql("UPDATE {id} SET processing_decision_reason = 'incomplete_upstream_data' WHERE {day} = @day", TDZA)],
        on("precompute", ("game_days", TDZA)),
    ),
    "a day's analysis dropped": ([gone(PSZA)], on("precompute", ("game_days", PSZA))),
    "a day's predictions dropped": ([gone(PPP)], on("predictions", ("game_days", PPP))),
    "a day's summaries dropped": (
        [gone(PGS)],
        # Nothing says any more who played, so nothing later can be known to be covered.
        on("analytics", ("game_days", PGS), ("coverage_pct", UPGC))
        | on("precompute", *(("coverage_pct", name) for name in PLAYERS_AHEAD)),
    ),
    "a day's box scores dropped": (
        [gone(BOX)],
        on("landing", ("game_days", BOX)) | on("raw", ("game_days", BOX)),
    ),
    "a day's shots dropped": ([gone("shot_zones")], on("landing", ("game_days", "shot_zones"))),
    "a team's players lost": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND team_abbr = @team", BOX)],
        on("raw", ("whole_team_games", BOX)),
    ),
    "a team's box score lost": (
        [sql("DELETE FROM {id} WHERE {day} = @day AND team_abbr = @team", TEAM_BOX)],
        on("raw", ("team_rows", TEAM_BOX)),
    ),
    "a file that no ingest listed": (
        [sql("UPDATE {id} SET source_file = 'by-hand.csv' WHERE {day} = @day AND team_abbr = @team", TEAM_BOX)],
        on("landing", ("files_listed", TEAM_BOX)),
    ),
    "a publish that was not complete": (
        [
            "UPDATE nba_orchestration.publish_receipts SET status = 'INCOMPLETE' "
            "WHERE processor_name = 'player_daily_cache' AND analysis_date = @day"
        ],
        on("precompute", ("complete_receipts", PDC)),
    ),
    "a receipt lost": (
        [
            "DELETE FROM nba_orchestration.publish_receipts "
            "WHERE processor_name = 'player_daily_cache' AND analysis_date = @day"
        ],
        on("precompute", ("complete_receipts", PDC)),
    ),
}


@pytest.fixture(scope="module")
def damaged(verified, tmp_path_factory):
    """Per kind of damage, what fails on its day; and all that fails on a day without damage.

    As many kinds as there are days share a warehouse: no check of one day reads another.
    """
    root, days, names = tmp_path_factory.mktemp("damaged"), full_days(verified), list(DAMAGE)
    found, elsewhere = {}, set()
    for first in range(0, len(names), len(days)):
        house = verified.copy(root / f"{first}.duckdb")
        there = dict(zip(days, names[first:], strict=False))
        for day, name in there.items():
            execute(house, *DAMAGE[name][0], day=day, **somebody(house, day))
        fails = failed(house)
        for day, name in there.items():
            found[name] = {(phase, check, table) for phase, check, table, on in fails if on == day}
        elsewhere |= {fail for fail in fails if fail[3] not in there}
    return found, elsewhere


@pytest.mark.parametrize("name", DAMAGE)
def test_every_kind_of_damage_is_named_and_nothing_else(damaged, name):
    found, elsewhere = damaged
    assert found[name] == DAMAGE[name][1]
    assert elsewhere == set()


def full_days(house):
    """Late days with so many games that one team of them is less than a tenth."""
    rows = house.query(
        "SELECT game_date AS day FROM nba_raw.counted_team_games GROUP BY game_date "
        "HAVING game_date > DATE '2024-10-24' AND COUNT(*) > 10 ORDER BY game_date"
    )
    return [row["day"] for row in rows]


def somebody(house, day):
    """A team and a player of the day."""
    (row,) = house.query(
        "SELECT team_abbr AS team, player_lookup AS player FROM nba_analytics.upcoming_player_game_context "
        "WHERE game_date = @day ORDER BY player_lookup LIMIT 1",
        day=day,
    )
    return row


def test_a_game_that_should_be_over_and_is_not_final_is_no_day_off(house):
    """A schedule that still says Scheduled hides the hole behind it from everything that asks for final games."""
    day = full_days(house)[0]
    execute(house, "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE game_date = @day", day=day)
    assert ("raw", "final_games", SCHEDULE, day) in failed(house, ["raw"])
    morning = dt.datetime.combine(day, dt.time(16), dt.UTC)  # of the day itself, before its games
    assert not {found for found in failed(house, ["raw"], morning) if found[3] == day}


def test_a_season_type_without_any_shots_owes_none_but_the_regular_season_does(house):
    day = full_days(house)[0]
    kind = "UPDATE nba_raw.nbac_schedule SET season_type = 'playoffs' WHERE game_date = @day"
    shots = [gone("shot_zones"), sql("UPDATE {id} SET paint_attempts = NULL WHERE {day} = @day", PGS)]
    execute(house, *shots, day=day)
    assert failed(house, ["landing", "analytics"]) == {
        ("landing", "game_days", "shot_zones", day),
        ("analytics", "unknown_zones_pct", PGS, day),
    }
    execute(house, kind, day=day)
    assert failed(house, ["landing", "analytics"]) == set()
    execute(house, "DELETE FROM nba_raw.shot_zones")  # as if they had never been landed
    assert ("landing", "game_days", "shot_zones", game_days(house)[-1]) in failed(house, ["landing"])


def test_i40_rows_that_are_there_are_not_taken_for_good_ones(house):
    """A table that was present, with values nobody could use."""
    day = full_days(house)[0]
    execute(house, sql("UPDATE {id} SET team_paint_attempts = NULL WHERE {day} = @day", TOGS), day=day)
    assert failed(house, ["analytics"]) == {("analytics", "unknown_zones_pct", TOGS, day)}


def test_i01_i03_one_of_all_players_is_no_day_done(house):
    """1 of 187 players, checked off as done, went unnoticed for six days."""
    day = full_days(house)[0]
    player = somebody(house, day)["player"]
    for name in PLAYERS_AHEAD:
        others = f"{TABLES[name].day} = @day AND player_lookup <> @player"
        execute(house, f"DELETE FROM {TABLES[name].id} WHERE {others}", day=day, player=player)
    found = failed(house, ["precompute"])
    assert {named for named in found if named[1] == "coverage_pct"} == {
        ("precompute", "coverage_pct", name, day) for name in PLAYERS_AHEAD
    }


def test_i59_a_hole_days_back_is_found_and_no_hole_is_counted_where_there_is_none(house):
    """Team box scores lacked for 26 days; and an empty answer, with its header line, is no missing day."""
    days = game_days(house)
    clean = verify(house.warehouse, "raw", days[0], days[-1], house.now)
    execute(house, "DELETE FROM nba_raw.nbac_team_boxscore WHERE game_date IN UNNEST(@days)", days=days[1:4])
    (row,) = [row for row in verify(house.warehouse, "raw", days[0], days[-1], house.now) if not row["ok"]]
    assert (row["check"], row["days"], row["found"], row["expected"]) == ("game_days", days[1:4], 9, 12)
    assert [(row["found"], row["expected"], row["days"]) for row in clean if row["check"] == "game_days"] == [
        (12, 12, []),
        (12, 12, []),
    ]


# ---- against the reference


def damage_at_random(house, seed):
    chance, days = random.Random(seed), game_days(house)
    for name in (PGS, TDGS, TOGS, UPGC, UTGC, PSZA, PDC, TDZA, BOX, TEAM_BOX, "shot_zones"):
        table, day = TABLES[name], chance.choice(days)
        kind = chance.choice(["delete", "some", "copy", "null", "none"])
        here = f"{table.day} = @day"
        some = f"{here} AND {table.grain[-1 if name == BOX else 0]} > 'M'"
        zones = [column for column in table.by_name if column.endswith(("paint_attempts", "paint_attempts_per_game"))]
        statements = {
            "delete": [f"DELETE FROM {table.id} WHERE {here}"],
            "some": [f"DELETE FROM {table.id} WHERE {some}"],
            "copy": [f"INSERT INTO {table.id} SELECT * FROM {table.id} WHERE {here}"],
            "null": [f"UPDATE {table.id} SET {column} = NULL WHERE {some}" for column in zones],
            "none": [],
        }
        execute(house, *statements[kind], day=day)
    execute(
        house,
        "DELETE FROM nba_orchestration.publish_receipts WHERE processor_name = @name AND analysis_date = @day",
        name=chance.choice([PGS, PDC, TDZA]),
        day=chance.choice(days),
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_that_of_plain_python_over_the_rows(house, seed):
    if seed:  # the first as it is
        damage_at_random(house, seed)
    days, reference = game_days(house), Reference(house)
    for phase in NAMES:
        rows = verify(house.warehouse, phase, days[0], days[-1], house.now)
        found: dict = {}
        for row in rows:
            if row["check"] != "coverage_pct" or phase != "predictions":
                found.setdefault((row["check"], row["table"]), []).append(row)
        assert {key: shape(lines) for key, lines in found.items()} == {
            key: summary(key[0], figures) for key, figures in reference.of(phase).items()
        }


def shape(lines):
    return [(line["days"], line["found"], line["expected"], line["ok"]) for line in lines]


def summary(check, figures):
    """What is shown of the days' figures: the failing days, or all of them in one."""
    bad = sorted(day for day, (_, _, ok) in figures.items() if not ok)
    if check in ("game_days", "complete_receipts"):
        return [(bad, len(figures) - len(bad), len(figures), not bad)]
    if bad:
        return [([day], *figures[day]) for day in bad]
    pick = {"unknown_zones_pct": max, "coverage_pct": min, "files_listed": max}.get(check, sum)
    return [([], pick(f for f, _, _ in figures.values()), pick(e for _, e, _ in figures.values()), True)]


# ---- what is asked


def test_phases_have_names_and_numbers():
    assert [phase_name(str(number)) for number in range(1, 6)] == list(NAMES)
    for wrong in ("0", "6", "phase3", ""):
        with pytest.raises(UsageError, match="expected 1 to 5, or one of landing, raw, analytics"):
            phase_name(wrong)


def test_days_off_and_days_to_come_owe_nothing_and_an_unknown_season_is_an_error(house):
    ask = (house.warehouse, "analytics")
    assert verify(*ask, dt.date(2024, 10, 1), dt.date(2024, 10, 5), house.now) == []
    days = game_days(house)
    execute(house, "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE game_date >= @day", day=days[5])
    before = dt.datetime.combine(days[5], dt.time(16), dt.UTC)
    assert verify(*ask, days[5], days[-1], before) == []
    with pytest.raises(GateError, match="no schedule is loaded"):
        verify(*ask, dt.date(2020, 1, 1), dt.date(2020, 2, 1), house.now)
    with pytest.raises(UsageError, match="the first day must not be after the last"):
        verify(*ask, days[1], days[0], house.now)


def test_the_first_failure_is_put_in_words():
    row = {
        "check": "team_rows",
        "table": "a.b",
        "found": 19,
        "expected": 20,
        "days": [dt.date(2024, 1, 2)],
        "ok": False,
    }
    other = {**row, "check": "game_days", "days": [dt.date(2024, 1, 2), dt.date(2024, 1, 4), dt.date(2024, 1, 5)]}
    assert failure([{**row, "ok": True}]) is None
    assert failure([{**row, "ok": True}, row]) == "team_rows of a.b on 2024-01-02: found 19, expected 20"
    assert failure([other, row]) == "game_days of a.b on 2024-01-02 and 2 more: found 19, expected 20; 1 more failed"
