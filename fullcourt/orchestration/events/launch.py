"""What starts a phase of a day: a run on this machine, or a job of a service. Handed in."""

import datetime as dt
from typing import Protocol


class Launch(Protocol):
    def launch(self, phase: str, day: dt.date, correlation_id: str) -> str:
        """Starts analytics, precompute or predictions of a game day, and names the run or job.

        Which days have to be run for it, `readiness.range_of` says.  What it runs computes on the content that stands,
        so a second launch of the same day publishes nothing new.  GateError and UsageError: it is refused, and would
        be again; any other error: it may work later.
        """
