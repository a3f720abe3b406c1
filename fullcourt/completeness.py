"""The completeness checker, to import: see docs/python-api.md."""

from fullcourt.domain.errors import DependencyError, GateError, UsageError
from fullcourt.orchestration.batch import EntityCompleteness
from fullcourt.orchestration.completeness import (
    DateRangeCompleteness,
    UpstreamProcessorStatus,
    check_completeness_batch,
    check_date_range_completeness,
    check_upstream_processor_status,
)

__all__ = [
    "DateRangeCompleteness",
    "DependencyError",
    "EntityCompleteness",
    "GateError",
    "UpstreamProcessorStatus",
    "UsageError",
    "check_completeness_batch",
    "check_date_range_completeness",
    "check_upstream_processor_status",
]
