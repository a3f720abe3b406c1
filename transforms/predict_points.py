"""Predicts every dispatched player's points with every system, and records who was held back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam import pvalue
from apache_beam.metrics import Metrics

from fullcourt.domain.predictions import records
from fullcourt.domain.predictions.assembly import assemble, current_version, summary
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.predictions.model import PointsModel
from fullcourt.domain.predictions.systems import predict_all
from fullcourt.domain.rows import Stamp
from transforms.packing import unpack

PREDICTED, HELD, TALLY, SUMMARY = "predicted", "held", "tally", "summary"


class Predictions(NamedTuple):
    """predicted, held: rows of the two tables.  tally, and the coordinator's summary: a table a shard."""

    predicted: beam.PCollection[pa.Table]
    held: beam.PCollection[pa.Table]
    tally: beam.PCollection[pa.Table]
    summary: beam.PCollection[pa.Table]


@dataclass
class PredictPoints(beam.PTransform):
    """Coordinator, systems and ensemble for the given days.

    In:  {table: (shard key, packed batch)} of assembly.TABLES.
    Out: Predictions; each player of the days' contexts is predicted or held back.

    days: days since 1970-01-01.  schemas: of the inputs, by table.  output, failures: of the tables written.
    systems: which are written.  model_file: the trained model of xgboost_v1, or None for its stand-in.
    """

    days: tuple[int, ...]
    schemas: Mapping[str, pa.Schema]
    output: pa.Schema
    failures: pa.Schema
    stamp: Stamp
    rules: Rules
    systems: tuple[str, ...]
    model_file: str | None = None

    @beam.typehints.no_annotations  # several outputs: Beam takes hints for one
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, bytes]]]) -> Predictions:
        tags = (PREDICTED, HELD, TALLY, SUMMARY)
        made = (
            inputs | "JoinByShard" >> beam.CoGroupByKey() | "Predict" >> beam.ParDo(_Predict(self)).with_outputs(*tags)
        )
        return Predictions(*(made[tag] for tag in tags))


class _Predict(beam.DoFn):
    def __init__(self, how: PredictPoints) -> None:
        self._how = how
        self._model: PointsModel | None = None

    def setup(self) -> None:
        if self._how.model_file:
            self._model = PointsModel.from_text(Path(self._how.model_file).read_text())

    def process(self, shard: tuple[str, dict[str, Iterable[bytes]]]) -> Iterator[Any]:
        how = self._how
        tables = {name: unpack(shard[1][name], schema) for name, schema in how.schemas.items()}
        assembled = assemble(tables, current_version(), how.rules)
        made = predict_all(assembled.slate, self._model, how.systems)
        rows = [records.prediction_rows(assembled, name, p, how.output, how.stamp) for name, p in made.items()]
        predicted, held = pa.concat_tables(rows), records.held_rows(assembled, how.failures, how.stamp)
        for name, table in ((PREDICTED, predicted), (HELD, held)):
            Metrics.counter("predictions", name).inc(table.num_rows)
            if table.num_rows:
                yield pvalue.TaggedOutput(name, table)
        yield pvalue.TaggedOutput(TALLY, records.tally(how.days, predicted, held))
        yield pvalue.TaggedOutput(SUMMARY, summary(assembled))
