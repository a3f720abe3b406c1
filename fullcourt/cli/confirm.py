"""Asks before something is changed that others will meet."""

import getpass
import sys
from typing import Annotated

import typer

from fullcourt.domain.errors import UsageError

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal to ask on.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
ByOption = Annotated[
    str, typer.Option("--by", help="Who does it.", default_factory=getpass.getuser, show_default="you")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the change.")]


def confirm(question: str, yes: bool, *, or_look: str = "--dry-run") -> None:
    """Ends the command unless the answer is yes. or_look: how to look first, where nobody can be asked."""
    if not yes:
        need_terminal(or_look)
        typer.confirm(question, abort=True)


def confirm_by_typing(expected: str, what: str) -> None:
    """Ends the command unless the person types the very text."""
    need_terminal()
    if typer.prompt(f"Type {what} to go on") != expected:
        raise typer.Abort


def need_terminal(or_look: str = "--dry-run") -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"there is no terminal to ask on: expected --yes, or {or_look} to look first")
