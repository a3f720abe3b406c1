"""What reaches the landing directory of a simulated season, morning by morning: late, wrong, moved, or never.

Mornings are numbered as game days are: morning m is that of game day m, before its games.  The last one, m = number of
game days, is the morning after the season's last games.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.demo.landing import REGULAR, League
from fullcourt.demo.league import simulate
from fullcourt.domain.days import EASTERN
from tests.houses import rewrite

MORNING = dt.time(9)  # Eastern: the games of the day before are over, no report of the day is out
LATEST = 5  # mornings that box scores may come late
CORRECTED_AFTER = 2  # mornings after their first delivery
KEPT = 8  # game days whose files stay in the landing directory: longer than anything is late, wrong or out
RESULTS = {"player_boxscores": "player_boxscores", "team_boxscores": "team_boxscores", "shots": "shots-by-zone"} | {
    "inactives": "inactives"
}
LOST_BEFORE_END = 2  # game days: predictions after it rest on a day that a backfill refuses to compute
# A wrong count: the first leaves every total right, the second makes a team's points fall short of its score.
WRONG_COLUMNS = ("ast", "pts")


@dataclass(frozen=True)
class Story:
    """A season and what goes wrong in it.

    first: the morning on which the day-by-day life begins; what was played before it is loaded then, at once.
    late: game -> mornings that its box scores come late; every other one's result in the schedule, too.
    wrong: game -> the column that its first delivery has wrong.
    announced: game -> the game day that it was first announced for, and called off on.
    lost: games whose box scores never come.
    outages: mornings on which nothing is loaded and nothing runs.
    """

    league: League
    first: int
    late: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    outages: frozenset[int] = frozenset()

    @cached_property
    def days(self) -> list[dt.date]:
        """The regular season's game days."""
        return sorted({game["game_date"] for game in self.games})

    @cached_property
    def games(self) -> list[dict]:
        """The regular season's, in order of play, as they were played in the end."""
        games = [row for row in self.league.schedule.to_pylist() if row["season_type"] == REGULAR]
        return sorted(games, key=lambda game: (game["game_date"], game["game_id"]))

    @cached_property
    def day_of(self) -> dict[str, int]:
        """Game -> the number of the game day on which it was played."""
        number = {day: place for place, day in enumerate(self.days)}
        return {game["game_id"]: number[game["game_date"]] for game in self.games}

    @property
    def mornings(self) -> range:
        return range(self.first, len(self.days) + 1)

    def now(self, morning: int) -> dt.datetime:
        """The clock of a morning, UTC."""
        day = self.days[morning] if morning < len(self.days) else self.days[-1] + dt.timedelta(1)
        return dt.datetime.combine(day, MORNING, EASTERN).astimezone(dt.UTC)

    def arrival(self, game: str) -> int:
        """The morning on which its box scores are there first."""
        return self.day_of[game] + 1 + self.late.get(game, 0)

    def land(self, morning: int, directory: Path) -> Path:
        """Writes what is known on a morning about the days around it; on the first one about all before it."""
        directory.mkdir(parents=True)
        since = morning - KEPT if morning > self.first else 0
        self._write(directory, morning, self._known(morning), since)
        return directory

    def land_all(self, directory: Path) -> Path:
        """Writes what is known when nothing more will come."""
        directory.mkdir(parents=True)
        self._write(directory, len(self.days), self._known(len(self.days)), 0)
        return directory

    def _known(self, morning: int) -> set[str]:
        return {game for game in self.day_of if game not in self.lost and self.arrival(game) <= morning}

    def _write(self, directory: Path, morning: int, known: set[str], since: int) -> None:
        tables = {"schedule": self._schedule(morning)}
        if not since:
            tables["players"] = self.league.players
        recent = {game for game, day in self.day_of.items() if since <= day <= morning}
        for name, stem in RESULTS.items():
            tables[stem] = _of_games(getattr(self.league, name), "game_id", known & recent)
        tables["player_boxscores"] = self._with_errors(tables["player_boxscores"], morning)
        tables |= self._market(morning, recent, since)
        for stem, table in tables.items():
            if table.num_rows:
                rewrite(directory, stem, table)

    def _schedule(self, morning: int) -> pa.Table:
        """Results up to the day before; what is still to come, as it is announced on that morning."""
        table, rows = self.league.schedule, self.league.schedule.to_pylist()
        stale = set(list(self.late)[::2])
        for row in rows:
            game = row["game_id"]
            if game not in self.day_of:
                continue  # the pre-season is over
            if morning <= (self.arrival(game) - 1 if game in stale else self.day_of[game]):
                row |= {"status": "Scheduled", "home_score": None, "away_score": None}
            if game in self.announced and morning <= (called_off := self.announced[game] + 1):
                row["game_date"] = self.days[self.announced[game]]
                row["status"] = "Postponed" if morning == called_off else "Scheduled"
        return pa.Table.from_pylist(rows, table.schema)

    def _with_errors(self, box: pa.Table, morning: int) -> pa.Table:
        """The first player of a game that is delivered wrong has one more of something."""
        wrong = {game: name for game, name in self.wrong.items() if morning < self.arrival(game) + CORRECTED_AFTER}
        rows = box.to_pylist()
        for row in rows:
            if row["played"] and row["game_id"] in wrong:
                row[wrong.pop(row["game_id"])] += 1
        return pa.Table.from_pylist(rows, box.schema)

    def _market(self, morning: int, recent: set[str], since: int) -> dict[str, pa.Table]:
        """Lines and reports out by then."""
        now = self.now(morning)
        first = self.days[max(0, since)]
        props = _of_games(self.league.prop_lines, "resolved_game_id", recent)
        props = props.filter(pc.less_equal(props["observed_at_utc"], now.strftime("%Y-%m-%dT%H:%M:%SZ")))
        lines, reports = (
            table.filter(pc.greater_equal(table["game_date"], pa.scalar(first)))
            for table in (self.league.game_lines, self.league.injury_reports)
        )
        lines = lines.filter(pc.less_equal(lines["snapshot_timestamp"], pa.scalar(now).cast(pa.timestamp("us", "UTC"))))
        today = pa.scalar(now.astimezone(EASTERN).date())
        reports = reports.filter(pc.less(reports["game_date"], today))  # the day's first is out at eleven
        return {"prop_lines": props, "game_lines": lines, "injury_report": reports}


def troubled(games_per_team: int, mornings: int) -> Story:
    """A season of so many games a team, lived through day by day for its last so many mornings.

    Whatever goes wrong recurs all along: the first third of the mornings has its share of it, as the last has.
    """
    story = Story(simulate([2024], games_per_team=games_per_team), 0)
    first, last = len(story.days) + 1 - mornings, len(story.days)
    lived = [game["game_id"] for game in story.games if story.day_of[game["game_id"]] >= first]
    lost = next(game for game in lived if story.day_of[game] == last - LOST_BEFORE_END)
    lived.remove(lost)
    late, wrong = {}, {}
    for number, game in enumerate(lived):
        delay = 1 + number // 11 % LATEST
        if number % 11 == 4 and story.day_of[game] + 1 + delay <= last:
            late[game] = delay
        elif number % 11 == 7 and story.day_of[game] + 1 + CORRECTED_AFTER <= last:
            wrong[game] = WRONG_COLUMNS[number % len(WRONG_COLUMNS)]
    return replace(
        story,
        first=first,
        late=late,
        wrong=wrong,
        announced=_announced(story, lived[::19], first),
        lost=frozenset({lost}),
        outages=frozenset(m for m in range(first + 1, last) if (m - first) % 16 == 6 or (m - first) % 48 == 7),
    )


def _announced(story: Story, games: list[str], first: int) -> dict[str, int]:
    """Of those games that can be: the newest day, three days or more before, on which neither team played."""
    teams = {game["game_id"]: {game["home_tricode"], game["away_tricode"]} for game in story.games}
    busy: dict[int, set[str]] = {}
    for game, day in story.day_of.items():
        busy.setdefault(day, set()).update(teams[game])
    found = {}
    for game in games:
        earlier = range(story.day_of[game] - 3, max(first, story.day_of[game] - KEPT), -1)
        free = [day for day in earlier if not busy[day] & teams[game]]
        if free:
            found[game] = free[0]
            busy[free[0]] |= teams[game]  # no team is announced twice on a day
    return found


def _of_games(table: pa.Table, column: str, games: set[str]) -> pa.Table:
    return table.filter(pc.is_in(table[column], pa.array(sorted(games), pa.string())))
