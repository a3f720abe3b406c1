"""A season lived through morning by morning, and the same days in one backfill: the same rows, and nothing piles up.

The mornings have late box scores, corrections, postponed games, a game that never comes, outages, and an operator who
lets tripped breakers through.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from fullcourt.domain.processors import PROCESSORS
from fullcourt.domain.tables import PublishMode
from schemas import TABLES
from tests.backfills import carry_out, plan
from tests.houses import RAW, House
from tests.soak.scheduler import Morning, Scheduler
from tests.soak.story import Story, troubled

DayOf = set[tuple[str, dt.date]]
PREDICTIONS = "player_prop_predictions"
# Of a superseding table a backfill holds the first version of each row, a life the newest of several.
ASSIGNED = ("prediction_id", "prediction_version")
REASON, BLOCKED = "processing_decision_reason", "circuit_breaker_active"
INCOMPLETE = ("incomplete_upstream_data", "incomplete_upstream_dependencies")
WHOLE = 12  # mornings: of so many every kind of trouble has its share
# A life keeps what a backfill never had: each prediction's two or three versions, attempts, a receipt a publish.
# Measured: 1.5 times a backfill's file after a dozen mornings.
MOST_BYTES = 4
# Trouble comes in bursts: a morning after an outage leaves thrice the rows of a quiet one.
MOST_GROWTH = 3


@pytest.mark.parametrize(
    ("games_per_team", "mornings"),
    [
        pytest.param(2, 3, marks=pytest.mark.slow),
        pytest.param(20, 12, marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
        pytest.param(82, 165, marks=[pytest.mark.slow, pytest.mark.timeout(6 * 3600)]),
    ],
)
def test_a_life_of_scheduled_runs_and_one_backfill_end_equal(games_per_team, mornings, tmp_path, record_property):
    story = troubled(games_per_team, mornings)
    life = Scheduler(_new(tmp_path, "life", story), story, tmp_path / "landing")
    life.live()
    seconds = [morning.seconds for morning in life.past]
    record_property("seconds_a_morning", [round(each, 1) for each in seconds])
    print(f"{len(seconds)} mornings, {mean(seconds):.1f} s each, {max(seconds):.1f} s the longest; {dict(life.did)}")
    if mornings >= WHOLE:
        _everything_happened(life)
        _grows_no_faster(life.past)
    assert {morning.left_over for morning in life.past} == {()}

    anew = _backfilled(_new(tmp_path, "anew", story), story, tmp_path / "all")
    assert life.stale()["entity_days"] == []
    for name in RAW:
        assert life.house.table(name, content=True).equals(anew.table(name, content=True)), name
    compared = _comparable(story, _complete_days(life.house), _complete_days(anew))
    for processor in PROCESSORS:
        days = [day for name, day in compared if name == processor.name]
        assert days, processor.name
        assert _differences(life.house, anew, processor.name, days) == [], processor.name
    assert life.house.path.stat().st_size <= MOST_BYTES * anew.path.stat().st_size


def _new(directory: Path, name: str, story: Story) -> House:
    """In a directory of its own, so that whatever else is in there was left over."""
    (directory / name).mkdir()
    return House.new(directory / name / "house.duckdb", story.now(story.first))


def _backfilled(house: House, story: Story, landing: Path) -> House:
    """The season as everybody knows it in the end, loaded and computed at once; days without box scores fail."""
    house.now = story.now(len(story.days))
    house.ingest(story.land_all(landing))
    result = carry_out(house, plan(house, story.days, "all,predictions"), goes_on=True)
    assert not result.stopped
    return house


def _complete_days(house: House) -> DayOf:
    """(processor, day) whose newest receipt says that all it owed is there."""
    rows = house.query(
        "SELECT processor_name, analysis_date FROM nba_orchestration.latest_receipts WHERE status = 'COMPLETE'"
    )
    return {(row["processor_name"], row["analysis_date"]) for row in rows}


def _comparable(story: Story, life: DayOf, anew: DayOf) -> list[tuple[str, dt.date]]:
    """The days complete in the life are those complete in the backfill, up to the game that never came.

    That game's day is degraded, and a backfill does not compute a day on degraded upstreams, as live runs do.  Its
    predictions from then on know one day less of the opponents' defences, so they are no longer comparable.
    """
    lost_on = story.days[min(story.day_of[game] for game in story.lost)]
    assert {day for day in life ^ anew if day[1] < lost_on} == set()
    assert anew <= life
    return sorted(day for day in anew if day[0] != PREDICTIONS or day[1] < lost_on)


def _differences(life: House, anew: House, name: str, days: Sequence[dt.date]) -> list[Any]:
    """Keys that only one of them has, and what differs in those of both."""
    ones, others = _rows(life, name, days), _rows(anew, name, days)
    found: list[Any] = sorted(ones.keys() ^ others.keys())
    for key in sorted(ones.keys() & others.keys()):
        one, other = ones[key], others[key]
        if one.get(REASON) == BLOCKED and other[REASON] in INCOMPLETE:
            one[REASON] = other[REASON]  # a backfill asks no breaker: it says what the breaker holds back
        if one != other:
            found.append(
                (key, {column: (one[column], other[column]) for column in one if one[column] != other[column]})
            )
    return found


def _rows(house: House, name: str, days: Sequence[dt.date]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What stands in the table of those days, by its key, without bookkeeping: when, by which run, how often tried."""
    table = TABLES[name]
    columns = ", ".join(column for column in table.content_columns if column not in ASSIGNED)
    standing = " AND is_active" if table.publish is PublishMode.SUPERSEDE else ""
    found = house.query(
        f"SELECT {columns} FROM {table.id} WHERE {table.day} IN UNNEST(@days){standing}", days=list(days)
    )
    return {tuple(row[key] for key in table.supersede_by or table.grain): row for row in found}


def _everything_happened(life: Scheduler) -> None:
    """All that the story has was lived through, and left its trace."""
    story = life.story
    assert all((story.late, story.wrong, story.announced, story.lost, story.outages))
    assert all(life.did[what] for what in ("outage", "override", "rerun"))
    actions = life.house.query("SELECT DISTINCT action FROM nba_orchestration.breaker_actions")
    assert {row["action"] for row in actions} == {"override", "close"}


def _grows_no_faster(past: Sequence[Morning]) -> None:
    """A morning of the last third adds no more bytes and control rows than one of the first, but for the weather."""
    third = len(past) // 3
    for measure in ("bytes", "control"):
        added = [getattr(after, measure) - getattr(before, measure) for before, after in pairwise(past)]
        assert mean(added[-third:]) <= MOST_GROWTH * mean(added[:third]), (measure, added)
