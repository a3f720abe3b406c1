"""Why an entity is held back on a day: every window's games, every processor it waits for, down to the lost cells."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from fullcourt.domain import breaker, lacking
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar, season_of_day
from fullcourt.domain.days import micros, to_number
from fullcourt.domain.features import shard_tables
from fullcourt.domain.gate import Reason, Verdict, judge_rows, opponents
from fullcourt.domain.observation import Observation, Once, ShardTables, observe
from fullcourt.domain.processors import BY_NAME, GATED, Dependency, Entity, Phase, Processor, Whose
from fullcourt.orchestration import check, policy
from fullcourt.orchestration.evidence import Case, listings
from fullcourt.orchestration.remedies import Lost, command, commands
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema


def explain(
    warehouse: Warehouse, entity: str, day: dt.date, now: dt.datetime, processor: str | None = None
) -> dict[str, Any]:
    """The reason tree of the entity's processors, or of one.

    Returns {"entity", "kind", "date", "roots", "nodes", "repair", "affected"}, or a `note` for a day without games.
    nodes: each (processor, entity) once, in DAG order: those asked for and, of what they read, those not ready; a
    node's `upstream` names what it reads.  repair: what to load and run, for all of them.  affected: the later days.
    UsageError and GateError as `check`.
    """
    check_schema(warehouse)
    with warehouse.reading():
        return _explain(warehouse, entity, day, now, processor)


def _explain(
    warehouse: Warehouse, entity: str, day: dt.date, now: dt.datetime, processor: str | None
) -> dict[str, Any]:
    kind, key = check.resolve(warehouse, entity)
    season = season_of_day(to_number(day))
    calendar = Calendar.from_schedule(check.read_season(warehouse, "nbac_schedule", SCHEDULE_COLUMNS, season), season)
    slots = calendar.slots_of(np.array([to_number(day)], dtype=np.int32))
    report: dict[str, Any] = {"entity": key, "kind": kind.value, "date": day.isoformat()}
    if not len(slots):
        return {**report, "note": f"no games on {day}: {check.neighbours(calendar, to_number(day))}", "nodes": []}
    asked = check.processors_of(kind, processor)
    held = {p.name: p for p in policy.effective(warehouse, GATED, now)}
    tree = _Tree(warehouse, season, day, int(slots[0]), micros(now), held, _tables(warehouse, asked, season, day))
    for one in asked:
        tree.grow(one.name, key)
    order = {name: number for number, name in enumerate(BY_NAME)}
    nodes = sorted(tree.nodes.values(), key=lambda node: order[node["processor"]])
    days = [node["affected"] for node in nodes if node["affected"] and node["affected"]["days"]]
    return {
        **report,
        "roots": [one.name for one in asked],
        "nodes": nodes,
        "repair": _repair(tree, nodes, day),
        "affected": {
            "first_day": min(later["first_day"] for later in days),
            "last_day": max(later["last_day"] for later in days),
        }
        if days
        else None,
    }


def _tables(warehouse: Warehouse, asked: Sequence[Processor], season: int, day: dt.date) -> check.Tables:
    """What the processors read, and those that these read."""
    wanted = {processor.name for processor in asked}
    for processor in reversed(GATED):
        if processor.name in wanted:
            wanted.update(dependency.processor for dependency in processor.depends)
    chosen = [processor for processor in GATED if processor.name in wanted]
    tables = dict(check.read_tables(warehouse, chosen, season, day))
    box = lacking.TEAM_BOX_TABLE
    return {**tables, box: check.read_season(warehouse, box, lacking.TEAM_BOX_COLUMNS, season)}


@dataclass
class _Tree:
    """The nodes found so far, and the cells that any of them lacks. processors: with the thresholds that hold now."""

    warehouse: Warehouse
    season: int
    day: dt.date
    slot: int
    now: int
    processors: dict[str, Processor]
    tables: check.Tables
    nodes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    _once: Once = field(default_factory=Once)

    def grow(self, name: str, key: str) -> None:
        """Adds the processor's node of the entity, and those of what it reads that is not ready."""
        if (name, key) in self.nodes:
            return
        processor = self.processors[name]
        seen = self._observe(processor)
        place = pc.index(seen.entities, key).as_py()
        node: dict[str, Any] = {
            "processor": processor.name,
            "entity": key,
            "verdict": "not judged",
            "reason": check.why_not_judged(seen, place, self.slot),
            "published": self._published(processor, key),
            "counted_in": processor.upstream.table if processor.upstream else None,
            "windows": [],
            "games": [],
            "upstream": [],
            "breaker": None,
            "affected": None,
        }
        self.nodes[processor.name, key] = node
        if node["reason"]:
            return
        state = check.breaker_state(self.warehouse, processor, key, self.day)
        row = judge_rows(seen, processor, check.one(place), check.one(self.slot), state, self.now)
        case = Case(processor, seen, place, self.slot, row, self._rows(processor, key))
        self.lost += case.lost
        node |= {
            "verdict": Verdict(int(row.verdict[0])).label,
            "reason": Reason(int(row.reason[0])).text(processor),
            "windows": [
                check.window_report(seen, processor, window, counts, place, self.slot)
                for window, counts in row.windows.items()
            ],
            "games": case.games(),
            "breaker": {**_state(row.facts, self.now), **self._history(processor, key)},
            "affected": case.affected(),
        }
        keys = {Whose.OWN: key}
        if processor.depends:
            keys[Whose.OPPONENT] = seen.calendar.teams[int(opponents(seen, row.team, row.slot)[0])]
        for dependency in processor.depends:
            found = row.cascade[dependency.processor]
            ready = bool(found.ready[0])
            other = keys[dependency.whose]
            node["upstream"].append(self._upstream(dependency, other, ready, bool(found.found[0])))
            if not ready:
                self.grow(dependency.processor, other)

    def _upstream(self, dependency: Dependency, key: str, ready: bool, found: bool) -> dict[str, Any]:
        return {
            "processor": dependency.processor,
            "entity": key,
            "gates": dependency.flag is not None,
            "ready": ready,
            "published": self._published(BY_NAME[dependency.processor], key) if found else None,
        }

    def _published(self, processor: Processor, key: str) -> str | None:
        return self._once(
            f"published {processor.name} of {key}",
            lambda: check.published(self.warehouse, processor, key, self.day),
        )

    def _observe(self, processor: Processor) -> Observation:
        known = shard_tables(processor, self.tables)
        box = lacking.TEAM_BOX_TABLE
        tables = ShardTables(
            known.schedule, known.upstream, known.box, known.inactives, {**known.more, box: self.tables[box]}
        )
        return observe(tables, processor, self.season, shared=self._once)

    def _rows(self, processor: Processor, key: str) -> Any:
        if processor.entity is Entity.TEAM:
            return {}
        return self._once(f"listings of {key}", lambda: listings(self.warehouse, key, self.season))

    def newest_published(self) -> dt.date:
        """The last day of which anything is published; the day asked for where nothing is."""
        (row,) = self.warehouse.query(
            "SELECT MAX(analysis_date) AS day FROM nba_orchestration.latest_receipts "
            "WHERE processor_name IN UNNEST(@processors)",
            processors=[processor.name for processor in GATED],
        ).to_pylist()
        return row["day"] or self.day

    def _history(self, processor: Processor, key: str) -> dict[str, Any]:
        """Every attempt and action of the entity and day, oldest first."""
        where = "WHERE processor_name = @processor AND entity_id = @entity AND analysis_date = @day"
        named = {"processor": processor.name, "entity": key, "day": self.day}
        attempts = self.warehouse.query(
            "SELECT attempt_number, attempted_at, completeness_pct, skip_reason, circuit_breaker_tripped, "
            f"circuit_breaker_until FROM nba_orchestration.reprocess_attempts {where} ORDER BY attempted_at",
            **named,
        )
        actions = self.warehouse.query(
            f"SELECT action, acted_at, acted_by, reason FROM nba_orchestration.breaker_actions {where} "
            "ORDER BY acted_at",
            **named,
        )
        return {"attempts": attempts.to_pylist(), "actions": actions.to_pylist()}


def _state(facts: breaker.Facts, now: int) -> dict[str, Any]:
    state = breaker.State(int(facts.state(now)[0]))
    until = int(facts.until[0])
    return {
        "state": state.name.lower(),
        "until": dt.datetime.fromtimestamp(until / 1_000_000, dt.UTC) if until else None,
    }


def _repair(tree: _Tree, nodes: Sequence[dict[str, Any]], day: dt.date) -> dict[str, Any]:
    """What to load again and the commands; where no game is missing, the runs that bring old rows up to date."""
    lost = list(dict.fromkeys(tree.lost))
    if lost:
        ends = [dt.date.fromisoformat(node["affected"]["last_day"]) for node in nodes if _goes_on(node)]
        # Days to come are run when they come.
        last = max(day, min(max(ends, default=day), tree.newest_published()))
        reload = [{"files": list(cell.files), "game": cell.nba_game_id, "day": cell.day} for cell in lost if cell.files]
        return {"reload": reload, "commands": commands(lost, last)}
    old = {node["processor"] for node in nodes if _is_out_of_date(node)}
    runs = []
    for phase in (Phase.ANALYTICS, Phase.PRECOMPUTE):
        # What reads an old row is old too.
        named = [p for p in GATED if p.phase is phase and (p.name in old or old & {d.processor for d in p.depends})]
        here = [p.name for p in named if any(node["processor"] == p.name for node in nodes)]
        old |= set(here)
        runs += [command(phase, day, day, here)] if here else []
    return {"reload": [], "commands": runs}


def _goes_on(node: dict[str, Any]) -> bool:
    return bool(node["affected"] and node["affected"]["last_day"])


def _is_out_of_date(node: dict[str, Any]) -> bool:
    """The published row is not there, or is ready where the data are not, or the other way round."""
    if node["verdict"] in ("not judged", "excluded", "dead_letter"):
        return False
    was_ready = (node["published"] or "").startswith("processed_successfully")
    return node["published"] is None or was_ready != (node["verdict"] == "ready")
