"""One module a contestant, each a program `python -m benchmarks.contestants.NAME DATA OUT` that writes the same files.

ready*.parquet has a row a player and game day whose windows are all full, with counts and means; held_back*.parquet the
others, with counts.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TWO_WORKERS = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")


@dataclass(frozen=True)
class Contestant:
    """A way to compute the gate.

    package: what it needs beyond the light install, from the benchmarks' own environment; None when nothing.
    largest: the most seasons that it is asked for.  sampled: beyond one season it computes so many dates only.
    """

    name: str
    title: str
    module: str
    args: tuple[str, ...] = ()
    package: str | None = None
    largest: int = 100
    sampled: int | None = None

    def command(self, data: Path, out: Path, python: Path, seasons: int) -> list[str]:
        """python: that of the benchmarks' own environment."""
        interpreter = sys.executable if self.package is None else str(python)
        sample = ["--dates", str(self.sampled)] if self.samples(seasons) else []
        return [interpreter, "-m", f"benchmarks.contestants.{self.module}", str(data), str(out), *self.args, *sample]

    def samples(self, seasons: int) -> bool:
        return self.sampled is not None and seasons > 1

    def missing(self, python: Path) -> str | None:
        """What keeps it from running here."""
        if self.package is None:
            return None
        if not python.exists():
            return f"there is no {python}"
        if subprocess.run([python, "-c", f"import {self.package}"], capture_output=True, check=False).returncode:
            return f"{python} has no {self.package}"
        if self.package == "pyspark" and shutil.which("java") is None:
            return "there is no java on the path"
        return None


CONTESTANTS = (
    Contestant("beam", "Full Court through Beam, 1 worker", "beam"),
    Contestant("beam2", "Full Court through Beam, 2 workers", "beam", TWO_WORKERS),
    Contestant("kernel", "the kernel alone, 1 thread", "kernel"),
    Contestant("kernel2", "the kernel alone, 2 threads", "kernel", ("--threads", "2")),
    Contestant("sql", "DuckDB, set-based SQL", "sql"),
    Contestant("polars", "Polars", "polars", package="polars"),
    Contestant("pandas", "pandas", "pandas", package="pandas"),
    Contestant("spark", "Spark SQL, local", "spark", package="pyspark", largest=10),
    Contestant("per_date", "per date and window, then a loop", "per_date", sampled=20),
)
