"""Hypothesis strategies for small league-seasons in which everything goes wrong that the gate must survive.

A season is planned from short patterns that repeat (what happens to games, to team-games, to a player), so a few
draws fill a dense season, and the simplest draw is a season without defects: one game a day, all played and whole.
Scores are what the players truly scored; a row lost afterwards is what makes a team-game partial.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.reference_gate import BoxRow, Game, Inactive, Season, Upstream, game_days

TRICODES = ("BOS", "ATL", "LAL", "CHI", "GSW", "DEN")  # not in alphabetical order, for the tie on a day of two teams
OPENING_NIGHT = date(2023, 10, 24).toordinal()
MAX_GAME_DAYS = 25
MAX_PLAYERS = 6  # besides one regular per team, who is in every box and makes scores positive

Row = TypeVar("Row", BoxRow, Inactive, Upstream)

# What happens to a game; all but the last two count.
FINAL, STALE, MOVED, POSTPONED, NO_SCORES = "final", "stale", "moved", "postponed", "no_scores"
# What happens to a team's rows of a game.
FINE, LOST, LOST_RAW, PARTIAL, NO_SUMMARIES, NO_TEAM_SUMMARY, DOUBLED, SCORE_OFF = range(8)
# What happens to a player in a game of his team: (box row: played, not played or none; inactive; summary; truly played)
ROLES = {
    "played": (True, False, True, True),
    "dnp": (False, False, False, False),
    "inactive": (None, True, False, False),
    "unlisted": (None, False, False, False),
    "summary_missing": (True, False, False, True),
    "all_missing": (None, False, False, True),
    "box_missing": (None, False, True, True),
    "dnp_with_summary": (False, False, True, False),
    "inactive_with_summary": (None, True, True, False),
    "played_yet_inactive": (True, True, False, True),
    "dnp_and_inactive": (False, True, False, False),
}


def game_id(day: int, home: str, away: str) -> str:
    """YYYYMMDD_AWAY_HOME."""
    return f"{date.fromordinal(day):%Y%m%d}_{away}_{home}"


@dataclass(frozen=True)
class Phase:
    """So many league days with a team (None: nowhere)."""

    team: str | None
    days: int


@dataclass(frozen=True)
class Career:
    """Phases in order, the last one open; roles (with points if he truly played) repeat over his games.

    also: repeats over the league's days: the other team that lists him too, and how.
    """

    player: str
    phases: tuple[Phase, ...]
    roles: tuple[tuple[str, int], ...]
    also: tuple[tuple[str, str] | None, ...] = (None,)

    def team_on(self, day_number: int) -> str | None:
        """His team on the n-th league day, from 0."""
        for phase in self.phases[:-1]:
            if day_number < phase.days:
                return phase.team
            day_number -= phase.days
        return self.phases[-1].team


@dataclass
class _Rows:
    """A season while it is being filled."""

    box: list[BoxRow] = field(default_factory=list)
    inactives: list[Inactive] = field(default_factory=list)
    player_summaries: list[Upstream] = field(default_factory=list)
    team_summaries: list[Upstream] = field(default_factory=list)

    def add(self, player: str, game: Game, team: str, role: str, points: int) -> None:
        box, inactive, summary, _ = ROLES[role]
        if box is not None:
            self.box.append(BoxRow(player, game.game_id, team, box, points if box else None))
        if inactive:
            self.inactives.append(Inactive(player, game.game_id, team))
        if summary:
            self.player_summaries.append(Upstream(player, game.game_id, points, team))


def _at(pattern: Sequence[Any], index: int) -> Any:
    return pattern[index % len(pattern)]


def _patterns(usual: Any, others: Iterable[Any], max_size: int) -> st.SearchStrategy[list[Any]]:
    """Repeating patterns: a third of them just the usual, in the rest it is as likely as all others together."""
    others = list(others)
    mixed = st.lists(st.sampled_from([usual] * len(others) + others), min_size=1, max_size=max_size)
    return st.sampled_from((True, False, False)).flatmap(lambda calm: st.just([usual]) if calm else mixed)


# Calendar


def _pairings(teams: Sequence[str], round_number: int) -> list[tuple[str, str]]:
    """One round by the circle method: no team twice."""
    seats: list[str | None] = [*teams, None] if len(teams) % 2 else list(teams)
    turn = round_number % (len(seats) - 1)
    seats = seats[:1] + seats[1 + turn :] + seats[1 : 1 + turn]
    half = len(seats) // 2
    pairs = zip(seats[:half], reversed(seats[half:]), strict=True)
    return [(home, away) for home, away in pairs if home and away]


@st.composite
def _calendars(draw: st.DrawFn, teams: Sequence[str]) -> tuple[list[Game], list[str]]:
    """Games, all final with scores of one to each side still to be set, and what happens to each."""
    gaps = st.sampled_from((1, 1, 2, 3, 1, 8, 1, 31))
    rounds = st.integers(0, 2 * len(teams) - 1)
    fewest = draw(st.sampled_from((1, 8, 20, 24)))
    plan = draw(st.lists(st.tuples(gaps, rounds, st.integers(0, 2)), min_size=fewest, max_size=MAX_GAME_DAYS))
    kinds = draw(_patterns(FINAL, (STALE, MOVED, POSTPONED, NO_SCORES), 9))
    games: list[Game] = []
    fates: list[str] = []
    day = OPENING_NIGHT - plan[0][0]
    for gap, round_number, games_off in plan:
        day += gap
        pairs = _pairings(teams, round_number // 2)
        for home, away in pairs[: max(1, len(pairs) - games_off)]:
            if round_number % 2:
                home, away = away, home
            fates.append(_at(kinds, len(games)) if games else FINAL)  # so there is always a game day
            games.append(Game(game_id(day, home, away), f"00223{len(games):05d}", day, home, away, "final", 1, 1))
    return games, fates


def _settle(games: list[Game], fates: list[str]) -> tuple[list[Game], list[Game]]:
    """(games that are played, schedule rows of games that are not); a moved game goes to both teams' next free day."""
    played = [game for game, fate in zip(games, fates, strict=True) if fate in (FINAL, STALE)]
    unplayed = []
    busy = {(game.day, team) for game in played for team in game.teams}
    taken = {game.game_id for game in games}
    for game, fate in zip(games, fates, strict=True):
        if fate == NO_SCORES:
            unplayed.append(replace(game, home_score=None, away_score=None))
        if fate in (POSTPONED, MOVED):
            unplayed.append(replace(game, status="postponed", home_score=None, away_score=None))
        if fate == MOVED:
            day = game.day + 1
            while any((day, team) in busy for team in game.teams) or game_id(day, game.home, game.away) in taken:
                day += 1
            busy |= {(day, team) for team in game.teams}
            played.append(replace(game, game_id=game_id(day, game.home, game.away), day=day))
    return sorted(played, key=lambda game: (game.day, game.game_id)), unplayed


# Players


def _careers(player: str, teams: Sequence[str]) -> st.SearchStrategy[Career]:
    phase = st.builds(Phase, st.sampled_from([*teams, None]), st.integers(1, 14))
    phases = st.lists(phase, min_size=1, max_size=4).map(tuple)
    stay = st.builds(Phase, st.sampled_from(teams), st.integers(1, 4))
    absence = st.builds(Phase, st.none(), st.integers(9, 18))  # about as long as rows go on for the unlisted
    also = [(team, role) for team in teams for role in ROLES]
    usual = [("played", 2)] * len(ROLES)
    roles = st.sampled_from([*usual, *((role, points) for role in ROLES for points in (0, 1))])
    return st.builds(
        Career,
        st.just(player),
        phases | st.tuples(stay, absence, stay),
        st.lists(roles, min_size=1, max_size=7).map(tuple),
        _patterns(None, also, 5).map(tuple),
    )


def _regular(team: str) -> Career:
    """In every box of his team: without him a team-game is partial, with him alone it can be whole."""
    return Career(f"{team.lower()}regular", (Phase(team, 1),), (("played", 3),))


@st.composite
def _strays(draw: st.DrawFn, players: Sequence[str], teams: Sequence[str], games: Sequence[Game]) -> Callable[..., Any]:
    """Rows out of place: any player, any team (even one that does not play), any game (even none that exists)."""
    stray_game = Game("20240101_XXX_YYY", None, OPENING_NIGHT, "YYY", "XXX")
    where = st.sampled_from([*games, stray_game])
    one = st.tuples(st.sampled_from(players), where, st.sampled_from(teams), st.sampled_from(list(ROLES)))
    strays = draw(st.lists(one, max_size=6, unique_by=lambda stray: (stray[0], stray[1].game_id, stray[2])))

    def add(rows: _Rows) -> None:
        for player, game, team, role in strays:
            if not any(row.player == player and row.game_id == game.game_id and row.team == team for row in rows.box):
                rows.add(player, game, team, role, 0)

    return add


def _fill_team_game(rows: _Rows, game: Game, team: str, cast: list[tuple[str, str, int]], fate: int) -> int:
    """Adds the rows of one team-game, as far as its fate leaves them, and returns the team's score."""
    own = _Rows()
    for player, role, points in cast:
        own.add(player, game, team, role, points)
    if fate != NO_TEAM_SUMMARY:
        own.team_summaries.append(Upstream(team, game.game_id, game.day, team))
    if fate in (LOST, LOST_RAW):
        own.box, own.inactives = [], []
    if fate in (LOST, NO_SUMMARIES):
        own.player_summaries = []
    if fate == LOST:
        own.team_summaries = []
    if fate == PARTIAL:
        own.box = [row for row in own.box if not row.player.endswith("regular")]
    for _ in range(2 if fate == DOUBLED else 1):
        rows.box += own.box
        rows.inactives += own.inactives
        rows.player_summaries += own.player_summaries
        rows.team_summaries += own.team_summaries
    return sum(points for _, role, points in cast if ROLES[role][3]) + (fate == SCORE_OFF)


@st.composite
def seasons(draw: st.DrawFn) -> Season:
    """Small league-seasons: 2-6 teams, up to 25 game days (and makeup days), up to 12 players, every known defect."""
    teams = TRICODES[: draw(st.integers(2, 6))]
    games, fates = draw(_calendars(teams))
    stale = {game.nba_game_id for game, fate in zip(games, fates, strict=True) if fate == STALE}
    played, unplayed = _settle(games, fates)
    careers = [
        draw(_careers(f"player{number}", teams)) for number in range(1, draw(st.integers(0, MAX_PLAYERS)) + 1)
    ] + [_regular(team) for team in teams]
    team_fates = draw(_patterns(FINE, (LOST, LOST_RAW, PARTIAL, NO_SUMMARIES, NO_TEAM_SUMMARY, DOUBLED, SCORE_OFF), 11))
    add_strays = draw(_strays([career.player for career in careers], teams, [*played, *unplayed]))
    only_team = draw(st.sampled_from([None] * 20 + list(teams)))

    rows = _Rows()
    schedule = list(unplayed)
    league_days = sorted({game.day for game in played})
    appearances = dict.fromkeys((career.player for career in careers), 0)
    team_games = 0
    for game in played:
        scores = []
        for team in game.teams:
            cast = []
            for career in careers:
                day_number = league_days.index(game.day)
                also = _at(career.also, day_number)
                if career.team_on(day_number) == team:
                    cast.append((career.player, *_at(career.roles, appearances[career.player])))
                    appearances[career.player] += 1
                elif also and also[0] == team:
                    cast.append((career.player, also[1], 1))
            scores.append(_fill_team_game(rows, game, team, cast, _at(team_fates, team_games)))
            team_games += 1
        if game.nba_game_id in stale:
            known = scores if len(schedule) % 2 else (None, None)  # a stale row may carry a score all the same
            schedule.append(replace(game, status="scheduled", home_score=known[0], away_score=known[1]))
        else:
            schedule.append(replace(game, home_score=scores[0], away_score=scores[1]))
    add_strays(rows)
    season = Season(
        tuple(schedule),
        tuple(rows.box),
        tuple(rows.inactives),
        tuple(rows.player_summaries),
        tuple(rows.team_summaries),
    )
    return one_team_batch(season, only_team) if only_team else season


def one_team_batch(season: Season, team: str) -> Season:
    """The whole schedule, but only one team's rows: as when one team's file was loaded."""
    return replace(
        season,
        box=tuple(row for row in season.box if row.team == team),
        inactives=tuple(row for row in season.inactives if row.team == team),
        player_summaries=tuple(row for row in season.player_summaries if row.team == team),
        team_summaries=tuple(row for row in season.team_summaries if row.team == team),
    )


# Around a season


def days_of(season: Season) -> st.SearchStrategy[int]:
    """A game day D of the season."""
    return st.sampled_from(game_days(season))


@st.composite
def seasons_with_day(draw: st.DrawFn) -> tuple[Season, int]:
    season = draw(seasons())
    return season, draw(days_of(season))


@st.composite
def other_results_from(draw: st.DrawFn, season: Season, day: int) -> Season:
    """The same season with other results from `day` on: scores, final or not, played, points, upstream rows.

    The schedule's days and teams, what counts, and the box and inactive listings stay; equal rows stay equal.
    """
    later = {game.game_id for game in season.games if game.day >= day}
    scores = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=7))
    lines = draw(st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 9)), min_size=1, max_size=7))
    contents = draw(st.lists(st.none() | st.integers(100, 109), min_size=1, max_size=7))  # None: the row is gone

    games = []
    for index, game in enumerate(season.games):
        final, home, away = _at(scores, index)
        if game.game_id in later and game.counts:
            game = replace(
                game,
                status="final" if final else "scheduled",
                home_score=home if final else None,
                away_score=away if final else None,
            )
        games.append(game)
    box_at = _numbers(season.box)
    box = []
    for row in season.box:
        played, points = _at(lines, box_at[row])
        box.append(replace(row, played=played, points=points) if row.game_id in later else row)

    def summaries(rows: tuple[Upstream, ...]) -> tuple[Upstream, ...]:
        at = _numbers(rows)
        kept = [row for row in rows if row.game_id not in later or _at(contents, at[row]) is not None]
        return tuple(replace(r, content=_at(contents, at[r])) if r.game_id in later else r for r in kept)

    added = [Upstream(row.player, row.game_id, 110, row.team) for row in season.box if row.game_id in later]
    if not draw(st.booleans()):
        added = []
    return replace(
        season,
        games=tuple(games),
        box=tuple(box),
        player_summaries=(*summaries(season.player_summaries), *added),
        team_summaries=summaries(season.team_summaries),
    )


@st.composite
def reordered(draw: st.DrawFn, season: Season) -> Season:
    """The same season with its rows (not its games' number) in another order, and some of them once more."""
    random = draw(st.randoms(use_true_random=False))

    def shuffle(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        copies = random.sample(rows, random.randint(0, len(rows)))
        return tuple(random.sample(rows + tuple(copies), len(rows) + len(copies)))

    return Season(
        tuple(random.sample(season.games, len(season.games))),
        shuffle(season.box),
        shuffle(season.inactives),
        shuffle(season.player_summaries),
        shuffle(season.team_summaries),
    )


def teams_batches(season: Season) -> st.SearchStrategy[list[str]]:
    """Some of the season's teams, often one: a batch must not change what is said of a team in it."""
    teams = sorted({team for game in season.games if game.counts for team in game.teams})
    return st.lists(st.sampled_from(teams), min_size=1, max_size=len(teams), unique=True).map(sorted)


def _numbers(rows: Iterable[Row]) -> dict[Row, int]:
    """A number for each distinct row, in order of appearance."""
    return {row: number for number, row in enumerate(dict.fromkeys(rows))}
