"""What each held-back row waits for: windows that are not full enough, its own and those of what gates it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.numbers import Bools, Ints, Longs
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Processor
from fullcourt.domain.repair import Links, spread
from fullcourt.domain.windows import Window


@dataclass(frozen=True)
class Needs:
    """Windows that are not full enough, each once however many processors look at it.

    short: how many of its missing games it must still get.  entity, slot: whose window, before which day.
    first: the slot at which it begins.
    """

    short: Ints
    entity: Ints
    slot: Ints
    first: Ints


@dataclass(frozen=True)
class Waiting:
    """The held-back rows of one season and kind of entity.

    held_back: all of them, made up of for_a_rerun (complete by now), beyond_repair (a gating processor has no row, or
    the entity is not known any more) and `rows`.
    rows: how many wait for games; needs_of: (row, need) pairs of these.
    """

    held_back: int
    for_a_rerun: int
    beyond_repair: int
    rows: int
    needs: Needs
    needs_of: tuple[Ints, Ints]

    @classmethod
    def of(cls, seen: Observation, published: Mapping[Processor, pa.Table]) -> "Waiting":
        """published: every row's `entity`, `day` and `ready`, by processor in DAG order."""
        book = _Book(seen)
        for processor, table in published.items():
            book.enter(processor, table)
        row, need = book.links()
        stuck = np.concatenate([entry.stuck for entry in book.entries.values()])
        waits = ~stuck & (np.bincount(row, minlength=len(stuck)) > 0)
        kept = waits[row]
        return cls(
            held_back=len(stuck) + book.unknown,
            for_a_rerun=int((~stuck & ~waits).sum()),
            beyond_repair=int(stuck.sum()) + book.unknown,
            rows=int(waits.sum()),
            needs=book.needs(),
            needs_of=((np.cumsum(waits) - 1)[row[kept]].astype(np.int32), need[kept]),
        )


def missing_of(needs: Needs, absent: Bools) -> tuple[Ints, Longs]:
    """(need, place) pairs: which of the grid's absent games, counted row by row, each need misses."""
    total = np.append(0, np.cumsum(absent))
    row = needs.entity.astype(np.int64) * absent.shape[1]
    return spread(total[row + needs.first], total[row + needs.slot])


@dataclass(frozen=True)
class _Entry:
    """One processor's rows: their keys, and the number among the held-back rows of each, -1 where it is ready.

    stuck: of the held-back ones, those that no game repairs.  needs_of: (row, need) pairs.
    """

    keys: Longs
    number: Ints
    stuck: Bools
    needs_of: tuple[Ints, Ints]


class _Book:
    """The rows of the processors entered so far."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen
        self._windows: list[tuple[Window, int]] = []
        self._need_keys: Longs = np.zeros(0, dtype=np.int64)
        self._needs: list[tuple[Ints, ...]] = []
        self._rows = 0
        self.unknown = 0  # held-back rows whose entity or day the season does not know any more
        self.entries: dict[str, _Entry] = {}

    def enter(self, processor: Processor, table: pa.Table) -> None:
        """The processor's rows; those that gate it are entered already."""
        entity, slot, on_grid = _located(self._seen, table)
        ready = table["ready"].to_numpy()
        self.unknown += int((~ready & ~on_grid).sum())
        ready = ready[on_grid]
        number = np.where(ready, -1, self._rows + np.cumsum(~ready) - 1).astype(np.int32)
        keys = pair(entity, slot)
        row, need = self._own_needs(processor, entity[~ready], slot[~ready])
        rows, needs = [row], [need]
        stuck = np.zeros(int((~ready).sum()), dtype=np.bool_)
        for dependency in processor.hard:
            other = self.entries[dependency.processor]
            place = places(other.keys, keys[~ready], np.ones(len(other.keys), dtype=np.bool_))
            stuck |= place < 0
            gated = np.flatnonzero((place >= 0) & (np.append(other.number, -1)[place] >= 0))
            upstream = other.number[place[gated]] - other.number[other.number >= 0].min(initial=self._rows)
            stuck[gated] |= other.stuck[upstream]
            at, inherited = Links(*other.needs_of, len(other.stuck)).of(upstream)
            rows.append(gated[at].astype(np.int32))
            needs.append(inherited)
        # Several of them often wait for the same window of the same player.
        distinct = np.unique(pair(np.concatenate(rows), np.concatenate(needs)))
        links = (distinct >> 32).astype(np.int32), (distinct & 0xFFFFFFFF).astype(np.int32)
        self.entries[processor.name] = _Entry(keys, number, stuck, links)
        self._rows += len(stuck)

    def links(self) -> tuple[Ints, Ints]:
        """(row, need) pairs of all held-back rows."""
        first = np.cumsum([0, *(len(entry.stuck) for entry in self.entries.values())])
        rows = [entry.needs_of[0] + start for entry, start in zip(self.entries.values(), first[:-1], strict=True)]
        needs = [entry.needs_of[1] for entry in self.entries.values()]
        return np.concatenate(rows).astype(np.int32), np.concatenate(needs)

    def needs(self) -> Needs:
        return Needs(*(np.concatenate(column) for column in zip(*self._needs, strict=True)))

    def _own_needs(self, processor: Processor, entity: Ints, slot: Ints) -> tuple[Ints, Ints]:
        """(row, need) pairs of the rows (entity, slot)."""
        rows, numbers = [], []
        for window in processor.windows:
            counts = self._seen.history.count(window, entity, slot)
            enough = -(-processor.threshold_per_mille * counts.expected.astype(np.int64) // 1000)
            short = (enough - counts.actual).astype(np.int32)
            row = np.flatnonzero(short > 0).astype(np.int32)
            keys = self._keys(window, processor.threshold_per_mille, entity[row], slot[row])
            fresh = ~np.isin(keys, self._need_keys)
            self._need_keys = np.append(self._need_keys, keys[fresh])
            self._needs.append(tuple(values[row][fresh] for values in (short, entity, slot, counts.first)))
            rows.append(row)
            numbers.append(places(self._need_keys, keys, np.ones(len(self._need_keys), dtype=np.bool_)))
        return np.concatenate(rows), np.concatenate(numbers)

    def _keys(self, window: Window, threshold: int, entity: Ints, slot: Ints) -> Longs:
        if (window, threshold) not in self._windows:
            self._windows.append((window, threshold))
        number = self._windows.index((window, threshold))
        cells = self._seen.grid.required.size
        return number * cells + entity.astype(np.int64) * self._seen.grid.required.shape[1] + slot


def _located(seen: Observation, table: pa.Table) -> tuple[Ints, Ints, Bools]:
    """(entity, slot) of the rows on the grid, and which rows these are."""
    entity, days = codes(table["entity"], seen.entities), seen.calendar.days
    day = table["day"].combine_chunks().cast(pa.int32()).to_numpy()
    slot = np.minimum(np.searchsorted(days, day), len(days) - 1).astype(np.int32)
    on_grid: Bools = (entity >= 0) & (days[slot] == day)
    return entity[on_grid], slot[on_grid], on_grid
