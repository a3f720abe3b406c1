"""Damages a league in four known ways, each of which has happened to a real warehouse."""

import datetime as dt
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.demo.landing import REGULAR, League

# When each defect strikes, as a share of the last season's game days: late enough to be inside the last windows.
STALE_ROW_AT, LOST_DAY_AT, LOST_SHOTS_AT, PARTIAL_LOAD_AT = 0.5, 0.67, 0.75, 0.85
BOX_SCORES = ("player_boxscores", "team_boxscores", "shots")


@dataclass(frozen=True)
class Defect:
    """One defect. game_ids: the games it hits; team_tricode: the one team it hits, None if it hits both."""

    what: str
    game_date: dt.date
    game_ids: tuple[str, ...]
    team_tricode: str | None = None


@dataclass(frozen=True)
class Defects:
    """The four defects of a damaged league.

    stale_row: the schedule still says 'Scheduled' without a score, and neither box scores nor inactives came.
    lost_day: no box scores (player, team, shots) of a whole day, though the schedule says 'Final'.
    lost_shots: one team's shot rows of one game are missing, so its zones are unknown there.
    partial_load: one team's player rows of one game are missing; its team row and its shots are there.
    """

    stale_row: Defect
    lost_day: Defect
    lost_shots: Defect
    partial_load: Defect

    def in_order(self) -> tuple[Defect, ...]:
        """All four by date."""
        return (self.stale_row, self.lost_day, self.lost_shots, self.partial_load)


def with_defects(league: League) -> tuple[League, Defects]:
    """The league as a faulty night shift would have loaded it, and what is wrong with it.

    All defects are in the last season, each on a day of its own.
    """
    games = _last_season(league.schedule)
    defects = Defects(
        stale_row=_in_one_game("schedule still says Scheduled, nothing loaded", games, STALE_ROW_AT),
        lost_day=_on_a_day("all box scores of the day lost", games, LOST_DAY_AT),
        lost_shots=_in_one_game("one team's shots lost", games, LOST_SHOTS_AT, side="away"),
        partial_load=_in_one_game("one team's player rows lost", games, PARTIAL_LOAD_AT, side="home"),
    )
    damaged = replace(league, schedule=_unplayed(league.schedule, defects.stale_row.game_ids[0]))
    damaged = _without(damaged, (*BOX_SCORES, "inactives"), defects.stale_row)
    damaged = _without(damaged, BOX_SCORES, defects.lost_day)
    damaged = _without(damaged, ("shots",), defects.lost_shots)
    damaged = _without(damaged, ("player_boxscores",), defects.partial_load)
    return damaged, defects


def _last_season(schedule: pa.Table) -> pa.Table:
    """Its regular games, in order of play."""
    regular = schedule.filter(pc.equal(schedule["season_type"], REGULAR))
    last = regular.filter(pc.equal(regular["season"], pc.max(regular["season"])))
    return last.sort_by([("game_date", "ascending"), ("game_id", "ascending")])


def _on_a_day(what: str, games: pa.Table, share: float) -> Defect:
    """A defect of all games of the day after that share of the season's game days."""
    days = sorted(set(games["game_date"].to_pylist()))
    day = days[int(share * len(days))]
    return Defect(what, day, tuple(games.filter(pc.equal(games["game_date"], day))["game_id"].to_pylist()))


def _in_one_game(what: str, games: pa.Table, share: float, side: str | None = None) -> Defect:
    """A defect of that day's first game, or of the home or away team in it."""
    whole_day = _on_a_day(what, games, share)
    game = games.filter(pc.equal(games["game_id"], whole_day.game_ids[0])).to_pylist()[0]
    team = game[f"{side}_tricode"] if side else None
    return replace(whole_day, game_ids=(game["game_id"],), team_tricode=team)


def _without(league: League, tables: tuple[str, ...], defect: Defect) -> League:
    """The league without those tables' rows of the defect's games (and team)."""
    kept = {}
    for name in tables:
        table = getattr(league, name)
        hit = pc.is_in(table["game_id"], pa.array(defect.game_ids))
        if defect.team_tricode is not None:
            hit = pc.and_(hit, pc.equal(table["team_tricode"], defect.team_tricode))
        kept[name] = table.filter(pc.invert(hit))
    return replace(league, **kept)


def _unplayed(schedule: pa.Table, game_id: str) -> pa.Table:
    """The schedule with that game's row as it was before the game."""
    stale = pc.equal(schedule["game_id"], game_id)
    before = {"status": "Scheduled", "home_score": None, "away_score": None}
    for column, value in before.items():
        place = schedule.schema.get_field_index(column)
        field = schedule.schema.field(place)
        values = pc.if_else(stale, pa.scalar(value, field.type), schedule[column])
        schedule = schedule.set_column(place, field, values)
    return schedule
