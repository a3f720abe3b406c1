"""`make bench`: the gate through Beam against every other way to compute it, and the product's own commands.

Prints Markdown on stdout and what it is at on stderr; `--json FILE` and `--markdown FILE` keep the figures.  All
contestants read the same Parquet files, and their results are compared cell by cell before anything is timed.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import identity
from benchmarks.contest import contest, say_missing
from benchmarks.contestants import CONTESTANTS
from benchmarks.generate import generated
from benchmarks.product import time_product
from benchmarks.tables import Figures, as_json, markdown

PARTS = ("gate", "identity", "product")
RUNS_OF_THE_LARGEST = 3


def main() -> None:
    asked = _parser().parse_args()
    figures = Figures()
    try:
        with tempfile.TemporaryDirectory() as directory:
            _fill(figures, asked, Path(directory))
    finally:  # what was found out before something failed is not lost
        _report(figures, asked)


def _fill(figures: Figures, asked: argparse.Namespace, scratch: Path) -> None:
    python = asked.python.absolute()
    wanted = [contestant for contestant in CONTESTANTS if not asked.only or contestant.name in asked.only]
    if "gate" in asked.parts:
        able, figures.not_run = say_missing(wanted, python)
        for seasons in asked.seasons:
            data = generated(seasons, asked.cache)
            runs = min(asked.runs, RUNS_OF_THE_LARGEST) if seasons == 100 else asked.runs
            figures.results += contest(able, seasons, data, scratch / "gate", python, runs, _say)
    if "identity" in asked.parts:
        _say("the Beam job's cells, bit by bit, in every way of running it")
        figures.identical = identity.check(generated(1, asked.cache), scratch / "identity")
    if "product" in asked.parts:
        (scratch / "product").mkdir()
        figures.steps = time_product(asked.cache, scratch / "product", asked.runs, _say)


def _report(figures: Figures, asked: argparse.Namespace) -> None:
    text = markdown(figures)
    print(text)
    for file, content in ((asked.markdown, text), (asked.json, json.dumps(as_json(figures), indent=2))):
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seasons", type=int, nargs="+", default=[1, 10, 100], help="sizes of the gate's input")
    parser.add_argument("--runs", type=int, default=5, help="counted rounds; at 100 seasons no more than 3")
    parser.add_argument("--only", nargs="+", choices=[c.name for c in CONTESTANTS], help="these contestants only")
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), help="keeps the seasons between runs")
    parser.add_argument(
        "--python", type=Path, default=Path(".venv-bench/bin/python"), help="has Polars, pandas and PySpark"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser


def _say(what: str, began: float = time.perf_counter()) -> None:
    print(f"[{time.perf_counter() - began:6.0f} s] {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
