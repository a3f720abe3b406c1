"""From verdicts to rows of the output table: identity, completeness, features, lineage.

Every verdict yields rows of one shape, so that each way out of the gate is a batch of the same table: computed
rows (ready, flagged) carry the features; the others keep every business column null.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa

from fullcourt.domain import breaker
from fullcourt.domain.calendar import at_season_boundary
from fullcourt.domain.features import FEATURES
from fullcourt.domain.features.sources import Source
from fullcourt.domain.features.zones import choose
from fullcourt.domain.fingerprint import Hashes, hash_rows, hash_text, mix, to_hex
from fullcourt.domain.gate import Judgement, Reason, Verdict, is_complete, missing_games, opponents, percentage
from fullcourt.domain.numbers import Bools, Longs, nullable, times
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.window_counts import WindowCounts

COMPUTED = (Verdict.READY, Verdict.FLAGGED)
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
        return times(np.full(rows, self.now, np.int64))

    def runs(self, rows: int) -> pa.Array:
        return pa.repeat(self.run_id, rows)


@dataclass(frozen=True)
class Judged:
    """Rows of one shard and processor, with what their columns derive from."""

    seen: Observation
    rows: Judgement
    processor: Processor
    stamp: Stamp

    def at(self, index: Longs | Bools | slice) -> "Judged":
        """Some of the rows, as Judgement.at() has them."""
        return Judged(self.seen, self.rows.at(index), self.processor, self.stamp)

    def by_verdict(self) -> Iterator[tuple[Verdict, "Judged"]]:
        """The rows of each verdict that anybody has, in their order. Brought together once, each is a slice."""
        together = self.at(np.argsort(self.rows.verdict, kind="stable"))
        counts = np.bincount(self.rows.verdict, minlength=len(Verdict))
        for verdict, count, end in zip(Verdict, counts, np.cumsum(counts), strict=True):
            if count:
                yield verdict, together.at(slice(end - count, end))

    @property
    def size(self) -> int:
        return len(self.rows.slot)

    @property
    def primary(self) -> WindowCounts:
        assert self.processor.primary is not None
        return self.rows.windows[self.processor.primary]

    @property
    def computed(self) -> bool:
        """Whether these rows, all of one verdict, get figures."""
        return self.size > 0 and Verdict(int(self.rows.verdict[0])) in COMPUTED

    @cached_property
    def business(self) -> dict[str, pa.Array]:
        """The processor's own columns; none on rows that are held back."""
        return FEATURES[self.processor.name].compute(self.seen, self.rows) if self.computed else {}

    @cached_property
    def business_hash(self) -> Hashes:
        """Of the processor's own columns; 0 where there are none."""
        return hash_rows(self.business) if self.business else np.zeros(self.size, np.uint64)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """What each upstream contributed, by its name in lineage columns."""
        feature = FEATURES[self.processor.name]
        found = {f.dependency.short: Source.of(f) for f in self.rows.cascade.values()}
        more = feature.sources(self.seen, self.rows) if feature.sources else {}
        return {**_counted_source(self), **found, **more}

    @cached_property
    def issues(self) -> dict[str, Bools]:
        """Where each issue applies."""
        unknown = FEATURES[self.processor.name].unknown
        return {
            "own_data_incomplete": self.rows.missing_hash != 0,
            **({"shot_zones_unavailable": unknown(self.seen, self.rows)} if unknown else {}),
            **{f"upstream_{f.dependency.short}_incomplete": ~f.ready for f in self.rows.cascade.values()},
            **{
                f"upstream_{f.dependency.short}_synthetic": f.synthetic
                for f in self.rows.cascade.values()
                if f.may_be_synthetic
            },
        }

    @cached_property
    def content_hash(self) -> Hashes:
        """All that a row says beyond its own windows: figures, sources, issues."""
        total = mix(self.business_hash)
        for name, source in self.sources.items():
            total = total + mix(source.content + hash_text(name))
        for name, applies in self.issues.items():
            total = total + np.where(applies, hash_text(name), np.uint64(0))
        return total

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
    columns = {**_identity(judged, schema), **_completeness(judged), **_lineage(judged), **_sample(judged)}
    if judged.processor.multi_window:
        columns |= _window_columns(judged)
    columns |= {f.dependency.flag: pa.array(f.ready) for f in judged.rows.cascade.values() if f.dependency.flag}
    if judged.computed:
        columns |= {**judged.business, "data_hash": to_hex(judged.business_hash)}
        if "processed_with_issues" in schema.names:
            columns["processed_with_issues"] = pa.array(np.logical_or.reduce(list(judged.issues.values())))
    columns |= {"run_id": stamp.runs(size), "created_at": stamp.times(size), "processed_at": stamp.times(size)}
    columns[MISSING_HASH] = to_hex(judged.rows.lacking_hash)
    return fit(columns, schema.append(pa.field(MISSING_HASH, pa.string())), size)


def fit(columns: Mapping[str, pa.Array], schema: pa.Schema, size: int) -> pa.Table:
    """The columns in the schema's order and types; one that was not computed is null (a list: empty).

    One too many is an error.
    """
    if stray := set(columns).difference(schema.names):
        raise ValueError(f"computed columns that the table does not have: {sorted(stray)}")
    arrays = [columns[f.name].cast(f.type) if f.name in columns else _absent(f.type, size) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _absent(kind: pa.DataType, size: int) -> pa.Array:
    """BigQuery knows no null list."""
    if not pa.types.is_list(kind):
        return pa.nulls(size, kind)
    return pa.ListArray.from_arrays(pa.array(np.zeros(size + 1, np.int32)), pa.array([], kind.value_type))


def percent_column(counts: WindowCounts) -> pa.Array:
    """0-100 at one decimal; null when nothing is expected, 100 when all of it is excused."""
    tenths, known = percentage(counts)
    return nullable(tenths / 10.0, known)


def tally(judged: Judged) -> pa.Table:
    """Per day: entities by verdict, the sum of their percentages in tenths, and this part of the day's fingerprint.

    judged: rows of one verdict, at least one.
    """
    rows = judged.rows
    of_verdict = Verdict(int(rows.verdict[0]))
    begin = np.flatnonzero(np.diff(rows.day, prepend=-1))  # rows are ordered by day
    count = np.diff(begin, append=judged.size)
    tenths, known = percentage(judged.primary)
    known &= of_verdict <= Verdict.BLOCKED  # of the rows written
    columns: dict[str, pa.Array] = {"day": pa.array(rows.day[begin]).cast(pa.date32())}
    columns |= {verdict.label: pa.array(count * (verdict is of_verdict)) for verdict in Verdict}
    columns["percent_tenths"] = pa.array(np.add.reduceat(tenths * known, begin))
    columns["percent_rows"] = pa.array(np.add.reduceat(known, begin, dtype=np.int64))
    columns["fingerprint"] = pa.array(np.add.reduceat(mix(rows.inputs_hash + mix(judged.content_hash)), begin))
    return pa.table(columns)


def _identity(judged: Judged, schema: pa.Schema) -> dict[str, pa.Array]:
    """The entity, the day, the season, and what the table names of the fixture."""
    seen, rows, processor = judged.seen, judged.rows, judged.processor
    day = pa.array(rows.day).cast(pa.date32())
    named = {name: pa.repeat(text, judged.size) for name, text in FEATURES[processor.name].labels.items()}
    if seen.entrants is not None:
        named |= {"analysis_date": day, **_fixture(judged)}
    columns = {name: values for name, values in named.items() if name in schema.names}
    columns |= {
        processor.key_column: seen.entities.take(pa.array(rows.entity)),
        processor.day_column: day,
        "season_year": pa.repeat(seen.calendar.season, judged.size),
    }
    if processor.entity is Entity.PLAYER:
        columns["universal_player_id"] = _registry_ids(seen, rows)
    return columns


def _fixture(judged: Judged) -> dict[str, pa.Array]:
    calendar, rows = judged.seen.calendar, judged.rows
    game, teams = calendar.game_at[rows.team, rows.slot], pa.array(calendar.teams)
    home = pa.array(calendar.home[game] == rows.team)
    return {
        "game_id": calendar.game_ids.take(pa.array(game)),
        "nba_game_id": calendar.nba_game_ids.take(pa.array(game)),
        "team_abbr": teams.take(pa.array(rows.team)),
        "opponent_team_abbr": teams.take(pa.array(opponents(judged.seen, rows.team, rows.slot))),
        "home_game": home,
        "is_home": home,
    }


def _registry_ids(seen: Observation, rows: Judgement) -> pa.Array:
    """universal_player_id as the player's newest upstream row before the day has it; null without one."""
    numbered = np.arange(1, seen.upstream.num_rows + 1, dtype=np.int64)  # rows are in day order within an entity
    newest = seen.sample.newest(numbered, rows.entity, rows.slot) - 1
    return seen.upstream["universal_player_id"].combine_chunks().take(nullable(newest, newest >= 0)).cast(pa.string())


def _completeness(judged: Judged) -> dict[str, pa.Array]:
    """The standard fourteen, the games excused and the games missing; domain section 5."""
    rows, primary, attempts = judged.rows, judged.primary, judged.attempts
    blocked = rows.verdict == Verdict.BLOCKED
    gap = np.select([rows.name_unresolved, rows.missing_hash != 0], [2, 1], 0)
    return {
        "expected_games_count": pa.array(primary.expected.astype(np.int64)),
        "actual_games_count": pa.array(primary.actual.astype(np.int64)),
        "completeness_percentage": percent_column(primary),
        "missing_games_count": pa.array((primary.expected - primary.actual).astype(np.int64)),
        "is_production_ready": pa.array(rows.verdict == Verdict.READY),
        "data_quality_issues": _issues(judged),
        "last_reprocess_attempt_at": times(
            np.where(judged.records_attempt, breaker.attempted_at(rows.facts, judged.stamp.now), rows.facts.last_at)
        ),
        "reprocess_attempt_count": pa.array(attempts.astype(np.int64)),
        "circuit_breaker_active": pa.array(blocked),
        "circuit_breaker_until": times(np.where(blocked, rows.facts.until, 0)),
        "manual_override_required": pa.array(
            (attempts >= breaker.ATTEMPTS_BEFORE_TRIP) & (rows.verdict != Verdict.READY)
        ),
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
    size, full = judged.rows.windows[judged.processor.sample].actual, judged.processor.full_sample
    texts = tuple(f"sample of {games} games, {full} expected" for games in range(full))
    return {
        "early_season_flag": pa.array(size < full),
        "insufficient_data_reason": choose(np.where(size < full, size, -1), texts),
    }


def _lineage(judged: Judged) -> dict[str, pa.Array]:
    """What each upstream contributed: rows, their share, when, and their fingerprint."""
    columns: dict[str, pa.Array] = {}
    for short, source in judged.sources.items():
        columns |= {f"source_{short}_{name}": values for name, values in source.columns().items()}
    return columns


def _counted_source(judged: Judged) -> dict[str, Source]:
    """The table that completeness is counted against, over the widest window."""
    seen, rows, upstream = judged.seen, judged.rows, judged.processor.upstream
    assert upstream is not None
    widest = _widest(rows.windows.values())
    stamps = seen.upstream["processed_at"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy()
    context = FEATURES[judged.processor.name].context
    source = Source(
        rows=widest.actual.astype(np.int64),
        percent=percent_column(widest),
        newest=seen.sample.newest(stamps, rows.entity, rows.slot),
        content=rows.source_hash + (context(seen, rows) if context else np.uint64(0)),
    )
    return {upstream.short: source}


def _widest(windows: Iterable[WindowCounts]) -> WindowCounts:
    """Per row the window that begins first: as all end before the row's day, it holds the others."""
    return reduce(_wider, windows)


def _wider(one: WindowCounts, other: WindowCounts) -> WindowCounts:
    earlier = other.first < one.first
    both = zip(vars(other).values(), vars(one).values(), strict=True)
    return WindowCounts(*(np.where(earlier, its, ours) for its, ours in both))


def _issues(judged: Judged) -> pa.Array:
    """data_quality_issues: empty, never null."""
    applies = np.stack(list(judged.issues.values()), axis=1)
    ends = np.zeros(judged.size + 1, dtype=np.int32)
    np.cumsum(applies.sum(axis=1), out=ends[1:])
    names = pa.array(list(judged.issues)).take(pa.array(np.nonzero(applies)[1]))
    return pa.ListArray.from_arrays(pa.array(ends), names)
