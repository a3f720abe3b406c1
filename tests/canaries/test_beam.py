"""What Beam does that the design works around.

A test that fails here says that a new version does otherwise, and that a work-around can go.
"""

import datetime as dt
import threading
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pytest
from apache_beam import pvalue
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct import direct_runner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.prism_runner import PrismJobServer
from apache_beam.runners.worker import statesampler
from apache_beam.runners.worker.data_plane import TimeBasedBufferingClosableOutputStream
from apache_beam.typehints.decorators import TypeCheckError
from apache_beam.utils.timestamp import Timestamp


class Dated(NamedTuple):
    day: dt.date


@pytest.mark.parametrize(
    "key",
    [
        dt.date(2024, 1, 15),
        dt.datetime(2024, 1, 15),
        Decimal(1),
        np.int64(1),
        Timestamp(1),
        Dated(dt.date(2024, 1, 15)),
    ],
    ids=lambda key: type(key).__name__,
)
def test_only_plain_values_are_keys(key):
    """So a shard's key is a text (transforms/read_shards.py)."""
    with pytest.raises(Exception, match="deterministically encode"), beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | beam.Create([(key, 1)]) | beam.GroupByKey()


def test_the_default_runner_is_another_one_which_is_fetched():
    """So pipelines/runner.py, and every test, names its runner."""
    assert issubclass(direct_runner.DirectRunner, direct_runner.SwitchingDirectRunner)
    where = PrismJobServer(PipelineOptions()).construct_download_url("v2.77.0", "Linux", "x86_64")
    assert where.startswith("https://github.com/")


class Annotated(beam.DoFn):
    def process(self, element: int) -> Iterable[int | pvalue.TaggedOutput]:
        yield element


def test_hints_of_several_outputs_are_taken_for_those_of_one():
    """So transforms with several outputs have none (typehints.no_annotations)."""
    split = beam.Pipeline(runner=FnApiRunner()) | beam.Create([1]) | beam.ParDo(Annotated()).with_outputs(main="one")
    with pytest.raises(TypeCheckError):
        _ = split.one | beam.Map(abs).with_input_types(int)


@pytest.mark.parametrize("returned", [{"a": 1}, "text"])
def test_a_step_yields_and_does_not_return_one_element(returned):
    class Returning(beam.DoFn):
        def process(self, element):
            return returned

    with pytest.raises(Exception, match="Returning a"), beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | beam.Create([1]) | beam.ParDo(Returning())


def test_a_stream_flushed_by_the_clock_loses_what_is_written_meanwhile():
    """So pipelines/runner.py has none made; seen as whole batches that never came to the join."""
    sent = []

    def send(data):
        sent.append(data)
        if len(sent) == 1:  # as another thread does between the sending and the clearing
            stream.write(b"late")

    stream = TimeBasedBufferingClosableOutputStream(sent.append, send, time_flush_threshold_ms=3_600_000)
    stream.write(b"early")
    stream.flush()
    stream.close()
    assert b"".join(sent) == b"early"


def test_a_sampler_sleeps_for_200_ms_and_stopping_it_waits():
    """So pipelines/runner.py has it sleep less."""
    assert statesampler.DEFAULT_SAMPLING_PERIOD_MS == 200
    sampler, before = statesampler.for_test(), set(threading.enumerate())
    sampler.start()
    (asleep,) = set(threading.enumerate()) - before
    sampler.stop()
    assert not asleep.is_alive()
