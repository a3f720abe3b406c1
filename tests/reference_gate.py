"""The completeness gate once more, slow and obvious: the product's kernel is compared with this, cell by cell.

The rules, in our own words (decisions.md 1-8 and 10):

Knowledge.  What is said about D rests on games dated before D and on the rows that name them, nothing else; only
    *that* D is a game day, and which teams the season has, comes from the fixtures.  `_known_before` is the only door.
Games.  A game counts when it is final with both scores, or still scheduled: a schedule row gone stale lowers
    completeness instead of hiding.  Postponed, cancelled and scoreless final games are as if they did not exist, and
    so are rows that name them.
Teams.  Every counted game of the team is required, nothing is excused, an upstream row makes it present.
Listings.  A player is listed for a team by a box row (played or not), an inactive entry or an upstream row, in a game
    that this team plays in.
Stints.  He belongs to a team from his first listing for it until the day before his first listing for another; the
    latest stint stays open; coming back begins a new one.  Listed for several teams on one day: those he played for
    come first, then those he did not belong to the day before, then the last in the alphabet.
Candidates.  From his first listing on, the games of the team he belonged to on the day of the game.
Whole.  A team-game is whole when it is final and its distinct players' points add up to the schedule's score.
Excused.  Not upstream, not played according to the team's box, and either the team-game is whole or the box or the
    inactive list says that he did not play.  Every other candidate is required; required and not upstream is missing.
Windows.  games(N) walks back from D until it holds N required games or runs out, and passes over the excused ones on
    its way.  days(N) is [D-N, D-1].
Verdict.  A window is ready when 1000 x actual >= threshold x expected; one that expects nothing is neutral.  Nothing
    expected anywhere: excluded, `all_games_excused` if something was excused, else `no_expected_games`.  All ready:
    ready.  Otherwise, in the season's first 30 days and with a game present in some window: flagged; else incomplete.
Who.  Teams: all, on every game day.  Players: those listed before D, unless ten whole games of their team lie
    between their last listing and D.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fullcourt.domain.windows import Span, Window

BOOTSTRAP_DAYS = 30
UNLISTED_GAMES = 10


@dataclass(frozen=True)
class Game:
    """One row of the schedule, already one per game_id; `day` is an ordinal, status as the schedule has it now."""

    game_id: str
    nba_game_id: str | None
    day: int
    home: str
    away: str
    status: str = "final"  # or scheduled, postponed, cancelled
    home_score: int | None = None
    away_score: int | None = None

    @property
    def teams(self) -> tuple[str, str]:
        return self.home, self.away

    @property
    def counts(self) -> bool:
        if self.status == "final":
            return self.home_score is not None and self.away_score is not None
        return self.status == "scheduled"

    def score(self, team: str) -> int | None:
        return self.home_score if team == self.home else self.away_score


@dataclass(frozen=True)
class BoxRow:
    """A player's line in the raw gamebook, played or not."""

    player: str
    game_id: str
    team: str
    played: bool
    points: int | None = None


@dataclass(frozen=True)
class Inactive:
    player: str
    game_id: str
    team: str


@dataclass(frozen=True)
class Upstream:
    """A row of player_game_summary (entity: player) or team_defense_game_summary (entity: the team itself)."""

    entity: str
    game_id: str
    content: int
    team: str


def _refuse_repeats(what: str, values: Iterable[object]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise ValueError(f"more than one {what}: {value}")
        seen.add(value)


@dataclass(frozen=True)
class Season:
    """A league-season; rows may be doubled, missing, or name a game that is not on the schedule."""

    games: tuple[Game, ...]
    box: tuple[BoxRow, ...] = ()
    inactives: tuple[Inactive, ...] = ()
    player_summaries: tuple[Upstream, ...] = ()
    team_summaries: tuple[Upstream, ...] = ()

    def __post_init__(self) -> None:
        """Refuses schedules that ingest would have de-duplicated, and what the NBA does not know."""
        counted = [game for game in self.games if game.counts]
        _refuse_repeats("game_id on the schedule", [game.game_id for game in self.games])
        _refuse_repeats("league id among counted games", [g.nba_game_id for g in counted if g.nba_game_id is not None])
        _refuse_repeats("counted game of a team in a day", [(g.day, team) for g in counted for team in g.teams])
        for game in counted:
            if game.status == "final" and min(game.home_score or 0, game.away_score or 0) <= 0:
                raise ValueError(f"a final score is positive: {game}")


@dataclass(frozen=True)
class Counts:
    """What one window of one entity holds; missing: game ids, oldest first."""

    expected: int
    excused: int
    actual: int
    missing: tuple[str, ...] = ()

    @property
    def pct(self) -> float | None:
        return 100 * self.actual / self.expected if self.expected else None

    def ready(self, threshold: int) -> bool:
        return 1000 * self.actual >= threshold * self.expected


@dataclass(frozen=True)
class Judgement:
    """verdict: ready, flagged, incomplete or excluded; reason: why it was excluded, else empty."""

    verdict: str
    reason: str
    windows: dict[Window, Counts]


PRESENT, MISSING, EXCUSED = "present", "missing", "excused"
# An entity's candidate games, oldest first, each with one of the three states above.
History = list[tuple[Game, str]]


def judge_teams(
    season: Season, windows: Sequence[Window], threshold: int = 900, *, days: Iterable[int] | None = None
) -> dict[tuple[str, int], Judgement]:
    """Every team on every game day (or on the given ones)."""
    teams = sorted({team for game in season.games if game.counts for team in game.teams})
    judgements = {}
    for day in _days(season, days):
        known = _known_before(season, day)
        for team in teams:
            history = _team_history(known, team)
            judgements[team, day] = _judge(history, day, _season_start(season), windows, (), threshold)
    return judgements


def judge_players(
    season: Season,
    windows: Sequence[Window],
    trend_windows: Sequence[Window] = (),
    threshold: int = 900,
    *,
    days: Iterable[int] | None = None,
) -> dict[tuple[str, int], Judgement]:
    """Every player who gets a row, on every game day (or on the given ones)."""
    judgements = {}
    for day in _days(season, days):
        known = _known_before(season, day)
        whole = _whole_team_games(known)
        for player, listings in _listings_by_player(known).items():
            stays = _team_by_listing_day(listings)
            if _gone(known, stays, whole):
                continue
            history = _player_history(known, player, stays, whole)
            judgements[player, day] = _judge(history, day, _season_start(season), windows, trend_windows, threshold)
    return judgements


def present_games(season: Season, day: int) -> dict[str, list[tuple[Game, str]]]:
    """Each player's games up to and including the day that have an upstream row, and his team in each; oldest first."""
    known = _known_before(season, day + 1)
    whole = _whole_team_games(known)
    there = {}
    for player, listings in _listings_by_player(known).items():
        stays = _team_by_listing_day(listings)
        history = _player_history(known, player, stays, whole)
        there[player] = [(game, _team_on(stays, game.day) or "") for game, state in history if state == PRESENT]
    return there


def game_days(season: Season) -> list[int]:
    """The days that get rows: those with a counted game."""
    return sorted({game.day for game in season.games if game.counts})


# Knowledge


def _known_before(season: Season, day: int) -> Season:
    """The season as far as it may matter on `day`: counted games dated earlier, and the rows that name them."""
    games = tuple(game for game in season.games if game.counts and game.day < day)
    ids = {game.game_id for game in games}
    return Season(
        games=tuple(sorted(games, key=lambda game: game.day)),
        box=tuple(row for row in season.box if row.game_id in ids),
        inactives=tuple(row for row in season.inactives if row.game_id in ids),
        player_summaries=tuple(row for row in season.player_summaries if row.game_id in ids),
        team_summaries=tuple(row for row in season.team_summaries if row.game_id in ids),
    )


def _days(season: Season, days: Iterable[int] | None) -> list[int]:
    return game_days(season) if days is None else sorted(set(days) & set(game_days(season)))


def _season_start(season: Season) -> int:
    return game_days(season)[0]


# Teams


def _team_history(known: Season, team: str) -> History:
    present = {row.game_id for row in known.team_summaries if row.entity == team}
    own_games = [game for game in known.games if team in game.teams]
    return [(game, PRESENT if game.game_id in present else MISSING) for game in own_games]


# Players


@dataclass(frozen=True)
class _Listing:
    day: int
    team: str
    played: bool


def _listings_by_player(known: Season) -> dict[str, list[_Listing]]:
    game_of = {game.game_id: game for game in known.games}
    named = [(row.player, row.game_id, row.team, row.played) for row in known.box]
    named += [(row.player, row.game_id, row.team, False) for row in known.inactives]
    named += [(row.entity, row.game_id, row.team, False) for row in known.player_summaries]
    listings: dict[str, list[_Listing]] = {}
    for player, game_id, team, played in named:
        game = game_of[game_id]
        if team in game.teams:
            listings.setdefault(player, []).append(_Listing(game.day, team, played))
    return listings


def _team_by_listing_day(listings: list[_Listing]) -> list[tuple[int, str]]:
    """(day, team he belongs to from then on) for each day with a listing, ascending."""
    stays: list[tuple[int, str]] = []
    for day in sorted({listing.day for listing in listings}):
        listed_for = {listing.team for listing in listings if listing.day == day}
        played_for = {listing.team for listing in listings if listing.day == day and listing.played}
        team_before = {stays[-1][1]} if stays else set()
        teams = played_for or listed_for
        teams = teams - team_before or teams
        stays.append((day, max(teams)))
    return stays


def _team_on(stays: list[tuple[int, str]], day: int) -> str | None:
    """The team he belongs to on a day; None before his first listing."""
    team = None
    for listing_day, listing_team in stays:
        if listing_day <= day:
            team = listing_team
    return team


def _whole_team_games(known: Season) -> set[tuple[str, str]]:
    """(game_id, team) of final games whose distinct players' points add up to the schedule's score."""
    points: dict[tuple[str, str], dict[str, int]] = {}
    for row in known.box:
        of_team = points.setdefault((row.game_id, row.team), {})
        of_team[row.player] = max(of_team.get(row.player, 0), row.points or 0)
    whole = set()
    for game in known.games:
        for team in game.teams:
            total = sum(points.get((game.game_id, team), {}).values())
            if game.status == "final" and total == game.score(team):
                whole.add((game.game_id, team))
    return whole


def _gone(known: Season, stays: list[tuple[int, str]], whole: set[tuple[str, str]]) -> bool:
    """Unlisted in ten or more whole games of his team since he was last listed."""
    last_listed, team = stays[-1]
    since = [game for game in known.games if game.day > last_listed and (game.game_id, team) in whole]
    return len(since) >= UNLISTED_GAMES


def _player_history(known: Season, player: str, stays: list[tuple[int, str]], whole: set[tuple[str, str]]) -> History:
    upstream = {row.game_id for row in known.player_summaries if row.entity == player}
    played = {(row.game_id, row.team) for row in known.box if row.player == player and row.played}
    said_out = {(row.game_id, row.team) for row in known.box if row.player == player and not row.played}
    said_out |= {(row.game_id, row.team) for row in known.inactives if row.player == player}
    history = []
    for game in known.games:
        team = _team_on(stays, game.day)
        if team not in game.teams:
            continue
        team_game = (game.game_id, team)
        if game.game_id in upstream:
            state = PRESENT
        elif team_game not in played and (team_game in whole or team_game in said_out):
            state = EXCUSED
        else:
            state = MISSING
        history.append((game, state))
    return history


# Windows and verdict


def _count(history: History, window: Window, day: int) -> Counts:
    """Walks back from the newest game; history holds games before `day` only."""
    required: History = []
    excused = 0
    for game, state in reversed(history):
        if window.span is Span.GAMES and len(required) == window.length:
            break
        if window.span is Span.DAYS and game.day < day - window.length:
            break
        if state == EXCUSED:
            excused += 1
        else:
            required.append((game, state))
    missing = tuple(game.game_id for game, state in reversed(required) if state == MISSING)
    return Counts(expected=len(required), excused=excused, actual=len(required) - len(missing), missing=missing)


def _judge(
    history: History,
    day: int,
    season_start: int,
    windows: Sequence[Window],
    trend_windows: Sequence[Window],
    threshold: int,
) -> Judgement:
    """The gate's verdict alone: no breaker, no upstream processors.  Trend windows never gate and never exclude."""
    counts = {window: _count(history, window, day) for window in (*windows, *trend_windows)}
    gating = [counts[window] for window in windows]
    if all(count.expected == 0 for count in gating):
        any_excused = any(count.excused > 0 for count in gating)
        return Judgement("excluded", "all_games_excused" if any_excused else "no_expected_games", counts)
    if all(count.ready(threshold) for count in gating if count.expected > 0):
        return Judgement("ready", "", counts)
    in_bootstrap = 0 <= day - season_start < BOOTSTRAP_DAYS
    if in_bootstrap and any(count.actual > 0 for count in counts.values()):
        return Judgement("flagged", "", counts)
    return Judgement("incomplete", "", counts)
