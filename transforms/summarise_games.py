"""Turns a season's raw box scores and shots into the game summaries of the days asked for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam import pvalue
from apache_beam.metrics import Metrics

from fullcourt.domain.rows import Stamp
from fullcourt.domain.summaries import RAW, SUMMARIES, GameDay, RawTables, day_tally
from transforms.finish_run import Tallied
from transforms.packing import Packed, encoded, pack, unpack_tables
from transforms.read_shards import season_and_part
from transforms.stage_rows import Named

ROWS, TALLY, FLOW = "rows", "tally", "flow"


class Summarised(NamedTuple):
    """rows: by the summary's name, with the output's schema.  tally, flow: of these."""

    rows: beam.PCollection[Named]
    tally: beam.PCollection[Tallied]
    flow: beam.PCollection[tuple[str, Packed]]


@dataclass
class SummariseGames(beam.PTransform):
    """Summarises the final games of the given days.

    In:  {name: (shard key, Packed)}, the schedule apart from the tables of RAW; one part a season.
    Out: Summarised; what flows on are those columns that later processors of the job read.

    days: days since 1970-01-01.  schemas: of the inputs, by table.  outputs: of the summaries wanted, by name.
    flows: the columns that flow on, by name.  dictionaries: which of them are encoded so.
    """

    days: tuple[int, ...]
    schemas: Mapping[str, pa.Schema]
    outputs: Mapping[str, pa.Schema]
    stamp: Stamp
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dictionaries: tuple[str, ...] = ()

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, Packed]]]) -> Summarised:
        tags = (ROWS, TALLY, FLOW)
        summarised = (
            inputs
            | "JoinBySeason" >> beam.CoGroupByKey()
            | "Summarise" >> beam.ParDo(_Summarise(self)).with_outputs(*tags)
        )
        summarised[ROWS].element_type = Named
        return Summarised(*(summarised[tag] for tag in tags))


class _Summarise(beam.DoFn):
    def __init__(self, how: SummariseGames) -> None:
        self._how = how

    def process(self, shard: tuple[str, dict[str, Iterable[Packed]]]) -> Iterator[Any]:
        key, groups = shard
        season, _ = season_and_part(key)
        how = self._how
        tables = unpack_tables(groups.values(), how.schemas)
        games = GameDay(RawTables(*(tables[table] for table in RAW)), season, np.array(how.days, dtype=np.int32))
        for name, schema in how.outputs.items():
            rows = getattr(games, SUMMARIES[name])(schema, how.stamp)
            Metrics.counter("analytics", f"{name}.rows").inc(rows.num_rows)
            if rows.num_rows:
                yield pvalue.TaggedOutput(ROWS, Named(name, rows))
                yield pvalue.TaggedOutput(TALLY, Tallied(name, day_tally(rows)))
            if rows.num_rows and name in how.flows:
                for batch in encoded(rows, how.flows[name], how.dictionaries).to_batches():
                    yield pvalue.TaggedOutput(FLOW, (key, (name, pack(batch))))
