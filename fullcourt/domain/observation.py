"""What is there: one shard's tables laid out as a grid of entities and game days.

A plain function of Arrow tables, so a Beam worker, the `check` command and a test look at the same thing.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain.availability import Availability, availability
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar
from fullcourt.domain.columns import codes, last_of_each, pair
from fullcourt.domain.fingerprint import Hashes, hash_rows
from fullcourt.domain.fixtures import Entrants, player_entrants, team_entrants
from fullcourt.domain.numbers import Bools, Longs
from fullcourt.domain.processors import Entity, Processor, Upstream
from fullcourt.domain.rosters import GameRows, Grid, player_grid, team_grid, whole_games
from fullcourt.domain.sample import Sample
from fullcourt.domain.window_counts import History

BOX_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year", "played", "points")
BOOKKEEPING = ("processed_at",)  # upstream columns that are no content
Made = TypeVar("Made")
INACTIVE_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year")


@dataclass(frozen=True)
class ShardTables:
    """One season's rows, as Arrow tables; extra columns are carried to the features.

    schedule: nbac_schedule.  upstream: the table counted against.  box, inactives: for players, else None.
    more: by name, the other tables that a processor's figures come from.
    """

    schedule: pa.Table
    upstream: pa.Table
    box: pa.Table | None = None
    inactives: pa.Table | None = None
    more: Mapping[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Which share of the entities a shard holds: those whose name hashes to `number` modulo `of`."""

    number: int = 0
    of: int = 1

    def keeps(self, names: pa.Array) -> Bools:
        return part_of(names, self.of) == self.number


def part_of(entities: pa.Array, parts: int) -> NDArray[np.int64]:
    """Each entity's part, by a hash that is the same on every machine; null goes to part 0."""
    if isinstance(entities, pa.ChunkedArray):
        entities = entities.combine_chunks()
    if not pa.types.is_dictionary(entities.type):
        entities = entities.dictionary_encode()
    of_value = [zlib.crc32(name.encode()) % parts for name in entities.dictionary.to_pylist()]
    return np.array([*of_value, 0], np.int64)[entities.indices.fill_null(len(of_value)).to_numpy()]


class Once:
    """Makes each thing once, by its name."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __call__(self, name: str, make: Callable[[], Made]) -> Made:
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made


@dataclass(frozen=True)
class Observation:
    """A shard seen as a grid: entities sorted by name, and the upstream rows that are present on it.

    entrants, availability: for processors of D's fixtures (availability of players), else None.
    once: what several columns, or rows of several verdicts, derive from is made once a shard.
    """

    tables: ShardTables
    calendar: Calendar
    entities: pa.StringArray
    grid: Grid
    history: History
    upstream: pa.Table
    row_hashes: Hashes
    unreadable: Bools
    unresolved: Bools
    sample: Sample
    unexpected_rows: int
    entrants: Entrants | None = None
    availability: Availability | None = None
    once: Once = field(default_factory=Once, repr=False)


def observe(
    tables: ShardTables, processor: Processor, season: int, part: Part = Part(), shared: Once | None = None
) -> Observation:
    """Lays one season's tables out as (entities, game days). GateError when the season has no schedule.

    shared: of the same season and part; processors that count the same table have the same grid.
    """
    upstream = processor.upstream
    assert upstream is not None, f"{processor.name} has no upstream to observe"
    once = shared or Once()
    calendar = once("calendar", lambda: Calendar.from_schedule(tables.schedule.select(SCHEDULE_COLUMNS), season))
    counted = f"{upstream} by {processor.entity}"
    laid = once(f"grid of {counted}", lambda: _lay_out(tables, processor.entity, upstream, calendar, part))
    entities, there, grid = laid.entities, laid.there, laid.grid
    entrants, known_out = (
        once(f"fixtures of {counted}", lambda: _fixtures(tables, laid)) if processor.fixtures else (None, None)
    )
    cells, rows, hashes = _present_rows(tables.upstream, there, grid, calendar)
    entity, slot = np.divmod(cells, len(calendar.days))
    shape = grid.required.shape
    wrong = contradicts_itself(rows)
    unreadable = np.zeros(shape, dtype=np.bool_)
    unreadable.ravel()[cells[wrong]] = True
    # Such a row is there, so its game is not missing; but no figure is made of it.
    rows, hashes, entity, slot = rows.filter(pa.array(~wrong)), hashes[~wrong], entity[~wrong], slot[~wrong]
    return Observation(
        tables=tables,
        calendar=calendar,
        entities=entities,
        grid=grid,
        history=laid.history,
        upstream=rows,
        row_hashes=hashes,
        unreadable=unreadable,
        unresolved=laid.unresolved,
        sample=Sample(rows, entity.astype(np.int32), slot.astype(np.int32), shape),
        unexpected_rows=int((there.game < 0).sum()),
        entrants=entrants,
        availability=known_out,
    )


@dataclass(frozen=True)
class _Layout:
    """Who is on the grid, which rows of the table counted are theirs, and what the windows hold.

    unresolved: where the team's box of the day holds a row under an unresolved name.  lists: for players, else None.
    """

    calendar: Calendar
    entities: pa.StringArray
    there: GameRows
    grid: Grid
    unresolved: Bools
    history: History
    lists: "_Lists | None" = None


def _lay_out(tables: ShardTables, kind: Entity, upstream: Upstream, calendar: Calendar, part: Part) -> _Layout:
    if kind is Entity.TEAM:
        lists, entities, team = None, pa.array(calendar.teams), upstream.entity_column
    else:
        assert tables.box is not None
        assert tables.inactives is not None
        named = (tables.upstream[upstream.entity_column], *(t["player_lookup"] for t in (tables.box, tables.inactives)))
        entities, team = _names(part, *named), "team_abbr"
        lists = _Lists(tables, calendar, entities)
    there = _games(tables.upstream, calendar, entities, upstream.entity_column, team)
    if lists:
        grid, unresolved = _players(tables, lists, there)
    else:
        grid = team_grid(calendar, there)
        unresolved = np.zeros_like(grid.required)
    history = History(grid.required, grid.excused, grid.present, calendar.days)
    return _Layout(calendar, entities, there, grid, unresolved, history, lists)


def contradicts_itself(rows: pa.Table) -> Bools:
    """Upstream rows that cannot be true: more makes than attempts, or a negative count."""
    wrong = np.zeros(rows.num_rows, dtype=np.bool_)
    for makes in (name for name in rows.column_names if name.endswith("_makes")):
        attempts = makes.removesuffix("_makes") + "_attempts"
        if attempts in rows.column_names:
            wrong |= pc.fill_null(pc.greater(rows[makes], rows[attempts]), False).to_numpy()
        wrong |= pc.fill_null(pc.less(rows[makes], 0), False).to_numpy()
    return wrong


def _names(part: Part, *columns: pa.ChunkedArray) -> pa.StringArray:
    """The distinct non-null names that the part keeps, sorted."""
    texts = [
        chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        for column in columns
        for chunk in column.chunks
    ]
    names = pc.drop_null(pc.unique(pa.chunked_array(texts or [pa.array([], pa.string())], pa.string())))
    names = names.take(pc.sort_indices(names))
    return names.filter(pa.array(part.keeps(names)))


def _games(rows: pa.Table, calendar: Calendar, entities: pa.Array, entity: str, team: str) -> GameRows:
    return GameRows(
        codes(rows[entity], entities),
        codes(rows["game_id"], calendar.game_ids),
        codes(rows[team], pa.array(calendar.teams)),
    )


class _Lists:
    """The box scores and inactive lists, by the indices of everyone and of the shard's own entities."""

    def __init__(self, tables: ShardTables, calendar: Calendar, entities: pa.Array) -> None:
        assert tables.box is not None
        assert tables.inactives is not None
        self.calendar, self.entities = calendar, entities
        everyone = pc.unique(tables.box["player_lookup"].cast(pa.string()))
        self.everyone = _games(tables.box, calendar, everyone, "player_lookup", "team_abbr")
        self.named = tables.box["player_lookup"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
        mine = codes(tables.box["player_lookup"], entities)
        self.own_box = GameRows(mine, self.everyone.game, self.everyone.team)
        self.inactive = _games(tables.inactives, calendar, entities, "player_lookup", "team_abbr")


def _players(tables: ShardTables, lists: _Lists, there: GameRows) -> tuple[Grid, Bools]:
    """The players' grid, and where the team's box of the day holds a row under an unresolved name."""
    assert tables.box is not None
    calendar, box = lists.calendar, lists.everyone
    played = pc.fill_null(tables.box["played"], False).to_numpy()
    points = pc.fill_null(tables.box["points"], 0).to_numpy().astype(np.int64)
    in_calendar = (box.game >= 0) & (box.team >= 0)
    unnamed, resolved = in_calendar & ~lists.named, in_calendar & lists.named
    own, points = box.where(resolved), points[resolved]
    once = last_of_each(pair(own.entity, own.game * len(calendar.teams) + own.team), points)
    whole = whole_games(calendar, GameRows(own.entity[once], own.game[once], own.team[once]), points[once])
    hidden = np.zeros_like(whole)  # a row under an unresolved name may be anybody's: nobody is proven absent
    hidden[box.team[unnamed & played], calendar.slot[box.game[unnamed & played]]] = True
    grid = player_grid(
        calendar,
        len(lists.entities),
        played=lists.own_box.where(played),
        listed=GameRows.concatenate(lists.own_box, lists.inactive, there),
        present=there,
        whole=whole & ~hidden,
    )
    slots = np.arange(len(calendar.days))
    return grid, (grid.team >= 0) & hidden[grid.team, slots]


def _fixtures(tables: ShardTables, laid: _Layout) -> tuple[Entrants, Availability | None]:
    """Who is listed for D's fixtures, and of players who is known out."""
    lists = laid.lists
    if lists is None:
        return team_entrants(laid.calendar), None
    known_out = availability(
        lists.calendar, lists.entities, lists.own_box, lists.inactive, tables.more["injury_reports"]
    )
    everyone = lists.everyone.where(lists.named)
    return player_entrants(lists.calendar, laid.grid, lists.own_box, everyone, known_out), known_out


def _present_rows(
    upstream: pa.Table, there: GameRows, grid: Grid, calendar: Calendar
) -> tuple[Longs, pa.Table, Hashes]:
    """The upstream rows on the grid, one per (entity, slot) cell: (cells ascending, rows, row hashes)."""
    known = np.flatnonzero((there.entity >= 0) & (there.game >= 0))
    entity, game = there.entity[known], there.game[known]
    slot = calendar.slot[game]
    own = grid.game[entity, slot] == game
    known, cell = known[own], entity[own].astype(np.int64) * len(calendar.days) + slot[own]
    rows = upstream.take(pa.array(known))
    hashes = hash_rows({name: rows[name] for name in rows.column_names if name not in BOOKKEEPING})
    chosen = last_of_each(cell, hashes)  # of doubled rows that differ, any fixed one: the last by hash
    return cell[chosen], rows.take(pa.array(chosen)).combine_chunks(), hashes[chosen]
