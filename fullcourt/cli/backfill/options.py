"""What the commands can be told; each group of options is written once, for all the commands that take it."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fullcourt.cli.confirm import ByOption, YesOption
from fullcourt.cli.on import On, Where
from fullcourt.cli.options import parse_day
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import UsageError
from fullcourt.domain.processors import CascadePolicy

if TYPE_CHECKING:
    from fullcourt.orchestration.backfill.jobs import Jobs
    from fullcourt.orchestration.backfill.plans import Options, Plan

_DEFAULT_DAYS = 7
_NAMED = "raw, analytics, precompute, predictions, or all, which is the first three"

PlanArgument = Annotated[str, typer.Argument(help="The plan's id, or its beginning.", show_default=False)]


@dataclass(frozen=True)
class Asked:
    """What a plan is made of: which days of which processors, and how they are to be computed."""

    start: Annotated[
        str | None, typer.Option(help="First day, YYYY-MM-DD; a week ago by default.", show_default=False)
    ] = None
    end: Annotated[
        str | None, typer.Option(help="Last day; belongs to the range; yesterday by default.", show_default=False)
    ] = None
    dates: Annotated[str | None, typer.Option(help="Comma-separated days instead of a range.")] = None
    phases: Annotated[str, typer.Option(help=f"Comma-separated: {_NAMED}.")] = "all"
    processors: Annotated[str | None, typer.Option(help="Comma-separated; all of the phases by default.")] = None
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Gates and coverage stop nothing, what is incomplete is computed; all of it stamped."
        ),
    ] = False
    strict_preflight: Annotated[
        bool,
        typer.Option(
            "--strict-preflight", help="Refuse where a day has a stale rest of its context, do not fall back."
        ),
    ] = False
    allow_demotion: Annotated[
        bool, typer.Option("--allow-demotion", help="Publish even where many ready rows would stop being ready.")
    ] = False
    trigger_downstream: Annotated[
        bool, typer.Option("--trigger-downstream", help="Send the completion messages of the last phase.")
    ] = False
    cascade_policy: Annotated[
        CascadePolicy,
        typer.Option(help="An entity whose upstream processor is not ready: computed and flagged, or not."),
    ] = CascadePolicy.FLAG
    slice_days: Annotated[
        int, typer.Option(min=1, help="Game days that are claimed, computed and published together.")
    ] = 60
    model: Annotated[
        Path | None,
        typer.Option(envvar="FULLCOURT_MODEL", help="Predictions: the model of xgboost_v1; else its stand-in."),
    ] = None

    def days(self, now: dt.datetime) -> list[dt.date]:
        """Every day asked for, game day or not."""
        if self.dates is not None:
            if self.start is not None or self.end is not None:
                raise UsageError("--dates excludes --start and --end")
            return sorted({parse_day(text) for text in _names(self.dates)})
        last = parse_day(self.end) if self.end is not None else sports_day(now) - dt.timedelta(1)
        first = parse_day(self.start) if self.start is not None else last - dt.timedelta(_DEFAULT_DAYS - 1)
        if first > last:
            raise UsageError(f"the first day must not be after the last: start={first}, end={last}")
        return [first + dt.timedelta(number) for number in range((last - first).days + 1)]

    @property
    def phase_names(self) -> list[str]:
        return _names(self.phases)

    @property
    def processor_names(self) -> list[str] | None:
        """None: all of the phases."""
        return None if self.processors is None else _names(self.processors)

    def options(self) -> "Options":
        from fullcourt.orchestration.backfill.plans import Options

        return Options(
            force=self.force,
            strict_preflight=self.strict_preflight,
            allow_demotion=self.allow_demotion,
            trigger_downstream=self.trigger_downstream,
            cascade_policy=self.cascade_policy,
            slice_days=self.slice_days,
            model=str(self.model.absolute()) if self.model else None,
        )


@dataclass(frozen=True, kw_only=True)
class Applying:
    """How a plan is applied, and by whom."""

    by: ByOption
    parallel: Annotated[
        int,
        typer.Option(min=1, help="Slices at once.", default_factory=lambda: os.cpu_count() or 1, show_default="cores"),
    ]
    on_error: Annotated[
        str,
        typer.Option(help="stop: begin nothing after a day that failed. continue: go on to the end, and list them."),
    ] = "stop"

    def __post_init__(self) -> None:
        if self.on_error not in ("stop", "continue"):
            raise UsageError(f"unknown --on-error {self.on_error!r}: expected stop or continue")

    @property
    def goes_on(self) -> bool:
        return self.on_error == "continue"


@dataclass(frozen=True, kw_only=True)
class TakingUp(Applying):
    """The same, of a plan that is stored."""

    plan_id: PlanArgument
    replan: Annotated[
        bool, typer.Option("--replan", help="Where its inputs moved since, plan the same again, and apply that.")
    ] = False
    yes: YesOption = False


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def jobs(where: On, plan: "Plan", warehouse: str, beam_args: Sequence[str]) -> "Jobs | None":
    """How slices become jobs; None: they do not. UsageError for what workers elsewhere cannot see, or are not told."""
    if where.on is Where.HERE:
        return None
    from fullcourt.cli.template_parameters import BACKFILL, PHASE, checked
    from fullcourt.domain.backfill import job_name
    from fullcourt.orchestration.backfill.jobs import Jobs

    if beam_args:
        raise UsageError(f"{beam_args[0]} does not reach the jobs of a template: expected nothing after `--`")
    if plan.options.model:
        raise UsageError(f"a job cannot read the model {plan.options.model}: expected a plan without --model")
    service, parameters = where.service, {PHASE: BACKFILL, "warehouse": warehouse}
    if not service.on_this_machine:
        one = {"plan_id": plan.plan_id, "slice_number": "0", "token": "1", "days": str(plan.days[0])}
        checked(BACKFILL, {**one, **parameters})
    labels = [f"plan={plan.plan_id.lower()}", *(where.label or ())]
    name = job_name(plan.plan_id, 0, 1)  # of no job: each has its own
    return Jobs(service, where.workers.unchecked_job(BACKFILL, where.spec, parameters, name, labels))
