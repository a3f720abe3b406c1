"""Simulated leagues, and warehouses prepared once and copied to each test that wants one."""

import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import settings

from fullcourt.demo.landing import League
from fullcourt.demo.league import simulate, write
from tests.emulators import Emulators, missing, running
from tests.houses import House
from tests.verified import build

# Whole backfills, drills, chains of phases and real seasons: the lane `long`.
LONG = (
    "faults/test_*.py",
    "real/test_*.py",
    "cli/test_backfill.py",
    "domain/test_breaker_machine.py",
    "orchestration/test_backfill*.py",
    "orchestration/test_cleanup.py",
    "orchestration/test_ingest_markets.py",
    "orchestration/test_lineage.py",
    "orchestration/test_stale.py",
    "orchestration/test_unchanged.py",
    "pipelines/test_cascades.py",
    "pipelines/test_leakage.py",
)

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")
Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.hookimpl(tryfirst=True)  # before anything is chosen by its marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.match(pattern) for pattern in LONG):
            item.add_marker("long")


def after(league: League) -> dt.datetime:
    """Noon UTC of the day after the league's last game."""
    return dt.datetime.combine(max(league.schedule["game_date"].to_pylist()) + dt.timedelta(1), dt.time(12), dt.UTC)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """once(name, build): a directory filled by build(directory), one time however many workers run the tests."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # a worker's own directory is inside that of the whole run

    def directory(name: str, build: Callable[[Path], None]) -> Path:
        done, unfinished = root / name, root / f"{name}.unfinished"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait here for the first
            if not done.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                build(unfinished)
                unfinished.rename(done)
        return done

    return directory


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """BigQuery and Cloud Storage on this machine, for tests marked cloud."""
    if lacking := missing():
        pytest.skip(lacking)
    with running(tmp_path_factory.mktemp("emulators")) as servers:
        yield servers


@pytest.fixture(scope="session")
def league() -> League:
    """Six games a team: enough to load, too few to leave the season's first weeks."""
    return simulate([2024], games_per_team=6)


@pytest.fixture(scope="session")
def landing_files(league: League, once: Once) -> Path:
    return once("landing", lambda directory: write(league, directory))


@pytest.fixture
def landing(landing_files: Path, tmp_path: Path) -> Path:
    """The league's landing files, to damage at will."""
    return Path(shutil.copytree(landing_files, tmp_path / "landing"))


@pytest.fixture(scope="session")
def empty_file(league: League, once: Once) -> House:
    """A warehouse with every table and no rows; not to be written to."""

    def build(directory: Path) -> None:
        House.new(directory / "empty.duckdb", after(league))

    return House(once("empty", build) / "empty.duckdb", after(league))


@pytest.fixture(scope="session")
def loaded_file(empty_file: House, landing_files: Path, once: Once) -> House:
    """The same with the league's landing files loaded; not to be written to."""

    def build(directory: Path) -> None:
        empty_file.copy(directory / "loaded.duckdb").ingest(landing_files)

    return House(once("loaded", build) / "loaded.duckdb", empty_file.now)


@pytest.fixture(scope="session")
def verified(loaded_file: House, once: Once) -> House:
    """Every phase of every game day, by runs; not to be written to."""
    return House(once("verified", lambda directory: build(loaded_file, directory)) / "verified.duckdb", loaded_file.now)


@pytest.fixture
def empty_house(empty_file: House, tmp_path: Path) -> House:
    return empty_file.copy(tmp_path / "house.duckdb")


@pytest.fixture
def loaded_house(loaded_file: House, tmp_path: Path) -> House:
    return loaded_file.copy(tmp_path / "house.duckdb")


@dataclass(frozen=True)
class Season:
    """A quarter of a season in which one team's box scores of two games, and its opponents', were lost.

    house: with everything ingested and summarised.  landing: all files, whole.  judged: the last game days, after
    bootstrap and after the lost games.  team: whose two games are lost.
    """

    house: House
    league: League
    landing: Path
    days: tuple[dt.date, ...]
    judged: tuple[dt.date, ...]
    team: str
    lost: tuple[str, ...]


@pytest.fixture(scope="session")
def season(empty_file: House, once: Once) -> Season:
    league = simulate([2024], games_per_team=20)
    games = [row for row in league.schedule.to_pylist() if row["season_type"] == "regular"]
    days = tuple(sorted({game["game_date"] for game in games}))
    judged = days[-4:]
    team = games[0]["home_tricode"]
    mine = [g for g in games if team in (g["home_tricode"], g["away_tricode"]) and g["game_date"] < judged[0]]
    lost = tuple(game["game_id"] for game in sorted(mine, key=lambda game: game["game_date"])[-2:])

    def build(directory: Path) -> None:
        write(league, directory / "whole")
        there = {
            name: getattr(league, name).filter(~pc.is_in(pc.field("game_id"), pa.array(lost)))
            for name in ("player_boxscores", "team_boxscores", "shots")
        }
        write(replace(league, **there), directory / "damaged")
        house = empty_file.copy(directory / "season.duckdb")
        house.now = after(league)
        house.ingest(directory / "damaged")
        house.run("analytics", days[0], days[-1])

    directory = once("season", build)
    house = House(directory / "season.duckdb", after(league))
    return Season(house, league, directory / "whole", days, judged, team, lost)


@pytest.fixture
def season_house(season: Season, tmp_path: Path) -> House:
    return season.house.copy(tmp_path / "season.duckdb")


@dataclass(frozen=True)
class Chain:
    """The season with every phase run for its last four game days; not to be written to."""

    house: House
    days: tuple[dt.date, ...]
    report: dict


@pytest.fixture(scope="session")
def chain(season: Season, once: Once) -> Chain:
    def build(directory: Path) -> None:
        house = season.house.copy(directory / "house.duckdb")
        first, last = season.judged[0], season.judged[-1]
        house.run("analytics", first, last)
        house.run("precompute", first, last)
        (directory / "report.json").write_text(json.dumps(house.run("predictions", first, last)))

    directory = once("chain", build)
    house = House(directory / "house.duckdb", season.house.now)
    return Chain(house, season.judged, json.loads((directory / "report.json").read_text()))
