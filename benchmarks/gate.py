"""`make bench`: the gate through Beam against the best set-based SQL, whole processes, cold, interleaved.

Prints a Markdown table; `--json FILE` keeps the figures.  Both contestants read the same Parquet files, and their
results are compared cell by cell before anything is timed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.generate import generate
from benchmarks.spec import COUNTS, KEY, MEANS

CONTESTANTS = {"beam": "benchmarks.beam_gate", "sql": "benchmarks.sql_gate"}


@dataclass(frozen=True)
class Timing:
    """One whole process: wall seconds, and peak memory in MiB."""

    seconds: float
    peak_mib: float


def measure(module: str, data: Path, out: Path) -> Timing:
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module, str(data), str(out)], stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        assert process.stderr is not None
        raise RuntimeError(f"{module} failed: {process.stderr.read().decode()[-2000:]}")
    return Timing(seconds, usage.ru_maxrss / 1024)


def compare(mine: Path, other: Path) -> int:
    """Rows in both results, all cells equal (means to 1e-9, as one sums integers and the other doubles)."""
    connection = duckdb.connect()
    rows = 0
    for name, exact, near in (("ready", COUNTS, MEANS), ("held_back", COUNTS, ())):
        sides = [f"read_parquet('{side}/{name}*.parquet')" for side in (mine, other)]
        differs = " OR ".join(
            [
                *(f"a.{column} IS DISTINCT FROM b.{column}" for column in exact),
                *(f"(a.{c} IS NULL) <> (b.{c} IS NULL) OR abs(a.{c} - b.{c}) > 1e-9" for c in near),
            ]
        )
        counted, wrong = connection.execute(
            f"SELECT count(*), count(*) FILTER (a.{KEY[0]} IS NULL OR b.{KEY[0]} IS NULL OR {differs}) "
            f"FROM {sides[0]} a FULL JOIN {sides[1]} b USING ({', '.join(KEY)})"
        ).fetchall()[0]
        if wrong:
            raise RuntimeError(f"{name}: {wrong} of {counted} rows differ between the contestants")
        rows += counted
    return rows


def contest(seasons: int, runs: int, directory: Path) -> dict[str, object]:
    data = directory / f"x{seasons}"
    generate(seasons, data)
    outs = {name: directory / f"{name}-{seasons}" for name in CONTESTANTS}
    for name, module in CONTESTANTS.items():
        measure(module, data, outs[name])  # warms the file cache, and gives the results to compare
    rows = compare(outs["beam"], outs["sql"])
    taken: dict[str, list[Timing]] = {name: [] for name in CONTESTANTS}
    for _ in range(runs):
        for name, module in CONTESTANTS.items():
            taken[name].append(measure(module, data, outs[name]))
    ratios = [beam.seconds / sql.seconds for beam, sql in zip(taken["beam"], taken["sql"], strict=True)]
    return {
        "seasons": seasons,
        "rows": rows,
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
        **{
            f"{name}_{what}": round(statistics.median(getattr(timing, what) for timing in timings), 2)
            for name, timings in taken.items()
            for what in ("seconds", "peak_mib")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seasons", type=int, nargs="+", default=[1, 10], help="sizes of the input, in seasons")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each contestant")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = [contest(seasons, options.runs, Path(scratch)) for seasons in options.seasons]
    print("\n| seasons | rows compared | Beam s | SQL s | Beam / SQL (range) | Beam MiB | SQL MiB |")
    print("|---|---|---|---|---|---|---|")
    for r in results:
        low, high = r["ratio_range"]  # type: ignore[misc]
        print(
            f"| {r['seasons']} | {r['rows']} | {r['beam_seconds']} | {r['sql_seconds']} "
            f"| {r['ratio']} ({low}-{high}) | {r['beam_peak_mib']} | {r['sql_peak_mib']} |"
        )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
