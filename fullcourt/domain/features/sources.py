"""What an upstream contributed to a row, for the `source_…` columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.availability import Availability
from fullcourt.domain.cascade import Found
from fullcourt.domain.features.form import Form
from fullcourt.domain.fingerprint import Hashes, hash_column, hash_rows, mix, to_hex
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Ints, Longs, nullable, ratio, times
from fullcourt.domain.observation import Observation


@dataclass(frozen=True)
class Source:
    """One value a row.

    rows: how many contributed.  percent: of how many were expected, 0-100; null where nothing says how many.
    newest: microseconds since 1970 of the newest, 0 without one.  content: hash of all of them.
    """

    rows: Longs
    percent: pa.Array
    newest: Longs
    content: Hashes

    @classmethod
    def of(cls, found: Found) -> "Source":
        """One row of another processor."""
        there = found.found
        stamps = found.values("processed_at").cast(pa.int64()).fill_null(0).to_numpy()
        return cls(
            rows=there.astype(np.int64),
            percent=pa.array(100.0 * there),
            newest=stamps,
            content=np.where(there, hash_column(found.values("data_hash")), np.uint64(0)),
        )

    def columns(self) -> dict[str, pa.Array]:
        """The columns without their prefix."""
        return {
            "last_updated": times(self.newest),
            "rows_found": pa.array(self.rows),
            "completeness_pct": self.percent,
            "hash": pc.if_else(pa.array(self.rows > 0), to_hex(self.content), pa.scalar(None, pa.string())),
        }


def unexpected(rows: Longs, newest: Longs, content: Hashes) -> Source:
    """Rows of a table that owes nobody any number of them, such as betting lines."""
    return Source(rows, pa.nulls(len(rows), pa.float64()), newest, content)


def fixture_source(seen: Observation, rows: Judgement) -> Source:
    """The schedule's row of the fixture; its result is no part of it."""
    calendar, schedule = seen.calendar, seen.tables.schedule
    game = calendar.game_at[rows.team, rows.slot]
    place = pc.index_in(calendar.game_ids, schedule["game_id"].combine_chunks())
    stamps = schedule["processed_at"].combine_chunks().cast(pa.int64()).take(place).fill_null(0).to_numpy()
    content = hash_rows({"id": calendar.game_ids, "league_id": calendar.nba_game_ids})
    one = np.ones(len(game), dtype=np.int64)
    return Source(one, pa.array(100.0 * one), stamps[game], content[game])


def report_source(seen: Observation, rows: Judgement, known_out: Availability) -> Source:
    """The newest injury report on the row's team."""
    report, shape = known_out.report, known_out.known.shape
    content, newest = np.zeros(shape, dtype=np.uint64), np.zeros(shape, dtype=np.int64)
    rows_hash = hash_rows({name: known_out.rows[name] for name in ("player_lookup", "injury_status", "reason")})
    np.add.at(content, (report.team, report.slot), rows_hash)
    stamps = known_out.rows["processed_at"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
    np.maximum.at(newest, (report.team, report.slot), stamps)
    found = report.counted(*shape)[rows.team, rows.slot].astype(np.int64)
    return unexpected(found, newest[rows.team, rows.slot], content[rows.team, rows.slot])


def form_source(form: Form, entities: Sequence[Ints], slot: Ints) -> Source:
    """The last ten games of one or more teams a row."""
    counts = [form.last_10(entity, slot) for entity in entities]
    actual = np.sum([c.actual for c in counts], axis=0).astype(np.int64)
    expected = np.sum([c.expected for c in counts], axis=0).astype(np.int64)
    tenths, known = ratio(1000 * actual, expected, 0)
    content = np.zeros(len(slot), dtype=np.uint64)
    for number, entity in enumerate(entities):
        content = content + mix(form.content(entity, slot) + np.uint64(number))
    newest = np.maximum.reduce([form.newest(entity, slot) for entity in entities])
    return Source(actual, nullable(tenths / 10.0, known), newest, content)
