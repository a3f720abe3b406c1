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
from transforms.finish_run import Tallied
from transforms.packing import Packed, unpack_tables
from transforms.stage_rows import Named

PREDICTIONS, FAILURES = "player_prop_predictions", "precompute_failures"  # the tables written
SUMMARY = "coordinator"  # what its tally is called
PREDICTED, HELD, TALLY = "predicted", "held", "tally"


class Predictions(NamedTuple):
    """predicted, held: named rows of the two tables.  tally: of the predictions, and the coordinator's summary."""

    predicted: beam.PCollection[Named]
    held: beam.PCollection[Named]
    tally: beam.PCollection[Tallied]


@dataclass
class PredictPoints(beam.PTransform):
    """Coordinator, systems and ensemble for the given days.

    In:  {name: (shard key, Packed)}, the days' contexts, of which each must be there, apart from the other tables of
         assembly.TABLES.
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
    def expand(self, inputs: dict[str, beam.PCollection[tuple[str, Packed]]]) -> Predictions:
        tags = (PREDICTED, HELD, TALLY)
        made = (
            inputs | "JoinByShard" >> beam.CoGroupByKey() | "Predict" >> beam.ParDo(_Predict(self)).with_outputs(*tags)
        )
        for tag in (PREDICTED, HELD):
            made[tag].element_type = Named
        return Predictions(*(made[tag] for tag in tags))


class _Predict(beam.DoFn):
    def __init__(self, how: PredictPoints) -> None:
        self._how = how
        self._model: PointsModel | None = None

    def setup(self) -> None:
        if self._how.model_file:
            self._model = PointsModel.from_text(Path(self._how.model_file).read_text())

    def process(self, shard: tuple[str, dict[str, Iterable[Packed]]]) -> Iterator[Any]:
        how = self._how
        tables = unpack_tables(shard[1].values(), how.schemas)
        assembled = assemble(tables, current_version(), how.rules)
        made = predict_all(assembled.slate, self._model, how.systems)
        rows = [records.prediction_rows(assembled, name, p, how.output, how.stamp) for name, p in made.items()]
        predicted, held = pa.concat_tables(rows), records.held_rows(assembled, how.failures, how.stamp)
        for tag, table, written in ((PREDICTED, PREDICTIONS, predicted), (HELD, FAILURES, held)):
            Metrics.counter("predictions", tag).inc(written.num_rows)
            if written.num_rows:
                yield pvalue.TaggedOutput(tag, Named(table, written))
        yield pvalue.TaggedOutput(TALLY, Tallied(PREDICTIONS, records.tally(how.days, predicted, held)))
        yield pvalue.TaggedOutput(TALLY, Tallied(SUMMARY, summary(assembled)))
