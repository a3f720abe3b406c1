"""Starts a phase as a run on this machine: what `fullcourt run` does, with its defaults."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from fullcourt.cli.output import progress
from fullcourt.cli.phases import PHASES
from fullcourt.cli.runs import Run, request_of
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.processors import CascadePolicy
from fullcourt.orchestration.events.readiness import range_of
from fullcourt.orchestration.history import PUBSUB
from fullcourt.orchestration.run import run_phase
from fullcourt.warehouse import open_warehouse

MINIMUM_MINUTES, MINIMUM_QUALITY = 15.0, 70.0  # as `fullcourt run` has them


@dataclasses.dataclass(frozen=True)
class LocalLaunch:
    """A Launch that waits for the run. clock: read when it starts. model: of xgboost_v1; None: its stand-in."""

    warehouse: str
    clock: Callable[[], dt.datetime]
    model: Path | None = None

    def launch(self, phase: str, day: dt.date, correlation_id: str) -> str:
        start, end = range_of(open_warehouse(self.warehouse), PHASES[phase].phase, day)
        asked = Run(
            warehouse=self.warehouse,
            start=start,
            end=end,
            now=self.clock(),
            processors=None,
            allow_demotion=False,
            cascade_policy=CascadePolicy.FLAG,
            model=self.model,
            systems=[],
            rules=Rules(MINIMUM_MINUTES, MINIMUM_QUALITY),
            historical=False,
            strict=False,
            fail_on_incomplete=False,
            skip_downstream_trigger=False,
            beam_args=(),
        )
        request = dataclasses.replace(request_of(PHASES[phase].phase, asked), trigger_source=PUBSUB)
        with progress(f"run {phase} of {correlation_id}") as say:
            report = run_phase(request, PHASES[phase], say)
        return str(report["run_id"])
