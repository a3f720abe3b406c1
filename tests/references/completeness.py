"""Which games an entity owes before a day, which of them are there, and the verdict: domain sections 3 and 5.

Each table of the five is told its windows, its gates and its words here, once more and by hand.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from tests.references.league import MLFS, PCF, PDC, PSZA, TDZA, UPGC, UTGC, Game, League, Row

# Domain 3.2; `l10` is ten games, `l7d` seven days. The first is the primary one.
WINDOWS = {
    UTGC: ("l14d", "l7d"),
    UPGC: ("l30d", "l5", "l10", "l7d", "l14d"),
    PDC: ("l10", "l5", "l7d", "l14d"),
    PCF: ("l10",),
    MLFS: ("l10",),
}
# Domain 4.3.
HELD_BACK = {
    UPGC: "incomplete_multi_window_data",
    PDC: "incomplete_upstream_data_multi_window",
    PCF: "incomplete_own_data",
    MLFS: "incomplete_own_data",
}
SYNTHETIC = "synthetic_pgs"
# A column that is null on held-back rows only.
COMPUTED = {
    UTGC: "game_number_in_season",
    UPGC: "games_in_last_7_days",
    PDC: "games_played_season",
    PCF: "fatigue_score",
    MLFS: "feature_count",
    PSZA: "games_in_sample_10",
    TDZA: "games_in_sample",
}


# What is owed


@dataclass(frozen=True)
class Owed:
    """A game of the schedule that an entity must have (or is excused from), and whether it does."""

    game: Game
    required: bool
    present: bool


def owed_by_team(league: League, season: str, team: str, day: dt.date) -> list[Owed]:
    """A team must have every game of the season before the day, oldest first; there: its defense is summarised."""
    return [
        Owed(game, required=True, present=(game.game_id, team) in league.defense)
        for game in league.team_games(season, team, day)
    ]


@lru_cache(maxsize=1024)  # four tables ask it of everybody on a day
def owed_by_player(league: League, season: str, player: str, day: dt.date) -> tuple[Owed, ...]:
    """The games of the teams he belonged to, oldest first (decisions 2 and 3).

    He is excused where he did not play, if he is named as not playing or the team's game is whole.
    """
    owed = []
    listings = league.listings(season, player, day)
    for number, (since, team) in enumerate(listings):
        until = listings[number + 1][0] if number + 1 < len(listings) else day
        for game in league.team_games(season, team, until, since):
            listing = league.box.get((game.game_id, team), {}).get(player)
            played = listing is not None and listing.played
            excused = not played and (league.is_whole(game, team) or league.is_listed(player, game, team))
            owed.append(Owed(game, not excused, played and (player, game.game_id) in league.summarised))
    return tuple(owed)


# Windows


@dataclass(frozen=True)
class Count:
    """One window's required, excused and present games.

    Decision 7: a window of excused games only counts as 100; one without any game is neither complete nor not.
    """

    expected: int
    excused: int
    actual: int
    missing: tuple[Game, ...]

    @property
    def percentage(self) -> Fraction | None:
        if not self.expected:
            return Fraction(100) if self.excused else None
        return Fraction(100 * self.actual, self.expected)

    @property
    def complete(self) -> bool | None:
        return 10 * self.actual >= 9 * self.expected if self.expected or self.excused else None


def window(owed: Sequence[Owed], name: str, day: dt.date) -> list[Owed]:
    """The part of the earlier games that a window holds, oldest first (decision 1, domain 3.3)."""
    if name.endswith("d"):
        length = int(name[1:-1])
        return [item for item in owed if item.game.day >= day - dt.timedelta(days=length)]
    length, required = int(name[1:]), 0
    for start in range(len(owed) - 1, -1, -1):
        required += owed[start].required
        if required == length:
            return list(owed[start:])
    return list(owed)  # the season starts before the window is full


def count(items: Sequence[Owed]) -> Count:
    required = [item for item in items if item.required]
    present = [item for item in required if item.present]
    missing = tuple(item.game for item in required if not item.present)
    return Count(len(required), len(items) - len(required), len(present), missing)


def last_games(games: Sequence[Row], owed: Sequence[Owed], length: int, day: dt.date) -> list[Row]:
    """Of a player's games, those that are among the last `length` required ones, oldest first."""
    within = {item.game.game_id for item in window(owed, f"l{length}", day) if item.required}
    return [row for row in games if row["nba_game_id"] in within]


# Verdicts


@dataclass(frozen=True)
class SomeText:
    """Stands for a text that is not predicted, such as a hash: anything but null."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an entity on a day: the completeness columns, and whether the figures are computed."""

    excluded: str | None
    computed: bool
    columns: Mapping[str, Any]


def judge(
    league: League,
    table: str,
    day: dt.date,
    owed: Sequence[Owed],
    flags: Mapping[str, bool] | None = None,
    upstream_issues: Sequence[str] = (),
    synthetic: Sequence[str] = (),
) -> Verdict:
    """The verdict of one entity and day.

    flags: the hard upstreams' readiness by column name.  upstream_issues: names for upstream_<name>_incomplete.
    synthetic: names for upstream_<name>_synthetic.
    """
    counts = {name: count(window(owed, name, day)) for name in WINDOWS[table]}
    primary = counts[WINDOWS[table][0]]
    excluded = None
    if not any(one.expected for one in counts.values()):
        excluded = "all_games_excused" if any(one.excused for one in counts.values()) else "no_expected_games"
    complete = all(one.complete is not False for one in counts.values())
    hard = dict(flags or {})
    bootstrap = league.is_bootstrap(day)
    missing = sorted({game for one in counts.values() for game in one.missing}, key=lambda game: game.day)

    sample = count(window(owed, "l10", day)).actual
    computed = complete or table == UTGC or (bootstrap and sample > 0)
    ready = complete and all(hard.values())
    if ready:
        reason = "processed_successfully"
    elif computed:
        reason = "bootstrap_mode_allowed" if bootstrap else "processed_with_incomplete_upstream"
    else:
        reason = HELD_BACK[table]

    issues = ["own_data_incomplete"] if missing else []
    issues += [f"upstream_{name}_incomplete" for name in upstream_issues]
    issues += [f"upstream_{name}_synthetic" for name in synthetic]
    thin = table != UTGC and sample < 10
    columns: dict[str, Any] = {
        "expected_games_count": primary.expected,
        "actual_games_count": primary.actual,
        "completeness_percentage": primary.percentage,
        "missing_games_count": primary.expected - primary.actual,
        "is_production_ready": ready,
        "data_quality_issues": sorted(issues),
        "season_boundary_detected": day.month in (10, 11, 4),
        "backfill_bootstrap_mode": bootstrap,
        "processing_decision_reason": reason,
        "dnp_games_count": primary.excused,
        "gap_classification": "DATA_GAP" if missing else "NO_GAP",
        "missing_game_ids": [game.canonical_id for game in missing],
        "missing_nba_game_ids": [game.game_id for game in missing],
        "early_season_flag": thin,
        "insufficient_data_reason": f"sample of {sample} games, 10 expected" if thin else None,
        "data_hash": SomeText() if computed else None,
        **hard,
    }
    if len(counts) > 1:
        for name, one in counts.items():
            columns[f"{name}_completeness_pct"] = one.percentage
            columns[f"{name}_is_complete"] = one.complete
        columns["all_windows_complete"] = complete
    return Verdict(excluded, computed, columns)


# Upstream rows


def ready(row: Row | None) -> bool:
    return row is not None and bool(row["is_production_ready"])


def made_up(upstreams: Mapping[str, Row | None]) -> list[str]:
    """The names of those whose row is no published one, but a synthetic context."""
    return [name for name, row in upstreams.items() if row and row.get("primary_source_used") == SYNTHETIC]


def figures(table: str, row: Row | None) -> Row:
    """The row if it is computed, ready or flagged; nothing if it is held back or missing."""
    return row if row is not None and row[COMPUTED[table]] is not None else {}


def lineage(name: str, found: int, expected: int | None = None) -> Row:
    """The predictable part of source_<name>_…; expected: rows that should have been there."""
    columns: Row = {f"source_{name}_rows_found": found, f"source_{name}_hash": SomeText() if found else None}
    if expected is not None:
        columns[f"source_{name}_completeness_pct"] = Fraction(100 * found, expected) if expected else None
    return columns
