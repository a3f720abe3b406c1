"""Schedules that are late or change, trades, calendars: who owes which game on which day."""

import datetime as dt
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.domain.errors import GateError
from fullcourt.domain.fallback import Context
from fullcourt.domain.gate import is_complete, percentage
from fullcourt.domain.window_counts import WindowCounts
from tests.bridge import PLAYERS, TEAMS, ask
from tests.houses import read, rewrite
from tests.reference_gate import BoxRow, Game, Season, Upstream

TEN = PLAYERS.primary


def season_from(first, count=14, team=lambda n: "AAA", moved=None):
    """AAA against BBB every second day; ann plays for the team of each game and has a summary of every one.

    moved: {a game's number: the day, from the first, on which it is played instead, or None: it is called off}.
    """
    games, box = [], []
    for n in range(count):
        day = (moved or {}).get(n, 2 * n)
        status = "postponed" if day is None else "final"
        on = first + dt.timedelta(2 * n if day is None else day)
        scores = (None, None) if day is None else (100, 100 - 10)
        games.append(Game(f"{on:%Y%m%d}_BBB_AAA", f"00223{n:05}", on.toordinal(), "AAA", "BBB", status, *scores))
        if day is not None:
            box.append(BoxRow("ann", games[n].game_id, team(n), True, 100 if team(n) == "AAA" else 90))
    there = [game for game in games if game.status == "final"]
    return Season(
        tuple(games),
        tuple(box),
        player_summaries=tuple(Upstream("ann", row.game_id, 1, row.team) for row in box),
        team_summaries=tuple(Upstream(side, game.game_id, 1, side) for game in there for side in game.teams),
    )


def judged(season, entity, day, processor=PLAYERS):
    return ask(season, processor, [day.toordinal()]).judgements()[entity, day.toordinal()]


# ---- no schedule, or a late one


def test_fault_24_without_a_schedule_runs_fail_as_one_alert_and_judge_nobody(loaded_house):
    day = dt.date(2023, 11, 1)
    with pytest.raises(GateError, match=f"no schedule is loaded for {day} to {day}; the warehouse holds games from"):
        loaded_house.run("precompute", day)
    assert loaded_house.one("SELECT COUNT(*) AS n FROM nba_orchestration.entity_verdicts") == 0
    failed = [row for row in loaded_house.table("processor_run_history").to_pylist() if row["status"] == "failed"]
    assert {row["run_id"] for row in failed} == {failed[0]["run_id"]}


def test_fault_24_a_day_whose_fixtures_come_late_is_skipped_and_then_computed(empty_house, landing):
    schedule = read(landing, "schedule")
    day = max(schedule["game_date"].to_pylist())
    rewrite(landing, "schedule", schedule.filter(pc.field("game_date") < day))
    for path in landing.iterdir():
        if path.name.split(".")[0] not in ("schedule", "players"):
            path.unlink()
    empty_house.ingest(landing)
    contexts = ["upcoming_team_game_context"]
    assert empty_house.run("analytics", day, processors=contexts)["skipped"] == "no_games"
    rewrite(landing, "schedule", schedule)
    empty_house.ingest(landing)
    (report,) = empty_house.run("analytics", day, processors=contexts)["processors"]
    assert report["days"] == 1
    assert empty_house.table("upcoming_team_game_context").num_rows > 0


# ---- games that move


FIRST = dt.date(2023, 12, 1)
LAST = FIRST + dt.timedelta(2 * 13)


@pytest.mark.parametrize(
    ("moved", "day", "expected"),
    [
        pytest.param({}, FIRST + dt.timedelta(6), 3, id="as planned"),
        pytest.param({2: None}, FIRST + dt.timedelta(6), 2, id="called off"),
        pytest.param({2: 27}, FIRST + dt.timedelta(6), 2, id="moved, before it is played"),
        pytest.param({2: 27}, FIRST + dt.timedelta(28), 14, id="moved, after it was played"),
        pytest.param({2: 5}, FIRST + dt.timedelta(6), 3, id="moved by a day"),
    ],
)
def test_fault_25_what_is_expected_follows_the_game(moved, day, expected):
    season = season_from(FIRST, moved=moved)
    last = Game(f"{day:%Y%m%d}_CCC_AAA", "0022399999", day.toordinal(), "AAA", "CCC", "scheduled", None, None)
    on_the_day = [game for game in season.games if game.day == day.toordinal()]
    season = season if on_the_day else replace(season, games=(*season.games, last))
    counts = judged(season, "AAA", day, TEAMS).windows[TEAMS.primary]
    assert (counts.expected, counts.actual) == (expected, expected)


# ---- trades


def test_fault_26_games_are_owed_by_the_team_of_the_day():
    """Six games for one team, the rest for the other: ten required, none excused, each of the team he was with."""
    season = season_from(FIRST, team=lambda n: "AAA" if n < 6 else "BBB")
    counts = judged(season, "ann", LAST).windows[TEN]
    assert (counts.expected, counts.excused, counts.actual) == (10, 0, 10)
    lost = tuple(row for row in season.player_summaries if row.game_id != season.games[5].game_id)
    box = tuple(row for row in season.box if row.game_id != season.games[5].game_id)
    counts = judged(replace(season, player_summaries=lost, box=box), "ann", LAST).windows[TEN]
    assert counts.missing == (season.games[5].game_id,)


# ---- calendars


@pytest.mark.parametrize(
    "first",
    [dt.date(2023, 10, 24), dt.date(2023, 11, 1), dt.date(2024, 2, 20), dt.date(2024, 3, 3), dt.date(2024, 4, 1)],
    ids=["opening night", "the clocks go back", "a leap day", "the clocks go forward", "the season's end"],
)
def test_fault_28_the_same_games_on_other_days_are_judged_the_same(first):
    """Windows of games and of days alike, whatever lies in between."""
    lost = {3, 11}

    def counts(begin):
        season = season_from(begin)
        rows = tuple(r for n, r in enumerate(season.player_summaries) if n not in lost)
        answer = ask(replace(season, player_summaries=rows), PLAYERS).judgements()
        return [
            {window.name: (c.expected, c.excused, c.actual) for window, c in judgement.windows.items()}
            for _, judgement in sorted(answer.items())
        ]

    assert counts(first) == counts(FIRST)


# ---- the boundary


def test_fault_36_kernel_engine_and_fallback_say_the_same_at_90_percent():
    """Every share of up to sixty games; what nothing is expected of is neutral, and has no percentage."""
    pairs = [(actual, expected) for expected in range(61) for actual in range(expected + 1)]
    actual, expected = (np.array(column, dtype=np.int32) for column in zip(*pairs, strict=True))
    nothing = np.zeros_like(actual)
    counts = WindowCounts(nothing, expected, nothing, actual)
    kernel = is_complete(counts, 900).tolist()
    shares = pa.table({"actual": actual, "expected": expected})  # which DuckDB finds by its name
    engine = duckdb.sql("SELECT 1000 * actual >= 900 * expected FROM shares")
    assert shares.num_rows == len(pairs)
    assert [row[0] for row in engine.fetchall()] == kernel
    verdicts = dict(zip(pairs, kernel, strict=True))
    assert {pair: verdicts[pair] for pair in ((9, 10), (8, 9), (18, 20), (17, 20), (0, 1), (0, 0))} == {
        (9, 10): True,
        (8, 9): False,
        (18, 20): True,
        (17, 20): False,
        (0, 1): False,
        (0, 0): True,
    }
    _, known = percentage(counts)
    assert known.tolist() == [pair[1] > 0 for pair in pairs]
    assert [not Context(FIRST, played, there, 0).falls_back for there, played in pairs] == kernel
