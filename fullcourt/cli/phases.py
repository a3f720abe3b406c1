"""The phases that `run` knows."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import Phase

if TYPE_CHECKING:
    from pipelines.reads import Reads


@dataclass(frozen=True)
class RunnablePhase:
    """A PhasePipeline. Its module, and Beam with it, is imported only when something is to be computed."""

    phase: Phase
    module: str

    @property
    def reads(self) -> "Reads":
        from pipelines.reads import READS

        return READS[self.phase]

    @property
    def config(self) -> Callable[..., Any]:
        return importlib.import_module(self.module).Config

    @property
    def launch(self) -> Callable[..., None]:
        return importlib.import_module(self.module).launch


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
