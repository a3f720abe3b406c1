"""`fullcourt policy`: a processor's threshold, or its gate switched off, for a while and with a reason."""

from typing import Annotated, Any

import typer

from fullcourt.cli.confirm import ByOption, DryRunOption, ReasonOption, YesOption, confirm
from fullcourt.cli.options import DEFAULT_WAREHOUSE, Format, FormatOption, NowOption, WarehouseOption, parse_now
from fullcourt.cli.output import STDERR, show
from fullcourt.domain.errors import UsageError

app = typer.Typer(no_args_is_help=True)


@app.command(name="show")
def show_policies(
    processor: Annotated[str | None, typer.Option(help="Only this processor.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Every change ever made, the newest first.")] = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Lists the gates that are not as the code has them, or every change that was made."""
    from fullcourt.domain.processors import GATED
    from fullcourt.orchestration import breakers, policy
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    chosen = breakers.select(store, processor).processors
    if history:
        show([_readable(row) for row in policy.changes(store, chosen)], form, "Changes of gates")
        return
    rows = [row for row in policy.active(store, parse_now(now)) if row["processor"] in chosen]
    show(rows, form, "Gates that differ from the default")
    if form is Format.TABLE and not rows:
        defaults = sorted({f"{gated.threshold_per_mille / 10:g} %" for gated in GATED if gated.name in chosen})
        typer.echo(f"Every gate is on, with its default threshold of {', '.join(defaults)}.")


@app.command(name="set")
def set_policy(
    processor: Annotated[str, typer.Argument(help="The processor.", show_default=False)],
    reason: ReasonOption,
    by: ByOption,
    threshold: Annotated[float | None, typer.Option(help="Ready from this percentage on, 0.1 to 100.")] = None,
    gate_off: Annotated[
        bool, typer.Option("--gate-off", help="Let through whatever there is something to compute from.")
    ] = False,
    default: Annotated[bool, typer.Option("--default", help="Back to the code's own threshold.")] = False,
    until: Annotated[
        str | None,
        typer.Option(
            help="Lapses at this instant (ISO 8601 with zone), back to the code's own; else when it is set again."
        ),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Changes a processor's gate from the next run on. `health` shows the change while it lasts."""
    from fullcourt.orchestration import policy
    from fullcourt.warehouse import open_warehouse
    from fullcourt.warehouse.ddl import check_schema

    if (threshold is not None) + gate_off + default != 1:
        raise UsageError("expected exactly one of --threshold, --gate-off and --default")
    if threshold is not None and not (0.1 <= threshold <= 100 and round(10 * threshold) == round(10 * threshold, 6)):
        raise UsageError(f"--threshold must be from 0.1 to 100 percent, with one decimal at most, got {threshold:g}")
    per_mille = policy.GATE_OFF if gate_off else None if threshold is None else round(10 * threshold)
    said = "the gate off" if gate_off else "the default" if threshold is None else f"a threshold of {threshold:g} %"
    store, instant = open_warehouse(warehouse), parse_now(now)
    end = parse_now(until) if until else None
    processor = processor.rpartition(".")[2]  # with or without its dataset
    check_schema(store)
    if dry_run:
        policy.check(processor, per_mille, instant, reason, end)
        STDERR.print(f"dry run: {processor} would get {said}; nothing was changed", highlight=False)
        return
    confirm(f"Give {processor} {said}?", yes)
    row = policy.change(store, processor, per_mille, instant, by, reason, end)
    show([_readable(row)], form, f"{processor}: {said} from the next run on")


def _readable(change: dict[str, Any]) -> dict[str, Any]:
    """A change with its threshold in percent; none is the code's own again."""
    per_mille = change["threshold_per_mille"]
    return {
        "processor": change["processor_name"],
        "gate": None if per_mille is None else "off" if per_mille == 0 else "on",
        "threshold_pct": None if per_mille is None else per_mille / 10,
        **{name: change[name] for name in ("set_at", "set_by", "reason", "valid_until")},
    }
