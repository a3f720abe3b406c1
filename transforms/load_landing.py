"""Reads landing files and turns their rows into raw tables' rows, dead letters and counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from apache_beam import pvalue

from fullcourt.domain.landing import ROW, Games, Players, Rows, load
from fullcourt.domain.rows import Stamp, fit
from schemas.landing import CSV_ENCODING
from transforms.files import readable
from transforms.finish_run import Tallied
from transforms.packing import pack, unpack

BATCH_ROWS = 65_536
LOADED, DEAD, COUNTS, PACKED = "loaded", "dead_letters", "counts", "packed"
TORN = "torn"  # the column of a tally that says why its file cannot be read on


@dataclass(frozen=True)
class LandingFile:
    """One file to load: its path, its raw table, its columns, and what the rows need."""

    path: str
    name: str
    table: str
    columns: tuple[str, ...]
    copied: Mapping[str, tuple[str, pa.DataType]]
    required: tuple[str, ...]
    schema: pa.Schema


class Loaded(NamedTuple):
    """rows: tables of the raw table's schema and row numbers.  dead: dead letters.
    counts: Tallied a batch; for a file that cannot be read on, one with its reason under TORN.
    packed: some of the rows' columns, packed, for whoever needs them as a side input."""

    rows: beam.PCollection[pa.Table]
    dead: beam.PCollection[pa.Table]
    counts: beam.PCollection[Tallied]
    packed: beam.PCollection[bytes]


@dataclass
class LoadLanding(beam.PTransform):
    """Loads the landing files of one raw table.

    In:  a pipeline.  games, players: packed schedule and alias rows, each a PCollection used as a side input.
    Out: Loaded; `packs` names the schema of what it packs, None packs nothing.
    """

    files: tuple[LandingFile, ...]
    games: beam.PCollection[bytes]
    players: beam.PCollection[bytes]
    games_schema: pa.Schema
    players_schema: pa.Schema
    dead_schema: pa.Schema
    stamp: Stamp
    packs: pa.Schema | None = None

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, pipeline: beam.Pipeline) -> Loaded:
        tags = (LOADED, DEAD, COUNTS, PACKED)
        loaded = (
            pipeline
            | "Files" >> beam.Create(list(self.files), reshuffle=False)
            | "Load"
            >> beam.ParDo(
                _Load(self),
                beam.pvalue.AsList(self.games),
                beam.pvalue.AsList(self.players),
            ).with_outputs(*tags)
        )
        return Loaded(*(loaded[tag] for tag in tags))


class _Load(beam.DoFn):
    def __init__(self, how: LoadLanding) -> None:
        self._games, self._players = how.games_schema, how.players_schema
        self._dead, self._stamp, self._packs = how.dead_schema, how.stamp, how.packs

    def process(self, file: LandingFile, games: Iterable[bytes], players: Iterable[bytes]) -> Iterator[Any]:
        schedule, registry = Games(unpack(games, self._games)), Players(unpack(players, self._players))
        ragged: list[pacsv.InvalidRow] = []
        next_row = 1
        try:
            for batch in read_batches(file.path, file.columns, ragged):
                numbers = _numbers(next_row, batch.num_rows, ragged)
                next_row = int(numbers[-1]) + 1 if numbers.size else next_row
                rows = Rows(file.name, numbers, batch)
                left, letters, excluded = load(rows, file.table, file.copied, file.required, schedule, registry)
                good = self._finished(left, file)
                yield pvalue.TaggedOutput(LOADED, good)
                if self._packs is not None:
                    for packed in good.select(self._packs.names).to_batches():
                        yield pvalue.TaggedOutput(PACKED, pack(packed))
                yield from self._outcome(file, batch.num_rows, left.num_rows, excluded, letters)
        except UnreadableError as error:
            yield pvalue.TaggedOutput(COUNTS, Tallied(file.name, pa.table({TORN: [str(error)]})))
        if ragged:
            yield from self._outcome(file, len(ragged), 0, 0, _ragged_letters(file.name, ragged))

    def _outcome(
        self, file: LandingFile, read: int, loaded: int, excluded: int, letters: pa.Table | None
    ) -> Iterator[Any]:
        """The dead letters of some rows, and what became of all of them."""
        if letters is not None:
            yield pvalue.TaggedOutput(DEAD, self._finished_letters(letters))
        dead = letters.num_rows if letters is not None else 0
        counts = {"read": read, "loaded": loaded, "excluded": excluded, "dead": dead}
        yield pvalue.TaggedOutput(COUNTS, Tallied(file.name, pa.table({name: [n] for name, n in counts.items()})))

    def _finished(self, left: pa.Table, file: LandingFile) -> pa.Table:
        size = left.num_rows
        columns = {name: left[name] for name in left.column_names if name in file.schema.names or name == ROW}
        columns |= {
            "source_file": pa.repeat(file.name, size),
            "run_id": self._stamp.runs(size),
            "processed_at": self._stamp.times(size),
        }
        return fit(columns, with_row_number(file.schema), size)

    def _finished_letters(self, letters: pa.Table) -> pa.Table:
        size = letters.num_rows
        columns = {name: letters[name] for name in letters.column_names}
        columns |= {"run_id": self._stamp.runs(size), "created_at": self._stamp.times(size)}
        return fit(columns, self._dead, size)


def with_row_number(schema: pa.Schema) -> pa.Schema:
    """Staged raw rows carry the row number, so that the publish can settle repeats."""
    return schema.append(pa.field(ROW, pa.int64()))


class UnreadableError(Exception):
    """The file's bytes end or go wrong somewhere; whatever came before it is no whole file."""


def read_batches(path: str, columns: Iterable[str], ragged: list[pacsv.InvalidRow]) -> Iterator[pa.RecordBatch]:
    """A landing file's batches; every CSV column arrives as text, so that what cannot be read can be quoted.

    CSV rows with too few or too many columns are left out, and appended to `ragged`.
    """
    try:
        yield from _parquet(path, list(columns)) if path.endswith(".parquet") else _csv(path, list(columns), ragged)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        raise UnreadableError(str(error).splitlines()[0]) from error


def _parquet(path: str, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    with readable(path) as bytes_, pq.ParquetFile(bytes_) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=wanted)


def _csv(path: str, wanted: list[str], ragged: list[pacsv.InvalidRow]) -> Iterator[pa.RecordBatch]:
    def leave_out(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    as_text = pacsv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    one_by_one = pacsv.ReadOptions(use_threads=False, encoding=CSV_ENCODING)  # else rows have no numbers
    parsing = pacsv.ParseOptions(invalid_row_handler=leave_out)
    with readable(path) as file:
        text = pa.input_stream(file, compression="gzip" if path.endswith(".gz") else None)
        with pacsv.open_csv(text, one_by_one, parsing, as_text) as reader:
            yield from reader


def _numbers(first: int, count: int, ragged: list[pacsv.InvalidRow]) -> np.ndarray:
    """The row numbers of the next `count` rows, from 1, those of left-out rows passed over."""
    after = np.arange(first, first + count + len(ragged), dtype=np.int64)
    return np.setdiff1d(after, [_row_number(row) for row in ragged], assume_unique=True)[:count]


def _row_number(row: pacsv.InvalidRow) -> int:
    """The reader counts the header as row 1."""
    return row.number - 1


def _ragged_letters(source: str, ragged: list[pacsv.InvalidRow]) -> pa.Table:
    return pa.table(
        {
            "source": pa.repeat(source, len(ragged)),
            "row_number": pa.array([_row_number(row) for row in ragged], pa.int64()),
            "value": pa.array([row.text[:200] for row in ragged]),
            "reason": pa.array(
                [f"expected {row.expected_columns} columns, found {row.actual_columns}" for row in ragged]
            ),
        }
    )
