"""Which engine runs a pipeline: the in-process FnApiRunner, unless Beam's own options name another."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def make_pipeline(beam_args: Sequence[str]) -> beam.Pipeline:
    """Bare DirectRunner would try to fetch another engine from the network, so ours is named."""
    options = PipelineOptions(list(beam_args))
    if options.view_as(StandardOptions).runner:
        return beam.Pipeline(options=options)
    return beam.Pipeline(runner=FnApiRunner(), options=options)
