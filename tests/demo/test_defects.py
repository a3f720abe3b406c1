"""A damaged league lacks exactly what its defects say."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.demo.league import Defects, League, simulate, with_defects


@pytest.fixture(scope="module")
def whole() -> League:
    return simulate([2023, 2024], games_per_team=41)


@pytest.fixture(scope="module")
def damage(whole: League) -> tuple[League, Defects]:
    return with_defects(whole)


def lost(whole: pa.Table, damaged: pa.Table) -> set[tuple[str, str]]:
    """(game, team) of the rows that are gone; each must be gone entirely."""
    before, after = (
        {(row["game_id"], row["team_tricode"]) for row in table.select(["game_id", "team_tricode"]).to_pylist()}
        for table in (whole, damaged)
    )
    gone = before - after
    hit = pa.array([(game, team) in gone for game, team in zip(
        whole["game_id"].to_pylist(), whole["team_tricode"].to_pylist(), strict=True)])  # fmt: skip
    assert whole.filter(pc.invert(hit)).equals(damaged), "other rows changed"
    return gone


def both_teams(whole: League, game_ids: tuple[str, ...]) -> set[tuple[str, str]]:
    teams = whole.team_boxscores.filter(pc.is_in(whole.team_boxscores["game_id"], pa.array(game_ids)))
    return set(zip(teams["game_id"].to_pylist(), teams["team_tricode"].to_pylist(), strict=True))


def test_each_table_lacks_exactly_what_the_defects_say(whole, damage):
    damaged, defects = damage
    stale = both_teams(whole, defects.stale_row.game_ids)
    unloaded = stale | both_teams(whole, defects.lost_day.game_ids)
    partial = {(defects.partial_load.game_ids[0], defects.partial_load.team_tricode)}
    shotless = {(defects.lost_shots.game_ids[0], defects.lost_shots.team_tricode)}
    assert lost(whole.player_boxscores, damaged.player_boxscores) == unloaded | partial
    assert lost(whole.team_boxscores, damaged.team_boxscores) == unloaded
    assert lost(whole.shots, damaged.shots) == unloaded | shotless
    assert lost(whole.inactives, damaged.inactives) <= stale
    assert damaged.players.equals(whole.players)


def test_the_lost_day_is_a_whole_day_of_finals(damage):
    damaged, defects = damage
    day = damaged.schedule.filter(pc.equal(damaged.schedule["game_date"], pa.scalar(defects.lost_day.game_date)))
    assert tuple(day["game_id"].to_pylist()) == defects.lost_day.game_ids
    assert set(day["status"].to_pylist()) == {"Final"}


def test_only_the_stale_row_of_the_schedule_changes(whole, damage):
    damaged, defects = damage
    assert damaged.schedule.schema == whole.schedule.schema
    changed = [
        after
        for before, after in zip(whole.schedule.to_pylist(), damaged.schedule.to_pylist(), strict=True)
        if before != after
    ]
    assert [
        (row["game_id"], row["game_date"], row["status"], row["home_score"], row["away_score"]) for row in changed
    ] == [(*defects.stale_row.game_ids, defects.stale_row.game_date, "Scheduled", None, None)]


def test_defects_are_in_the_last_season_each_on_a_day_of_its_own(damage):
    _, defects = damage
    days = [defect.game_date for defect in defects.in_order()]
    assert days == sorted(set(days))
    assert all(game_id.startswith("00224") for defect in defects.in_order() for game_id in defect.game_ids)


def test_the_same_league_is_damaged_in_the_same_way(whole, damage):
    again, defects = with_defects(whole)
    assert defects == damage[1]
    assert all(getattr(again, table).equals(getattr(damage[0], table)) for table in League.__dataclass_fields__)
