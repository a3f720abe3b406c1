"""When a backfill does without upcoming_player_game_context: how much of a day's context is there (domain section 7.3).

A context that is not there, or is a stale rest of one, is replaced whole by one made from player_game_summary.  The
question is how many of those who played it covers, never whether it is empty: one stale row once hid the lack of 186.
"""

import datetime as dt
from dataclasses import dataclass

from fullcourt.domain.processors import Processor

CONTEXT = "upcoming_player_game_context"
SYNTHETIC = "synthetic_pgs"
ENOUGH_PERCENT = 90


@dataclass(frozen=True)
class Context:
    """The context of one game day beside those who played.

    expected: players in player_game_summary.  real: those of them with a row of the context, held back or not.
    explained: of the rest, those to whom no row is owed.
    team_games, whole_team_games: the day's final team-games, and those whose players' points make the score.
    """

    day: dt.date
    expected: int
    real: int
    explained: int
    team_games: int = 0
    whole_team_games: int = 0

    @property
    def missing(self) -> int:
        """Players without a row, whatever the reason."""
        return self.expected - self.real

    @property
    def pct(self) -> float | None:
        """Players with a row, 0-100 at one decimal; None where nobody played."""
        return round(100 * self.real / self.expected, 1) if self.expected else None

    @property
    def falls_back(self) -> bool:
        """Less than 90 % have a row or owe none; exactly 90 % is enough."""
        return self.expected > 0 and 100 * (self.real + self.explained) < ENOUGH_PERCENT * self.expected

    @property
    def source_partial(self) -> bool:
        """Players of the day are lost themselves, so what is made from them would be a part of it too."""
        return self.whole_team_games < self.team_games

    @property
    def source(self) -> str:
        """What the day's context is read from."""
        return SYNTHETIC if self.falls_back else CONTEXT

    @property
    def reason(self) -> str:
        if not self.expected:
            return "nobody in player_game_summary"
        if not self.falls_back:
            return f"{ENOUGH_PERCENT} % or more are there or explained"
        return f"less than {ENOUGH_PERCENT} % are there or explained" if self.real else "nobody has a row"

    @property
    def text(self) -> str:
        """A line for the log: the day, both counts, the share, what is missing, the source and why."""
        return f"{self.day}: {self.counts}; source {self.source}: {self.reason}"

    @property
    def counts(self) -> str:
        """How many have a context, and how many ought to."""
        share = "none" if self.pct is None else f"{self.pct:.1f} %"
        return (
            f"context of {self.real} of {self.expected} players, {share}; {self.missing} missing, "
            f"{self.explained} of them explained"
        )


def reads_context(processor: Processor) -> bool:
    """Whether the processor reads the context of the day, and so can fall back."""
    return any(dependency.processor == CONTEXT for dependency in processor.depends)
