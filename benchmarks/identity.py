"""The Beam job's cells, bit by bit, over shards a season, batch sizes and runner modes."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.compare import compare
from benchmarks.contestants import CONTESTANTS, TWO_WORKERS
from benchmarks.measure import fresh, measure

CUT_ROWS = 5_000  # rows a file of the input cut up; a batch never spans files
MODES = {
    "in memory": (),
    "two threads": TWO_WORKERS,
    "two processes": ("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
}
PARTS = (1, 3)


def check(data: Path, scratch: Path) -> list[str]:
    """The ways in which the job was run; RuntimeError when one's cells differ from the kernel's in a single bit."""
    kernel, beam = (next(c for c in CONTESTANTS if c.name == name) for name in ("kernel", "beam"))
    reference = fresh(scratch / "kernel")
    measure(kernel.command(data, reference, Path(), 1))
    checked = []
    for way, source, args in _ways(data, cut(data, scratch / "cut")):
        out = fresh(scratch / "beam")
        measure([*beam.command(source, out, Path(), 1), *args])
        compare(out, reference, exact=True)
        checked.append(way)
    return checked


def cut(data: Path, directory: Path) -> Path:
    """The same rows in the same order, in many small files."""
    fresh(directory).mkdir(parents=True)
    for file in data.glob("*.parquet"):
        for number, batch in enumerate(pq.ParquetFile(file).iter_batches(CUT_ROWS)):
            with pq.ParquetWriter(directory / f"{file.stem}-{number:05d}.parquet", batch.schema) as writer:
                writer.write_batch(batch)
    return directory


def _ways(data: Path, pieces: Path) -> Iterator[tuple[str, Path, list[str]]]:
    for mode, args in MODES.items():
        for parts in PARTS:
            for batches, source in (("whole files", data), (f"files of {CUT_ROWS} rows", pieces)):
                yield f"{mode}, {parts} shards a season, {batches}", source, [f"--parts={parts}", *args]
