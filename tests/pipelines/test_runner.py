"""Beam's own options reach the runner, and one that does not exist is said to be unknown."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.worker import data_plane, statesampler
from apache_beam.testing.util import assert_that, equal_to

from fullcourt.domain.errors import UsageError
from pipelines.runner import make_pipeline


def test_fault_43_the_runner_is_named_and_not_looked_for():
    assert isinstance(make_pipeline(()).runner, FnApiRunner)


def test_options_reach_the_runner():
    options = make_pipeline(("--direct_num_workers=3", "--direct_running_mode", "multi_threading")).options
    assert options.view_as(DirectOptions).direct_num_workers == 3
    assert options.view_as(DirectOptions).direct_running_mode == "multi_threading"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--direct_num_worker=2",), "unknown Beam option --direct_num_worker=2"),
        (("stray",), "unknown Beam option stray"),
        (("--direct_num_workers=two",), "Beam option: argument --direct_num_workers: invalid int value: 'two'"),
        (("--direct_running_mode=fast",), "Beam option: argument --direct_running_mode: invalid choice: 'fast'"),
    ],
)
def test_a_bad_option_is_named(arguments, complaint, capfd):
    with pytest.raises(UsageError, match=complaint):
        make_pipeline(arguments)
    assert capfd.readouterr().err == ""


def test_another_runner_judges_its_options_itself():
    with pytest.raises(ValueError, match="NoSuchRunner"):
        make_pipeline(("--runner=NoSuchRunner", "--only_it_knows=1"))


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_no_stream_is_flushed_by_the_clock(monkeypatch, mode):
    """Beam's lose what is written meanwhile, so batches went missing on their way to the join."""
    made = []
    monkeypatch.setattr(
        data_plane.TimeBasedBufferingClosableOutputStream,
        "_schedule_periodic_flush",
        lambda stream: made.append(stream),
    )
    with make_pipeline([f"--direct_running_mode={mode}", "--direct_num_workers=2"]) as pipeline:
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(lambda number: (number, number)) | beam.GroupByKey()
    assert made == []


def test_a_bundle_does_not_wait_for_a_sleeping_sampler():
    """Beam's sleeps up to 200 ms, and every bundle of a job waits for it in the end."""
    with make_pipeline(()) as pipeline:
        periods = (
            pipeline | beam.Create([1]) | beam.Map(lambda _: statesampler.get_current_tracker().sampling_period_ms)
        )
        assert_that(periods, equal_to([10]))
