"""Joins what a processor's entities must have with what is there, and splits them by verdict."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam import pvalue
from apache_beam.metrics import Metrics

from fullcourt.domain.features.synthetic_context import stand_in
from fullcourt.domain.gate import Verdict, judge
from fullcourt.domain.observation import Part, ShardTables, observe
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Judged, Stamp, judged_table, tally
from transforms.finish_run import Tallied
from transforms.packing import pack_columns, unpack
from transforms.read_shards import season_and_part, shard_key

SCHEDULE, UPSTREAM, BOX, INACTIVES, BREAKER = "schedule", "upstream", "box", "inactives", "breaker"
ROLES = (SCHEDULE, UPSTREAM, BOX, INACTIVES, BREAKER)
TALLY, FLOW = "tally", "flow"
WRITTEN = (Verdict.READY, Verdict.FLAGGED, Verdict.INCOMPLETE, Verdict.BLOCKED)  # rows of the output table


@dataclass(frozen=True)
class Flow:
    """Which columns of the rows written go on to later processors of the job, and how many parts those work in."""

    columns: tuple[str, ...]
    dictionaries: tuple[str, ...]
    parts: int


class Leaving(NamedTuple):
    """Rows of a shard that leave together: of which processor, by which verdict's label, a rows.judged_table.

    They say whose they are, so that those of several processors and ways out can go through one step.
    """

    processor: str
    verdict: str
    rows: pa.Table


class Verdicts(NamedTuple):
    """Six ways out; tallies; and what flows on to later processors of the job, packed."""

    ready: beam.PCollection[Leaving]
    flagged: beam.PCollection[Leaving]
    incomplete: beam.PCollection[Leaving]
    blocked: beam.PCollection[Leaving]
    excluded: beam.PCollection[Leaving]
    dead_letter: beam.PCollection[Leaving]
    tally: beam.PCollection[Tallied]
    flow: beam.PCollection[tuple[str, bytes]]


@dataclass
class JudgeEntities(beam.PTransform):
    """Judges every entity of every shard on the given days.

    In:  {tag: (shard key, packed batch)} for schedule and upstream; for players box and inactives; where the
         breaker is consulted its state (breaker.STATE); and whatever else the figures come from, by table.
         Any order, batches of any size.
    Out: Verdicts; each (entity, day) exactly once.
    One season's rows of one part must fit in memory.  Counts gate/<processor>.<verdict> and .unexpected_rows.

    days: days since 1970-01-01.  schemas: the Arrow schema of each tag, for shards that lack its rows.
    output: the Arrow schema of the processor's table.  parts: as the shards were dealt.
    make_rows: one verdict's rows of a shard as a table.  flow: what later processors of the job read of them.
    synthetic_days: days whose context, as far as the processor reads it, is made from the box scores of the day.
    """

    processor: Processor
    days: tuple[int, ...]
    schemas: Mapping[str, pa.Schema]
    output: pa.Schema
    stamp: Stamp
    parts: int = 1
    make_rows: Callable[[Judged, pa.Schema], pa.Table] = judged_table
    flow: Flow | None = None
    synthetic_days: tuple[int, ...] = ()

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, bytes]]]) -> Verdicts:
        tags = [*(verdict.label for verdict in Verdict), TALLY, FLOW]
        judged = inputs | "JoinByShard" >> beam.CoGroupByKey() | "Judge" >> beam.ParDo(_Judge(self)).with_outputs(*tags)
        return Verdicts(*(judged[tag] for tag in tags))


class _Judge(beam.DoFn):
    def __init__(self, how: JudgeEntities) -> None:
        self._how = how

    def process(self, shard: tuple[str, dict[str, Iterable[bytes]]]) -> Iterator[Any]:
        key, groups = shard
        season, part = season_and_part(key)
        if part < self._how.parts:  # the others are parts that only other processors have
            yield from self._judge(season, part, groups)

    def _judge(self, season: int, part: int, groups: dict[str, Iterable[bytes]]) -> Iterator[Any]:
        how = self._how
        tables = {tag: unpack(groups[tag], schema) for tag, schema in how.schemas.items()}
        more = {tag: table for tag, table in tables.items() if tag not in ROLES}
        known = ShardTables(tables[SCHEDULE], tables[UPSTREAM], tables.get(BOX), tables.get(INACTIVES), more)
        seen = stand_in(observe(known, how.processor, season, Part(part, how.parts)), how.synthetic_days)
        facts = self._own(tables[BREAKER]) if how.stamp.recording else None
        days = np.array(how.days, dtype=np.int32)
        judged = Judged(seen, judge(seen, how.processor, days, facts, how.stamp.now), how.processor, how.stamp)
        self._count("unexpected_rows", seen.unexpected_rows)
        for verdict in Verdict:
            chosen = judged.where(judged.rows.verdict == verdict)
            self._count(verdict.label, chosen.size)
            if not chosen.size:
                continue
            rows = how.make_rows(chosen, how.output)
            yield pvalue.TaggedOutput(verdict.label, Leaving(how.processor.name, verdict.label, rows))
            yield pvalue.TaggedOutput(TALLY, Tallied(how.processor.name, tally(chosen)))
            if how.flow and verdict in WRITTEN:
                yield from self._flow(rows, how.flow, season, part)

    def _own(self, rows: pa.Table) -> pa.Table:
        """Of the processor."""
        return rows.filter(pc.equal(rows["processor_name"], self._how.processor.name))

    def _flow(self, rows: pa.Table, flow: Flow, season: int, part: int) -> Iterator[Any]:
        """A part's rows go to the same part; those of a whole season go to every part."""
        receivers = [part] if self._how.parts == flow.parts else range(flow.parts)
        for packed in pack_columns(rows, flow.columns, flow.dictionaries):
            yield from (pvalue.TaggedOutput(FLOW, (shard_key(season, receiver), packed)) for receiver in receivers)

    def _count(self, what: str, amount: int) -> None:
        Metrics.counter("gate", f"{self._how.processor.name}.{what}").inc(amount)
