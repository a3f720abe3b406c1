"""Reads Parquet files and deals their rows out to shards."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.packing import pack

BATCH_ROWS = 65_536


def shard_key(season: int, part: int) -> str:
    """Strings make deterministic keys; NumPy integers and dates do not."""
    return f"{season}/{part}"


def season_and_part(key: str) -> tuple[int, int]:
    season, part = key.split("/")
    return int(season), int(part)


@dataclass
class ReadShards(beam.PTransform):
    """Reads one table's files into packed batches per shard.

    In:  a pipeline.
    Out: (shard key, packed Arrow batch); a shard gets one batch per season and batch of a file.

    files: Parquet paths.  seasons: the seasons wanted; rows of others are dropped.
    season_column: an INT64 season_year, or a DATE column whose season is derived.
    entity_column: deals rows out to `parts` by the entity's hash; None sends every row to every part.
    dictionaries: string columns to keep dictionary-encoded.
    """

    files: tuple[str, ...]
    seasons: tuple[int, ...]
    season_column: str
    parts: int = 1
    entity_column: str | None = None
    dictionaries: tuple[str, ...] = ()

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[str, bytes]]:
        return (
            pipeline
            | "Files" >> beam.Create(list(self.files), reshuffle=False)
            | "ReadAndDeal" >> beam.ParDo(_ReadAndDeal(self))
        )


@beam.typehints.with_output_types(tuple[str, bytes])
class _ReadAndDeal(beam.DoFn):
    def __init__(self, how: ReadShards) -> None:
        self._how = how

    def process(self, path: str) -> Iterator[tuple[str, bytes]]:
        with pq.ParquetFile(path, read_dictionary=list(self._how.dictionaries)) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                yield from self._deal(batch)

    def _deal(self, batch: pa.RecordBatch) -> Iterator[tuple[str, bytes]]:
        how = self._how
        season = _season(batch.column(how.season_column))
        for wanted in how.seasons:
            rows = _rows_where(batch, season == wanted)
            if how.parts == 1 or how.entity_column is None:
                packed = pack(rows) if rows.num_rows else b""
                dealt = [packed] * how.parts
            else:
                part = part_of(rows.column(how.entity_column), how.parts)
                dealt = [pack(_rows_where(rows, part == number)) for number in range(how.parts)]
            yield from ((shard_key(wanted, number), packed) for number, packed in enumerate(dealt) if packed)


def part_of(entities: pa.Array, parts: int) -> np.ndarray:
    """Each entity's part, by a hash that is the same on every machine; null goes to part 0."""
    if not pa.types.is_dictionary(entities.type):
        entities = entities.dictionary_encode()
    of_value = [zlib.crc32(name.encode()) % parts for name in entities.dictionary.to_pylist()]
    return np.array([*of_value, 0], np.int64)[entities.indices.fill_null(len(of_value)).to_numpy()]


def _season(column: pa.Array) -> np.ndarray:
    if pa.types.is_date(column.type):
        year = pc.year(column).to_numpy(zero_copy_only=False)
        return year - (pc.month(column).to_numpy(zero_copy_only=False) < 10)
    return column.fill_null(-1).to_numpy()


def _rows_where(batch: pa.RecordBatch, mask: np.ndarray) -> pa.RecordBatch:
    return batch if mask.all() else batch.filter(pa.array(mask))
