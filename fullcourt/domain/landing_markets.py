"""Loads what is said about games before they are played: players' lines, injury reports, spreads and totals."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.availability import STATUSES
from fullcourt.domain.landing_rows import (
    NO_GAME,
    Games,
    Players,
    Rows,
    canonical_game_id,
    check_league_id,
    flags,
    name_players,
)
from fullcourt.domain.names import TRICODES, season_of, team_tricode
from fullcourt.domain.numbers import integers
from fullcourt.domain.parsing import parse

SPREADS, TOTALS = "spreads", "totals"
OVER, UNDER = "Over", "Under"
_BEYOND = 10_000  # tenths of a point: a line this large is a misreading, and its movement may not fit a column


def prop_rows(rows: Rows, games: Games, players: Players) -> None:
    """player_props: the day and the season are the schedule's; the source's own date may be one of UTC."""
    check_league_id(rows, "resolved_game_id")
    ids = rows.columns["nba_game_id"]
    game = games.by_league_id(ids)
    rows.reject(flags(game.is_null()), "resolved_game_id", ids, NO_GAME)
    _take_game(rows, games, game)
    rows.columns["market"] = pc.utf8_lower(rows.columns["market"])
    tenths, known = integers(rows.columns["line"])
    beyond = known & ((tenths <= 0) | (tenths >= _BEYOND))
    rows.reject(beyond, "line", rows.columns["line"], "expected more than 0 and less than 1000")
    name_players(rows, players, certain=np.ones(rows.batch.num_rows, dtype=np.bool_), landing="resolved_player_id")
    rows.columns["snapshot_id"] = _snapshot_id(rows, "market", "bookmaker")


def injury_rows(rows: Rows, games: Games, players: Players) -> None:
    """injury_reports: a report may come before the schedule has its game."""
    team, status, hour = (rows.columns[name] for name in ("team_abbr", "injury_status", "report_hour"))
    unknown = ~flags(pc.is_in(team, pa.array(sorted(TRICODES))))
    rows.reject(unknown, "team_tricode", team, "expected one of the league's 30 tricodes")
    rows.columns["injury_status"] = lower = pc.utf8_lower(status)
    unknown = ~flags(pc.is_in(lower, pa.array(STATUSES)))
    rows.reject(unknown, "injury_status", status, f"expected one of {', '.join(STATUSES)}")
    beyond = flags(pc.or_(pc.less(hour, 0), pc.greater(hour, 23)))
    rows.reject(beyond, "report_hour", hour, "expected an hour from 0 to 23")
    name_players(rows, players, certain=np.zeros(rows.batch.num_rows, dtype=np.bool_))
    day = rows.columns["game_date"]
    distinct = day.unique()
    seasons = [season_of(value.year, value.month) if value else None for value in distinct.to_pylist()]
    rows.columns["season_year"] = pa.array(seasons, pa.int64()).take(pc.index_in(day, distinct))
    two_digits = pc.utf8_lpad(hour.cast(pa.string()), 2, "0")
    rows.columns["report_id"] = _joined(pc.strftime(day, "%Y%m%d"), team, two_digits, by="_")


def game_line_rows(rows: Rows, games: Games, players: Players) -> None:
    """game_lines: teams go by their full names, and the game is found by its day and its two sides."""
    day, market, outcome = (rows.columns[name] for name in ("game_date", "market_key", "outcome_name"))
    rows.reject(flags(day.is_null()), "game_date", day, "expected a value, found none")
    away, home = (_team_codes(rows, side) for side in ("away_team", "home_team"))
    ids = canonical_game_id(day, away, home)
    game = games.by_canonical_id(ids)
    rows.reject(flags(game.is_null()), "game_date", ids, NO_GAME)
    rows.columns["nba_game_id"] = games.column("nba_game_id", game)
    _take_game(rows, games, game)
    rows.columns["bookmaker_key"] = pc.utf8_lower(rows.columns["bookmaker_key"])
    rows.columns["market_key"] = lower = pc.utf8_lower(market)
    spread, total = (flags(pc.equal(lower, key)) for key in (SPREADS, TOTALS))
    rows.reject(~(spread | total), "market_key", market, f"expected {SPREADS} or {TOTALS}")

    side = _tricodes(outcome)
    plays = flags(pc.or_(pc.equal(side, home), pc.equal(side, away)))
    rows.reject(spread & ~plays, "outcome_name", outcome, "expected one of the game's two teams")
    direction = pc.utf8_capitalize(outcome)
    known = flags(pc.is_in(direction, pa.array([OVER, UNDER])))
    rows.reject(total & ~known, "outcome_name", outcome, f"expected {OVER} or {UNDER}")
    rows.columns["outcome_name"] = pc.if_else(pa.array(spread), side, direction)

    tenths, known = integers(rows.columns["outcome_point"])
    points = rows.columns["outcome_point"]
    rows.reject(known & (np.abs(tenths) >= _BEYOND), "outcome_point", points, "expected less than 1000 either way")
    rows.reject(known & total & (tenths <= 0), "outcome_point", points, "expected a total above 0")
    rows.columns["snapshot_id"] = _snapshot_id(rows, "market_key", "bookmaker_key")


def _take_game(rows: Rows, games: Games, game: pa.Array) -> None:
    for name in ("game_id", "game_date", "season_year", "season_type"):
        rows.columns[name] = games.column(name, game)


def _team_codes(rows: Rows, landing: str) -> pa.Array:
    """The tricodes of a landing column with full names."""
    raw = rows.batch.column(landing)
    codes = _tricodes(parse(raw, pa.string())[0])
    rows.reject(flags(codes.is_null()), landing, raw, "expected the full name of one of the league's 30 teams")
    return codes


def _tricodes(names: pa.Array) -> pa.Array:
    known = names.dictionary_encode()
    return pa.array(map(team_tricode, known.dictionary.to_pylist()), pa.string()).take(known.indices)


def _snapshot_id(rows: Rows, *named: str) -> pa.Array:
    whole_seconds = rows.columns["snapshot_timestamp"].cast(pa.timestamp("s", tz="UTC"), safe=False)
    instant = pc.strftime(whole_seconds, "%Y-%m-%dT%H:%M:%SZ")
    return _joined(rows.columns["nba_game_id"], *(rows.columns[name] for name in named), instant, by=":")


def _joined(*parts: pa.Array, by: str) -> pa.Array:
    """Never null: what is missing is the missing part's own dead letter."""
    return pc.binary_join_element_wise(*parts, by, null_handling="replace", null_replacement="")
