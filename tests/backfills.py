"""Backfills as tests run them: a plan made and applied in this process, and what is left in the ledger."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from fullcourt.cli.phases import PHASES
from fullcourt.domain.backfill import State
from fullcourt.orchestration.backfill import inputs, planning, plans
from fullcourt.orchestration.backfill.apply import How, Result, Say, apply
from fullcourt.orchestration.backfill.plans import Options, Plan
from fullcourt.orchestration.backfill.work import FixedClock
from tests.houses import House


def plan(
    house: House,
    days: Sequence[dt.date],
    phases: str = "all",
    processors: list[str] | None = None,
    now: dt.datetime | None = None,
    **options: Any,
) -> Plan:
    """Made and stored."""
    at = now or house.now
    chosen = planning.select_phases(phases.split(","))
    made = planning.make(house.warehouse, days, chosen, processors, Options(**options), at, PHASES)
    plans.store(
        house.warehouse, made, planning.estimate(house.warehouse, made, [set()] * len(made.stages), PHASES), "tester"
    )
    return made


def carry_out(
    house: House,
    made: Plan,
    *,
    goes_on: bool = False,
    parallel: int = 1,
    now: dt.datetime | None = None,
    say: Say = lambda _: None,
) -> Result:
    return apply(made, How(house.url, PHASES, FixedClock(now or house.now), parallel, goes_on), say)


def states(house: House, made: Plan) -> list[State]:
    """Of the slices, in order."""
    rows = house.query(
        "SELECT state FROM nba_orchestration.backfill_slices WHERE plan_id = @plan_id ORDER BY slice_number",
        plan_id=made.plan_id,
    )
    return [State(row["state"]) for row in rows]


def left(house: House, made: Plan, now: dt.datetime | None = None) -> int:
    """Stage-days that are not done from the inputs as they are."""
    done = inputs.done_days(house.warehouse, made, now or house.now, PHASES)
    return sum(len(made.days) - len(days) for days in done)
