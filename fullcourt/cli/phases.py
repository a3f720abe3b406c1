"""The phases that `run` knows, each with its pipeline module, imported when it is needed."""

import importlib
from dataclasses import dataclass
from typing import Any

from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import Phase


@dataclass(frozen=True)
class RunnablePhase:
    phase: Phase
    module: str

    def pipeline(self) -> Any:
        return importlib.import_module(self.module)


PHASES = {
    "analytics": RunnablePhase(Phase.ANALYTICS, "pipelines.analytics"),
    "precompute": RunnablePhase(Phase.PRECOMPUTE, "pipelines.precompute"),
}


def phase_of(name: str) -> RunnablePhase:
    try:
        return PHASES[name]
    except KeyError:
        raise UsageError(f"unknown phase {name!r}: expected one of {', '.join(PHASES)}") from None
