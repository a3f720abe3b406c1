"""Windows: which of an entity's earlier games a row looks at.

A games window goes back from D until it holds N required games (or the season starts); the excused games
it passed over on the way belong to it.  A days window is [D-N, D-1].  Both end before D.
"""

import enum
from dataclasses import dataclass


class Span(enum.Enum):
    GAMES = "games"
    DAYS = "days"


@dataclass(frozen=True, order=True)
class Window:
    """The last `length` required games, or the last `length` days, before D."""

    span: Span
    length: int

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"a window holds at least one game or day, got {self.length}")

    @property
    def name(self) -> str:
        """`l10` for ten games, `l7d` for seven days, `season`."""
        if self == SEASON:
            return "season"
        return f"l{self.length}" + ("d" if self.span is Span.DAYS else "")


SEASON = Window(Span.GAMES, 1000)  # every game of the season: none has as many


def games(length: int) -> Window:
    return Window(Span.GAMES, length)


def days(length: int) -> Window:
    return Window(Span.DAYS, length)
