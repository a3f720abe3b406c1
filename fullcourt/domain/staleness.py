"""What differs between the rows that are published and those that a run would write now.

Rows are compared by their fingerprints: one hash a column, and for the figures and for each upstream one that the row
carries.  So whatever changed, a corrected score five summaries back or a late listing, shows in the row it reaches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.fingerprint import hash_column
from fullcourt.domain.numbers import Bools, Ints, Longs

BLOCKED_REASON = "circuit_breaker_active"
CHANGED, NEW, GONE = "changed", "new", "gone"


@dataclass(frozen=True)
class Differences:
    """Rows that differ, by key columns: of the new table (changed, new) and of the old one (changed, gone).

    changed: (place in new, place in old) pairs.  columns: of the changed rows, where each column differs.
    """

    changed: tuple[Ints, Ints]
    new: Ints
    gone: Ints
    columns: Mapping[str, Bools]


def compare(new: pa.Table, old: pa.Table, keys: Sequence[str], columns: Sequence[str]) -> Differences:
    """Both tables have the keys and the columns in the same types; keys are unique in each."""
    new_key, old_key = _keys(new, old, keys)
    place = places(old_key, new_key, np.ones(len(old_key), dtype=np.bool_))
    both = np.flatnonzero(place >= 0).astype(np.int32)
    in_old = place[both]
    apart = {}
    for name in columns:
        differs = hash_column(new[name])[both] != hash_column(old[name])[in_old]
        if name == "processing_decision_reason":
            differs &= ~_waits_for_breaker(new, old, both, in_old)
        apart[name] = differs
    any_apart = np.logical_or.reduce([np.zeros(len(both), np.bool_), *apart.values()])
    missed = np.ones(len(old_key), dtype=np.bool_)
    missed[in_old] = False
    return Differences(
        changed=(both[any_apart], in_old[any_apart]),
        new=np.flatnonzero(place < 0).astype(np.int32),
        gone=np.flatnonzero(missed).astype(np.int32),
        columns={name: differs[any_apart] for name, differs in apart.items()},
    )


def _waits_for_breaker(new: pa.Table, old: pa.Table, place: Ints, in_old: Ints) -> Bools:
    """A stub that said its breaker is open is the same stub when it says what is missing: time is no input."""
    blocked = pc.fill_null(pc.equal(old["processing_decision_reason"], BLOCKED_REASON), False).to_numpy()[in_old]
    stub: Bools = new["data_hash"].is_null().to_numpy()[place]
    return blocked & stub


def _keys(new: pa.Table, old: pa.Table, keys: Sequence[str]) -> tuple[Longs, Longs]:
    """One number a key, the same in both tables."""
    sides: list[Longs] = [np.zeros(new.num_rows, np.int64), np.zeros(old.num_rows, np.int64)]
    for name in keys:
        texts = [table[name].cast(pa.string()).combine_chunks() for table in (new, old)]
        universe = pc.unique(pa.chunked_array(texts, pa.string()))
        number = [codes(text, universe) for text in texts]
        joined = [pair(side.astype(np.int32), n) for side, n in zip(sides, number, strict=True)]
        distinct = np.unique(np.concatenate(joined))
        sides = [np.searchsorted(distinct, side) for side in joined]
    return sides[0], sides[1]
