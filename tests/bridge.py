"""From a reference Season to the Arrow tables that the gate reads, and back from its answers to names and days.

Reference days are ordinals (1 is 0001-01-01); the gate's are days since 1970-01-01.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from fullcourt.domain import gate, observation
from fullcourt.domain.calendar import SCHEDULE_COLUMNS
from fullcourt.domain.processors import Entity, Phase, Processor, Upstream
from fullcourt.domain.windows import Window, days, games
from tests.reference_gate import Counts, Judgement, Season, game_days
from tests.reference_gate import Upstream as Row

SEASON = 2023  # the start year of every season from tests.leagues
EPOCH = date(1970, 1, 1).toordinal()
PROCESSED_AT = datetime(2024, 1, 1, tzinfo=UTC)
STATUS = {"final": (3, "Final"), "scheduled": (1, "7:30 pm ET"), "postponed": (1, "Postponed")}
STATUS["cancelled"] = (1, "Cancelled")

PLAYERS = Processor(
    "player_windows",
    Phase.PRECOMPUTE,
    Entity.PLAYER,
    "analysis_date",
    upstream=Upstream("player_game_summary", "player_lookup", "player_game"),
    windows=(games(1), games(5), games(10), days(7), days(14)),
    primary=games(10),
    trend_windows=(games(20),),
)
TEAMS = Processor(
    "team_windows",
    Phase.PRECOMPUTE,
    Entity.TEAM,
    "analysis_date",
    upstream=Upstream("team_defense_game_summary", "defending_team_abbr", "team_defense"),
    windows=(games(15), days(14)),
    primary=games(15),
)

SCHEDULE_SCHEMA = pa.schema(
    [
        ("nba_game_id", pa.string()),
        ("game_id", pa.string()),
        ("game_date", pa.date32()),
        ("season_year", pa.int64()),
        ("season_type", pa.string()),
        ("game_status", pa.int64()),
        ("game_status_text", pa.string()),
        ("home_team_tricode", pa.string()),
        ("away_team_tricode", pa.string()),
        ("home_team_score", pa.int64()),
        ("away_team_score", pa.int64()),
    ]
)
_LISTING = [
    ("game_id", pa.string()),
    ("team_abbr", pa.string()),
    ("player_lookup", pa.string()),
    ("season_year", pa.int64()),
]
BOX_SCHEMA = pa.schema([*_LISTING, ("played", pa.bool_()), ("points", pa.int64())])
INACTIVE_SCHEMA = pa.schema(_LISTING)
_CONTENT = [("content", pa.int64()), ("processed_at", pa.timestamp("us", tz="UTC"))]
PLAYER_SCHEMA = pa.schema([*_LISTING, *_CONTENT])
TEAM_SCHEMA = pa.schema(
    [("game_id", pa.string()), ("defending_team_abbr", pa.string()), ("season_year", pa.int64()), *_CONTENT]
)
assert tuple(SCHEDULE_SCHEMA.names) == SCHEDULE_COLUMNS
assert tuple(BOX_SCHEMA.names) == observation.BOX_COLUMNS
assert tuple(INACTIVE_SCHEMA.names) == observation.INACTIVE_COLUMNS


def number(ordinal: int) -> int:
    """The gate's day."""
    return ordinal - EPOCH


def schedule_table(season: Season) -> pa.Table:
    rows = [
        (
            game.nba_game_id,
            game.game_id,
            date.fromordinal(game.day),
            SEASON,
            "regular",
            *STATUS[game.status],
            game.home,
            game.away,
            game.home_score,
            game.away_score,
        )
        for game in season.games
    ]
    return _table(rows, SCHEDULE_SCHEMA)


def tables(season: Season, entity: Entity) -> observation.ShardTables:
    """The season as a shard of teams or of players; every row was processed at another instant."""
    schedule = schedule_table(season)
    if entity is Entity.TEAM:
        summaries = [(r.game_id, r.entity, SEASON, r.content, stamp) for r, stamp in _stamped(season.team_summaries)]
        return observation.ShardTables(schedule, _table(summaries, TEAM_SCHEMA))
    summaries = [
        (r.game_id, r.team, r.entity, SEASON, r.content, stamp) for r, stamp in _stamped(season.player_summaries)
    ]
    return observation.ShardTables(
        schedule,
        _table(summaries, PLAYER_SCHEMA),
        _table([(r.game_id, r.team, r.player, SEASON, r.played, r.points) for r in season.box], BOX_SCHEMA),
        _table([(r.game_id, r.team, r.player, SEASON) for r in season.inactives], INACTIVE_SCHEMA),
    )


def _stamped(rows: Sequence[Row]) -> Iterable[tuple[Row, datetime]]:
    return ((row, PROCESSED_AT + timedelta(minutes=minute)) for minute, row in enumerate(rows))


def _table(rows: Sequence[tuple], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


@dataclass(frozen=True)
class Answer:
    """What the gate says of one season."""

    seen: observation.Observation
    rows: gate.Judgement
    processor: Processor

    def keys(self) -> list[tuple[str, int]]:
        """(entity, ordinal day) of each row."""
        names = self.seen.entities.to_pylist()
        return [(names[e], int(d) + EPOCH) for e, d in zip(self.rows.entity, self.rows.day, strict=True)]

    def judgements(self) -> dict[tuple[str, int], Judgement]:
        """In the reference's own terms."""
        missing = {window: self._missing(window) for window in self.rows.windows}
        judged = {}
        for row, key in enumerate(self.keys()):
            verdict = gate.Verdict(int(self.rows.verdict[row]))
            reason = gate.Reason(int(self.rows.reason[row])).text(self.processor)
            counts = {
                window: Counts(int(c.expected[row]), int(c.excused[row]), int(c.actual[row]), missing[window][row])
                for window, c in self.rows.windows.items()
            }
            judged[key] = Judgement(verdict.label, reason if verdict is gate.Verdict.EXCLUDED else "", counts)
        return judged

    def _missing(self, window: Window) -> list[tuple[str, ...]]:
        ids: list[list[str]] = [[] for _ in self.rows.slot]
        for row, game in zip(*gate.missing_games(self.seen, self.rows, (window,)), strict=True):
            ids[row].append(self.seen.calendar.game_ids[int(game)].as_py())
        return [tuple(found) for found in ids]

    def by_key(self) -> dict[tuple[str, int], tuple]:
        """Everything in each row of the Judgement, hashes included; entities by name."""
        rows = self.rows
        columns: Mapping[str, np.ndarray] = {
            **{name: values for name, values in vars(rows).items() if isinstance(values, np.ndarray)},
            **{
                f"{window.name}.{name}": values
                for window, counts in rows.windows.items()
                for name, values in vars(counts).items()
            },
            **{f"facts.{name}": values for name, values in vars(rows.facts).items()},
        }
        values = [column.tolist() for name, column in columns.items() if name != "entity"]
        return dict(zip(self.keys(), zip(*values, strict=True), strict=True))


def ask_tables(
    shard: observation.ShardTables, processor: Processor, ordinals: Iterable[int], part: observation.Part | None = None
) -> Answer:
    seen = observation.observe(shard, processor, SEASON, part or observation.Part())
    asked = np.array([number(day) for day in ordinals], dtype=np.int32)
    return Answer(seen, gate.judge(seen, processor, asked), processor)


def ask(season: Season, processor: Processor, ordinals: Iterable[int] | None = None) -> Answer:
    """The gate's answer for the given days, or for all game days."""
    asked = game_days(season) if ordinals is None else ordinals
    return ask_tables(tables(season, processor.entity), processor, asked)
