"""When a player played: rest, back-to-backs, and how he fared against his lines, by look-up on the season's grid."""

import numpy as np

from fullcourt.domain.numbers import Bools, Ints, Longs
from fullcourt.domain.observation import Observation
from fullcourt.domain.window_counts import running_total

RESTED = 2  # days_rest from which a player counts as rested


class Rhythm:
    """Look-ups by (entity, slot) over the games an entity entered before the slot."""

    def __init__(self, seen: Observation) -> None:
        self._days = seen.calendar.days
        self._seen = seen
        self._there = seen.sample.laid_out(np.ones(seen.upstream.num_rows, dtype=np.bool_))
        self._slots = np.arange(self._there.shape[1], dtype=np.int32)
        self._last = self._last_before(self._there)
        known = self._there & (self._last >= 0)
        # Days since the game before, at each game that has one before it.
        self._gap = np.where(known, self._days[self._slots] - self._days[self._last], 0)

    def days_rest(self, entity: Ints, slot: Ints) -> tuple[Longs, Bools]:
        """Days since the last game, and where there was one."""
        return self._since(self._last, entity, slot)

    def days_rest_before_last_game(self, entity: Ints, slot: Ints) -> tuple[Longs, Bools]:
        last = self._last[entity, slot]
        gap = np.where(last >= 0, self._gap[entity, last], 0).astype(np.int64)
        return gap, gap > 0

    def days_since_rested(self, entity: Ints, slot: Ints) -> tuple[Longs, Bools]:
        """Days since the last game he came to rested, and where there was one."""
        return self._since(self._last_before(self._gap >= RESTED), entity, slot)

    def back_to_backs(self, length: int, entity: Ints, slot: Ints) -> Longs:
        """Pairs of games on consecutive days, both in [D - length, D - 1]."""
        total = running_total(self._gap == 1)
        first = np.searchsorted(self._days, self._days - length + 1)[slot]  # the second of a pair
        return (total[entity, slot] - total[entity, np.minimum(first, slot)]).astype(np.int64)

    def line_streaks(self, entity: Ints, slot: Ints) -> dict[str, tuple[Longs, Bools]]:
        """over, under: games in a row beyond the last points line, games without a line skipped; a push ends both."""
        points, scored = self._seen.sample.values("points")
        line, lined = self._seen.sample.values("points_line")
        against = self._seen.sample.laid_out(np.sign(10 * points - line) * (scored & lined))
        judged = self._seen.sample.laid_out(scored & lined)
        had_line = running_total(judged)[entity, slot] > 0
        return {
            name: (self._streak(judged, against * sign)[entity, slot], had_line)
            for name, sign in (("over", 1), ("under", -1))
        }

    def _streak(self, judged: Bools, result: Longs) -> Longs:
        """(entities, slots): positive results in a row before each slot."""
        streak = np.zeros_like(result)
        running = np.zeros(len(result), dtype=np.int64)
        for slot in range(result.shape[1]):  # a few hundred steps a season
            streak[:, slot] = running
            running = np.where(judged[:, slot], np.where(result[:, slot] > 0, running + 1, 0), running)
        return streak

    def _last_before(self, marked: Bools) -> Ints:
        """(entities, slots): the last marked slot before each slot, or -1."""
        last = np.full((marked.shape[0], marked.shape[1] + 1), -1, dtype=np.int32)
        last[:, 1:] = np.where(marked, self._slots, -1)
        return np.maximum.accumulate(last, axis=1)[:, :-1]

    def _since(self, last: Ints, entity: Ints, slot: Ints) -> tuple[Longs, Bools]:
        found = last[entity, slot]
        return (self._days[slot] - self._days[found]).astype(np.int64), found >= 0
