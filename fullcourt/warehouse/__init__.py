"""Where tables live: one protocol, one module per engine. Arrow in, Arrow out."""

from fullcourt.domain.errors import UsageError
from fullcourt.warehouse.protocol import Read, Session, Snapshot, Staging, Warehouse

__all__ = ["Read", "Session", "Snapshot", "Staging", "Warehouse", "open_warehouse"]


def open_warehouse(url: str) -> Warehouse:
    """The warehouse of a URL.

    `duckdb:///path/to/file.duckdb`, or a bare path that ends in .duckdb; or
    `bigquery://project?location=US&temp=gs://bucket/prefix`, which needs the extra `gcp` installed.
    """
    if url.startswith("duckdb://") or ("://" not in url and url.endswith(".duckdb")):
        from fullcourt.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(url.removeprefix("duckdb://"))
    if url.startswith("bigquery://"):
        from fullcourt.warehouse.bigquery import BigQueryWarehouse

        return BigQueryWarehouse(url)
    raise UsageError(
        f"unknown warehouse {url!r}: expected duckdb:///path/to/file.duckdb, a path ending in .duckdb, or "
        "bigquery://project?location=US&temp=gs://bucket/prefix"
    )
