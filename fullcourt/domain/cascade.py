"""The rows of other processors that a processor's rows read, found by entity and day.

A row is *found*, *computed* (no stub: a stub has no content hash) and *ready*.  A missing row is neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import Calendar
from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.fallback import SYNTHETIC
from fullcourt.domain.numbers import Bools, Ints, Longs, integers, nullable
from fullcourt.domain.processors import BY_NAME, Dependency, Processor, Whose

SOURCE_COLUMN = "primary_source_used"  # of a context: what it was made from
# What is read of every dependency, beside its key, its day and its figures.
VERDICT_COLUMNS = ("season_year", "is_production_ready", "completeness_percentage", "data_hash", "processed_at")


@dataclass(frozen=True)
class Found:
    """One dependency's table, and for each judged row the place of its row there, or -1."""

    dependency: Dependency
    table: pa.Table
    place: Ints

    @property
    def found(self) -> Bools:
        return self.place >= 0

    @property
    def ready(self) -> Bools:
        return self._truth(pc.fill_null(self.table["is_production_ready"], False))

    @property
    def computed(self) -> Bools:
        return self._truth(self.table["data_hash"].is_valid())

    @property
    def may_be_synthetic(self) -> bool:
        return SOURCE_COLUMN in self.table.column_names

    @property
    def synthetic(self) -> Bools:
        """Found, but made for this run from the box scores of the day, as nothing better is there."""
        return self._truth(pc.fill_null(pc.equal(self.table[SOURCE_COLUMN], SYNTHETIC), False))

    def numbers(self, column: str) -> tuple[Longs, Bools]:
        """Values as integers (decimals in units of their last place) and where they are known."""
        return integers(self.values(column))

    def values(self, column: str) -> pa.Array:
        """The column for each judged row; null where no row was found."""
        return self.table[column].combine_chunks().take(nullable(self.place, self.found))

    def at(self, index: Longs | Bools | slice) -> "Found":
        return replace(self, place=self.place[index])

    def _truth(self, column: pa.ChunkedArray) -> Bools:
        truth = np.append(column.to_numpy().astype(np.bool_), False)
        picked: Bools = truth[self.place]  # -1 is the False at the end
        return picked


Cascade = Mapping[str, Found]  # by the name of the processor


def find(
    processor: Processor,
    tables: Mapping[str, pa.Table],
    calendar: Calendar,
    names: pa.Array,
    keys: dict[Whose, Ints],
    day: Ints,
) -> Cascade:
    """tables: by processor name.  names: the entities.  keys: whose row -> each judged row's entity or team index."""
    found = {}
    for dependency in processor.depends:
        other, table = BY_NAME[dependency.processor], tables[dependency.processor]
        universe = names if dependency.whose is Whose.OWN else pa.array(calendar.teams)
        key = codes(table[other.key_column], universe)
        days = table[other.day_column].combine_chunks().cast(pa.int32()).to_numpy()
        place = places(pair(key, days), pair(keys[dependency.whose], day), key >= 0)
        found[dependency.processor] = Found(dependency, table, place)
    return found
