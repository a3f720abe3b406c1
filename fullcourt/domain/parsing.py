"""Reads one landing column as the type it should have, whatever type it arrived in."""

import datetime as dt
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.days import sports_day
from fullcourt.domain.numbers import Bools


def parse(raw: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Bools]:
    """The column as `kind`, and the rows whose value is there but cannot be read (null in the column)."""
    if pa.types.is_dictionary(raw.type):
        raw = raw.cast(raw.type.value_type)
    if pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type):
        trimmed = pc.utf8_trim_whitespace(raw.cast(pa.string()))
        raw = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    value = _decimals(raw, kind) if pa.types.is_decimal(kind) else _PARSERS[kind](raw)
    bad = pc.and_(raw.is_valid(), value.is_null()).to_numpy(zero_copy_only=False)
    return value, bad


def expectation(kind: pa.DataType) -> str:
    """What a value of the kind looks like, for the dead letter of one that does not."""
    if pa.types.is_decimal(kind):
        places = f"{kind.scale} decimal{'' if kind.scale == 1 else 's'}"
        return f"a number below {10 ** (kind.precision - kind.scale)} with at most {places}"
    return _EXPECTATION[kind]


def _integers(raw: pa.Array) -> pa.Array:
    if pa.types.is_decimal(raw.type):
        raw = raw.cast(pa.string())
    if pa.types.is_string(raw.type):
        whole = pc.match_substring_regex(raw, r"^[+-]?\d{1,18}(\.0*)?$")
        digits = pc.replace_substring_regex(where(raw, whole), r"^\+|\.0*$", "")
        return digits.cast(pa.int64())
    if pa.types.is_floating(raw.type):
        wide = raw.cast(pa.float64())
        whole = pc.and_(pc.is_finite(wide), pc.equal(pc.floor(wide), wide))
        return where(wide, pc.and_(whole, pc.less(pc.abs(wide), 2.0**53))).cast(pa.int64())
    return raw.cast(pa.int64()) if pa.types.is_integer(raw.type) else pa.nulls(len(raw), pa.int64())


def _decimals(raw: pa.Array, kind: pa.Decimal128Type) -> pa.Array:
    """Exactly the number written down; floats as their shortest text, so 23.1 is 23.1.  Nothing is rounded."""
    if not _is_number_or_text(raw.type):
        return pa.nulls(len(raw), kind)
    text = raw.cast(pa.string())
    fits = pc.match_substring_regex(text, rf"^[+-]?0*\d{{1,{kind.precision - kind.scale}}}(\.\d{{0,{kind.scale}}}0*)?$")
    unpadded = pc.replace_substring_regex(where(text, fits), r"^\+|\.0*$", "")
    return pc.replace_substring_regex(unpadded, r"(\.\d*[1-9])0+$", r"\1").cast(kind)


def _floats(raw: pa.Array) -> pa.Array:
    """Finite numbers only: NaN and the infinities are no values."""
    if not _is_number_or_text(raw.type):
        return pa.nulls(len(raw), pa.float64())
    if pa.types.is_string(raw.type):
        raw = where(raw, pc.match_substring_regex(raw, r"^[+-]?(\d{1,30}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"))
        raw = pc.replace_substring_regex(raw, r"^\+", "")
    value = raw.cast(pa.float64())
    return where(value, pc.is_finite(value))


def _is_number_or_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")


def _booleans(raw: pa.Array) -> pa.Array:
    if pa.types.is_boolean(raw.type) or pa.types.is_null(raw.type):
        return raw.cast(pa.bool_())
    text = pc.utf8_lower(raw.cast(pa.string()))
    known = pc.is_in(text, pa.array([*_TRUE, *_FALSE]))
    return where(pc.is_in(text, pa.array(_TRUE)), pc.and_(known, text.is_valid()))


def _dates(raw: pa.Array) -> pa.Array:
    """Calendar days as they are; instants as their sports day; a time without a zone cannot be read."""
    if pa.types.is_date(raw.type) or pa.types.is_null(raw.type):
        return raw.cast(pa.date32())
    if not (pa.types.is_string(raw.type) or pa.types.is_timestamp(raw.type)):
        return pa.nulls(len(raw), pa.date32())
    distinct = raw.unique()
    days = [_date(value) for value in distinct.to_pylist()]
    return pa.array(days, pa.date32()).take(pc.index_in(raw, distinct))


def _date(value: str | dt.datetime | None) -> dt.date | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and len(value) == len("2024-01-31"):
            return dt.date.fromisoformat(value)
        instant = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        midnight = instant.tzinfo is None and instant.time() == dt.time()
        return instant.date() if midnight else sports_day(instant)
    except (ValueError, OverflowError):
        return None


def _instants(raw: pa.Array) -> pa.Array:
    """Instants in UTC, to the microsecond; a time without a zone names no instant and cannot be read."""
    kind = pa.timestamp("us", tz="UTC")
    if pa.types.is_null(raw.type) or (pa.types.is_timestamp(raw.type) and raw.type.tz is not None):
        return raw.cast(kind, safe=False)  # nanoseconds are cut off
    if not pa.types.is_string(raw.type):
        return pa.nulls(len(raw), kind)
    distinct = raw.unique()
    instants = [_instant(value) for value in distinct.to_pylist()]
    return pa.array(instants, kind).take(pc.index_in(raw, distinct))


def _instant(value: str | None) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(value) if value else None
        return instant.astimezone(dt.UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def where(values: pa.Array, keep: pa.Array) -> pa.Array:
    """The values to keep; the others null."""
    return pc.if_else(keep, values, pa.scalar(None, values.type))


_PARSERS: Mapping[pa.DataType, Callable[[pa.Array], pa.Array]] = {
    pa.string(): lambda raw: raw.cast(pa.string()),
    pa.int64(): _integers,
    pa.bool_(): _booleans,
    pa.date32(): _dates,
    pa.float64(): _floats,
    pa.timestamp("us", tz="UTC"): _instants,
}
_EXPECTATION = {
    pa.string(): "text",
    pa.int64(): "a whole number",
    pa.bool_(): "true or false",
    pa.date32(): "a date, or an instant with its time zone",
    pa.float64(): "a finite number",
    pa.timestamp("us", tz="UTC"): "an instant with its time zone",
}
