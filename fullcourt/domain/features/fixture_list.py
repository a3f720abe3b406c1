"""What the schedule says of every team before each game day: rest, streaks, margins, and where it comes from."""

import datetime as dt
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from fullcourt.domain.arenas import LEAGUE, TIME_ZONES, miles
from fullcourt.domain.calendar import Calendar
from fullcourt.domain.days import to_date
from fullcourt.domain.numbers import Bools, Ints, Longs
from fullcourt.domain.observation import Observation
from fullcourt.domain.window_counts import running_total


def fixture_list(seen: Observation) -> "FixtureList":
    return seen.once("fixtures", lambda: FixtureList(seen.calendar))


class FixtureList:
    """Look-ups by (team, slot); only final games before the slot's day count, this season's."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        game = calendar.game_at
        self._final = (game >= 0) & calendar.final[game]
        home = calendar.home[game] == np.arange(len(game))[:, None]
        self._margin = np.where(self._final, calendar.home_score[game] - calendar.away_score[game], 0) * np.where(
            home, 1, -1
        )
        self._finals = running_total(self._final)
        self._wins = running_total(self._final & (self._margin > 0))

    @cached_property
    def _last(self) -> Ints:
        """(teams, slots): the slot of the last final game before each slot, or -1."""
        slots = np.arange(self._final.shape[1], dtype=np.int32)
        last = np.full((self._final.shape[0], len(slots) + 1), -1, dtype=np.int32)
        last[:, 1:] = np.where(self._final, slots, -1)
        return np.maximum.accumulate(last, axis=1)[:, :-1]

    @cached_property
    def _streak(self) -> Ints:
        """(teams, slots): games won in a row before each slot, negative for games lost."""
        streak = np.zeros_like(self._last)
        running = np.zeros(len(streak), dtype=np.int32)
        for slot in range(streak.shape[1]):  # a few hundred steps a season
            streak[:, slot] = running
            won, lost = self._margin[:, slot] > 0, self._final[:, slot] & (self._margin[:, slot] < 0)
            running = np.where(won, np.maximum(running, 0) + 1, np.where(lost, np.minimum(running, 0) - 1, running))
        return streak

    def days_since(self, team: Ints, slot: Ints) -> tuple[Longs, Bools]:
        """Days since the last final game, and where there was one."""
        last = self._last[team, slot]
        days = self.calendar.days
        return (days[slot] - days[last]).astype(np.int64), last >= 0

    def finals(self, team: Ints, slot: Ints) -> Longs:
        return self._finals[team, slot].astype(np.int64)

    def finals_in_days(self, length: int, team: Ints, slot: Ints) -> Longs:
        """Final games in [D - length, D - 1]."""
        days = self.calendar.days
        first = np.searchsorted(days, days - length)[slot]
        return (self._finals[team, slot] - self._finals[team, first]).astype(np.int64)

    def wins(self, team: Ints, slot: Ints) -> Longs:
        return self._wins[team, slot].astype(np.int64)

    def streak(self, team: Ints, slot: Ints) -> Longs:
        """Games won in a row, negative for games lost in a row."""
        return self._streak[team, slot].astype(np.int64)

    def last_margin(self, team: Ints, slot: Ints) -> tuple[Longs, Bools]:
        last = self._last[team, slot]
        return self._margin[team, last].astype(np.int64), last >= 0

    def travel_miles(self, team: Ints, slot: Ints) -> Longs:
        """From the venue of the last final game to this one's; 0 at home and for a first game."""
        came_from, here = self._venues(team, slot)
        return np.where(here == team, 0, miles(self.calendar.teams)[came_from, here]).astype(np.int64)

    def time_zone_changes(self, team: Ints, slot: Ints) -> Longs:
        """Hours between the clocks there and here on the day; 0 for a first game."""
        came_from, here = self._venues(team, slot)
        return np.abs(self._clock[came_from, slot] - self._clock[here, slot]).astype(np.int64)

    def _venues(self, team: Ints, slot: Ints) -> tuple[Ints, Ints]:
        """The home teams of the last final game (of a first game: this one's) and of this game."""
        here = self.calendar.home[self.calendar.game_at[team, slot]]
        last = self._last[team, slot]
        there = self.calendar.home[self.calendar.game_at[team, last]]
        return np.where(last >= 0, there, here), here

    @cached_property
    def _clock(self) -> Ints:
        """(teams, slots): hours ahead of UTC at the team's arena at noon UTC."""
        noons = [dt.datetime.combine(to_date(day), dt.time(12), dt.UTC) for day in self.calendar.days.tolist()]
        hours = {
            zone: [int(noon.astimezone(ZoneInfo(zone)).utcoffset().total_seconds()) // 3600 for noon in noons]  # type: ignore[union-attr]
            for zone in {TIME_ZONES.get(team, LEAGUE) for team in self.calendar.teams}
        }
        return np.array([hours[TIME_ZONES.get(team, LEAGUE)] for team in self.calendar.teams], dtype=np.int32)
