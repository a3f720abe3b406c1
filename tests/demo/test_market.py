"""What is said before a simulated league's games: its shape, and that it rests on earlier games alone."""

import datetime as dt
from collections import defaultdict
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcourt.demo.league import League, simulate, with_defects
from fullcourt.demo.market import draw_market
from fullcourt.domain.names import TEAM_NAMES

TABLES = ("prop_lines", "injury_reports", "game_lines")
SEED = 5
EASTERN = ZoneInfo("America/New_York")
STATISTICS = ("pts", "reb", "ast")


@pytest.fixture(scope="module")
def league() -> League:
    """Two short seasons."""
    return simulate([2023, 2024], seed=SEED, games_per_team=14)


@pytest.fixture(scope="module")
def box(league) -> list[dict]:
    return league.player_boxscores.to_pylist()


def regular(league) -> list[dict]:
    return [game for game in league.schedule.to_pylist() if game["season_type"] == "regular"]


def drawn(league, seed=SEED):
    return draw_market(seed, league.schedule, league.player_boxscores, league.inactives)


def snapshots(day):
    """The two instants of a game day, in UTC: the day before at six, the day itself at five."""
    return [
        dt.datetime.combine(on, dt.time(hour), EASTERN).astimezone(dt.UTC)
        for on, hour in ((day - dt.timedelta(1), 18), (day, 17))
    ]


# ---- the same every time


def test_the_same_seed_says_the_same_and_another_seed_something_else(league):
    again, other = drawn(league), drawn(league, SEED + 1)
    for table in TABLES:
        assert again[table].equals(getattr(league, table)), table
        assert not other[table].equals(getattr(league, table)), table


def test_defects_leave_what_was_said_before(league):
    damaged, _ = with_defects(league)
    for table in TABLES:
        assert getattr(damaged, table).equals(getattr(league, table)), table


# ---- only earlier games


def other_results(league, day):
    """The league with other scores, statistics, minutes and players used on that day and later."""
    box, schedule = league.player_boxscores, league.schedule
    hit, over = pc.greater_equal(box["game_date"], day), pc.greater_equal(schedule["game_date"], day)
    rng = np.random.default_rng(1)
    for name in (*STATISTICS, "seconds_played", "played"):
        kind = box.schema.field(name).type
        values = pa.array(rng.integers(0, 2 if name == "played" else 60, box.num_rows)).cast(kind)
        box = box.set_column(box.schema.get_field_index(name), name, pc.if_else(hit, values, box[name]))
    for name in ("home_score", "away_score"):
        values = pa.array(rng.integers(60, 160, schedule.num_rows).astype(np.int16))
        place = schedule.schema.get_field_index(name)
        schedule = schedule.set_column(place, name, pc.if_else(over, values, schedule[name]))
    return schedule, box


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_no_result_of_the_day_or_later_changes_what_was_said_before_it(league, share):
    days = sorted({game["game_date"] for game in regular(league)})
    day = pa.scalar(days[int(share * len(days))])
    other = draw_market(SEED, *other_results(league, day), league.inactives)
    game_days = league.schedule.select(["game_id", "game_date"])

    def up_to(props):
        where = pc.index_in(props["resolved_game_id"], game_days["game_id"].combine_chunks())
        return props.filter(pc.less_equal(game_days["game_date"].take(where), day))

    before, after = up_to(league.prop_lines), up_to(other["prop_lines"])
    assert before.equals(after)
    assert before.num_rows > 0
    lines, changed = league.game_lines, other["game_lines"]
    assert lines.filter(pc.less_equal(lines["game_date"], day)).equals(
        changed.filter(pc.less_equal(changed["game_date"], day))
    )
    assert not lines.equals(changed), "later lines do rest on the day's results"
    assert other["injury_reports"].equals(league.injury_reports)


def test_games_that_are_never_played_change_nothing_said_before_them(league):
    """The season as it is known on one of its days: nothing later exists."""
    days = sorted({game["game_date"] for game in regular(league)})
    day = pa.scalar(days[len(days) // 2])
    known = [
        table.filter(pc.less_equal(table["game_date"], day))
        for table in (league.schedule, league.player_boxscores, league.inactives)
    ]
    for name, table in draw_market(SEED, *known).items():
        whole = getattr(league, name).to_pylist()
        assert set(map(str, table.to_pylist())) <= set(map(str, whole)), name
        assert table.num_rows > 0


# ---- lines on players


def test_lines_on_points_are_near_what_a_scorer_has_averaged(league, box):
    before: dict[tuple, list[int]] = defaultdict(list)
    average, listed = {}, defaultdict(list)
    for row in sorted(box, key=lambda row: row["game_date"]):
        past = before[row["season"], row["player_id"]]
        if len(past) >= 3 and np.mean(past) >= 10:
            average[row["game_id"], row["player_id"]] = np.mean(past)
        if row["played"]:
            past.append(row["pts"])
    for row in league.prop_lines.to_pylist():
        if row["market"] == "points":
            listed[row["resolved_game_id"], row["resolved_player_id"]].append(row["line"])
    assert set(listed) <= set(average)
    assert len(listed) / len(average) == pytest.approx(0.7, abs=0.05)
    for key, lines in listed.items():
        assert max(abs(line - average[key]) for line in lines) <= 3
        assert all(line % 1 == 0.5 for line in lines)


def test_props_come_in_two_snapshots_by_two_bookmakers_at_plausible_odds(league):
    day_of = dict(zip(league.schedule["game_id"].to_pylist(), league.schedule["game_date"].to_pylist(), strict=True))
    quoted = defaultdict(set)
    for row in league.prop_lines.to_pylist():
        instant = dt.datetime.fromisoformat(row["observed_at_utc"])
        assert instant in snapshots(day_of[row["resolved_game_id"]])
        assert row["observed_at_utc"].endswith("Z")
        assert -120 <= row["over_price"] <= -100
        assert row["over_price"] + row["under_price"] == -220
        if row["market"] == "points":
            quoted[row["resolved_game_id"], row["resolved_player_id"]].add((row["bookmaker"], instant))
    assert {len(quotes) for quotes in quoted.values()} == {4}
    assert {name for quotes in quoted.values() for name, _ in quotes} == {"DraftKings", "FanDuel"}


def test_some_lines_move_and_a_few_are_on_more_than_points(league):
    markets = pc.value_counts(league.prop_lines["market"]).to_pylist()
    counts = {row["values"]: row["counts"] for row in markets}
    assert set(counts) == {"points", "points_rebounds_assists"}
    assert 0 < counts["points_rebounds_assists"] < 0.1 * counts["points"]
    lines = defaultdict(list)
    for row in league.prop_lines.to_pylist():
        if row["market"] == "points":
            lines[row["resolved_game_id"], row["resolved_player_id"], row["bookmaker"]].append(row["line"])
    assert {closing - opening for opening, closing in lines.values()} == {-1.0, 0.0, 1.0}


# ---- injury reports


def test_the_last_report_of_a_day_says_out_of_exactly_those_on_the_inactive_list(league):
    absent = {(row["game_date"], row["team_tricode"], row["player_id"]) for row in league.inactives.to_pylist()}
    final = [row for row in league.injury_reports.to_pylist() if row["report_hour"] == 17]
    out = {
        (row["game_date"], row["team_tricode"], row["player_id"])
        for row in final
        if row["injury_status"].lower() == "out"
    }
    assert out == absent
    assert all(row["reason"] for row in final)


def test_a_few_who_are_dressed_are_named_too_and_some_statuses_change(league):
    dressed = {(row["game_date"], row["player_id"]) for row in league.player_boxscores.to_pylist()}
    reports = league.injury_reports.to_pylist()
    statuses = defaultdict(dict)
    for row in reports:
        statuses[row["game_date"], row["player_id"]][row["report_hour"]] = row["injury_status"].lower()
    assert all(set(by_hour) == {11, 17} for by_hour in statuses.values())
    doubtful = [key for key in statuses if key in dressed]
    assert 0.02 * len(dressed) < len(doubtful) < 0.06 * len(dressed)
    assert {statuses[key][11] for key in doubtful} == {"questionable", "probable", "doubtful"}
    changed = sum(by_hour[11] != by_hour[17] for by_hour in statuses.values())
    assert 0 < changed < 0.4 * len(statuses)
    assert len({row["injury_status"] for row in reports}) > len({row["injury_status"].lower() for row in reports})


# ---- lines on games


def test_every_regular_game_has_two_snapshots_by_two_bookmakers_under_full_names(league):
    by_game = defaultdict(list)
    for row in league.game_lines.to_pylist():
        by_game[row["game_date"], TEAM_NAMES[row["away_team"]], TEAM_NAMES[row["home_team"]]].append(row)
    games = {(game["game_date"], game["away_tricode"], game["home_tricode"]) for game in regular(league)}
    assert set(by_game) == games
    for (day, _, _), rows in by_game.items():
        assert {(row["bookmaker_key"], row["snapshot_timestamp"]) for row in rows} == {
            (name, instant) for name in ("draftkings", "fanduel") for instant in snapshots(day)
        }
        sides, totals = defaultdict(dict), defaultdict(dict)
        for row in rows:
            kind = {"spreads": sides, "totals": totals}[row["market_key"]]
            kind[row["bookmaker_key"], row["snapshot_timestamp"]][row["outcome_name"]] = row["outcome_point"]
        assert (len(sides), len(totals)) == (4, 4)
        for quote in sides.values():
            assert set(quote) == {rows[0]["home_team"], rows[0]["away_team"]}
            assert sum(quote.values()) == 0
        for quote in totals.values():
            assert set(quote) == {"Over", "Under"}
            assert quote["Over"] == quote["Under"]
            assert 180 < quote["Over"] < 280


def test_spreads_favour_the_home_team_and_the_team_that_won_more(league):
    margin = defaultdict(list)
    spread, rating = [], []
    first = defaultdict(dict)
    for row in league.game_lines.to_pylist():
        if row["outcome_name"] == row["home_team"]:
            first[row["game_date"]].setdefault(TEAM_NAMES[row["home_team"]], row["outcome_point"])
    for game in sorted(regular(league), key=lambda game: game["game_date"]):
        home, away = (margin[game["season"], game[f"{side}_tricode"]] for side in ("home", "away"))
        spread.append(first[game["game_date"]][game["home_tricode"]])
        rating.append(sum(home) / (len(home) + 5) - sum(away) / (len(away) + 5))
        home.append(game["home_score"] - game["away_score"])
        away.append(game["away_score"] - game["home_score"])
    assert -2.6 < np.mean(spread) < -1.4
    assert np.corrcoef(spread, rating)[0, 1] < -0.95
    assert all((2 * point) % 1 == 0 for point in spread)
