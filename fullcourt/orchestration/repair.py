"""What to repair first: the missing (game, table) cells behind everything held back, ranked by what they unblock."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import lacking
from fullcourt.domain.calendar import SCHEDULE_COLUMNS, Calendar, season_of_day
from fullcourt.domain.days import to_date, to_number
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.numbers import Ints, Longs
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS, Observation, ShardTables, observe
from fullcourt.domain.processors import GATED, Entity, Processor
from fullcourt.domain.repair import HeldBack, Links, plan
from fullcourt.domain.waiting import Waiting, missing_of
from fullcourt.orchestration import policy
from fullcourt.orchestration.remedies import SHOTS_FILE, Lost, commands
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Read, Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES

_MOST_GAMES = 1 << 20  # of a season


def repair_plan(
    warehouse: Warehouse, start: dt.date, end: dt.date, limit: int | None = None, now: dt.datetime | None = None
) -> dict[str, Any]:
    """The cells to repair, best first, so that what is held back from start to end becomes ready.

    limit: only so many cells.  now: the thresholds that people have set by then hold; None: those of the code.

    Held back is every published row that is not production ready.  A cell counts as repaired when all who miss it have
    its rows; a player who turns out not to have played is excused instead, and may need another game.

    Returns held_back; for_a_rerun (complete by now) and beyond_repair (a gating processor has no row) of them;
    dead_letters, which have no row and miss no game: processor, entity and day of each; cells,
    games; commands: what to run once all files of the listed games are loaded.  `alone`, `gain`, `cumulative` and
    `missed_by` count entity-days.  GateError when no schedule is loaded for the range, or
    it has game days and nothing is published of them.
    """
    check_schema(warehouse)
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
    days = scheduled_days(warehouse, start, end)
    processors = GATED if now is None else policy.effective(warehouse, GATED, now)
    published = {processor: _published(warehouse, processor, start, end) for processor in processors}
    if days and not any(table.num_rows for table in published.values()):
        raise GateError(f"nothing is published from {start} to {end}: `fullcourt gaps` names what was never run")
    seasons = range(season_of_day(to_number(start)), season_of_day(to_number(end)) + 1)
    parts = [
        part for season in seasons for kind in Entity if (part := _part(warehouse, season, kind, published)) is not None
    ]
    total = sum(part.waiting.held_back for part in parts)
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "held_back": total,
        "for_a_rerun": sum(part.waiting.for_a_rerun for part in parts),
        "beyond_repair": sum(part.waiting.beyond_repair for part in parts),
        "dead_letters": warehouse.query(QUERIES["dead_lettered"].sql, start=start, end=end).to_pylist(),
        **_with_shots(warehouse, _ranked(parts, total, limit)),
    }


def observe_games(warehouse: Warehouse, season: int, kind: Entity) -> Observation:
    """A season's games of all teams or all players; no figures are read."""
    processor = next(p for p in GATED if p.entity is kind and not p.fixtures)
    assert processor.upstream is not None
    player = kind is Entity.PLAYER
    keys = ("game_id", "season_year", "processed_at", processor.upstream.entity_column)

    def read(table: str, columns: Sequence[str]) -> pa.Table:
        return warehouse.query(Read(table, tuple(columns), {"season_year": [season]}).sql, season_year=[season])

    tables = ShardTables(
        schedule=read("nbac_schedule", SCHEDULE_COLUMNS),
        upstream=read(processor.upstream.table, (*keys, "team_abbr") if player else keys),
        box=read("nbac_gamebook_player_stats", BOX_COLUMNS) if player else None,
        inactives=read("inactive_lists", INACTIVE_COLUMNS) if player else None,
        more={} if player else {lacking.TEAM_BOX_TABLE: read(lacking.TEAM_BOX_TABLE, lacking.TEAM_BOX_COLUMNS)},
    )
    return observe(tables, processor, season)


def _published(warehouse: Warehouse, processor: Processor, start: dt.date, end: dt.date) -> pa.Table:
    """Every row's entity and day, and whether it is ready."""
    return warehouse.query(
        f"SELECT {processor.key_column} AS entity, {processor.day_column} AS day, season_year, "
        f"COALESCE(is_production_ready, FALSE) AS ready FROM {TABLES[processor.name].read_id} "
        f"WHERE {processor.day_column} BETWEEN @start AND @end",
        start=start,
        end=end,
    )


@dataclass(frozen=True)
class _Part:
    """What one season's teams, or its players, wait for.

    Of each (need, cell) pair: the need, the cell as one number (season, game, table), and the team that lacks it.
    """

    season: int
    calendar: Calendar
    waiting: Waiting
    need: Ints
    cell: Longs
    team: Ints


def _part(warehouse: Warehouse, season: int, kind: Entity, published: Mapping[Processor, pa.Table]) -> _Part | None:
    """None where nothing is held back."""
    rows = {p: t.filter(pc.equal(t["season_year"], season)) for p, t in published.items() if p.entity is kind}
    if all(pc.all(table["ready"], min_count=0).as_py() for table in rows.values()):
        return None
    seen = observe_games(warehouse, season, kind)
    waiting = Waiting.of(seen, rows)
    absent = seen.grid.required & ~seen.grid.present
    need, place = missing_of(waiting.needs, absent)
    entity, slot = (axis.astype(np.int32)[place] for axis in np.nonzero(absent))
    table = lacking.tables(seen, kind, entity, slot)
    game = seen.grid.game[entity, slot].astype(np.int64)
    cell = (season * _MOST_GAMES + game) * len(lacking.LACKING) + table
    return _Part(season, seen.calendar, waiting, need, cell, seen.grid.team[entity, slot])


def _ranked(parts: Sequence[_Part], total: int, limit: int | None) -> dict[str, Any]:
    """One problem of all parts: a schedule that players and teams wait for is one cell."""
    if not parts:
        return {"cells": [], "games": [], "commands": []}
    numbers, cell = np.unique(np.concatenate([part.cell for part in parts]), return_inverse=True)
    first_need = np.cumsum([0, *(len(part.waiting.needs.short) for part in parts)])
    first_row = np.cumsum([0, *(part.waiting.rows for part in parts)])
    need = np.concatenate([part.need + start for part, start in zip(parts, first_need[:-1], strict=True)])
    rows, needs = zip(*(part.waiting.needs_of for part in parts), strict=True)
    held = HeldBack(
        rows=int(first_row[-1]),
        cells=len(numbers),
        short=np.concatenate([part.waiting.needs.short for part in parts]),
        cells_of=Links(*_distinct(need, cell), int(first_need[-1])),
        needs_of=Links(
            np.concatenate([row + start for row, start in zip(rows, first_row[:-1], strict=True)]).astype(np.int32),
            np.concatenate([n + start for n, start in zip(needs, first_need[:-1], strict=True)]).astype(np.int32),
            int(first_row[-1]),
        ),
    )
    best = plan(held, limit)
    day = np.concatenate([part.calendar.days[part.waiting.needs.slot] for part in parts])[need]
    first_day, last_day = np.full(len(numbers), np.iinfo(np.int32).max), np.zeros(len(numbers), np.int64)
    np.minimum.at(first_day, cell, day)
    np.maximum.at(last_day, cell, day)
    cumulative, listed, repaired, last = np.cumsum(best.gain), [], [], dt.date.min
    for rank, chosen in enumerate(best.order.tolist()):
        days = to_date(int(first_day[chosen])), to_date(int(last_day[chosen]))
        lost, named = _named(int(numbers[chosen]), parts)
        repaired.append(lost)
        last = max(last, days[1])
        counted = {
            "alone": int(best.alone[chosen]),
            "gain": int(best.gain[rank]),
            "cumulative": int(cumulative[rank]),
            "cumulative_pct": round(100 * int(cumulative[rank]) / total, 1),
            "missed_by": int(best.touched[chosen]),
        }
        listed.append({"rank": rank + 1, **named, **counted, **_remedy(lost, days)})
    return {"cells": listed, "games": _by_game(listed), "commands": commands(repaired, last)}


def _with_shots(warehouse: Warehouse, ranked: dict[str, Any]) -> dict[str, Any]:
    """A game whose box scores are lost mostly lost its shots too, which hold nobody back: its files name them."""
    ids = [game["nba_game_id"] for game in ranked["games"] if game["nba_game_id"] and game["files"]]
    known = set(
        warehouse.query(
            "SELECT DISTINCT nba_game_id FROM nba_raw.shot_zones WHERE nba_game_id IN UNNEST(@ids)", ids=ids
        )["nba_game_id"].to_pylist()
    )
    for game in ranked["games"]:
        if game["nba_game_id"] in ids and game["nba_game_id"] not in known:
            game["files"] = [*game["files"], SHOTS_FILE]
    return ranked


def _distinct(need: Ints, cell: Longs) -> tuple[Ints, Ints]:
    keys = np.unique((need.astype(np.int64) << 32) + cell)
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def _named(number: int, parts: Sequence[_Part]) -> tuple[Lost, dict[str, Any]]:
    """What a cell is."""
    game, table = divmod(number, len(lacking.LACKING))
    season, game = divmod(game, _MOST_GAMES)
    mine = [part for part in parts if part.season == season]
    calendar = mine[0].calendar
    teams = {team for part in mine for team in np.unique(part.team[part.cell == number]).tolist()}
    lost = Lost.of(calendar, game, lacking.LACKING[table])
    return lost, {
        "game_id": lost.game_id,
        "nba_game_id": lost.nba_game_id,
        "game_date": lost.day.isoformat(),
        "teams": lost.teams,
        "lacking": [calendar.teams[team] for team in sorted(teams)],
        "table": lost.table,
    }


def _remedy(lost: Lost, days: tuple[dt.date, dt.date]) -> dict[str, Any]:
    """What to load and run against one cell by itself; days: the first and last that miss it."""
    return {
        "first_day": days[0].isoformat(),
        "last_day": days[1].isoformat(),
        "files": list(lost.files),
        "reload": lost.reload,
        "command": "; ".join(commands([lost], days[1])),  # a run ends in 1 while other games are missing
    }


def _by_game(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The cells by game, in the order in which the plan first names them."""
    games: dict[str, dict[str, Any]] = {}
    for cell in listed:
        named = {name: cell[name] for name in ("game_id", "nba_game_id", "game_date", "teams")}
        game = games.setdefault(cell["game_id"], {**named, "gain": 0, "tables": [], "files": []})
        game["gain"] += cell["gain"]
        game["tables"].append(cell["table"])
        game["files"] = list(dict.fromkeys((*game["files"], *cell["files"])))
    return list(games.values())
