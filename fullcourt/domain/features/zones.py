"""The three shot zones: paint (restricted area included), mid-range, three-point (corners to backcourt)."""

import numpy as np
import pyarrow as pa

from fullcourt.domain.numbers import Bools, Longs, decimals, ratio

ZONES = ("paint", "mid_range", "three_pt")
ZONE_LABELS = ("paint", "mid_range", "perimeter")


def quotient(numerator: Longs, denominator: Longs, precision: int, scale: int, known: Bools | None = None) -> pa.Array:
    """numerator / denominator as NUMERIC(precision, scale); null where the denominator is 0 or not known."""
    value, defined = ratio(numerator, denominator, scale)
    return decimals(value, defined if known is None else defined & known, precision, scale)


def choose(index: np.ndarray, labels: tuple[str, ...]) -> pa.Array:
    """The label at each index; null where the index is negative."""
    codes = pa.array(index.astype(np.int32), mask=index < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(labels)).cast(pa.string())
