"""Which phase of which day may start, and on what content: from the tables, whatever messages said and in which order.

A phase of a day is built on what the phase before it published.  That content has a name, its state; a run records the
states that it read, so a phase is up to date exactly when it was computed on the state that stands now.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fullcourt.domain.calendar import season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.events import EXPECTED_RAW, RAW_PROCESSORS, Completion
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Phase, select
from fullcourt.domain.upstream_status import describes_its_own_day
from fullcourt.orchestration.history import event_id, raw_receipt
from fullcourt.orchestration.schedule import game_days_before
from fullcourt.warehouse import Session, Warehouse
from schemas import TABLES

_NOTHING_THERE = "NO_DATA"  # games were played and no row is there: no processor is done with that
_BEFORE = {Phase.PRECOMPUTE: Phase.ANALYTICS, Phase.PREDICTIONS: Phase.PRECOMPUTE}

Source = Warehouse | Session
Need = tuple[str, dt.date]  # a processor or raw table, and the day of it


@dataclass(frozen=True)
class Upstream:
    """What a phase of one day is built on.

    waits_for: what has not reported, as text; the phase may start when it is empty.
    state: the name of the content there is.
    reported: how many processors or raw tables have.
    events: ids of the completion messages that told of the content.
    changed_at: when the newest of it came, UTC; None if there is none.
    """

    waits_for: tuple[str, ...]
    state: str
    reported: int
    events: tuple[str, ...]
    changed_at: dt.datetime | None

    @property
    def ready(self) -> bool:
        return not self.waits_for


@dataclass(frozen=True)
class _Content:
    """What stands of a processor or raw table on a day. ids: of the publishes that brought it."""

    status: str
    ids: tuple[str, ...]
    events: tuple[str, ...]
    fingerprint: str
    changed_at: dt.datetime


def follows(source: Source, completion: Completion) -> tuple[Phase, dt.date] | None:
    """The phase and the day that may start when this has completed; None after the last phase, or game day.

    Who builds for D reads summaries, and box scores, of the game day before D, and everything else of D.
    """
    day = completion.game_date
    match completion.phase:
        case Phase.INGEST:
            return Phase.ANALYTICS, _game_day_after(source, day) or day
        case Phase.ANALYTICS if describes_its_own_day(completion.processor):
            after = _game_day_after(source, day)
            return (Phase.PRECOMPUTE, after) if after else None
        case Phase.ANALYTICS:
            return Phase.PRECOMPUTE, day
        case Phase.PRECOMPUTE:
            return Phase.PREDICTIONS, day
        case _:
            return None


def range_of(source: Source, phase: Phase, day: dt.date) -> tuple[dt.date, dt.date]:
    """The closed range to run so that the phase has D: analytics summarise the game day before it too."""
    if phase is Phase.ANALYTICS:
        return game_days_before(source, [day]).get(day, day), day
    return day, day


def upstream(source: Source, phase: Phase, days: Sequence[dt.date]) -> dict[dt.date, Upstream]:
    """Per day, what the phase of it is built on. days: ascending."""
    if not days:
        return {}
    before = game_days_before(source, days)
    needs = {day: _needs(phase, day, before.get(day)) for day in days}
    wanted = {need for listed in needs.values() for need in listed}
    wanted_days = sorted({day for _, day in wanted})
    read = _raw_contents if phase is Phase.ANALYTICS else _contents
    contents = read(source, sorted({name for name, _ in wanted}), wanted_days)
    required = {day: _required(phase, needs[day], before.get(day)) for day in days}
    return {day: _upstream(needs[day], required[day], contents) for day in days}


def computed_on(source: Source, phase: Phase, days: Sequence[dt.date]) -> dict[dt.date, set[str]]:
    """Per day, the states on which every processor of the phase has been run and has published."""
    names = [processor.name for processor in select(phase)]
    runs = source.query(
        "SELECT processor_name, upstream_dependencies FROM nba_reference.processor_run_history "
        "WHERE processor_name IN UNNEST(@processors) AND status IN ('success', 'partial') AND data_date >= @start "
        "AND upstream_dependencies IS NOT NULL",
        processors=names,
        start=min(days),
    ).to_pylist()
    states: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        for day, state in json.loads(run["upstream_dependencies"]).items():
            states.setdefault((run["processor_name"], day), set()).add(state)
    return {day: set.intersection(*(states.get((name, str(day)), set()) for name in names)) for day in days}


def is_game_day(source: Source, day: dt.date) -> bool:
    """By the schedule, or because something was published of it when it was one."""
    found = source.query(
        "SELECT (SELECT COUNT(*) FROM nba_raw.counted_team_games WHERE game_date = @day) "
        "+ (SELECT COUNT(*) FROM nba_orchestration.latest_receipts WHERE analysis_date = @day) AS n",
        day=day,
    )
    return bool(found["n"][0].as_py())


def _needs(phase: Phase, day: dt.date, before: dt.date | None) -> list[Need]:
    """Everything that the phase of the day reads of the phase before it. before: the game day before; None: there is
    none in the season."""
    if phase is Phase.ANALYTICS:
        return [(name, each) for each in (before, day) if each for name in RAW_PROCESSORS]
    needs = []
    for processor in select(_BEFORE[phase]):
        own = describes_its_own_day(processor.name)
        if not own or before:
            needs.append((processor.name, before if own and before else day))
    return needs


def _required(phase: Phase, needs: Sequence[Need], before: dt.date | None) -> list[Need]:
    """Of the needs, those without which the phase does not start; box scores are there for days played."""
    if phase is Phase.ANALYTICS:
        return [(name, day) for name, day in needs if name in EXPECTED_RAW and day == before]
    return list(needs)


def _upstream(needs: Sequence[Need], required: Sequence[Need], contents: Mapping[Need, _Content]) -> Upstream:
    there = {need: contents[need] for need in needs if need in contents}
    lacking = [need for need in required if need not in there or there[need].status == _NOTHING_THERE]
    return Upstream(
        waits_for=tuple(f"{name} of {day}" for name, day in lacking),
        state=hash_settings({f"{name} {day}": list(content.ids) for (name, day), content in sorted(there.items())}),
        reported=len(required) - len(lacking),
        events=tuple(event for content in there.values() for event in content.events),
        changed_at=max((content.changed_at for content in there.values()), default=None),
    )


def _contents(source: Source, names: Sequence[str], days: Sequence[dt.date]) -> dict[Need, _Content]:
    """By receipts. One of the same rows over again, for a day whose games were played since, is no new content."""
    receipts = source.query(
        "SELECT processor_name, analysis_date, publish_id, run_id, fingerprint, status, published_at "
        "FROM nba_orchestration.publish_receipts "
        "WHERE processor_name IN UNNEST(@processors) AND analysis_date IN UNNEST(@days) "
        "ORDER BY published_at, publish_id",
        processors=list(names),
        days=list(days),
    ).to_pylist()
    contents: dict[Need, _Content] = {}
    for row in receipts:
        need = (row["processor_name"], row["analysis_date"])
        stands = contents.get(need)
        if stands and stands.fingerprint == row["fingerprint"]:
            contents[need] = replace(stands, status=row["status"])
        else:
            ids, events = (row["publish_id"],), (event_id(row),)
            contents[need] = _Content(row["status"], ids, events, row["fingerprint"], row["published_at"])
    return contents


def _raw_contents(source: Source, names: Sequence[str], days: Sequence[dt.date]) -> dict[Need, _Content]:
    """By the loads that brought the rows that stand."""
    loads = source.query(
        " UNION ALL ".join(
            f"SELECT '{name}' AS processor_name, game_date, run_id, MAX(processed_at) AS loaded_at "
            f"FROM {TABLES[name].id} WHERE game_date IN UNNEST(@days) GROUP BY game_date, run_id"
            for name in names
        )
        + " ORDER BY processor_name, game_date, run_id",
        days=list(days),
    ).to_pylist()
    contents: dict[Need, _Content] = {}
    for row in loads:
        need = (row["processor_name"], row["game_date"])
        event = event_id(raw_receipt(row["run_id"], *need))
        stands = contents.get(need, _Content("COMPLETE", (), (), "", row["loaded_at"]))
        contents[need] = replace(
            stands,
            ids=(*stands.ids, row["run_id"]),
            events=(*stands.events, event),
            changed_at=max(stands.changed_at, row["loaded_at"]),
        )
    return contents


def _game_day_after(source: Source, day: dt.date) -> dt.date | None:
    """The next one of the season."""
    found = source.query(
        "SELECT MIN(game_date) AS next FROM nba_raw.counted_team_games "
        "WHERE game_date > @day AND season_year = @season",
        day=day,
        season=season_of_day(to_number(day)),
    )
    return found["next"][0].as_py()
