"""The games of one entity's windows before a day, each with what says so: present, excused by which row, or missing.

Also how long a missing game will be missed: the later days whose windows still hold it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fullcourt.domain import lacking
from fullcourt.domain.days import to_date
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Ints
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity, Processor
from fullcourt.orchestration.remedies import Lost
from fullcourt.warehouse import Warehouse

# Table, and the columns that say why a player was not there.
_LISTINGS = {
    "nbac_gamebook_player_stats": ("played", "player_status", "dnp_reason", "source_file"),
    "inactive_lists": ("source_file",),
    "injury_reports": ("injury_status", "reason", "source_file"),
}
Rows = Mapping[str, Mapping[str, dict[str, Any]]]  # table -> game id -> row


def listings(warehouse: Warehouse, player: str, season: int) -> Rows:
    """The player's rows of the season that list him for a game, by table and game; of a game's reports the newest."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for table, columns in _LISTINGS.items():
        rows = warehouse.query(
            f"SELECT {_key(table)} AS game, {', '.join(columns)} FROM nba_raw.{table} "
            f"WHERE player_lookup = @player AND season_year = @season ORDER BY {_order(table)}",
            player=player,
            season=season,
        )
        found[table] = {row.pop("game"): row for row in rows.to_pylist()}
    return found


def _key(table: str) -> str:
    return "CAST(game_date AS STRING)" if table == "injury_reports" else "game_id"


def _order(table: str) -> str:
    return "report_hour" if table == "injury_reports" else "game_id"


@dataclass(frozen=True)
class Case:
    """One processor's rows of one entity and day: where they are on the grid that was observed.

    row: the verdict, of one row.  rows: what lists a player for his games; empty for a team.
    """

    processor: Processor
    seen: Observation
    place: int
    slot: int
    row: Judgement
    rows: Rows

    def games(self) -> list[dict[str, Any]]:
        """Every game of the gating windows by day, with its standing, the windows it is in, and what says so."""
        first = {w.name: int(self.row.windows[w].first[0]) for w in self.processor.windows}
        grid, listed = self.seen.grid, []
        for slot in range(self._first, self.slot):
            game = int(grid.game[self.place, slot])
            if game < 0:
                continue
            lost = Lost.of(self.seen.calendar, game, "")
            named = {
                "game_id": lost.game_id,
                "nba_game_id": lost.nba_game_id,
                "game_date": lost.day.isoformat(),
                "opponent": self._opponent(slot),
                "windows": [name for name, opening in first.items() if slot >= opening],
            }
            listed.append({**named, **self._standing(slot, lost)})
        return listed

    @cached_property
    def lost(self) -> list[Lost]:
        """The games of the gating windows to load or summarise again: the missing and the unreadable, each with the
        table that is at fault."""
        raw = lacking.BOX if self.processor.entity is Entity.PLAYER else lacking.TEAM_BOX
        at_fault = {**self._missing, **dict.fromkeys(self._unreadable, raw)}
        return [
            Lost.of(self.seen.calendar, int(self.seen.grid.game[self.place, slot]), lacking.LACKING[table])
            for slot, table in sorted(at_fault.items())
        ]

    @cached_property
    def _missing(self) -> dict[int, int]:
        """Slot of each missing game -> the table that lacks it."""
        first = self._first
        absent = self.seen.grid.required[self.place] & ~self.seen.grid.present[self.place]
        slot = (np.flatnonzero(absent[first : self.slot]) + first).astype(np.int32)
        tables = lacking.tables(self.seen, self.processor.entity, np.full_like(slot, self.place), slot)
        return dict(zip(slot.tolist(), tables.tolist(), strict=True))

    @cached_property
    def _unreadable(self) -> list[int]:
        """Slots whose upstream row contradicts itself."""
        marked = self.seen.unreadable[self.place, self._first : self.slot]
        return [int(slot) + self._first for slot in np.flatnonzero(marked)]

    @property
    def _first(self) -> int:
        """Where the widest gating window begins."""
        return min(int(self.row.windows[w].first[0]) for w in self.processor.windows)

    def affected(self) -> dict[str, Any] | None:
        """The later days whose gating windows still hold a missing game, by the schedule; None if none is missing.

        held_back: of these, the days on which the windows miss more of these games than is permitted.
        """
        if not self._missing:
            return None
        later = self._later_slots()
        entity = np.full_like(later, self.place)
        gone = np.zeros(self.seen.grid.required.shape[1] + 1, dtype=np.int64)
        gone[np.array(list(self._missing)) + 1] = 1
        total = np.cumsum(gone)
        holds, short = np.zeros(len(later), np.bool_), np.zeros(len(later), np.bool_)
        for window in self.processor.windows:
            counts = self.seen.history.count(window, entity, later)
            missing = total[later] - total[counts.first]
            holds |= missing > 0
            enough = self.processor.threshold_per_mille * counts.expected.astype(np.int64)
            short |= 1000 * (counts.expected - missing) < enough
        days = [to_date(int(self.seen.calendar.days[slot])) for slot in later[holds]]
        return {
            "first_day": days[0].isoformat() if days else None,
            "last_day": days[-1].isoformat() if days else None,
            "days": len(days),
            "held_back": int(short.sum()),
        }

    def _later_slots(self) -> Ints:
        """The later days of which the entity has, or by the schedule will have, a row."""
        slots = np.arange(self.slot + 1, self.seen.grid.required.shape[1], dtype=np.int32)
        if self.seen.entrants is not None:
            # Rosters of days to come are not known: he is with the team he belongs to.
            return slots[self.seen.grid.game[self.place, slots] >= 0]
        return slots[self.seen.grid.judged[self.place, slots]]

    def _opponent(self, slot: int) -> str:
        """`vs DEN` at home, `at DEN` away."""
        calendar, game = self.seen.calendar, self.seen.grid.game[self.place, slot]
        home, away = int(calendar.home[game]), int(calendar.away[game])
        at_home = home == self.seen.grid.team[self.place, slot]
        return f"vs {calendar.teams[away]}" if at_home else f"at {calendar.teams[home]}"

    def _standing(self, slot: int, lost: Lost) -> dict[str, Any]:
        if slot in self._missing:
            table = lacking.LACKING[self._missing[slot]]
            return {"standing": "missing", "table": table, "evidence": self._why_missing(slot, table), "row": None}
        if self.seen.grid.present[self.place, slot]:
            upstream = self.processor.upstream
            assert upstream is not None
            standing, text = "present", "its row is there"
            if slot in self._unreadable:
                standing, text = (
                    "unreadable",
                    "its row contradicts itself: more makes than attempts, or a negative count",
                )
            return {"standing": standing, "table": upstream.table, "evidence": text, "row": None}
        return {"standing": "excused", **self._why_excused(slot, lost.game_id, lost.day)}

    def _why_excused(self, slot: int, game_id: str, day: dt.date) -> dict[str, Any]:
        """The row that says he did not play; of a game that lists him nowhere, its being whole."""
        box, inactive = (self.rows[name].get(game_id) for name in ("nbac_gamebook_player_stats", "inactive_lists"))
        if box is not None:
            why = box["dnp_reason"] or box["player_status"]
            text = f"in the box score, did not play: {why}"
            return {"table": "nbac_gamebook_player_stats", "evidence": text, "row": box}
        if inactive is not None:
            report = self.rows["injury_reports"].get(day.isoformat())
            reported = f"; injury report: {report['injury_status']}, {report['reason']}" if report else ""
            return {"table": "inactive_lists", "evidence": f"on the inactive list{reported}", "row": inactive}
        score = int(self.seen.calendar.score_at[self.seen.grid.team[self.place, slot], slot])
        text = f"not listed in a whole game: its players' points add up to the score, {score}"
        return {"table": "nbac_gamebook_player_stats", "evidence": text, "row": None}

    def _why_missing(self, slot: int, table: str) -> str:
        calendar, grid = self.seen.calendar, self.seen.grid
        game = int(grid.game[self.place, slot])
        status = "" if calendar.final[game] else ", and the schedule does not say that it is over"
        if table in ("player_game_summary", "team_defense_game_summary"):
            return "the box score is there, its summary is not: never run, or not since it was loaded"
        if table == "nbac_schedule":
            return "the box score is there, but the schedule does not say that the game is over"
        if table == "player_aliases":
            return "a row of his team's box score is under a name that is nobody's"
        team = int(grid.team[self.place, slot])
        if self.processor.entity is Entity.TEAM:
            return f"its opponent's box score is not loaded{status}"
        if rows := self._box_rows(game, team):
            return f"the box score of {calendar.teams[team]} is not whole: {rows} players, not him{status}"
        return f"no box score of {calendar.teams[team]} is loaded{status}"

    def _box_rows(self, game: int, team: int) -> int:
        """How many players the box score names."""
        box = self.seen.tables.box
        assert box is not None
        ids = self.seen.calendar.game_ids[game].as_py(), self.seen.calendar.teams[team]
        return int(((box["game_id"].to_numpy() == ids[0]) & (box["team_abbr"].to_numpy() == ids[1])).sum())
