"""The games a row's features are computed from: exactly those present among the window's required games."""

import numpy as np
import pyarrow as pa

from fullcourt.domain.fingerprint import Hashes
from fullcourt.domain.numbers import Bools, Ints, Longs, integers


class Sample:
    """Sums over any window by look-up, after one pass over the upstream rows.

    rows: the upstream rows, one per (entity, slot) cell; shape: (entities, slots).
    """

    def __init__(self, rows: pa.Table, entity: Ints, slot: Ints, shape: tuple[int, int]) -> None:
        self._rows = rows
        self._cell = entity.astype(np.int64) * (shape[1] + 1) + slot + 1  # one to the right: totals are exclusive
        self._shape = (shape[0], shape[1] + 1)

    def total(self, values: np.ndarray, dtype: type[np.generic] = np.int64) -> np.ndarray:
        """The exclusive running total of one value a row, (entities, slots + 1); unsigned sums wrap."""
        grid = np.zeros(self._shape, dtype=dtype)
        grid.ravel()[self._cell] = values
        return np.cumsum(grid, axis=1, dtype=dtype, out=grid)

    def values(self, column: str) -> tuple[Longs, Bools]:
        """The upstream column as integers (decimals in units of their last place) and where it is known."""
        return integers(self._rows[column])

    def edge(self, entity: Ints, slot: Ints) -> Longs:
        """Where a running total, flattened, holds what came before the slot."""
        place: Longs = entity.astype(np.int64) * self._shape[1] + slot
        return place

    def laid_out(self, values: np.ndarray) -> np.ndarray:
        """One value a row on a grid (entities, slots); zero where there is no row."""
        grid = np.zeros(self._shape, dtype=values.dtype)
        grid.ravel()[self._cell] = values
        return grid[:, 1:]

    def sums(self, columns: tuple[str, ...], entity: Ints, first: Ints, slot: Ints) -> tuple[list[Longs], Longs]:
        """Per row: each column's sum over the window's games in which all of them are known, and how many those are."""
        read = [self.values(column) for column in columns]
        known = np.logical_and.reduce([mask for _, mask in read])
        begin, end = self.edge(entity, first), self.edge(entity, slot)

        def between(values: np.ndarray) -> Longs:
            total = self.total(values).ravel()
            difference: Longs = total[end] - total[begin]
            return difference

        return [between(np.where(known, values, 0)) for values, _ in read], between(known)

    def deviation(self, column: str, entity: Ints, first: Ints, slot: Ints) -> tuple[Longs, Bools]:
        """Per row: the sample deviation over the window in hundredths, and where there are two games or more.

        From exact sums: sqrt((n sum x^2 - (sum x)^2) / (n (n - 1))).
        """
        values, known = self.values(column)
        begin, end = self.edge(entity, first), self.edge(entity, slot)

        def between(value: np.ndarray) -> Longs:
            total = self.total(value).ravel()
            difference: Longs = total[end] - total[begin]
            return difference

        count, total, squares = between(known), between(values * known), between(values * values * known)
        enough = count >= 2
        variance = (count * squares - total * total) / np.where(enough, count * (count - 1), 1)
        return np.floor(100 * np.sqrt(np.maximum(variance, 0)) + 0.5).astype(np.int64), enough

    def count(self, entity: Ints, first: Ints, slot: Ints) -> Longs:
        """Per row: the upstream rows in the window."""
        total = self.total(np.ones(self._rows.num_rows, np.int64)).ravel()
        begin, end = self.edge(entity, first), self.edge(entity, slot)
        difference: Longs = total[end] - total[begin]
        return difference

    def window_hash(self, row_hashes: Hashes, entity: Ints, first: Ints, slot: Ints) -> Hashes:
        """Per row: the hash of the set of upstream rows in the window."""
        total = self.total(row_hashes, np.uint64).ravel()
        begin, end = self.edge(entity, first), self.edge(entity, slot)
        difference: Hashes = total[end] - total[begin]
        return difference

    def newest(self, stamps: Longs, entity: Ints, slot: Ints) -> Longs:
        """Per row: the greatest stamp among the entity's rows before the slot; 0 where there are none."""
        grid = np.zeros(self._shape, dtype=np.int64)
        grid.ravel()[self._cell] = stamps
        np.maximum.accumulate(grid, axis=1, out=grid)
        found: Longs = grid.ravel()[self.edge(entity, slot)]
        return found
