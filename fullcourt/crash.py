"""Named points at which a drill kills the process, as a power cut would: nothing is cleaned up, nothing flushed.

`FULLCOURT_CRASH_AT=published` kills at the first passage of that point, `published:3` at the third.  Nothing happens
without the variable.  docs/backfills.md says what a kill at each of them leaves behind.
"""

import os
import signal
from collections import Counter

VARIABLE = "FULLCOURT_CRASH_AT"
# In the order in which a backfill passes them; a run passes those from snapshot_taken to reported.
POINTS = (
    "planned",  # the plan is stored, nothing is claimed
    "claimed",  # a slice has an owner, nothing is read
    "gates_passed",  # the days to compute are known
    "snapshot_taken",  # the inputs are exported, nothing is computed
    "staging",  # some rows are staged
    "staged",  # all rows are staged, nothing is audited
    "in_transaction",  # everything is written, nothing is committed
    "published",  # committed, and nobody has been told
    "reported",  # the launcher knows, the staging is still there
    "swept",  # the staging is gone
    "verified",  # a phase is read back and right
)
# Those that a backfill passes between `claimed` and the end of a slice that a job of Dataflow computes.
JOB_POINTS = (
    "job_launched",  # the service has the job, the slice does not say its id
    "job_recorded",  # it does, nobody has looked at the job yet
)
# Those that messages pass.
EVENT_POINTS = (
    "sent",  # the broker has the messages, the outbox does not say so
    "launched",  # a trigger's run has published, nothing is on record about the trigger
    "decided",  # the decision is on record, the broker has not been told that the message is taken
)

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kills this process if the drill says so."""
    wanted, _, passage = os.environ.get(VARIABLE, "").partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(passage or 1):
        os.kill(os.getpid(), signal.SIGKILL)
