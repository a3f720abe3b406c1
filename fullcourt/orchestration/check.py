"""One entity on one day, judged from what the warehouse holds now: the same kernel as a run, without a run."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import breaker
from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar, season_of_day
from fullcourt.domain.days import micros, to_date, to_number
from fullcourt.domain.errors import UsageError
from fullcourt.domain.features import columns_wanted, shard_tables
from fullcourt.domain.gate import Reason, Verdict, is_complete, judge_rows, percentage, permitted_misses
from fullcourt.domain.names import TRICODES, player_lookup, suggestions
from fullcourt.domain.observation import Observation, Once, observe
from fullcourt.domain.processors import BY_NAME, GATED, Entity, Processor
from fullcourt.domain.window_counts import WindowCounts
from fullcourt.domain.windows import Window
from fullcourt.orchestration import policy
from fullcourt.warehouse import Read, Warehouse
from fullcourt.warehouse.ddl import check_schema
from schemas import TABLES

Tables = Mapping[str, pa.Table]  # by name


def check(
    warehouse: Warehouse, entity: str, day: dt.date, now: dt.datetime, processor: str | None = None
) -> dict[str, Any]:
    """The verdict of every built processor on the entity, with every window's games.

    entity: a tricode, or a player's name in any spelling.  UsageError suggests names for an unknown one.
    GateError when the season of the day has no schedule.
    """
    check_schema(warehouse)
    with warehouse.reading():
        return _check(warehouse, entity, day, now, processor)


def _check(warehouse: Warehouse, entity: str, day: dt.date, now: dt.datetime, processor: str | None) -> dict[str, Any]:
    kind, key = resolve(warehouse, entity)
    season = season_of_day(to_number(day))
    schedule = read_season(warehouse, "nbac_schedule", SCHEDULE_COLUMNS, season)
    calendar = Calendar.from_schedule(schedule, season)
    slots = calendar.slots_of(np.array([to_number(day)], dtype=np.int32))
    report: dict[str, Any] = {"entity": key, "kind": kind.value, "date": day.isoformat(), "processors": []}
    if not len(slots):
        report["note"] = f"no games on {day}: {neighbours(calendar, to_number(day))}"
        return report
    chosen = policy.effective(warehouse, processors_of(kind, processor), now)
    tables, shared = read_tables(warehouse, chosen, season, day), Once()
    for candidate in chosen:
        seen = observe(shard_tables(candidate, tables), candidate, season, shared=shared)
        report["processors"].append(_judged(warehouse, candidate, seen, key, int(slots[0]), now))
    return report


def resolve(warehouse: Warehouse, entity: str) -> tuple[Entity, str]:
    """A team's tricode or a player's key."""
    if entity.upper() in TRICODES and len(entity) == 3:
        return Entity.TEAM, entity.upper()
    wanted = player_lookup(entity)
    found = warehouse.query(
        "SELECT DISTINCT player_lookup FROM nba_reference.player_aliases WHERE alias_lookup = @alias "
        "UNION DISTINCT "
        "SELECT DISTINCT player_lookup FROM nba_raw.nbac_gamebook_player_stats WHERE player_lookup = @alias",
        alias=wanted,
    )["player_lookup"].to_pylist()
    if len(found) == 1:
        return Entity.PLAYER, found[0]
    if found:
        raise UsageError(f"{entity!r} names {len(found)} players: expected one of {', '.join(sorted(found))}")
    known = warehouse.query("SELECT DISTINCT player_lookup FROM nba_raw.nbac_gamebook_player_stats")["player_lookup"]
    names = suggestions(wanted, [name for name in known.to_pylist() if name])
    hint = f"did you mean {', '.join(names)}?" if names else "expected a player's name or a team's tricode"
    raise UsageError(f"unknown entity {entity!r}: {hint}")


def processors_of(kind: Entity, name: str | None) -> list[Processor]:
    if name is not None and (name not in BY_NAME or not BY_NAME[name].windows):
        raise UsageError(f"unknown processor {name!r}: expected one of {', '.join(p.name for p in GATED)}")
    fitting = [p for p in GATED if p.entity is kind and name in (None, p.name)]
    if not fitting:
        raise UsageError(f"{name} has no rows for a {kind.value}")
    return fitting


def read_season(warehouse: Warehouse, table: str, columns: tuple[str, ...], season: int) -> pa.Table:
    return warehouse.query(Read(table, columns, {"season_year": [season]}).sql, season_year=[season])


def _judged(
    warehouse: Warehouse, processor: Processor, seen: Observation, key: str, slot: int, now: dt.datetime
) -> dict[str, Any]:
    day = to_date(int(seen.calendar.days[slot]))
    place = pc.index(seen.entities, key).as_py()
    result: dict[str, Any] = {"processor": processor.name, "upstream": _upstream(processor)}
    if why := why_not_judged(seen, place, slot):
        return {**result, "verdict": "not judged", "reason": why, "windows": []}
    facts = breaker_state(warehouse, processor, key, day)
    row = judge_rows(seen, processor, one(place), one(slot), facts, micros(now))
    windows = [window_report(seen, processor, window, counts, place, slot) for window, counts in row.windows.items()]
    gates = {f.dependency.processor: bool(f.ready[0]) for f in row.cascade.values() if f.dependency.flag}
    return {
        **result,
        "verdict": Verdict(int(row.verdict[0])).label,
        "reason": Reason(int(row.reason[0])).text(processor),
        "published": published(warehouse, processor, key, day),
        "not_ready": [name for name, ready in gates.items() if not ready],
        "windows": windows,
    }


def read_tables(warehouse: Warehouse, processors: Sequence[Processor], season: int, day: dt.date) -> Tables:
    """What the processors read, each table once: of the season's games all, of other processors the day's rows."""
    tables = {}
    for name, columns in columns_wanted(processors).items():
        gated = name in BY_NAME and BY_NAME[name].windows
        only: dict[str, list[Any]] = {BY_NAME[name].day_column: [day]} if gated else {"season_year": [season]}
        tables[name] = warehouse.query(Read(name, columns, only).sql, **only)
    return tables


def breaker_state(warehouse: Warehouse, processor: Processor, key: str, day: dt.date) -> pa.Table:
    only: dict[str, list[Any]] = {
        "processor_name": [processor.name],
        "entity_id": [key],
        "analysis_date": [day],
    }
    return warehouse.query(Read(BREAKER_STATE, tuple(breaker.STATE.names), only).sql, **only)


def published(warehouse: Warehouse, processor: Processor, key: str, day: dt.date) -> str | None:
    """What the published row says; None when there is none."""
    rows = warehouse.query(
        f"SELECT processing_decision_reason, run_id FROM {TABLES[processor.name].read_id} "
        f"WHERE {processor.key_column} = @entity AND {processor.day_column} = @day",
        entity=key,
        day=day,
    ).to_pylist()
    return f"{rows[0]['processing_decision_reason']} (run {rows[0]['run_id']})" if rows else None


def window_report(
    seen: Observation, processor: Processor, window: Window, counts: WindowCounts, place: int, slot: int
) -> dict[str, Any]:
    inside = np.zeros(seen.grid.required.shape[1], dtype=np.bool_)
    inside[int(counts.first[0]) : slot] = True
    absent = inside & seen.grid.required[place] & ~seen.grid.present[place]
    games = seen.grid.game[place][absent]
    ids, nba_ids = seen.calendar.game_ids, seen.calendar.nba_game_ids
    expected, excused = int(counts.expected[0]), int(counts.excused[0])
    tenths, known = percentage(counts)
    gates = window in processor.windows
    complete = bool(is_complete(counts, processor.threshold_per_mille)[0])
    return {
        "window": window.name,
        "expected": expected + excused,
        "excused": excused,
        "required": expected,
        "present": int(counts.actual[0]),
        "percentage": float(tenths[0]) / 10 if known[0] else None,
        "permitted_misses": permitted_misses(expected, processor.threshold_per_mille),
        "verdict": ("complete" if complete else "incomplete") if gates else "trend, does not gate",
        "missing": [{"game_id": ids[game].as_py(), "nba_game_id": nba_ids[game].as_py()} for game in map(int, games)],
    }


def why_not_judged(seen: Observation, place: int, slot: int) -> str:
    """Why the processor has no verdict on the entity that day; empty if it has."""
    if seen.entrants is not None:
        on_slate = place >= 0 and seen.entrants.team[place, slot] >= 0
        return "" if on_slate else "no fixture that day, or not listed for it"
    if place >= 0 and seen.grid.judged[place, slot]:
        return ""
    listed = place >= 0 and bool((seen.grid.team[place, :slot] >= 0).any())
    return (
        "unlisted in the team's last ten whole games" if listed else "not listed by any team this season before the day"
    )


def neighbours(calendar: Calendar, day: int) -> str:
    before, after = calendar.days[calendar.days < day], calendar.days[calendar.days > day]
    parts = []
    if len(before):
        parts.append(f"the last game day before it is {to_date(int(before[-1]))}")
    if len(after):
        parts.append(f"the next is {to_date(int(after[0]))}")
    return ", ".join(parts)


def _upstream(processor: Processor) -> str:
    assert processor.upstream is not None
    return processor.upstream.table


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int32)
