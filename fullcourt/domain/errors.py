"""Every error a user can meet, with the exit code it ends in.

Exit codes: 0 done; 1 stopped at a gate, coverage or verification; 2 usage; 3 engine or infrastructure;
4 days left over or owned by another run; 130 interrupted.
"""

from collections.abc import Mapping
from typing import Any

EXIT_DONE = 0
EXIT_GATE = 1
EXIT_USAGE = 2
EXIT_ENGINE = 3
EXIT_LEFT_OVER = 4
EXIT_INTERRUPTED = 130


class FullCourtError(Exception):
    """Base of all our errors. The message names the thing, its value and what was expected."""

    exit_code = EXIT_ENGINE


class GateError(FullCourtError):
    """The data stopped the work: a failed audit, coverage, an unreadable file, a season not loaded."""

    exit_code = EXIT_GATE


class DependencyError(GateError):
    """What strict mode asked for is not there: an upstream processor, a day before, or an entity's own games.

    details: what is lacking, as data; docs/python-api.md lists the keys.
    """

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = dict(details or {})


class UsageError(FullCourtError):
    """The caller asked for something that does not exist or makes no sense."""

    exit_code = EXIT_USAGE


class EngineError(FullCourtError):
    """The warehouse or the runner could not do its part: a locked file, a missing column, a full disk."""

    exit_code = EXIT_ENGINE


class InputsMovedError(GateError):
    """What a plan was made on is not there any more: it has to be made again."""


class OwnershipError(FullCourtError):
    """Another run owns the days, or has taken them over; the message says who."""

    exit_code = EXIT_LEFT_OVER
