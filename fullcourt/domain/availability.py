"""Who can play on D, as far as inactive lists and injury reports say before its games."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import Calendar
from fullcourt.domain.columns import codes
from fullcourt.domain.numbers import Bools, Ints
from fullcourt.domain.rosters import GameRows

OUT, DOUBTFUL, QUESTIONABLE, PROBABLE, AVAILABLE = range(5)
STATUSES = ("out", "doubtful", "questionable", "probable", "available")
REPORT_COLUMNS = (
    "game_date",
    "season_year",
    "team_abbr",
    "player_lookup",
    "injury_status",
    "reason",
    "report_hour",
    "processed_at",
)


@dataclass(frozen=True)
class Named:
    """Players named for a team's game: indices of player (-1: unknown), slot and team; repeats are allowed."""

    player: Ints
    slot: Ints
    team: Ints

    def where(self, mask: Bools) -> "Named":
        return Named(self.player[mask], self.slot[mask], self.team[mask])

    def counted(self, teams: int, slots: int) -> Ints:
        """(teams, slots): how many rows name the team."""
        count = np.zeros((teams, slots), dtype=np.int32)
        np.add.at(count, (self.team, self.slot), 1)
        return count


@dataclass(frozen=True)
class Availability:
    """inactive: who is on the game's inactive list, and not in its box score all the same.

    report: the newest injury report of each team and day; rows, status: its rows as they are, and their status.
    listed, reported: bool (teams, slots), whether an inactive list or an injury report names anybody of the team.
    """

    inactive: Named
    report: Named
    rows: pa.Table
    status: Ints
    listed: Bools
    reported: Bools

    @property
    def known(self) -> Bools:
        """(teams, slots): something says who is out."""
        return self.listed | self.reported

    def absent(self, *statuses: int) -> Named:
        """Each player once who is on an inactive list, or has one of the statuses in the newest report."""
        reported = self.report.where(np.isin(self.status, statuses))
        rows = [
            np.concatenate([getattr(self.inactive, name), getattr(reported, name)])
            for name in ("player", "slot", "team")
        ]
        distinct = np.unique(np.stack(rows)[:, rows[0] >= 0], axis=1)
        return Named(*distinct.astype(np.int32))


def availability(
    calendar: Calendar, names: pa.Array, box: GameRows, inactive: GameRows, reports: pa.Table
) -> Availability:
    """names: the players that indices stand for; box, inactive: rows by these indices; reports: injury_reports."""
    slots = len(calendar.days)
    anybody = inactive.of_fixtures(calendar)  # a list of strangers is a list all the same
    everybody = Named(anybody.entity, calendar.slot[anybody.game], anybody.team)
    box, inactive = box.known(calendar), inactive.known(calendar)
    listed = Named(inactive.entity, calendar.slot[inactive.game], inactive.team)
    in_box = np.isin(_cell(listed, slots), _cell(Named(box.entity, calendar.slot[box.game], box.team), slots))
    report, newest = _newest(calendar, names, reports)
    status = pc.index_in(newest["injury_status"].combine_chunks(), pa.array(STATUSES)).to_numpy().astype(np.int32)
    shape = (len(calendar.teams), slots)
    return Availability(
        inactive=listed.where(~in_box),
        report=report,
        rows=newest,
        status=status,
        listed=everybody.counted(*shape) > 0,
        reported=report.counted(*shape) > 0,
    )


def _cell(rows: Named, slots: int) -> np.ndarray:
    return rows.player.astype(np.int64) * slots + rows.slot


def _newest(calendar: Calendar, names: pa.Array, reports: pa.Table) -> tuple[Named, pa.Table]:
    """The rows of each team's last report of each day on which it plays."""
    day = reports["game_date"].combine_chunks().cast(pa.int32()).to_numpy()
    slot = np.minimum(np.searchsorted(calendar.days, day), len(calendar.days) - 1).astype(np.int32)
    team = codes(reports["team_abbr"], pa.array(calendar.teams))
    hour = reports["report_hour"].combine_chunks().to_numpy()
    plays = (calendar.days[slot] == day) & (team >= 0) & (calendar.game_at[team, slot] >= 0)
    latest = np.full(calendar.game_at.shape, -1, dtype=np.int64)
    np.maximum.at(latest, (team[plays], slot[plays]), hour[plays])
    chosen = np.flatnonzero(plays & (hour == latest[team, slot]))
    player = codes(reports["player_lookup"], names)[chosen]
    return Named(player, slot[chosen], team[chosen]), reports.take(pa.array(chosen)).combine_chunks()
