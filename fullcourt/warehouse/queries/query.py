"""What a query is, and the pieces of SQL that several of them have in common."""

from collections.abc import Mapping
from dataclasses import dataclass

from fullcourt.domain.processors import Processor

DAY = {"date": "DATE"}
RANGE = {"start": "DATE", "end": "DATE"}
NOW = {"now": "TIMESTAMP"}

IN_RANGE = "analysis_date BETWEEN @start AND @end"


@dataclass(frozen=True)
class Query:
    """parameters: name -> BigQuery type; all must be bound."""

    name: str
    doc: str
    sql: str
    parameters: Mapping[str, str]


def share(condition: str) -> str:
    """Percentage of the group's rows that meet a condition, to one decimal."""
    return f"ROUND(100 * COUNTIF({condition}) / COUNT(*), 1)"


def processors(processors: tuple[Processor, ...]) -> str:
    """A named subquery with one row per processor, so that one without any rows still shows."""
    names = ", ".join(f"'{processor.name}'" for processor in processors)
    return f"processors AS (\n  SELECT processor_name FROM UNNEST([{names}]) AS processor_name\n)"
