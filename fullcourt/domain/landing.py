"""Reads landing rows: parses every column, names what cannot be read, and gives rows their canonical keys.

Everything works on whole batches.  A row that cannot be read becomes a dead letter (row, field, value, reason)
and the rest of its batch loads; a row that is merely outside the seasons counted is kept and counted apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.calendar import COUNTED_TYPES
from fullcourt.domain.names import TRICODES, player_lookup
from fullcourt.domain.parsing import EXPECTATION, parse, where
from fullcourt.domain.windows import Bools

SEASON_TYPES = ("preseason", "regular", "all_star", "play_in", "playoffs", "cup_final")
GAME_STATUS = {"Scheduled": 1, "Postponed": 1, "Cancelled": 1, "In Progress": 2, "Final": 3}
PLAYER_STATUS = {"PLAYED": "active", "DNP": "dnp", "DND": "dnp", "SUSPENDED": "dnp", "NWT": "inactive"}
RESOLVED, UNRESOLVED = "resolved", "NAME_UNRESOLVED"
ROW = "_row"  # the row's number in its file, from 1; rides along to settle repeats


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
        self.reject(bad, landing, raw, f"expected {EXPECTATION[kind]}")

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
    """The schedule by league id, to give other rows their canonical game; of repeats, the newest and most final."""

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
        self.table = schedule.select(list(self.COLUMNS)).sort_by(newest).combine_chunks()


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
            empty = rows.columns[name].is_null().to_numpy(zero_copy_only=False)
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
    unknown = number.is_null().to_numpy(zero_copy_only=False)
    rows.reject(unknown, "status", rows.batch.column("status"), f"expected one of {', '.join(GAME_STATUS)}")
    rows.columns["game_status"] = pa.array(list(GAME_STATUS.values()), pa.int64()).take(number)
    rows.columns["game_id"] = canonical_game_id(
        rows.columns["game_date"], rows.columns["away_team_tricode"], rows.columns["home_team_tricode"]
    )
    home, away = rows.columns["home_team_score"], rows.columns["away_team_score"]
    for name, score in (("home_score", home), ("away_score", away)):
        rows.reject(
            pc.fill_null(pc.less(score, 0), False).to_numpy(zero_copy_only=False), name, score, "expected 0 or more"
        )
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
    unknown = number.is_null().to_numpy(zero_copy_only=False)
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
    ids = rows.columns["nba_game_id"]
    shaped = pc.fill_null(pc.match_substring_regex(ids, r"^\d{10}$"), False).to_numpy(zero_copy_only=False)
    rows.reject(~shaped, "game_id", ids, "expected the league's 10 digits, kept as text")
    season, _ = parse(rows.batch.column("season"), pa.string())
    fits = pc.fill_null(pc.match_substring_regex(season, r"^\d{4}-\d{2}$"), False)
    rows.reject(~fits.to_numpy(zero_copy_only=False), "season", season, "expected a season such as 2023-24")
    rows.columns["season_year"] = pc.utf8_slice_codeunits(where(season, fits), 0, 4).cast(pa.int64())
    if "season_type" in rows.columns:
        kind = rows.columns["season_type"]
        known = pc.fill_null(pc.is_in(kind, pa.array(SEASON_TYPES)), False).to_numpy(zero_copy_only=False)
        rows.reject(~known, "season_type", kind, f"expected one of {', '.join(SEASON_TYPES)}")
        counted = pc.is_in(kind, pa.array(COUNTED_TYPES)).to_numpy(zero_copy_only=False)
    else:
        counted = np.ones(rows.batch.num_rows, dtype=np.bool_)
    for name, column in zip(counted_columns, landing, strict=True):
        code = rows.columns[name]
        valid = pc.is_in(code, pa.array(sorted(TRICODES))).to_numpy(zero_copy_only=False)
        rows.reject(counted & ~valid, column, code, "expected one of the league's 30 tricodes")


def join_schedule(rows: Rows, games: Games) -> None:
    """Canonical game id and season type by league id; a game the schedule does not have cannot be placed."""
    schedule = games.table
    ids = rows.columns["nba_game_id"]
    place = pc.index_in(ids, schedule["nba_game_id"].combine_chunks())
    rows.reject(place.is_null().to_numpy(zero_copy_only=False), "game_id", ids, "expected a game of the schedule")

    def of_game(name: str) -> pa.Array:
        return schedule[name].combine_chunks().take(place)

    day = rows.columns["game_date"]
    moved = pc.fill_null(pc.not_equal(day, of_game("game_date")), False).to_numpy(zero_copy_only=False)
    rows.reject(moved, "game_date", day, "expected the day the schedule has for the game")
    team = rows.columns["team_abbr"]
    plays = pc.or_(pc.equal(team, of_game("home_team_tricode")), pc.equal(team, of_game("away_team_tricode")))
    rows.reject(
        pc.fill_null(pc.invert(plays), False).to_numpy(zero_copy_only=False), "team_tricode", team,
        "expected one of the game's two teams",
    )  # fmt: skip
    rows.columns["game_id"] = of_game("game_id")
    rows.columns["season_type"] = of_game("season_type")


def name_players(rows: Rows, players: Players, certain: Bools) -> None:
    """The player's one key; a name that resolves to nobody is kept, marked, without a key."""
    raw = rows.batch.column("player_id")
    ids, bad = parse(raw, pa.int64())
    rows.reject(bad, "player_id", raw, "expected a whole number")
    text = ids.cast(pa.string())
    lookup = players.resolve(text, rows.columns["player_name"], certain)
    rows.columns["universal_player_id"] = text
    rows.columns["player_lookup"] = lookup
    rows.columns["name_status"] = pc.if_else(lookup.is_valid(), RESOLVED, UNRESOLVED)


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
        rows.reject(
            pc.fill_null(pc.less(value, 0), False).to_numpy(zero_copy_only=False), name, value, "expected 0 or more"
        )
    more = pc.fill_null(pc.greater(makes, attempts), False).to_numpy(zero_copy_only=False)
    rows.reject(more, made, makes, "expected no more makes than attempts")


def canonical_game_id(day: pa.Array, away: pa.Array, home: pa.Array) -> pa.Array:
    """YYYYMMDD_AWAY_HOME; null when not played or a side is not one of the 30 teams."""
    teams = pa.array(sorted(TRICODES))
    both = pc.and_(pc.is_in(away, teams), pc.is_in(home, teams))
    return where(pc.binary_join_element_wise(pc.strftime(day, "%Y%m%d"), away, home, "_"), both)


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
}
