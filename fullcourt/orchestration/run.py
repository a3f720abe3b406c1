"""One phase over a range of days: snapshot, pipeline, publish, report."""

import dataclasses
import datetime as dt
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from fullcourt.crash import crash_point
from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import micros, to_date, to_number
from fullcourt.domain.errors import EngineError, GateError, UsageError
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration import lineage, outcome, policy
from fullcourt.orchestration.events.readiness import upstream
from fullcourt.orchestration.history import MANUAL, failure_event, history_row, instant, unpublished
from fullcourt.orchestration.publish import RUN, SKIPPED_TRIGGER, Publish, insert_records
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.orchestration.strict import refuse_unsafe
from fullcourt.orchestration.unchanged import inputs_of, settle
from fullcourt.warehouse import Read, Session, Snapshot, Warehouse, open_warehouse
from fullcourt.warehouse.ddl import check_schema
from schemas import TABLES

LOG = logging.getLogger(__name__)
NO_WAIT = "--no_wait_until_finish"  # Beam's own option


@dataclass(frozen=True)
class RunRequest:
    """What to run. The range is closed: start and end both belong to it.

    settings: more fields of the pipeline's Config.
    now: the one reading of the clock, UTC, injected so that tests and drills can set it.
    skip_downstream_trigger: the completion messages are written and kept in, so that nothing downstream starts.
    strict: refuse before anything is computed when an upstream processor's run is not safe, or days before lack it.
    trigger_source: what started it: manual or pubsub.
    detached: hand the job to the service that beam_args name, and do not wait; the job's last step publishes.
    recompute: compute even what the newest run computed from the very same inputs.
    """

    warehouse: str
    processors: tuple[Processor, ...]
    start: dt.date
    end: dt.date
    now: dt.datetime
    allow_demotion: bool = False
    strict: bool = False
    skip_downstream_trigger: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    beam_args: tuple[str, ...] = ()
    detached: bool = False
    trigger_source: str = MANUAL
    recompute: bool = False

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise UsageError(f"the first day must not be after the last: start={self.start}, end={self.end}")


class PhasePipeline(Protocol):
    """A phase's pipeline, handed in so that orchestration needs no Beam.

    reads: what it reads for processors, seasons and days.  config: makes what launch takes, of processors, days,
    seasons, stamp, staging and settings.  launch: runs it to its end, on a snapshot of what it reads.
    """

    @property
    def reads(self) -> Callable[[tuple[Processor, ...], Sequence[int], Sequence[int]], list[Read]]: ...

    @property
    def config(self) -> Callable[..., Any]: ...

    @property
    def launch(self) -> Callable[[Any, Snapshot, Publish, Sequence[str]], None]: ...


Progress = Callable[[str], None]


def run_phase(request: RunRequest, pipeline: PhasePipeline, say: Progress = lambda _: None) -> dict[str, Any]:
    """Runs the processors over the range's game days and reports; `say` hears each step.

    Returns {"run_id", "days", "processors": [...]}, with {"skipped": "no_games"} when the range has no game day, with
    {"detached": True} when nobody waits for the job, {"unchanged_since": run id} when nothing had to be computed.
    Raises GateError for a season without a schedule, a failed audit or a refused demotion.  What ends it is in its
    history, and in a message for each day, as far as the warehouse can be written.
    """
    warehouse = open_warehouse(request.warehouse)
    check_schema(warehouse)
    started = micros(dt.datetime.now(dt.UTC))
    stamp = Stamp(run_id=new_run_id(request.now), now=micros(request.now))
    report: dict[str, Any] = {}
    days: tuple[int, ...] = ()
    try:
        say("reading the schedule")
        with warehouse.reading():
            days = days_to_run(warehouse, request.processors, request.start, request.end)
        if not days:
            _record_unpublished(warehouse, request, stamp, started, skip_reason="no_games")
            return {"run_id": stamp.run_id, "skipped": "no_games", "days": 0, "processors": []}
        report = _run(request, pipeline, say, warehouse, stamp, started, days)
        return report
    except GateError as error:
        _record_unpublished(warehouse, request, stamp, started, error=str(error), days=days)
        raise
    except EngineError as error:
        try:
            _record_unpublished(warehouse, request, stamp, started, error=str(error), days=days)
        except EngineError as another:  # it may be the warehouse itself
            LOG.warning("that the run failed is not on record: %s", another)
        raise
    finally:
        if "detached" not in report:  # else the job still reads it; a later run's sweep finds it
            warehouse.sweep(stamp.run_id)
        crash_point("swept")


def _run(
    request: RunRequest,
    pipeline: PhasePipeline,
    say: Progress,
    warehouse: Warehouse,
    stamp: Stamp,
    started: int,
    days: tuple[int, ...],
) -> dict[str, Any]:
    if request.strict:
        say("asking the upstream processors")
        refuse_unsafe(warehouse, request.processors, [to_date(day) for day in days], request.now)
    request = _with_policies(warehouse, request, say)
    held = {processor.name: SKIPPED_TRIGGER for processor in request.processors if request.skip_downstream_trigger}
    staging = str(warehouse.staging(stamp.run_id))
    finish = Publish(
        request.warehouse,
        request.processors,
        days,
        stamp,
        staging,
        started,
        request.allow_demotion,
        held=held,
        trigger_source=request.trigger_source,
    )
    reads = pipeline.reads(request.processors, seasons_of(days), days)
    say("looking for changes")
    with warehouse.reading():
        # Before the inputs: of what is published in between, the run does not claim that it was built on it.
        finish = dataclasses.replace(finish, upstream=upstream_states(warehouse, finish))
        finish = dataclasses.replace(finish, inputs=inputs_of(warehouse, finish, reads, request.settings))
    if not request.recompute and (report := settle(warehouse, finish)):
        return {**report, "days": len(days)}
    return execute(
        warehouse,
        pipeline,
        finish,
        request.settings,
        request.beam_args,
        say,
        inputs=lambda: inputs_of(warehouse, finish, reads, request.settings),
        detached=request.detached,
    )


def execute(
    warehouse: Warehouse,
    pipeline: PhasePipeline,
    finish: Publish,
    settings: Mapping[str, Any],
    beam_args: Sequence[str],
    say: Progress,
    inputs: Callable[[], str],
    detached: bool = False,
) -> dict[str, Any]:
    """The job that `finish` ends: of its processors over its days. Returns what it reports, and how many days.

    settings: more fields of the pipeline's Config.
    inputs: their hash, asked once they are read; its errors end the run.
    detached: as of RunRequest; then there is nothing to report yet.
    """
    seasons = seasons_of(finish.days)
    say("taking a snapshot")
    finish = dataclasses.replace(finish, detached=detached)
    with lineage.of_run(finish, pipeline.reads, seasons):
        snapshot = warehouse.snapshot(
            pipeline.reads(finish.processors, seasons, finish.days), warehouse.staging(finish.stamp.run_id)
        )
        crash_point("snapshot_taken")
        if inputs() != finish.inputs:
            finish = dataclasses.replace(finish, inputs=None)
        say(f"computing {len(finish.days)} game days")
        config = pipeline.config(finish.processors, finish.days, seasons, finish.stamp, finish.staging, **settings)
        if detached:
            outcome.submit(partial(pipeline.launch, config, snapshot, finish, (*beam_args, NO_WAIT)))
            return {"run_id": finish.stamp.run_id, "detached": True, "days": len(finish.days), "processors": []}
        report = outcome.read(finish.staging, partial(pipeline.launch, config, snapshot, finish, beam_args))
    crash_point("reported")
    return {**report, "days": len(finish.days)}


def upstream_states(warehouse: Warehouse, finish: Publish) -> dict[dt.date, str]:
    """Per day, the name of what the phase before it has published so far."""
    days = [to_date(day) for day in sorted(finish.days)]
    found = upstream(warehouse, finish.processors[0].phase, days)
    return {day: found[day].state for day in days}


def _with_policies(warehouse: Warehouse, request: RunRequest, say: Progress) -> RunRequest:
    """With the thresholds that people have set; a run that obeys one says so."""
    held = policy.effective(warehouse, request.processors, request.now)
    for processor in set(held).difference(request.processors):
        say(f"{processor.name}: the threshold is {processor.threshold_per_mille / 10:g} %, by policy")
    return dataclasses.replace(request, processors=held)


def new_run_id(now: dt.datetime) -> str:
    """Sorts by time, and is unique."""
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def seasons_of(days: Sequence[int]) -> tuple[int, ...]:
    """The seasons the days lie in, ascending."""
    return tuple(sorted({season_of_day(day) for day in days}))


def days_to_run(warehouse: Warehouse, processors: Sequence[Processor], start: dt.date, end: dt.date) -> tuple[int, ...]:
    """The closed range's game days, and the days that were published as such and are none any more, ascending."""
    scheduled = scheduled_days(warehouse, start, end)
    vanished = warehouse.query(
        "SELECT DISTINCT analysis_date FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@processors) AND analysis_date BETWEEN @start AND @end AND row_count > 0",
        processors=[processor.name for processor in processors],
        start=start,
        end=end,
    )["analysis_date"].to_pylist()
    return tuple(sorted(to_number(day) for day in {*scheduled, *vanished}))


def _record_unpublished(
    warehouse: Warehouse,
    request: RunRequest,
    stamp: Stamp,
    started: int,
    *,
    skip_reason: str | None = None,
    error: str | None = None,
    days: Sequence[int] = (),
) -> None:
    """The history of a run that published nothing: skipped, or failed.

    days: those for which whoever waits for them is told, by a message each, that he waits in vain.
    """
    rows = [
        history_row(
            processor,
            stamp,
            started,
            RUN,
            [request.end],
            [],
            {},
            skip_reason,
            error,
            request.start,
            trigger_source=request.trigger_source,
        )
        for processor in request.processors
    ]
    events = [
        failure_event(
            unpublished(stamp.run_id, processor, to_date(day)),
            TABLES[processor.name],
            instant(stamp.now),
            SKIPPED_TRIGGER if request.skip_downstream_trigger else None,
            request.trigger_source,
            str(error),
        )
        for processor in request.processors
        for day in days
    ]
    with warehouse.transaction({}) as session:
        if not _has_published(session, stamp.run_id):
            insert_records(session, "processor_run_history", rows)
            insert_records(session, "outbox_events", events)


def _has_published(session: Session, run_id: str) -> bool:
    """A job may fail after its last step."""
    recorded = session.query(
        "SELECT COUNT(*) AS n FROM nba_reference.processor_run_history WHERE run_id = @run_id", run_id=run_id
    )
    return bool(recorded["n"][0].as_py())
