"""How many games each window has: the kernel of the gate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.windows import Span, Window

_COUNT_BITS = 16  # no season has as many days
_COUNT = (1 << _COUNT_BITS) - 1


@dataclass(frozen=True)
class WindowCounts:
    """Per row: the window begins at game-day slot `first` and ends before the row's own slot.

    expected = games required; excused = games passed over; actual = required games that are there.
    """

    first: Ints
    expected: Ints
    excused: Ints
    actual: Ints

    @property
    def in_one_word(self) -> NDArray[np.int64]:
        return _side_by_side(self.expected, self.excused, self.actual)


def _side_by_side(*counts: NDArray[Any]) -> NDArray[np.int64]:
    """Three counts, the first in the lowest bits."""
    one, two, three = (values.astype(np.int64) << number * _COUNT_BITS for number, values in enumerate(counts))
    return one | two | three


def running_total(grid: NDArray[Any], dtype: type[np.generic] = np.int32) -> NDArray[Any]:
    """Exclusive prefix sums along the days: column s holds the sum of all slots before s."""
    total = np.zeros((grid.shape[0], grid.shape[1] + 1), dtype=dtype)
    np.cumsum(grid, axis=1, dtype=dtype, out=total[:, 1:])
    return total


class History:
    """Counts every window of every entity and game day by look-up, after one pass over the grid.

    required, excused, present: bool (entities, game days); present is a subset of required.
    days: game days ascending, as days since 1970-01-01.
    """

    def __init__(self, required: Bools, excused: Bools, present: Bools, game_days: Ints) -> None:
        self._days = game_days
        # The three totals side by side in one word: one look-up finds them all, and none borrows from another.
        total = running_total(_side_by_side(required, excused, present), np.int64)
        self._total = total.ravel()
        self._slots = total.shape[1]
        # The slot of each entity's k-th required game, so that "the last N" begins at look-up [k - N].
        self._width = int((total[:, -1] & _COUNT).max(initial=0)) + 1
        self._required_slot = np.zeros(required.shape[0] * self._width, dtype=np.int32)
        entity, slot = np.nonzero(required)
        self._required_slot[entity * self._width + (total[entity, slot] & _COUNT)] = slot

    def count(self, window: Window, entity: Ints, slot: Ints) -> WindowCounts:
        """The window's counts for rows (entity, slot), all games strictly before the slot."""
        row = entity.astype(np.int64) * self._slots
        end = self._total[row + slot]
        if window.span is Span.GAMES:
            kth = (end & _COUNT) - window.length
            place = entity * np.int64(self._width) + np.maximum(kth, 0)
            first = np.where(kth >= 0, self._required_slot[place], np.int32(0))
        else:
            opening = np.searchsorted(self._days, self._days - window.length).astype(np.int32)
            first = opening[slot]
        inside = end - self._total[row + first]
        expected, excused, actual = (
            ((inside >> number * _COUNT_BITS) & _COUNT).astype(np.int32) for number in range(3)
        )
        return WindowCounts(first, expected, excused, actual)
