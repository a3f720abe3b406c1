"""Exact arithmetic on whole columns: sums stay integers, and one rounding rule turns them into decimals.

Half rounds away from zero, as SQL's ROUND does.  An exact integer ratio makes results identical whatever the
order, the batches or the machine.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
TIMESTAMP = pa.timestamp("us", tz="UTC")


def ratio(numerator: Longs, denominator: Longs, scale: int) -> tuple[Longs, Bools]:
    """numerator / denominator in units of 10^-scale, and where it exists (denominator above 0)."""
    known = denominator > 0
    bottom = np.where(known, denominator, 1).astype(np.int64)
    top = 2 * np.abs(numerator.astype(np.int64)) * 10**scale + bottom
    return np.sign(numerator).astype(np.int64) * (top // (2 * bottom)), known


def rescale(value: Longs, places: int) -> Longs:
    """Drops `places` decimal places from a fixed-point value."""
    return ratio(value, np.full_like(value, 10**places), 0)[0]


def decimals(value: Longs, known: Bools, precision: int, scale: int) -> pa.Array:
    """A NUMERIC(precision, scale) column from units of 10^-scale; null where not known."""
    if np.abs(value[known]).max(initial=0) >= 10**precision:
        raise OverflowError(
            f"{np.abs(value[known]).max()} does not fit NUMERIC({precision},{scale}) in units of 1e-{scale}"
        )
    words = np.empty((len(value), 2), dtype=np.int64)
    words[:, 0] = value
    words[:, 1] = value >> 63  # sign extension: Arrow's decimal128 is little-endian two's complement
    validity = None if known.all() else pa.array(known).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(value), [validity, pa.py_buffer(words)])


def integers(column: pa.Array | pa.ChunkedArray) -> tuple[Longs, Bools]:
    """Values as int64 (decimals in units of their last place; null as 0), and where they are known."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    known = column.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_decimal(column.type):
        words = np.frombuffer(column.buffers()[1], dtype=np.int64).reshape(-1, 2)
        value = words[column.offset : column.offset + len(column), 0]
        return np.where(known, value, 0), known
    return column.cast(pa.int64()).fill_null(0).to_numpy(), known


def nullable(value: NDArray[np.generic], known: Bools) -> pa.Array:
    """An Arrow column with nulls where not known."""
    return pa.array(value, mask=~known)


def times(micros: Longs) -> pa.Array:
    """Microseconds since 1970 as TIMESTAMP; 0 is null."""
    return nullable(micros.astype(np.int64), micros != 0).cast(TIMESTAMP)
