"""The view breaker_state as DuckDB runs it, and one team that the gate judges night after night."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import breaker, gate, observation, records
from fullcourt.domain.days import to_number
from fullcourt.domain.features import team_defense_zones
from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.rows import Judged, Stamp, judged_table
from fullcourt.warehouse.translation import to_duckdb
from fullcourt.warehouse.views import VIEWS
from schemas import breaker_actions, reprocess_attempts, team_defense_zone_analysis
from tests.bridge import PROCESSED_AT, SCHEDULE_SCHEMA

PROCESSOR = BY_NAME["team_defense_zone_analysis"]
ATTEMPTS = reprocess_attempts.TABLE.arrow_schema
ACTIONS = breaker_actions.TABLE.arrow_schema
OUTPUT = team_defense_zone_analysis.TABLE.arrow_schema


def micros(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def breaker_state(attempts: pa.Table, actions: pa.Table) -> pa.Table:
    """Rows of breaker.STATE, in the order of processor, entity and day."""
    engine = _engine()
    for name, rows in (("reprocess_attempts", attempts), ("breaker_actions", actions)):
        engine.register("given", rows)
        engine.execute(f"CREATE OR REPLACE TABLE nba_orchestration.{name} AS FROM given")
    (sql,) = to_duckdb(VIEWS["breaker_state"].sql)
    columns = ", ".join(breaker.STATE.names)
    return engine.sql(f"SELECT {columns} FROM ({sql}) ORDER BY 1, 2, 3").to_arrow_table().cast(breaker.STATE)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": "1"})
    connection.execute("CREATE SCHEMA nba_orchestration")
    return connection


TEAMS = ("ATL", "BOS")
OPENING = date(2023, 10, 24)
BEFORE = 20  # ATL plays BOS every other day; D is the day of the 21st game, after bootstrap
DAY = OPENING + timedelta(days=2 * BEFORE)


def game_day(index: int) -> date:
    return OPENING + timedelta(days=2 * index)


def game_id(index: int) -> str:
    return f"{game_day(index):%Y%m%d}_BOS_ATL"


def shard(missing: tuple[int, ...], zones: dict[int, dict[str, int]] | None = None) -> observation.ShardTables:
    """21 games; BOS has all upstream rows, ATL lacks those of the missing games. zones: other values by game."""
    schedule = [
        dict(
            zip(
                SCHEDULE_SCHEMA.names,
                (f"{i:010d}", game_id(i), game_day(i), 2023, "regular", 3, "Final", "ATL", "BOS", 100, 99),
                strict=True,
            )
        )
        for i in range(BEFORE + 1)
    ]
    usual = {name: 5 if name.endswith("_makes") else 10 for name in team_defense_zones.READS[2:]}
    upstream = [
        usual | (zones or {}).get(i, {}) | {"game_id": game_id(i), "defending_team_abbr": team}
        for i in range(BEFORE + 1)
        for team in TEAMS
        if team == "BOS" or i not in missing
    ]
    columns = {name: [row[name] for row in upstream] for name in team_defense_zones.READS}
    rows = pa.table({name: pa.array(v, pa.string() if name in _KEYS else pa.int64()) for name, v in columns.items()})
    rows = rows.append_column("processed_at", pa.repeat(pa.scalar(PROCESSED_AT, pa.timestamp("us", "UTC")), len(rows)))
    return observation.ShardTables(pa.Table.from_pylist(schedule, SCHEDULE_SCHEMA), rows)


_KEYS = team_defense_zones.READS[:2]


def _observed(missing: tuple[int, ...], zones: dict[int, dict[str, int]] | None = None) -> observation.Observation:
    return observation.observe(shard(missing, zones), PROCESSOR, 2023)


_seen = cache(_observed)


@dataclass
class Nights:
    """Runs after one another for D, with the attempts and actions they leave."""

    attempts: pa.Table = field(default_factory=ATTEMPTS.empty_table)
    actions: pa.Table = field(default_factory=ACTIONS.empty_table)
    _known: tuple[tuple[pa.Table, pa.Table], pa.Table] | None = None  # the state of those facts

    def run(self, at: datetime, *missing: int, day: date = DAY, recording: bool = True, **zones: dict) -> pa.Table:
        """ATL's judged row, after its attempts and actions are written."""
        stamp = Stamp(f"run-{at:%d-%H%M}", micros(at), recording)
        seen = _seen(missing) if not zones else _observed(missing, {int(k[1:]): v for k, v in zones.items()})
        known = self.state if recording else None
        judged = Judged(
            seen, gate.judge(seen, PROCESSOR, np.array([to_number(day)], np.int32), known, stamp.now), PROCESSOR, stamp
        )
        atl = judged.at(judged.rows.entity == TEAMS.index("ATL"))
        row = judged_table(atl, OUTPUT)
        verdict = Verdict(int(atl.rows.verdict[0]))
        if verdict is Verdict.INCOMPLETE:
            self.attempts = pa.concat_tables([self.attempts, records.attempt_rows(row, PROCESSOR, ATTEMPTS, stamp)])
        if verdict is Verdict.READY:
            self._close(day, stamp)
        return row

    def _close(self, day: date, stamp: Stamp) -> None:
        """As a publish does with the breakers of entities that are not held back."""
        if stamp.recording:
            mine = pc.and_(pc.equal(self.state["analysis_date"], day), pc.greater(self.state["attempt_number"], 0))
            by = (breaker.CLOSE, stamp.run_id, breaker.AUTO_CLOSE_NOTE, ACTIONS, stamp.now)
            self.actions = pa.concat_tables([self.actions, records.action_rows(self.state.filter(mine), *by)])

    def act(self, what: str, at: datetime) -> None:
        """As a person does, through a command."""
        made = records.action_rows(self.state, what, "ann", "because", ACTIONS, micros(at))
        self.actions = pa.concat_tables([self.actions, made])

    @property
    def state(self) -> pa.Table:
        facts = (self.attempts, self.actions)
        if self._known is None or any(a is not b for a, b in zip(facts, self._known[0], strict=True)):
            self._known = facts, breaker_state(*facts)
        return self._known[1]

    @property
    def numbers(self) -> list[int]:
        return self.attempts["attempt_number"].to_pylist()
