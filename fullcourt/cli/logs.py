"""What is logged, on stderr: of this process, and of those that it starts."""

import logging
from collections.abc import Callable
from functools import partial

_chosen: list[Callable[[], None]] = []


def configure(verbose: bool, debug: bool) -> None:
    """A line per processor and day with verbose; everything, the runner's tracebacks too, with debug."""
    _chosen[:] = [partial(configure, verbose, debug)]
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("fullcourt").setLevel(logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING)
    if not debug:
        # The runner logs a traceback of every failure; the failure itself reaches the user as one line.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        logging.getLogger().addFilter(_no_apitools)


def as_here() -> Callable[[], None] | None:
    """Configures another process as this one was; None if it was not."""
    return _chosen[0] if _chosen else None


def _no_apitools(record: logging.LogRecord) -> bool:
    return "apitools" not in record.getMessage()
