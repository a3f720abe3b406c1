"""Whoever runs the product each morning: loads, runs, renews what is stale, and lets tripped breakers through."""

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullcourt.domain.breaker import OVERRIDE
from fullcourt.domain.errors import GateError
from fullcourt.domain.processors import BY_NAME, Phase
from fullcourt.orchestration import breakers
from fullcourt.orchestration.stale import stale
from schemas import TABLES
from tests.houses import LEDGER, House
from tests.soak.story import Story

CONTROL = (*LEDGER, "processor_run_history", "landing_manifest", "consumed_events")
TRAILING = 2  # game days before today that every morning looks at again: what is incomplete is attempted thrice
OVERRIDES_EVERY = 3  # mornings: how often somebody looks at the breakers


@dataclass(frozen=True)
class Morning:
    """What one morning left. control: rows of all control tables; rerun_days: entity days that were stale."""

    number: int
    seconds: float
    bytes: int
    control: int
    rerun_days: int
    left_over: tuple[str, ...]


@dataclass
class Scheduler:
    """Lives through a story in one house. did: how often what happened."""

    house: House
    story: Story
    landing: Path
    did: Counter = field(default_factory=Counter)
    past: list[Morning] = field(default_factory=list)
    _ran: int = 0  # the newest morning with runs

    def live(self) -> None:
        for number in self.story.mornings:
            if number in self.story.outages:
                self.did["outage"] += 1
                continue
            self.morning(number)
            print(self.past[-1], flush=True)  # how far it is, to whoever runs it with -s

    def morning(self, number: int) -> None:
        began = time.perf_counter()
        self.house.now = self.story.now(number)
        self.house.ingest(self.story.land(number, self.landing / str(number)))
        self._run_all(number)
        rerun = self._renew()
        if number % OVERRIDES_EVERY == 0:
            self._override()
        self._ran = number
        self.past.append(
            Morning(
                number,
                time.perf_counter() - began,
                self.house.path.stat().st_size,
                sum(self.house.one(f"SELECT COUNT(*) FROM {TABLES[name].id}") for name in CONTROL),
                rerun,
                tuple(sorted(path.name for path in self.house.path.parent.iterdir() if path != self.house.path)),
            )
        )

    def _run_all(self, number: int) -> None:
        """Today's fixtures, and the days since the last runs, yesterday and the day before at least."""
        days = self.story.days
        first = days[max(0, min(number - TRAILING, self._ran))]
        last = days[min(number, len(days) - 1)]
        for phase in ("analytics", "precompute"):
            self._run(phase, first, last)
        # Yesterday's slate and today's, and those that an outage left out; other days when they are stale.
        self._run("predictions", days[max(0, min(number - 1, self._ran))], last)

    def _renew(self) -> int:
        """Whatever else the morning's news made stale; how many entity days."""
        found = self.stale()
        for run in found["commands"]:
            self.did["rerun"] += 1
            first, last = (dt.date.fromisoformat(run[end]) for end in ("start", "end"))
            self._run(run["phase"], first, last, run["processors"])
        return len(found["entity_days"])

    def stale(self) -> dict[str, Any]:
        days = self.story.days
        return stale(self.house.warehouse, days[0], days[-1], self.house.now)

    def _run(self, phase: str, first: dt.date, last: dt.date, processors: list[str] | None = None) -> None:
        """Somebody looks at a refused publish, finds that schedule or box score changed, and allows it."""
        self.did[phase] += 1
        try:
            self.house.run(phase, first, last, processors)
        except GateError as error:
            if "--allow-demotion" not in str(error):
                raise
            self.did["demotion allowed"] += 1
            self.house.run(phase, first, last, processors, allow_demotion=True)

    def _override(self) -> None:
        """Lets every tripped breaker through once more, and makes the attempt."""
        warehouse, now = self.house.warehouse, self.house.now
        chosen = breakers.select(warehouse)
        tripped = breakers.affected(warehouse, OVERRIDE, chosen, now)
        self.did["override"] += breakers.act(warehouse, OVERRIDE, chosen, now, "operator", "promised for today")
        for phase in ("analytics", "precompute"):
            mine = [row for row in tripped if BY_NAME[row["processor_name"]].phase is Phase[phase.upper()]]
            if mine:
                days = [row["analysis_date"] for row in mine]
                self._run(phase, min(days), max(days), sorted({row["processor_name"] for row in mine}))
