"""Reads Parquet files of several kinds and deals their rows out to shards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
            for batch in parquet.iter_batches(BATCH_ROWS):
                for key, packed in self._deal(batch, source):
                    yield from (pvalue.TaggedOutput(name, (key, (table, packed))) for name in source.to)

    def _deal(self, batch: pa.RecordBatch, source: Source) -> Iterator[tuple[str, bytes]]:
        parts = self._how.parts
        if source.without_days:
            day = batch.column(source.day_column).cast(pa.int32()).to_numpy(zero_copy_only=False)
            batch = _rows_where(batch, ~np.isin(day, source.without_days))
        season = _season(batch.column(source.season_column))
        for wanted in sorted({*self._how.seasons}.intersection(np.unique(season).tolist())):
            rows = _rows_where(batch, season == wanted)
            if parts == 1 or source.entity_column is None:
                dealt = [pack(rows)] * parts
            else:
                part = part_of(rows.column(source.entity_column), parts)
                dealt = [pack(_rows_where(rows, part == number)) for number in range(parts)]
            yield from ((shard_key(wanted, number), packed) for number, packed in enumerate(dealt))


def _season(column: pa.Array) -> np.ndarray:
    if pa.types.is_date(column.type):
        year = pc.year(column).to_numpy(zero_copy_only=False)
        return year - (pc.month(column).to_numpy(zero_copy_only=False) < 10)
    return column.fill_null(-1).to_numpy()


def _rows_where(batch: pa.RecordBatch, mask: np.ndarray) -> pa.RecordBatch:
    """Rows that lie side by side, as those of a season mostly do, are not copied."""
    rows = np.flatnonzero(mask)
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return batch.slice(rows[0], len(rows))
    return batch.filter(pa.array(mask))
