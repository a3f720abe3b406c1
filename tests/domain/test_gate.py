"""The gate's kernel: the same answers as the slow reference, and properties that hold without one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fullcourt.domain import observation
from fullcourt.domain.calendar import Calendar, at_season_boundary
from fullcourt.domain.errors import GateError
from fullcourt.domain.gate import Verdict, is_complete, percentage, permitted_misses
from fullcourt.domain.observation import Part
from fullcourt.domain.processors import Processor
from fullcourt.domain.window_counts import WindowCounts
from fullcourt.domain.windows import Window, days, games
from tests.bridge import EPOCH, PLAYERS, SEASON, TEAMS, Answer, ask, ask_tables, number, schedule_table, tables
from tests.leagues import other_results_from, reordered, seasons, seasons_with_day
from tests.reference_gate import (
    BoxRow,
    Game,
    Inactive,
    Season,
    Upstream,
    game_days,
    judge_players,
    judge_teams,
)

PROCESSORS = pytest.mark.parametrize("processor", [PLAYERS, TEAMS], ids=["players", "teams"])
leagues = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
many_leagues = settings(leagues, max_examples=100)
some_leagues = settings(leagues, max_examples=30)


# The same as the reference


@many_leagues
@given(seasons())
def test_players_are_judged_as_by_the_reference(season):
    assert ask(season, PLAYERS).judgements() == judge_players(season, PLAYERS.windows, PLAYERS.trend_windows)


@many_leagues
@given(seasons())
def test_teams_are_judged_as_by_the_reference(season):
    assert ask(season, TEAMS).judgements() == judge_teams(season, TEAMS.windows)


@pytest.mark.slow
@settings(leagues, max_examples=2000)
@given(seasons())
def test_thousands_of_leagues_are_judged_as_by_the_reference(season):
    assert ask(season, PLAYERS).judgements() == judge_players(season, PLAYERS.windows, PLAYERS.trend_windows)
    assert ask(season, TEAMS).judgements() == judge_teams(season, TEAMS.windows)


@some_leagues
@given(seasons(), st.sampled_from((500, 800, 899, 901, 1000)))
def test_other_thresholds(season, threshold):
    processor = replace(PLAYERS, threshold_per_mille=threshold)
    expected = judge_players(season, PLAYERS.windows, PLAYERS.trend_windows, threshold)
    assert ask(season, processor).judgements() == expected


@some_leagues
@given(st.data())
def test_any_days_may_be_asked_for_and_those_without_games_have_no_rows(data):
    season = data.draw(seasons())
    asked = data.draw(st.sets(st.integers(game_days(season)[0] - 2, game_days(season)[-1] + 2), max_size=9))
    every_day = ask(season, PLAYERS).by_key()
    assert ask(season, PLAYERS, asked).by_key() == {key: row for key, row in every_day.items() if key[1] in asked}


# What must not matter


@PROCESSORS
@some_leagues
@given(data=st.data())
def test_fault_22_order_and_repeats_of_all_inputs_do_not_matter(processor, data):
    season = data.draw(seasons())
    assert ask(data.draw(reordered(season)), processor).by_key() == ask(season, processor).by_key()


@PROCESSORS
@some_leagues
@given(data=st.data())
def test_nothing_dated_d_or_later_matters(processor, data):
    season, day = data.draw(seasons_with_day())
    other = data.draw(other_results_from(season, day))
    upto = [d for d in game_days(season) if d <= day]
    assert ask(other, processor, upto).by_key() == ask(season, processor, upto).by_key()


@PROCESSORS
@some_leagues
@given(season=seasons())
def test_encodings_chunks_and_extra_columns_do_not_matter(processor, season):
    """Dictionaries and chunks are what readers hand over; a schedule's extra columns are not read."""
    plain = tables(season, processor.entity)

    def otherwise(table: pa.Table | None) -> pa.Table | None:
        if table is None:
            return None
        half = table.num_rows // 2
        for name in ("player_lookup", "defending_team_abbr", "team_abbr"):
            if name in table.column_names:
                place = table.column_names.index(name)
                table = table.set_column(place, name, table[name].dictionary_encode())
        return pa.concat_tables([table.slice(0, half), table.slice(half)])

    schedule = plain.schedule.append_column("arena", pa.nulls(plain.schedule.num_rows, pa.string()))
    other = observation.ShardTables(schedule, *map(otherwise, (plain.upstream, plain.box, plain.inactives)))
    asked = game_days(season)
    assert ask_tables(other, processor, asked).by_key() == ask_tables(plain, processor, asked).by_key()


@some_leagues
@given(seasons(), st.integers(2, 7), st.booleans())
def test_the_parts_of_a_sharded_season_add_up_to_the_whole(season, parts, dealt):
    """Whether a shard's upstream holds everybody's rows or only its own players'; the box is whole in any case."""
    whole = tables(season, PLAYERS.entity)
    together: dict = {}
    for part in (Part(index, parts) for index in range(parts)):
        shard = whole
        if dealt:
            own = pa.array(part.keeps(whole.upstream["player_lookup"]))
            shard = replace(whole, upstream=whole.upstream.filter(own))
        rows = ask_tables(shard, PLAYERS, game_days(season), part).by_key()
        assert not together.keys() & rows.keys()
        together |= rows
    assert together == ask(season, PLAYERS).by_key()


# What must


@PROCESSORS
@some_leagues
@given(season=seasons())
def test_every_judgement_adds_up(processor, season):
    answer = ask(season, processor)
    for counts in answer.rows.windows.values():
        assert (counts.actual <= counts.expected).all()
        assert (np.minimum.reduce([counts.actual, counts.excused, counts.first]) >= 0).all()
        tenths, known = percentage(counts)
        assert (tenths[known] <= 1000).all()
        assert (known == (counts.expected + counts.excused > 0)).all()
    keys = answer.keys()
    assert len(set(keys)) == len(keys), "an entity and a day are judged once"
    assert keys == sorted(keys, key=lambda key: (key[1], key[0])), "rows come by day, then entity"


@PROCESSORS
@some_leagues
@given(data=st.data())
def test_a_row_that_arrives_never_lowers_completeness(processor, data):
    season = data.draw(seasons())
    before = ask(season, processor)
    grid, calendar = before.seen.grid, before.seen.calendar
    absent = np.argwhere((grid.required | grid.excused) & ~grid.present)
    assume(len(absent))
    entity, slot = absent[data.draw(st.integers(0, len(absent) - 1))]
    arrived = Upstream(
        before.seen.entities[int(entity)].as_py(),
        calendar.game_ids[int(grid.game[entity, slot])].as_py(),
        1,
        calendar.teams[grid.team[entity, slot]],
    )
    after = ask(with_upstream(season, processor, lambda rows: (*rows, arrived)), processor).judgements()
    for key, judgement in before.judgements().items():
        for window, old in judgement.windows.items():
            new = after[key].windows[window]
            assert new.actual >= old.actual
            assert new.expected >= old.expected
            assert new.actual * old.expected >= old.actual * new.expected
        assert judgement.verdict != "ready" or after[key].verdict == "ready"


@PROCESSORS
@some_leagues
@given(data=st.data())
def test_the_source_hash_follows_the_content_of_the_rows_inside_the_windows(processor, data):
    season = data.draw(seasons())
    before = ask(season, processor)
    cells = np.argwhere(before.seen.grid.present)
    assume(len(cells))
    entity, slot = cells[data.draw(st.integers(0, len(cells) - 1))]
    name = before.seen.entities[int(entity)].as_py()
    game = before.seen.calendar.game_ids[int(before.seen.grid.game[entity, slot])].as_py()

    def corrected(rows: Sequence[Upstream]) -> tuple[Upstream, ...]:
        return tuple(replace(r, content=r.content + 1) if (r.entity, r.game_id) == (name, game) else r for r in rows)

    after = ask(with_upstream(season, processor, corrected), processor)
    rows = before.rows
    inside = np.logical_or.reduce([counts.first <= slot for counts in rows.windows.values()]) & (slot < rows.slot)
    contributes = (rows.entity == entity) & inside
    assert ((after.rows.source_hash != rows.source_hash) == contributes).all()
    assert ((after.rows.inputs_hash != rows.inputs_hash) == contributes).all()
    assert after.judgements() == before.judgements()


@some_leagues
@given(seasons())
def test_when_a_row_was_processed_is_no_content(season):
    shard = tables(season, PLAYERS.entity)
    place = shard.upstream.column_names.index("processed_at")
    later = pc.add(shard.upstream["processed_at"], pa.scalar(10**6, pa.duration("us")))
    other = replace(shard, upstream=shard.upstream.set_column(place, "processed_at", later))
    asked = game_days(season)
    assert ask_tables(other, PLAYERS, asked).by_key() == ask_tables(shard, PLAYERS, asked).by_key()


@some_leagues
@given(seasons())
def test_equal_missing_hashes_name_equal_missing_games(season):
    answer = ask(season, PLAYERS)
    missing = [set().union(*(j.windows[w].missing for w in PLAYERS.windows)) for j in answer.judgements().values()]
    named: dict[int, set[str]] = {}
    for value, ids in zip(answer.rows.missing_hash.tolist(), missing, strict=True):
        assert named.setdefault(value, ids) == ids
        assert (value == 0) == (not ids)
    assert len(set(map(frozenset, named.values()))) == len(named)


def with_upstream(season: Season, processor: Processor, change) -> Season:
    name = "team_summaries" if processor is TEAMS else "player_summaries"
    return replace(season, **{name: change(getattr(season, name))})


# Arithmetic of one window


def counts_of(expected: int, actual: int, excused: int = 0) -> WindowCounts:
    return WindowCounts(*(np.array([value], np.int32) for value in (0, expected, excused, actual)))


@pytest.mark.parametrize(
    ("actual", "expected", "tenths", "ready"),
    [
        (15, 15, 1000, True),
        (14, 15, 933, True),
        (13, 15, 867, False),
        (9, 10, 900, True),
        (10, 15, 667, False),
        (5, 15, 333, False),
        (15, 17, 882, False),
        (0, 15, 0, False),
        (8, 9, 889, False),
        (18, 20, 900, True),
        (17, 20, 850, False),
    ],
)
def test_reference_percentages(actual, expected, tenths, ready):
    counts = counts_of(expected, actual)
    value, known = percentage(counts)
    assert (value[0], known[0], is_complete(counts, 900)[0]) == (tenths, True, ready)


@pytest.mark.parametrize(
    ("excused", "tenths", "known"),
    [
        pytest.param(0, 0, False, id="nothing-expected-is-no-percentage"),
        pytest.param(3, 1000, True, id="all-excused-counts-as-complete"),
    ],
)
def test_a_window_that_requires_nothing(excused, tenths, known):
    counts = counts_of(0, 0, excused)
    value, exists = percentage(counts)
    assert exists[0] == known
    assert value[0] == tenths or not known
    assert is_complete(counts, 900)[0], "neutral, never what holds a row back"


@pytest.mark.parametrize(
    ("expected", "misses"),
    [
        pytest.param(0, 0, id="nothing-expected"),
        pytest.param(1, 0, id="one-game"),
        pytest.param(9, 0, id="8-of-9-is-too-few"),
        pytest.param(10, 1, id="9-of-10-is-enough"),
        pytest.param(15, 1, id="14-of-15"),
        pytest.param(19, 1, id="18-of-19"),
        pytest.param(20, 2, id="18-of-20-is-enough"),
        pytest.param(82, 8, id="a-season"),
    ],
)
def test_permitted_misses(expected, misses):
    assert permitted_misses(expected) == misses


@given(st.integers(0, 100), st.integers(1, 1000))
def test_fault_36_permitted_misses_are_the_most_that_stay_complete(expected, threshold):
    most = permitted_misses(expected, threshold)
    assert 0 <= most <= expected
    assert is_complete(counts_of(expected, expected - most), threshold)[0]
    assert most == expected or not is_complete(counts_of(expected, expected - most - 1), threshold)[0]


@pytest.mark.parametrize("length", [0, -1])
def test_a_window_holds_something(length):
    with pytest.raises(ValueError, match="at least one"):
        games(length)


def test_window_names():
    assert [w.name for w in (games(10), days(7))] == ["l10", "l7d"]


# By hand: a team that plays every third day, and one of its players

START = date(2023, 10, 24).toordinal()
L10 = Processor(
    PLAYERS.name,
    PLAYERS.phase,
    PLAYERS.entity,
    PLAYERS.day_column,
    upstream=PLAYERS.upstream,
    windows=(games(10),),
    primary=games(10),
)


def day_of(index: int) -> int:
    return START + 3 * index


def plain_season(length: int, absent: dict[int, str]) -> Season:
    """ATL plays BOS; ann scores all 10 of ATL's points in every game but those of `absent`.

    absent: by game, from 0: dnp or inactive (bob scores, ann is listed), unlisted (bob scores), partial (the box
    has bob only, and not his points), lost (no row of the team at all).
    """
    schedule, box, inactives, summaries = [], [], [], []
    for index in range(length):
        day = day_of(index)
        name = f"{date.fromordinal(day):%Y%m%d}_BOS_ATL"
        schedule.append(Game(name, f"00223{index:05d}", day, "ATL", "BOS", "final", 10, 9))
        fate = absent.get(index, "played")
        if fate == "lost":
            continue
        if fate == "played":
            box.append(BoxRow("ann", name, "ATL", True, 10))
            summaries.append(Upstream("ann", name, 1, "ATL"))
        else:
            box.append(BoxRow("bob", name, "ATL", True, 0 if fate == "partial" else 10))
            summaries.append(Upstream("bob", name, 1, "ATL"))
        if fate == "dnp":
            box.append(BoxRow("ann", name, "ATL", False, None))
        if fate == "inactive":
            inactives.append(Inactive("ann", name, "ATL"))
    return Season(tuple(schedule), tuple(box), tuple(inactives), tuple(summaries))


def ann(season: Season, index: int, processor: Processor = L10) -> tuple[Answer, int]:
    answer = ask(season, processor, [day_of(index)])
    return answer, answer.keys().index(("ann", day_of(index)))


@pytest.mark.parametrize(
    ("absent", "counts", "verdict"),
    [
        pytest.param({}, (10, 0, 10), Verdict.READY, id="nothing-missing"),
        pytest.param({4: "dnp", 7: "unlisted"}, (10, 2, 10), Verdict.READY, id="reaches-past-the-excused"),
        pytest.param({3: "dnp", 5: "inactive", 7: "unlisted"}, (9, 3, 9), Verdict.READY, id="to-the-season-start"),
        pytest.param({11: "lost"}, (10, 0, 9), Verdict.READY, id="nine-of-ten"),
        pytest.param({10: "lost", 11: "lost"}, (10, 0, 8), Verdict.INCOMPLETE, id="eight-of-ten"),
        pytest.param({10: "partial", 11: "partial"}, (10, 0, 8), Verdict.INCOMPLETE, id="partial-proves-no-absence"),
        pytest.param({0: "lost", 1: "lost"}, (10, 0, 10), Verdict.READY, id="missed-before-the-window"),
    ],
)
def test_the_last_ten_games_of_twelve(absent, counts, verdict):
    answer, row = ann(plain_season(13, absent), 12)
    found = answer.rows.windows[games(10)]
    assert (found.expected[row], found.excused[row], found.actual[row]) == counts
    assert answer.rows.verdict[row] == verdict


@pytest.mark.parametrize("points", [0, 2])
def test_fault_26_a_row_under_an_unresolved_name_may_be_anybodys_so_nobody_is_excused(points):
    """Even where the points of those with names add up to the score."""
    season = plain_season(5, {2: "unlisted"})
    shard = tables(season, PLAYERS.entity)
    unnamed = {"game_id": season.games[2].game_id, "team_abbr": "ATL", "played": True, "points": points}
    box = pa.concat_tables([shard.box, pa.Table.from_pylist([unnamed], shard.box.schema)])
    alias = replace(shard, box=box)
    asked = [day_of(4)]
    known, hidden = (ask_tables(t, L10, asked) for t in (shard, alias))
    at = known.keys().index(("ann", day_of(4)))
    assert (known.rows.windows[games(10)].excused[at], known.rows.name_unresolved[at]) == (1, False)
    at = hidden.keys().index(("ann", day_of(4)))
    assert hidden.rows.windows[games(10)].excused[at] == 0
    assert hidden.judgements()["ann", day_of(4)].windows[games(10)].missing == (season.games[2].game_id,)
    assert hidden.rows.name_unresolved[at]


@pytest.mark.parametrize(
    ("index", "bootstrap", "verdict"),
    [
        pytest.param(9, True, Verdict.FLAGGED, id="day-27"),
        pytest.param(10, False, Verdict.INCOMPLETE, id="day-30-is-after-bootstrap"),
    ],
)
def test_bootstrap_is_the_first_thirty_days(index, bootstrap, verdict):
    answer, row = ann(plain_season(12, {3: "lost", 4: "lost"}), index)
    assert (answer.rows.bootstrap[row], answer.rows.verdict[row]) == (bootstrap, verdict)


def test_bootstrap_counts_from_the_first_regular_game_on():
    schedule = schedule_table(plain_season(3, {}))
    types = pa.array(["preseason", "regular", "regular"])
    later = schedule.set_column(schedule.column_names.index("season_type"), "season_type", types)
    calendar = Calendar.from_schedule(later, SEASON)
    assert calendar.season_start == number(day_of(1))
    since = np.arange(-1, 31, dtype=np.int32)
    assert calendar.in_bootstrap(calendar.season_start + since).tolist() == [False, *[True] * 30, False]


@pytest.mark.parametrize(
    ("day", "boundary"),
    [
        (date(2023, 9, 30), False),
        (date(2023, 10, 1), True),
        (date(2023, 11, 30), True),
        (date(2023, 12, 1), False),
        (date(2024, 3, 31), False),
        (date(2024, 4, 1), True),
        (date(2024, 5, 1), False),
        (date(1969, 11, 1), True),
    ],
)
def test_season_boundary_is_october_november_and_april(day, boundary):
    assert at_season_boundary(np.array([day.toordinal() - EPOCH], np.int32))[0] == boundary


@pytest.mark.parametrize(
    ("makes", "attempts", "wrong"),
    [
        pytest.param(3, 2, True, id="more-makes-than-attempts"),
        pytest.param(-1, 2, True, id="a-negative-count"),
        pytest.param(0, -1, True, id="negative-attempts"),
        pytest.param(2, 2, False, id="every-shot-in"),
        pytest.param(None, 2, False, id="unknown-is-no-contradiction"),
        pytest.param(2, None, False, id="unknown-attempts"),
    ],
)
def test_rows_that_cannot_be_true(makes, attempts, wrong):
    rows = pa.table({"paint_makes": pa.array([makes], pa.int64()), "paint_attempts": pa.array([attempts], pa.int64())})
    assert observation.contradicts_itself(rows)[0] == wrong


@pytest.mark.parametrize("index", [2, 11])
def test_an_impossible_row_stops_every_day_whose_windows_hold_it_and_no_other(index):
    season = plain_season(24, {})
    shard = tables(season, PLAYERS.entity)
    attempts = [1 if game == season.games[index].game_id else 9 for game in shard.upstream["game_id"].to_pylist()]
    zones = {"paint_makes": [5] * len(attempts), "paint_attempts": attempts}
    upstream = shard.upstream
    for name, values in zones.items():
        upstream = upstream.append_column(name, pa.array(values, pa.int64()))
    answer = ask_tables(replace(shard, upstream=upstream), L10, game_days(season))
    stopped = {day for (_, day), v in zip(answer.keys(), answer.rows.verdict, strict=True) if v == Verdict.DEAD_LETTER}
    assert stopped == {day_of(later) for later in range(index + 1, index + 11)}


def test_fault_23_rows_of_games_that_are_not_on_the_schedule_are_counted_and_ignored():
    season = plain_season(4, {})
    stray = Upstream("ann", "20240101_XXX_YYY", 1, "YYY")
    answer = ask(replace(season, player_summaries=(*season.player_summaries, stray)), L10)
    assert answer.seen.unexpected_rows == 1
    assert answer.judgements() == ask(season, L10).judgements()


# The schedule


def test_fault_24_no_schedule_is_an_error_of_the_run_not_a_verdict():
    with pytest.raises(GateError, match=r"no schedule loaded for season 2024-25.*ingest"):
        Calendar.from_schedule(schedule_table(plain_season(2, {})), 2024)


def test_one_team_twice_on_a_day_is_refused_with_both_games():
    schedule = schedule_table(plain_season(2, {}))
    first = schedule["game_date"][0]
    dates = pa.array([first.as_py()] * 2, pa.date32())
    doubled = schedule.set_column(schedule.column_names.index("game_date"), "game_date", dates)
    with pytest.raises(GateError, match="20231024_BOS_ATL and 20231027_BOS_ATL"):
        Calendar.from_schedule(doubled, SEASON)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("season_type", "preseason", id="pre-season"),
        pytest.param("season_type", "all_star", id="all-star"),
        pytest.param("season_type", "cup_final", id="cup-final"),
        pytest.param("season_type", None, id="type-unknown"),
        pytest.param("game_status_text", "Postponed", id="postponed"),
        pytest.param("game_status_text", "Cancelled", id="cancelled"),
        pytest.param("home_team_score", None, id="final-without-a-score"),
        pytest.param("game_id", None, id="never-played"),
        pytest.param("season_year", 2022, id="another-season"),
    ],
)
def test_games_that_do_not_count(column, value):
    schedule = schedule_table(plain_season(3, {}))
    values = [*schedule[column].to_pylist()[:2], value]
    place = schedule.column_names.index(column)
    changed = schedule.set_column(place, column, pa.array(values, schedule[column].type))
    assert len(Calendar.from_schedule(changed, SEASON).game_ids) == 2


@pytest.mark.parametrize(("season_type", "text"), [("play_in", "Final"), ("playoffs", "Final/OT"), ("regular", None)])
def test_games_that_do(season_type, text):
    schedule = schedule_table(plain_season(3, {}))
    for column, value in (("season_type", season_type), ("game_status_text", text)):
        values = [*schedule[column].to_pylist()[:2], value]
        schedule = schedule.set_column(schedule.column_names.index(column), column, pa.array(values, pa.string()))
    assert len(Calendar.from_schedule(schedule, SEASON).game_ids) == 3


def test_fault_28_no_window_begins_before_its_season():
    """The last games of the season before are in the same tables, and out of every window."""
    season = plain_season(3, {})
    windows: tuple[Window, ...] = (games(10), days(365))
    processor = replace(L10, windows=windows)
    earlier = [replace(game, game_id="x" + game.game_id, day=game.day - 200) for game in season.games]
    schedule = schedule_table(Season(tuple(earlier)))
    schedule = schedule.set_column(schedule.column_names.index("season_year"), "season_year", pa.array([2022] * 3))
    shard = tables(season, PLAYERS.entity)
    both = replace(shard, schedule=pa.concat_tables([shard.schedule, schedule]))
    assert ask_tables(both, processor, [day_of(2)]).by_key() == ask_tables(shard, processor, [day_of(2)]).by_key()
