"""Full Court through Beam, as the product runs it: read Parquet, CoGroupByKey, judge, split by verdict, write Parquet.

python -m benchmarks.contestants.beam DATA OUT [--parts N] [Beam's own options]
"""

import argparse
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contestants.figures import (
    DICTIONARIES,
    MEAN_SCHEMA,
    PROCESSOR,
    SCHEMAS,
    UPSTREAM_COLUMNS,
    WRITTEN,
    rows_of,
)
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, season_of_day
from fullcourt.domain.features import BOX, INACTIVES, SCHEDULE
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS
from fullcourt.domain.rows import Stamp
from pipelines.runner import make_pipeline
from transforms.judge_entities import JudgeEntities, Leaving
from transforms.read_shards import ReadShards, Source
from transforms.stage_rows import Named, StageRows

# Table -> the files it is read from, their columns, how they are dealt out.
READ: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    SCHEDULE: ("schedule", SCHEDULE_COLUMNS, {"to": ("required",)}),
    PROCESSOR.upstream.table: (
        "pgs",
        UPSTREAM_COLUMNS,
        {"to": ("present",), "entity_column": "player_lookup", "dictionaries": DICTIONARIES},
    ),
    BOX: ("box", BOX_COLUMNS, {"to": ("present",), "dictionaries": DICTIONARIES}),
}


def run(data: Path, out: Path, parts: int = 1, beam_args: Sequence[str] = ()) -> None:
    """data: each table is one file, or several."""
    out.mkdir(parents=True, exist_ok=True)
    logging.getLogger().setLevel(logging.ERROR)
    days = np.unique(np.concatenate([_days(file) for file in data.glob("schedule*.parquet")]))
    seasons = tuple(sorted({season_of_day(int(day)) for day in days}))
    schemas = {INACTIVES: pa.schema([(name, pa.string()) for name in INACTIVE_COLUMNS])}
    sources = {}
    for table, (name, columns, how) in READ.items():
        files = sorted(map(str, data.glob(f"{name}*.parquet")))
        schemas[table] = pa.schema([pq.read_schema(files[0]).field(column) for column in columns])
        sources[table] = Source(tuple(files), **how)
    stamp = Stamp("benchmark", 0, recording=False)
    judge = JudgeEntities(
        (PROCESSOR,),
        tuple(int(day) for day in days),
        schemas,
        {PROCESSOR.name: MEAN_SCHEMA},
        stamp,
        parts,
        rows_of,
    )
    with make_pipeline(beam_args) as pipeline:
        verdicts = pipeline | "Read" >> ReadShards(sources, seasons, parts) | "Judge" >> judge
        for verdict, name in WRITTEN.items():
            stage = StageRows({name: SCHEMAS[name]}, str(out), partial(_named, name=name))
            _ = getattr(verdicts, verdict.label) | f"Write {verdict.label}" >> stage


def _days(file: Path) -> np.ndarray:
    return pq.read_table(file, columns=["game_date"])["game_date"].cast(pa.int32()).to_numpy()


def _named(leaving: Leaving, name: str) -> list[Named]:
    return [Named(name, leaving.rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parts", type=int, default=1, help="shards a season")
    asked, beam_args = parser.parse_known_args()
    run(asked.data, asked.out, asked.parts, beam_args)


if __name__ == "__main__":
    main()
