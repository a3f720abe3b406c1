"""Joins what entities must have with what is there, and splits them by verdict."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam import pvalue
from apache_beam.metrics import Metrics

from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.features import shard_tables
from fullcourt.domain.features.synthetic_context import stand_in
from fullcourt.domain.gate import Verdict, judge
from fullcourt.domain.observation import Once, Part, observe
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Judged, Stamp, judged_table, tally
from transforms.finish_run import Tallied
from transforms.packing import Packed, WithRows, encoded, joined, pack, unpack_tables
from transforms.read_shards import season_and_part, shard_key

TALLY, FLOW = "tally", "flow"
WRITTEN = (Verdict.READY, Verdict.FLAGGED, Verdict.INCOMPLETE, Verdict.BLOCKED)  # rows of the output table


@dataclass(frozen=True)
class Flow:
    """Rows written that go on to a later step: their columns by processor, and how many parts that step works in."""

    columns: Mapping[str, tuple[str, ...]]
    parts: int


class Leaving(NamedTuple):
    """Rows of a shard that leave together: of which processor, by which verdict's label, a rows.judged_table.

    They say whose they are, so that those of several processors and ways out can go through one step.
    """

    processor: str
    verdict: str
    rows: pa.Table


beam.coders.registry.register_coder(Leaving, WithRows)


class Verdicts(NamedTuple):
    """Six ways out; tallies; and what flows on to later steps of the job, packed."""

    ready: beam.PCollection[Leaving]
    flagged: beam.PCollection[Leaving]
    incomplete: beam.PCollection[Leaving]
    blocked: beam.PCollection[Leaving]
    excluded: beam.PCollection[Leaving]
    dead_letter: beam.PCollection[Leaving]
    tally: beam.PCollection[Tallied]
    flow: beam.PCollection[tuple[str, Packed]]


@dataclass
class JudgeEntities(beam.PTransform):
    """Judges every entity of every shard on the given days, by one processor after the other.

    A processor reads the rows that those before it have made of the same shard; only rows for other steps are packed.

    In:  {name: (shard key, Packed)}, what must be there (the schedule) apart from what is: the tables the processors
         read, and breaker_state where the breaker is consulted.  Any order, batches of any size.
    Out: Verdicts; each (processor, entity, day) exactly once.
    One season's rows of one part must fit in memory.  Counts gate/<processor>.<verdict> and .unexpected_rows.

    processors: in DAG order, all dealt alike.  days: days since 1970-01-01.
    schemas: the Arrow schema of each table as it is read, for shards that lack its rows.
    outputs: of the processors' tables.  parts: as the shards were dealt.
    dictionaries: the columns that are encoded so in what is read, and in what processors read of each other.
    make_rows: one verdict's rows of a shard as a table.
    synthetic_days: days whose context, as far as a processor reads it, is made from the box scores of the day.
    """

    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    schemas: Mapping[str, pa.Schema]
    outputs: Mapping[str, pa.Schema]
    stamp: Stamp
    parts: int = 1
    make_rows: Callable[[Judged, pa.Schema], pa.Table] = judged_table
    dictionaries: tuple[str, ...] = ()
    flow: Flow = field(default_factory=lambda: Flow({}, 1))
    synthetic_days: tuple[int, ...] = ()

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, Packed]]]) -> Verdicts:
        ways_out = [verdict.label for verdict in Verdict]
        tags = [*ways_out, TALLY, FLOW]
        judged = inputs | "JoinByShard" >> beam.CoGroupByKey() | "Judge" >> beam.ParDo(_Judge(self)).with_outputs(*tags)
        for way_out in ways_out:
            judged[way_out].element_type = Leaving
        return Verdicts(*(judged[tag] for tag in tags))


class _Judge(beam.DoFn):
    def __init__(self, how: JudgeEntities) -> None:
        self._how = how

    def process(self, shard: tuple[str, dict[str, Iterable[Packed]]]) -> Iterator[Any]:
        key, groups = shard
        season, part = season_and_part(key)
        if part >= self._how.parts:  # a part that only other steps have
            return
        tables = unpack_tables(groups.values(), self._how.schemas)
        shared = Once()
        for processor in self._how.processors:
            written = []
            for verdict, rows, counts in self._judge(tables, processor, season, part, shared):
                yield pvalue.TaggedOutput(verdict.label, Leaving(processor.name, verdict.label, rows))
                yield pvalue.TaggedOutput(TALLY, Tallied(processor.name, counts))
                if verdict in WRITTEN:
                    written.append(rows)
            tables |= self._read_by_later(processor.name, written)
            yield from self._flow(processor.name, written, season, part)

    def _judge(
        self, tables: Mapping[str, pa.Table], processor: Processor, season: int, part: int, shared: Once
    ) -> Iterator[tuple[Verdict, pa.Table, pa.Table]]:
        """The rows of each verdict that anybody has, and their tally."""
        how = self._how
        observed = observe(shard_tables(processor, tables), processor, season, Part(part, how.parts), shared)
        seen = stand_in(observed, how.synthetic_days)
        facts = _own(tables[BREAKER_STATE], processor) if how.stamp.recording else None
        days = np.array(how.days, dtype=np.int32)
        judged = Judged(seen, judge(seen, processor, days, facts, how.stamp.now), processor, how.stamp)
        _count(processor, "unexpected_rows", seen.unexpected_rows)
        for verdict, chosen in judged.by_verdict():
            _count(processor, verdict.label, chosen.size)
            yield verdict, how.make_rows(chosen, how.outputs[processor.name]), tally(chosen)

    def _read_by_later(self, name: str, written: list[pa.Table]) -> dict[str, pa.Table]:
        """The rows as they would be if they had been read; none where no later processor of the step reads them."""
        if name not in self._how.schemas:
            return {}
        schema = self._how.schemas[name]
        return {name: joined([encoded(rows, schema.names, self._how.dictionaries) for rows in written], schema)}

    def _flow(self, name: str, written: list[pa.Table], season: int, part: int) -> Iterator[Any]:
        """A part's rows go to the same part; those of a whole season go to every part."""
        how = self._how
        if name not in how.flow.columns:
            return
        receivers = [part] if how.parts == how.flow.parts else range(how.flow.parts)
        for rows in written:
            for batch in encoded(rows, how.flow.columns[name], how.dictionaries).to_batches():
                packed = name, pack(batch)
                yield from (pvalue.TaggedOutput(FLOW, (shard_key(season, receiver), packed)) for receiver in receivers)


def _own(rows: pa.Table, processor: Processor) -> pa.Table:
    return rows.filter(pc.equal(rows["processor_name"], processor.name))


def _count(processor: Processor, what: str, amount: int) -> None:
    Metrics.counter("gate", f"{processor.name}.{what}").inc(amount)
