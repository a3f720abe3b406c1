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
from fullcourt.domain.summaries import SUMMARIES, GameDay, RawTables, day_tally
from transforms.finish_run import Tallied
from transforms.packing import pack_columns, unpack
from transforms.read_shards import season_and_part

SCHEDULE, TEAM_BOX, BOX, SHOTS, PROPS = "schedule", "team_box", "box", "shots", "props"
ROWS, TALLY = "rows", "tally"


class Summarised(NamedTuple):
    """rows: (summary name, Arrow table with the output's schema).  tally: of these.  flows: by name, packed."""

    rows: beam.PCollection[tuple[str, pa.Table]]
    tally: beam.PCollection[Tallied]
    flows: dict[str, beam.PCollection[tuple[str, bytes]]]


@dataclass
class SummariseGames(beam.PTransform):
    """Summarises the final games of the given days.

    In:  {tag: (shard key, packed batch)} for schedule, team_box, box, shots and props; one part a season.
    Out: Summarised; the flows are those columns that later processors of the job read: (shard key, packed batch).

    days: days since 1970-01-01.  schemas: of the inputs, by tag.  outputs: of the summaries wanted, by name.
    flows: the columns that flow on, by name.  dictionaries: which of them are encoded so.
    """

    days: tuple[int, ...]
    schemas: Mapping[str, pa.Schema]
    outputs: Mapping[str, pa.Schema]
    stamp: Stamp
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dictionaries: tuple[str, ...] = ()

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, bytes]]]) -> Summarised:
        tags = [ROWS, TALLY, *(_flow(name) for name in self.flows)]
        summarised = (
            inputs
            | "JoinBySeason" >> beam.CoGroupByKey()
            | "Summarise" >> beam.ParDo(_Summarise(self)).with_outputs(*tags)
        )
        return Summarised(summarised[ROWS], summarised[TALLY], {name: summarised[_flow(name)] for name in self.flows})


def _flow(name: str) -> str:
    """The tag of a summary's rows on their way to later processors."""
    return f"{name}.flow"


class _Summarise(beam.DoFn):
    def __init__(self, how: SummariseGames) -> None:
        self._how = how

    def process(self, shard: tuple[str, dict[str, Iterable[bytes]]]) -> Iterator[Any]:
        key, groups = shard
        season, _ = season_and_part(key)
        how = self._how
        tables = {tag: unpack(groups[tag], schema) for tag, schema in how.schemas.items()}
        raw = RawTables(*(tables[tag] for tag in (SCHEDULE, TEAM_BOX, BOX, SHOTS, PROPS)))
        games = GameDay(raw, season, np.array(how.days, dtype=np.int32))
        for name, schema in how.outputs.items():
            rows = getattr(games, SUMMARIES[name])(schema, how.stamp)
            Metrics.counter("analytics", f"{name}.rows").inc(rows.num_rows)
            if rows.num_rows:
                yield pvalue.TaggedOutput(ROWS, (name, rows))
                yield pvalue.TaggedOutput(TALLY, Tallied(name, day_tally(rows)))
            if rows.num_rows and name in how.flows:
                for packed in pack_columns(rows, how.flows[name], how.dictionaries):
                    yield pvalue.TaggedOutput(_flow(name), (key, packed))
