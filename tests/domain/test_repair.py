"""The greedy cover against brute force, and what it says a repair unblocks against judging again after it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fullcourt.domain import lacking
from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import Entity
from fullcourt.domain.repair import HeldBack, Links, plan
from fullcourt.domain.waiting import Waiting, missing_of
from tests.bridge import PLAYERS, TEAMS, ask
from tests.leagues import seasons
from tests.reference_gate import Season, Upstream, game_days

# A need is (how many of its cells it must get, its cells); a row is the set of its needs.
CELLS = 6


@st.composite
def needs(draw):
    cells = draw(st.sets(st.integers(0, CELLS - 1), min_size=1))
    return draw(st.integers(1, len(cells))), tuple(sorted(cells))


@st.composite
def problems(draw):
    """(needs, rows): rows share needs, as several processors look at one window."""
    listed = draw(st.lists(needs(), min_size=1, max_size=6))
    row = st.sets(st.integers(0, len(listed) - 1), min_size=1, max_size=3)
    return listed, draw(st.lists(row, min_size=1, max_size=12))


def as_held_back(listed, rows):
    pairs = [(need, cell) for need, (_, cells) in enumerate(listed) for cell in cells]
    links = [(row, need) for row, chosen in enumerate(rows) for need in sorted(chosen)]

    def link(pairs, lefts):
        return Links(*np.array(pairs, np.int32).T, lefts)

    short = np.array([short for short, _ in listed], np.int32)
    return HeldBack(len(rows), CELLS, short, link(pairs, len(listed)), link(links, len(rows)))


def ready(listed, rows, repaired):
    """How many rows have all their needs met."""
    met = [len(repaired.intersection(cells)) >= short for short, cells in listed]
    return sum(all(met[need] for need in row) for row in rows)


@given(problems())
def test_each_step_repairs_the_cell_that_unblocks_most(problem):
    listed, rows = problem
    found = plan(as_held_back(listed, rows))
    assert found.alone.tolist() == [ready(listed, rows, {cell}) for cell in range(CELLS)]
    missed = [{cell for need in row for cell in listed[need][1]} for row in rows]
    assert found.touched.tolist() == [sum(cell in cells for cells in missed) for cell in range(CELLS)]
    repaired: set[int] = set()
    for cell, gain in zip(found.order.tolist(), found.gain.tolist(), strict=True):
        before = ready(listed, rows, repaired)
        gains = {c: ready(listed, rows, repaired | {c}) - before for c in range(CELLS) if c not in repaired}
        assert before < len(rows), "it stops when nothing is held back any more"
        assert gain == gains[cell] == max(gains.values())
        repaired.add(cell)
    assert ready(listed, rows, repaired) == len(rows)
    assert found.gain.sum() == len(rows)


@given(problems(), st.integers(1, CELLS))
def test_a_limit_cuts_the_plan_and_changes_nothing_before(problem, limit):
    held = as_held_back(*problem)
    whole, cut = plan(held), plan(held, limit)
    assert cut.order.tolist() == whole.order.tolist()[:limit]
    assert cut.gain.tolist() == whole.gain.tolist()[:limit]


def test_where_no_cell_unblocks_anything_the_one_most_rows_miss_comes_first():
    """Every row needs two cells: cell 1 is missed by three rows, so it is first, though it gains nothing yet."""
    listed = [(2, (0, 1)), (2, (1, 2)), (2, (1, 3))]
    found = plan(as_held_back(listed, [{0}, {1}, {2}]))
    assert (found.order.tolist(), found.gain.tolist()) == ([1, 0, 2, 3], [0, 1, 1, 1])


def test_of_a_window_that_permits_a_miss_one_game_is_enough():
    found = plan(as_held_back([(1, (0, 1))], [{0}]))
    assert (found.order.tolist(), found.gain.tolist(), found.alone[:2].tolist()) == ([0], [1], [1, 1])


def test_nothing_held_back_needs_no_plan():
    nothing = np.zeros(0, np.int32)
    found = plan(HeldBack(0, 0, nothing, Links(nothing, nothing, 0), Links(nothing, nothing, 0)))
    assert found.order.tolist() == []


# Against the kernel


def judged_ready(season, processor):
    """{(entity, ordinal day): ready} of the rows that have a figure or wait for one."""
    answer = ask(season, processor)
    verdicts = {key: Verdict(int(v)) for key, v in zip(answer.keys(), answer.rows.verdict, strict=True)}
    written = (Verdict.READY, Verdict.FLAGGED, Verdict.INCOMPLETE)
    return answer, {key: verdict is Verdict.READY for key, verdict in verdicts.items() if verdict in written}


def repaired(season: Season, kind: Entity, seen, places) -> Season:
    """The season with the summary rows that these missing (entity, slot) places lack."""
    names, teams = seen.entities.to_pylist(), seen.calendar.teams
    rows = [
        Upstream(
            names[entity],
            seen.calendar.game_ids[int(seen.grid.game[entity, slot])].as_py(),
            900 + number,
            teams[seen.grid.team[entity, slot]],
        )
        for number, (entity, slot) in enumerate(places)
    ]
    field = "player_summaries" if kind is Entity.PLAYER else "team_summaries"
    return replace(season, **{field: (*getattr(season, field), *rows)})


@pytest.mark.parametrize("processor", [PLAYERS, TEAMS], ids=["players", "teams"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(season=seasons(), data=st.data())
def test_what_a_cell_unblocks_alone_is_what_judging_again_says(processor, season, data):
    kind = processor.entity
    answer, before = judged_ready(season, processor)
    seen = answer.seen
    published = pa.table(
        {
            "entity": pa.array([entity for entity, _ in before], pa.string()),
            "day": pa.array([date.fromordinal(day) for _, day in before], pa.date32()),
            "ready": pa.array(list(before.values()), pa.bool_()),
        }
    )
    waiting = Waiting.of(seen, {processor: published})
    assert (waiting.held_back, waiting.rows) == (list(before.values()).count(False),) * 2
    absent = seen.grid.required & ~seen.grid.present
    need, place = missing_of(waiting.needs, absent)
    entity, slot = np.nonzero(absent)
    games = seen.grid.game[entity, slot]
    links = Links(*np.unique(np.stack([need, games[place]]), axis=1).astype(np.int32), len(waiting.needs.short))
    size = len(seen.calendar.slot)
    held = HeldBack(waiting.rows, size, waiting.needs.short, links, Links(*waiting.needs_of, waiting.rows))
    found = plan(held)
    assert found.gain.sum() == waiting.rows
    assume(len(place))
    several = data.draw(st.sets(st.sampled_from(found.order.tolist()), min_size=1, max_size=2))
    mended = repaired(season, kind, seen, np.stack([entity, slot], axis=1)[np.isin(games, list(several))].tolist())
    after = judged_ready(mended, processor)[1]
    unblocked = sum(after[key] for key, was in before.items() if not was)
    if len(several) == 1:
        assert unblocked == found.alone[several.pop()]
    else:
        cells_of = [set(links.of(np.array([n], np.int32))[1].tolist()) for n in range(len(waiting.needs.short))]
        met = [len(cells & several) >= short for cells, short in zip(cells_of, waiting.needs.short, strict=True)]
        row, need = waiting.needs_of
        assert unblocked == waiting.rows - len(
            {r for r, n in zip(row.tolist(), need.tolist(), strict=True) if not met[n]}
        )


# Which table lacks a game


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(season=seasons())
def test_the_table_that_lacks_a_players_game(season):
    """Nobody's name is unresolved here: a missing game is in the box and not summarised, or not in the box at all."""
    answer = ask(season, PLAYERS, game_days(season)[:1])
    seen = answer.seen
    entity, slot = (axis.astype(np.int32) for axis in np.nonzero(seen.grid.required & ~seen.grid.present))
    played = {(row.player, row.game_id) for row in season.box if row.played}
    over = {game.game_id for game in season.games if game.status == "final"}
    names, ids = seen.entities.to_pylist(), seen.calendar.game_ids.to_pylist()
    for e, s, table in zip(entity, slot, lacking.tables(seen, Entity.PLAYER, entity, slot), strict=True):
        game = ids[seen.grid.game[e, s]]
        if (names[e], game) not in played:
            expected = "nbac_gamebook_player_stats"
        else:
            expected = "player_game_summary" if game in over else "nbac_schedule"
        assert lacking.LACKING[table] == expected
