"""From verdicts to rows of the output table: identity, completeness, features, lineage.

Every verdict yields rows of one shape, so that each way out of the gate is a batch of the same table: computed
rows (ready, flagged) carry the features; the others keep every business column null.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from fullcourt.domain import breaker
from fullcourt.domain.calendar import at_season_boundary
from fullcourt.domain.features import FEATURES
from fullcourt.domain.features.zones import choose
from fullcourt.domain.fingerprint import Hashes, hash_rows, mix, to_hex
from fullcourt.domain.gate import Judgement, Reason, Verdict, is_complete, missing_games, percentage
from fullcourt.domain.numbers import nullable
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.windows import Bools, WindowCounts

COMPUTED = (Verdict.READY, Verdict.FLAGGED)
TIMESTAMP = pa.timestamp("us", tz="UTC")
MISSING_HASH = "missing_games_hash"  # rides along for the attempts; the output table has no such column


@dataclass(frozen=True)
class Stamp:
    """Who writes when: the run, and its one clock reading in microseconds since 1970 UTC.

    recording: attempts and breaker actions are written and consulted (`run`), or not (`backfill`).
    """

    run_id: str
    now: int
    recording: bool = True

    def times(self, rows: int) -> pa.Array:
        return pa.array(np.full(rows, self.now, np.int64)).cast(TIMESTAMP)

    def runs(self, rows: int) -> pa.Array:
        return pa.repeat(self.run_id, rows)


@dataclass(frozen=True)
class Judged:
    """Rows of one shard and processor, with what their columns derive from."""

    seen: Observation
    rows: Judgement
    processor: Processor
    stamp: Stamp

    def where(self, mask: Bools) -> "Judged":
        return Judged(self.seen, self.rows.where(mask), self.processor, self.stamp)

    @property
    def size(self) -> int:
        return len(self.rows.slot)

    @property
    def primary(self) -> WindowCounts:
        assert self.processor.primary is not None
        return self.rows.windows[self.processor.primary]

    @cached_property
    def context_hash(self) -> Hashes:
        """What a row's figures come from beside the entity's own games; zeros where that is nothing."""
        context = FEATURES[self.processor.name].context
        return context(self.seen, self.rows) if context else np.zeros(self.size, np.uint64)

    @cached_property
    def records_attempt(self) -> Bools:
        """Incomplete, outside bootstrap, in a run that records."""
        return (self.rows.verdict == Verdict.INCOMPLETE) & ~self.rows.bootstrap & self.stamp.recording

    @cached_property
    def attempts(self) -> np.ndarray:
        return self.rows.facts.attempts + self.records_attempt


def judged_table(judged: Judged, schema: pa.Schema) -> pa.Table:
    """Rows of one verdict: the columns of the output table, then missing_games_hash."""
    size, stamp = judged.size, judged.stamp
    columns = {**_identity(judged), **_completeness(judged), **_lineage(judged), **_sample(judged)}
    if judged.processor.multi_window:
        columns |= _window_columns(judged)
    if size and Verdict(int(judged.rows.verdict[0])) in COMPUTED:
        business = FEATURES[judged.processor.name].compute(judged.seen, judged.rows)
        columns |= {**business, "data_hash": to_hex(hash_rows(business))}
    columns |= {"run_id": stamp.runs(size), "created_at": stamp.times(size), "processed_at": stamp.times(size)}
    columns[MISSING_HASH] = to_hex(judged.rows.missing_hash)
    return fit(columns, schema.append(pa.field(MISSING_HASH, pa.string())), size)


def fit(columns: Mapping[str, pa.Array], schema: pa.Schema, size: int) -> pa.Table:
    """The columns in the schema's order and types; one that was not computed is null, one too many is an error."""
    if stray := set(columns).difference(schema.names):
        raise ValueError(f"computed columns that the table does not have: {sorted(stray)}")
    arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(size, f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def percent_column(counts: WindowCounts) -> pa.Array:
    """0-100 at one decimal; null when nothing is expected, 100 when all of it is excused."""
    tenths, known = percentage(counts)
    return nullable(tenths / 10.0, known)


def tally(judged: Judged) -> pa.Table:
    """Per day: entities by verdict, the sum of their percentages in tenths, and this part of the day's fingerprint."""
    rows = judged.rows
    days, index = np.unique(rows.day, return_inverse=True)
    tenths, known = percentage(judged.primary)
    known &= rows.verdict <= Verdict.BLOCKED  # of the rows written
    columns: dict[str, pa.Array] = {"day": pa.array(days.astype(np.int32)).cast(pa.date32())}
    for verdict in Verdict:
        count = np.bincount(index[rows.verdict == verdict], minlength=len(days))
        columns[verdict.label] = pa.array(count.astype(np.int64))
    columns["percent_tenths"] = pa.array(np.bincount(index[known], tenths[known], len(days)).astype(np.int64))
    columns["percent_rows"] = pa.array(np.bincount(index[known], minlength=len(days)).astype(np.int64))
    fingerprint = np.zeros(len(days), dtype=np.uint64)
    np.add.at(fingerprint, index, mix(rows.inputs_hash + judged.context_hash))
    columns["fingerprint"] = pa.array(fingerprint)
    return pa.table(columns)


def _identity(judged: Judged) -> dict[str, pa.Array]:
    """The entity, the day and the season."""
    seen, rows, processor = judged.seen, judged.rows, judged.processor
    columns = {
        processor.key_column: seen.entities.take(pa.array(rows.entity)),
        processor.day_column: pa.array(rows.day).cast(pa.date32()),
        "season_year": pa.repeat(seen.calendar.season, judged.size),
    }
    if processor.entity is Entity.PLAYER:
        columns["universal_player_id"] = _registry_ids(seen, rows)
    return columns


def _registry_ids(seen: Observation, rows: Judgement) -> pa.Array:
    """universal_player_id as the player's newest upstream row before the day has it; null without one."""
    numbered = np.arange(1, seen.upstream.num_rows + 1, dtype=np.int64)  # rows are in day order within an entity
    newest = seen.sample.newest(numbered, rows.entity, rows.slot) - 1
    return seen.upstream["universal_player_id"].combine_chunks().take(nullable(newest, newest >= 0)).cast(pa.string())


def _completeness(judged: Judged) -> dict[str, pa.Array]:
    """The standard fourteen, the games excused and the games missing; domain section 5."""
    rows, primary, stamp = judged.rows, judged.primary, judged.stamp
    attempts = judged.attempts
    blocked = rows.verdict == Verdict.BLOCKED
    gap = np.select([rows.name_unresolved, rows.missing_hash != 0], [2, 1], 0)
    return {
        "expected_games_count": pa.array(primary.expected.astype(np.int64)),
        "actual_games_count": pa.array(primary.actual.astype(np.int64)),
        "completeness_percentage": percent_column(primary),
        "missing_games_count": pa.array((primary.expected - primary.actual).astype(np.int64)),
        "is_production_ready": pa.array(rows.verdict == Verdict.READY),
        "data_quality_issues": _issues(judged),
        "last_reprocess_attempt_at": times(np.where(judged.records_attempt, stamp.now, rows.facts.last_at)),
        "reprocess_attempt_count": pa.array(attempts.astype(np.int64)),
        "circuit_breaker_active": pa.array(blocked),
        "circuit_breaker_until": times(np.where(blocked, rows.facts.until, 0)),
        "manual_override_required": pa.array(breaker.trips(attempts) & (rows.verdict != Verdict.READY)),
        "season_boundary_detected": pa.array(at_season_boundary(rows.day)),
        "backfill_bootstrap_mode": pa.array(rows.bootstrap),
        "processing_decision_reason": choose(rows.reason, tuple(r.text(judged.processor) for r in Reason)),
        "dnp_games_count": pa.array(primary.excused.astype(np.int64)),
        "gap_classification": choose(gap, ("NO_GAP", "DATA_GAP", "NAME_UNRESOLVED")),
        **_missing(judged),
    }


def _missing(judged: Judged) -> dict[str, pa.Array]:
    """The games missing from the gating windows, as lists by day; empty, never null."""
    row, game = missing_games(judged.seen, judged.rows, judged.processor.windows)
    ends = np.zeros(judged.size + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=judged.size), out=ends[1:])
    picked, offsets, calendar = pa.array(game), pa.array(ends), judged.seen.calendar
    return {
        "missing_game_ids": pa.ListArray.from_arrays(offsets, calendar.game_ids.take(picked)),
        "missing_nba_game_ids": pa.ListArray.from_arrays(offsets, calendar.nba_game_ids.take(picked)),
    }


def _window_columns(judged: Judged) -> dict[str, pa.Array]:
    """A percentage and a verdict per window, and their conjunction."""
    columns: dict[str, pa.Array] = {}
    together = np.ones(judged.size, dtype=np.bool_)
    for window in judged.processor.windows:
        counts = judged.rows.windows[window]
        complete = is_complete(counts, judged.processor.threshold_per_mille)
        together &= complete
        columns[f"{window.name}_completeness_pct"] = percent_column(counts)
        columns[f"{window.name}_is_complete"] = nullable(complete, (counts.expected > 0) | (counts.excused > 0))
    return columns | {"all_windows_complete": pa.array(together)}


def _sample(judged: Judged) -> dict[str, pa.Array]:
    """Thin samples are labelled, never excluded."""
    size, full = judged.primary.actual, judged.processor.full_sample
    texts = tuple(f"sample of {games} games, {full} expected" for games in range(full))
    return {
        "early_season_flag": pa.array(size < full),
        "insufficient_data_reason": choose(np.where(size < full, size, -1), texts),
    }


def _lineage(judged: Judged) -> dict[str, pa.Array]:
    """What the upstream contributed over the widest window: rows, their share, when, and their fingerprint."""
    seen, rows, upstream = judged.seen, judged.rows, judged.processor.upstream
    assert upstream is not None
    source = f"source_{upstream.short}_"
    widest = _widest(rows.windows.values())
    stamps = seen.upstream["processed_at"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
    return {
        source + "last_updated": times(seen.sample.newest(stamps, rows.entity, rows.slot)),
        source + "rows_found": pa.array(widest.actual.astype(np.int64)),
        source + "completeness_pct": percent_column(widest),
        source + "hash": to_hex(rows.source_hash + judged.context_hash),
    }


def _widest(windows: Iterable[WindowCounts]) -> WindowCounts:
    """Per row the window that begins first: as all end before the row's day, it holds the others."""
    stacked = [np.stack(values) for values in zip(*(vars(counts).values() for counts in windows), strict=True)]
    first = stacked[0]
    chosen = first.argmin(axis=0), np.arange(first.shape[1])
    return WindowCounts(*(values[chosen] for values in stacked))


_ISSUES = pa.array(
    [
        [],
        ["own_data_incomplete"],
        ["shot_zones_unavailable"],
        ["own_data_incomplete", "shot_zones_unavailable"],
    ]
)


def _issues(judged: Judged) -> pa.Array:
    """data_quality_issues: empty, never null."""
    own = (judged.rows.missing_hash != 0).astype(np.int32)
    unknown = FEATURES[judged.processor.name].unknown
    shots = unknown(judged.seen, judged.rows).astype(np.int32) if unknown else np.zeros_like(own)
    return _ISSUES.take(pa.array(own + 2 * shots))


def times(micros: np.ndarray) -> pa.Array:
    """Microseconds since 1970 as TIMESTAMP; 0 is null."""
    return nullable(micros.astype(np.int64), micros != 0).cast(TIMESTAMP)
