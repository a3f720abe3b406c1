"""Many entities' windows before one day, evaluated at once by the gate's kernel."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import FINAL, SCHEDULE_COLUMNS, Calendar, counted_games, season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.errors import UsageError
from fullcourt.domain.features import BOX, INACTIVES, SCHEDULE
from fullcourt.domain.gate import Judgement, Reason, Verdict, judge_rows, missing_games, percentage
from fullcourt.domain.names import player_lookup
from fullcourt.domain.numbers import Ints
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS, Observation, ShardTables, observe
from fullcourt.domain.processors import PROCESSORS, Entity, Phase, Processor, Upstream
from fullcourt.domain.tables import Table
from fullcourt.domain.windows import Window
from fullcourt.warehouse import Read, Warehouse

OWN_DATA_INCOMPLETE = "own_data_incomplete"
_GAP_CLASSES = ("NO_GAP", "DATA_GAP", "NAME_UNRESOLVED")


class EntityCompleteness(TypedDict):
    """One entity's window before a day.

    expected_count: games of its team in the window, the excused ones included.
    dnp_count: excused ones, in which it provably did not play.
    adjusted_expected: games required, expected_count less dnp_count; expected_games_count of a published row.
    actual_count, missing_count: of the required games, those that are there and those that are not.
    completeness_pct: 100 x actual_count / adjusted_expected at one decimal; 100 when all games are excused; None when
    none is expected, as of an unknown entity.
    is_complete: no required game is missing.  is_production_ready: the threshold is met, every row can be read, and
    the strict checks that were asked for hold.
    gap_classification: NO_GAP, DATA_GAP or NAME_UNRESOLVED.
    data_quality_issues: own_data_incomplete, upstream_processor_failed, historical_gaps, as far as they apply.
    """

    expected_count: int
    dnp_count: int
    adjusted_expected: int
    actual_count: int
    missing_count: int
    completeness_pct: float | None
    is_complete: bool
    is_production_ready: bool
    gap_classification: str
    processing_decision_reason: str
    missing_game_ids: list[str]
    data_quality_issues: list[str]


@dataclass(frozen=True)
class Asked:
    """The table counted against, and whose games it holds."""

    entity: Entity
    table: Table
    field: str | None

    def processor(self, window: Window, per_mille: int) -> Processor:
        """A processor of one window, as the kernel takes it."""
        upstream = Upstream(self.table.name, self._entity_column(), self.table.name)
        return Processor(
            name=self.table.name,
            phase=Phase.PRECOMPUTE,
            entity=self.entity,
            day_column="analysis_date",
            upstream=upstream,
            windows=(window,),
            primary=window,
            threshold_per_mille=per_mille,
        )

    def columns(self, entity_column: str) -> tuple[str, ...]:
        """What the kernel needs of the table, and the counts by which a row can contradict itself."""
        keys = ["game_id", "season_year", entity_column, *(["team_abbr"] if self.entity is Entity.PLAYER else [])]
        if lacking := [name for name in keys if name not in self.table.by_name]:
            raise UsageError(f"{self.table.id} has no {', '.join(lacking)}: expected a table of one row a game")
        counts = [name for name in self.table.by_name if name.endswith(("_makes", "_attempts"))]
        return tuple(dict.fromkeys((*keys, *counts)))

    def _entity_column(self) -> str:
        if self.field is None:
            used = [p.upstream for p in PROCESSORS if p.upstream and p.entity is self.entity]
            columns = [upstream.entity_column for upstream in used if upstream.table == self.table.name]
            return columns[0] if columns else "team_abbr" if self.entity is Entity.TEAM else "player_lookup"
        if self.field not in self.table.by_name:
            raise UsageError(f"{self.table.id} has no column {self.field!r}: expected the one that names the entity")
        return self.field


def judged(
    warehouse: Warehouse,
    asked: Asked,
    processor: Processor,
    names: Sequence[str],
    day: dt.date,
    season_start: dt.date | None,
) -> dict[str, EntityCompleteness]:
    """The processor's verdict on each name before the day, whether or not the day has games."""
    season = season_of_day(to_number(day))
    seen = observe(_tables(warehouse, asked, processor, season, day, season_start), processor, season)
    keys = [name.upper() for name in names] if asked.entity is Entity.TEAM else _player_keys(warehouse, names)
    place = pc.index_in(pa.array(keys, pa.string()), seen.entities)
    known = place.drop_null().to_numpy().astype(np.int32)
    slot = seen.calendar.slots_of(np.array([to_number(day)], np.int32))
    rows = judge_rows(seen, processor, known, np.repeat(slot, len(known)), None, 0)
    found = iter(_results(seen, processor, rows))
    return {
        name: _nothing_known() if row is None else next(found)
        for name, row in zip(names, place.to_pylist(), strict=True)
    }


def _player_keys(warehouse: Warehouse, names: Sequence[str]) -> list[str]:
    """The players' keys; a name that is a known alias of one player is his."""
    keys = [player_lookup(name) for name in names]
    rows = warehouse.query(
        "SELECT alias_lookup, MIN(player_lookup) AS player_lookup FROM nba_reference.player_aliases "
        "WHERE alias_lookup IN UNNEST(@names) GROUP BY alias_lookup HAVING COUNT(DISTINCT player_lookup) = 1",
        names=keys,
    )
    known = dict(zip(rows["alias_lookup"].to_pylist(), rows["player_lookup"].to_pylist(), strict=True))
    return [known.get(key, key) for key in keys]


def _tables(
    warehouse: Warehouse,
    asked: Asked,
    processor: Processor,
    season: int,
    day: dt.date,
    season_start: dt.date | None,
) -> ShardTables:
    assert processor.upstream is not None
    upstream = _read(warehouse, asked.table.name, asked.columns(processor.upstream.entity_column), season)
    schedule = _read(warehouse, SCHEDULE, SCHEDULE_COLUMNS, season)
    if season_start is not None:
        schedule = schedule.filter(pc.greater_equal(schedule["game_date"], pa.scalar(season_start, pa.date32())))
    schedule = _with_day(schedule, season, day)
    if asked.entity is Entity.TEAM:
        return ShardTables(schedule, upstream)
    box = _read(warehouse, BOX, BOX_COLUMNS, season)
    return ShardTables(schedule, upstream, box, _read(warehouse, INACTIVES, INACTIVE_COLUMNS, season))


def _read(warehouse: Warehouse, table: str, columns: tuple[str, ...], season: int) -> pa.Table:
    return warehouse.query(Read(table, columns, {"season_year": [season]}).sql, season_year=[season])


def _with_day(schedule: pa.Table, season: int, day: dt.date) -> pa.Table:
    """The schedule with a game on the day, so that the grid has a place for it; nothing before it looks at the day."""
    if to_number(day) in Calendar.from_schedule(schedule, season).days:
        return schedule
    (game,) = counted_games(schedule).slice(0, 1).to_pylist()
    game |= {"nba_game_id": None, "game_id": f"{day:%Y%m%d}_none", "game_date": day, "season_type": "playoffs"}
    game |= {"game_status": FINAL - 1, "home_team_score": None, "away_team_score": None}
    return pa.concat_tables([schedule, pa.Table.from_pylist([game], schedule.schema)])


def _results(seen: Observation, processor: Processor, rows: Judgement) -> list[EntityCompleteness]:
    """One result a judged row."""
    (window,) = processor.windows
    counts = rows.windows[window]
    tenths, exists = percentage(counts)
    excused = rows.reason == Reason.ALL_GAMES_EXCUSED
    ready = (rows.verdict == Verdict.READY) | excused
    gap = np.select([rows.name_unresolved, rows.missing_hash != 0], [2, 1], 0)
    lacking = _games_by_row(*missing_games(seen, rows, processor.windows), len(rows.entity))
    ids = seen.calendar.game_ids
    return [
        {
            "expected_count": int(counts.expected[row] + counts.excused[row]),
            "dnp_count": int(counts.excused[row]),
            "adjusted_expected": int(counts.expected[row]),
            "actual_count": int(counts.actual[row]),
            "missing_count": int(counts.expected[row] - counts.actual[row]),
            "completeness_pct": float(tenths[row]) / 10 if exists[row] else None,
            "is_complete": bool(exists[row] and counts.actual[row] == counts.expected[row]),
            "is_production_ready": bool(ready[row]),
            "gap_classification": _GAP_CLASSES[int(gap[row])],
            "processing_decision_reason": Reason(int(rows.reason[row])).text(processor),
            "missing_game_ids": ids.take(pa.array(games)).to_pylist(),
            "data_quality_issues": [OWN_DATA_INCOMPLETE] if len(games) else [],
        }
        for row, games in enumerate(lacking)
    ]


def _games_by_row(row: Ints, game: Ints, rows: int) -> list[Ints]:
    """The games of each row; both inputs are ordered by row."""
    return np.split(game, np.cumsum(np.bincount(row, minlength=rows))[:-1]) if rows else []


def _nothing_known() -> EntityCompleteness:
    """Of an entity that no game of the season names."""
    return {
        "expected_count": 0,
        "dnp_count": 0,
        "adjusted_expected": 0,
        "actual_count": 0,
        "missing_count": 0,
        "completeness_pct": None,
        "is_complete": False,
        "is_production_ready": False,
        "gap_classification": _GAP_CLASSES[0],
        "processing_decision_reason": Reason.NO_EXPECTED_GAMES.name.lower(),
        "missing_game_ids": [],
        "data_quality_issues": [],
    }
