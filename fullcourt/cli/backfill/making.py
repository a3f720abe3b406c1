"""Makes plans, and looks at what each would do before it is stored or applied."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from fullcourt.cli.backfill.options import Asked
from fullcourt.cli.output import progress
from fullcourt.cli.phases import PHASES

if TYPE_CHECKING:
    from fullcourt.orchestration.backfill.plans import Plan
    from fullcourt.warehouse import Warehouse


def make(store: "Warehouse", asked: Asked, now: dt.datetime) -> "Plan":
    """Not stored yet."""
    from fullcourt.orchestration.backfill import planning

    options, days = asked.options(), asked.days(now)
    phases = planning.select_phases(asked.phase_names)
    with progress("backfill plan") as say:
        say("reading the inputs")
        return planning.make(store, days, phases, asked.processor_names, options, now, PHASES)


def look(store: "Warehouse", made: "Plan", now: dt.datetime) -> dict[str, Any]:
    """What the plan would do, what is done already, and what stands in the way."""
    from fullcourt.orchestration.backfill import inputs, planning
    from fullcourt.orchestration.backfill.apply import read_back
    from fullcourt.orchestration.backfill.plans import RAW

    with progress("backfill plan") as say:
        say("reading what is done")
        done = inputs.done_days(store, made, now, PHASES)
        say("asking the gates")
        inspected = planning.findings(store, made, now)
        runs = planning.upstream_runs(store, made, now)
        unverified = read_back(made, RAW, store, now, say) if RAW in made.phases else []
        estimated = planning.estimate(store, made, done, PHASES)
    stages = [
        {
            "phase": stage.phase,
            "processors": list(stage.names),
            "game_days": len(made.days),
            "done_before": len(there),
            "to_do": len(made.days) - len(there),
        }
        for stage, there in zip(made.stages, done, strict=True)
    ]
    left = sum((len(made.days) - len(there)) * len(stage.names) for stage, there in zip(made.stages, done, strict=True))
    return {
        "plan": made.plan_id,
        "first_day": made.days[0],
        "last_day": made.days[-1],
        "game_days": len(made.days),
        "off_days": list(made.off_days),
        "phases": list(made.phases),
        "slices": len(made.slices),
        "days_left": left,
        "estimated_rows": estimated["rows"],
        "estimated_bytes": estimated["bytes"],
        "stages": stages,
        "findings": [
            {"day": finding.day, "phase": stage.phase, "stops": finding.stops, "finding": finding.what}
            for stage, inspection in inspected
            for finding in inspection.findings
        ],
        "upstream_runs": runs,
        "unverified": unverified,
    }


def store_looked_at(store: "Warehouse", made: "Plan", looked: dict[str, Any], by: str) -> None:
    from fullcourt.orchestration.backfill import plans

    plans.store(store, made, {"rows": looked["estimated_rows"], "bytes": looked["estimated_bytes"]}, by)
