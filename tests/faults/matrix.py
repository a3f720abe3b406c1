"""The faults that are tried, and what must come of each. A test of fault 7 is called `test_fault_07_…`.

One test may prove several: `test_fault_01_02_…`. docs/reliability.md is made from this list and the tests' names.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
_NAME = re.compile(r"test_fault_((?:\d\d_)+)")


@dataclass(frozen=True)
class Fault:
    """instead: why the fault cannot occur here as it is named, and what is tried in its place."""

    fault: str
    outcome: str
    instead: str | None = None


@dataclass(frozen=True)
class Proof:
    """A test, and the faults that its name gives it."""

    name: str
    file: str
    faults: tuple[int, ...]


THEMES: dict[str, dict[int, Fault]] = {
    "Killed, raced, cancelled": {
        1: Fault(
            "killed before anything is staged",
            "nothing is left but a claim whose owner is gone, or, of a run, nothing; done again, it completes",
        ),
        2: Fault(
            "killed while rows are staged",
            "every table is as it was; the staged rows are never read, and a clean-up finds and removes them",
        ),
        3: Fault(
            "killed when all is staged and nothing is audited",
            "going on computes and audits anew; what the killed one staged counts for nothing, whatever is in it",
        ),
        4: Fault(
            "killed after the commit, before anybody is told",
            "the slice is done, as its state was committed with its rows; going on publishes nothing twice",
            "the checkpoint is the receipt, which is in the same transaction; killed behind it all the same",
        ),
        5: Fault(
            "killed after the commit, before its messages leave",
            "they wait in the outbox and leave at least once, under the same id, which is taken in once",
        ),
        6: Fault(
            "a step of the pipeline done twice, or twice at once",
            "the same rows; one publish, one line of history, one attempt of each incomplete entity",
        ),
        7: Fault(
            "the same work launched twice",
            "done once: a second run finds it published, a second apply is told who owns it (exit code 4), a second "
            "job of one name is refused",
        ),
        8: Fault(
            "two backfills with days in common",
            "one owner a processor and day; the other is told who, publishes nothing, and ends in 4",
        ),
        9: Fault(
            "an owner that comes back after its lease ended",
            "its publish is refused in the publishing transaction, and it says who has taken over",
        ),
        10: Fault(
            "cancelled half way, then resumed",
            "what was done stays as it was, receipts and all; only the days that are left are computed",
        ),
    },
    "Disks and files": {
        11: Fault(
            "a full disk, or a place that may not be written",
            "exit code 3 and one line that names the place; what was there before can be read, and is what it was",
        ),
        12: Fault(
            "a landing file that is torn, empty or damaged inside",
            "the load is refused by the file's name and changes nothing; what waits for its games stays not ready",
        ),
        13: Fault(
            "a damaged checkpoint",
            "a day whose receipt or rows are damaged is computed again, an altered plan and a broken file are refused "
            "by name: nothing starts over in silence",
            "there is no checkpoint file; tried on what takes its place: receipts, plans, slices, the DuckDB file",
        ),
    },
    "Messages": {
        14: Fault(
            "a message delivered twice, or again after days", "one effect an event id, with its decision on record"
        ),
        15: Fault("messages in another order", "readiness is read from the tables, so any order triggers once"),
        16: Fault("a message that was lost", "the next look at the days finds what is due and triggers it, once"),
        41: Fault(
            "messages kept in by mistake, or let go by mistake",
            "a backfill keeps its messages in unless told otherwise; a run that keeps them in says how many, and they "
            "are listed until they are released",
        ),
    },
    "Rows and columns that come in": {
        17: Fault(
            "values that cannot be: NaN, infinity, bytes, endless text",
            "the row is a dead letter with its field, value and reason, the others load; who lacks the game waits",
        ),
        18: Fault("more than one percent of rows like that", "nothing is published, and the first of them are quoted"),
        19: Fault(
            "the corrected file is loaded, twice",
            "the dead letter is gone and its row there, once; each load is in the manifest under its run",
        ),
        20: Fault(
            "a column renamed, dropped or of another type",
            "refused by name before anything is computed; nothing is defaulted",
        ),
        21: Fault("a column more", "accepted, left out and named by the load; every table is what it is without"),
        22: Fault("rows twice", "sets are counted, so no percentage moves; a load says how many repeats it dropped"),
        23: Fault("rows of games that no schedule has", "counted and ignored; no percentage rises above 100"),
        33: Fault(
            "an upstream that succeeded with no rows",
            "its day has no data and is not done: whoever builds on it waits or stops",
        ),
        34: Fault(
            "a context of one of 187 players",
            "replaced by a synthetic one, counted apart from the real; its rows are not ready, and it is an alert",
        ),
        35: Fault(
            "a substitute that is itself a part", "the day stops, and both counts are said; nothing is computed from it"
        ),
    },
    "Schedule, names, clock": {
        24: Fault(
            "no schedule, a late one, or another season's",
            "an error of the run that says what is loaded (exit code 1), one alert, and no verdict; without fixtures a "
            "day is skipped, and computed once they are there",
        ),
        25: Fault(
            "a game postponed, moved, or there twice",
            "what is expected follows the game by its id to the day it is played; its old day expects nothing",
        ),
        26: Fault(
            "a trade in mid-window, an alias, a name that names nobody",
            "games are owed by the team of the day; an unresolved name is marked as such and excuses nobody",
        ),
        27: Fault(
            "a game past midnight, instants in any zone",
            "it lies on its day in New York, however it is written",
        ),
        28: Fault(
            "clock changes, a leap day, the turn of a season",
            "windows count days and games of the schedule, and end where the season begins",
        ),
        29: Fault(
            "a clock that jumps a day ahead or back",
            "the cooldown ends at its stored instant; nothing is locked for longer, and done is what the tables say",
        ),
    },
    "Breakers and operators": {
        30: Fault("three attempts fail, then the data comes", "the next run computes it and closes the breaker"),
        31: Fault(
            "an override during an attempt, or two of them",
            "both on record, the newest is shown; each lets one attempt through, and then holds back again",
        ),
        32: Fault(
            "an override of many",
            "all are counted and ten shown; of more, their number has to be typed, and anything else changes nothing",
        ),
        36: Fault(
            "exactly 90 percent, and just less: 9/10, 8/9, 18/20, 0/0",
            "integers are compared: the kernel, the engine's SQL and a fallback's rule all say the same",
        ),
        37: Fault(
            "a clean-up that meets a game to come, a failing backup, a late row",
            "only what has expired goes, and only with a backup that was counted; a late row is kept",
        ),
        40: Fault(
            "quotes, backticks, dollars, line ends, formulas in names and texts",
            "a value is bound and comes back as it was, a name that is not declared is refused; CSV and HTML escape it",
        ),
    },
    "The cloud, the network, size": {
        38: Fault(
            "BigQuery answers 403, 503, 409, or not yet",
            "asking is repeated for a minute, waiting longer each time; a job is asked for by its id, never twice, "
            "a quota that is used up ends in 3",
        ),
        39: Fault("a load that is done, with rows missing", "the count does not add up, and nothing is published"),
        42: Fault(
            "whoever launched a job dies",
            "the job is found by its id, or by its name, and adopted; none is launched beside it",
        ),
        43: Fault("no network", "the product works on this machine without one; nothing is fetched while it runs"),
        44: Fault(
            "ten times the rows, or a million under one key",
            "the same rows come out, and memory grows by less than 600 bytes a row",
        ),
    },
}
FAULTS: dict[int, Fault] = dict(sorted(item for theme in THEMES.values() for item in theme.items()))


def proofs() -> list[Proof]:
    """Every test whose name gives it a fault, by file and line."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (match := _NAME.match(node.name)):
                numbers = tuple(int(number) for number in match[1].rstrip("_").split("_"))
                found.append(Proof(node.name, path.relative_to(TESTS.parent).as_posix(), numbers))
    return found
