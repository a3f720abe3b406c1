"""Which days the schedule says are game days, and whether it is loaded at all."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence

from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar, game_days, season_of_day
from fullcourt.domain.days import to_number
from fullcourt.domain.errors import GateError
from fullcourt.warehouse import Session, Warehouse
from schemas import TABLES


def scheduled_days(warehouse: Warehouse | Session, start: dt.date, end: dt.date) -> list[dt.date]:
    """The game days of the closed range, ascending.

    A day off is no error; a season that was never loaded is a GateError, as is a schedule that cannot be one.
    """
    first, last = (season_of_day(to_number(day)) for day in (start, end))
    schedule = warehouse.query(
        f"SELECT {', '.join(SCHEDULE_COLUMNS)} FROM {TABLES['nbac_schedule'].id} "
        "WHERE season_year BETWEEN @first AND @last",
        first=first,
        last=last,
    )
    loaded = set(schedule["season_year"].to_pylist())
    for season in range(first, last + 1):
        if season in loaded:
            Calendar.from_schedule(schedule, season)  # refuses a schedule that cannot be one, before anything runs
        elif not loaded or _plays(season, start, end):
            _refuse_unloaded(warehouse, start, end)
    return game_days(schedule, start, end)


def game_days_before(warehouse: Warehouse | Session, days: Sequence[dt.date]) -> dict[dt.date, dt.date]:
    """Per day (ascending), the newest game day before it in the same season; none for a season's first."""
    if not days:
        return {}
    earlier = warehouse.query(
        "SELECT DISTINCT season_year, game_date FROM nba_raw.counted_team_games "
        "WHERE game_date < @last AND season_year BETWEEN @first_season AND @last_season ORDER BY game_date",
        last=days[-1],
        first_season=season_of_day(to_number(days[0])),
        last_season=season_of_day(to_number(days[-1])),
    ).to_pylist()
    of_season: dict[int, list[dt.date]] = {}
    for row in earlier:
        of_season.setdefault(row["season_year"], []).append(row["game_date"])
    before: dict[dt.date, dt.date] = {}
    for day in days:
        known = of_season.get(season_of_day(to_number(day)), [])
        if place := bisect_left(known, day):
            before[day] = known[place - 1]
    return before


def _refuse_unloaded(warehouse: Warehouse | Session, start: dt.date, end: dt.date) -> None:
    held = warehouse.query(
        f"SELECT MIN(game_date) AS first, MAX(game_date) AS last FROM {TABLES['nbac_schedule'].id}"
    ).to_pylist()[0]
    known = f"games from {held['first']} to {held['last']}" if held["first"] else "no games at all"
    raise GateError(f"no schedule is loaded for {start} to {end}; the warehouse holds {known}")


def _plays(season: int, start: dt.date, end: dt.date) -> bool:
    """Whether the days reach into the part of the season in which it is certainly played: November to May."""
    return start <= dt.date(season + 1, 5, 31) and end >= dt.date(season, 11, 1)
