"""Counts what tests did to the product, for docs/reliability.md: `FULLCOURT_FIGURES=FILE pytest …` appends to FILE.

Each process appends lines of its own, so that the sum is right however many workers the tests have.
"""

import json
import os
from collections import Counter
from pathlib import Path

VARIABLE = "FULLCOURT_FIGURES"
KILLS = "processes killed"  # by SIGKILL, at a crash point or at a random time, and followed by what must still hold
BAD_INPUTS = "bad inputs"  # a file, a row or a message that cannot be what it should be, and is refused or put aside


def count(what: str, how_many: int = 1) -> None:
    """Nothing happens without the variable."""
    if (file := os.environ.get(VARIABLE)) and how_many:
        with Path(file).open("a") as lines:
            lines.write(f"{json.dumps([what, int(how_many)])}\n")


def total(file: Path) -> dict[str, int]:
    """The sums of a file's lines."""
    sums: Counter[str] = Counter()
    for line in file.read_text().splitlines():
        what, how_many = json.loads(line)
        sums[what] += how_many
    return dict(sorted(sums.items()))
