"""Writes simulated seasons as the tables the gate reads: schedule, box scores, player_game_summary with holes.

Every file has a row group a season.  Seasons are drawn a decade at a time, each decade from its own seed, so that a
hundred of them take no more memory than ten; the same number of seasons is the same cells in every run.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.spec import STATISTICS
from fullcourt import demo
from fullcourt.demo.league import League, simulate
from fullcourt.domain.landing import canonical_game_id, player_lookup

MISSING_SHARE = 0.03  # of the players' summaries, so that windows are incomplete here and there
FIRST_YEAR = 2014
DECADE = 10


def generated(seasons: int, cache: Path) -> Path:
    """The directory that holds the tables of so many seasons."""
    return cached(f"seasons-{seasons}", cache, lambda directory: generate(seasons, directory))


def cached(name: str, cache: Path, make: Callable[[Path], None]) -> Path:
    """What an earlier run of the same code made, or what `make` writes into the directory now."""
    directory = cache / f"{name}-{_code()}"
    if not directory.exists():
        unfinished = cache / f"{name}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(directory)
    return directory


def generate(seasons: int, directory: Path) -> None:
    """One file a table; the seasons follow each other in it."""
    directory.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    for year, league in _decades(seasons):
        for name, table in _tables(league, seed=year).items():
            if name not in writers:
                writers[name] = pq.ParquetWriter(directory / f"{name}.parquet", table.schema)
            for season in pc.unique(table["season_year"]):
                writers[name].write_table(table.filter(pc.equal(table["season_year"], season)))
    for writer in writers.values():
        writer.close()
    rows = {name: pq.read_metadata(directory / f"{name}.parquet").num_rows for name in writers}
    print(
        f"{seasons} seasons: {rows['schedule']} games, {rows['box']} box rows, {rows['pgs']} summaries",
        file=sys.stderr,
    )


def _code() -> str:
    """Names the code that draws the seasons, so that a change of it draws them anew."""
    files = [Path(__file__), *sorted(Path(demo.__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _decades(seasons: int) -> Iterator[tuple[int, League]]:
    for year in range(FIRST_YEAR, FIRST_YEAR + seasons, DECADE):
        yield year, simulate(range(year, min(year + DECADE, FIRST_YEAR + seasons)), seed=year)


def _tables(league: League, seed: int) -> dict[str, pa.Table]:
    schedule = _schedule(league)
    box = _box(league, schedule)
    kept = np.random.Generator(np.random.PCG64(seed)).random(box.num_rows) >= MISSING_SHARE
    summaries = box.filter(pc.and_(box["played"], pa.array(kept)))
    summaries = summaries.append_column("processed_at", pa.array([0] * summaries.num_rows, pa.timestamp("us", "UTC")))
    return {"schedule": schedule, "box": box, "pgs": summaries.drop_columns(["played"])}


def _schedule(league: League) -> pa.Table:
    rows = league.schedule.filter(pc.equal(league.schedule["season_type"], "regular")).combine_chunks()
    day, away, home = (rows[name].combine_chunks() for name in ("game_date", "away_tricode", "home_tricode"))
    return pa.table(
        {
            "nba_game_id": rows["game_id"],
            "game_id": canonical_game_id(day, away, home),
            "game_date": day,
            "season_year": pc.utf8_slice_codeunits(rows["season"], 0, 4).cast(pa.int64()),
            "season_type": rows["season_type"],
            "game_status": pa.repeat(3, rows.num_rows),
            "game_status_text": rows["status"],
            "home_team_tricode": home,
            "away_team_tricode": away,
            "home_team_score": rows["home_score"].cast(pa.int64()),
            "away_team_score": rows["away_score"].cast(pa.int64()),
        }
    )


def _box(league: League, schedule: pa.Table) -> pa.Table:
    rows = league.player_boxscores
    place = pc.index_in(rows["game_id"].combine_chunks(), schedule["nba_game_id"].combine_chunks())
    rows = rows.append_column("place", place).filter(pc.is_valid(place))
    names = rows["player_name"].combine_chunks().dictionary_encode()
    keys = pa.array([player_lookup(name) for name in names.dictionary.to_pylist()])
    landing = dict(zip(STATISTICS, ("pts", "seconds_played", "fga", "reb", "ast"), strict=True))
    return pa.table(
        {
            "game_id": schedule["game_id"].take(rows["place"]),
            "team_abbr": rows["team_tricode"],
            "player_lookup": keys.take(names.indices),
            "universal_player_id": rows["player_id"].cast(pa.string()),
            "season_year": schedule["season_year"].take(rows["place"]),
            "played": rows["played"],
            **{name: rows[source].cast(pa.int64()) for name, source in landing.items()},
        }
    )


if __name__ == "__main__":
    generate(int(sys.argv[1]), Path(sys.argv[2]))
