"""Warehouses in the emulator, and rows of either engine as far as both can say them."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fullcourt.warehouse.files import opened
from schemas import TABLES
from tests.houses import House

# Differ between two identical publishes, under whatever name a view or a query shows them.
BOOKKEEPING = {column.name for table in TABLES.values() for column in table.columns if column.bookkeeping} | {
    "run_id",
    "publish_id",
    "last_created_at",
    "tracked_at",
    "published_at",
    "duration_seconds",
    "seconds",
}


class CloudHouse(House):
    def __init__(self, url: str, now: dt.datetime, path: Path = Path("none")) -> None:
        """path: beside it lie the logs of commands in processes of their own."""
        super().__init__(path, now)
        self.url = url


def in_bucket(directory: Path, url: str) -> str:
    """A copy of the files in the warehouse's bucket."""
    copied = f"{parse_qs(urlsplit(url).query)['temp'][0]}/landing"
    for path in directory.iterdir():
        with opened(f"{copied}/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return copied


def rows(found):
    """In one order, without bookkeeping, and as far as both engines can say it."""
    return sorted(
        (tuple((name, plain(value)) for name, value in row.items() if name not in BOOKKEEPING) for row in found),
        key=repr,
    )


def plain(value):
    """A null list is an empty one in BigQuery; a mean of decimals is a decimal there, of nine digits."""
    if isinstance(value, list):
        return [plain(element) for element in value] or None
    if isinstance(value, float | Decimal):
        return round(float(value), 6)
    return value
