"""Which of many bookmakers' snapshots is the line: the newest is the closing one, the oldest the opening one."""

import enum
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.columns import codes, pair
from fullcourt.domain.numbers import Ints, Longs, decimals, integers, ratio, times

POINTS = "points"  # the only market whose lines are lines on points
PREFERRED = ("draftkings", "fanduel")  # in any case; the other bookmakers follow by name


class Choice(enum.Enum):
    """Which line several bookmakers' lines make."""

    PREFERRED = "preferred"  # that of the first bookmaker in order of preference
    MEDIAN = "median"  # the median over bookmakers; of an even number the mean of the middle two


def points_lines(props: pa.Table) -> pa.Table:
    """One row per (player_lookup, game_id) with a points line: of equally new snapshots the preferred bookmaker's.

    props: player_props of any markets; rows without a player or a game id name no line.
    Out: player_lookup, game_id, current_line, current_source (bookmaker), opening_line, opening_source,
    snapshot_timestamp (the newest), rows (how many there were).
    """
    named = pc.and_(props["player_lookup"].is_valid(), props["game_id"].is_valid())
    rows = props.filter(pc.and_(pc.equal(props["market"].cast(pa.string()), POINTS), named))
    group = _groups(rows, "player_lookup", "game_id")
    seen, (tenths, _) = _micros(rows), integers(rows["line"])
    _, bookmaker = _by_preference(rows["bookmaker"])
    newest, oldest = _first(group, -seen, bookmaker, tenths), _first(group, seen, bookmaker, tenths)
    return pa.table(
        {
            **{name: _take(rows, name, newest) for name in ("player_lookup", "game_id")},
            "current_line": _points(tenths[newest]),
            "current_source": _take(rows, "bookmaker", newest),
            "opening_line": _points(tenths[oldest]),
            "opening_source": _take(rows, "bookmaker", oldest),
            "snapshot_timestamp": times(seen[newest]),
            "rows": np.bincount(group, minlength=len(newest)),
        }
    )


def spread_lines(lines: pa.Table, choice: Choice) -> pa.Table:
    """One row per (game_id, team_abbr) with a spread: the points added to that team's score.

    lines: game_lines of any markets; rows without a game id name no line.
    Out: game_id, team_abbr, spread, opening_spread, spread_source (the bookmaker, or 'median of N'),
    snapshot_timestamp (the newest), rows (how many there were).
    """
    rows = _of_market(lines, "spreads")
    return _chosen(rows, ("game_id", "outcome_name"), "spread", choice).rename_columns({"outcome_name": "team_abbr"})


def total_lines(lines: pa.Table, choice: Choice) -> pa.Table:
    """The same per game_id: total, opening_total, total_source; the point of the Over."""
    rows = _of_market(lines, "totals")
    over = rows.filter(pc.equal(rows["outcome_name"].cast(pa.string()), "Over"))
    return _chosen(over, ("game_id",), "total", choice)


def _of_market(lines: pa.Table, market: str) -> pa.Table:
    return lines.filter(pc.and_(pc.equal(lines["market_key"].cast(pa.string()), market), lines["game_id"].is_valid()))


def _chosen(rows: pa.Table, keys: Sequence[str], name: str, choice: Choice) -> pa.Table:
    """Per key the newest and the oldest point of each bookmaker, and of these the choice."""
    group = _groups(rows, *keys)
    seen, (tenths, _) = _micros(rows), integers(rows["outcome_point"])
    bookmakers, bookmaker = _by_preference(rows["bookmaker_key"])
    each = group * max(len(bookmakers), 1) + bookmaker
    newest, oldest = _first(each, -seen, tenths), _first(each, seen, tenths)  # by group, then by preference
    of = group[newest]
    begin, count = np.flatnonzero(np.diff(of, prepend=-1)), np.bincount(of)
    first = newest[begin]
    last_seen = np.maximum.reduceat(seen[newest], begin) if len(begin) else seen[:0]
    if choice is Choice.MEDIAN:
        current, opening = (_medians(tenths[end], of, begin, count) for end in (newest, oldest))
        source = pc.binary_join_element_wise("median of", pa.array(count).cast(pa.string()), " ")
    else:
        current, opening, source = tenths[first], tenths[oldest[begin]], _take(rows, "bookmaker_key", first)
    return pa.table(
        {
            **{key: _take(rows, key, first) for key in keys},
            name: _points(current),
            f"opening_{name}": _points(opening),
            f"{name}_source": source,
            "snapshot_timestamp": times(last_seen),
            "rows": np.bincount(group, minlength=len(first)),
        }
    )


def _medians(value: Longs, of: Longs, begin: Longs, count: Longs) -> Longs:
    """Of each group's values; groups are ascending, `begin` at that row and `count` long.  Halves away from zero."""
    in_order = value[np.lexsort((value, of))]
    middle = in_order[begin + (count - 1) // 2] + in_order[begin + count // 2]
    return ratio(middle, np.full_like(middle, 2), 0)[0]


def _groups(rows: pa.Table, *keys: str) -> Longs:
    """Each row's group: 0, 1, 2… in the order of the keys, one or two, none of them null."""
    code = [codes(rows[key], _distinct(rows[key])) for key in keys]
    return np.unique(pair(code[0], code[-1]), return_inverse=True)[1].astype(np.int64)


def _first(group: Longs, *by: Longs | Ints) -> Longs:
    """The index of each group's first row in order of `by`, groups ascending."""
    order = np.lexsort((*reversed(by), group))
    return order[np.flatnonzero(np.diff(group[order], prepend=-1))]


def _by_preference(bookmaker: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """The bookmakers, the preferred ones first, and each row's place among them."""

    def rank(name: str) -> tuple[int, str, str]:
        key = name.casefold()
        return PREFERRED.index(key) if key in PREFERRED else len(PREFERRED), key, name

    names = pa.array(sorted(_distinct(bookmaker).to_pylist(), key=rank), pa.string())
    return names, codes(bookmaker, names)


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    """The distinct values, sorted."""
    values = pc.unique(column.cast(pa.string()))
    return values.take(pc.sort_indices(values))


def _micros(rows: pa.Table) -> Longs:
    return rows["snapshot_timestamp"].combine_chunks().cast(pa.int64()).to_numpy()


def _take(rows: pa.Table, name: str, index: Longs) -> pa.Array:
    return rows[name].cast(pa.string()).combine_chunks().take(pa.array(index))


def _points(tenths: Longs) -> pa.Array:
    return decimals(tenths, np.ones(len(tenths), dtype=np.bool_), 5, 1)
