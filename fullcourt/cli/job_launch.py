"""Starts a phase as a job of its flex template, and does not wait for it."""

import dataclasses
import datetime as dt

from fullcourt.cli.on import On
from fullcourt.cli.phases import PHASES
from fullcourt.domain.errors import OwnershipError
from fullcourt.orchestration.events.readiness import range_of
from fullcourt.warehouse import open_warehouse


@dataclasses.dataclass(frozen=True)
class JobLaunch:
    """A Launch on Dataflow. The job's last step publishes; its messages leave with the next sending.

    warehouse: as the job is told it; where: on Dataflow.
    """

    warehouse: str
    where: On

    def launch(self, phase: str, day: dt.date, correlation_id: str) -> str:
        """The job's id; its name, where a job of the phase and days is at work already."""
        start, end = range_of(open_warehouse(self.warehouse), PHASES[phase].phase, day)
        given = [f"start={start}", f"end={end}", f"warehouse={self.warehouse}"]
        labels = [f"correlation={_label(correlation_id)}", *(self.where.label or ())]
        job = self.where.workers.job(phase, self.where.spec, given, None, labels)
        try:
            return self.where.service.launch(job)
        except OwnershipError:
            return job.name


def _label(text: str) -> str:
    """As a label's value may be: 63 lower-case letters, digits, dashes and underscores at most."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text.lower())[:63]
