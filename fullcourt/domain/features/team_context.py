"""upcoming_team_game_context: what is known of a team before a fixture (domain section 6.7)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.availability import DOUBTFUL, OUT, QUESTIONABLE, REPORT_COLUMNS, Availability, availability
from fullcourt.domain.columns import codes
from fullcourt.domain.features.fixture_list import fixture_list
from fullcourt.domain.features.form import Form
from fullcourt.domain.features.market import GAME_LINE_COLUMNS, FixtureLines
from fullcourt.domain.features.sources import Source, fixture_source, report_source
from fullcourt.domain.features.zones import choose
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Ints, Longs, nullable, times
from fullcourt.domain.observation import Observation
from fullcourt.domain.rosters import GameRows

READS = ("game_id", "defending_team_abbr")
TABLES = {
    "nbac_gamebook_player_stats": ("game_id", "team_abbr", "player_lookup", "season_year"),
    "inactive_lists": ("game_id", "team_abbr", "player_lookup", "season_year"),
    "player_game_summary": ("game_id", "player_lookup", "starter_flag", "season_year", "processed_at"),
    "injury_reports": REPORT_COLUMNS,
    "game_lines": GAME_LINE_COLUMNS,
}
STARTER_SHARE = 2  # a starter started at least one in two of his last ten games


def compute(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """One value a row: the team's rest, streaks, travel, lines, and who it misses."""
    team, slot = rows.team, rows.slot
    fixtures = fixture_list(seen)
    since, played = fixtures.days_since(team, slot)
    back_to_back = pa.array(played & (since == 1))
    streak, (margin, _) = fixtures.streak(team, slot), fixtures.last_margin(team, slot)
    lines = FixtureLines(seen, rows, median=False)
    known_out = _known_out(seen)
    return {
        "days_since_last_game": nullable(since, played),
        "team_days_rest": nullable(since - 1, played),
        "is_back_to_back": back_to_back,
        "team_back_to_back": back_to_back,
        "game_number_in_season": pa.array(fixtures.finals(team, slot) + 1),
        "games_in_last_7_days": pa.array(fixtures.finals_in_days(7, team, slot)),
        "games_in_last_14_days": pa.array(fixtures.finals_in_days(14, team, slot)),
        "team_win_streak_entering": pa.array(np.maximum(streak, 0)),
        "team_loss_streak_entering": pa.array(np.maximum(-streak, 0)),
        "last_game_margin": nullable(margin, played),
        "last_game_result": choose(np.where(played, (margin < 0).astype(np.int32), -1), ("W", "L")),
        "travel_miles": pa.array(fixtures.travel_miles(team, slot)),
        **lines.columns(),
        "betting_lines_updated_at": times(lines.newest),
        **_absences(seen, known_out, team, slot),
    }


def sources(seen: Observation, rows: Judgement) -> dict[str, Source]:
    """The fixture, the lines on it, and the newest injury report."""
    return {
        "schedule": fixture_source(seen, rows),
        "game_lines": FixtureLines(seen, rows, median=False).source,
        "injury_report": report_source(seen, rows, _known_out(seen)),
    }


def _names(seen: Observation) -> pa.Array:
    """Every player with a game, whose starts can be counted."""
    return pc.unique(seen.tables.more["player_game_summary"]["player_lookup"].cast(pa.string()))


def _known_out(seen: Observation) -> Availability:
    return seen.once("availability", lambda: _availability(seen))


def _availability(seen: Observation) -> Availability:
    calendar, more, names = seen.calendar, seen.tables.more, _names(seen)

    def listed(table: str) -> GameRows:
        rows = more[table]
        team = codes(rows["team_abbr"], pa.array(calendar.teams))
        return GameRows(codes(rows["player_lookup"], names), codes(rows["game_id"], calendar.game_ids), team)

    box, inactive = listed("nbac_gamebook_player_stats"), listed("inactive_lists")
    return availability(calendar, names, box, inactive, more["injury_reports"])


def _absences(seen: Observation, known_out: Availability, team: Ints, slot: Ints) -> dict[str, pa.Array]:
    """How many starters are out, and how many players are in doubt; null where nothing says."""
    shape = known_out.known.shape
    absent = known_out.absent(OUT)
    form = Form(seen.calendar, seen.tables.more["player_game_summary"], "player_lookup", _names(seen))
    (starts,), known = form.sums(("starter_flag",), absent.player, absent.slot)
    games = form.last_10(absent.player, absent.slot).actual
    starter = (games > 0) & (STARTER_SHARE * starts >= games) & (known > 0)
    starters_out = absent.where(starter).counted(*shape)[team, slot]
    doubtful = known_out.report.where(np.isin(known_out.status, (QUESTIONABLE, DOUBTFUL))).counted(*shape)[team, slot]
    told = known_out.known[team, slot]

    def count(values: Ints) -> pa.Array:
        longs: Longs = values.astype(np.int64)
        return nullable(longs, told)

    return {"starters_out_count": count(starters_out), "questionable_players_count": count(doubtful)}
