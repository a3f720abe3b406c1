"""Whether a phase's tables hold what the schedule's game days owe: read back, not taken from what a run said.

A day that a table has no rows of fails its `game_days`, and no other check of that table: one hole, one line.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import UsageError
from fullcourt.domain.gaps import check_range
from fullcourt.domain.processors import PROCESSORS, Entity, Phase, Processor
from fullcourt.orchestration.coverage import PASS_PERCENT, coverage_sql
from fullcourt.orchestration.schedule import scheduled_days
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES
from fullcourt.warehouse.queries.verification import LANDED, RAW
from schemas import TABLES

PLAYERS_PERCENT = 90  # of the players who entered a game, from which a day's summaries pass
ZONES_PERCENT = 20  # of unknown zones, from which a day does not pass

NAMES = ("landing", "raw", "analytics", "precompute", "predictions")  # phases 1 to 5
_PHASES = dict(zip(NAMES[1:], Phase, strict=True))

Rows = list[dict[str, Any]]
Figures = Mapping[dt.date, tuple[float, float]]  # day -> found, expected


@dataclass(frozen=True)
class _Asked:
    """The warehouse, the closed range and the instant that one verification is about."""

    warehouse: Warehouse
    start: dt.date
    end: dt.date
    now: dt.datetime

    def rows(self, name: str) -> Rows:
        return self.warehouse.query(QUERIES[name].sql, start=self.start, end=self.end).to_pylist()


def verify(
    warehouse: Warehouse,
    phase: str,
    start: dt.date,
    end: dt.date,
    now: dt.datetime,
    days: Collection[dt.date] | None = None,
    processors: Collection[str] | None = None,
) -> Rows:
    """Every check of a phase over the game days of the closed range; empty when there is none.

    phase: a name, or its number from 1.  now: a day before its sports day should be over.  days, processors: no others.

    Returns rows {check, table, days, found, expected, ok}: a row for every day that fails a check, or one for the whole
    range when none does (its totals; of percentages the worst).  days: those that fail, ascending.
    GateError when no schedule is loaded for the range.
    """
    name = phase_name(phase)
    check_range(start, end)
    check_schema(warehouse)
    scheduled_days(warehouse, start, end)
    asked = _Asked(warehouse, start, end, now)
    today = sports_day(now)
    owed = [row for row in asked.rows("days_owed") if row["final_team_games"] or row["game_date"] < today]
    if days is not None:
        owed = [row for row in owed if row["game_date"] in days]
    if not owed:
        return []
    if name == "landing":
        return _landing(asked, owed)
    if name == "raw":
        return _raw(asked, owed)
    chosen = [p for p in PROCESSORS if p.phase is _PHASES[name] and (processors is None or p.name in processors)]
    return _processed(asked, chosen, owed) if chosen else []


def phase_name(text: str) -> str:
    """The name of a phase given by name or number."""
    if text in NAMES:
        return text
    if text in map(str, range(1, len(NAMES) + 1)):
        return NAMES[int(text) - 1]
    raise UsageError(f"unknown phase {text!r}: expected 1 to {len(NAMES)}, or one of {', '.join(NAMES)}")


def failure(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """What failed first, in words, and how much more did; None when all is well."""
    failed = [row for row in rows if not row["ok"]]
    if not failed:
        return None
    first, days = failed[0], failed[0]["days"]
    when = f"{days[0]} and {len(days) - 1} more" if len(days) > 1 else str(days[0])
    more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
    return (
        f"{first['check']} of {first['table']} on {when}: found {first['found']:g}, "
        f"expected {first['expected']:g}{more}"
    )


def _landing(asked: _Asked, owed: Rows) -> Rows:
    """Landing rows of every game day, from files that the manifest lists as loaded."""
    landed = asked.rows("landed_days")
    checks: Rows = []
    for name in LANDED:
        table = TABLES[name].id
        there = {row["game_date"]: row for row in landed if row["table_name"] == table}
        due = [day["game_date"] for day in owed if name != "shot_zones" or day["owes_zones"]]
        checks += _game_days(table, {day: day in there for day in due})
        files = {day: (row["files"] - row["unlisted_files"], row["files"]) for day, row in there.items()}
        checks += _each("files_listed", table, files, _equal, total=max)
    return checks


def _raw(asked: _Asked, owed: Rows) -> Rows:
    """The schedule says that past games are over, and of every final game both teams' box scores are there, whole."""
    today = sports_day(asked.now)
    final = [day for day in owed if day["final_team_games"]]
    past = [day for day in owed if day["game_date"] < today]
    schedule, players, teams = (TABLES[name].id for name in RAW)
    over = {day["game_date"]: (day["final_team_games"] // 2, day["team_games"] // 2) for day in past}
    checks = _each("final_games", schedule, over, _equal)
    stored = _by_table(asked.rows("stored_rows_ingest"), owed)
    for table, check, column in (
        (players, "whole_team_games", "whole_team_games"),
        (teams, "team_rows", "team_boxscores"),
    ):
        held = stored.get(table, {})
        checks += _game_days(table, {day["game_date"]: day["game_date"] in held for day in final})
        figures = {
            day["game_date"]: (day[column], day["final_team_games"]) for day in final if day["game_date"] in held
        }
        checks += _each(check, table, figures, _equal)
    for name in RAW:
        checks += _repeated_keys(TABLES[name].id, stored.get(TABLES[name].id, {}))
    return checks


def _processed(asked: _Asked, processors: Sequence[Processor], owed: Rows) -> Rows:
    phase = processors[0].phase
    stored = _by_table(asked.rows(f"stored_rows_{phase.name.lower()}"), owed)
    outputs: dict[str, dict[dt.date, dict[str, Any]]] = {}
    for row in asked.rows("output_days"):
        outputs.setdefault(row["processor_name"], {})[row["analysis_date"]] = row
    checks: Rows = []
    for processor in processors:
        held, known = stored.get(TABLES[processor.name].id, {}), outputs[processor.name]
        checks += _processor(asked, processor, owed, held, known)
    return checks


def _processor(
    asked: _Asked,
    processor: Processor,
    owed: Rows,
    stored: Mapping[dt.date, Mapping[str, Any]],
    outputs: Mapping[dt.date, Mapping[str, Any]],
) -> Rows:
    """One table's checks. stored: by day, days without rows left out; outputs: the newest receipts of all game days."""
    table = TABLES[processor.name].id
    final = [day for day in owed if day["final_team_games"]]
    there = {
        day["game_date"]: bool(stored.get(day["game_date"], {}).get("computed_rows"))
        or _owes_nothing(outputs[day["game_date"]])
        for day in final
    }
    lacking = {day for day, found in there.items() if not found}
    judged = [day for day in owed if day["game_date"] not in lacking]
    held = {day: row for day, row in stored.items() if day not in lacking}
    checks = _game_days(table, there)
    if processor.entity is Entity.TEAM and processor.phase is Phase.ANALYTICS:
        checks += _team_rows(table, processor.fixtures, judged, held, outputs)
    if processor.name == "player_game_summary":
        entered = {
            day["game_date"]: (_count(held, day, "key_count"), day["players_entered"])
            for day in judged
            if day["final_team_games"]
        }
        checks += _each("players", table, entered, lambda found, due: 100 * found >= PLAYERS_PERCENT * due)
    checks += _zones(table, judged, held)
    checks += _repeated_keys(table, held)
    checks += _coverage(asked, processor, judged)
    checks += _receipts(table, judged, held, outputs)
    return checks


def _team_rows(
    table: str,
    fixtures: bool,
    judged: Rows,
    stored: Mapping[dt.date, Mapping[str, Any]],
    outputs: Mapping[dt.date, Mapping[str, Any]],
) -> Rows:
    """Two rows a game: a summary for each team of one played, a context for each of a fixture.

    A team with nothing to look back on yet has no context, and counts as explained.
    """
    figures = {}
    for day in judged:
        excused = (outputs[day["game_date"]]["coverage_explained"] or 0) if fixtures else 0
        if due := day["team_games" if fixtures else "final_team_games"]:
            figures[day["game_date"]] = (_count(stored, day, "row_count") + excused, due)
    return _each("team_rows", table, figures, _equal)


def _zones(table: str, judged: Rows, stored: Mapping[dt.date, Mapping[str, Any]]) -> Rows:
    """Of the days whose shots the source has, the percentage of rows that do not know them."""
    shares = {
        day["game_date"]: stored[day["game_date"]]["unknown_zones_pct"]
        for day in judged
        if day["owes_zones"] and day["game_date"] in stored
    }
    figures = {day: (share, float(ZONES_PERCENT)) for day, share in shares.items() if share is not None}
    checks = _each("unknown_zones_pct", table, figures, lambda found, limit: found < limit, total=max)
    return [{**check, "found": round(check["found"], 1)} for check in checks]


def _coverage(asked: _Asked, processor: Processor, judged: Rows) -> Rows:
    """Of what each day owed, the percentage that is there or explained, read back now."""
    parameters: dict[str, Any] = {"days": [day["game_date"] for day in judged]}
    if not processor.windows and processor.phase is not Phase.PREDICTIONS:
        parameters["today"] = sports_day(asked.now)
    figures = {}
    for row in asked.warehouse.query(coverage_sql(processor), **parameters).to_pylist():
        if row["expected"]:
            percent = 100.0 * (row["written"] + row["explained"]) / row["expected"]
        else:
            percent = 0.0 if row["finals"] else 100.0  # games were played, and nobody is known to have played in them
        figures[row["day"]] = (percent, PASS_PERCENT)
    checks = _each("coverage_pct", TABLES[processor.name].id, figures, lambda found, limit: found >= limit, total=min)
    return [{**check, "found": int(10 * check["found"]) / 10} for check in checks]  # 89.96 is not 90


def _receipts(
    table: str,
    judged: Rows,
    stored: Mapping[dt.date, Mapping[str, Any]],
    outputs: Mapping[dt.date, Mapping[str, Any]],
) -> Rows:
    """Each day has a receipt of a complete publish, and as many rows stand as it says."""
    receipts = {day["game_date"]: outputs[day["game_date"]] for day in judged}
    complete = {day: receipt["status"] in ("COMPLETE", "EMPTY_OK") for day, receipt in receipts.items()}
    rows = {
        day: (stored[day]["row_count"] if day in stored else 0, receipt["row_count"])
        for day, receipt in receipts.items()
        if receipt["row_count"] is not None
    }
    return _all_days("complete_receipts", table, complete) + _each("published_rows", table, rows, _equal)


def _owes_nothing(output: Mapping[str, Any]) -> bool:
    """All that the day owed was explained, as on a season's first day."""
    return output["status"] in ("COMPLETE", "EMPTY_OK") and not output["coverage_written"]


def _repeated_keys(table: str, stored: Mapping[dt.date, Mapping[str, Any]]) -> Rows:
    rows = {day: (row["row_count"] - row["key_count"], 0) for day, row in stored.items()}
    return _each("repeated_keys", table, rows, _equal)


def _game_days(table: str, there: Mapping[dt.date, bool]) -> Rows:
    return _all_days("game_days", table, there)


def _all_days(check: str, table: str, holds: Mapping[dt.date, bool]) -> Rows:
    """One row, of how many days something holds for, naming the others; none when there are no days to judge."""
    if not holds:
        return []
    lacking = sorted(day for day, held in holds.items() if not held)
    return [_row(check, table, lacking, len(holds) - len(lacking), len(holds), ok=not lacking)]


def _each(
    check: str,
    table: str,
    figures: Figures,
    passes: Callable[[float, float], bool],
    total: Callable[[Iterable[float]], float] = sum,
) -> Rows:
    """A row for every day that does not pass, or one of all days; none when there are no days to judge.

    total: makes the range's figure of the days'.
    """
    if not figures:
        return []
    failed = sorted(day for day, pair in figures.items() if not passes(*pair))
    if failed:
        return [_row(check, table, [day], *figures[day], ok=False) for day in failed]
    found, expected = (total(part) for part in zip(*figures.values(), strict=True))
    return [_row(check, table, [], found, expected, ok=True)]


def _row(check: str, table: str, days: Sequence[dt.date], found: float, expected: float, *, ok: bool) -> dict[str, Any]:
    return {"check": check, "table": table, "days": list(days), "found": found, "expected": expected, "ok": ok}


def _equal(found: float, expected: float) -> bool:
    return found == expected


def _count(stored: Mapping[dt.date, Mapping[str, Any]], day: Mapping[str, Any], column: str) -> int:
    return stored[day["game_date"]][column] if day["game_date"] in stored else 0


def _by_table(rows: Rows, owed: Rows) -> dict[str, dict[dt.date, dict[str, Any]]]:
    """Table -> day -> its row, of the days owed."""
    days = {day["game_date"] for day in owed}
    found: dict[str, dict[dt.date, dict[str, Any]]] = {}
    for row in rows:
        if row["day"] in days:
            found.setdefault(row["table_name"], {})[row["day"]] = row
    return found
