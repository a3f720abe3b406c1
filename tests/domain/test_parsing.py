"""Landing values as the type they should have: exact, or not at all."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcourt.domain.names import TEAM_NAMES, TRICODES, team_tricode
from fullcourt.domain.numbers import TIMESTAMP
from fullcourt.domain.parsing import expectation, parse

quick = settings(max_examples=200, deadline=None)
LINE = pa.decimal128(5, 1)


def read(values, kind, raw=None):
    """(value, unreadable) a row."""
    column, bad = parse(values if isinstance(values, pa.Array) else pa.array(values, raw), kind)
    column.validate(full=True)
    assert column.type == kind
    return list(zip(column.to_pylist(), bad.tolist(), strict=True))


def good(value):
    return (value, False)


UNREADABLE, NOTHING = (None, True), (None, False)


# Decimals


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("23.5", good(Decimal("23.5"))),
        (" 23.5 ", good(Decimal("23.5"))),
        ("+7", good(Decimal("7.0"))),
        ("-0.5", good(Decimal("-0.5"))),
        ("23.", good(Decimal("23.0"))),
        ("23.5000", good(Decimal("23.5"))),
        ("0023.5", good(Decimal("23.5"))),
        ("9999.9", good(Decimal("9999.9"))),
        ("10000", UNREADABLE),
        ("23.25", UNREADABLE),
        ("23.05", UNREADABLE),
        ("23.5e0", UNREADABLE),
        ("1,5", UNREADABLE),
        (".5", UNREADABLE),
        ("+", UNREADABLE),
        ("abc", UNREADABLE),
        ("nan", UNREADABLE),
        ("", NOTHING),
        (None, NOTHING),
    ],
)
def test_a_decimal_is_read_exactly_or_not_at_all(text, found):
    assert read([text], LINE, pa.string()) == [found]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([23.5, 23.1, -0.0]), [good(Decimal("23.5")), good(Decimal("23.1")), good(Decimal("0.0"))]),
        (pa.array([23.1], pa.float32()), [good(Decimal("23.1"))]),
        (pa.array([23.25, 1e9, float("nan"), float("inf")]), [UNREADABLE] * 4),
        (pa.array([5, -9999, 10_000]), [good(Decimal(5)), good(Decimal(-9999)), UNREADABLE]),
        (pa.array([Decimal("23.50"), Decimal("23.25")]), [good(Decimal("23.5")), UNREADABLE]),
        (pa.array(["23.5", "x"]).dictionary_encode(), [good(Decimal("23.5")), UNREADABLE]),
        (pa.array(["23.5"], pa.large_string()), [good(Decimal("23.5"))]),
        (pa.array([True]), [UNREADABLE]),
        (pa.array([dt.date(2024, 1, 1)]), [UNREADABLE]),
        (pa.nulls(1), [NOTHING]),
        (pa.array([], pa.string()), []),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_decimal_may_arrive_in_any_type_of_number(values, found):
    assert read(values, LINE) == found


@quick
@given(st.decimals(-99_999, 99_999, places=2), st.integers(0, 3))
def test_every_decimal_of_the_scale_is_itself_and_no_other_is_read(value, padding):
    fits = value == round(value, 1) and abs(value) < 10_000
    text = f"{value:f}" + "0" * padding
    wanted = good(value.quantize(Decimal("0.1"))) if fits else UNREADABLE
    assert read([text], LINE) == [wanted]
    assert read([float(value)], LINE) == [wanted]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (LINE, "a number below 10000 with at most 1 decimal"),
        (pa.decimal128(5, 3), "a number below 100 with at most 3 decimals"),
        (pa.float64(), "a finite number"),
        (TIMESTAMP, "an instant with its time zone"),
        (pa.int64(), "a whole number"),
    ],
)
def test_an_expectation_says_what_could_be_read(kind, says):
    assert expectation(kind) == says


# Floats


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-110", good(-110.0)),
        ("+105.5", good(105.5)),
        ("1e2", good(100.0)),
        (".5", good(0.5)),
        ("5.", good(5.0)),
        ("1e999", UNREADABLE),
        ("NaN", UNREADABLE),
        ("inf", UNREADABLE),
        ("-Infinity", UNREADABLE),
        ("0x1F", UNREADABLE),
        ("EVEN", UNREADABLE),
        ("", NOTHING),
    ],
)
def test_a_float_is_a_finite_number(text, found):
    assert read([text], pa.float64()) == [found]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([1.5, float("nan"), float("-inf"), None]), [good(1.5), UNREADABLE, UNREADABLE, NOTHING]),
        (pa.array([-110]), [good(-110.0)]),
        (pa.array([Decimal("1.25")]), [good(1.25)]),
        (pa.array([True]), [UNREADABLE]),
        (pa.nulls(1), [NOTHING]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_float_may_arrive_in_any_type_of_number(values, found):
    assert read(values, pa.float64()) == found


@quick
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_a_float_and_its_text_are_one_value(value):
    assert read([repr(value)], pa.float64()) == read([value], pa.float64()) == [good(value)]


# Instants

EVENING = dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-10-25T22:00:00Z", good(EVENING)),
        ("2024-10-25 22:00:00.000000Z", good(EVENING)),
        ("2024-10-25T18:00:00-04:00", good(EVENING)),
        ("2024-10-25T22:00Z", good(EVENING)),
        ("2024-10-25T22:00:00.25+00:00", good(EVENING.replace(microsecond=250_000))),
        ("2024-10-25T22:00:00", UNREADABLE),
        ("2024-10-25", UNREADABLE),
        ("2024-10-25T25:00:00Z", UNREADABLE),
        ("0001-01-01T00:00:00+14:00", UNREADABLE),
        ("yesterday", UNREADABLE),
        ("", NOTHING),
    ],
)
def test_an_instant_needs_its_zone(text, found):
    assert read([text], TIMESTAMP) == [found]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([EVENING], pa.timestamp("s", tz="America/New_York")), [good(EVENING)]),
        (pa.array([EVENING, None], pa.timestamp("ns", tz="UTC")), [good(EVENING), NOTHING]),
        (pa.array([1_729_893_600_000_000_999], pa.timestamp("ns", tz="UTC")), [good(EVENING)]),
        (pa.array([EVENING.replace(tzinfo=None)], pa.timestamp("us")), [UNREADABLE]),
        (pa.array([1_729_893_600]), [UNREADABLE]),
        (pa.array([dt.date(2024, 10, 25)]), [UNREADABLE]),
        (pa.array(["2024-10-25T22:00:00Z", None]).dictionary_encode(), [good(EVENING), NOTHING]),
        (pa.nulls(1), [NOTHING]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_an_instant_may_arrive_as_text_or_time(values, found):
    assert read(values, TIMESTAMP) == found


@quick
@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_an_instant_does_not_depend_on_the_zone_it_is_written_in(naive, minutes):
    instant = naive.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    assert read([instant.isoformat()], TIMESTAMP) == [good(instant.astimezone(dt.UTC))]


def test_a_date_before_the_calendar_begins_cannot_be_read():
    """In the east of it, and so on the last day before year 1 in New York."""
    assert read(["0001-01-01T00:00:00Z"], pa.date32()) == [UNREADABLE]


# Teams


def test_every_team_has_a_full_name_and_one_has_two():
    assert set(TEAM_NAMES.values()) == TRICODES
    assert len(TEAM_NAMES) == len(TRICODES) + 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Los Angeles Lakers", "LAL"),
        ("LA Clippers", "LAC"),
        ("Los Angeles Clippers", "LAC"),
        (" philadelphia 76ERS ", "PHI"),
        ("BOS", "BOS"),
        ("bos", "BOS"),
        ("Team LeBron", None),
        ("Los Angeles", None),
        ("", None),
    ],
)
def test_team_tricode(name, code):
    assert team_tricode(name) == code
