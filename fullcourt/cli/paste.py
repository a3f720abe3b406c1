"""Commands that are printed to be pasted."""

import os
import shlex

from fullcourt.cli.options import DEFAULT_WAREHOUSE

_COMMAND = "fullcourt "


def pasted(command: str, warehouse: str) -> str:
    """The command, or several with `; ` between them, with the warehouse in use unless that is the usual one."""
    if warehouse == os.environ.get("FULLCOURT_WAREHOUSE", DEFAULT_WAREHOUSE):
        return command
    parts = command.split("; ")
    return "; ".join(
        f"{part} --warehouse {shlex.quote(warehouse)}" if part.startswith(_COMMAND) else part for part in parts
    )
