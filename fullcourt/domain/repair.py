"""Which lost cell to repair first: a greedy cover over all that is held back.

A *cell* is a (game, table) that lacks rows.  A *need* is one window of an entity and day that is not full enough:
it is met when `short` of the cells it misses are repaired, not always all of them, as the threshold permits some
misses.  A *row* is a held-back (processor, entity, day): it is unblocked when all its needs are met, its own and
those of the processors that gate it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fullcourt.domain.numbers import Bools, Ints, Longs

_MOST_EXPANDED = 4_000_000  # links looked at in one piece, to bound the memory


class Links:
    """Pairs (left, right) of indices, by left. lefts: how many left indices there are."""

    def __init__(self, left: Ints, right: Ints, lefts: int) -> None:
        order = np.argsort(left, kind="stable")
        self.right = right[order]
        self.left = left[order]
        self.ends: Longs = np.zeros(lefts + 1, dtype=np.int64)
        np.cumsum(np.bincount(left, minlength=lefts), out=self.ends[1:])

    def of(self, lefts: Ints) -> tuple[Ints, Ints]:
        """(place in `lefts`, right) of every pair that begins with one of the given."""
        place, at = spread(self.ends[lefts], self.ends[lefts + 1])
        return place, self.right[at]

    def back(self, rights: int) -> "Links":
        """The same pairs, by right."""
        return Links(self.right, self.left, rights)


def spread(begin: Longs, end: Longs) -> tuple[Ints, Longs]:
    """All whole numbers of the ranges [begin, end), one after the other: (which range, number)."""
    length = end - begin
    which = np.repeat(np.arange(len(length), dtype=np.int32), length)
    number = np.arange(len(which)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(begin, length)
    return which, number


@dataclass(frozen=True)
class HeldBack:
    """What is held back, and by what.

    short: int32 (needs,), how many more of its cells each need must have, 1 or more.
    cells_of: (need, cell) pairs, each once.  needs_of: (row, need) pairs, each once; every row has one or more.
    """

    rows: int
    cells: int
    short: Ints
    cells_of: Links
    needs_of: Links


@dataclass(frozen=True)
class Plan:
    """alone: int64 (cells,), rows that the cell unblocks by itself; touched: rows one of whose needs misses it.

    order: the cells in the order in which to repair them; gain: rows that each unblocks when those before it are done.
    """

    alone: Longs
    touched: Longs
    order: Ints
    gain: Longs


def plan(held: HeldBack, limit: int | None = None) -> Plan:
    """The greedy cover: at each step the cell that unblocks most.

    Where none unblocks a row by itself, or several the same number, the one that most rows still held back miss;
    of these the first.  Ends when nothing is held back any more, or after `limit` cells.
    """
    cover = _Cover(held)
    alone, touched = cover.gain.copy(), cover.touched.copy()
    order: list[int] = []
    gain: list[int] = []
    while (limit is None or len(order) < limit) and cover.touched.any():
        tied = np.flatnonzero(cover.gain == cover.gain.max())
        best = int(tied[cover.touched[tied].argmax()])
        order.append(best)
        gain.append(cover.repair(best))
    return Plan(alone, touched, np.array(order, np.int32), np.array(gain, np.int64))


class _Cover:
    """The state between two repairs: gain and touched of each cell, given what is repaired so far."""

    def __init__(self, held: HeldBack) -> None:
        self._held = held
        self._needs_with = held.cells_of.back(held.cells)
        self._rows_with = held.needs_of.back(len(held.short))
        self._short = held.short.copy()
        self._repaired = np.zeros(held.cells, dtype=np.bool_)
        self.gain: Longs = np.zeros(held.cells, dtype=np.int64)
        self.touched: Longs = np.zeros(held.cells, dtype=np.int64)
        for rows in _pieces(held):
            self._add(rows, 1)

    def repair(self, cell: int) -> int:
        """Repairs the cell and returns how many rows that unblocks."""
        gain = int(self.gain[cell])
        _, needs = self._needs_with.of(np.array([cell], np.int32))
        needs = needs[self._short[needs] > 0]
        rows = np.unique(self._rows_with.of(needs)[1])
        self._add(rows, -1)
        self._short[needs] -= 1
        self._repaired[cell] = True
        self._add(rows, 1)
        return gain

    def _add(self, rows: Ints, sign: int) -> None:
        """Counts the rows in, or out: the cells that each misses, and the one that would unblock it by itself."""
        place, need = self._held.needs_of.of(rows)
        unmet = self._short[need] > 0
        place, need = place[unmet], need[unmet]
        unmet_needs = np.bincount(place, minlength=len(rows))
        one_short = np.bincount(place, self._short[need] == 1, len(rows)) == unmet_needs
        at, cell = self._held.cells_of.of(need)
        missing = ~self._repaired[cell]
        key = place[at[missing]].astype(np.int64) * self._held.cells + cell[missing]
        distinct, times = np.unique(key, return_counts=True)
        row, cell = np.divmod(distinct, self._held.cells)
        in_every_need: Bools = one_short[row] & (times == unmet_needs[row])
        self.touched += sign * np.bincount(cell, minlength=self._held.cells)
        self.gain += sign * np.bincount(cell[in_every_need], minlength=self._held.cells)


def _pieces(held: HeldBack) -> Iterable[Ints]:
    """All rows, so many at a time that no piece has more than a bounded number of links."""
    if not held.rows:
        return []
    of_need = np.diff(held.cells_of.ends)
    links = np.bincount(held.needs_of.left, of_need[held.needs_of.right], held.rows)
    piece = (np.cumsum(links) // _MOST_EXPANDED).astype(np.int64)
    edges = np.flatnonzero(np.diff(piece)) + 1
    return np.split(np.arange(held.rows, dtype=np.int32), edges)
