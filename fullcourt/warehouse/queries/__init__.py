"""The questions that monitoring and operators ask, in BigQuery's dialect, each once.

Dashboards, alerts and commands all read these.  No query knows the time: `@now`, `@date` and ranges (both
ends included) are parameters.  Percentages are 0-100.  A computed row is one that is no stub.
"""

from fullcourt.warehouse.queries import (
    alerts,
    breakers,
    completeness,
    fallback,
    game_days,
    operations,
    verification,
)
from fullcourt.warehouse.queries.query import Query

__all__ = ["QUERIES", "Query"]

_MODULES = (completeness, breakers, game_days, operations, verification, fallback, alerts)
QUERIES: dict[str, Query] = {query.name: query for module in _MODULES for query in module.QUERIES}
