"""Reads landing rows: parses every column, names what cannot be read, and gives rows their canonical keys.

Everything works on whole batches.  A row that cannot be read becomes a dead letter (row, field, value, reason)
and the rest of its batch loads; a row that is merely outside the seasons counted is kept and counted apart.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import COUNTED_TYPES
from fullcourt.domain.landing_markets import game_line_rows, injury_rows, prop_rows
from fullcourt.domain.landing_rows import (
    NO_GAME,
    ROW,
    Games,
    Players,
    Rows,
    canonical_game_id,
    check_league_id,
    flags,
    name_players,
)
from fullcourt.domain.names import TRICODES, player_lookup
from fullcourt.domain.numbers import Bools
from fullcourt.domain.parsing import parse, where

__all__ = ["ROW", "Games", "Players", "Rows", "canonical_game_id", "load"]

SEASON_TYPES = ("preseason", "regular", "all_star", "play_in", "playoffs", "cup_final")
GAME_STATUS = {"Scheduled": 1, "Postponed": 1, "Cancelled": 1, "In Progress": 2, "Final": 3}
PLAYER_STATUS = {"PLAYED": "active", "DNP": "dnp", "DND": "dnp", "SUSPENDED": "dnp", "NWT": "inactive"}


def load(
    rows: Rows,
    table: str,
    copied: Mapping[str, tuple[str, pa.DataType]],
    required: Sequence[str],
    games: Games,
    players: Players,
) -> tuple[pa.Table, pa.Table | None, int]:
    """A batch's good rows, its dead letters (None where there are none), and how many good rows are outside the count.

    copied: raw column -> (landing column, type).  required: raw columns that may not be null.
    """
    for name, (landing, kind) in copied.items():
        rows.parse(name, landing, kind)
    LOADERS[table](rows, games, players)
    for name in required:
        if name in rows.columns:
            empty = flags(rows.columns[name].is_null())
            rows.reject(empty, copied.get(name, (name,))[0], rows.columns[name], "expected a value, found none")
    left = rows.left()
    counted = left.num_rows
    if "season_type" in left.column_names:
        counted = pc.sum(pc.is_in(left["season_type"], pa.array(COUNTED_TYPES))).as_py() or 0
    return left, rows.dead_letters(), left.num_rows - counted


# ---- the tables -------------------------------------------------------------------------------------------------


def schedule_rows(rows: Rows, games: Games, players: Players) -> None:
    """nbac_schedule: status, canonical id, winner."""
    common(rows, counted_columns=("home_team_tricode", "away_team_tricode"), landing=("home_tricode", "away_tricode"))
    status = rows.columns["game_status_text"]
    number = pc.index_in(status, pa.array(list(GAME_STATUS)))
    unknown = flags(number.is_null())
    rows.reject(unknown, "status", rows.batch.column("status"), f"expected one of {', '.join(GAME_STATUS)}")
    rows.columns["game_status"] = pa.array(list(GAME_STATUS.values()), pa.int64()).take(number)
    rows.columns["game_id"] = canonical_game_id(
        rows.columns["game_date"], rows.columns["away_team_tricode"], rows.columns["home_team_tricode"]
    )
    home, away = rows.columns["home_team_score"], rows.columns["away_team_score"]
    for name, score in (("home_score", home), ("away_score", away)):
        rows.reject(flags(pc.less(score, 0)), name, score, "expected 0 or more")
    final = pc.and_(pc.equal(rows.columns["game_status"], 3), pc.not_equal(home, away))
    winner = pc.if_else(pc.greater(home, away), rows.columns["home_team_tricode"], rows.columns["away_team_tricode"])
    rows.columns["winning_team_tricode"] = where(winner, pc.fill_null(final, False))
    kind = rows.columns["season_type"]
    for name, value in (("is_regular_season", "regular"), ("is_playoffs", "playoffs"), ("is_all_star", "all_star")):
        rows.columns[name] = pc.equal(kind, value)
    tv, _ = parse(rows.batch.column("national_tv"), pa.string())
    rows.columns["is_primetime"] = pc.not_equal(pc.utf8_lower(tv), "no")


def player_box_rows(rows: Rows, games: Games, players: Players) -> None:
    """nbac_gamebook_player_stats: who played, for how long, and what he did."""
    common(rows, counted_columns=("team_abbr",), landing=("team_tricode",))
    join_schedule(rows, games)
    status, _ = parse(rows.batch.column("status"), pa.string())
    number = pc.index_in(status, pa.array(list(PLAYER_STATUS)))
    unknown = flags(number.is_null())
    rows.reject(unknown, "status", rows.batch.column("status"), f"expected one of {', '.join(PLAYER_STATUS)}")
    rows.columns["player_status"] = pa.array(list(PLAYER_STATUS.values())).take(number)
    seconds = rows.columns["seconds_played"]
    # The source's flag; without one, any time on court. Never whole minutes: hundreds of played rows show 0.
    rows.columns["played"] = pc.coalesce(rows.columns["played"], pc.fill_null(pc.greater(seconds, 0), False))
    rows.columns["minutes_decimal"] = pc.divide(seconds.cast(pa.float64()), 60.0)
    rows.columns["minutes"] = clock_text(seconds)
    played = rows.columns["played"].fill_null(False).to_numpy(zero_copy_only=False)
    name_players(rows, players, certain=played)
    check_box_score(rows, scored=played)


def team_box_rows(rows: Rows, games: Games, players: Players) -> None:
    """nbac_team_boxscore."""
    common(rows, counted_columns=("team_abbr",), landing=("team_tricode",))
    join_schedule(rows, games)
    overtime = rows.columns["overtime_periods"]
    rows.columns["minutes"] = clock_text(pc.add(240 * 60, pc.multiply(overtime, 25 * 60)))
    check_box_score(rows, scored=np.ones(rows.batch.num_rows, dtype=np.bool_))


def shot_rows(rows: Rows, games: Games, players: Players) -> None:
    """shot_zones: three-point zones are the corners, above the break and the backcourt."""
    common(rows, counted_columns=("team_abbr",), landing=("team_tricode",))
    join_schedule(rows, games)
    name_players(rows, players, certain=np.ones(rows.batch.num_rows, dtype=np.bool_))
    for made, source in (("makes", "fgm"), ("attempts", "fga")):
        parts = [f"{zone}_{source}" for zone in ("corner3", "above_break3", "backcourt")]
        for part in parts:
            rows.parse(part, part, pa.int64())
        total = pc.add(pc.add(rows.columns.pop(parts[0]), rows.columns.pop(parts[1])), rows.columns.pop(parts[2]))
        rows.columns[f"three_pt_{made}"] = total
    for zone in ("fg", "paint", "mid_range", "three_pt"):
        check_makes(rows, zone)


def inactive_rows(rows: Rows, games: Games, players: Players) -> None:
    """inactive_lists."""
    common(rows, counted_columns=("team_abbr",), landing=("team_tricode",))
    join_schedule(rows, games)
    name_players(rows, players, certain=np.zeros(rows.batch.num_rows, dtype=np.bool_))


def alias_rows(rows: Rows, games: Games, players: Players) -> None:
    """player_aliases: a row of the file becomes one row per distinct spelling of the player's name."""
    rows.parse("universal_player_id", "player_id", pa.int64())
    names = rows.columns["player_name"].to_pylist()
    in_shots, in_bref = (
        parse(rows.batch[name], pa.string())[0].to_pylist() for name in ("names_in_shots", "name_in_bref")
    )
    spellings = [
        [name or "", *(shots or "").split("|"), bref or ""]
        for name, shots, bref in zip(names, in_shots, in_bref, strict=True)
    ]
    nameless = np.array([not player_lookup(name or "") for name in names], dtype=np.bool_)
    rows.reject(nameless, "player_name", rows.columns["player_name"], "expected a name")
    index, aliases, texts = [], [], []
    for row, spelled in enumerate(spellings):
        # The first spelling of each key is the one shown.
        by_lookup = {player_lookup(text): text for text in reversed(spelled)}
        for alias, text in sorted(by_lookup.items()):
            if alias:
                index.append(row)
                aliases.append(alias)
                texts.append(text)
    rows.repeat(np.array(index, dtype=np.int64))
    rows.columns["alias_lookup"] = pa.array(aliases, pa.string())
    rows.columns["alias_name"] = pa.array(texts, pa.string())
    rows.columns["player_lookup"] = pa.array([player_lookup(names[row] or "") for row in index], pa.string())
    rows.columns["universal_player_id"] = rows.columns["universal_player_id"].cast(pa.string())


def common(rows: Rows, counted_columns: Sequence[str], landing: Sequence[str]) -> None:
    """League id, season, season type, and tricodes of the games that count."""
    check_league_id(rows, "game_id")
    season, _ = parse(rows.batch.column("season"), pa.string())
    fits = pc.match_substring_regex(season, r"^\d{4}-\d{2}$")
    rows.reject(~flags(fits), "season", season, "expected a season such as 2023-24")
    rows.columns["season_year"] = pc.utf8_slice_codeunits(where(season, fits), 0, 4).cast(pa.int64())
    if "season_type" in rows.columns:
        kind = rows.columns["season_type"]
        known = flags(pc.is_in(kind, pa.array(SEASON_TYPES)))
        rows.reject(~known, "season_type", kind, f"expected one of {', '.join(SEASON_TYPES)}")
        counted = flags(pc.is_in(kind, pa.array(COUNTED_TYPES)))
    else:
        counted = np.ones(rows.batch.num_rows, dtype=np.bool_)
    for name, column in zip(counted_columns, landing, strict=True):
        code = rows.columns[name]
        valid = flags(pc.is_in(code, pa.array(sorted(TRICODES))))
        rows.reject(counted & ~valid, column, code, "expected one of the league's 30 tricodes")


def join_schedule(rows: Rows, games: Games) -> None:
    """Canonical game id and season type by league id; a game the schedule does not have cannot be placed."""
    ids = rows.columns["nba_game_id"]
    game = games.by_league_id(ids)
    rows.reject(flags(game.is_null()), "game_id", ids, NO_GAME)
    day, team = rows.columns["game_date"], rows.columns["team_abbr"]
    moved = flags(pc.not_equal(day, games.column("game_date", game)))
    rows.reject(moved, "game_date", day, "expected the day the schedule has for the game")
    home, away = (games.column(f"{side}_team_tricode", game) for side in ("home", "away"))
    plays = pc.or_(pc.equal(team, home), pc.equal(team, away))
    rows.reject(flags(pc.invert(plays)), "team_tricode", team, "expected one of the game's two teams")
    rows.columns["game_id"] = games.column("game_id", game)
    rows.columns["season_type"] = games.column("season_type", game)


def check_box_score(rows: Rows, scored: Bools) -> None:
    """A box score adds up: no negative count, no more makes than attempts, and the points of its makes."""
    for zone in ("fg", "three_pt", "ft"):
        check_makes(rows, zone)
    names = ("points", "fg_makes", "three_pt_makes", "ft_makes")
    points, field_goals, threes, free_throws = (rows.read(name) for name in names)
    complete = np.logical_and.reduce([rows.known(name) for name in names])
    rows.reject(scored & ~complete, "pts", rows.columns["points"], "expected points and makes of one who played")
    wrong = complete & (points != 2 * field_goals + threes + free_throws)
    rows.reject(wrong, "pts", rows.columns["points"], "expected 2 x fgm + fg3m + ftm")


def check_makes(rows: Rows, zone: str) -> None:
    makes, attempts = rows.columns[f"{zone}_makes"], rows.columns[f"{zone}_attempts"]
    made, tried = (rows.sources.get(name, name) for name in (f"{zone}_makes", f"{zone}_attempts"))
    for name, value in ((made, makes), (tried, attempts)):
        rows.reject(flags(pc.less(value, 0)), name, value, "expected 0 or more")
    more = flags(pc.greater(makes, attempts))
    rows.reject(more, made, makes, "expected no more makes than attempts")


def clock_text(seconds: pa.Array) -> pa.Array:
    """MM:SS."""
    minutes = pc.divide(seconds, 60)
    rest = pc.subtract(seconds, pc.multiply(minutes, 60))
    two = [pc.utf8_lpad(part.cast(pa.string()), 2, "0") for part in (minutes, rest)]
    return pc.binary_join_element_wise(*two, ":")


LOADERS: Mapping[str, Callable[[Rows, Games, Players], None]] = {
    "nbac_schedule": schedule_rows,
    "nbac_gamebook_player_stats": player_box_rows,
    "nbac_team_boxscore": team_box_rows,
    "shot_zones": shot_rows,
    "inactive_lists": inactive_rows,
    "player_aliases": alias_rows,
    "player_props": prop_rows,
    "injury_reports": injury_rows,
    "game_lines": game_line_rows,
}
