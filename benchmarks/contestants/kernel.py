"""The kernel alone: the product's array functions over each season's rows, without Beam.  What Beam costs is the rest.

python -m benchmarks.contestants.kernel DATA OUT [--threads N]
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contestants.figures import DICTIONARIES, PROCESSOR, SCHEMAS, UPSTREAM_COLUMNS, WRITTEN, rows_of
from benchmarks.spec import KEY
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, season_of_day
from fullcourt.domain.gate import judge
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS, ShardTables, observe
from fullcourt.domain.rows import Judged, Stamp

_NOBODY_INACTIVE = pa.schema([(name, pa.string()) for name in INACTIVE_COLUMNS]).empty_table()
_STAMP = Stamp("benchmark", 0, recording=False)


def run(data: Path, out: Path, threads: int = 1) -> None:
    """Each thread takes every so-manieth season, and writes files of its own."""
    out.mkdir(parents=True, exist_ok=True)
    dates = pq.read_table(data / "schedule.parquet", columns=["game_date"])["game_date"].cast(pa.int32())
    seasons = sorted({season_of_day(int(day)) for day in np.unique(dates)})
    with ThreadPoolExecutor(threads) as pool:
        shares = [pool.submit(_seasons, data, out, seasons[number::threads], number) for number in range(threads)]
        for share in shares:
            share.result()


def _seasons(data: Path, out: Path, seasons: Sequence[int], number: int) -> None:
    writers = {
        name: pq.ParquetWriter(
            out / f"{name}-{number}.parquet",
            schema,
            compression="lz4",
            use_dictionary=[KEY[0]],
            write_statistics=False,
        )
        for name, schema in SCHEMAS.items()
    }
    for season in seasons:
        for name, rows in _judged(data, season):
            writers[name].write_table(rows)
    for writer in writers.values():
        writer.close()


def _judged(data: Path, season: int) -> list[tuple[str, pa.Table]]:
    tables = ShardTables(
        _rows(data / "schedule.parquet", SCHEDULE_COLUMNS, season, ()),
        _rows(data / "pgs.parquet", UPSTREAM_COLUMNS, season, DICTIONARIES),
        _rows(data / "box.parquet", BOX_COLUMNS, season, DICTIONARIES),
        _NOBODY_INACTIVE,
    )
    seen = observe(tables, PROCESSOR, season)
    judged = Judged(seen, judge(seen, PROCESSOR, seen.calendar.days), PROCESSOR, _STAMP)
    leaving = ((WRITTEN[verdict], rows) for verdict, rows in judged.by_verdict() if verdict in WRITTEN)
    return [(name, rows_of(rows, SCHEMAS[name])) for name, rows in leaving]


def _rows(file: Path, columns: Sequence[str], season: int, dictionaries: Sequence[str]) -> pa.Table:
    """Of the row groups whose statistics allow the season."""
    return pq.read_table(
        file,
        columns=list(columns),
        filters=[("season_year", "=", season)],
        read_dictionary=list(dictionaries),
        use_threads=False,
    ).unify_dictionaries()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    run(asked.data, asked.out, asked.threads)


if __name__ == "__main__":
    main()
