"""The history of a table: where a clean-up moves its rows of days long past."""

from dataclasses import replace

from fullcourt.domain.tables import ARCHIVED_AT, Column, Table


def history_of(table: Table) -> Table:
    """The same columns and when a row was moved; a row that comes again replaces the one of its key."""
    moved = Column(ARCHIVED_AT, "TIMESTAMP", "When the row was moved here, UTC.", required=True, bookkeeping=True)
    return replace(
        table,
        name=f"{table.name}_history",
        doc=f"Rows of {table.name} of days long past, moved here by a clean-up. {table.doc}",
        columns=(*table.columns, moved),
        replace_by=table.grain,
        archived=False,
    )
