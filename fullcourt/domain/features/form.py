"""Sums over the last games of a table's own rows, for entities that are not the ones judged: teams, team-mates."""

import numpy as np
import pyarrow as pa

from fullcourt.domain.calendar import Calendar
from fullcourt.domain.columns import codes, last_of_each
from fullcourt.domain.fingerprint import Hashes, hash_rows
from fullcourt.domain.numbers import Bools, Ints, Longs
from fullcourt.domain.observation import Observation
from fullcourt.domain.sample import Sample
from fullcourt.domain.window_counts import History, WindowCounts
from fullcourt.domain.windows import games

LAST_10 = games(10)


def team_form(seen: Observation, table: str, column: str) -> "Form":
    """Teams' last games in one of the tables read besides; column: the one that names the team."""
    calendar, teams = seen.calendar, pa.array(seen.calendar.teams)
    return seen.once(table, lambda: Form(calendar, seen.tables.more[table], column, teams, calendar.game_at >= 0))


class Form:
    """One table's rows on a grid (entities, slots); of doubled rows the last by content.

    required: the games that a window counts back over; without it, the games that have a row.
    """

    def __init__(
        self, calendar: Calendar, rows: pa.Table, column: str, names: pa.Array, required: Bools | None = None
    ) -> None:
        entity, game = codes(rows[column], names), codes(rows["game_id"], calendar.game_ids)
        hashes = hash_rows({name: rows[name] for name in rows.column_names if name != "processed_at"})
        known = np.flatnonzero((entity >= 0) & (game >= 0))
        cell = entity[known].astype(np.int64) * len(calendar.days) + calendar.slot[game[known]]
        last = last_of_each(cell, hashes[known])
        chosen = known[last]
        shape = (len(names), len(calendar.days))
        entity, slot = np.divmod(cell[last], len(calendar.days))
        self._hashes = hashes[chosen]
        self._rows = rows.take(pa.array(chosen)).combine_chunks()
        self._sample = Sample(self._rows, entity.astype(np.int32), slot.astype(np.int32), shape)
        there = np.zeros(shape, dtype=np.bool_)
        there[entity, slot] = True
        wanted = there if required is None else required
        self._history = History(wanted, np.zeros_like(wanted), there & wanted, calendar.days)

    def last_10(self, entity: Ints, slot: Ints) -> WindowCounts:
        """The last ten games before the slot; entity must be known."""
        return self._history.count(LAST_10, entity, slot)

    def sums(self, columns: tuple[str, ...], entity: Ints, slot: Ints) -> tuple[list[Longs], Longs]:
        """Per row: each column's sum over the last ten games in which all are known, and how many those are."""
        return self._sample.sums(columns, entity, self.last_10(entity, slot).first, slot)

    def games(self, entity: Ints, slot: Ints) -> Longs:
        """Rows so far this season."""
        begin = np.zeros_like(slot)
        counted: Longs = self._sample.count(entity, begin, slot)
        return counted

    def content(self, entity: Ints, slot: Ints) -> Hashes:
        """The hash of the rows of the last ten games."""
        return self._sample.window_hash(self._hashes, entity, self.last_10(entity, slot).first, slot)

    def newest(self, entity: Ints, slot: Ints) -> Longs:
        """When the newest row before the slot was processed, microseconds since 1970; 0 without one."""
        stamps = self._rows["processed_at"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
        return self._sample.newest(stamps, entity, slot)
