"""Zone figures of teams and players against plain Python, over random histories, and a few tables by hand.

The figures below are exact fractions, rounded half away from zero at the very end; they follow domain sections
6.1 and 6.2 and share no code with the features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fullcourt.domain import gate, observation
from fullcourt.domain.features import FEATURES, player_shot_zones
from fullcourt.domain.processors import BY_NAME, Processor
from fullcourt.domain.rows import Judged, Stamp, judged_table
from fullcourt.domain.windows import days, games
from schemas import player_shot_zone_analysis, team_defense_zone_analysis
from schemas.completeness import multi_window
from tests.bridge import ask_tables, tables
from tests.reference_gate import BoxRow, Game, Season, Upstream, game_days

PSZA = BY_NAME["player_shot_zone_analysis"]
TDZA = BY_NAME["team_defense_zone_analysis"]
SINGLE_SCHEMA = player_shot_zone_analysis.TABLE.arrow_schema
EPOCH = date(1970, 1, 1).toordinal()
START = date(2023, 10, 24).toordinal()
ZONES = ("paint", "mid_range", "three_pt")
STAMP = Stamp("run-1", 1)
histories = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rounded(value: Fraction | None, places: int) -> Decimal | None:
    """Half away from zero."""
    if value is None:
        return None
    units = int(abs(value) * 10**places + Fraction(1, 2))
    return Decimal(-units if value < 0 else units).scaleb(-places)


def share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def answer(
    season: Season, processor: Processor, upstream: pa.Table
) -> tuple[observation.Observation, gate.Judgement, list]:
    shard = replace(tables(season, processor.entity), upstream=upstream)
    found = ask_tables(shard, processor, game_days(season))
    return found.seen, found.rows, found.keys()


def computed(season: Season, processor: Processor, upstream: pa.Table) -> dict[tuple[str, int], dict]:
    """The business columns of every judged (entity, day), whatever the verdict."""
    seen, rows, keys = answer(season, processor, upstream)
    columns = FEATURES[processor.name].compute(seen, rows)
    return dict(zip(keys, pa.table(columns).to_pylist(), strict=True))


def written(season: Season, processor: Processor, upstream: pa.Table, schema: pa.Schema, index: int) -> dict:
    """The first ready row as it is written for the index-th game day."""
    seen, rows, _ = answer(season, processor, upstream)
    ready = (rows.verdict == gate.Verdict.READY) & (rows.slot == index)
    judged = Judged(seen, rows.at(ready), processor, STAMP)
    return judged_table(judged, schema).to_pylist()[0]


def as_content(upstream: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    """The upstream rows, each with the line its `content` numbers."""
    for name, values in columns.items():
        upstream = upstream.append_column(name, values.take(upstream["content"].combine_chunks()))
    return upstream


# Players


@dataclass(frozen=True)
class Shots:
    """A player's line: (makes, attempts) by zone, or None where the zone is unknown."""

    paint: tuple[int, int] | None
    mid_range: tuple[int, int] | None
    three_pt: tuple[int, int] | None

    @property
    def known(self) -> bool:
        return None not in (self.paint, self.mid_range, self.three_pt)

    def makes(self, zone: str) -> int:
        return getattr(self, zone)[0]

    def attempts(self, zone: str) -> int:
        return getattr(self, zone)[1]


UNKNOWN = Shots(None, None, None)
NO_SHOTS = Shots((0, 0), (0, 0), (0, 0))
Night = tuple[str, Shots]  # played, dnp or lost; the line counts if played


def player_season(nights: Sequence[Night]) -> tuple[Season, pa.Table]:
    """ann's games, every other day and one more, which is D; with the upstream rows of the nights she played."""
    games, box, summaries = [], [], []
    for index, (fate, _) in enumerate([*nights, ("played", NO_SHOTS)]):
        day = START + 2 * index
        name = f"{date.fromordinal(day):%Y%m%d}_BOS_ATL"
        games.append(Game(name, f"00223{index:05d}", day, "ATL", "BOS", "final", 1, 1))
        if fate != "lost":
            box.append(BoxRow("ann", name, "ATL", fate == "played", 1))
        if fate == "played":
            summaries.append(Upstream("ann", name, index, "ATL"))
    season = Season(tuple(games), tuple(box), (), tuple(summaries))
    lines = [line for _, line in nights] + [NO_SHOTS]
    columns = {
        f"{player_shot_zones.SOURCE[zone]}_{what}": pa.array(
            [pair[side] if (pair := getattr(line, zone)) else None for line in lines], pa.int64()
        )
        for zone in ZONES
        for side, what in enumerate(("makes", "attempts"))
    }
    columns["universal_player_id"] = pa.array(["id-ann"] * len(lines))
    return season, as_content(tables(season, PSZA.entity).upstream, columns)


def sample(nights: Sequence[Night], most: int) -> list[Shots]:
    """The games present among the last `most` required: those not played are passed over, lost ones count."""
    required = [night for night in nights if night[0] != "dnp"][-most:]
    return [line for fate, line in required if fate == "played"]


def quality(size: int, target: int) -> str:
    if size >= target:
        return "excellent"
    if size >= int(0.7 * target):
        return "good"
    return "limited" if size >= int(0.5 * target) else "insufficient"


def player_figures(nights: Sequence[Night]) -> dict:
    """Section 6.2, of the nights before D from the first one that lists her."""
    last_10, last_20 = sample(nights, 10), sample(nights, 20)
    known = [line for line in last_10 if line.known]
    attempts = {zone: sum(line.attempts(zone) for line in known) for zone in ZONES}
    makes = {zone: sum(line.makes(zone) for line in known) for zone in ZONES}
    total = sum(attempts.values())
    figures: dict = {"total_shots_last_10": total if known else None}
    for zone in ZONES:
        figures[f"{zone}_rate_last_10"] = rounded(share(100 * attempts[zone], total), 2)
        figures[f"{zone}_pct_last_10"] = rounded(share(makes[zone], attempts[zone]), 3)
        figures[f"{zone}_attempts_per_game"] = rounded(share(attempts[zone], len(known)), 1)

    trend = [line for line in last_20 if line.known] if len(last_20) >= 15 else []
    paint = sum(line.attempts("paint") for line in trend)
    shots = sum(line.attempts(zone) for line in trend for zone in ZONES)
    figures["paint_rate_last_20"] = rounded(share(100 * paint, shots), 2)
    figures["paint_pct_last_20"] = rounded(share(sum(line.makes("paint") for line in trend), paint), 3)

    for target, lines in ((10, last_10), (20, last_20)):
        figures[f"games_in_sample_{target}"] = len(lines)
        figures[f"sample_quality_{target}"] = quality(len(lines), target)
    figures["data_quality_tier"] = "high" if len(last_10) >= 10 else "medium" if len(last_10) >= 7 else "low"
    figures["primary_scoring_zone"] = primary_zone(attempts, total)
    return figures


def primary_zone(attempts: dict[str, int], total: int) -> str | None:
    if total == 0:
        return None
    rates = {zone: Fraction(100 * attempts[zone], total) for zone in ZONES}
    if rates["paint"] >= 40:
        return "paint"
    if rates["three_pt"] >= 40:
        return "perimeter"
    return "mid_range" if rates["mid_range"] >= 35 else "balanced"


pairs = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: (min(pair), max(pair)))
lines = st.builds(Shots, pairs, pairs, pairs) | st.just(UNKNOWN) | st.builds(Shots, pairs, st.none(), pairs)
fates = st.sampled_from(("played", "played", "played", "played", "dnp", "lost"))


@st.composite
def nights_of_a_season(draw: st.DrawFn) -> list[Night]:
    length = draw(st.integers(1, 30))
    shown = draw(st.lists(lines, min_size=1, max_size=11))
    happened = draw(st.lists(fates, min_size=1, max_size=7))
    nights = [(happened[n % len(happened)], shown[n % len(shown)]) for n in range(length)]
    return [("played", nights[0][1]), *nights[1:]]  # she is expected from her first listing on


@histories
@given(nights_of_a_season())
def test_players_figures(nights):
    found = computed(*swap(player_season(nights), PSZA))
    assert set(found) == {("ann", START + 2 * index) for index in range(1, len(nights) + 1)}
    for index in range(1, len(nights) + 1):
        assert found["ann", START + 2 * index] == player_figures(nights[:index])


def swap(season: tuple[Season, pa.Table], processor: Processor) -> tuple[Season, Processor, pa.Table]:
    return season[0], processor, season[1]


def player_row(nights: Sequence[Night]) -> dict:
    season = player_season(nights)
    return written(*swap(season, PSZA), player_shot_zone_analysis.TABLE.arrow_schema, len(nights))


@pytest.mark.parametrize(
    ("paint", "mid_range", "three_pt", "zone"),
    [
        pytest.param(4, 3, 3, "paint", id="paint-from-40-percent"),
        pytest.param(4, 2, 4, "paint", id="paint-before-perimeter"),
        pytest.param(3, 3, 4, "perimeter", id="perimeter-from-40-percent"),
        pytest.param(2, 4, 4, "perimeter", id="perimeter-before-mid-range"),
        pytest.param(7, 7, 6, "mid_range", id="mid-range-from-35-percent"),
        pytest.param(39, 34, 27, "balanced", id="else-balanced"),
        pytest.param(0, 0, 0, None, id="no-shots"),
    ],
)
def test_primary_scoring_zone(paint, mid_range, three_pt, zone):
    row = player_row([("played", Shots((0, paint), (0, mid_range), (0, three_pt)))] * 3)
    assert row["primary_scoring_zone"] == zone
    assert row["total_shots_last_10"] == 3 * (paint + mid_range + three_pt)


@pytest.mark.parametrize(
    ("size", "of_10", "of_20", "tier"),
    [
        (1, "insufficient", "insufficient", "low"),
        (4, "insufficient", "insufficient", "low"),
        (5, "limited", "insufficient", "low"),
        (6, "limited", "insufficient", "low"),
        (7, "good", "insufficient", "medium"),
        (9, "good", "insufficient", "medium"),
        (10, "excellent", "limited", "high"),
        (13, "excellent", "limited", "high"),
        (14, "excellent", "good", "high"),
        (19, "excellent", "good", "high"),
        (20, "excellent", "excellent", "high"),
    ],
)
def test_sample_quality(size, of_10, of_20, tier):
    row = player_row([("played", NO_SHOTS)] * size)
    assert (row["sample_quality_10"], row["sample_quality_20"], row["data_quality_tier"]) == (of_10, of_20, tier)
    assert (row["games_in_sample_10"], row["games_in_sample_20"]) == (min(size, 10), size)
    assert row["early_season_flag"] == (size < 10)


@pytest.mark.parametrize(("games", "rate", "pct"), [(14, None, None), (15, "50.00", "0.400")])
def test_the_trend_needs_fifteen_games(games, rate, pct):
    row = player_row([("played", Shots((2, 5), (1, 3), (0, 2)))] * games)
    wanted = (Decimal(rate) if rate else None, Decimal(pct) if pct else None)
    assert (row["paint_rate_last_20"], row["paint_pct_last_20"]) == wanted


def test_unknown_zones_are_left_out_and_never_zero():
    shots = ("played", Shots((3, 6), (1, 2), (2, 4)))
    row = player_row([shots, ("played", UNKNOWN), shots, ("played", Shots((9, 9), None, (9, 9)))])
    assert row["total_shots_last_10"] == 24
    assert (row["paint_rate_last_10"], row["paint_pct_last_10"]) == (Decimal("50.00"), Decimal("0.500"))
    assert row["paint_attempts_per_game"] == Decimal("6.0"), "per game whose zones are known"
    assert row["games_in_sample_10"] == 4
    assert row["data_quality_issues"] == []


def test_all_zones_unknown_is_a_row_with_an_issue():
    row = player_row([("played", UNKNOWN)] * 10)
    names = [name for name in row if name.endswith(("_rate_last_10", "_pct_last_10", "_attempts_per_game"))]
    assert len(names) == 11
    assert {row[name] for name in [*names, "total_shots_last_10", "primary_scoring_zone"]} == {None}
    assert row["data_quality_issues"] == ["shot_zones_unavailable"]
    assert (row["is_production_ready"], row["games_in_sample_10"]) == (True, 10)
    assert row["universal_player_id"] == "id-ann"


def test_unknown_zones_and_a_missing_game_are_two_issues():
    nights = [("played", UNKNOWN)] * 9 + [("lost", UNKNOWN)]
    assert player_row(nights)["data_quality_issues"] == ["own_data_incomplete", "shot_zones_unavailable"]


def test_known_games_without_a_shot_are_no_issue():
    row = player_row([("played", NO_SHOTS)] * 10)
    assert (row["total_shots_last_10"], row["paint_attempts_per_game"]) == (0, Decimal("0.0"))
    assert (row["paint_rate_last_10"], row["paint_pct_last_10"]) == (None, None)
    assert row["data_quality_issues"] == []


def test_an_impossible_row_outside_the_gating_window_holds_nothing_back():
    """The trend never gates; and no figure is made of the row."""
    wrong, fine = ("played", Shots((9, 5), (0, 0), (0, 0))), ("played", Shots((2, 5), (1, 3), (0, 2)))
    row = player_row([wrong] + [fine] * 15)
    assert (row["is_production_ready"], row["paint_pct_last_20"]) == (True, Decimal("0.400"))


@given(st.integers(1, 11), st.integers(0, 9), st.sampled_from(["gone", "other"]))
def test_no_published_column_knows_a_row_of_the_day_or_later(before, unplayed, change):
    """ann was listed all season; what she did on D or later is changed or taken away."""
    nights = [("dnp", UNKNOWN)] * unplayed + [("played", Shots((2, 5), (1, 3), (0, 2)))] * before
    season, upstream = player_season(nights)
    day = game_days(season)[-2]  # D: the last of the nights, which she played, with one more to come
    later = pc.greater_equal(upstream["game_id"], pa.scalar(f"{date.fromordinal(day):%Y%m%d}"))
    if change == "gone":
        changed = upstream.filter(pc.invert(later))
    else:
        changed = pa.table(
            {
                name: pc.if_else(later, pc.add(column, 1), column)
                if pa.types.is_integer(column.type) and name != "season_year"
                else pc.if_else(later, "id-other", column)
                if name == "universal_player_id"
                else column
                for name, column in zip(upstream.column_names, upstream.columns, strict=True)
            }
        )
    found = []
    for table in (upstream, changed):
        seen, judgement, _ = answer(season, PSZA, table)
        of_day = Judged(seen, judgement.at(judgement.day == day - EPOCH), PSZA, Stamp("a-run", 0, recording=False))
        found.append(judged_table(of_day, player_shot_zone_analysis.TABLE.arrow_schema).to_pylist())
    assert found[0] == found[1]
    assert len(found[0]) == (before + unplayed > 1)


# A row is the same whatever is judged with it

SEVERAL = replace(PSZA, windows=(games(10), days(45)))
SEVERAL_SCHEMA = pa.schema(
    [*player_shot_zone_analysis.TABLE.arrow_schema, *(column.arrow_field for column in multi_window(SEVERAL.windows))]
)


@settings(histories, max_examples=25)
@example([("played", NO_SHOTS)] * 24 + [("dnp", NO_SHOTS)] * 9, (SEVERAL, SEVERAL_SCHEMA))
@given(nights_of_a_season(), st.sampled_from(((PSZA, SINGLE_SCHEMA), (SEVERAL, SEVERAL_SCHEMA))))
def test_a_days_rows_do_not_depend_on_the_range_they_are_computed_in(nights, case):
    """As in the example: 45 days hold 22 games, more than the trend's 20, until she does not play for long."""
    processor, schema = case
    season, upstream = player_season(nights)
    seen, rows, _ = answer(season, processor, upstream)

    def table(mask: np.ndarray) -> pa.Table:
        chosen = Judged(seen, rows.at(np.flatnonzero(mask)), processor, STAMP)
        parts = (judged_table(part, schema) for _, part in chosen.by_verdict())
        return pa.concat_tables(parts).sort_by("analysis_date")

    single_days = [table(rows.slot == slot) for slot in np.unique(rows.slot)]
    assert table(np.ones(len(rows.slot), np.bool_)).to_pylist() == pa.concat_tables(single_days).to_pylist()


# Teams

TRICODES = "ATL BKN BOS CHA CHI CLE DAL DEN DET GSW HOU IND".split()


@dataclass(frozen=True)
class Conceded:
    """A team's line: (makes, attempts) by zone and the other figures, None where unknown."""

    paint: tuple[int, int] | None
    mid_range: tuple[int, int] | None
    three_pt: tuple[int, int] | None
    points: int | None = 100
    in_paint: int | None = 40
    rating: int | None = 11000  # hundredths
    pace: int | None = 1000  # tenths

    def pair(self, zone: str) -> tuple[int, int] | None:
        return getattr(self, zone)


@dataclass(frozen=True)
class League:
    """Teams play in fixed pairs on the given days; conceded holds each (team, day)'s line, less the lost ones."""

    teams: tuple[str, ...]
    days: tuple[int, ...]
    conceded: dict[tuple[str, int], Conceded]

    def season(self) -> tuple[Season, pa.Table]:
        games, summaries, shown = [], [], []
        for day in self.days:
            for home, away in zip(self.teams[::2], self.teams[1::2], strict=True):
                name = f"{date.fromordinal(day):%Y%m%d}_{away}_{home}"
                games.append(Game(name, f"00223{len(games):05d}", day, home, away, "final", 1, 1))
                for team in (home, away):
                    if (team, day) in self.conceded:
                        summaries.append(Upstream(team, name, len(shown), team))
                        shown.append(self.conceded[team, day])
        season = Season(tuple(games), team_summaries=tuple(summaries))
        columns = {
            f"opp_{zone}_{what}": pa.array(
                [pair[side] if (pair := line.pair(zone)) else None for line in shown], pa.int64()
            )
            for zone in ZONES
            for side, what in enumerate(("makes", "attempts"))
        }
        columns["points_allowed"] = pa.array([line.points for line in shown], pa.int64())
        columns["points_in_paint_allowed"] = pa.array([line.in_paint for line in shown], pa.int64())
        for name, values, places in (
            ("defensive_rating", [line.rating for line in shown], 2),
            ("opponent_pace", [line.pace for line in shown], 1),
        ):
            exact = [None if value is None else Decimal(value).scaleb(-places) for value in values]
            columns[name] = pa.array(exact, pa.decimal128(6, places))
        return season, as_content(tables(season, TDZA.entity).upstream, columns)

    def lines(self, team: str, days: Sequence[int]) -> list[Conceded]:
        return [self.conceded[team, day] for day in days if (team, day) in self.conceded]


def mean(values: Sequence[int | None], unit: int = 1) -> Fraction | None:
    """Of the known values."""
    known = [value for value in values if value is not None]
    return share(sum(known), unit * len(known))


def allowed(zone: str, lines: Sequence[Conceded]) -> Fraction | None:
    known = [pair for line in lines if (pair := line.pair(zone)) is not None]
    return share(sum(makes for makes, _ in known), sum(attempts for _, attempts in known))


def league_share(league: League, zone: str, day: int) -> Fraction:
    """The mean of the teams with ten games in the last 30 days; the default if those are under ten teams."""
    default = {"paint": Fraction("0.580"), "mid_range": Fraction("0.410"), "three_pt": Fraction("0.355")}[zone]
    span = [d for d in league.days if day - 30 <= d < day]
    of_team = [league.lines(team, span) for team in league.teams]
    shares = [allowed(zone, lines) for lines in of_team if len(lines) >= 10]
    if len(shares) < 10 or None in shares:
        return default
    return sum(shares, Fraction(0)) / len(shares)


def check_team(found: dict, league: League, team: str, day: int) -> None:
    """Section 6.1 for one team and day."""
    lines = league.lines(team, [d for d in league.days if d < day][-15:])
    against: dict[str, Decimal] = {}
    for zone in ZONES:
        known = [pair for line in lines if (pair := line.pair(zone)) is not None]
        conceded = allowed(zone, lines)
        assert found[f"{zone}_pct_allowed_last_15"] == rounded(conceded, 3)
        assert found[f"{zone}_attempts_allowed_per_game"] == rounded(mean([a for _, a in known]), 1)
        difference = found[f"{zone}_defense_vs_league_avg"]
        if conceded is None:
            assert difference is None
        else:  # shares are compared at nine decimals, so a tie may fall either way
            exact = 100 * (conceded - league_share(league, zone, day))
            assert abs(Fraction(difference) - exact) <= Fraction("0.0050001")
            against[{"three_pt": "perimeter"}.get(zone, zone)] = difference
    assert found["paint_points_allowed_per_game"] == rounded(mean([line.in_paint for line in lines]), 1)
    assert found["opponent_points_per_game"] == rounded(mean([line.points for line in lines]), 1)
    assert found["defensive_rating_last_15"] == rounded(mean([line.rating for line in lines], 100), 2)
    assert found["opponent_pace"] == rounded(mean([line.pace for line in lines], 10), 1)
    assert found["games_in_sample"] == len(lines)
    assert found["strongest_zone"] == min(against, key=against.__getitem__, default=None)
    assert found["weakest_zone"] == max(against, key=against.__getitem__, default=None)
    assert found["data_quality_tier"] == ("high" if len(lines) >= 15 else "medium" if len(lines) >= 10 else "low")
    unknown = [zone for zone in ZONES if found[f"{zone}_pct_allowed_last_15"] is None]
    assert found["calculation_notes"] == ("no known attempts: " + ", ".join(unknown) if unknown else None)


maybe_pairs = pairs | pairs | pairs | st.none()
conceded_lines = st.builds(
    Conceded,
    maybe_pairs,
    maybe_pairs,
    maybe_pairs,
    st.integers(70, 160) | st.none(),
    st.integers(0, 90) | st.none(),
    st.integers(7000, 15000) | st.none(),
    st.integers(800, 1200) | st.none(),
)


@st.composite
def team_leagues(draw: st.DrawFn) -> League:
    teams = tuple(TRICODES[: draw(st.sampled_from((2, 8, 10, 12)))])
    gaps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    days = [START]
    for index in range(draw(st.sampled_from((1, 6, 13, 22)))):
        days.append(days[-1] + gaps[index % len(gaps)])
    shown = draw(st.lists(conceded_lines, min_size=1, max_size=7))
    lost = draw(st.lists(st.sampled_from((False, False, False, True)), min_size=1, max_size=23))
    places = [(team, day) for day in days for team in teams]
    conceded = {place: shown[n % len(shown)] for n, place in enumerate(places) if not lost[n % len(lost)]}
    return League(teams, tuple(days), conceded)


@histories
@given(team_leagues())
def test_teams_figures(league):
    found = computed(*swap(league.season(), TDZA))
    assert set(found) == {(team, day) for team in league.teams for day in league.days}
    for (team, day), figures in found.items():
        check_team(figures, league, team, day)


def even_league(teams: int, length: int, atl: Conceded, others: Conceded) -> League:
    """Every team every day; ATL's line differs from the others'."""
    names = tuple(TRICODES[:teams])
    days = tuple(range(START, START + length))
    conceded = {(team, day): atl if team == "ATL" else others for team in names for day in days}
    return League(names, days, conceded)


def team_row(league: League) -> dict:
    """ATL's row for the last day."""
    season = league.season()
    schema = team_defense_zone_analysis.TABLE.arrow_schema
    return written(*swap(season, TDZA), schema, len(league.days) - 1)


HALF = Conceded((5, 10), (5, 10), (5, 10))
BETTER = Conceded((6, 10), (4, 10), (5, 10))


@pytest.mark.parametrize(
    ("teams", "games", "against"),
    [
        pytest.param(8, 16, ("2.00", "-1.00", "14.50"), id="under-ten-teams-is-the-default"),
        pytest.param(10, 9, ("2.00", "-1.00", "14.50"), id="under-ten-games-is-the-default"),
        pytest.param(10, 10, ("9.00", "-9.00", "0.00"), id="ten-teams-of-ten-games-are-a-league"),
        pytest.param(12, 16, ("9.17", "-9.17", "0.00"), id="the-team-itself-is-in-the-mean"),
    ],
)
def test_against_the_league(teams, games, against):
    """ATL concedes 60, 40 and 50 %, all others 50 %; the mean of ten teams is 51, 49 and 50 %."""
    row = team_row(even_league(teams, games + 1, BETTER, HALF))
    assert tuple(str(row[f"{zone}_defense_vs_league_avg"]) for zone in ZONES) == against
    assert row["strongest_zone"] == "mid_range"
    assert row["weakest_zone"] == ("perimeter" if against[2] == "14.50" else "paint")


def test_nine_teams_of_ten_games_and_one_of_nine_are_no_league():
    even = even_league(10, 11, BETTER, HALF)
    short = {place: line for place, line in even.conceded.items() if place != (even.teams[-1], START)}
    assert str(team_row(replace(even, conceded=short))["paint_defense_vs_league_avg"]) == "2.00"


def test_the_leagues_span_is_thirty_days():
    """Ten games each, the first of them 30 days before D or 31."""
    for first, against in ((30, "9.00"), (31, "2.00")):
        even = even_league(10, 11, BETTER, HALF)
        days = (START, *range(START + first - 9, START + first + 1))
        moved = {(team, days[day - START]): line for (team, day), line in even.conceded.items()}
        row = team_row(replace(even, days=days, conceded=moved))
        assert str(row["paint_defense_vs_league_avg"]) == against


@pytest.mark.parametrize(
    ("against", "strongest", "weakest"),
    [
        pytest.param((58, 41, 36), "paint", "perimeter", id="by-half-a-point"),
        pytest.param((48, 31, 25), "perimeter", "paint", id="ties-go-in-zone-order"),
        pytest.param((None, 41, 36), "mid_range", "perimeter", id="unknown-takes-no-part"),
        pytest.param((None, None, 36), "perimeter", "perimeter", id="only-one-known"),
        pytest.param((None, None, None), None, None, id="nothing-known"),
    ],
)
def test_strongest_and_weakest_zone(against, strongest, weakest):
    """Percent conceded, against the default league of 58, 41 and 35.5."""
    line = Conceded(*(None if percent is None else (percent, 100) for percent in against))
    row = team_row(even_league(2, 4, line, HALF))
    assert (row["strongest_zone"], row["weakest_zone"]) == (strongest, weakest)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param(HALF, None, id="nothing-to-note"),
        pytest.param(replace(HALF, paint=None), "no known attempts: paint", id="unknown"),
        pytest.param(replace(HALF, three_pt=(0, 0)), "no known attempts: three_pt", id="no-attempts"),
        pytest.param(Conceded(None, (0, 0), None), "no known attempts: paint, mid_range, three_pt", id="all"),
    ],
)
def test_notes_on_zones_without_attempts(line, note):
    row = team_row(even_league(2, 4, line, HALF))
    assert row["calculation_notes"] == note
    assert (row["paint_pct_allowed_last_15"] is None) == (line.paint is None)


@pytest.mark.parametrize(("games", "tier"), [(9, "low"), (10, "medium"), (14, "medium"), (15, "high"), (16, "high")])
def test_tier(games, tier):
    row = team_row(even_league(2, games + 1, HALF, HALF))
    assert (row["data_quality_tier"], row["games_in_sample"]) == (tier, min(games, 15))


def test_a_team_with_nothing_known_of_a_zone_leaves_that_zone_at_the_default():
    row = team_row(even_league(10, 11, replace(BETTER, paint=None), HALF))
    assert (row["paint_defense_vs_league_avg"], row["mid_range_defense_vs_league_avg"]) == (None, Decimal("-9.00"))
    other = replace(even_league(10, 11, HALF, HALF))
    unknown = {key: replace(line, paint=None) for key, line in other.conceded.items() if key[0] == "BOS"}
    row = team_row(replace(other, conceded=other.conceded | unknown))
    assert row["paint_defense_vs_league_avg"] == Decimal("-8.00")


def test_the_league_is_among_a_teams_sources():
    """Another team's corrected game changes the source hash and the figure; one before the span changes neither."""
    even = even_league(10, 45, HALF, HALF)
    before = team_row(even)
    for day, same in ((START + 13, True), (START + 14, False), (START + 44, True)):
        corrected = replace(even, conceded=even.conceded | {("BOS", day): BETTER})
        row = team_row(corrected)
        assert (row["source_team_defense_hash"] == before["source_team_defense_hash"]) == same, day
        assert (row["paint_defense_vs_league_avg"] == before["paint_defense_vs_league_avg"]) == same, day
