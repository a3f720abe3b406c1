"""Which of many snapshots is the line, beside a slow reference that looks at one group at a time."""

import datetime as dt
import statistics
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcourt.domain.lines import Choice, points_lines, spread_lines, total_lines
from schemas import game_lines, player_props

quick = settings(max_examples=200, deadline=None)
NOON = dt.datetime(2024, 1, 15, 12, tzinfo=dt.UTC)
PROPS = player_props.TABLE.arrow_subset(
    ("player_lookup", "game_id", "market", "bookmaker", "line", "snapshot_timestamp")
)
LINES = game_lines.TABLE.arrow_subset(
    ("game_id", "market_key", "bookmaker_key", "outcome_name", "outcome_point", "snapshot_timestamp")
)


def at(hour):
    return NOON + dt.timedelta(hours=hour)


def props(*rows):
    """player, game, market, bookmaker, line, hour."""
    return made(PROPS, rows)


def lines(*rows):
    """game, market, bookmaker, outcome, point, hour."""
    return made(LINES, rows)


def made(schema, rows):
    typed = [(*row[:-2], Decimal(str(row[-2])), at(row[-1])) for row in rows]
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in typed], schema)


# Lines on points


def points(*rows):
    return points_lines(props(*rows)).to_pylist()


def test_the_newest_snapshot_is_the_current_line_and_the_oldest_the_opening_one():
    assert points(
        ("jokic", "G", "points", "FanDuel", 27.5, 2),
        ("jokic", "G", "points", "Caesars", 28.5, 5),
        ("jokic", "G", "points", "DraftKings", 26.5, 0),
    ) == [
        {
            "player_lookup": "jokic",
            "game_id": "G",
            "current_line": Decimal("28.5"),
            "current_source": "Caesars",
            "opening_line": Decimal("26.5"),
            "opening_source": "DraftKings",
            "snapshot_timestamp": at(5),
            "rows": 3,
        }
    ]


@pytest.mark.parametrize(
    ("bookmakers", "chosen"),
    [
        (["BetMGM", "fanduel", "DraftKings"], "DraftKings"),
        (["BetMGM", "FANDUEL", "Caesars"], "FANDUEL"),
        (["Unibet", "caesars", "BetMGM"], "BetMGM"),
        (["betmgm", "Barstool"], "Barstool"),
    ],
)
def test_of_equally_new_snapshots_the_preferred_bookmakers_is_taken(bookmakers, chosen):
    (row,) = points(*(("a", "G", "points", name, 10.5 + n, 1) for n, name in enumerate(bookmakers)))
    assert (row["current_source"], row["opening_source"]) == (chosen, chosen)


def test_only_lines_on_points_of_a_known_player_and_game_count():
    assert (
        points(
            ("a", "G", "points_rebounds_assists", "DraftKings", 30.5, 1),
            ("a", "G", "Points", "DraftKings", 30.5, 1),
            (None, "G", "points", "DraftKings", 30.5, 1),
            ("a", None, "points", "DraftKings", 30.5, 1),
        )
        == []
    )


def test_a_line_on_more_than_points_never_moves_the_line_on_points():
    (row,) = points(
        ("a", "G", "points", "DraftKings", 20.5, 1), ("a", "G", "points_rebounds_assists", "DraftKings", 33.5, 2)
    )
    assert (row["current_line"], row["snapshot_timestamp"], row["rows"]) == (Decimal("20.5"), at(1), 1)


halves = st.integers(1, 400).map(lambda half: Decimal(half) / 2)
some_props = st.lists(
    st.tuples(
        st.sampled_from(("a", "b", None)),
        st.sampled_from(("G", "H")),
        st.sampled_from(("points", "points", "assists")),
        st.sampled_from(("DraftKings", "FanDuel", "Caesars", "BetMGM")),
        halves,
        st.integers(0, 3),
    ),
    max_size=25,
)
ORDER = ("DraftKings", "FanDuel", "BetMGM", "Caesars")


@quick
@given(some_props, st.randoms())
def test_points_lines_are_those_found_one_by_one(rows, random):
    wanted = []
    kept = sorted((row for row in rows if row[0] and row[2] == "points"), key=lambda row: row[:2])
    for (player, game), group in groupby(kept, key=lambda row: row[:2]):
        members = list(group)
        newest = min(members, key=lambda row: (-row[5], ORDER.index(row[3]), row[4]))
        oldest = min(members, key=lambda row: (row[5], ORDER.index(row[3]), row[4]))
        wanted.append((player, game, newest[4], newest[3], oldest[4], oldest[3], at(newest[5]), len(members)))
    assert [tuple(row.values()) for row in points(*rows)] == wanted
    assert points(*random.sample(rows, len(rows))) == points(*rows), "the order of rows does not matter"


# Lines on games


def spreads(*rows, choice):
    return spread_lines(lines(*rows), choice).to_pylist()


BOARD = (
    ("G", "spreads", "fanduel", "BOS", -5.5, 3),
    ("G", "spreads", "fanduel", "BOS", -5.0, 1),
    ("G", "spreads", "draftkings", "BOS", -6.0, 2),
    ("G", "spreads", "draftkings", "BOS", -4.0, 0),
    ("G", "spreads", "draftkings", "NYK", 6.0, 2),
    ("G", "totals", "fanduel", "Over", 221.5, 3),
    ("G", "totals", "fanduel", "Under", 230.5, 4),
    ("G", "totals", "bovada", "Over", 220.0, 5),
)


def test_the_preferred_bookmakers_own_newest_and_oldest_lines():
    """Though another bookmaker's are newer and older; each row says when a line of any bookmaker last came."""
    boston, new_york = spreads(*BOARD, choice=Choice.PREFERRED)
    assert boston == {
        "game_id": "G",
        "team_abbr": "BOS",
        "spread": Decimal("-6.0"),
        "opening_spread": Decimal("-4.0"),
        "spread_source": "draftkings",
        "snapshot_timestamp": at(3),
        "rows": 4,
    }
    assert (new_york["team_abbr"], new_york["spread"], new_york["rows"]) == ("NYK", Decimal("6.0"), 1)
    assert total_lines(lines(*BOARD), Choice.PREFERRED).to_pylist() == [
        {
            "game_id": "G",
            "total": Decimal("221.5"),
            "opening_total": Decimal("221.5"),
            "total_source": "fanduel",
            "snapshot_timestamp": at(5),
            "rows": 2,
        }
    ]


def test_the_median_over_bookmakers_halves_away_from_zero():
    boston, new_york = spreads(*BOARD, choice=Choice.MEDIAN)
    assert (boston["spread"], boston["opening_spread"]) == (Decimal("-5.8"), Decimal("-4.5"))
    assert (boston["spread_source"], new_york["spread_source"]) == ("median of 2", "median of 1")
    (total,) = total_lines(lines(*BOARD), Choice.MEDIAN).to_pylist()
    assert (total["total"], total["total_source"]) == (Decimal("220.8"), "median of 2")


def test_the_median_of_three_is_the_middle_one():
    rows = [("G", "spreads", name, "BOS", point, 1) for name, point in (("x", 1.5), ("y", -9.5), ("z", 2.0))]
    (row,) = spreads(*rows, choice=Choice.MEDIAN)
    assert (row["spread"], row["spread_source"]) == (Decimal("1.5"), "median of 3")


@pytest.mark.parametrize("choice", Choice)
def test_no_lines_make_empty_tables_of_the_same_columns(choice):
    assert points_lines(props()).schema == points_lines(props(("a", "G", "points", "x", 1.5, 1))).schema
    for make in (spread_lines, total_lines):
        assert make(lines(), choice).num_rows == 0
        assert make(lines(), choice).schema == make(lines(*BOARD), choice).schema
    assert spreads((None, "spreads", "x", "BOS", -5.5, 1), choice=choice) == []


some_lines = st.lists(
    st.tuples(
        st.sampled_from(("G", "H", None)),
        st.sampled_from(("spreads", "totals")),
        st.sampled_from(("draftkings", "fanduel", "betmgm", "caesars")),
        st.sampled_from(("BOS", "NYK", "Over", "Under")),
        st.integers(-40, 40).map(lambda half: Decimal(half) / 2),
        st.integers(0, 3),
    ),
    max_size=30,
)


@quick
@given(some_lines, st.sampled_from(list(Choice)), st.sampled_from(("spreads", "totals")), st.randoms())
def test_lines_on_games_are_those_found_one_by_one(rows, choice, market, random):
    order = ("draftkings", "fanduel", "betmgm", "caesars")
    wanted = []
    kept = [row for row in rows if row[0] and row[1] == market and (market == "spreads" or row[3] == "Over")]
    kept.sort(key=lambda row: (row[0], row[3]))
    for (game, outcome), group in groupby(kept, key=lambda row: (row[0], row[3])):
        members = list(group)
        ends = {}
        for name in order:
            if mine := [row for row in members if row[2] == name]:
                newest, oldest = min(mine, key=lambda r: (-r[5], r[4])), min(mine, key=lambda r: (r[5], r[4]))
                ends[name] = (newest[4], oldest[4])
        if choice is Choice.MEDIAN:
            middles = (statistics.median(values) for values in zip(*ends.values(), strict=True))
            point = [middle.quantize(Decimal("0.1"), ROUND_HALF_UP) for middle in middles]
            source = f"median of {len(ends)}"
        else:
            source, point = next(iter(ends.items()))
        key = (game, outcome) if market == "spreads" else (game,)
        wanted.append((*key, *point, source, at(max(row[5] for row in members)), len(members)))
    make = spread_lines if market == "spreads" else total_lines
    assert [tuple(row.values()) for row in make(lines(*rows), choice).to_pylist()] == wanted
    assert make(lines(*random.sample(rows, len(rows))), choice).equals(make(lines(*rows), choice))


def test_dictionaries_make_the_same_lines():
    table = lines(*BOARD)
    for name in ("game_id", "outcome_name", "bookmaker_key", "market_key"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].dictionary_encode())
    for choice in Choice:
        assert spread_lines(table, choice).equals(spread_lines(lines(*BOARD), choice))
        assert total_lines(table, choice).equals(total_lines(lines(*BOARD), choice))
