"""Betting lines on the rows' fixtures and players."""

from functools import cached_property

import numpy as np
import pyarrow as pa

from fullcourt.domain import lines
from fullcourt.domain.columns import codes, pair, places
from fullcourt.domain.features.sources import Source, unexpected
from fullcourt.domain.fingerprint import Hashes, hash_rows, mix
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Ints, Longs, decimals, integers, nullable
from fullcourt.domain.observation import Observation

PROP_COLUMNS = ("player_lookup", "game_id", "season_year", "market", "bookmaker", "line", "snapshot_timestamp")
GAME_LINE_COLUMNS = (
    "game_id",
    "season_year",
    "market_key",
    "bookmaker_key",
    "outcome_name",
    "outcome_point",
    "snapshot_timestamp",
)


class _Chosen:
    """A table of chosen lines, one row a key, and where each judged row finds its own."""

    def __init__(self, table: pa.Table, place: Ints) -> None:
        self.table, self._place = table, place
        self.found = place >= 0

    def texts(self, name: str) -> pa.Array:
        return self.table[name].combine_chunks().take(nullable(self._place, self.found))

    def numbers(self, name: str) -> Longs:
        """Whole numbers, decimals in units of their last place; 0 where there is no line."""
        return integers(self.texts(name))[0]

    def rows(self) -> Longs:
        return self.numbers("rows")

    def newest(self) -> Longs:
        return self.texts("snapshot_timestamp").cast(pa.int64()).fill_null(0).to_numpy()

    def content(self) -> Hashes:
        hashes = hash_rows({name: self.table[name] for name in self.table.column_names})
        return np.append(hashes, np.uint64(0))[self._place]


class PlayerLines:
    """Lines on a player's points in the row's fixture."""

    def __init__(self, seen: Observation, rows: Judgement) -> None:
        table = seen.once("points", lambda: lines.points_lines(seen.tables.more["player_props"]))
        calendar = seen.calendar
        player, game = codes(table["player_lookup"], seen.entities), codes(table["game_id"], calendar.game_ids)
        wanted = pair(rows.entity, calendar.game_at[rows.team, rows.slot])
        self._lines = _Chosen(table, places(pair(player, game), wanted, (player >= 0) & (game >= 0)))

    def columns(self) -> dict[str, pa.Array]:
        chosen = self._lines
        current, opening = chosen.numbers("current_line"), chosen.numbers("opening_line")
        return {
            "has_prop_line": pa.array(chosen.found),
            "current_points_line": decimals(current, chosen.found, 4, 1),
            "opening_points_line": decimals(opening, chosen.found, 4, 1),
            "line_movement": decimals(current - opening, chosen.found, 4, 1),
            "current_points_line_source": chosen.texts("current_source"),
            "opening_points_line_source": chosen.texts("opening_source"),
        }

    @property
    def source(self) -> Source:
        return unexpected(self._lines.rows(), self._lines.newest(), self._lines.content())


class FixtureLines:
    """Spread of the row's own team and total of the game: one bookmaker's, or the median over bookmakers."""

    def __init__(self, seen: Observation, rows: Judgement, *, median: bool) -> None:
        table, calendar = seen.tables.more["game_lines"], seen.calendar
        game = calendar.game_at[rows.team, rows.slot]
        choice = lines.Choice.MEDIAN if median else lines.Choice.PREFERRED
        spreads = seen.once(f"spreads, {choice.value}", lambda: lines.spread_lines(table, choice))
        totals = seen.once(f"totals, {choice.value}", lambda: lines.total_lines(table, choice))
        team, of_game = (
            codes(spreads["team_abbr"], pa.array(calendar.teams)),
            codes(spreads["game_id"], calendar.game_ids),
        )
        place = places(pair(team, of_game), pair(rows.team, game), (team >= 0) & (of_game >= 0))
        of_total = codes(totals["game_id"], calendar.game_ids)
        self._lines = {
            "spread": _Chosen(spreads, place),
            "total": _Chosen(totals, places(of_total.astype(np.int64), game.astype(np.int64), of_total >= 0)),
        }

    def columns(self) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        for name, chosen in self._lines.items():
            line, opening = chosen.numbers(name), chosen.numbers(f"opening_{name}")
            columns |= {
                f"game_{name}": decimals(line, chosen.found, 5, 1),
                f"opening_{name}": decimals(opening, chosen.found, 5, 1),
                f"{name}_movement": decimals(line - opening, chosen.found, 5, 1),
                f"game_{name}_source": chosen.texts(f"{name}_source"),
            }
        return columns

    @cached_property
    def newest(self) -> Longs:
        """The newest snapshot among the row's lines, microseconds since 1970; 0 without one."""
        stamps: Longs = np.maximum(*(chosen.newest() for chosen in self._lines.values()))
        return stamps

    @property
    def source(self) -> Source:
        spread, total = self._lines["spread"], self._lines["total"]
        return unexpected(
            spread.rows() + total.rows(), self.newest, mix(spread.content()) + mix(total.content() + np.uint64(1))
        )
