"""The gate: for every entity and game day, what its windows must hold, what is there, and the verdict.

`observe` turns one shard's tables into a grid; `judge` answers for all its days and windows at once.  Both are
plain functions of Arrow tables, so a Beam worker, the `check` command and a test run the same code.
"""

import enum
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain import breaker
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar
from fullcourt.domain.fingerprint import Hashes, hash_column, hash_rows, mix
from fullcourt.domain.numbers import Longs, ratio
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.rosters import GameRows, Grid, player_grid, team_grid, whole_games
from fullcourt.domain.sample import Sample
from fullcourt.domain.windows import Bools, History, Ints, Window, WindowCounts, running_total

BOX_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year", "played", "points")
BOOKKEEPING = ("processed_at",)  # upstream columns that are no content
INACTIVE_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year")


class Verdict(enum.IntEnum):
    """The six ways out. Each (entity, day) takes exactly one."""

    READY = 0
    FLAGGED = 1  # computed, but not production ready: bootstrap, or an upstream that is not ready
    INCOMPLETE = 2  # waits for data
    BLOCKED = 3  # waits for its circuit breaker
    EXCLUDED = 4  # nothing is required of it
    DEAD_LETTER = 5  # an upstream row in its windows contradicts itself

    @property
    def label(self) -> str:
        return self.name.lower()


class Reason(enum.IntEnum):
    """processing_decision_reason, domain section 4.3; the processor's own skip reason has no fixed text."""

    PROCESSED_SUCCESSFULLY = 0
    BOOTSTRAP_MODE_ALLOWED = 1
    PROCESSED_WITH_INCOMPLETE_UPSTREAM = 2
    SKIPPED = 3
    CIRCUIT_BREAKER_ACTIVE = 4
    NO_EXPECTED_GAMES = 5
    ALL_GAMES_EXCUSED = 6
    UNREADABLE_UPSTREAM_ROW = 7

    def text(self, processor: Processor) -> str:
        return processor.skip_reason if self is Reason.SKIPPED else self.name.lower()


@dataclass(frozen=True)
class ShardTables:
    """One season's rows, as Arrow tables; extra columns are carried to the features.

    schedule: nbac_schedule.  upstream: the table counted against.  box, inactives: for players, else None.
    """

    schedule: pa.Table
    upstream: pa.Table
    box: pa.Table | None = None
    inactives: pa.Table | None = None


@dataclass(frozen=True)
class Part:
    """Which share of the entities a shard holds: those whose name hashes to `number` modulo `of`."""

    number: int = 0
    of: int = 1

    def keeps(self, names: pa.Array) -> Bools:
        if self.of == 1:
            return np.ones(len(names), dtype=np.bool_)
        return np.array([zlib.crc32(name.encode()) % self.of == self.number for name in names.to_pylist()], np.bool_)


@dataclass(frozen=True)
class Observation:
    """A shard seen as a grid: entities sorted by name, and the upstream rows that are present on it."""

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


@dataclass(frozen=True)
class Judgement:
    """One value a row; rows are (entity, slot) pairs ordered by slot, then entity.

    missing_hash: of the gating windows' missing games, 0 when none is missing.
    source_hash: of the upstream rows in all windows.
    inputs_hash: of all that the verdict depends on, the breaker's facts included.
    """

    entity: Ints
    slot: Ints
    day: Ints
    windows: dict[Window, WindowCounts]
    verdict: NDArray[np.int8]
    reason: NDArray[np.int8]
    bootstrap: Bools
    name_unresolved: Bools
    missing_hash: Hashes
    source_hash: Hashes
    inputs_hash: Hashes
    facts: breaker.Facts

    def where(self, mask: Bools) -> "Judgement":
        windows = {
            window: WindowCounts(c.first[mask], c.expected[mask], c.excused[mask], c.actual[mask])
            for window, c in self.windows.items()
        }
        facts = breaker.Facts(*(values[mask] for values in vars(self.facts).values()))
        columns = {name: values for name, values in vars(self).items() if name not in ("windows", "facts")}
        return Judgement(windows=windows, facts=facts, **{name: values[mask] for name, values in columns.items()})


def observe(tables: ShardTables, processor: Processor, season: int, part: Part = Part()) -> Observation:
    """Lays one season's tables out as (entities, game days). GateError when the season has no schedule."""
    calendar = Calendar.from_schedule(tables.schedule.select(SCHEDULE_COLUMNS), season)
    teams = pa.array(calendar.teams)
    upstream = processor.upstream
    assert upstream is not None, f"{processor.name} has no upstream to observe"
    if processor.entity is Entity.TEAM:
        entities = teams
        there = _games(tables.upstream, calendar, entities, upstream.entity_column, upstream.entity_column)
        grid = team_grid(calendar, there)
        unresolved = np.zeros_like(grid.required)
    else:
        assert tables.box is not None
        assert tables.inactives is not None
        entities = _names(
            part,
            tables.upstream[upstream.entity_column],
            tables.box["player_lookup"],
            tables.inactives["player_lookup"],
        )
        there = _games(tables.upstream, calendar, entities, upstream.entity_column, "team_abbr")
        grid, unresolved = _players(tables, calendar, entities, there)
    cells, rows, hashes = _present_rows(tables.upstream, there, grid, calendar)
    entity, slot = np.divmod(cells, len(calendar.days))
    shape = grid.required.shape
    unreadable = np.zeros(shape, dtype=np.bool_)
    unreadable.ravel()[cells] = contradicts_itself(rows)
    return Observation(
        calendar=calendar,
        entities=entities,
        grid=grid,
        history=History(grid.required, grid.excused, grid.present, calendar.days),
        upstream=rows,
        row_hashes=hashes,
        unreadable=unreadable,
        unresolved=unresolved,
        sample=Sample(rows, entity.astype(np.int32), slot.astype(np.int32), shape),
        unexpected_rows=int((there.game < 0).sum()),
    )


def judge(
    seen: Observation,
    processor: Processor,
    days: Ints,
    facts: pa.Table | None = None,
    now: int = 0,
) -> Judgement:
    """The verdict of every judged entity on the given days (days since 1970; those without games are skipped).

    facts: breaker.newest() of the processor, or None where the breaker is not consulted (backfill).
    now: microseconds since 1970 UTC.
    """
    at = seen.calendar.slots_of(days)
    column, entity = np.nonzero(seen.grid.judged[:, at].T)
    return judge_rows(seen, processor, entity.astype(np.int32), at[column], facts, now)


def judge_rows(
    seen: Observation, processor: Processor, entity: Ints, slot: Ints, facts: pa.Table | None, now: int
) -> Judgement:
    """The verdict of the given (entity, slot) pairs, whether judged or not."""
    calendar, grid = seen.calendar, seen.grid
    day = calendar.days[slot]
    windows = {w: seen.history.count(w, entity, slot) for w in (*processor.windows, *processor.trend_windows)}
    gating = [windows[w] for w in processor.windows]

    nothing = np.logical_and.reduce([c.expected == 0 for c in gating])
    excused = np.logical_or.reduce([c.excused > 0 for c in gating])
    complete = np.logical_and.reduce([is_complete(c, processor.threshold_per_mille) for c in gating])
    computable = np.logical_or.reduce([c.actual > 0 for c in windows.values()])
    bootstrap = calendar.in_bootstrap(day)
    unreadable = _any_between(seen.unreadable, entity, _earliest(windows.values()), slot)

    missing = grid.required & ~grid.present
    opening = _earliest(gating)
    missing_hash = _missing_hash(seen, missing, entity, opening, slot)
    name_unresolved = _any_between(missing & seen.unresolved, entity, opening, slot)
    known = breaker.align(facts, seen.entities, entity, day) if facts is not None else breaker.Facts.none(len(entity))
    locked = breaker.blocked(known, missing_hash, now) & ~bootstrap

    cases = [
        (nothing & excused, Verdict.EXCLUDED, Reason.ALL_GAMES_EXCUSED),
        (nothing, Verdict.EXCLUDED, Reason.NO_EXPECTED_GAMES),
        (unreadable, Verdict.DEAD_LETTER, Reason.UNREADABLE_UPSTREAM_ROW),
        (complete, Verdict.READY, Reason.PROCESSED_SUCCESSFULLY),
        (bootstrap & computable, Verdict.FLAGGED, Reason.BOOTSTRAP_MODE_ALLOWED),
        (locked, Verdict.BLOCKED, Reason.CIRCUIT_BREAKER_ACTIVE),
    ]
    conditions = [condition for condition, _, _ in cases]
    verdict = np.select(conditions, [int(v) for _, v, _ in cases], int(Verdict.INCOMPLETE)).astype(np.int8)
    reason = np.select(conditions, [int(r) for _, _, r in cases], int(Reason.SKIPPED)).astype(np.int8)

    source_hash = np.zeros(len(entity), dtype=np.uint64)
    for number, counts in enumerate(windows.values()):
        source_hash += mix(seen.sample.window_hash(seen.row_hashes, entity, counts.first, slot) + np.uint64(number))
    # A ready row depends on no breaker: the action that closes it must not make the next run a change.
    held_back = verdict != Verdict.READY
    breaker_facts = (known.attempts * held_back, known.until * held_back, known.missing * held_back)
    parts = (verdict, missing_hash, source_hash, *breaker_facts)
    inputs_hash = _inputs_hash(seen.entities, entity, windows, parts)
    return Judgement(
        entity=entity,
        slot=slot,
        day=day,
        windows=windows,
        verdict=verdict,
        reason=reason,
        bootstrap=bootstrap,
        name_unresolved=name_unresolved,
        missing_hash=missing_hash,
        source_hash=source_hash,
        inputs_hash=inputs_hash,
        facts=known,
    )


def is_complete(counts: WindowCounts, threshold_per_mille: int) -> Bools:
    """Integers at the threshold: 9 of 10 passes 900, 8 of 9 does not. A window that expects nothing is neutral."""
    return 1000 * counts.actual.astype(np.int64) >= threshold_per_mille * counts.expected.astype(np.int64)


def percentage(counts: WindowCounts) -> tuple[Longs, Bools]:
    """Tenths of a percent, and where it exists: 1000 when all games are excused, none when nothing is expected."""
    tenths, known = ratio(1000 * counts.actual.astype(np.int64), counts.expected.astype(np.int64), 0)
    all_excused = ~known & (counts.excused > 0)
    return np.where(all_excused, 1000, tenths), known | all_excused


def permitted_misses(expected: int, threshold_per_mille: int = 900) -> int:
    """How many games may be missing: a step function, 0 below ten games at 900 per mille."""
    return expected - -(-threshold_per_mille * expected // 1000)


def missing_games(seen: Observation, judgement: Judgement, windows: tuple[Window, ...]) -> tuple[Ints, Ints]:
    """(row, game) pairs of the games missing from any of the windows, ordered by row, then day."""
    absent = seen.grid.required & ~seen.grid.present
    asked = [judgement.windows[w] for w in windows]
    opening = _earliest(asked)
    # Only rows that miss something are expanded.
    short = np.flatnonzero(np.logical_or.reduce([counts.actual < counts.expected for counts in asked]))
    slots = np.arange(absent.shape[1])
    inside = (slots >= opening[short, None]) & (slots < judgement.slot[short, None])
    row, slot = np.nonzero(absent[judgement.entity[short]] & inside)
    return short[row].astype(np.int32), seen.grid.game[judgement.entity[short[row]], slot]


def contradicts_itself(rows: pa.Table) -> Bools:
    """Upstream rows that cannot be true: more makes than attempts, or a negative count."""
    wrong = np.zeros(rows.num_rows, dtype=np.bool_)
    for makes in (name for name in rows.column_names if name.endswith("_makes")):
        attempts = makes.removesuffix("_makes") + "_attempts"
        if attempts in rows.column_names:
            wrong |= pc.fill_null(pc.greater(rows[makes], rows[attempts]), False).to_numpy()
        wrong |= pc.fill_null(pc.less(rows[makes], 0), False).to_numpy()
    return wrong


def codes(column: pa.Array | pa.ChunkedArray, universe: pa.Array) -> Ints:
    """Each value's place in the universe, or -1; null is -1."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], column.type)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    place = np.append(pc.index_in(column.dictionary, universe).fill_null(-1).to_numpy(), -1).astype(np.int32)
    return place[column.indices.fill_null(len(place) - 1).to_numpy()]


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


def _players(tables: ShardTables, calendar: Calendar, entities: pa.Array, there: GameRows) -> tuple[Grid, Bools]:
    """The players' grid, and where the team's box of the day holds a row under an unresolved name."""
    assert tables.box is not None
    assert tables.inactives is not None
    everyone = pc.unique(tables.box["player_lookup"].cast(pa.string()))
    box = _games(tables.box, calendar, everyone, "player_lookup", "team_abbr")
    played = pc.fill_null(tables.box["played"], False).to_numpy()
    points = pc.fill_null(tables.box["points"], 0).to_numpy().astype(np.int64)
    in_calendar = (box.game >= 0) & (box.team >= 0)
    unnamed = in_calendar & (tables.box["player_lookup"].combine_chunks().is_null().to_numpy(zero_copy_only=False))
    resolved = in_calendar & ~unnamed
    once = last_of_each(box, points, resolved)
    whole = whole_games(calendar, GameRows(box.entity[once], box.game[once], box.team[once]), points[once])
    hidden = np.zeros_like(whole)  # a row under an unresolved name may be anybody's: nobody is proven absent
    hidden[box.team[unnamed & played], calendar.slot[box.game[unnamed & played]]] = True

    mine = codes(tables.box["player_lookup"], entities)
    own_box = GameRows(mine, box.game, box.team)
    inactive = _games(tables.inactives, calendar, entities, "player_lookup", "team_abbr")
    grid = player_grid(
        calendar,
        len(entities),
        played=own_box.where(played),
        listed=GameRows.concatenate(own_box, inactive, there),
        present=there,
        whole=whole & ~hidden,
    )
    slots = np.arange(len(calendar.days))
    return grid, (grid.team >= 0) & hidden[grid.team, slots]


def last_of_each(rows: GameRows, preferred: Longs, candidates: Bools) -> Ints:
    """Of the candidate rows, one per (entity, game, team): the one with the greatest preferred value."""
    index = np.flatnonzero(candidates)
    key = np.stack([rows.entity, rows.game, rows.team])[:, index]
    order = index[np.lexsort((preferred[index], *key))]
    key = np.stack([rows.entity, rows.game, rows.team])[:, order]
    last = np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True)[: len(order)]
    chosen: Ints = order[last]
    return chosen


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
    order = np.lexsort((hashes, cell))  # of doubled rows that differ, any fixed one: the last by hash
    last = np.append(np.diff(cell[order]) != 0, True)[: len(order)]
    chosen = order[last]
    return cell[chosen], rows.take(pa.array(chosen)).combine_chunks(), hashes[chosen]


def _earliest(windows: Iterable[WindowCounts]) -> Ints:
    """Where the union of the windows begins; they all end at the row's slot."""
    first: Ints = np.minimum.reduce([counts.first for counts in windows])
    return first


def _any_between(marked: Bools, entity: Ints, first: Ints, slot: Ints) -> Bools:
    total = running_total(marked)
    found: Bools = total[entity, slot] > total[entity, first]
    return found


def _missing_hash(seen: Observation, missing: Bools, entity: Ints, first: Ints, slot: Ints) -> Hashes:
    """The hash of the set of missing games; 0 when none is missing."""
    of_game = mix(hash_column(seen.calendar.game_ids))
    total = running_total(np.where(missing, of_game[seen.grid.game], np.uint64(0)), np.uint64)
    difference: Hashes = total[entity, slot] - total[entity, first]
    return difference


def _inputs_hash(
    entities: pa.Array,
    entity: Ints,
    windows: dict[Window, WindowCounts],
    parts: Iterable[NDArray[Any]],
) -> Hashes:
    total = mix(hash_column(entities))[entity]
    counts: Iterable[NDArray[Any]] = (array for c in windows.values() for array in (c.expected, c.excused, c.actual))
    for number, values in enumerate((*counts, *parts)):
        bits = values if values.dtype == np.uint64 else values.astype(np.int64).view(np.uint64)
        total = mix(total ^ mix(bits + np.uint64(number)))
    return total
