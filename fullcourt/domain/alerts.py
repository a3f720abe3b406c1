"""What monitoring calls good and what wakes a person: service levels, bands, limits, and the causes of alerts.

The numbers are those of domain section 8.3, each said once; the query `alerts` applies them, and `health`, the
dashboard and the alert rules read that query.  An alert is a cause, not an entity: one lost game day is one alert.
"""

import enum
from dataclasses import dataclass

# Bands of the share of a processor's rows of a day that are ready, percent.
READY_EXCELLENT = 95
READY_GOOD = 90
READY_WARNING = 80

# Service levels: the target, and the limit beyond which it is an alert.
READY_TARGET, READY_LIMIT = 95, 90  # percent of a processor's rows of a day
COMPLETENESS_TARGET, COMPLETENESS_LIMIT = 92, 85  # mean percent of a processor's rows of a day
BREAKERS_TARGET, BREAKERS_LIMIT = 5, 10  # breakers open at once
RESPONSE_TARGET_HOURS, RESPONSE_LIMIT_HOURS = 4, 24  # that a breaker stays open without anybody acting on it

# Other alerts.
BREAKERS_CRITICAL = 20  # breakers open at once
PROCESSORS_CRITICAL = 6  # processors failing at once
JUDGED_DAYS = 14  # a processor's newest verdicts are looked for within so many days
FALL_POINTS, FALL_DAYS = 5, 7  # percentage points of mean completeness, against the mean of so many days
TRIP_RATE_LIMIT = 5  # percent of a processor's entities of a day whose breaker tripped
MOST_OPEN_LIMIT = 50  # percent of the day's entities behind an open breaker: an outage
BOOTSTRAP_LIMIT = 5  # percent of rows in bootstrap, once the season's first 30 days are over
COVERAGE_LIMIT = 90  # percent of what a day owes, section 7.2
MEAN_COLOURS = (COMPLETENESS_LIMIT, 90)  # percent of mean completeness, section 8.2, panel 1
ENTITIES_LIMIT = 20  # entities below 90 percent, section 8.2, panel 4
ENTITY_COMPLETE = 90  # percent below which an entity is counted there
CLEANUP_LIMIT, CLEANUP_HOURS = 10_000, 24  # rows that one clean-up deletes, section 7.6; how long it is told
CLEANUP_CUT_OFF_HOURS = 1  # a clean-up takes seconds: one that has not ended by then never will

BACKFILL_HOURS = 24  # how long a backfill that was left over is told, from when a slice of it was last begun
# Between two slices, and while a phase is read back, nobody holds a slice of a backfill that is under way.
BACKFILL_QUIET_MINUTES = 15

# The hour of the game day, US Eastern, from which a run that did not happen is missed: the night's run is repeated
# at about 05:30, and predictions start by 06:15, section 1.6.
RUN_DUE_HOUR, PREDICTIONS_DUE_HOUR = 6, 7


def ready_band(percent: float) -> str:
    """The band of a ready share; the query completeness_health says the same in SQL."""
    bands = ((READY_EXCELLENT, "EXCELLENT"), (READY_GOOD, "GOOD"), (READY_WARNING, "WARNING"))
    return next((name for least, name in bands if percent >= least), "CRITICAL")


MET, MISSED, BROKEN, NO_DATA = "met", "missed", "broken", "no data"


def level(value: float | None, target: float, limit: float) -> str:
    """A service level: met, missed (the target) or broken (the limit). More is better if the target is above the limit.

    no data: there is no value to compare.
    """
    if value is None:
        return NO_DATA
    better = 1 if target > limit else -1
    if better * (value - limit) < 0:
        return BROKEN
    return MET if better * (value - target) > 0 else MISSED


class Severity(enum.StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Cause:
    """One kind of alert.

    severities: those it can have, the worst first.  affected: what its number counts.
    short: what is said of it, with {day} and {processor} to fill in.
    text: the same with its figures, {affected}, {value} and {games}.
    command: what answers it, with {day}, {processor} and {phase}.  {today} is the day that was looked at.
    """

    id: str
    severities: tuple[Severity, ...]
    affected: str
    short: str
    text: str
    command: str


_REPAIR_PLAN = "fullcourt repair-plan --start {day} --end {day}"
_GAPS = "fullcourt gaps --start {day} --end {day}"
_BREAKERS = "fullcourt breaker status --active-only"
_BOTH = (Severity.CRITICAL, Severity.WARNING)
_CRITICAL = (Severity.CRITICAL,)
_WARNING = (Severity.WARNING,)

CAUSES: tuple[Cause, ...] = (
    Cause(
        "LOST_GAME_DAY",
        _BOTH,
        "entity-days held back",
        "games of {day} are missing",
        "missing games of {day}: {games}; entity-days held back so far: {affected}, on the newest day: {value}",
        "fullcourt repair-plan --start {day} --end {today}",
    ),
    Cause(
        "RUN_MISSING",
        _CRITICAL,
        "outputs without a run",
        "a run of {day} is due and did not happen",
        "{affected} outputs of {day} are due, and nothing ran",
        "fullcourt run {phase} --date {day}",
    ),
    Cause(
        "RUN_FAILED",
        _CRITICAL,
        "processors whose newest run it is",
        "a run of {day} failed",
        "the {phase} run of {day} failed; it is the newest of {affected} processors",
        "fullcourt run {phase} --date {day}",
    ),
    Cause(
        "RUN_STALE",
        _CRITICAL,
        "processors whose newest run it is",
        "a run of {day} hangs",
        "the {phase} run of {day} says it is running, four hours after it began",
        "fullcourt run {phase} --date {day}",
    ),
    Cause(
        "PROCESSORS_FAILING",
        _CRITICAL,
        "processors",
        f"{PROCESSORS_CRITICAL} processors or more are failing on {{day}}",
        f"{{affected}} processors are below {READY_LIMIT} % ready or failed; the limit is {PROCESSORS_CRITICAL}",
        "fullcourt health --date {day}",
    ),
    Cause(
        "MOST_OPEN",
        _CRITICAL,
        "entities",
        f"more than {MOST_OPEN_LIMIT} % of the entities of {{day}} are behind an open breaker",
        f"{{value}} % of the entities of {{day}} are behind an open breaker; the limit is {MOST_OPEN_LIMIT} %",
        _BREAKERS,
    ),
    Cause(
        "BREAKERS_ACTIVE",
        _BOTH,
        "open breakers",
        f"more than {BREAKERS_LIMIT} breakers are open",
        f"{{affected}} breakers are open; the limits are {BREAKERS_LIMIT} and {BREAKERS_CRITICAL}",
        _BREAKERS,
    ),
    Cause(
        "BREAKER_TRIP_RATE",
        _WARNING,
        "tripped entities",
        f"more than {TRIP_RATE_LIMIT} % of the entities of {{processor}} on {{day}} tripped",
        f"{{value}} % of the entities of {{processor}} on {{day}} tripped; the limit is {TRIP_RATE_LIMIT} %",
        _BREAKERS + " --processor {processor}",
    ),
    Cause(
        "BREAKER_RESPONSE",
        _WARNING,
        "open breakers",
        f"breakers are open for more than {RESPONSE_LIMIT_HOURS} hours, and nobody acted on them",
        f"{{affected}} breakers are open for more than {RESPONSE_LIMIT_HOURS} hours, and nobody acted on them",
        _BREAKERS,
    ),
    Cause(
        "COVERAGE_LOW",
        _WARNING,
        "keys without a row",
        f"{{processor}} has less than {COVERAGE_LIMIT} % of what {{day}} owes",
        f"{{processor}} has {{value}} % of what {{day}} owes; the limit is {COVERAGE_LIMIT} %",
        _GAPS,
    ),
    Cause(
        "SYNTHETIC_CONTEXT",
        _WARNING,
        "keys made of box scores",
        "keys of {day} are made of its own box scores, for want of their context",
        "{affected} of the {value} keys that {day} owes are made of its own box scores, for want of their context",
        "fullcourt backfill run --dates {day} --phases analytics,precompute",
    ),
    Cause(
        "SHOTS_MISSING",
        (Severity.INFO,),
        "team-games",
        f"team-games of the last {JUDGED_DAYS} days have a box score and no shots",
        "{affected} team-games since {day} have a box score and no shots: load shots-by-zone again. Figures by zone "
        "are unknown there, and hold nobody back",
        "fullcourt ingest landing/",
    ),
    Cause(
        "DEAD_LETTERS",
        _WARNING,
        "entities",
        "upstream rows of {processor} on {day} contradict themselves",
        "{affected} entities of {processor} on {day} have an upstream row that contradicts itself",
        "fullcourt report --start {day} --end {day} -o report.html",
    ),
    Cause(
        "PROCESSOR_READY_LOW",
        _WARNING,
        "entities not ready",
        f"less than {READY_LIMIT} % of the rows of {{processor}} on {{day}} are ready",
        f"{{value}} % of the rows of {{processor}} on {{day}} are ready; the limit is {READY_LIMIT} %",
        _GAPS,
    ),
    Cause(
        "COMPLETENESS_LOW",
        _WARNING,
        "entities not complete",
        f"mean completeness of {{processor}} on {{day}} is below {COMPLETENESS_LIMIT} %",
        f"mean completeness of {{processor}} on {{day}} is {{value}} %; the limit is {COMPLETENESS_LIMIT} %",
        _REPAIR_PLAN,
    ),
    Cause(
        "COMPLETENESS_FALL",
        _WARNING,
        "entities not complete",
        f"mean completeness of {{processor}} on {{day}} fell by {FALL_POINTS} points or more",
        f"mean completeness of {{processor}} on {{day}} is {{value}} points below the {FALL_DAYS} days before; "
        f"the limit is {FALL_POINTS}",
        _REPAIR_PLAN,
    ),
    Cause(
        "ENTITIES_LOW",
        _WARNING,
        "entities",
        f"more than {ENTITIES_LIMIT} entities are below {ENTITY_COMPLETE} % on {{day}}",
        f"{{affected}} entities are below {ENTITY_COMPLETE} % on {{day}}; the limit is {ENTITIES_LIMIT}",
        _REPAIR_PLAN,
    ),
    Cause(
        "BOOTSTRAP_UNEXPECTED",
        _WARNING,
        "rows in bootstrap",
        f"more than {BOOTSTRAP_LIMIT} % of the rows of {{day}} are in bootstrap",
        f"{{value}} % of the rows of {{day}} are in bootstrap, though the season's first 30 days are over; "
        f"the limit is {BOOTSTRAP_LIMIT} %",
        _GAPS,
    ),
    Cause(
        "BACKFILL_LEFT_OVER",
        _WARNING,
        "backfills",
        "a backfill at work on {day} ended before it was done",
        "backfills that ended before they were done: {affected}, the newest at work on {day}; a day failed, or the "
        "command was interrupted",
        "fullcourt backfill list",
    ),
    Cause(
        "CLEANUP_FAILED",
        _WARNING,
        "clean-ups",
        "a clean-up of {day} failed, or was cut off",
        "clean-ups of {day} that failed or were cut off: {affected}, and none went well since; rows of the upcoming "
        "tables that have expired may still be there",
        "fullcourt cleanup upcoming",
    ),
    Cause(
        "CLEANUP_LARGE",
        _WARNING,
        "rows deleted",
        f"a clean-up of {{day}} deleted more than {CLEANUP_LIMIT} rows of the upcoming tables",
        f"a clean-up of {{day}} deleted {{affected}} rows of the upcoming tables; the limit is {CLEANUP_LIMIT}",
        "fullcourt cleanup restore --date {day} --dry-run",
    ),
    Cause(
        "POLICY_ACTIVE",
        (Severity.INFO,),
        "policies",
        "the gate of {processor} is not as the code has it",
        "the gate of {processor} is not as the code has it: ready from {value} % on (0: off)",
        "fullcourt policy show",
    ),
)

CAUSE: dict[str, Cause] = {cause.id: cause for cause in CAUSES}
