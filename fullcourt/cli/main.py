"""The command line. Commands import what they need when they run: `--help` must not wait for Beam."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from fullcourt.cli import (
    backfill,
    breaker,
    cleanup,
    events,
    explain,
    gaps,
    health,
    logs,
    models,
    policy,
    repair_plan,
    report,
    schema,
    stale,
    template,
    verify,
)
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    PASS_THROUGH,
    DetachOption,
    DirectoryArgument,
    Format,
    FormatOption,
    NowOption,
    SkipTriggerOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, progress, show, show_one
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EXIT_ENGINE, EXIT_INTERRUPTED, FullCourtError, UsageError
from fullcourt.domain.processors import CascadePolicy

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Completeness gates for sports analytics: nothing is computed from data the schedule says is missing.\n\n"
    "Exit codes: 0 done; 1 stopped at a gate, coverage or verification; 2 usage; 3 engine or infrastructure; "
    "4 days left over, or owned by another run; 130 interrupted.",
)
# The panels of --help, in the order in which a newcomer needs them.
SET_UP, DAILY, WATCH, REPAIR, MODEL = "Set up", "Every day", "What is wrong", "Setting it right", "The points model"


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log a line per processor and day.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything, and show tracebacks.")] = False,
) -> None:
    logs.configure(verbose, debug)


@app.command(rich_help_panel=SET_UP)
def init(warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE) -> None:
    """Creates the warehouse, or adds what an existing one lacks."""
    show([schema.apply_plan(warehouse)], form)


@app.command(context_settings=PASS_THROUGH, rich_help_panel=DAILY)
def ingest(
    context: typer.Context,
    directory: DirectoryArgument,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    max_dead_percent: Annotated[
        float, typer.Option(min=0, max=100, help="Share of unreadable rows above which nothing is loaded.")
    ] = 1.0,
    skip_downstream_trigger: SkipTriggerOption = False,
    detach: DetachOption = False,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Loads a directory of landing files into the raw tables (phase 2)."""
    from fullcourt.orchestration.ingest import IngestRequest
    from fullcourt.orchestration.ingest import ingest as run_ingest
    from pipelines import ingest as pipeline

    request = IngestRequest(
        warehouse,
        directory,
        parse_now(now),
        max_dead_percent,
        tuple(context.args),
        detach,
        skip_downstream_trigger,
    )
    with progress("ingest") as say:
        report = run_ingest(request, pipeline, say)
    if not detach:
        events.say_announced(report["announced"], skip_downstream_trigger)
        events.announce(warehouse, request.now)
    if detach:
        from fullcourt.cli.runs import say_detached

        say_detached(report, form)
        return
    if form is Format.JSON:
        show_one(report)
        return
    show(report["files"], form, "Landing files")
    if form is Format.TABLE:
        show(report["tables"], form, "Raw tables: rows loaded, games or players covered, and how many of them changed")
    if dead := sum(file["rows_dead"] or 0 for file in report["files"]):
        text = f"{dead} rows could not be read: see nba_orchestration.dead_letters, run {report['run_id']}"
        STDERR.print(text, highlight=False, soft_wrap=True)


@app.command(context_settings=PASS_THROUGH, rich_help_panel=DAILY)
def run(
    context: typer.Context,
    phase: Annotated[str, typer.Argument(help="analytics, precompute, predictions, or all.", show_default=False)],
    date: Annotated[str | None, typer.Option(help="One game day, YYYY-MM-DD.")] = None,
    start: Annotated[str | None, typer.Option(help="First day of a range.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day of a range; belongs to it.")] = None,
    processors: Annotated[
        str | None, typer.Option(help="Comma-separated processors; all of the phase by default.")
    ] = None,
    allow_demotion: Annotated[
        bool, typer.Option("--allow-demotion", help="Publish even where many ready rows would stop being ready.")
    ] = False,
    cascade_policy: Annotated[
        CascadePolicy,
        typer.Option(help="An entity whose upstream processor is not ready: computed and flagged, or not."),
    ] = CascadePolicy.FLAG,
    model: Annotated[
        Path | None,
        typer.Option(envvar="FULLCOURT_MODEL", help="Predictions: the model of xgboost_v1; else its stand-in."),
    ] = None,
    systems: Annotated[str | None, typer.Option(help="Predictions: comma-separated systems; all by default.")] = None,
    minimum_minutes: Annotated[
        float, typer.Option(help="Predictions: minutes a game, over 7 days, from which a player is predicted.")
    ] = 15.0,
    minimum_quality: Annotated[
        float, typer.Option(help="Predictions: feature quality, 0-100, from which a player is predicted.")
    ] = 70.0,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Precompute: before anything is computed, refuse where an upstream processor's run of the game day "
            "before is not safe, or game days of the look-back lack it.",
        ),
    ] = False,
    fail_on_incomplete: Annotated[
        bool, typer.Option("--fail-on-incomplete", help="After publishing, end in 1 if any entity is not ready.")
    ] = False,
    historical: Annotated[
        bool, typer.Option("--historical", help="Predictions: of days that lie more than 30 days back too.")
    ] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute even where nothing changed since the run before.")
    ] = False,
    skip_downstream_trigger: SkipTriggerOption = False,
    detach: DetachOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Runs a phase, or all in order, for a day or a range, one job a phase. Beam's own options go after `--`."""
    from fullcourt.cli.runs import Run, run_phases
    from fullcourt.domain.predictions.coordinator import Rules

    first, last = _range(date, start, end)
    asked = Run(
        warehouse=warehouse,
        start=first,
        end=last,
        now=parse_now(now),
        processors=_names(processors),
        allow_demotion=allow_demotion,
        cascade_policy=cascade_policy,
        model=model,
        systems=_names(systems) or [],
        rules=Rules(minimum_minutes, minimum_quality),
        historical=historical,
        strict=strict,
        fail_on_incomplete=fail_on_incomplete,
        skip_downstream_trigger=skip_downstream_trigger,
        beam_args=tuple(context.args),
        detached=detach,
        recompute=recompute,
    )
    try:
        run_phases(phase, asked, form)
    finally:  # what was published is told, whatever came after it
        events.announce(warehouse, asked.now)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",")] if text is not None else None


@app.command(rich_help_panel=WATCH)
def check(
    entity: Annotated[str, typer.Argument(help="A team's tricode or a player's name.", show_default=False)],
    date: Annotated[str | None, typer.Option(help="The game day, YYYY-MM-DD; today's sports day by default.")] = None,
    processor: Annotated[str | None, typer.Option(help="Only this processor.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows what an entity's windows need on a day, what is there, and the verdict."""
    from fullcourt.cli.check import render
    from fullcourt.orchestration.check import check as run_check
    from fullcourt.warehouse import open_warehouse

    instant = parse_now(now)
    day = sports_day(instant) if date is None else parse_day(date)
    render(run_check(open_warehouse(warehouse), entity, day, instant, processor), form)


@app.command(rich_help_panel=SET_UP)
def demo(
    directory: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("demo"),
) -> None:
    """Simulates half a season with known defects, runs the gate over it, shows what was held back and why."""
    from fullcourt.cli.demo import run_demo

    run_demo(directory)


app.add_typer(
    schema.app, name="schema", help="What the warehouse must look like, and what it lacks.", rich_help_panel=SET_UP
)
for panel, commands in {
    WATCH: (health.health, explain.explain, gaps.gaps, verify.verify, stale.stale, report.report),
    REPAIR: (repair_plan.repair_plan,),
    MODEL: (models.train, models.grade),
}.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(
    backfill.app,
    name="backfill",
    help="Past days computed anew: planned, applied in parallel, read back, resumed.",
    rich_help_panel=REPAIR,
)
app.add_typer(
    breaker.app,
    name="breaker",
    help="Circuit breakers: what they hold back, and letting it through.",
    rich_help_panel=REPAIR,
)
app.add_typer(
    policy.app,
    name="policy",
    help="A processor's threshold, or its gate switched off, with a reason.",
    rich_help_panel=REPAIR,
)
app.add_typer(
    cleanup.app,
    name="cleanup",
    help="What has expired or was left behind, moved away with a backup, and put back.",
    rich_help_panel=REPAIR,
)
app.add_typer(
    events.app,
    name="events",
    help="Messages from one phase to the next: sent, listened to, looked for when one was lost.",
    rich_help_panel=DAILY,
)
app.add_typer(
    template.app,
    name="template",
    help="The pipelines as jobs of Dataflow: what a template is made of, and launching one.",
    rich_help_panel=DAILY,
)


def _range(date: str | None, start: str | None, end: str | None) -> tuple[Any, Any]:
    if date is not None and start is None and end is None:
        return parse_day(date), parse_day(date)
    if date is None and start is not None and end is not None:
        return parse_day(start), parse_day(end)
    raise UsageError("expected either --date, or both --start and --end")


def main(*command: str, commands: Callable[[list[str]], Any] = app) -> None:
    """Runs argv, behind the words of a command if any; an error leaves as one line and its documented exit code."""
    try:
        commands([*command, *sys.argv[1:]])
    except FullCourtError as error:
        STDERR.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        text = f"error: {type(error).__name__}: {error}; `fullcourt --debug …` shows where"
        STDERR.print(text, markup=False, highlight=False, soft_wrap=True)
        sys.exit(EXIT_ENGINE)
