"""Which engine runs a pipeline: the in-process FnApiRunner, unless Beam's own options name another."""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner, worker_handlers
from apache_beam.runners.worker import statesampler

from fullcourt.domain.errors import UsageError

# With several workers, Beam's streams are flushed by the clock as well as by their size; such a stream loses what is
# written while it is flushed, and the batches never come to the join (tests/canaries).  0: by their size only.
worker_handlers.DATA_BUFFER_TIME_LIMIT_MS = 0
# Each of a job's bundles waits in the end for a thread that sleeps this long between two looks at what it does: 200 ms
# as Beam has it (tests/canaries), a twentieth of a small run.
statesampler.StateSampler = partial(statesampler.StateSampler, sampling_period_ms=10)


def make_pipeline(beam_args: Sequence[str]) -> beam.Pipeline:
    """Bare DirectRunner would try to fetch another engine from the network, so ours is named.

    UsageError names an option that Beam does not know or cannot read; another runner may know more of them.
    """
    if beam_args:  # Beam knows some 300 options, which take a while to list
        _check(list(beam_args))
    options = PipelineOptions(list(beam_args))
    if options.view_as(StandardOptions).runner:
        return beam.Pipeline(options=options)
    return beam.Pipeline(runner=FnApiRunner(), options=options)


def _check(beam_args: list[str]) -> None:
    known, unknown = _parser().parse_known_args(beam_args)
    if unknown and not known.runner:
        raise UsageError(f"unknown Beam option {unknown[0]}: expected one of Beam's pipeline options after `--`")
    if known.no_wait_until_finish and not known.runner:
        raise UsageError("the in-process runner ends with its pipeline: expected a service's, such as --runner=…")


def _parser() -> argparse.ArgumentParser:
    """Beam's own drops what it does not know, and ends the process over what it cannot read."""
    parser = _Parser(allow_abbrev=False, add_help=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"Beam option: {message}")
