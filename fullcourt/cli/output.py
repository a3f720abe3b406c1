"""Prints results on stdout, and progress and errors on stderr."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fullcourt.cli.options import Format

STDERR = Console(stderr=True)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show(rows: Sequence[Mapping[str, Any]], form: Format, title: str = "") -> None:
    """A list of flat records in the format asked for; an empty list prints no rows, and says so as a table."""
    if form is Format.JSON:
        typer.echo(json.dumps(list(rows), indent=2, default=str))
    elif form is Format.CSV:
        typer.echo(as_csv(rows), nl=False)
    else:
        _show_table(rows, title)


def show_one(report: Mapping[str, Any]) -> None:
    """A nested report as JSON."""
    typer.echo(json.dumps(report, indent=2, default=str))


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Cells that a spreadsheet would run as a formula are quoted as text."""
    text = io.StringIO()
    if rows:
        writer = csv.writer(text)
        writer.writerow(rows[0])
        writer.writerows([[_cell(value) for value in row.values()] for row in rows])
    return text.getvalue()


def _cell(value: Any) -> str:
    plain = _plain(value)
    return f"'{plain}" if plain.startswith(_FORMULA) and not isinstance(value, int | float) else plain


def _show_table(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    if not rows:
        typer.echo(f"{title}: none" if title else "none")
        return
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for name, value in rows[0].items():
        table.add_column(
            name.replace("_", " "), justify="right" if isinstance(value, int | float) else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(_plain(value)) for value in row.values()))  # Text: no markup in data
    console = Console()
    console.width = console.width if console.is_terminal else 200  # a pipe has no width to fit
    console.print(table)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """A spinner on stderr that tells the step under way; plain lines where stderr is no terminal."""
    if not STDERR.is_terminal:
        yield lambda step: STDERR.print(f"{what}: {step}", highlight=False)
        return
    with STDERR.status(what) as status:
        yield lambda step: status.update(f"{what}: {step}")
