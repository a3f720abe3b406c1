"""Slices as jobs of a Dataflow template: each is launched once, found again by its name, and settles itself.

A claim is recorded with the job's name before the job is launched, and the job's id before anything else is done.  So
whoever comes after a coordinator that was killed finds the jobs that run, and goes on waiting for them.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tenacity import Retrying, retry_if_result, wait_exponential

from fullcourt.crash import crash_point
from fullcourt.domain.backfill import State, job_name
from fullcourt.domain.errors import EngineError, OwnershipError, UsageError
from fullcourt.orchestration.backfill import claims, status
from fullcourt.orchestration.backfill.claims import LEASE, Claim, Clock
from fullcourt.orchestration.backfill.plans import Pipelines, Plan
from fullcourt.orchestration.backfill.work import Settled, Work, run_claimed, settled
from fullcourt.orchestration.flex_templates import ENDED, Service, TemplateJob
from fullcourt.orchestration.receipts import SYNTHETIC_PGS
from fullcourt.warehouse import Warehouse, open_warehouse
from fullcourt.warehouse.owner import this_process

_FIRST_WAIT_SECONDS, _GROWTH, _LONGEST_WAIT_SECONDS = 0.2, 1.3, 20.0  # between looks at what runs
_NAP_SECONDS = 0.2  # until Ctrl-C is heard


@dataclass(frozen=True)
class Jobs:
    """Where slices become jobs, and of what. template: all that they share; each has a name and parameters besides."""

    service: Service
    template: TemplateJob

    @property
    def owner(self) -> str:
        """As claims name it. Whether a job lives no process can tell, so that the lease alone speaks for it."""
        return f"Dataflow {self.template.project}/{self.template.region}"

    def of(self, work: Work, claim: Claim) -> TemplateJob:
        chosen = {
            "plan_id": claim.plan_id,
            "slice_number": str(claim.slice_number),
            "token": str(claim.token),
            "days": ",".join(map(str, work.days)),
        }
        name = job_name(claim.plan_id, claim.slice_number, claim.token)
        return replace(self.template, name=name, parameters={**self.template.parameters, **chosen})

    def find(self, job: TemplateJob) -> str | None:
        return self.service.find(job.project, job.region, job.name)

    def state(self, job_id: str) -> str:
        return self.service.state(self.template.project, self.template.region, job_id)


@dataclass(frozen=True)
class Running:
    """A slice that a job has."""

    work: Work
    claim: Claim
    name: str
    job_id: str

    def __str__(self) -> str:
        return f"{self.name} ({self.job_id})"


class Fleet:
    """The jobs of a stage. running: by slice.  lost: why a slice is not ours any more, one text each."""

    def __init__(self, jobs: Jobs, warehouse: Warehouse, clock: Clock, say: Callable[[str], None]) -> None:
        self._jobs, self._warehouse, self._clock, self._say = jobs, warehouse, clock, say
        self.running: dict[int, Running] = {}
        self.lost: list[str] = []

    def adopt(self, works: Sequence[Work]) -> list[Work]:
        """Takes over the jobs that run, or may have been launched; returns the works that none has."""
        rows = self._rows(works[0].plan)
        left = []
        for work in works:
            row = rows[work.slice_number]
            mine = row["state"] == State.RUNNING and row["owner"] == self._jobs.owner
            if not mine or not self._adopted(work, row):
                left.append(work)
        return left

    def begin(self, work: Work) -> Settled | None:
        """Claims the slice and launches its job; one that somebody has done meanwhile is settled already.

        OwnershipError: somebody else has the days.  EngineError: the job was refused, and the slice given back.
        """
        plan, number = work.plan, work.slice_number
        with self._warehouse.transaction({}) as session:
            claim = claims.claim(
                session,
                plan.plan_id,
                number,
                self._jobs.owner,
                work.clock,
                work.inputs_hash,
                seen=work.seen,
                forced=plan.options.force,
                by_job=True,
            )
        if claim is None:
            return Settled(number, State.DONE, {})
        crash_point("claimed")
        self._launch(work, claim)
        return None

    def ended(self, stop: Callable[[], bool]) -> list[Settled]:
        """Waits until slices are settled or lost, or it is told to stop; those that are settled."""
        lost = len(self.lost)
        looking = Retrying(
            retry=retry_if_result(lambda found: not found and len(self.lost) == lost and not stop()),
            wait=wait_exponential(multiplier=_FIRST_WAIT_SECONDS, exp_base=_GROWTH, max=_LONGEST_WAIT_SECONDS),
            sleep=partial(_sleep, stop),
        )
        return looking(self._look)

    def _adopted(self, work: Work, seen: status.Row) -> bool:
        """Not a job that ended without settling, nor one begun from inputs as they are no more.

        Their claim is given back, and what they may still publish is refused.  seen: it may have settled since.
        """
        plan, number = work.plan, work.slice_number
        with self._warehouse.transaction({}) as session:
            claim = claims.claim_of(
                session, plan.plan_id, number, seen["token"], work.clock, forced=plan.options.force, settled_too=True
            )
        if claim.inputs_hash == work.inputs_hash:
            job_id = seen["job_id"] or self._jobs.find(self._jobs.of(work, claim))
            ended = job_id is not None and self._jobs.state(job_id) in ENDED
            state = self._rows(plan)[number]["state"]  # read last: what a job settled is there before it has ended
            if job_id is None and state == State.RUNNING:
                self._launch(work, claim)
                return True
            if job_id is not None and (state in (State.DONE, State.FAILED) or (state == State.RUNNING and not ended)):
                self._follow(work, claim, job_id, "adopted")
                return True
        with self._warehouse.transaction({}) as session:
            claims.give_back(session, claim)
        return False

    def _launch(self, work: Work, claim: Claim) -> None:
        """One job, however often it is tried: where the answer was lost, or was that there is one, it is found.

        OwnershipError: there is one, and it is not listed yet; the claim stands, for who asks later.
        """
        job = self._jobs.of(work, claim)
        try:
            job_id = self._jobs.service.launch(job)
        except (OwnershipError, EngineError) as error:
            found = self._jobs.find(job)
            if found is None:
                if isinstance(error, EngineError):
                    with self._warehouse.transaction({}) as session:
                        claims.give_back(session, claim)
                raise
            job_id = found
        crash_point("job_launched")
        self._follow(work, claim, job_id, "launched")

    def _follow(self, work: Work, claim: Claim, job_id: str, how: str) -> None:
        with self._warehouse.transaction({}) as session:
            claims.record_job(session, claim, job_id)
            claims.renew(session, [claim], self._clock())
        crash_point("job_recorded")
        running = Running(work, claim, self._jobs.of(work, claim).name, job_id)
        self.running[work.slice_number] = running
        self._say(f"slice {work.slice_number}: {how} {running}")

    def _look(self) -> list[Settled]:
        """Slices whose jobs have ended by now, settled or not; of a job that is ending the staging is still in use.

        The service is asked before the ledger, where a job settles before it ends.
        """
        states = {number: self._jobs.state(running.job_id) for number, running in self.running.items()}
        plan = next(iter(self.running.values())).work.plan
        rows, found = self._rows(plan), []
        for number, running in list(self.running.items()):
            if states[number] not in ENDED and rows[number]["token"] == running.claim.token:
                continue
            del self.running[number]
            try:
                found.append(self._over(running, rows[number], states[number]))
            except OwnershipError as error:
                self.lost.append(str(error))
        self._renew(rows)
        return found

    def _over(self, running: Running, row: status.Row, state: str) -> Settled:
        """Of a slice that is settled, or whose job has ended without: then its days have failed.

        OwnershipError: the claim does not stand any more.
        """
        work, claim = running.work, running.claim
        if row["state"] in (State.RUNNING, State.PENDING) or row["token"] != claim.token:
            text = f"job {running} ended as {state} without settling: see its log"
            with self._warehouse.transaction({}) as session:
                replace(claim, refused=dict.fromkeys(work.days, text)).settle(session, {}, None)
        elif row["run_id"]:
            self._warehouse.sweep(row["run_id"])  # a job that nobody waits for leaves it
        return _published(work, self._warehouse)

    def _renew(self, rows: dict[int, status.Row]) -> None:
        now = self._clock()
        aging = [
            running.claim
            for number, running in self.running.items()
            if rows[number]["lease_until"] is not None and rows[number]["lease_until"] - now < LEASE / 2
        ]
        if aging:
            with self._warehouse.transaction({}) as session:
                claims.renew(session, aging, now)

    def _rows(self, plan: Plan) -> dict[int, status.Row]:
        return {row["slice_number"]: row for row in status.slices(self._warehouse, plan.plan_id)}


def compute(
    warehouse: str,
    plan: Plan,
    number: int,
    token: int,
    days: Sequence[dt.date],
    clock: Clock,
    pipelines: Pipelines,
    beam_args: tuple[str, ...] = (),
    *,
    detached: bool = False,
) -> Settled:
    """What a job does: the days of the slice that was claimed for it.

    detached: as of Work.  OwnershipError: the claim of that token does not stand any more.
    """
    if not 0 <= number < len(plan.slices):
        raise UsageError(f"slice {number} of {plan.plan_id}: expected 0 to {len(plan.slices) - 1}")
    stage, mine = plan.slices[number]
    if foreign := sorted(set(days) - set(mine)):
        raise UsageError(
            f"{foreign[0]} is no day of slice {number} of {plan.plan_id}: expected {mine[0]} to {mine[-1]}"
        )
    with open_warehouse(warehouse).transaction({}) as session:
        claim = claims.claim_of(session, plan.plan_id, number, token, clock, forced=plan.options.force)
        claims.renew(session, [claim], clock())
    work = Work(
        warehouse,
        plan,
        number,
        tuple(days),
        token,
        claim.inputs_hash,
        this_process(),
        pipelines[plan.stages[stage].phase],
        clock,
        beam_args,
        detached,
    )
    return run_claimed(work, claim)


def _published(work: Work, warehouse: Warehouse) -> Settled:
    """Of a slice that was settled elsewhere, by its newest receipts."""
    stage, _ = work.plan.slices[work.slice_number]
    rows = warehouse.query(
        "SELECT analysis_date, row_count, data_source FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@names) AND analysis_date IN UNNEST(@days)",
        names=list(work.plan.stages[stage].names),
        days=list(work.days),
    ).to_pylist()
    came = settled(work, warehouse, 0, ())
    done = [row for row in rows if str(row["analysis_date"]) not in came.failed]
    synthetic = sorted({str(row["analysis_date"]) for row in done if row["data_source"] == SYNTHETIC_PGS})
    return replace(came, rows=sum(row["row_count"] for row in done), synthetic_days=tuple(synthetic))


def _sleep(stop: Callable[[], bool], seconds: float) -> None:
    """In naps: a signal's handler does not end a sleep."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not stop():
        time.sleep(min(left, _NAP_SECONDS))
