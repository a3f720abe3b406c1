"""upcoming_player_game_context: what is known of a player before a fixture (domain section 6.6)."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from fullcourt.domain.availability import (
    DOUBTFUL,
    OUT,
    PROBABLE,
    QUESTIONABLE,
    REPORT_COLUMNS,
    STATUSES,
    Availability,
    Named,
)
from fullcourt.domain.columns import pair, places
from fullcourt.domain.features.fixture_list import fixture_list
from fullcourt.domain.features.form import Form, team_form
from fullcourt.domain.features.market import GAME_LINE_COLUMNS, PROP_COLUMNS, FixtureLines, PlayerLines
from fullcourt.domain.features.rhythm import Rhythm
from fullcourt.domain.features.sources import Source, fixture_source, form_source, report_source
from fullcourt.domain.features.zones import choose, quotient
from fullcourt.domain.gate import Judgement, opponents
from fullcourt.domain.numbers import Bools, Ints, Longs, decimals, nullable, ratio
from fullcourt.domain.observation import Observation
from fullcourt.domain.windows import SEASON, days, games

VERSION = "v1"
READS = ("game_id", "team_abbr", "player_lookup", "points", "minutes_played", "usage_rate", "points_line")
TABLES = {
    "team_offense_game_summary": ("game_id", "team_abbr", "pace", "season_year", "processed_at"),
    "team_defense_game_summary": ("game_id", "defending_team_abbr", "defensive_rating", "season_year", "processed_at"),
    "injury_reports": REPORT_COLUMNS,
    "game_lines": GAME_LINE_COLUMNS,
    "player_props": PROP_COLUMNS,
}
# A star: ten games or more, and over the last ten so many points a game, or so many minutes and points.
STAR_GAMES, STAR_POINTS, STAR_MINUTES, STAR_MINUTES_POINTS = 10, 18, 28, 12
USAGE_PER_STAR = 5  # percent more of the ball for each star out; ours, no source has one
PHASES = ("early", "mid", "late", "playoffs")


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row."""
    fixtures = fixture_list(seen)
    stars = _stars_out(seen, rows)
    return {
        **PlayerLines(seen, rows).columns(),
        **FixtureLines(seen, rows, median=True).columns(),
        **_rest(seen, rows),
        **_recent_games(seen, rows),
        "season_phase": _phase(seen, rows),
        **_opposition(seen, rows),
        "star_teammates_out": nullable(stars, _known_out(seen).known[rows.team, rows.slot]),
        "projected_usage_rate": _projected_usage(seen, rows, stars),
        **_report(_known_out(seen), rows),
        "travel_miles": pa.array(fixtures.travel_miles(rows.team, rows.slot)),
        "time_zone_changes": pa.array(fixtures.time_zone_changes(rows.team, rows.slot)),
        "data_quality_tier": _tier(rows),
        "primary_source_used": _listed_by(seen, rows),
        "context_version": pa.repeat(VERSION, len(rows.slot)),
    }


def sources(seen: Observation, rows: Judgement) -> dict[str, Source]:
    """Fixture, both teams' pace, the opponent's defence, lines, and the newest injury report."""
    opponent = opponents(seen, rows.team, rows.slot)
    pace, defence = _pace(seen), _defence(seen)
    return {
        "schedule": fixture_source(seen, rows),
        "team_offense": form_source(pace, (rows.team, opponent), rows.slot),
        "team_defense": form_source(defence, (opponent,), rows.slot),
        "player_props": PlayerLines(seen, rows).source,
        "game_lines": FixtureLines(seen, rows, median=True).source,
        "injury_report": report_source(seen, rows, _known_out(seen)),
    }


def _known_out(seen: Observation) -> Availability:
    assert seen.availability is not None
    return seen.availability


def rest(seen: Observation, entity: Ints, slot: Ints) -> dict[str, pa.Array]:
    """Days since the last game before each slot, and back-to-backs."""
    rhythm = _rhythm(seen)
    since, played = rhythm.days_rest(entity, slot)
    return {
        "days_rest": nullable(since, played),
        "back_to_back": pa.array(played & (since == 1)),
        "back_to_backs_last_14_days": pa.array(rhythm.back_to_backs(14, entity, slot)),
    }


def _rhythm(seen: Observation) -> Rhythm:
    return seen.once("rhythm", lambda: Rhythm(seen))


def _rest(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    rhythm = _rhythm(seen)
    before, twice = rhythm.days_rest_before_last_game(rows.entity, rows.slot)
    rested, ever = rhythm.days_since_rested(rows.entity, rows.slot)
    return {
        **rest(seen, rows.entity, rows.slot),
        "days_rest_before_last_game": nullable(before, twice),
        "days_since_2_plus_days_rest": nullable(rested, ever),
        **{
            f"prop_{name}_streak": nullable(streak, known)
            for name, (streak, known) in rhythm.line_streaks(rows.entity, rows.slot).items()
        },
    }


def load(seen: Observation, entity: Ints, slot: Ints, first: Mapping[int, Ints]) -> dict[str, pa.Array]:
    """Games and minutes before each slot; first: where the windows of 7 and of 14 days begin."""
    columns: dict[str, pa.Array] = {}
    for length, begin in first.items():
        (tenths,), known = seen.sample.sums(("minutes_played",), entity, begin, slot)
        columns[f"games_in_last_{length}_days"] = pa.array(seen.sample.count(entity, begin, slot))
        columns[f"minutes_in_last_{length}_days"] = pa.array(ratio(tenths, np.full_like(tenths, 10), 0)[0])
        if length == 7:
            columns["avg_minutes_per_game_last_7"] = decimals(*ratio(tenths, known, 0), 5, 1)
    return columns


def _recent_games(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    def sums(column: str, first: Ints) -> tuple[Longs, Longs]:
        (total,), known = seen.sample.sums((column,), rows.entity, first, rows.slot)
        return total, known

    columns = load(seen, rows.entity, rows.slot, {length: rows.windows[days(length)].first for length in (7, 14)})
    usage, known = sums("usage_rate", rows.windows[games(7)].first)
    columns["avg_usage_rate_last_7_games"] = decimals(*ratio(usage, known, 0), 5, 2)
    for length in (5, 10):
        points, known = sums("points", rows.windows[games(length)].first)
        columns[f"points_avg_last_{length}"] = quotient(points, known, 5, 1)
    return columns


def _phase(seen: Observation, rows: Judgement) -> pa.Array:
    calendar = seen.calendar
    month = rows.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    playoffs = calendar.playoffs[calendar.game_at[rows.team, rows.slot]]
    steps = [playoffs, np.isin(month, (10, 11)), np.isin(month, (12, 1, 2))]
    return choose(np.select(steps, [3, 0, 1], 2), PHASES)


def _pace(seen: Observation) -> Form:
    return team_form(seen, "team_offense_game_summary", "team_abbr")


def _defence(seen: Observation) -> Form:
    return team_form(seen, "team_defense_game_summary", "defending_team_abbr")


def paces(seen: Observation, team: Ints, slot: Ints) -> dict[str, pa.Array]:
    """Pace of each team and of the one it meets, over the last ten games of either."""
    pace = _pace(seen)
    (own,), own_games = pace.sums(("pace",), team, slot)
    (other,), other_games = pace.sums(("pace",), opponents(seen, team, slot), slot)
    return {
        "pace_differential": decimals(*ratio(own * other_games - other * own_games, own_games * other_games, 0), 5, 1),
        "opponent_pace_last_10": decimals(*ratio(other, other_games, 0), 5, 1),
    }


def _opposition(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """Pace of both teams, the opponent's defence and rest."""
    opponent = opponents(seen, rows.team, rows.slot)
    (rating,), rated = _defence(seen).sums(("defensive_rating",), opponent, rows.slot)
    since, played = fixture_list(seen).days_since(opponent, rows.slot)
    return {
        **paces(seen, rows.team, rows.slot),
        "opponent_def_rating_last_10": decimals(*ratio(rating, rated, 0), 6, 2),
        "opponent_days_rest": nullable(since, played),
    }


def _absent_stars(seen: Observation) -> Named:
    """Stars of any team who are known out or doubtful."""
    absent = _known_out(seen).absent(OUT, DOUBTFUL)
    form = Form(seen.calendar, seen.upstream, "player_lookup", seen.entities)
    (points,), scored = form.sums(("points",), absent.player, absent.slot)
    (tenths,), timed = form.sums(("minutes_played",), absent.player, absent.slot)
    star = (form.games(absent.player, absent.slot) >= STAR_GAMES) & (
        (points >= STAR_POINTS * scored)
        | ((timed > 0) & (tenths >= 10 * STAR_MINUTES * timed) & (points >= STAR_MINUTES_POINTS * scored))
    )
    return absent.where(star)


def _stars_out(seen: Observation, rows: Judgement) -> Longs:
    """Stars of the row's team who are known out or doubtful, himself not counted."""
    stars = seen.once("stars", lambda: _absent_stars(seen))
    of_team = stars.counted(*_known_out(seen).known.shape)[rows.team, rows.slot]
    himself = np.isin(pair(rows.entity, rows.slot), pair(stars.player, stars.slot))
    return (of_team - himself).astype(np.int64)


def _projected_usage(seen: Observation, rows: Judgement, stars: Longs) -> pa.Array:
    (usage,), known = seen.sample.sums(("usage_rate",), rows.entity, rows.windows[games(10)].first, rows.slot)
    return decimals(*ratio(usage * (100 + USAGE_PER_STAR * stars), 100 * known, 0), 5, 2)


def _report(known_out: Availability, rows: Judgement) -> dict[str, pa.Array]:
    """His own status, and how many team-mates are in doubt."""
    report = known_out.report
    place = places(pair(report.player, report.slot), pair(rows.entity, rows.slot), report.player >= 0)
    named = (place >= 0) & (report.team[place] == rows.team) if len(report.team) else place >= 0
    status = known_out.status[place] if len(report.team) else place
    reported = known_out.reported[rows.team, rows.slot]

    def others(wanted: int) -> pa.Array:
        counted = report.where(known_out.status == wanted).counted(*known_out.known.shape)[rows.team, rows.slot]
        himself = named & (status == wanted)
        return nullable((counted - himself).astype(np.int64), reported)

    return {
        "player_status": choose(np.where(named, status, -1), STATUSES),
        "injury_report": known_out.rows["reason"].combine_chunks().take(nullable(place, named)),
        "questionable_teammates": others(QUESTIONABLE),
        "probable_teammates": others(PROBABLE),
    }


def _tier(rows: Judgement) -> pa.Array:
    size = rows.windows[SEASON].actual
    return choose(np.select([size >= 10, size >= 5], [0, 1], 2), ("high", "medium", "low"))


def _listed_by(seen: Observation, rows: Judgement) -> pa.Array:
    assert seen.entrants is not None
    by_box: Bools = seen.entrants.by_box[rows.entity, rows.slot]
    return choose(np.where(by_box, 0, 1), ("box_scores", "rosters"))
