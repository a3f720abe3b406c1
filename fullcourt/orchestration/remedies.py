"""What to run against a missing game: the landing file to load again, and the phases to run after it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from fullcourt.domain.calendar import Calendar
from fullcourt.domain.days import to_date
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.landing_files import SOURCES

LANDING_STEMS = {source.TABLE.name: source.LANDING.stem for source in SOURCES}
SHOTS_FILE = LANDING_STEMS["shot_zones"]
DIRECTORY = "landing/"  # where the operator keeps the landing files; ours to show, not to know


@dataclass(frozen=True)
class Lost:
    """One cell: a game and the table that lacks rows of it. final: the schedule says it is over."""

    game_id: str
    nba_game_id: str | None
    day: dt.date
    teams: str
    table: str
    final: bool

    @classmethod
    def of(cls, calendar: Calendar, game: int, table: str) -> "Lost":
        """game: its number in the calendar."""
        away, home = (calendar.teams[int(side[game])] for side in (calendar.away, calendar.home))
        return cls(
            game_id=calendar.game_ids[game].as_py(),
            nba_game_id=calendar.nba_game_ids[game].as_py(),
            day=to_date(int(calendar.days[calendar.slot[game]])),
            teams=f"{away}@{home}",
            table=table,
            final=bool(calendar.final[game]),
        )

    @property
    def files(self) -> tuple[str, ...]:
        """The landing files that must hold the game; none where every raw row is there."""
        stem = LANDING_STEMS.get(self.table)
        if stem is None:
            return ()
        return (stem,) if self.final or stem in ("schedule", "players") else ("schedule", stem)

    @property
    def reload(self) -> str | None:
        """The same in words; None where every raw row is there."""
        if not self.files:
            return None
        if self.files == ("players",):
            return f"players, with the name that {self.game_id} is under"
        return f"{', '.join(self.files)} of {self.nba_game_id or self.game_id}"


def commands(lost: Iterable[Lost], last: dt.date) -> list[str]:
    """Loads the games again where they are lost, and runs what rests on them up to the last day; in this order."""
    cells = list(lost)
    if not cells:
        return []
    first = min(cell.day for cell in cells)
    ingest = [f"fullcourt ingest {DIRECTORY}"] if any(cell.files for cell in cells) else []
    # Summaries of the games and contexts of the days after them are one phase, so one job.
    # Who is listed in a game's box score has a row of its own day too, so both begin there.
    return [*ingest, command(Phase.ANALYTICS, first, last), command(Phase.PRECOMPUTE, first, last)]


def command(phase: Phase, first: dt.date, last: dt.date, processors: Iterable[str] = ()) -> str:
    """`fullcourt run` of a phase over a closed range."""
    days = f"--date {first}" if first == last else f"--start {first} --end {last}"
    named = ",".join(processors)
    return f"fullcourt run {phase.name.lower()} {days}" + (f" --processors {named}" if named else "")
