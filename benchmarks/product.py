"""The product's own commands on simulated landing files, each a process of its own: the whole chain and daily work."""

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.generate import DECADE, FIRST_YEAR, cached
from benchmarks.measure import Timing, measure
from fullcourt.demo.league import simulate, with_defects, write
from fullcourt.domain.breaker import ATTEMPTS_BEFORE_TRIP
from fullcourt.domain.processors import BY_NAME

FULLCOURT = Path(sys.executable).with_name("fullcourt")
PUBLISHED = (0, 1)  # 1: published, and days are named whose defects leave them below coverage
PHASES = ("analytics", "precompute", "predictions")


@dataclass
class Step:
    """A command, or several in a row.  rows: what it read, where a speed is of interest."""

    name: str
    title: str
    timings: list[Timing] = field(default_factory=list)
    rows: int | None = None

    @property
    def seconds(self) -> float:
        return statistics.median(timing.seconds for timing in self.timings)

    @property
    def peak_mib(self) -> float:
        return statistics.median(timing.peak_mib for timing in self.timings)


class Steps(dict[str, Step]):
    """By name, in the order in which they were taken."""

    def time(self, name: str, title: str, *commands: Sequence[str], rows: int | None = None) -> None:
        """One more timing of the step; its seconds are the sum of its commands', its memory their greatest."""
        taken = [measure([str(FULLCOURT), *command], PUBLISHED) for command in commands]
        step = self.setdefault(name, Step(name, title, rows=rows))
        step.timings.append(Timing(sum(t.seconds for t in taken), max(t.peak_mib for t in taken)))


def landing(seasons: int, cache: Path) -> Path:
    """Landing files of so many seasons, the last with the demo's four defects."""
    return cached(f"landing-{seasons}", cache, lambda directory: _write_landing(seasons, directory))


def _write_landing(seasons: int, directory: Path) -> None:
    assert seasons <= DECADE
    write(with_defects(simulate(range(FIRST_YEAR, FIRST_YEAR + seasons)))[0], directory)


def time_product(cache: Path, scratch: Path, runs: int, say: Callable[[str], None]) -> list[Step]:
    """One season and ten, from landing files to predictions; then the last day of the one, again and again."""
    steps = Steps()
    for seasons in (DECADE, 1):
        for number in range(runs if seasons == 1 else 1):
            say(f"the product, {seasons} seasons: round {number + 1}")
            _chain(steps, seasons, landing(seasons, cache), scratch)
    say("the product: one day")
    _day(steps, landing(1, cache), scratch, runs)
    return list(steps.values())


def _chain(steps: Steps, seasons: int, files: Path, scratch: Path) -> None:
    """The last day is left for _day to compute."""
    warehouse = _warehouse(scratch, seasons)
    warehouse.unlink(missing_ok=True)
    store = ("--warehouse", str(warehouse))
    of = "1 season" if seasons == 1 else f"{seasons} seasons"
    measure([str(FULLCOURT), "init", *store])
    rows = sum(pq.read_metadata(file).num_rows for file in files.glob("*.parquet"))
    steps.time(f"ingest{seasons}", f"`ingest`, {of}", ("ingest", str(files), *store), rows=rows)
    phases = [(*command(phase), *days_but_one(files), *store) for phase in PHASES]
    for phase, asked in zip(PHASES, phases, strict=True):
        steps.time(f"{phase}{seasons}", f"`run {phase}`, {of}", asked)
    _refuse_empty(warehouse)
    taken = [steps[f"{phase}{seasons}"].timings[-1] for phase in PHASES]
    chain = steps.setdefault(f"chain{seasons}", Step(f"chain{seasons}", f"phases 3 to 5, {of}"))
    chain.timings.append(Timing(sum(t.seconds for t in taken), max(t.peak_mib for t in taken)))
    ingested = steps[f"ingest{seasons}"].timings[-1]
    whole = steps.setdefault(f"whole{seasons}", Step(f"whole{seasons}", f"landing files to predictions, {of}"))
    whole.timings.append(
        Timing(ingested.seconds + chain.timings[-1].seconds, max(ingested.peak_mib, chain.timings[-1].peak_mib))
    )
    if seasons == 1:
        _again(steps, "1", of, phases[1])


def _day(steps: Steps, files: Path, scratch: Path, runs: int) -> None:
    """The season's last day; each round on a copy of the warehouse that lacks it."""
    season, day = days_but_one(files), ("--date", last_day(files))
    copy, page = scratch / "day.duckdb", str(scratch / "report.html")
    store = ("--warehouse", str(copy))
    who = listed(files, day[1])
    for _ in range(runs):
        shutil.copyfile(_warehouse(scratch, 1), copy)
        commands = {phase: (*command(phase), *day, *store) for phase in PHASES}
        measure([str(FULLCOURT), *commands["analytics"]], PUBLISHED)
        steps.time("day", "`run precompute`, one day", commands["precompute"])
        _again(steps, "", "one day", commands["precompute"])
        steps.time("day_predictions", "`run predictions`, one day", commands["predictions"])
        steps.time("explain", "`explain`, one player and day", ("explain", who, *day, *store))
        steps.time("report", "`report`, one season", ("report", *season, "-o", page, *store))


def _again(steps: Steps, number: str, of: str, asked: Sequence[str]) -> None:
    """Each run makes one more attempt for what is incomplete; there is nothing to do once their breakers are open."""
    steps.time(f"again{number}", f"`run precompute` again, {of}: one more attempt", asked)
    for _ in range(ATTEMPTS_BEFORE_TRIP - 1):
        measure([str(FULLCOURT), *asked], PUBLISHED)
    steps.time(f"noop{number}", f"`run precompute` again, {of}: nothing to do", asked)


def _refuse_empty(warehouse: Path) -> None:
    """Exit code 1 is also that of a run that was stopped: RuntimeError where a processor has published nothing."""
    with duckdb.connect(str(warehouse), read_only=True) as store:
        tables = store.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        for schema, table in tables:
            if table in BY_NAME and not store.execute(f"SELECT count(*) FROM {schema}.{table}").fetchall()[0][0]:
                raise RuntimeError(f"{table} is empty after the chain: see `fullcourt run` on {warehouse.name}")


def command(phase: str) -> tuple[str, ...]:
    return ("run", phase, "--historical") if phase == "predictions" else ("run", phase)


def days_but_one(files: Path) -> tuple[str, ...]:
    """The options that ask for all game days but the last."""
    days = _game_days(files)
    return ("--start", days[0], "--end", days[-2])


def last_day(files: Path) -> str:
    """YYYY-MM-DD."""
    return _game_days(files)[-1]


def _warehouse(scratch: Path, seasons: int) -> Path:
    return scratch / f"seasons-{seasons}.duckdb"


def _game_days(files: Path) -> list[str]:
    """Ascending, YYYY-MM-DD, of the regular season."""
    schedule = pq.read_table(files / "schedule.parquet", columns=["game_date", "season_type"])
    regular = schedule.filter(pc.equal(schedule["season_type"], "regular"))
    return [str(day) for day in np.unique(regular["game_date"].to_numpy())]


def listed(files: Path, day: str) -> str:
    """A player of that day's box scores: the first by name."""
    rows = pq.read_table(files / "player_boxscores.parquet", columns=["game_date", "player_name"])
    return min(rows.filter(pc.equal(rows["game_date"].cast("string"), day))["player_name"].to_pylist())
