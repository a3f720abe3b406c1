"""A batch of landing rows on its way, and what its rows are resolved against: the schedule and the registry.

The loaders of landing.py and landing_markets.py are written in these.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.names import TRICODES, player_lookup
from fullcourt.domain.numbers import Bools
from fullcourt.domain.parsing import expectation, parse, where

RESOLVED, UNRESOLVED = "resolved", "NAME_UNRESOLVED"
ROW = "_row"  # the row's number in its file, from 1; rides along to settle repeats
NO_GAME = "expected a game of the schedule"


@dataclass
class Rows:
    """A batch on its way: typed columns so far, and the dead letters found so far.

    numbers: the rows' numbers in the file, from 1.  columns hold one value a row of the batch; `dead` marks rows
    already given up, once each.  sources: column -> the landing column it was parsed from.
    """

    source: str
    numbers: np.ndarray
    batch: pa.RecordBatch
    columns: dict[str, pa.Array] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    letters: list[pa.Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dead = np.zeros(self.batch.num_rows, dtype=np.bool_)

    def parse(self, name: str, landing: str, kind: pa.DataType) -> None:
        """Column `name` of type `kind` from a landing column; what does not parse is a dead letter."""
        raw = self.batch.column(landing)
        self.sources[name] = landing
        self.columns[name], bad = parse(raw, kind)
        self.reject(bad, landing, raw, f"expected {expectation(kind)}")

    def reject(self, bad: Bools, landing: str, values: pa.Array, reason: str) -> None:
        """Gives up the marked rows, unless they already are."""
        index = np.flatnonzero(bad & ~self.dead)
        if len(index) == 0:
            return
        self.dead[index] = True
        letter = {
            "source": pa.repeat(self.source, len(index)),
            "row_number": pa.array(self.numbers[index]),
            "field": pa.repeat(landing, len(index)),
            "value": _text(values.take(pa.array(index))),
            "reason": pa.repeat(reason, len(index)),
        }
        self.letters.append(pa.table(letter))

    def repeat(self, index: np.ndarray) -> None:
        """Each row of the index becomes a row; to be called once, last."""
        picked = pa.array(index)
        self.columns = {name: column.take(picked) for name, column in self.columns.items()}
        self.numbers, self.dead = self.numbers[index], self.dead[index]

    def read(self, name: str) -> np.ndarray:
        """An integer column with null as 0."""
        return self.columns[name].fill_null(0).to_numpy()

    def known(self, name: str) -> Bools:
        return self.columns[name].is_valid().to_numpy(zero_copy_only=False)

    def left(self) -> pa.Table:
        """The rows that are not given up, with their row numbers."""
        return pa.table({**self.columns, ROW: pa.array(self.numbers)}).filter(pa.array(~self.dead))

    def dead_letters(self) -> pa.Table | None:
        return pa.concat_tables(self.letters) if self.letters else None


class Games:
    """The schedule, to give other rows their canonical game; of a league id's rows the newest and most final."""

    COLUMNS = (
        "nba_game_id",
        "game_id",
        "game_date",
        "season_year",
        "season_type",
        "game_status",
        "home_team_tricode",
        "away_team_tricode",
        "processed_at",
    )

    def __init__(self, schedule: pa.Table) -> None:
        newest = [("processed_at", "descending"), ("game_status", "descending")]
        rows = schedule.select(list(self.COLUMNS)).sort_by(newest).combine_chunks()
        ids = rows["nba_game_id"].combine_chunks()
        self.table = rows.filter(pc.equal(pc.index_in(ids, ids), pa.array(np.arange(len(ids), dtype=np.int32))))
        # Of two league ids for one fixture the publish keeps the more final row, of equals the newer.
        kept = [("game_status", "descending"), ("processed_at", "descending"), ("nba_game_id", "descending")]
        self._fixtures = pc.sort_indices(self.table, kept)

    def by_league_id(self, ids: pa.Array) -> pa.Array:
        """Each row's game, null where the schedule has none: what `column` takes."""
        return pc.index_in(ids, self.table["nba_game_id"].combine_chunks())

    def by_canonical_id(self, ids: pa.Array) -> pa.Array:
        """The same by YYYYMMDD_AWAY_HOME."""
        in_order = self.table["game_id"].combine_chunks().take(self._fixtures)
        return self._fixtures.take(pc.index_in(ids, in_order, skip_nulls=True))

    def column(self, name: str, game: pa.Array) -> pa.Array:
        """A column of the schedule by row; null where there is no game."""
        return self.table[name].combine_chunks().take(game)


class Players:
    """The registry: resolves a source's id or spelling to the player's one key."""

    COLUMNS = ("alias_lookup", "player_lookup", "universal_player_id", "processed_at")

    def __init__(self, aliases: pa.Table) -> None:
        rows = aliases.select(list(self.COLUMNS)).sort_by("processed_at").to_pylist()
        self._by_id = {row["universal_player_id"]: row["player_lookup"] for row in rows if row["universal_player_id"]}
        self._by_alias: dict[str, str | None] = {}
        for row in rows:
            alias, lookup = row["alias_lookup"], row["player_lookup"]
            # Two players under one spelling: the spelling alone names neither.
            self._by_alias[alias] = lookup if self._by_alias.get(alias, lookup) == lookup else None

    def resolve(self, ids: pa.Array, names: pa.Array, certain: Bools) -> pa.Array:
        """player_lookup by league id, else by spelling; null where that names no one player.

        A spelling new to a loaded registry is a new player where nothing depends on it (someone listed who did not
        play); where `certain` asks for proof (he played, he shot) it may be anybody's misspelt name, unless it
        comes with a league id.
        """
        known_ids, known_names = ids.dictionary_encode(), names.dictionary_encode()
        spelled = [*known_names.dictionary.to_pylist(), None]
        numbered = [*known_ids.dictionary.to_pylist(), None]
        key = known_ids.indices.fill_null(len(numbered) - 1).to_numpy().astype(np.int64) * len(spelled)
        key = 2 * (key + known_names.indices.fill_null(len(spelled) - 1).to_numpy()) + certain
        distinct, place = np.unique(key, return_inverse=True)
        lookups = []
        for number in distinct.tolist():
            pair, proof = divmod(number, 2)
            lookups.append(self._resolve(numbered[pair // len(spelled)], spelled[pair % len(spelled)], bool(proof)))
        return pa.array(lookups, pa.string()).take(pa.array(place))

    def _resolve(self, player_id: str | None, name: str | None, certain: bool) -> str | None:
        if player_id in self._by_id:
            return self._by_id[player_id]
        spelling = player_lookup(name or "")
        if spelling in self._by_alias:
            return self._by_alias[spelling]
        unproven = certain and player_id is None and bool(self._by_alias)
        return None if unproven else spelling or None


def _text(values: pa.Array) -> pa.Array:
    """Values as text, bounded: a dead letter quotes a value, it does not store it."""
    return pc.utf8_slice_codeunits(values.cast(pa.string()), 0, 200)


def flags(column: pa.Array) -> Bools:
    """Arrow's true or false as NumPy's, null as false."""
    return pc.fill_null(column, False).to_numpy(zero_copy_only=False)


def check_league_id(rows: Rows, landing: str) -> None:
    ids = rows.columns["nba_game_id"]
    shaped = flags(pc.match_substring_regex(ids, r"^\d{10}$"))
    rows.reject(~shaped, landing, ids, "expected the league's 10 digits, kept as text")


def name_players(rows: Rows, players: Players, certain: Bools, landing: str = "player_id") -> None:
    """The player's one key; a name that resolves to nobody is kept, marked, without a key.

    landing: the column with the league's id.
    """
    raw = rows.batch.column(landing)
    ids, bad = parse(raw, pa.int64())
    rows.reject(bad, landing, raw, "expected a whole number")
    text = ids.cast(pa.string())
    lookup = players.resolve(text, rows.columns["player_name"], certain)
    rows.columns["universal_player_id"] = text
    rows.columns["player_lookup"] = lookup
    rows.columns["name_status"] = pc.if_else(lookup.is_valid(), RESOLVED, UNRESOLVED)


def canonical_game_id(day: pa.Array, away: pa.Array, home: pa.Array) -> pa.Array:
    """YYYYMMDD_AWAY_HOME; null when not played or a side is not one of the 30 teams."""
    teams = pa.array(sorted(TRICODES))
    both = pc.and_(pc.is_in(away, teams), pc.is_in(home, teams))
    return where(pc.binary_join_element_wise(pc.strftime(day, "%Y%m%d"), away, home, "_"), both)
