"""The gate as the product runs it: read Parquet, CoGroupByKey, judge, split by verdict, write Parquet."""

import logging
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, season_of_day
from fullcourt.domain.features import FEATURES, Feature
from fullcourt.domain.gate import Judgement, Verdict
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS, Observation
from fullcourt.domain.processors import Entity, Phase, Processor, Upstream
from fullcourt.domain.rows import Judged, Stamp
from pipelines.runner import make_pipeline
from transforms.judge_entities import BOX, INACTIVES, SCHEDULE, UPSTREAM, JudgeEntities, Leaving
from transforms.read_shards import ReadShards, Source
from transforms.stage_rows import StageRows

PROCESSOR = Processor(
    "benchmark",
    Phase.PRECOMPUTE,
    Entity.PLAYER,
    "analysis_date",
    upstream=Upstream("player_game_summary", "player_lookup", "player_game"),
    windows=WINDOWS,
    primary=WINDOWS[1],
    threshold_per_mille=THRESHOLD_PER_MILLE,
)
UPSTREAM_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year", "processed_at", *STATISTICS)
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
COUNT_SCHEMA = pa.schema(
    [(KEY[0], _DICTIONARY), (KEY[1], pa.int64()), (KEY[2], pa.date32()), *((name, pa.int32()) for name in COUNTS)]
)
MEAN_SCHEMA = pa.schema([*COUNT_SCHEMA, *((name, pa.float64()) for name in MEANS)])


def no_features(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """The means are made with the rows, as the other contestant makes them."""
    return {}


FEATURES[PROCESSOR.name] = Feature(reads=UPSTREAM_COLUMNS, compute=no_features)


def rows_of(judged: Judged, schema: pa.Schema) -> pa.Table:
    """Keys and counts; means too where the verdict lets the row be computed."""
    seen, rows = judged.seen, judged.rows
    season = np.full(judged.size, seen.calendar.season, dtype=np.int64)
    columns: list[pa.Array] = [
        pa.DictionaryArray.from_arrays(pa.array(rows.entity), seen.entities),
        pa.array(season),
        pa.array(rows.day).cast(pa.date32()),
    ]
    for counts in rows.windows.values():
        columns += [pa.array(counts.expected), pa.array(counts.excused), pa.array(counts.actual)]
    if rows.verdict[0] != Verdict.READY:
        return pa.Table.from_arrays(columns, schema=COUNT_SCHEMA)
    totals = {name: seen.sample.total(seen.sample.values(name)[0]).ravel() for name in STATISTICS}
    base = rows.entity.astype(np.int64) * (seen.grid.required.shape[1] + 1)
    for counts in rows.windows.values():
        played = counts.actual.astype(np.float64)
        for total in totals.values():
            with np.errstate(invalid="ignore"):
                mean = (total[base + rows.slot] - total[base + counts.first]) / played
            columns.append(pa.array(mean, from_pandas=True) if (counts.actual == 0).any() else pa.array(mean))
    return pa.Table.from_arrays(columns, schema=MEAN_SCHEMA)


def run(data: Path, out: Path, parts: int = 1) -> None:
    out.mkdir(parents=True, exist_ok=True)
    days = np.unique(pq.read_table(data / "schedule.parquet", columns=["game_date"])["game_date"].cast(pa.int32()))
    seasons = tuple(sorted({season_of_day(int(day)) for day in days}))
    keys = ("game_id", "team_abbr", "player_lookup")
    wanted: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
        SCHEDULE: ("schedule", SCHEDULE_COLUMNS, {}),
        UPSTREAM: ("pgs", UPSTREAM_COLUMNS, {"entity_column": "player_lookup", "dictionaries": keys}),
        BOX: ("box", BOX_COLUMNS, {"dictionaries": keys}),
    }
    logging.getLogger().setLevel(logging.ERROR)
    schemas = {INACTIVES: pa.schema([(name, pa.string()) for name in INACTIVE_COLUMNS])}
    sources = {INACTIVES: Source(())}
    for tag, (name, columns, how) in wanted.items():
        file = data / f"{name}.parquet"
        schemas[tag] = pa.schema([pq.read_schema(file).field(column) for column in columns])
        sources[tag] = Source((str(file),), **how)
    judge = JudgeEntities(
        PROCESSOR,
        tuple(int(day) for day in days),
        schemas,
        MEAN_SCHEMA,
        Stamp("benchmark", 0, recording=False),
        parts,
        rows_of,
    )
    with make_pipeline([]) as pipeline:
        verdicts = pipeline | "Read" >> ReadShards(sources, seasons, parts) | "Judge" >> judge
        for verdict, name, schema in (
            ("ready", "ready", MEAN_SCHEMA),
            ("flagged", "held_back", COUNT_SCHEMA),
            ("incomplete", "held_back", COUNT_SCHEMA),
        ):
            named = getattr(verdicts, verdict) | f"Name {verdict}" >> beam.Map(_named, name)
            _ = named | f"Write {verdict}" >> StageRows({name: schema}, str(out))


def _named(leaving: Leaving, name: str) -> tuple[str, pa.Table]:
    return name, leaving.rows


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
