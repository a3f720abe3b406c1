"""A season's chain computed again in memory, as a run would from the raw tables as they are now, and compared.

So a changed box score is seen through every table between: the summary that it changes, the rows that rest on the
summary, the rows that read these.  Nothing is written.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import summaries
from fullcourt.domain.columns import codes
from fullcourt.domain.days import to_number
from fullcourt.domain.features import columns_wanted, shard_tables
from fullcourt.domain.gate import Verdict, judge
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.observation import Observation, observe
from fullcourt.domain.predictions.assembly import HISTORY_DAYS
from fullcourt.domain.processors import BY_NAME, GATED, PROCESSORS, CascadePolicy, Processor
from fullcourt.domain.rows import Judged, Stamp, judged_table
from fullcourt.domain.staleness import CHANGED, GONE, NEW, Differences, compare
from fullcourt.domain.window_counts import running_total
from fullcourt.orchestration import check
from fullcourt.warehouse import Read, Warehouse
from schemas import TABLES
from schemas.completeness import TAIL, completeness

PREDICTIONS = "player_prop_predictions"
_PREDICTED_FROM = ("upcoming_player_game_context", "ml_feature_store_v2")
_DEFENSE, _RATING = "team_defense_zone_analysis", "defensive_rating_last_15"
# Who is predicted and has met one of those defences in the games that his prediction looks back at.
_HAS_MET = """
SELECT DISTINCT predicted.player_lookup, predicted.game_date
FROM nba_predictions.player_prop_predictions AS predicted
JOIN nba_analytics.player_game_summary AS played
  ON played.player_lookup = predicted.player_lookup AND played.season_year = predicted.season_year
  AND played.game_date < predicted.game_date
  AND played.game_date >= DATE_SUB(predicted.game_date, INTERVAL @history DAY)
WHERE predicted.is_active AND predicted.game_date IN UNNEST(@days)
  AND CONCAT(played.opponent_team_abbr, CAST(played.game_date AS STRING)) IN UNNEST(@met)
ORDER BY predicted.game_date, predicted.player_lookup
"""
_WRITTEN = (Verdict.READY, Verdict.FLAGGED, Verdict.INCOMPLETE, Verdict.BLOCKED)
_STAMP = Stamp("stale", 0, recording=False)
_SKIPPED = "incomplete_upstream_dependencies"  # what only the cascade policy `skip` writes


@dataclass
class Found:
    """What differs so far: entity-days, their days by processor, and the games whose summaries would change."""

    entity_days: list[dict[str, Any]] = field(default_factory=list)
    days: dict[str, set[dt.date]] = field(default_factory=dict)
    games: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, processor: str, rows: list[dict[str, Any]]) -> None:
        """rows: entity, day, change, was_ready, is_ready, sources, games of each."""
        self.entity_days += [{"processor": processor, **row} for row in rows]
        if rows:
            self.days.setdefault(processor, set()).update(row["day"] for row in rows)

    def touch(self, row: Mapping[str, Any], summary: str) -> None:
        """A game one of whose summary rows would change."""
        named = {name: row[name] for name in ("game_id", "nba_game_id", "game_date")}
        game = self.games.setdefault(row["game_id"], {**named, "summaries": {}})
        game["summaries"][summary] = game["summaries"].get(summary, 0) + 1


@dataclass
class Recomputed:
    """One season, computed again in DAG order.

    gated: the processors, with the thresholds that hold now.  tables: as they would be after a run, by name.
    touched: of each summary, the (entity, game id) pairs that would change.
    rated: (team, day) whose defensive rating would be another.
    """

    warehouse: Warehouse
    season: int
    start: dt.date
    end: dt.date
    gated: Mapping[str, Processor]
    found: Found
    tables: dict[str, pa.Table] = field(default_factory=dict)
    touched: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    rated: set[tuple[str, dt.date]] = field(default_factory=set)

    def compare_all(self) -> None:
        published = self._published_days()
        if not published:
            return
        wanted = columns_wanted(GATED)
        for table, columns in wanted.items():
            if table not in BY_NAME:
                self.tables[table] = self._read(table, columns)
        for processor in PROCESSORS:
            days = published.get(processor.name, set())
            if processor.name in summaries.SUMMARIES:
                self._summarise(processor, days, wanted.get(processor.name, ()))
            elif processor.windows:
                self._judge(
                    self.gated[processor.name],
                    {day for day in days if day >= self.start},
                    wanted.get(processor.name, ()),
                )
        self._predictions(published.get(PREDICTIONS, set()))

    def _published_days(self) -> dict[str, set[dt.date]]:
        """By processor, the days up to the last asked for that have a receipt."""
        rows = self.warehouse.query(
            "SELECT processor_name, analysis_date FROM nba_orchestration.latest_receipts "
            "WHERE analysis_date BETWEEN @first AND @last",
            first=dt.date(self.season, 10, 1),
            last=min(self.end, dt.date(self.season + 1, 9, 30)),
        )
        days: dict[str, set[dt.date]] = {}
        for name, day in zip(rows["processor_name"].to_pylist(), rows["analysis_date"].to_pylist(), strict=True):
            days.setdefault(name, set()).add(day)
        return days

    def _read(self, table: str, columns: tuple[str, ...]) -> pa.Table:
        return check.read_season(self.warehouse, table, columns, self.season)

    def _summarise(self, processor: Processor, days: set[dt.date], wanted: tuple[str, ...]) -> None:
        """The summary's rows of the published days as the raw tables have them now; of other days as they are."""
        table = TABLES[processor.name]
        columns = tuple(dict.fromkeys((*wanted, *table.grain, entity_column(processor), "game_id", "game_date")))
        old = self._read(processor.name, (*columns, "nba_game_id", "data_hash"))
        old = old.cast(table.arrow_subset(old.column_names))
        numbers = pa.array(sorted(days), pa.date32())
        make = getattr(self._game_day, summaries.SUMMARIES[processor.name])
        fresh = make(table.arrow_schema, _STAMP).select(old.column_names)
        fresh = fresh.filter(pc.is_in(fresh["game_date"], numbers))
        inside = pc.is_in(old["game_date"], numbers)
        before = old.filter(inside)
        self.tables[processor.name] = pa.concat_tables([fresh, old.filter(pc.invert(inside))])
        apart = compare(fresh, before, table.grain, ("data_hash",))
        rows = [*_taken(fresh, apart.changed[0], CHANGED), *_taken(fresh, apart.new, NEW)]
        rows += _taken(before, apart.gone, GONE)
        entity = entity_column(processor)
        self.touched[processor.name] = [(row[entity], row["game_id"]) for row in rows]
        for row in rows:
            self.found.touch(row, processor.name)
        self.found.add(
            processor.name,
            [
                {
                    "entity": row[entity],
                    "day": row["game_date"],
                    "change": row["change"],
                    "was_ready": row["change"] != NEW,
                    "is_ready": row["change"] != GONE,
                    "sources": ["raw"],
                    "games": [row["game_id"]],
                }
                for row in rows
            ],
        )

    @cached_property
    def _game_day(self) -> summaries.GameDay:
        raw = summaries.RawTables(*(self._read(table, columns) for table, columns in summaries.RAW.items()))
        # The days of the whole season; whoever was published of them is compared.
        every = pc.unique(raw.schedule["game_date"].cast(pa.int32())).to_numpy()
        return summaries.GameDay(raw, self.season, every)

    def _judge(self, processor: Processor, days: set[dt.date], wanted: tuple[str, ...]) -> None:
        """The processor's rows of the published days as they would be now, from tables as they would be now."""
        table, told = TABLES[processor.name], _compared(processor)
        columns = tuple(dict.fromkeys((*table.grain, processor.key_column, processor.day_column, *told, *wanted)))
        only = {processor.day_column: sorted(days)}
        old = self.warehouse.query(Read(processor.name, columns, only).sql, **only)
        self.tables[processor.name] = old
        if not days:
            return
        seen = observe(shard_tables(processor, self.tables), processor, self.season)
        made = _Made.of(seen, processor, days, _skipping(old, processor))
        self.tables[processor.name] = new = made.table.select(columns)
        apart = compare(new, old, table.grain, told)
        if processor.name == _DEFENSE:
            self.rated = {(team, day) for team, day, _ in _ratings(old) ^ _ratings(new)}
        in_new, in_old = apart.changed
        was, now = (pc.fill_null(side["is_production_ready"], False).to_numpy() for side in (old, new))
        changed = _entity_days(processor, new, in_new, CHANGED, was[in_old], now[in_new])
        games, sources = self._games(seen, processor, made, in_new), _sources(apart)
        for row, held, why in zip(changed, games, sources, strict=True):
            row |= {"sources": why, "games": held}
        self.found.add(
            processor.name,
            [
                *changed,
                *_entity_days(processor, new, apart.new, NEW, np.zeros_like(apart.new, np.bool_), now[apart.new]),
                *_entity_days(processor, old, apart.gone, GONE, was[apart.gone], np.zeros_like(apart.gone, np.bool_)),
            ],
        )

    def _games(self, seen: Observation, processor: Processor, made: "_Made", place: Ints) -> list[list[str]]:
        """Of each changed row, the games in its windows whose upstream row of the entity would change."""
        assert processor.upstream is not None
        pairs = self.touched[processor.upstream.table]
        names, ids = (pa.array([pair[side] for pair in pairs], pa.string()) for side in (0, 1))
        entity, game = codes(names, seen.entities), codes(ids, seen.calendar.game_ids)
        known = (entity >= 0) & (game >= 0)
        mark = np.zeros(seen.grid.required.shape, dtype=np.bool_)
        mark[entity[known], seen.calendar.slot[game[known]]] = True
        of_cell = np.full(mark.shape, -1, dtype=np.int32)
        of_cell[entity[known], seen.calendar.slot[game[known]]] = game[known]
        total = running_total(mark)
        rows, first, slot = made.entity[place], made.first[place], made.slot[place]
        found: list[list[str]] = [[] for _ in place]
        for number in np.flatnonzero(total[rows, slot] > total[rows, first]).tolist():
            inside = of_cell[rows[number], first[number] : slot[number]]
            found[number] = seen.calendar.game_ids.take(pa.array(inside[inside >= 0])).to_pylist()
        return found

    def _predictions(self, days: set[dt.date]) -> None:
        """Active predictions of players whose context or features of the day, or past opponents' ratings, differ."""
        mine = {
            (row["entity"], row["day"]): row["games"]
            for row in self.found.entity_days
            if row["processor"] in _PREDICTED_FROM and row["day"] in days
        }
        predicted = self.warehouse.query(
            "SELECT DISTINCT player_lookup, game_date FROM nba_predictions.player_prop_predictions "
            "WHERE is_active AND game_date IN UNNEST(@days) ORDER BY game_date, player_lookup",
            days=sorted({day for _, day in mine}),
        )
        keys = zip(predicted["player_lookup"].to_pylist(), predicted["game_date"].to_pylist(), strict=True)
        same = {"change": CHANGED, "was_ready": True, "is_ready": True, "sources": ["features"]}
        self.found.add(
            PREDICTIONS, [{"entity": key[0], "day": key[1], **same, "games": mine[key]} for key in keys if key in mine]
        )
        met = [key for key in self._has_met(days) if key not in mine]
        told = {**same, "sources": ["history"], "games": []}
        self.found.add(PREDICTIONS, [{"entity": who, "day": day, **told} for who, day in met])
        if mine:
            # A player may be predicted now who was not, so every day with other features is predicted again.
            self.found.days.setdefault(PREDICTIONS, set()).update(day for _, day in mine)

    def _has_met(self, days: set[dt.date]) -> list[tuple[str, dt.date]]:
        """(player, day) of predictions that compare games against teams whose rating of that day differs."""
        asked = sorted(day for day in days if day >= self.start)
        if not self.rated or not asked:
            return []
        found = self.warehouse.query(
            _HAS_MET,
            history=HISTORY_DAYS,
            days=asked,
            met=sorted(f"{team}{day}" for team, day in self.rated),
        )
        return list(zip(found["player_lookup"].to_pylist(), found["game_date"].to_pylist(), strict=True))


@dataclass(frozen=True)
class _Made:
    """The rows a run would write, with the entity, the slot and the opening of its widest window of each."""

    table: pa.Table
    entity: Ints
    slot: Ints
    first: Ints

    @classmethod
    def of(cls, seen: Observation, processor: Processor, days: set[dt.date], skipping: set[dt.date]) -> "_Made":
        """skipping: days that were run under the other cascade policy."""
        tables, rows = [], []
        for cascade, chosen in ((processor.cascade_policy, days - skipping), (CascadePolicy.SKIP, skipping)):
            how = replace(processor, cascade_policy=cascade)
            numbers = np.array(sorted(to_number(day) for day in chosen), np.int32)
            # Nobody's breaker is asked: that a row waits for it is no matter of its inputs.
            judged = Judged(seen, judge(seen, how, numbers), how, _STAMP)
            for verdict, part in judged.by_verdict():
                if verdict in _WRITTEN:
                    tables.append(judged_table(part, TABLES[processor.name].arrow_schema))
                    rows.append(part.rows)
        if not rows:
            nothing = np.zeros(0, np.int32)
            return cls(TABLES[processor.name].arrow_schema.empty_table(), nothing, nothing, nothing)
        first = [np.minimum.reduce([counts.first for counts in part.windows.values()]) for part in rows]
        return cls(
            pa.concat_tables(tables),
            np.concatenate([part.entity for part in rows]),
            np.concatenate([part.slot for part in rows]),
            np.concatenate(first),
        )


def entity_column(processor: Processor) -> str:
    """The column that names the entity, of summaries too."""
    defends = "defending_team_abbr" in TABLES[processor.name].by_name
    return "defending_team_abbr" if defends else processor.key_column


def _compared(processor: Processor) -> tuple[str, ...]:
    """The columns in which any change of inputs shows: the verdict, the fingerprints of the sources, of the figures."""
    table = TABLES[processor.name]
    told = {column.name for column in (*completeness(processor), *TAIL)}
    return tuple(
        name
        for name in table.content_columns
        if name in told or name.startswith("source_") or name in ("game_id", "team_abbr", "opponent_team_abbr")
    )


def _sources(apart: Differences) -> list[list[str]]:
    """Of each changed row, what changed: upstreams by their short names, the verdict, or only the figures."""
    groups: dict[str, Bools] = {}
    for name, differs in apart.columns.items():
        upstream = name.startswith("source_") and name.endswith("_hash")
        group = name.removeprefix("source_").removesuffix("_hash") if upstream else "verdict"
        if name == "data_hash":
            group = "figures"
        elif name.startswith("source_") and not upstream:
            continue
        groups[group] = groups.get(group, np.zeros(len(differs), np.bool_)) | differs
    rows = len(apart.changed[0])
    return [[name for name, differs in groups.items() if differs[row]] for row in range(rows)]


def _skipping(old: pa.Table, processor: Processor) -> set[dt.date]:
    return set(old.filter(pc.equal(old["processing_decision_reason"], _SKIPPED))[processor.day_column].to_pylist())


def _ratings(defense: pa.Table) -> set[tuple[str, dt.date, Any]]:
    """(team, day, rating) of every row."""
    return set(zip(*(defense[name].to_pylist() for name in ("team_abbr", "analysis_date", _RATING)), strict=True))


def _taken(table: pa.Table, places: Ints, change: str) -> list[dict[str, Any]]:
    return [{**row, "change": change} for row in table.take(pa.array(places)).to_pylist()]


def _entity_days(
    processor: Processor, table: pa.Table, places: Ints, change: str, was: Bools, now: Bools
) -> list[dict[str, Any]]:
    """Rows as they are shown; was, now: whether each was ready, and would be."""
    taken = table.take(pa.array(places))
    entity, day = (taken[name].to_pylist() for name in (processor.key_column, processor.day_column))
    return [
        {"entity": e, "day": d, "change": change, "was_ready": w, "is_ready": n, "sources": ["entities"], "games": []}
        for e, d, w, n in zip(entity, day, was.tolist(), now.tolist(), strict=True)
    ]
