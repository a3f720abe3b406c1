"""`fullcourt run`: one phase or all of them, and what they came to."""

import dataclasses
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from fullcourt.cli.options import Format
from fullcourt.cli.output import STDERR, progress, show
from fullcourt.cli.phases import phases_of
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EXIT_GATE, UsageError
from fullcourt.domain.predictions.coordinator import Rules
from fullcourt.domain.processors import CascadePolicy, Phase, select
from fullcourt.orchestration import policy
from fullcourt.orchestration.models import prediction_settings
from fullcourt.orchestration.run import RunRequest, run_phase
from fullcourt.orchestration.strict import refuse_incomplete
from fullcourt.warehouse import open_warehouse

_SHOWN_DAYS = 5


@dataclass(frozen=True)
class Run:
    """What was asked for; the range is closed."""

    warehouse: str
    start: dt.date
    end: dt.date
    now: dt.datetime
    processors: list[str] | None
    allow_demotion: bool
    cascade_policy: CascadePolicy
    model: Path | None
    systems: list[str]
    rules: Rules
    historical: bool
    strict: bool
    fail_on_incomplete: bool
    skip_downstream_trigger: bool
    beam_args: tuple[str, ...]
    detached: bool = False
    recompute: bool = False


def run_phases(name: str, asked: Run, form: Format) -> None:
    """Runs the phases one after the other, and ends in the gate's exit code if any day is not covered.

    A phase that leaves days uncovered does not stop the next: the gate holds back entity by entity.
    """
    phases = phases_of(name)
    if asked.processors is not None and len(phases) > 1:
        raise UsageError("--processors goes with one phase, not with all")
    if asked.detached and len(phases) > 1:
        raise UsageError("--detach goes with one phase: the next one reads what it publishes")
    if asked.detached and asked.fail_on_incomplete:
        raise UsageError("--detach does not wait for what --fail-on-incomplete asks")
    requests = {title: request_of(phase.phase, asked) for title, phase in phases.items()}  # all checked before any runs
    reports, rows = {}, []
    for title, phase in phases.items():
        with progress(f"run {title}") as say:
            reports[title] = report = run_phase(requests[title], phase, say)
        if "skipped" in report:
            continue
        if "detached" in report:
            say_detached(report, form)
            return
        shown = [_without(row, "days_not_covered", "coordinator") for row in report["processors"]]
        if form is Format.TABLE:
            show(shown, form, f"{title}: {report['days']} game days, run {report['run_id']}")
            _say_coordinator(report)
        if "unchanged_since" in report:
            since = report["unchanged_since"]
            STDERR.print(f"{title}: nothing to compute, as nothing changed since run {since}", highlight=False)
        if asked.skip_downstream_trigger:
            held = sum(row["days"] - row["unchanged_days"] for row in report["processors"])
            STDERR.print(f"{title}: {held} completion messages are held in, nothing downstream starts", highlight=False)
        rows += [{"phase": title, **row} for row in shown] if len(phases) > 1 else shown
    if form is not Format.TABLE or not rows:
        show(rows, form, f"No games between {asked.start} and {asked.end}; rows")
    covered = _all_covered([row for report in reports.values() for row in report["processors"]])
    if asked.fail_on_incomplete:
        _stop_if_incomplete(asked, requests, reports)
    if not covered:
        raise typer.Exit(EXIT_GATE)


def request_of(phase: Phase, asked: Run) -> RunRequest:
    chosen = tuple(
        dataclasses.replace(processor, cascade_policy=asked.cascade_policy) if processor.hard else processor
        for processor in select(phase, asked.processors)
    )
    settings: dict[str, Any] = {}
    if phase is Phase.PREDICTIONS:
        settings = prediction_settings(
            start=asked.start,
            end=asked.end,
            today=sports_day(asked.now),
            historical=asked.historical,
            model_file=asked.model,
            rules=asked.rules,
            systems=asked.systems,
        )
    return RunRequest(
        asked.warehouse,
        chosen,
        asked.start,
        asked.end,
        asked.now,
        asked.allow_demotion,
        asked.strict,
        asked.skip_downstream_trigger,
        settings=settings,
        beam_args=asked.beam_args,
        detached=asked.detached,
        recompute=asked.recompute,
    )


def say_detached(report: dict[str, Any], form: Format) -> None:
    """Of a job that nobody waits for there is only its run id yet."""
    show([_without(report, "processors")], form, "Handed over: the job publishes by itself")


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _say_coordinator(report: dict[str, Any]) -> None:
    """The coordinator's line of each day, the last ones of a range."""
    days = [line for row in report["processors"] for line in row.get("coordinator", ())]
    for line in days[-_SHOWN_DAYS:]:
        typer.echo(line)


def _stop_if_incomplete(asked: Run, requests: dict[str, RunRequest], reports: dict[str, dict[str, Any]]) -> None:
    """What was published stands; the DependencyError says what of it is not ready."""
    warehouse = open_warehouse(asked.warehouse)
    chosen = [processor for request in requests.values() for processor in request.processors if processor.windows]
    processors = policy.effective(warehouse, chosen, asked.now)
    gated = {processor.name for processor in processors}
    rows = [row for report in reports.values() for row in report["processors"] if row["processor"] in gated]
    refuse_incomplete(warehouse, processors, asked.start, asked.end, rows)


def _all_covered(rows: list[dict[str, Any]]) -> bool:
    """A day that lacks what it owed is not done: says which."""
    short = {row["processor"]: row["days_not_covered"] for row in rows if row["days_not_covered"]}
    for name, listed in short.items():
        more = f" and {len(listed) - _SHOWN_DAYS} more" if len(listed) > _SHOWN_DAYS else ""
        text = f"{name}: {len(listed)} days are not covered: {', '.join(listed[:_SHOWN_DAYS])}{more}"
        STDERR.print(text, highlight=False, soft_wrap=True)
    return not short
