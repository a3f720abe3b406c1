"""The gate: for every entity and game day, what its windows must hold, what is there, and the verdict.

`judge` answers for all days and windows of an observation at once.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fullcourt.domain import breaker, cascade
from fullcourt.domain.fingerprint import Hashes, hash_column, hash_rows, hash_text, mix
from fullcourt.domain.numbers import Bools, Ints, Longs, ratio
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import CascadePolicy, Processor, Whose
from fullcourt.domain.window_counts import WindowCounts, running_total
from fullcourt.domain.windows import Window


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
    INCOMPLETE_UPSTREAM_DEPENDENCIES = 8

    def text(self, processor: Processor) -> str:
        return processor.skip_reason if self is Reason.SKIPPED else self.name.lower()


@dataclass(frozen=True)
class Judgement:
    """One value a row; rows are (entity, slot) pairs ordered by slot, then entity.

    team: the team that has the fixture of the day, as an index into the calendar's; -1 where rows are of no fixture.
    cascade: the rows of other processors that the row reads.
    missing_hash: of the gating windows' missing games, 0 when none is missing.
    lacking_hash: of all that a held-back row waits for, missing games or processors; 0 when that is nothing.
    source_hash: of the upstream rows in all windows.
    inputs_hash: of all that the verdict depends on, the breaker's facts included.
    facts: the breaker's.
    """

    entity: Ints
    slot: Ints
    day: Ints
    team: Ints
    windows: dict[Window, WindowCounts]
    cascade: cascade.Cascade
    verdict: NDArray[np.int8]
    reason: NDArray[np.int8]
    bootstrap: Bools
    name_unresolved: Bools
    missing_hash: Hashes
    lacking_hash: Hashes
    source_hash: Hashes
    inputs_hash: Hashes
    facts: breaker.Facts

    def at(self, index: Longs | Bools | slice) -> "Judgement":
        """The rows of those numbers, in that order, or where it is true; a slice of them is not copied."""
        windows = {
            window: WindowCounts(c.first[index], c.expected[index], c.excused[index], c.actual[index])
            for window, c in self.windows.items()
        }
        found = {name: other.at(index) for name, other in self.cascade.items()}
        columns = {n: values for n, values in vars(self).items() if n not in ("windows", "facts", "cascade")}
        chosen = {name: values[index] for name, values in columns.items()}
        return Judgement(windows=windows, facts=self.facts.at(index), cascade=found, **chosen)


def judge(
    seen: Observation,
    processor: Processor,
    days: Ints,
    facts: pa.Table | None = None,
    now: int = 0,
) -> Judgement:
    """The verdict of every judged entity on the given days (days since 1970; those without games are skipped).

    facts: the processor's rows of breaker_state, or None where the breaker is not consulted (backfill).
    now: microseconds since 1970 UTC.
    """
    at = seen.calendar.slots_of(days)
    if seen.entrants is not None:
        return judge_rows(seen, processor, *seen.entrants.rows(at), facts, now)
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
    computable = np.logical_or.reduce([c.actual > 0 for c in windows.values()])
    complete = np.logical_and.reduce([computable, *(is_complete(c, processor.threshold_per_mille) for c in gating)])
    bootstrap = calendar.in_bootstrap(day)
    team = seen.entrants.team[entity, slot] if seen.entrants is not None else np.full_like(entity, -1)
    found = _cascade(seen, processor, entity, slot, team, day)
    upstream_ready = np.logical_and.reduce(
        [np.ones_like(bootstrap), *(f.ready for f in found.values() if f.dependency.flag)]
    )

    opening = _earliest(gating)
    begin, end = seen.sample.edge(entity, opening), seen.sample.edge(entity, slot)
    unreadable = _any_between(seen.unreadable, begin, end)
    missing = grid.required & ~grid.present
    missing_hash = _missing_hash(seen, missing, begin, end)
    name_unresolved = _any_between(missing & seen.unresolved, begin, end)
    known = breaker.align(facts, seen.entities, entity, day) if facts is not None else breaker.Facts.none(len(entity))
    lacking_hash = missing_hash
    if processor.cascade_policy is CascadePolicy.SKIP:
        lacking_hash = missing_hash + _lacking_processors(found)
    locked = breaker.blocked(known, lacking_hash, now) & ~bootstrap
    goes_on = np.full_like(bootstrap, processor.cascade_policy is CascadePolicy.FLAG)

    cases = [
        (nothing & excused, Verdict.EXCLUDED, Reason.ALL_GAMES_EXCUSED),
        (nothing, Verdict.EXCLUDED, Reason.NO_EXPECTED_GAMES),
        (unreadable, Verdict.DEAD_LETTER, Reason.UNREADABLE_UPSTREAM_ROW),
        (complete & upstream_ready, Verdict.READY, Reason.PROCESSED_SUCCESSFULLY),
        (bootstrap & computable, Verdict.FLAGGED, Reason.BOOTSTRAP_MODE_ALLOWED),
        (complete & goes_on, Verdict.FLAGGED, Reason.PROCESSED_WITH_INCOMPLETE_UPSTREAM),
        (
            np.full_like(bootstrap, processor.always_written),
            Verdict.FLAGGED,
            Reason.PROCESSED_WITH_INCOMPLETE_UPSTREAM,
        ),
        (locked, Verdict.BLOCKED, Reason.CIRCUIT_BREAKER_ACTIVE),
        (complete, Verdict.INCOMPLETE, Reason.INCOMPLETE_UPSTREAM_DEPENDENCIES),
    ]
    conditions = [condition for condition, _, _ in cases]
    verdict = np.select(conditions, [int(v) for _, v, _ in cases], int(Verdict.INCOMPLETE)).astype(np.int8)
    reason = np.select(conditions, [int(r) for _, _, r in cases], int(Reason.SKIPPED)).astype(np.int8)

    source_hash = np.zeros(len(entity), dtype=np.uint64)
    content = seen.sample.total(seen.row_hashes, np.uint64).ravel()
    for number, counts in enumerate(windows.values()):
        of_window = content[end] - content[seen.sample.edge(entity, counts.first)]
        source_hash += mix(of_window + np.uint64(number))
    # A ready row depends on no breaker: the action that closes it must not make the next run a change.
    held_back = verdict != Verdict.READY
    breaker_facts = (known.attempts * held_back, known.until * held_back, known.missing * held_back)
    parts = (verdict, bootstrap, name_unresolved, missing_hash, lacking_hash, source_hash, *breaker_facts)
    inputs_hash = _inputs_hash(seen.entities, entity, windows, parts)
    return Judgement(
        entity=entity,
        slot=slot,
        day=day,
        team=team,
        windows=windows,
        cascade=found,
        verdict=verdict,
        reason=reason,
        bootstrap=bootstrap,
        name_unresolved=name_unresolved,
        missing_hash=missing_hash,
        lacking_hash=lacking_hash,
        source_hash=source_hash,
        inputs_hash=inputs_hash,
        facts=known,
    )


def opponents(seen: Observation, team: Ints, slot: Ints) -> Ints:
    """The team that each team meets on the day."""
    game = seen.calendar.game_at[team, slot]
    return np.where(seen.calendar.home[game] == team, seen.calendar.away[game], seen.calendar.home[game]).astype(
        np.int32
    )


def _cascade(
    seen: Observation, processor: Processor, entity: Ints, slot: Ints, team: Ints, day: Ints
) -> cascade.Cascade:
    if not processor.depends:
        return {}
    keys = {Whose.OWN: entity, Whose.OPPONENT: opponents(seen, team, slot)}
    return cascade.find(processor, seen.tables.more, seen.calendar, seen.entities, keys, day)


def _lacking_processors(found: cascade.Cascade) -> Hashes:
    """The hash of the set of gating processors that are not ready; 0 when all are."""
    total: Hashes = np.zeros(1, dtype=np.uint64)
    for name, other in found.items():
        if other.dependency.flag:
            total = total + np.where(other.ready, np.uint64(0), hash_text(name))
    return total


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


def _earliest(windows: Iterable[WindowCounts]) -> Ints:
    """Where the union of the windows begins; they all end at the row's slot."""
    first: Ints = np.minimum.reduce([counts.first for counts in windows])
    return first


def _any_between(marked: Bools, begin: Longs, end: Longs) -> Bools:
    """begin, end: edges of the sample, as are those below."""
    total = running_total(marked).ravel()
    found: Bools = total[end] > total[begin]
    return found


def _missing_hash(seen: Observation, missing: Bools, begin: Longs, end: Longs) -> Hashes:
    """The hash of the set of missing games; 0 when none is missing."""
    of_game = mix(hash_rows({"id": seen.calendar.game_ids, "league_id": seen.calendar.nba_game_ids}))
    total = running_total(np.where(missing, of_game[seen.grid.game], np.uint64(0)), np.uint64).ravel()
    difference: Hashes = total[end] - total[begin]
    return difference


def _inputs_hash(
    entities: pa.Array,
    entity: Ints,
    windows: dict[Window, WindowCounts],
    parts: Iterable[NDArray[Any]],
) -> Hashes:
    total = mix(hash_column(entities))[entity]
    for values in (*(counts.in_one_word for counts in windows.values()), *parts):
        bits = values if values.dtype == np.uint64 else values.astype(np.int64).view(np.uint64)
        total = mix(total ^ bits)
    return total
