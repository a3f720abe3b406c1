"""Arrow columns as NumPy codes, rows found by them, and columns as JSON."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.fingerprint import Hashes
from fullcourt.domain.numbers import Bools, Ints, Longs


def codes(column: pa.Array | pa.ChunkedArray, universe: pa.Array) -> Ints:
    """Each value's place in the universe, or -1; null is -1."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], column.type)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    place = np.append(pc.index_in(column.dictionary, universe).fill_null(-1).to_numpy(), -1).astype(np.int32)
    return place[column.indices.fill_null(len(place) - 1).to_numpy()]


def places(there: Longs, wanted: Longs, known: Bools) -> Ints:
    """For each wanted key its index among those that are there and known, or -1; of repeats the first."""
    index = np.flatnonzero(known)
    if not len(index):
        return np.full(len(wanted), -1, dtype=np.int32)
    order = index[np.argsort(there[index], kind="stable")]
    place = np.minimum(np.searchsorted(there[order], wanted), len(order) - 1)
    return np.where(there[order[place]] == wanted, order[place], -1).astype(np.int32)


def last_of_each(key: Longs, preferred: Longs | Hashes) -> Longs:
    """Of each key, ascending, the index of the row with the greatest preferred value; of equal ones the last."""
    order = np.argsort(key)
    if (key[order[1:]] == key[order[:-1]]).any():  # a sort by two keys takes three times as long
        order = np.lexsort((preferred, key))
    return order[np.append(np.diff(key[order]) != 0, True)[: len(order)]]


def pair(one: Ints | Bools, other: Ints) -> Longs:
    """Two indices as one key."""
    key: Longs = (one.astype(np.int64) << 32) + other
    return key


def json_objects(values: Mapping[str, pa.Array]) -> pa.Array:
    """One JSON object a row of at least one column; texts are our own labels, which need no escapes."""
    parts: list[pa.Array | pa.Scalar] = []
    for name, column in values.items():
        text = column.cast(pa.string())
        if pa.types.is_string(column.type):
            text = pc.binary_join_element_wise(pa.scalar('"'), text, pa.scalar('"'), "")
        start = f'{{"{name}": ' if not parts else f', "{name}": '
        parts += [pa.scalar(start), pc.fill_null(text, "null")]
    return pc.binary_join_element_wise(*parts, pa.scalar("}"), "")
