"""Sports days, US Eastern calendar days, as dates and as days since 1970-01-01; instants as microseconds since then."""

import datetime as dt
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_EPOCH = dt.date(1970, 1, 1)


def sports_day(instant: dt.datetime) -> dt.date:
    """The Eastern calendar day of an instant; ValueError for a naive one, which names no instant."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone, got {instant.isoformat()}")
    return instant.astimezone(EASTERN).date()


def to_number(day: dt.date) -> int:
    """Days since 1970-01-01, Arrow's date32."""
    return (day - _EPOCH).days


def to_date(number: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=int(number))


def micros(instant: dt.datetime) -> int:
    """Microseconds since 1970 UTC."""
    return int(instant.timestamp() * 1_000_000)
