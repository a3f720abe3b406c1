"""When a context is replaced, and what by: every synthetic row beside plain Python, over random seasons."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullcourt.domain.fallback import CONTEXT, Context, reads_context
from fullcourt.domain.features import tables_read
from fullcourt.domain.features.synthetic_context import stand_in, synthetic_rows
from fullcourt.domain.observation import Observation, Part, observe
from fullcourt.domain.processors import BY_NAME, PROCESSORS, Entity
from schemas import TABLES
from tests.bridge import PLAYERS, SEASON, number, tables
from tests.leagues import seasons_with_day
from tests.reference_gate import BoxRow, Game, Season, Upstream, present_games

D = date(2023, 2, 23)
READERS = ("player_daily_cache", "player_composite_factors", "ml_feature_store_v2")
TOGS = "team_offense_game_summary"


# The rule


@pytest.mark.parametrize(
    ("expected", "real", "explained", "falls_back", "pct", "missing"),
    [
        pytest.param(187, 0, 0, True, 0.0, 187, id="nothing there"),
        pytest.param(187, 1, 0, True, 0.5, 186, id="the one stale row of 23 February 2023"),
        pytest.param(175, 68, 0, True, 38.9, 107, id="the partial day after it"),
        pytest.param(100, 90, 0, False, 90.0, 10, id="exactly 90 % is enough"),
        pytest.param(100, 89, 0, True, 89.0, 11, id="one less is not"),
        pytest.param(10, 9, 0, False, 90.0, 1, id="nine of ten"),
        pytest.param(20, 18, 0, False, 90.0, 2, id="18 of 20"),
        pytest.param(1000, 899, 0, True, 89.9, 101, id="counts are compared, not rounded shares"),
        pytest.param(2000, 1799, 0, True, 90.0, 201, id="a share that rounds to 90 is not 90"),
        pytest.param(0, 0, 0, False, None, 0, id="nobody played"),
        pytest.param(10, 8, 1, False, 80.0, 2, id="a missing player who is explained is not lacking"),
        pytest.param(187, 1, 1, True, 0.5, 186, id="a debutant among the 186"),
        pytest.param(10, 0, 10, False, 0.0, 10, id="opening night: debutants only"),
        pytest.param(187, 187, 0, False, 100.0, 0, id="whole"),
    ],
)
def test_the_context_is_replaced_below_90_percent_of_those_who_played(
    expected, real, explained, falls_back, pct, missing
):
    context = Context(D, expected, real, explained)
    assert (context.falls_back, context.pct, context.missing) == (falls_back, pct, missing)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_fault_36_the_rule_is_exact(expected, real, explained):
    there = min(real + explained, expected)
    real = min(real, there)
    falls_back = Context(D, expected, real, there - real).falls_back
    assert falls_back == (expected > 0 and (there == 0 or Fraction(there, expected) < Fraction(9, 10)))


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (
            Context(D, 187, 1, 1),
            "2023-02-23: context of 1 of 187 players, 0.5 %; 186 missing, 1 of them explained; "
            "source synthetic_pgs: less than 90 % are there or explained",
        ),
        (
            Context(D, 187, 0, 0),
            "2023-02-23: context of 0 of 187 players, 0.0 %; 187 missing, 0 of them explained; "
            "source synthetic_pgs: nobody has a row",
        ),
        (
            Context(D, 20, 16, 2),
            "2023-02-23: context of 16 of 20 players, 80.0 %; 4 missing, 2 of them explained; "
            "source upcoming_player_game_context: 90 % or more are there or explained",
        ),
        (
            Context(D, 0, 0, 0),
            "2023-02-23: context of 0 of 0 players, none; 0 missing, 0 of them explained; "
            "source upcoming_player_game_context: nobody in player_game_summary",
        ),
    ],
)
def test_a_log_line_has_both_counts_the_share_what_is_missing_the_source_and_why(context, text):
    assert context.text == text


@pytest.mark.parametrize(("whole", "partial"), [(22, False), (21, True), (0, True)])
def test_fault_35_a_source_that_lost_players_itself_is_partial(whole, partial):
    assert Context(D, 187, 1, 0, team_games=22, whole_team_games=whole).source_partial == partial


def test_those_that_read_the_context_of_the_day_can_fall_back():
    assert tuple(processor.name for processor in PROCESSORS if reads_context(processor)) == READERS


# The rows

WHOLE = Part()
Values = Callable[[str, str], int]  # (what, of whom and in which game) -> a number that only they determine
COLUMNS = dict.fromkeys(name for reader in READERS for name in tables_read(BY_NAME[reader])[CONTEXT])
SCHEMA = TABLES[CONTEXT].arrow_subset(dict.fromkeys([*COLUMNS, "game_id", "processed_with_issues", "team_abbr"]))


def drawn(salt: int) -> Values:
    return lambda what, key: zlib.crc32(f"{salt} {what} {key}".encode())


def minutes(values: Values, player: str, game_id: str) -> Decimal | None:
    """To a tenth; one in eight is not known."""
    value = values("minutes", f"{player} {game_id}")
    return None if value % 8 == 0 else Decimal(value % 480).scaleb(-1)


def usage(values: Values, player: str, game_id: str) -> Decimal | None:
    value = values("usage", f"{player} {game_id}")
    return None if value % 5 == 0 else Decimal(value % 5000).scaleb(-2)


def pace(values: Values, team: str, game_id: str) -> Decimal | None:
    value = values("pace", f"{team} {game_id}")
    return None if value % 7 == 0 else Decimal(900 + value % 200).scaleb(-1)


def seen(season: Season, values: Values, stored: Iterable[dict] = (), part: Part = WHOLE) -> Observation:
    """As a processor that reads minutes, usage, the context and the teams' pace sees the season."""
    shard = tables(season, Entity.PLAYER)
    games = [(row.entity, row.game_id) for row in season.player_summaries]
    upstream = shard.upstream.append_column(
        "minutes_played", pa.array([minutes(values, *game) for game in games], pa.decimal128(5, 1))
    ).append_column("usage_rate", pa.array([usage(values, *game) for game in games], pa.decimal128(5, 2)))
    offense = [
        {"game_id": row.game_id, "team_abbr": row.entity, "pace": pace(values, row.entity, row.game_id)}
        for row in season.team_summaries
    ]
    more = {
        CONTEXT: pa.Table.from_pylist(list(stored), SCHEMA),
        TOGS: pa.Table.from_pylist(
            offense, TABLES[TOGS].arrow_subset(["game_id", "team_abbr", "pace", "season_year", "processed_at"])
        ),
    }
    return observe(replace(shard, upstream=upstream, more=more), PLAYERS, SEASON, part)


def rows_of(season: Season, values: Values, day: int, part: Part = WHOLE) -> list[dict]:
    return synthetic_rows(seen(season, values, part=part), [number(day)], SCHEMA).to_pylist()


def rounded(value: Fraction | None, places: int) -> Decimal | None:
    if value is None:
        return None
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def mean(values: Iterable[Decimal | None]) -> Fraction | None:
    known = [Fraction(value) for value in values if value is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


def team_pace(season: Season, values: Values, team: str, day: int) -> Fraction | None:
    """Over the team's last ten games before the day, those that are summarised."""
    games = sorted((game for game in season.games if game.counts and team in game.teams), key=lambda game: game.day)
    last_10 = {game.game_id for game in [game for game in games if game.day < day][-10:]}
    summarised = {row.game_id for row in season.team_summaries if row.entity == team}
    return mean(pace(values, team, game_id) for game_id in last_10 & summarised)


def expected_rows(season: Season, values: Values, day: int) -> list[dict]:
    """Domain 7.3, by player: who has a summary on the day, and what the games before it say of him."""
    return [
        expected_row(season, values, player, games, day)
        for player, games in sorted(present_games(season, day).items())
        if games and games[-1][0].day == day
    ]


def expected_row(season: Season, values: Values, player: str, games: list[tuple[Game, str]], day: int) -> dict:
    game, team = games[-1]
    before = [earlier for earlier, _ in games[:-1]]
    week, fortnight = ([one for one in before if one.day >= day - length] for length in (7, 14))

    def played(of: list[Game]) -> list[Decimal | None]:
        return [minutes(values, player, one.game_id) for one in of]

    def whole_minutes(of: list[Game]) -> int:
        total = sum((value for value in played(of) if value is not None), Decimal(0))
        return int(total.quantize(Decimal(1), ROUND_HALF_UP))

    own, other = (team_pace(season, values, side, day) for side in (team, *(t for t in game.teams if t != team)))
    days = [one.day for one in fortnight]
    return dict.fromkeys(SCHEMA.names) | {
        "player_lookup": player,
        "game_id": game.game_id,
        "game_date": date.fromordinal(day),
        "season_year": SEASON,
        "team_abbr": team,
        "home_game": team == game.home,
        "days_rest": day - before[-1].day if before else None,
        "back_to_back": bool(before) and day - before[-1].day == 1,
        "back_to_backs_last_14_days": sum(later - earlier == 1 for earlier, later in pairwise(days)),
        "games_in_last_7_days": len(week),
        "games_in_last_14_days": len(fortnight),
        "minutes_in_last_7_days": whole_minutes(week),
        "minutes_in_last_14_days": whole_minutes(fortnight),
        "avg_minutes_per_game_last_7": rounded(mean(played(week)), 1) if week else Decimal("0.0"),
        "avg_usage_rate_last_7_games": rounded(mean(usage(values, player, one.game_id) for one in week), 2),
        "star_teammates_out": 0,
        "pace_differential": None if own is None or other is None else rounded(own - other, 1),
        "primary_source_used": "synthetic_pgs",
        "processed_with_issues": True,
        "is_production_ready": False,
    }


def without_hash(rows: Iterable[dict]) -> list[dict]:
    return [row | {"data_hash": None} for row in rows]


randomly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@randomly
@given(seasons_with_day(), st.integers(0, 9))
def test_every_cell_of_the_synthetic_rows(season_and_day, salt):
    season, day = season_and_day
    found = rows_of(season, drawn(salt), day)
    assert without_hash(found) == expected_rows(season, drawn(salt), day)
    assert all(row["data_hash"] for row in found)


@randomly
@given(seasons_with_day(), st.integers(0, 9))
def test_no_figure_of_the_day_or_later_enters(season_and_day, salt):
    """Minutes, usage, pace, points and scores from D on are all others; every cell, the hash too, stays."""
    season, day = season_and_day
    later = {game.game_id for game in season.games if game.day >= day}
    before, other = drawn(salt), drawn(salt + 100)
    points = tuple(replace(row, points=(row.points or 0) + 5) if row.game_id in later else row for row in season.box)
    games = tuple(
        replace(game, home_score=(game.home_score or 0) + 7)
        if game.game_id in later and game.status == "final" and game.counts
        else game
        for game in season.games
    )

    def values(what: str, key: str) -> int:
        return (other if key.split()[-1] in later else before)(what, key)

    assert rows_of(replace(season, box=points, games=games), values, day) == rows_of(season, before, day)


@settings(randomly, max_examples=40)
@given(seasons_with_day(), st.integers(0, 9))
def test_parts_make_the_rows_of_the_whole(season_and_day, salt):
    season, day = season_and_day
    parts = [row for part in range(3) for row in rows_of(season, drawn(salt), day, Part(part, 3))]
    assert sorted(parts, key=lambda row: row["player_lookup"]) == rows_of(season, drawn(salt), day)


# By hand

FIRST = date(2023, 11, 1)


def by_hand() -> Season:
    """ann plays on the 1st, 2nd, 9th and 14th; bob only on the 14th, and joe was hurt then."""
    games, box, summaries = [], [], []
    for index, day in enumerate((1, 2, 9, 14)):
        name = f"202311{day:02}_BOS_ATL"
        games.append(Game(name, f"00223{index:05d}", date(2023, 11, day).toordinal(), "ATL", "BOS", "final", 1, 1))
        there = {"ann": True, "joe": day < 14} | ({"bob": True} if day == 14 else {})
        box += [BoxRow(player, name, "ATL", played, 1) for player, played in there.items()]
        summaries += [Upstream(player, name, 1, "ATL") for player, played in there.items() if played]
    return Season(tuple(games), tuple(box), (), tuple(summaries))


def thirty(what: str, key: str) -> int:
    """30.0 minutes, a usage of 3.01 and a pace of 90.1."""
    return {"minutes": 300 + 480, "usage": 301 + 5000 * 5, "pace": 1}[what]


def test_two_players_by_hand():
    ann, bob = rows_of(by_hand(), thirty, date(2023, 11, 14).toordinal())
    assert (ann["player_lookup"], bob["player_lookup"]) == ("ann", "bob")
    named = ("days_rest", "back_to_back", "games_in_last_7_days", "games_in_last_14_days", "minutes_in_last_14_days")
    assert [ann[name] for name in named] == [5, False, 1, 3, 90]
    assert ann["back_to_backs_last_14_days"] == 1
    assert (ann["avg_minutes_per_game_last_7"], ann["avg_usage_rate_last_7_games"]) == (
        Decimal("30.0"),
        Decimal("3.01"),
    )
    assert [bob[name] for name in named] == [None, False, 0, 0, 0]
    assert (bob["avg_minutes_per_game_last_7"], bob["avg_usage_rate_last_7_games"]) == (Decimal("0.0"), None)
    assert (ann["game_id"], ann["team_abbr"], ann["home_game"]) == ("20231114_BOS_ATL", "ATL", True)


def test_a_figure_before_the_day_does_enter():
    """The comparison above can fail."""
    day = date(2023, 11, 14).toordinal()
    assert rows_of(by_hand(), drawn(1), day)[0]["data_hash"] != rows_of(by_hand(), drawn(2), day)[0]["data_hash"]


def test_the_days_rows_are_replaced_whole_and_those_of_other_days_stay():
    day, other = date(2023, 11, 14), date(2023, 11, 9)
    stored = [
        {"player_lookup": player, "game_date": on, "primary_source_used": "box_scores", "days_rest": 99}
        for player, on in (("ann", day), ("zoe", day), ("ann", other), ("joe", other))
    ]
    before = seen(by_hand(), thirty, stored)
    after = stand_in(before, [number(day.toordinal()), number((day + timedelta(1)).toordinal())]).tables.more[CONTEXT]
    mine = pc.equal(after["game_date"], pa.scalar(day))
    assert after.filter(mine).to_pylist() == rows_of(by_hand(), thirty, day.toordinal())
    kept = before.tables.more[CONTEXT].filter(pc.not_equal(before.tables.more[CONTEXT]["game_date"], pa.scalar(day)))
    assert after.filter(pc.invert(mine)).equals(kept)


def test_without_days_nothing_is_made():
    before = seen(by_hand(), thirty)
    assert stand_in(before, ()) is before


def test_dictionary_columns_are_kept_as_such():
    """As batches come out of a join: names are encoded."""
    before = seen(by_hand(), thirty, [{"player_lookup": "zoe", "game_date": FIRST, "primary_source_used": "rosters"}])
    table = before.tables.more[CONTEXT]
    encoded = table.set_column(0, "player_lookup", table["player_lookup"].dictionary_encode())
    before = replace(before, tables=replace(before.tables, more={**before.tables.more, CONTEXT: encoded}))
    after = stand_in(before, [number(date(2023, 11, 14).toordinal())]).tables.more[CONTEXT]
    assert after["player_lookup"].to_pylist() == ["zoe", "ann", "bob"]
    assert after.schema == encoded.schema
