"""Applies a plan: phase by phase, stage by stage, slices side by side; a phase is read back before the next begins."""

import datetime as dt
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field

from fullcourt.crash import crash_point
from fullcourt.domain.backfill import seconds_left
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.errors import EngineError, InputsMovedError, OwnershipError
from fullcourt.orchestration.backfill import claims, plans
from fullcourt.orchestration.backfill.claims import Clock
from fullcourt.orchestration.backfill.gates import refuse_stale
from fullcourt.orchestration.backfill.inputs import done_of_season, external_inputs, moved, seasons, stage_hash
from fullcourt.orchestration.backfill.jobs import Fleet, Jobs
from fullcourt.orchestration.backfill.planning import findings
from fullcourt.orchestration.backfill.plans import RAW, Pipelines, Plan
from fullcourt.orchestration.backfill.work import Settled, Work, run_slice
from fullcourt.orchestration.backfill.workers import drain, pool
from fullcourt.orchestration.verify import failure, verify
from fullcourt.warehouse import Warehouse, open_warehouse
from fullcourt.warehouse.owner import this_process

Say = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """How a plan is applied.

    parallel: slices at once, each in a process of its own.  goes_on: past failed days, to the end, instead of stopping.
    begin: what each of these processes does first, such as setting up its log.  uncancel: a plan told to stop goes on.
    jobs: slices are jobs of Dataflow instead, so many at once.
    """

    warehouse: str
    pipelines: Pipelines
    clock: Clock
    parallel: int = 1
    goes_on: bool = False
    beam_args: tuple[str, ...] = ()
    begin: Callable[[], None] | None = None
    uncancel: bool = False
    jobs: Jobs | None = None


@dataclass
class Result:
    """What came of it, in this session.

    failed: slice number -> day -> why it is not done.  unverified: what did not hold when a phase was read back.
    ownership: why somebody else's claim, or a cancellation, ended it.  interrupted: by Ctrl-C, after a drain.
    moved: what of the inputs moved while it was applied.  left_running: jobs that go on by themselves.
    """

    rows: int = 0
    unchanged_days: int = 0
    computed_days: int = 0
    synthetic_days: set[str] = field(default_factory=set)
    failed: dict[int, dict[str, str]] = field(default_factory=dict)
    unverified: list[str] = field(default_factory=list)
    ownership: str | None = None
    moved: str | None = None
    interrupted: bool = False
    left_running: list[str] = field(default_factory=list)

    def add(self, settled: Settled, days: int) -> None:
        """days: that the slice was begun for."""
        self.rows += settled.rows
        self.computed_days += days - len(settled.failed)
        self.synthetic_days |= set(settled.synthetic_days)
        if settled.failed:
            self.failed[settled.slice_number] = settled.failed

    @property
    def stopped(self) -> bool:
        return self.interrupted or self.ownership is not None or self.moved is not None


def apply(plan: Plan, how: How, say: Say = lambda _: None) -> Result:
    """Does what is left of the plan, and reports.

    InputsMovedError: its inputs are not what they were when it was made.  GateError: the strict pre-flight refuses.
    EngineError: a slice could not be run; it was given back, and so was what had not begun.
    """
    warehouse = open_warehouse(how.warehouse)
    say("reading the inputs")
    if changed := moved(plan, external_inputs(warehouse, plan, how.clock(), how.pipelines)):
        raise InputsMovedError(f"the inputs moved since {plan.plan_id} was planned: {', '.join(changed)}")
    if plan.options.strict_preflight:
        for _, inspection in findings(warehouse, plan, how.clock()):
            refuse_stale(inspection)
    if how.uncancel:
        plans.uncancel(warehouse, plan)
    result = Result()
    with drain() as draining:
        apply = _Apply(plan, how, warehouse, result, draining, say)
        for phase in plan.phases:
            if not apply.phase(phase):
                break
    return result


def read_back(plan: Plan, phase: str, warehouse: Warehouse, now: dt.datetime, say: Say) -> list[str]:
    """What does not hold of the plan's days in the phase's tables; of raw ones, the manifest is asked first."""
    wrong, names = [], {name for stage in plan.stages for name in stage.names}
    for part in ("landing", RAW) if phase == RAW else (phase,):
        say(f"verifying {part}")
        found = failure(verify(warehouse, part, plan.days[0], plan.days[-1], now, plan.days, names))
        wrong += [f"{part}: {found}"] if found else []
    return wrong


class _Apply:
    def __init__(
        self, plan: Plan, how: How, warehouse: Warehouse, result: Result, draining: list[bool], say: Say
    ) -> None:
        self._plan, self._how, self._warehouse, self._result = plan, how, warehouse, result
        self._draining, self._say = draining, say
        self._owner = this_process()

    def phase(self, name: str) -> bool:
        """Computes it and reads it back; whether the next may begin."""
        for number, stage in enumerate(self._plan.stages):
            if stage.phase == name and not self._stage(number):
                return False
        wrong = read_back(self._plan, name, self._warehouse, self._how.clock(), self._say)
        self._result.unverified += wrong
        plans.record_verified(self._warehouse, self._plan, name, wrong)
        crash_point("verified")
        return not self._moved() and (not wrong or self._how.goes_on or self._plan.options.force)

    def _moved(self) -> bool:
        """Since it was planned: then what was computed first does not fit what was computed last."""
        there = external_inputs(self._warehouse, self._plan, self._how.clock(), self._how.pipelines)
        if changed := moved(self._plan, there):
            self._result.moved = f"the inputs moved while it was applied: {', '.join(changed)}"
        return self._result.moved is not None

    def _stage(self, number: int) -> bool:
        works = self._left(number)
        total, done = sum(len(work.days) for work in works), 0
        name = self._plan.stages[number].phase
        began = time.monotonic()
        days_of = {work.slice_number: len(work.days) for work in works}
        settled_slices = 0
        with closing(self._settled(works)) as settling:
            for settled in settling:
                self._result.add(settled, days_of[settled.slice_number])
                settled_slices, done = settled_slices + 1, done + days_of[settled.slice_number]
                left = seconds_left(done, total, time.monotonic() - began)
                failed = sum(map(len, self._result.failed.values()))
                self._say(
                    f"{name}, stage {number + 1} of {len(self._plan.stages)}: {settled_slices} of {len(works)} "
                    f"slices, {done} of {total} days, {failed} failed"
                    + ("" if left is None or done == total else f", {left:.0f} s left")
                )
        return not self._result.stopped and (not self._result.failed or self._how.goes_on)

    def _left(self, number: int) -> list[Work]:
        """The stage's slices with days that are not done from the inputs as they are now; the others are marked."""
        plan, how, stage = self._plan, self._how, self._plan.stages[number]
        self._say(f"{stage.phase}, stage {number + 1} of {len(plan.stages)}: reading what is done")
        hashes, done = {}, set()
        for season in seasons(plan.days):
            hashes[season] = stage_hash(self._warehouse, plan, stage, season, how.clock(), how.pipelines)
            done |= done_of_season(self._warehouse, plan, stage, season, hashes[season])
        self._result.unchanged_days += len(done)
        rows = self._warehouse.query(
            "SELECT slice_number, token FROM nba_orchestration.backfill_slices WHERE plan_id = @plan_id",
            plan_id=plan.plan_id,
        ).to_pylist()
        tokens = {row["slice_number"]: row["token"] for row in rows}
        mine = [(place, days) for place, (of_stage, days) in enumerate(plan.slices) if of_stage == number]
        self._mark_unchanged([place for place, days in mine if done.issuperset(days)])
        return [
            Work(
                how.warehouse,
                plan,
                place,
                tuple(day for day in days if day not in done),
                tokens[place],
                hashes[season_of_day(to_number(days[0]))],
                self._owner,
                how.pipelines[stage.phase],
                how.clock,
                how.beam_args,
            )
            for place, days in mine
            if not done.issuperset(days)
        ]

    def _mark_unchanged(self, places: Sequence[int]) -> None:
        """Unless they were done under this plan, or somebody is at them."""
        if not places:
            return
        with self._warehouse.transaction({}) as session:
            claims.mark_unchanged(session, self._plan.plan_id, places, self._how.clock())

    def _settled(self, works: Sequence[Work]) -> Generator[Settled]:
        """Slices as they settle; none is begun after a failed one, a lost one or Ctrl-C, and all that began end.

        They do not where a worker died or Ctrl-C was pressed twice: then no worker is left, and they are given back.
        """
        if not self._begins() or not works:
            return
        if self._how.jobs:
            yield from self._settled_by_jobs(self._how.jobs, works)
            return
        waiting = iter(works)
        modules = [run_slice.__module__, *(phase.module for phase in self._how.pipelines.values())]
        try:
            with pool(min(self._how.parallel, len(works)), modules, self._how.begin) as workers:
                running: set[Future[Settled]] = set()
                while True:
                    while len(running) < self._how.parallel and self._begins() and (work := next(waiting, None)):
                        running.add(workers.submit(run_slice, work))
                    if not running:
                        return
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        if settled := self._outcome(future):
                            yield settled
        except (BrokenProcessPool, KeyboardInterrupt, GeneratorExit) as error:
            with self._warehouse.transaction({}) as session:
                claims.release(session, self._owner)
            if isinstance(error, BrokenProcessPool):
                raise EngineError("a worker process died") from error
            raise

    def _settled_by_jobs(self, jobs: Jobs, works: Sequence[Work]) -> Generator[Settled]:
        """The same, of jobs: those that run are waited for, unless Ctrl-C is pressed; they go on whatever ends this."""
        fleet = Fleet(jobs, self._warehouse, self._how.clock, self._say)
        try:
            waiting = iter(fleet.adopt(works))
            while self._begins() or (fleet.running and not self._draining):
                while len(fleet.running) < self._how.parallel and self._begins() and (work := next(waiting, None)):
                    try:
                        if settled := fleet.begin(work):
                            yield settled
                    except OwnershipError as error:
                        self._result.ownership = str(error)
                if not fleet.running:
                    return
                yield from fleet.ended(lambda: bool(self._draining))
                if fleet.lost:
                    self._result.ownership = fleet.lost[0]
        finally:
            self._result.left_running = [str(running) for running in fleet.running.values()]

    def _begins(self) -> bool:
        if self._draining:
            self._result.interrupted = True
        failed = self._result.failed and not self._how.goes_on
        return not (self._result.stopped or failed)

    def _outcome(self, future: "Future[Settled]") -> Settled | None:
        try:
            return future.result()
        except OwnershipError as error:
            self._result.ownership = str(error)
            return None
        except InputsMovedError as error:
            self._result.moved = str(error)
            return None
