"""The receipt of a published (processor, day): what was written, held back and covered. It is the day's checkpoint."""

import datetime as dt
import logging
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from fullcourt.domain.breaker import ATTEMPTS_BEFORE_TRIP, COOLDOWN_HOURS
from fullcourt.domain.calendar import BOOTSTRAP_DAYS
from fullcourt.domain.days import to_number
from fullcourt.domain.fallback import reads_context
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Processor
from fullcourt.domain.rosters import UNLISTED_GAMES
from fullcourt.domain.rows import Stamp
from fullcourt.orchestration import coverage
from fullcourt.orchestration.history import instant
from schemas import TABLES

LOG = logging.getLogger(__name__)

UPGC, SYNTHETIC_PGS = "UPGC", "SYNTHETIC_PGS"  # where the players' context of a day came from
NOTHING_OWED = {"expected": 0, "written": 0, "explained": 0, "finals": 0}


class Run(Protocol):
    """What a receipt says of its run."""

    @property
    def stamp(self) -> Stamp: ...

    @property
    def mode(self) -> str: ...

    @property
    def forced(self) -> bool: ...

    @property
    def synthetic_days(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Day:
    """A processor's day as the run counted it; counts are columns of the receipt."""

    date: dt.date
    fingerprint: str
    counts: dict[str, Any]
    demoted: int
    max_null_share: float | None


def make_receipt(
    *, run: Run, processor: Processor, day: Day, owed: dict[str, int], last: dict[str, Any]
) -> dict[str, Any]:
    """A row of publish_receipts.

    owed: expected, written, explained and finals, read back (coverage_sql).
    last: the day's newest receipt so far, empty if it has none; this one comes after it whatever the clock says.
    """
    now = instant(run.stamp.now)
    synthetic = reads_context(processor) and to_number(day.date) in run.synthetic_days
    identity = {
        "processor": processor.name,
        "day": day.date,
        "fingerprint": day.fingerprint,
        "after": last.get("publish_id"),
    }
    return {
        "publish_id": hash_settings(identity),
        "run_id": run.stamp.run_id,
        "processor_name": processor.name,
        "phase": processor.phase.value,
        "analysis_date": day.date,
        "output_table": TABLES[processor.name].id,
        "fingerprint": day.fingerprint,
        **day.counts,
        **coverage_of(owed, day.counts["row_count"]),
        "coverage_synthetic": owed["written"] if synthetic else 0,
        "demoted_count": day.demoted,
        "max_null_share": day.max_null_share,
        "data_source": (SYNTHETIC_PGS if synthetic else UPGC) if reads_context(processor) else None,
        "mode": run.mode,
        "forced": run.forced,
        "processor_version": processor.version,
        "config_hash": config_hash(processor, run.mode),
        "published_at": max(now, last["published_at"] + dt.timedelta(microseconds=1)) if last else now,
    }


def coverage_of(owed: dict[str, int], rows: int) -> dict[str, Any]:
    """What a receipt says of how much of what a day owed is there. rows: written, owed or not."""
    expected = owed["expected"]
    percent = 100.0 * (owed["written"] + owed["explained"]) / expected if expected else None
    return {
        "status": _status(percent, owed["finals"], rows),
        "coverage_expected": expected,
        "coverage_written": owed["written"],
        "coverage_explained": owed["explained"],
        "coverage_pct": percent,
    }


@cache
def config_hash(processor: Processor, mode: str) -> str:
    """Of what is configured: thresholds, windows, the rules' numbers, the code's version, run or backfill."""
    rules = (ATTEMPTS_BEFORE_TRIP, COOLDOWN_HOURS, BOOTSTRAP_DAYS, UNLISTED_GAMES)
    return hash_settings({"processor": repr(processor), "rules": rules, "mode": mode})


def figures(receipt: dict[str, Any]) -> tuple[Any, ...]:
    """What a day's receipt says of its coverage, and whether it was forced through."""
    named = ("status", "coverage_expected", "coverage_written", "coverage_explained")
    forced = receipt["forced"] and receipt["status"] != "COMPLETE"
    return (*(receipt[name] for name in named), forced)


def log_day(receipt: dict[str, Any]) -> None:
    """One line a processor and day."""
    written = receipt["ready_count"] + receipt["flagged_count"]
    held_back = sum(receipt[f"{kind}_count"] for kind in ("incomplete", "blocked", "excluded", "dead_letter"))
    mean = receipt["mean_completeness_pct"]
    LOG.info(
        "%s %s: written %d, held back %d, mean completeness %s",
        receipt["processor_name"],
        receipt["analysis_date"],
        written,
        held_back,
        "none" if mean is None else f"{mean:.1f} %",
    )
    if thinly_covered(receipt):
        LOG.warning("%s %s: %s", receipt["processor_name"], receipt["analysis_date"], thinly_covered(receipt))


def thinly_covered(receipt: dict[str, Any]) -> str | None:
    """The warning for a day that passes, with less than 95 % of what it owed; None for others."""
    percent = receipt["coverage_pct"]
    if percent is None or not coverage.PASS_PERCENT <= percent < coverage.WARNING_PERCENT:
        return None
    return f"{percent:.1f} % of what it owed is there or explained"


def _status(percent: float | None, finals: int, rows: int) -> str:
    """COMPLETE: nothing was owed, or 90 % of it is there or explained. NO_DATA: games were played, nothing is there."""
    if percent is None and not finals:
        return "COMPLETE"
    if percent is not None and percent >= coverage.PASS_PERCENT:
        return "COMPLETE"
    return "INCOMPLETE" if rows else "NO_DATA"
