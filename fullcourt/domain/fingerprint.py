"""Content fingerprints that add up.

A row's hash mixes every column; the hash of a set of rows is the sum of its rows' hashes modulo 2^64.  Sums do
not depend on order, and the hash of a window is the difference of two prefix sums, so that every published row
can name the exact upstream rows it came from at the cost of one subtraction.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NULL = np.uint64(0xA0761D6478BD642F)
_BYTE_HEX = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)  # the two digits of each byte


def mix(value: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    value = value + _GOLDEN
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return value


@lru_cache(maxsize=1 << 12)
def hash_text(text: str) -> np.uint64:
    """The same as hash_column gives for a column of texts."""
    return np.uint64(hash_column(pa.array([text]))[0])


def hash_column(column: pa.Array) -> Hashes:
    """One hash a value; equal values hash alike whatever the encoding, null has its own."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_list(column.type):
        return _hash_lists(column)
    if pa.types.is_string(column.type):
        column = column.dictionary_encode()
    if pa.types.is_dictionary(column.type):
        of_value = np.append(_hash_texts(column.dictionary.cast(pa.string())), _NULL)
        return of_value[column.indices.fill_null(len(column.dictionary)).to_numpy()]
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())  # exact enough: at most 9 digits
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if pa.types.is_floating(column.type):
        bits = (column.cast(pa.float64()).fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    else:
        bits = column.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
    hashes = mix(bits)
    if column.null_count:
        hashes = np.where(column.is_null().to_numpy(zero_copy_only=False), _NULL, hashes)
    return hashes


_TEXT_BYTES = 1 << 22  # texts are hashed in pieces of about so many bytes, to bound the memory
_WORD = 8  # bytes


def _hash_texts(texts: pa.StringArray) -> Hashes:
    """One hash a text, none null: the sum over its words of eight bytes, each mixed with its place."""
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    hashes = np.zeros(len(texts), dtype=np.uint64)
    starts = np.arange(ends[0], ends[-1] + 1, _TEXT_BYTES)
    edges = np.unique(np.append(np.searchsorted(ends[:-1], starts), len(texts)))
    for first, last in pairwise(edges.tolist()):
        piece = data[ends[first] : ends[last]]
        hashes[first:last] = _hash_pieces(piece, ends[first : last + 1] - ends[first])
    return hashes


def _hash_pieces(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> Hashes:
    """Of the bytes data[ends[i]:ends[i + 1]], for each i."""
    lengths = np.diff(ends)
    words = -(-lengths // _WORD)
    total_before = np.append(0, np.cumsum(words))
    place = np.arange(total_before[-1]) - np.repeat(total_before[:-1], words)
    begin = np.repeat(ends[:-1], words) + place * _WORD
    left = np.repeat(ends[1:], words) - begin
    padded = np.append(data, np.zeros(_WORD, np.uint8))
    value = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))[begin].astype(np.uint64, copy=False)
    last = np.flatnonzero(left < _WORD)
    value[last] &= (np.uint64(1) << (left[last] * 8).astype(np.uint64)) - np.uint64(1)
    total = np.append(np.uint64(0), np.cumsum(mix(value + mix(place.view(np.uint64)))))
    return mix(total[total_before[1:]] - total[total_before[:-1]] + lengths.astype(np.uint64))


def _hash_lists(column: pa.ListArray) -> Hashes:
    """A list's elements, each with its place; lists are never null here."""
    ends = column.offsets.to_numpy().astype(np.int64)
    lengths = np.diff(ends)
    place = np.arange(lengths.sum()) - np.repeat(ends[:-1] - ends[0], lengths)
    total = np.zeros(lengths.sum() + 1, dtype=np.uint64)
    np.cumsum(mix(hash_column(column.flatten()) + mix(place.astype(np.uint64))), out=total[1:])
    return mix(total[ends[1:] - ends[0]] - total[ends[:-1] - ends[0]] + lengths.astype(np.uint64))


def hash_rows(columns: Mapping[str, pa.Array]) -> Hashes:
    """One hash a row over named columns; the order of the columns does not matter."""
    total: Hashes | None = None
    for name, column in columns.items():
        salted = mix(hash_column(column) + hash_text(name))
        total = salted if total is None else total + salted
    if total is None:
        raise ValueError("hash_rows needs at least one column")
    return mix(total)


def hash_settings(settings: Mapping[str, object]) -> str:
    """A short, stable text for a configuration."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def from_hex(texts: pa.ChunkedArray) -> Hashes:
    """The hashes that to_hex wrote; 0 for null."""
    digits = pc.fill_null(texts, "0" * 16).to_pylist()
    return np.frombuffer(bytes.fromhex("".join(digits)), ">u8").astype(np.uint64)


def to_hex(hashes: Hashes) -> pa.StringArray:
    """16 hexadecimal digits a value."""
    text = _BYTE_HEX[hashes.astype(">u8").view(np.uint8)]
    offsets = np.arange(0, 16 * len(hashes) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(offsets), pa.py_buffer(text))
