"""What Beam does that the design works around.

A test that fails here says that a new version does otherwise, and that a work-around can go.
"""

from apache_beam.runners.worker.data_plane import TimeBasedBufferingClosableOutputStream


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
