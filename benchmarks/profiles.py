"""Where a phase's time goes: `python -m benchmarks.profiles` profiles each over one season, and prints the shares.

A profiled run takes twice as long, and calls of Python weigh more in it than they do; threads that deal, decode and
stage are not seen.  So these are shares to know where to look, and no timings.
"""

import argparse
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.product import FULLCOURT, PHASES, command, days_but_one, landing

# Step -> the functions that are it: the end of a file's path, and a name.  None is called by another of the list.
STEPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "importing Beam and the pipeline": (("cli/phases.py", "config"),),
    "has anything changed? asked before and after reading": (("orchestration/unchanged.py", "inputs_of"),),
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
}
REST = "Beam's runner, and the rest"


def shares(profile: pstats.Stats) -> dict[str, float]:
    """Step -> its share of the profile, 0 to 1; what no step has is the rest."""
    found = dict.fromkeys(STEPS, 0.0)
    for (file, _, name), (_, _, _, cumulative, _) in profile.stats.items():  # type: ignore[attr-defined]
        for step, functions in STEPS.items():
            if any(file.endswith(path) and name == function for path, function in functions):
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
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        store, profile = ("--warehouse", f"{directory}/season.duckdb"), f"{directory}/profile"
        measure([str(FULLCOURT), "init", *store])
        measure([str(FULLCOURT), "ingest", str(files), *store])
        for phase in PHASES:
            asked = [str(FULLCOURT), *command(phase), *days_but_one(files), *store]
            subprocess.run([sys.executable, "-m", "cProfile", "-o", profile, *asked], check=False, capture_output=True)
            found[phase] = shares(pstats.Stats(profile))
    print(table(found))


if __name__ == "__main__":
    main()
