"""Full Court: completeness gates for sports analytics."""

__version__ = "0.1.0"
