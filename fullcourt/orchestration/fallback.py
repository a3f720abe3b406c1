"""Asks the warehouse how much of each day's context there is, before a backfill decides what to read."""

import datetime as dt
from collections.abc import Sequence

from fullcourt.domain.fallback import Context
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES


def contexts(warehouse: Warehouse, days: Sequence[dt.date]) -> list[Context]:
    """Of each of the days that has a final game, ascending."""
    rows = warehouse.query(QUERIES["context_coverage"].sql, days=list(days)).to_pylist()
    return [
        Context(
            day=row["game_date"],
            expected=row["expected"],
            real=row["real_players"],
            explained=row["explained"],
            team_games=row["team_games"],
            whole_team_games=row["whole_team_games"],
        )
        for row in rows
    ]
