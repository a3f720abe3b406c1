"""Where the time goes: `python -m benchmarks.profiles` profiles each phase over one season, then a day's commands.

A profiled run takes twice as long, and calls of Python weigh more in it than they do; threads that deal, decode and
stage are not seen.  So these are shares to know where to look, and no timings.
"""

import argparse
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.product import FULLCOURT, PHASES, command, days_but_one, landing, last_day, listed
from fullcourt.domain.breaker import ATTEMPTS_BEFORE_TRIP

# Step -> the functions that are it: the end of a file's path, and a name.  None is called by another of the list;
# only what a step imports itself counts twice.
STEPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "importing": (("importlib._bootstrap>", "_find_and_load"),),
    "comparing the schema": (("warehouse/ddl.py", "check_schema"),),
    "has anything changed? asked before and after reading": (("orchestration/unchanged.py", "inputs_of"),),
    "does what was published still stand?": (("orchestration/unchanged.py", "settle"),),
    "the snapshot": (("warehouse/duckdb.py", "snapshot"),),
    "building the graph": tuple((f"pipelines/{phase}.py", "build") for phase in PHASES),
    "reading it, dealing it out": (("transforms/read_shards.py", "process"),),
    "putting the joined batches together": (("transforms/packing.py", "unpack_tables"),),
    "the grid": (("domain/observation.py", "observe"),),
    "windows and verdicts": (("domain/gate.py", "judge"),),
    "features and rows": (("domain/rows.py", "judged_table"), ("transforms/summarise_games.py", "process")),
    "predictions": (("transforms/predict_points.py", "process"),),
    "tallies": (("domain/rows.py", "tally"),),
    "waiting for what is being staged": (("transforms/stage_rows.py", "_wait"),),
    "audit and publish": (("transforms/finish_run.py", "_finish"),),
    "explaining": (("orchestration/explain.py", "_explain"),),
}
OF_EXPLAIN = ("importing", "comparing the schema", "explaining")  # which has a grid and verdicts in itself
REST = "Beam's runner, the command line, and the rest"


def shares(profile: pstats.Stats, steps: Collection[str] = STEPS) -> dict[str, float]:
    """Step -> its share of the profile, 0 to 1; what none of them has is the rest."""
    found = dict.fromkeys(STEPS, 0.0)
    for (file, _, name), (_, _, _, cumulative, _) in profile.stats.items():  # type: ignore[attr-defined]
        for step, functions in STEPS.items():
            if step in steps and any(file.endswith(path) and name == function for path, function in functions):
                found[step] += cumulative
    total = profile.total_tt  # type: ignore[attr-defined]
    found = {step: seconds / total for step, seconds in found.items()}
    return {**found, REST: 1.0 - sum(found.values())}


def table(of_phase: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"| | {' | '.join(of_phase)} |", f"|---|{'---|' * len(of_phase)}"]
    for step in (*STEPS, REST):
        cells = [f"{100 * found[step]:.0f} %" if found[step] >= 0.005 else "" for found in of_phase.values()]
        if any(cells):
            lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), help="keeps the season between runs")
    files = landing(1, parser.parse_args().cache)
    with tempfile.TemporaryDirectory() as directory:
        store = ("--warehouse", f"{directory}/season.duckdb")
        measure([str(FULLCOURT), "init", *store])
        measure([str(FULLCOURT), "ingest", str(files), *store])
        season, day = days_but_one(files), ("--date", last_day(files))
        print(table({phase: shares(_profile(*command(phase), *season, *store)) for phase in PHASES}), "\n")
        _profile(*command("analytics"), *day, *store)
        asked = (*command("precompute"), *day, *store)
        first = shares(_profile(*asked))
        for _ in range(ATTEMPTS_BEFORE_TRIP + 1):  # while breakers are closed, a run makes one more attempt
            again = _profile(*asked)
        explained = _profile("explain", listed(files, day[1]), *day, *store)
    print(table({"one day": first, "again": shares(again), "`explain`": shares(explained, OF_EXPLAIN)}))


def _profile(*command: str) -> pstats.Stats:
    """RuntimeError where the command failed, which the profiler's exit code does not tell."""
    with tempfile.NamedTemporaryFile() as file:
        asked = [sys.executable, "-m", "cProfile", "-o", file.name, str(FULLCOURT), *command]
        said = subprocess.run(asked, check=True, capture_output=True, text=True).stderr
        if "error:" in said:
            raise RuntimeError(said)
        return pstats.Stats(file.name)


if __name__ == "__main__":
    main()
