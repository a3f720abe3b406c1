"""Runs one program as a process of its own, and says how long it took and how much memory it held."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_WATCHED = Path(__file__).with_name("watched.py")


@dataclass(frozen=True)
class Timing:
    """One whole process, cold: wall seconds, and peak memory in MiB.

    Memory is the operating system's own peak of the process or, where more, the greatest sum of resident sizes seen in
    its tree of processes, looked at ten times a second: pages that they share count in each.
    """

    seconds: float
    peak_mib: float


class ProgramError(RuntimeError):
    """The program ended in another exit code than those expected."""


def measure(command: Sequence[str], expected: Sequence[int] = (0,)) -> Timing:
    """ProgramError quotes the end of what the program said."""
    watched = [sys.executable, "-I", "-S", str(_WATCHED), *command]
    seen = json.loads(subprocess.run(watched, stdout=subprocess.PIPE, check=True).stdout)
    if seen["exit_code"] not in expected:
        raise ProgramError(f"{' '.join(command)} ended in {seen['exit_code']}: {seen['said']}")
    return Timing(seen["seconds"], seen["peak_mib"])


def fresh(out: Path) -> Path:
    """The same place, empty: each run writes anew."""
    shutil.rmtree(out, ignore_errors=True)
    return out
