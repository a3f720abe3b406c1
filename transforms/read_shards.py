"""Reads Parquet files of several kinds and deals their rows out to shards."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam import pvalue

from fullcourt.domain.observation import part_of
from transforms.files import readable
from transforms.packing import Packed, pack

BATCH_ROWS = 65_536
Dealt = list[tuple[str, bytes]]  # (shard key, packed rows)
_AHEAD = 2


def shard_key(season: int, part: int) -> str:
    """Strings make deterministic keys; NumPy integers and dates do not."""
    return f"{season}/{part}"


def season_and_part(key: str) -> tuple[int, int]:
    season, part = key.split("/")
    return int(season), int(part)


@dataclass(frozen=True)
class Source:
    """Parquet files of one table, and how to deal their rows out.

    to: the outputs that get them; a step that joins has one for what must be there, and one for all that is.
    season_column: an INT64 season_year, or a DATE column whose season is derived.
    entity_column: deals rows out to the parts by the entity's hash; None sends every row to every part.
    dictionaries: string columns to keep dictionary-encoded.
    without_days: days (since 1970) of day_column to leave out, whose rows the job makes anew.
    """

    files: tuple[str, ...]
    to: tuple[str, ...]
    season_column: str = "season_year"
    entity_column: str | None = None
    dictionaries: tuple[str, ...] = ()
    day_column: str = ""
    without_days: tuple[int, ...] = ()


@dataclass
class ReadShards(beam.PTransform):
    """Reads several tables into packed batches per shard, in one step.

    In:  a pipeline.
    Out: {name: (shard key, Packed)} of the outputs that sources name; a shard gets one batch per batch of a file.

    sources: by table.  seasons: the seasons wanted; rows of others are dropped.  parts: shards a season.
    """

    sources: Mapping[str, Source]
    seasons: tuple[int, ...]
    parts: int = 1

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, pipeline: beam.Pipeline) -> dict[str, beam.PCollection[tuple[str, Packed]]]:
        files = [(table, path) for table, source in self.sources.items() for path in source.files]
        outputs = dict.fromkeys(name for source in self.sources.values() for name in source.to)
        dealt = (
            pipeline
            | "Files" >> beam.Create(files, reshuffle=False)
            | "ReadAndDeal" >> beam.ParDo(_ReadAndDeal(self)).with_outputs(*outputs)
        )
        return {name: dealt[name] for name in outputs}


class _ReadAndDeal(beam.DoFn):
    def __init__(self, how: ReadShards) -> None:
        self._how = how

    def process(self, named: tuple[str, str]) -> Iterator[Any]:
        table, path = named
        source = self._how.sources[table]
        with readable(path) as file, pq.ParquetFile(file, read_dictionary=list(source.dictionaries)) as parquet:
            for dealt in _ahead(partial(self._deal, source), parquet.iter_batches(BATCH_ROWS)):
                for key, packed in dealt:
                    yield from (pvalue.TaggedOutput(name, (key, (table, packed))) for name in source.to)

    def _deal(self, source: Source, batch: pa.RecordBatch) -> Dealt:
        parts = self._how.parts
        if source.without_days:
            day = batch.column(source.day_column).cast(pa.int32()).to_numpy(zero_copy_only=False)
            batch = _rows_where(batch, ~np.isin(day, source.without_days))
        found: Dealt = []
        season = _season(batch.column(source.season_column))
        for wanted in sorted({*self._how.seasons}.intersection(pc.unique(season).to_pylist())):
            rows = _rows_where(batch, season.to_numpy() == wanted)
            if parts == 1 or source.entity_column is None:
                dealt = [pack(rows)] * parts
            else:
                part = part_of(rows.column(source.entity_column), parts)
                dealt = [pack(_rows_where(rows, part == number)) for number in range(parts)]
            found += [(shard_key(wanted, number), packed) for number, packed in enumerate(dealt)]
        return found


def _ahead(deal: Callable[[pa.RecordBatch], Dealt], batches: Iterable[pa.RecordBatch]) -> Iterator[Dealt]:
    """What becomes of each batch, in order; while one is read, those before it are dealt by other threads.

    A service gives a file to one worker, whose other core would wait. Few at a time: they are in memory.
    """
    with ThreadPoolExecutor(_AHEAD) as pool:
        waiting: deque[Future[Dealt]] = deque()
        for batch in batches:
            waiting.append(pool.submit(deal, batch))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _season(column: pa.Array) -> pa.Array:
    """As INT64; -1 where there is none."""
    if pa.types.is_date(column.type):
        early = pc.less(pc.month(column), 10).cast(pa.int64())
        column = pc.subtract(pc.year(column), early)
    return column.fill_null(-1)


def _rows_where(batch: pa.RecordBatch, mask: np.ndarray) -> pa.RecordBatch:
    """Rows that lie side by side, as those of a season mostly do, are not copied."""
    rows = np.flatnonzero(mask)
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return batch.slice(rows[0], len(rows))
    return batch.filter(pa.array(mask))
