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


ALL = "all"
PHASES = {
    "analytics": RunnablePhase(Phase.ANALYTICS, "pipelines.analytics"),
    "precompute": RunnablePhase(Phase.PRECOMPUTE, "pipelines.precompute"),
    "predictions": RunnablePhase(Phase.PREDICTIONS, "pipelines.predictions"),
}


def phases_of(name: str) -> dict[str, RunnablePhase]:
    """The phase of that name, or all of them in the order in which they run."""
    if name == ALL:
        return PHASES
    if name not in PHASES:
        raise UsageError(f"unknown phase {name!r}: expected one of {', '.join((*PHASES, ALL))}")
    return {name: PHASES[name]}
