"""The command line. Commands import what they need when they run: `--help` must not wait for Beam."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fullcourt.cli import schema
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    DirectoryArgument,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, progress, show, show_one
from fullcourt.domain.errors import (
    EXIT_ENGINE,
    EXIT_GATE,
    EXIT_INTERRUPTED,
    FullCourtError,
    UsageError,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Completeness gates for sports analytics: nothing is computed from data the schedule says is missing.\n\n"
    "Exit codes: 0 done; 1 stopped at a gate, coverage or verification; 2 usage; 3 engine or infrastructure; "
    "130 interrupted.",
)
app.add_typer(schema.app, name="schema", help="What the warehouse must look like, and what it lacks.")

# Beam's own options, after `--`.
_PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": False}


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log a line per processor and day.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything, and show tracebacks.")] = False,
) -> None:
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("fullcourt").setLevel(logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING)
    if not debug:
        # The runner logs a traceback of every failure; the failure itself reaches the user as one line.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        logging.getLogger().addFilter(lambda record: "apitools" not in record.getMessage())


@app.command()
def init(warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE) -> None:
    """Creates the warehouse, or adds what an existing one lacks."""
    show([schema.apply_plan(warehouse)], form)


@app.command(context_settings=_PASS_THROUGH)
def ingest(
    context: typer.Context,
    directory: DirectoryArgument,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    max_dead_percent: Annotated[
        float, typer.Option(min=0, max=100, help="Share of unreadable rows above which nothing is loaded.")
    ] = 1.0,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Loads a directory of landing files into the raw tables (phase 2)."""
    from fullcourt.orchestration.ingest import IngestRequest
    from fullcourt.orchestration.ingest import ingest as run_ingest
    from pipelines import ingest as pipeline

    request = IngestRequest(warehouse, directory, parse_now(now), max_dead_percent, tuple(context.args))
    with progress("ingest") as say:
        report = run_ingest(request, pipeline, say)
    if form is Format.JSON:
        show_one(report)
        return
    show(report["files"], form, "Landing files")
    if form is Format.TABLE:
        show(report["tables"], form, "Raw tables: rows loaded, games or players covered, and how many of them changed")
    if dead := sum(file["rows_dead"] or 0 for file in report["files"]):
        text = f"{dead} rows could not be read: see nba_orchestration.dead_letters, run {report['run_id']}"
        STDERR.print(text, highlight=False, soft_wrap=True)


@app.command(context_settings=_PASS_THROUGH)
def run(
    context: typer.Context,
    phase: Annotated[str, typer.Argument(help="analytics or precompute.", show_default=False)],
    date: Annotated[str | None, typer.Option(help="One game day, YYYY-MM-DD.")] = None,
    start: Annotated[str | None, typer.Option(help="First day of a range.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day of a range; belongs to it.")] = None,
    processors: Annotated[
        str | None, typer.Option(help="Comma-separated processors; all of the phase by default.")
    ] = None,
    allow_demotion: Annotated[
        bool, typer.Option("--allow-demotion", help="Publish even where many ready rows would stop being ready.")
    ] = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Runs a phase for a day or a range, one job for all of it. Beam's own options go after `--`."""
    from fullcourt.cli.phases import phase_of
    from fullcourt.domain.processors import select
    from fullcourt.orchestration.run import RunRequest, run_phase

    wanted = phase_of(phase)
    names = [name.strip() for name in processors.split(",")] if processors is not None else None
    first, last = _range(date, start, end)
    chosen = select(wanted.phase, names)
    request = RunRequest(warehouse, chosen, first, last, parse_now(now), allow_demotion, beam_args=tuple(context.args))
    with progress(f"run {phase}") as say:
        report = run_phase(request, wanted.pipeline(), say)
    if "skipped" in report:
        show([], form, f"No games between {first} and {last}; rows")
        return
    rows = [{key: value for key, value in row.items() if key != "days_not_covered"} for row in report["processors"]]
    show(rows, form, f"{phase}: {report['days']} game days, run {report['run_id']}")
    _stop_if_not_covered(report)


@app.command()
def check(
    entity: Annotated[str, typer.Argument(help="A team's tricode or a player's name.", show_default=False)],
    date: Annotated[str, typer.Option(help="The game day, YYYY-MM-DD.")],
    processor: Annotated[str | None, typer.Option(help="Only this processor.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows what an entity's windows need on a day, what is there, and the verdict."""
    from fullcourt.cli.check import render
    from fullcourt.orchestration.check import check as run_check
    from fullcourt.warehouse import open_warehouse

    render(run_check(open_warehouse(warehouse), entity, parse_day(date), parse_now(now), processor), form)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("demo"),
) -> None:
    """Simulates half a season with known defects, runs the gate over it, shows what was held back and why."""
    from fullcourt.cli.demo import run_demo

    run_demo(directory)


def _range(date: str | None, start: str | None, end: str | None) -> tuple[Any, Any]:
    if date is not None and start is None and end is None:
        return parse_day(date), parse_day(date)
    if date is None and start is not None and end is not None:
        return parse_day(start), parse_day(end)
    raise UsageError("expected either --date, or both --start and --end")


def _stop_if_not_covered(report: dict[str, Any]) -> None:
    """A day that lacks what it owed is not done: say which, and end in the gate's exit code."""
    short = {row["processor"]: row["days_not_covered"] for row in report["processors"] if row["days_not_covered"]}
    for name, listed in short.items():
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        STDERR.print(
            f"{name}: {len(listed)} days are not covered: {', '.join(listed[:5])}{more}",
            highlight=False,
            soft_wrap=True,
        )
    if short:
        raise typer.Exit(EXIT_GATE)


def main() -> None:
    """Every error leaves as one line on stderr and its documented exit code."""
    try:
        app()
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
