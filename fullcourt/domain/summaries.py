"""The three game summaries: what happened in D's final games (domain sections 2.2 to 2.4).

A *line* is one team's side of one game: 2 x game for the home team, one more for the away team, so that a line's
opponent is `line ^ 1`.  Sums stay integers; possessions are in hundredths, because a free throw counts 0.44.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar
from fullcourt.domain.columns import codes, last_of_each, pair, places
from fullcourt.domain.features.zones import ZONES, choose, quotient
from fullcourt.domain.fingerprint import hash_rows, to_hex
from fullcourt.domain.lines import points_lines
from fullcourt.domain.numbers import Bools, Ints, Longs, decimals, integers, nullable, ratio
from fullcourt.domain.rows import Stamp, fit

_ZONE_COUNTS = tuple(f"{zone}_{what}" for zone in ZONES for what in ("makes", "attempts"))
_TEAM_COUNTS = (
    "points",
    "fg_makes",
    "fg_attempts",
    "three_pt_makes",
    "three_pt_attempts",
    "ft_makes",
    "ft_attempts",
    "offensive_rebounds",
    "defensive_rebounds",
    "rebounds",
    "assists",
    "steals",
    "blocks",
    "turnovers",
    "personal_fouls",
    "overtime_periods",
)
_PLAYER_COUNTS = (*_TEAM_COUNTS[:-1], "plus_minus", "seconds_played")

TEAM_BOX_COLUMNS = ("game_id", "team_abbr", "season_year", *_TEAM_COUNTS)
SHOT_COLUMNS = ("game_id", "team_abbr", "player_lookup", "season_year", *_ZONE_COUNTS)
PROP_COLUMNS = ("game_id", "player_lookup", "season_year", "market", "bookmaker", "line", "snapshot_timestamp")
BOX_COLUMNS = (
    "game_id",
    "team_abbr",
    "season_year",
    "player_lookup",
    "universal_player_id",
    "player_name",
    "player_status",
    "played",
    "starter",
    *_PLAYER_COUNTS,
)
# The raw tables that summaries are made of, with the columns read of each, in the order of RawTables.
RAW: Mapping[str, tuple[str, ...]] = {
    "nbac_schedule": SCHEDULE_COLUMNS,
    "nbac_team_boxscore": TEAM_BOX_COLUMNS,
    "nbac_gamebook_player_stats": BOX_COLUMNS,
    "shot_zones": SHOT_COLUMNS,
    "player_props": PROP_COLUMNS,
}
MAX_USAGE = 100_00  # hundredths of a percent; a few seconds on court can yield more, which means nothing


@dataclass(frozen=True)
class RawTables:
    """One season's rows of the tables of RAW."""

    schedule: pa.Table
    team_box: pa.Table
    box: pa.Table
    shots: pa.Table
    props: pa.Table


@dataclass(frozen=True)
class _Counts:
    """Named whole numbers by row, each with where it is known."""

    value: dict[str, Longs]
    known: dict[str, Bools]

    def column(self, name: str) -> pa.Array:
        return nullable(self.value[name], self.known[name])

    def all_known(self, *names: str) -> Bools:
        return np.logical_and.reduce([self.known[name] for name in names])

    def take(self, index: Ints) -> "_Counts":
        pick = [{name: values[index] for name, values in group.items()} for group in (self.value, self.known)]
        return _Counts(*pick)  # type: ignore[arg-type]


class GameDay:
    """One season's games laid out by line, from which every summary is read."""

    def __init__(self, raw: RawTables, season: int, days: Ints) -> None:
        """days: the days asked for, as days since 1970. GateError when the season has no schedule."""
        self.calendar = calendar = Calendar.from_schedule(raw.schedule.select(SCHEDULE_COLUMNS), season)
        self._schedule = raw.schedule
        self._box = raw.box
        self.teams = pa.array(calendar.teams)
        self.line_team = np.stack([calendar.home, calendar.away], axis=1).reshape(-1)
        self.line_score = np.stack([calendar.home_score, calendar.away_score], axis=1).reshape(-1)
        asked = calendar.final & np.isin(calendar.days[calendar.slot], days)
        self._asked = np.repeat(asked, 2)
        self.line_counts, self.line_there = self._by_line(raw.team_box, _TEAM_COUNTS, total=False)
        self.zone_counts, self.zones_there = self._by_line(raw.shots, _ZONE_COUNTS, total=True)
        self._shots, self._props = raw.shots, raw.props

    def offense(self, schema: pa.Schema, stamp: Stamp) -> pa.Table:
        """team_offense_game_summary: one row per line with a team box score."""
        line = np.flatnonzero(self._asked & self.line_there).astype(np.int32)
        counts, zones = self.line_counts.take(line), self.zone_counts.take(line)
        columns = self._identity(line, "team_abbr")
        columns |= {name: counts.column(name) for name in _TEAM_COUNTS if name in schema.names}
        columns |= {
            "points_scored": counts.column("points"),
            "opponent_points": self._score(line ^ 1),
            "ts_pct": _true_shooting(counts),
            **{f"team_{name}": zones.column(name) for name in _ZONE_COUNTS[:4]},
            **_possession_columns(counts, rating="offensive_rating", pace="pace"),
        }
        columns["possessions"] = _possessions_column(counts)
        return _finish(columns, schema, stamp, len(line))

    def defense(self, schema: pa.Schema, stamp: Stamp) -> pa.Table:
        """team_defense_game_summary: one row per line whose opponent has a team box score."""
        line = np.flatnonzero(self._asked & self.line_there[np.arange(len(self.line_there)) ^ 1]).astype(np.int32)
        own, opponent, zones = (
            self.line_counts.take(line),
            self.line_counts.take(line ^ 1),
            self.zone_counts.take(line ^ 1),
        )
        columns = self._identity(line, "defending_team_abbr")
        columns |= {
            f"opp_{name}": opponent.column(name)
            for name in ("fg_makes", "fg_attempts", "ft_makes", "ft_attempts", "turnovers")
        }
        columns |= {f"opp_{name}": zones.column(name) for name in _ZONE_COUNTS}
        for zone, points, worth in (
            ("paint", "points_in_paint_allowed", 2),
            ("mid_range", "mid_range_points_allowed", 2),
            ("three_pt", "three_pt_points_allowed", 3),
        ):
            columns[points] = nullable(worth * zones.value[f"{zone}_makes"], zones.known[f"{zone}_makes"])
        columns |= {name: own.column(name) for name in ("steals", "blocks", "defensive_rebounds")}
        columns |= {
            "points_allowed": opponent.column("points"),
            **_possession_columns(opponent, rating="defensive_rating", pace="opponent_pace"),
            "data_quality_tier": choose(np.where(zones.all_known(*_ZONE_COUNTS), 0, 1), ("high", "low")),
        }
        return _finish(columns, schema, stamp, len(line))

    def players(self, schema: pa.Schema, stamp: Stamp) -> pa.Table:
        """player_game_summary: one row per resolved player who entered a game."""
        box = self._box
        names = pc.drop_null(pc.unique(box["player_lookup"].cast(pa.string())))
        player, line = codes(box["player_lookup"], names), self._lines(box)
        points, _ = integers(box["points"])
        entered = pc.fill_null(box["played"], False).to_numpy() & (player >= 0) & (line >= 0)
        entered &= self._asked[np.maximum(line, 0)]
        index = np.flatnonzero(entered)
        chosen = np.sort(index[last_of_each(pair(player[index], line[index]), points[index])])
        rows, player, line = box.take(pa.array(chosen)).combine_chunks(), player[chosen], line[chosen]
        counts = _read(rows, _PLAYER_COUNTS)
        zones, _ = self._player_zones(names, player, line)
        makes, attempts = counts.value["fg_makes"], counts.value["fg_attempts"]
        columns = self._identity(line, "team_abbr")
        columns |= {name: counts.column(name) for name in _PLAYER_COUNTS if name in schema.names}
        columns |= {
            "player_lookup": names.take(pa.array(player)),
            "universal_player_id": rows["universal_player_id"],
            "player_full_name": rows["player_name"],
            "is_active": pa.repeat(True, len(line)),
            "player_status": rows["player_status"],
            "starter_flag": rows["starter"],
            "minutes_played": decimals(*_minutes(counts), 5, 1),
            "usage_rate": self._usage(counts, line),
            "ts_pct": _true_shooting(counts),
            "efg_pct": quotient(
                2 * makes + counts.value["three_pt_makes"],
                2 * attempts,
                5,
                3,
                known=counts.all_known("fg_makes", "three_pt_makes", "fg_attempts"),
            ),
            **{name.replace("three_pt", "three_pt_zone"): zones.column(name) for name in _ZONE_COUNTS},
            "points_line": self._points_line(names, player, line),
        }
        return _finish(columns, schema, stamp, len(line))

    def _lines(self, rows: pa.Table) -> Ints:
        """Each row's line, or -1 when the game is not in the calendar or the team does not play in it."""
        game, team = codes(rows["game_id"], self.calendar.game_ids), codes(rows["team_abbr"], self.teams)
        home, away = self.calendar.home[game] == team, self.calendar.away[game] == team
        line = 2 * game + np.where(away, 1, 0)
        return np.where((game >= 0) & (team >= 0) & (home | away), line, -1).astype(np.int32)

    def _by_line(self, rows: pa.Table, names: tuple[str, ...], *, total: bool) -> tuple[_Counts, Bools]:
        """Counts by line: the sum of the line's rows, or its last row; known where every row of the line is."""
        line = self._lines(rows)
        read = _read(rows, names)
        there = np.zeros(len(self.line_team), dtype=np.bool_)
        there[line[line >= 0]] = True
        value, known = {}, {}
        for name in names:
            value[name] = np.zeros(len(there), dtype=np.int64)
            known[name] = there.copy()
            inside = line >= 0
            if total:
                np.add.at(value[name], line[inside], read.value[name][inside])
            else:
                value[name][line[inside]] = read.value[name][inside]
            known[name][line[inside & ~read.known[name]]] = False
        return _Counts(value, known), there

    def _player_zones(self, names: pa.Array, player: Ints, line: Ints) -> tuple[_Counts, Bools]:
        """A player's shots by zone: 0 without a shot row if the team's shots of the game are known, else unknown."""
        shooter, shot_line = codes(self._shots["player_lookup"], names), self._lines(self._shots)
        lines = len(self.line_team)
        key = player.astype(np.int64) * lines + line
        order = np.argsort(key)
        wanted = shooter.astype(np.int64) * lines + shot_line
        place = np.minimum(np.searchsorted(key, wanted, sorter=order), max(len(key) - 1, 0))
        found = (shooter >= 0) & (shot_line >= 0)
        found &= key[order][place] == wanted if len(key) else False
        read, known = _read(self._shots, _ZONE_COUNTS), self.zones_there[line]
        value = {}
        for name in _ZONE_COUNTS:
            value[name] = np.zeros(len(line), dtype=np.int64)
            np.add.at(value[name], order[place[found]], read.value[name][found])
        return _Counts(value, dict.fromkeys(_ZONE_COUNTS, known)), known

    def _points_line(self, names: pa.Array, player: Ints, line: Ints) -> pa.Array:
        """The closing line on the player's points in the game; null without one."""
        lines = points_lines(self._props)
        who, game = codes(lines["player_lookup"], names), codes(lines["game_id"], self.calendar.game_ids)
        place = places(pair(who, game), pair(player, line // 2), (who >= 0) & (game >= 0))
        tenths, _ = integers(lines["current_line"])
        return decimals(np.append(tenths, 0)[place], place >= 0, 4, 1)

    def _identity(self, line: Ints, team_column: str) -> dict[str, pa.Array]:
        calendar, game = self.calendar, line // 2
        place = pc.index_in(calendar.game_ids.take(pa.array(game)), self._schedule["game_id"].combine_chunks())
        return {
            team_column: self.teams.take(pa.array(self.line_team[line])),
            "opponent_team_abbr": self.teams.take(pa.array(self.line_team[line ^ 1])),
            "game_id": calendar.game_ids.take(pa.array(game)),
            "nba_game_id": calendar.nba_game_ids.take(pa.array(game)),
            "game_date": pa.array(calendar.days[calendar.slot[game]]).cast(pa.date32()),
            "season_year": pa.repeat(calendar.season, len(line)),
            "season_type": self._schedule["season_type"].combine_chunks().take(place),
            "home_game": pa.array(line % 2 == 0),
            "win_flag": pa.array(self.line_score[line] > self.line_score[line ^ 1]),
        }

    def _score(self, line: Ints) -> pa.Array:
        return pa.array(self.line_score[line].astype(np.int64))

    def _usage(self, counts: _Counts, line: Ints) -> pa.Array:
        """100 x (FGA + 0.44 FTA + TO) x (team minutes / 5) / (minutes x the team's same sum)."""
        team = self.line_counts.take(line)
        own, own_known = _plays(counts)
        all_plays, team_known = _plays(team)
        seconds_each = 60 * (48 + 5 * team.value["overtime_periods"])  # team seconds / 5
        usage, defined = ratio(100 * own * seconds_each, counts.value["seconds_played"] * all_plays, 2)
        known = own_known & team_known & team.known["overtime_periods"] & counts.known["seconds_played"]
        return decimals(np.minimum(usage, MAX_USAGE), defined & known & (usage <= MAX_USAGE), 5, 2)


SUMMARIES: Mapping[str, str] = {
    "team_offense_game_summary": "offense",
    "team_defense_game_summary": "defense",
    "player_game_summary": "players",
}


def day_tally(rows: pa.Table) -> pa.Table:
    """Per game day: rows written, all of them ready, and the day's fingerprint."""
    index_of = rows["game_date"].combine_chunks().cast(pa.int32()).to_numpy()
    days, index = np.unique(index_of, return_inverse=True)
    keys = [
        name for name in ("game_id", "team_abbr", "defending_team_abbr", "player_lookup") if name in rows.column_names
    ]
    hashes = hash_rows({name: rows[name] for name in (*keys, "data_hash")})
    fingerprint = np.zeros(len(days), dtype=np.uint64)
    np.add.at(fingerprint, index, hashes)
    count = np.bincount(index, minlength=len(days)).astype(np.int64)
    return pa.table({"day": pa.array(days).cast(pa.date32()), "ready": count, "fingerprint": fingerprint})


def _read(rows: pa.Table, names: tuple[str, ...]) -> _Counts:
    read = {name: integers(rows[name]) for name in names}
    return _Counts({n: value for n, (value, _) in read.items()}, {n: known for n, (_, known) in read.items()})


def _finish(columns: dict[str, pa.Array], schema: pa.Schema, stamp: Stamp, size: int) -> pa.Table:
    columns["data_hash"] = to_hex(hash_rows(columns))
    return fit({**columns, "run_id": stamp.runs(size), "processed_at": stamp.times(size)}, schema, size)


def _plays(counts: _Counts) -> tuple[Longs, Bools]:
    """FGA + 0.44 FTA + TO, in hundredths."""
    value = counts.value
    total = 100 * value["fg_attempts"] + 44 * value["ft_attempts"] + 100 * value["turnovers"]
    return total, counts.all_known("fg_attempts", "ft_attempts", "turnovers")


def _possessions(counts: _Counts) -> tuple[Longs, Bools]:
    """FGA + 0.44 FTA - OREB + TO, in hundredths."""
    plays, known = _plays(counts)
    return plays - 100 * counts.value["offensive_rebounds"], known & counts.known["offensive_rebounds"]


def _possessions_column(counts: _Counts) -> pa.Array:
    possessions, known = _possessions(counts)
    return nullable(ratio(possessions, np.full_like(possessions, 100), 0)[0], known)


def _possession_columns(counts: _Counts, *, rating: str, pace: str) -> dict[str, pa.Array]:
    """Points per 100 possessions, and possessions per 48 minutes of each of the five."""
    possessions, known = _possessions(counts)
    minutes_each = 48 + 5 * counts.value["overtime_periods"]  # team minutes / 5
    return {
        rating: quotient(10_000 * counts.value["points"], possessions, 6, 2, known=known & counts.known["points"]),
        pace: quotient(48 * possessions, 100 * minutes_each, 5, 1, known=known & counts.known["overtime_periods"]),
    }


def _true_shooting(counts: _Counts) -> pa.Array:
    """PTS / (2 (FGA + 0.44 FTA))."""
    value = counts.value
    shots = 2 * (100 * value["fg_attempts"] + 44 * value["ft_attempts"])
    return quotient(100 * value["points"], shots, 5, 3, known=counts.all_known("points", "fg_attempts", "ft_attempts"))


def _minutes(counts: _Counts) -> tuple[Longs, Bools]:
    seconds = counts.value["seconds_played"]
    return ratio(seconds, np.full_like(seconds, 60), 1)[0], counts.known["seconds_played"]
