"""`fullcourt cleanup`: what has expired or was left behind, moved away with a backup, and put back."""

from typing import Annotated, Any

import typer

from fullcourt.cli.confirm import DryRunOption, YesOption, confirm
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, show, show_one
from fullcourt.domain.alerts import CLEANUP_LIMIT
from fullcourt.domain.errors import EXIT_GATE

app = typer.Typer(no_args_is_help=True)


@app.command()
def upcoming(
    days: Annotated[int, typer.Option(min=1, help="Days a row is kept after its game day, US Eastern.")] = 7,
    skip_backup: Annotated[
        bool, typer.Option("--skip-backup", help="Copy no rows to a backup; they move to the history all the same.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Moves rows of the upcoming tables that are long past to their history, with a backup; nothing reads differently.

    Exit code 1 when a table could not be cleaned; it is then as it was.
    """
    from fullcourt.orchestration import cleanup
    from fullcourt.warehouse import open_warehouse

    store, instant = open_warehouse(warehouse), parse_now(now)
    found, before = cleanup.expired(store, instant, days), cleanup.cutoff(instant, days)
    total = sum(row["stale_rows"] for row in found)
    _preview(f"rows of game days before {before}", found)
    if skip_backup:
        _say("no backup is made: the rows move to the history, and `fullcourt cleanup restore` cannot put them back")
    if dry_run:
        _dry_run([{**row, "cutoff": before} for row in found], form, f"Would clean up {_rows(total)}")
        return
    if total:
        confirm(f"Delete {_rows(total)}?", yes)
    report = cleanup.clean(store, instant, days, backup=not skip_backup)
    if form is Format.JSON:
        show_one(report)
    else:
        show(report["tables"], form, f"Cleaned up {_rows(report['total_records_deleted'])}")
    if report["total_records_deleted"] > CLEANUP_LIMIT:
        answer = "they are in the history" if skip_backup else "`fullcourt cleanup restore` puts them back"
        _say(f"warning: more than {CLEANUP_LIMIT} rows were deleted; {answer}")
    if report["errors"]:
        raise typer.Exit(EXIT_GATE)


@app.command()
def restore(
    date: Annotated[str, typer.Option(help="The day on which the backup was made, YYYYMMDD.")],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Gives the game days in a backup the rows it holds, in the place of those they have now; twice is the same."""
    from fullcourt.orchestration import cleanup
    from fullcourt.warehouse import open_warehouse

    store, instant, day = open_warehouse(warehouse), parse_now(now), parse_day(date)
    found = cleanup.restorable(store, day)
    total = sum(row["rows"] for row in found)
    _preview(f"in the backup of {day}", found)
    if dry_run:
        _dry_run(found, form, f"Would put back {_rows(total)}")
        return
    confirm(f"Put back {_rows(total)}?", yes)
    show(cleanup.restore(store, day, instant), form, f"Put back {_rows(total)}")


@app.command()
def backups(
    keep: Annotated[int | None, typer.Option(min=0, help="Drop all but those of the newest so many days.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
) -> None:
    """Lists the backups that clean-ups made, the newest first, or drops old ones."""
    from fullcourt.orchestration import cleanup
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    found = cleanup.backups(store)
    if keep is None:
        show(found, form, "Backups")
        return
    kept = list(dict.fromkeys(row["day"] for row in found))[:keep]
    dropped = [row for row in found if row["day"] not in kept]
    if dry_run:
        _dry_run(dropped, form, f"Would drop {len(dropped)} backups")
        return
    if dropped:
        confirm(f"Drop {len(dropped)} backups?", yes)
        cleanup.drop(store, dropped)
    show(dropped, form, f"Dropped {len(dropped)} backups")


@app.command()
def staging(
    older_than: Annotated[float, typer.Option(min=0, help="Hours in which nothing happened in a directory.")] = 24,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Removes the staging directories that killed runs left behind; one under way writes to its own."""
    from fullcourt.orchestration import cleanup
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    found = cleanup.orphans(store, parse_now(now), older_than)
    if dry_run:
        _dry_run(found, form, f"Would remove {len(found)} staging directories")
        return
    if found:
        _preview(f"idle for more than {older_than:g} hours", found)
        confirm(f"Remove {len(found)} staging directories?", yes)
        cleanup.sweep(store, [row["run_id"] for row in found])
    show(found, form, f"Removed {len(found)} staging directories")


def _preview(what: str, rows: list[dict[str, Any]]) -> None:
    _say(f"{what}:")
    for row in rows:
        _say("  " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items() if value is not None))


def _dry_run(rows: list[dict[str, Any]], form: Format, title: str) -> None:
    _say("dry run: nothing was changed")
    show(rows, form, title)


def _say(text: str) -> None:
    STDERR.print(text, markup=False, highlight=False, soft_wrap=True)


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
