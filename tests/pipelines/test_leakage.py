"""No row of D knows a result of D or later; and no row depends on how its inputs were dealt out."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.demo.league import simulate, write
from fullcourt.domain.predictions.coordinator import Rules
from tests.houses import House, read, rewrite
from transforms import read_shards

# Everything keyed to D that is not a summary of D's own games.
OUTPUTS = {
    "upcoming_team_game_context": "game_date",
    "upcoming_player_game_context": "game_date",
    "team_defense_zone_analysis": "analysis_date",
    "player_shot_zone_analysis": "analysis_date",
    "player_daily_cache": "cache_date",
    "player_composite_factors": "game_date",
    "ml_feature_store_v2": "game_date",
    "player_prop_predictions": "game_date",
}
EVERYBODY = {"rules": Rules(minimum_minutes=0, minimum_quality=0)}


@dataclass(frozen=True)
class Past:
    """A short season whose landing files may be changed from D on."""

    house: House
    landing: Path
    days: tuple[dt.date, ...]
    day: dt.date
    rows: dict[str, list[dict]]


def run_all(house: House, days: tuple[dt.date, ...], day: dt.date, parts: int = 1) -> dict[str, list[dict]]:
    """Summaries of all days, everything else for the day; returns the day's rows in all content columns."""
    house.run("analytics", days[0], days[-1], allow_demotion=True)
    house.run("precompute", day, allow_demotion=True, settings={"parts": parts})
    house.run("predictions", day, settings={"parts": parts, **EVERYBODY})
    rows = {}
    for name, column in OUTPUTS.items():
        table = house.table(name, content=True)
        table = table.filter(pc.equal(table[column], day))
        rows[name] = table.drop_columns([c for c in ("run_id",) if c in table.column_names]).to_pylist()
    return rows


@pytest.fixture(scope="module")
def past(empty_file, tmp_path_factory) -> Past:
    directory = tmp_path_factory.mktemp("leakage")
    league = simulate([2024], games_per_team=14)
    days = tuple(sorted(set(league.player_boxscores["game_date"].to_pylist())))
    write(league, directory / "landing")
    house = empty_file.copy(directory / "house.duckdb")
    house.now = dt.datetime.combine(days[-1] + dt.timedelta(1), dt.time(12), dt.UTC)
    house.ingest(directory / "landing")
    day = days[-4]
    return Past(house, directory / "landing", days, day, run_all(house, days, day))


def test_the_day_has_rows_of_every_kind(past):
    assert {name for name, rows in past.rows.items() if not rows} == set()
    systems = {row["system_id"] for row in past.rows["player_prop_predictions"]}
    assert {"moving_average", "zone_matchup_v1", "xgboost_v1", "ensemble_v1"} <= systems


def _other_results(landing: Path, day: dt.date) -> None:
    """From the day on: other points, minutes, players who entered, shots and scores; the same fixtures and listings."""
    box = read(landing, "player_boxscores")
    rng = np.random.default_rng(5)
    rows = box.to_pylist()
    later = [row for row in rows if row["game_date"] >= day]
    statistics = [name for name in box.schema.names if name not in _LISTING]
    for team_game in {(row["game_id"], row["team_tricode"]) for row in later}:
        mine = [row for row in later if (row["game_id"], row["team_tricode"]) == team_game]
        values = [tuple(row[name] for name in statistics) for row in mine]
        for row, place in zip(mine, rng.permutation(len(mine)), strict=True):  # who did what, and who played at all
            row |= dict(zip(statistics, values[place], strict=True))
            if row["played"]:
                row["fgm"], row["fga"], row["pts"] = row["fgm"] + 1, row["fga"] + 1, row["pts"] + 2
    rewrite(landing, "player_boxscores", pa.Table.from_pylist(rows, box.schema))
    points = {}
    for row in later:
        key = row["game_id"], row["team_tricode"]
        points[key] = points.get(key, 0) + (row["pts"] or 0)
    schedule = read(landing, "schedule").to_pylist()
    for game in schedule:
        for side in ("home", "away"):
            game[f"{side}_score"] = points.get((game["game_id"], game[f"{side}_tricode"]), game[f"{side}_score"])
    rewrite(landing, "schedule", pa.Table.from_pylist(schedule, read(landing, "schedule").schema))
    shots = read(landing, "shots-by-zone")
    rewrite(landing, "shots-by-zone", shots.filter(pc.less(shots["game_date"], day)))
    team = read(landing, "team_boxscores")
    changed = [row | ({"tov": 30, "oreb": 1} if row["game_date"] >= day else {}) for row in team.to_pylist()]
    rewrite(landing, "team_boxscores", pa.Table.from_pylist(changed, team.schema))


# What names a player for a game, as opposed to what he did there.
_LISTING = {"game_id", "season", "season_type", "game_date", "team_id", "team_tricode", "opponent_tricode", "is_home"}
_LISTING |= {"player_id", "player_name"}


def _differences(found: dict[str, list[dict]], expected: dict[str, list[dict]]) -> list[tuple]:
    """(table, key, column, found, expected) of the first cells that differ."""
    cells = []
    for name, rows in expected.items():
        assert len(found[name]) == len(rows), name
        for one, other in zip(found[name], rows, strict=True):
            key = one.get("player_lookup") or one.get("team_abbr")
            cells += [(name, key, c, one[c], other[c]) for c in other if one[c] != other[c]]
    return cells[:10]


def test_results_of_the_day_or_later_change_no_row_of_it(past, tmp_path):
    """I-41 and decisions 31: for every processor and every prediction system."""
    landing = Path(shutil.copytree(past.landing, tmp_path / "landing"))
    _other_results(landing, past.day)
    house = past.house.copy(tmp_path / "house.duckdb")
    report = house.ingest(landing)
    changed = {table["table"]: table["changed"] for table in report["tables"]}
    assert changed["nba_raw.nbac_gamebook_player_stats"] > 0
    assert changed["nba_raw.nbac_schedule"] > 0
    assert _differences(run_all(house, past.days, past.day), past.rows) == []


def test_results_before_the_day_do_change_it(past, tmp_path):
    """The comparison above can fail: the same change one day earlier is seen by every table."""
    landing = Path(shutil.copytree(past.landing, tmp_path / "landing"))
    _other_results(landing, past.days[-6])
    house = past.house.copy(tmp_path / "house.duckdb")
    house.ingest(landing)
    rows = run_all(house, past.days, past.day)
    assert {name for name in OUTPUTS if rows[name] != past.rows[name]} == set(OUTPUTS)


def test_shuffled_doubled_inputs_in_other_batches_and_shards_change_nothing(past, empty_file, tmp_path, monkeypatch):
    landing = tmp_path / "landing"
    landing.mkdir()
    rng = np.random.default_rng(3)
    for file in past.landing.iterdir():
        table = read(past.landing, file.stem)
        order = rng.permutation(np.tile(np.arange(table.num_rows), 2))  # every row twice, in any order
        rewrite(landing, file.stem, table.take(pa.array(order)))
    monkeypatch.setattr(read_shards, "BATCH_ROWS", 777)
    house = empty_file.copy(tmp_path / "house.duckdb")
    house.now = past.house.now
    house.ingest(landing)
    assert _differences(run_all(house, past.days, past.day, parts=3), past.rows) == []
