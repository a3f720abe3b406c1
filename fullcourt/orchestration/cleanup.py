"""Clean-ups: rows of the upcoming tables that are long past, backups of them, staging that killed runs left behind.

Rows move to a history table, and readers name the view of the table and its history: a clean-up changes no answer.
"""

import datetime as dt
import json
import re
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EngineError, FullCourtError, GateError, UsageError
from fullcourt.domain.fingerprint import hash_rows, hash_settings
from fullcourt.domain.tables import ARCHIVED_AT, Table
from fullcourt.orchestration.publish import insert_records
from fullcourt.orchestration.run import new_run_id
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.ddl import check_schema, create_table
from fullcourt.warehouse.queries import QUERIES
from schemas import TABLES

TTL_DAYS = 7
TTL, RESTORE = "upcoming_tables_ttl", "upcoming_tables_restore"
CLEANED = tuple(table for table in TABLES.values() if table.archived)

Row = dict[str, Any]


def cutoff(now: dt.datetime, days: int) -> dt.date:
    """Rows of game days before it have expired; the day is the US Eastern one."""
    return sports_day(now) - dt.timedelta(days=days)


def expired(warehouse: Warehouse, now: dt.datetime, days: int) -> list[Row]:
    """Per table, how many rows have expired, and their oldest day (None: none has)."""
    check_schema(warehouse)
    return warehouse.query(QUERIES["stale_upcoming"].sql, cutoff=cutoff(now, days)).to_pylist()


def clean(
    warehouse: Warehouse, now: dt.datetime, days: int = TTL_DAYS, *, backup: bool = True, request: str | None = None
) -> Row:
    """Moves expired rows to the history, each table in a transaction of its own: one that fails stops no other.

    backup: copies them to a table of the day as well, which `restore` needs; a line's backup is None without.
    request: what asked for it, by which `done` finds it; it becomes the beginning of the clean-up's id.
    Returns {"cleanup_id", "cutoff", "tables", "total_records_deleted", "errors", "retryable"}, as the audit row has it.
    retryable: the same again may do what could not be done.
    """
    check_schema(warehouse)
    began, before = time.monotonic(), cutoff(now, days)
    cleanup_id = f"{request}-{uuid.uuid4().hex[:8]}" if request else new_run_id(now)
    audit = _Audit(cleanup_id, TTL, now, dict.fromkeys((table.name for table in CLEANED), 0), days)
    with warehouse.transaction({}) as session:
        audit.begin(session)  # so that nothing is ever deleted without a trace
    lines: list[Row] = []
    retryable = False
    for table in CLEANED:
        line: Row = {"table": table.name, "deleted": 0, "backup": None, "error": None}
        try:
            line |= _clean_table(warehouse, table, before, now, audit, backup)
        except FullCourtError as error:
            line["error"] = str(error)
            retryable = retryable or isinstance(error, EngineError)
        lines.append(line)
    errors = [f"{line['table']}: {line['error']}" for line in lines if line["error"]]
    with warehouse.transaction({}) as session:
        audit.end(session, errors, time.monotonic() - began)
    return {
        "cleanup_id": audit.cleanup_id,
        "cutoff": before,
        "tables": lines,
        "total_records_deleted": sum(line["deleted"] for line in lines),
        "errors": errors,
        "retryable": retryable,
    }


def done(warehouse: Warehouse, request: str) -> bool:
    """Whether a clean-up that the request asked for ended without an error."""
    check_schema(warehouse)
    found = warehouse.query(
        "SELECT COUNT(*) AS n FROM nba_orchestration.cleanup_operations WHERE STARTS_WITH(cleanup_id, @request) "
        "AND duration_seconds IS NOT NULL AND COALESCE(ARRAY_LENGTH(errors), 0) = 0",
        request=f"{request}-",
    )
    return bool(found["n"][0].as_py())


def _clean_table(
    warehouse: Warehouse, table: Table, before: dt.date, now: dt.datetime, audit: "_Audit", with_backup: bool
) -> Row:
    """Backup, history, deletion, verification and audit of one table: all of it, or nothing."""
    expires, stays = f"{table.day} < @cutoff", f"{table.day} >= @cutoff"
    counted = f"SELECT COUNT(*) AS stale FROM {table.id} WHERE {expires}"
    if not warehouse.query(counted, cutoff=before)["stale"][0].as_py():
        return {}
    backup = _backup(table, sports_day(now)) if with_backup else None
    if backup:
        warehouse.apply([create_table(backup)])  # a table cannot be created inside BigQuery's transactions
    with warehouse.transaction({}) as session:
        kept = _content(session, table, table.id, stays, cutoff=before)
        moved = _content(session, table, table.id, expires, cutoff=before)
        for target in filter(None, (backup, TABLES[f"{table.name}_history"])):
            _merge(session, table, target, before, now)
            same = f"{_same_key(table, 'live', 'there')} AND live.{expires}"
            mine = f"EXISTS (SELECT 1 FROM {table.id} AS live WHERE {same})"
            _verify(target.id, _content(session, table, f"{target.id} AS there", mine, cutoff=before), moved)
        session.execute(f"DELETE FROM {table.id} WHERE {expires}", cutoff=before)
        _verify(f"{table.id} before {before}", _content(session, table, table.id, expires, cutoff=before), _NOTHING)
        _verify(f"{table.id} from {before} on", _content(session, table, table.id, stays, cutoff=before), kept)
        audit.count(session, table.name, moved.rows)
    audit.tables[table.name] = moved.rows
    return {"deleted": moved.rows, "backup": backup and backup.id}


def _merge(session: Session, table: Table, target: Table, before: dt.date, now: dt.datetime) -> None:
    """The expired rows come to the target, in the place of those of the same keys."""
    copied, day = ", ".join(table.by_name), table.day
    moved, value, more = (f", {ARCHIVED_AT}", ", @now", {"now": now}) if ARCHIVED_AT in target.by_name else ("", "", {})
    session.execute(
        f"DELETE FROM {target.id} AS there WHERE EXISTS (SELECT 1 FROM {table.id} AS live "
        f"WHERE {_same_key(table, 'live', 'there')} AND live.{day} < @cutoff)",
        cutoff=before,
    )
    session.execute(
        f"INSERT INTO {target.id} ({copied}{moved}) SELECT {copied}{value} FROM {table.id} WHERE {day} < @cutoff",
        cutoff=before,
        **more,
    )


def backups(warehouse: Warehouse) -> list[Row]:
    """Every backup of the tables, the newest first: its day, table and rows."""
    check_schema(warehouse)
    found = []
    for name in warehouse.columns():
        for table in CLEANED:
            if parsed := re.fullmatch(rf"{re.escape(table.id)}_backup_(\d{{8}})", name):
                found.append((dt.date.fromisoformat(parsed[1]), table))
    return [
        {
            "day": day,
            "table": table.name,
            "backup": _backup(table, day).id,
            "rows": warehouse.query(f"SELECT COUNT(*) AS n FROM {_backup(table, day).id}")["n"][0].as_py(),
        }
        for day, table in sorted(found, key=lambda one: (-one[0].toordinal(), one[1].name))
    ]


def drop(warehouse: Warehouse, dropped: Iterable[Row]) -> None:
    """Drops backups, as `backups` names them."""
    warehouse.apply([f"DROP TABLE IF EXISTS {_backup(TABLES[row['table']], row['day']).id}" for row in dropped])


def restorable(warehouse: Warehouse, day: dt.date) -> list[Row]:
    """Per table of the backup made on the day: its rows, their game days, and the rows that these days have now."""
    known = backups(warehouse)
    chosen = [row for row in known if row["day"] == day and row["rows"]]
    if not chosen:
        there = ", ".join(dict.fromkeys(f"{row['day']:%Y%m%d}" for row in known if row["rows"]))
        raise UsageError(f"there is no backup of {day:%Y%m%d}: expected one of {there or 'none, there is no backup'}")
    rows = []
    for row in chosen:
        table = TABLES[row["table"]]
        held = f"SELECT COUNT(*) AS n, MIN({table.day}) AS first, MAX({table.day}) AS last FROM {row['backup']}"
        now = f"SELECT COUNT(*) AS n FROM {table.read_id} WHERE {_days_of(table, row['backup'])}"
        (of_backup,), (standing,) = (warehouse.query(sql).to_pylist() for sql in (held, now))
        rows.append(
            {
                "table": table.name,
                "backup": row["backup"],
                "rows": of_backup["n"],
                "first_day": of_backup["first"],
                "last_day": of_backup["last"],
                "rows_now": standing["n"],
            }
        )
    return rows


def restore(warehouse: Warehouse, day: dt.date, now: dt.datetime) -> list[Row]:
    """The game days in the backup have its rows and no others, here or in the history; all tables or none.

    Returns what `restorable` said; again is the same.
    """
    began, rows = time.monotonic(), restorable(warehouse, day)
    columns = warehouse.columns()
    audit = _Audit(new_run_id(now), RESTORE, now, {row["table"]: row["rows"] for row in rows})
    with warehouse.transaction({}) as session:
        audit.begin(session)
        for row in rows:
            table, source = TABLES[row["table"]], row["backup"]
            # A backup of an older version may lack a column.
            held = replace(table, columns=tuple(c for c in table.columns if c.name in columns[source]))
            names = ", ".join(held.by_name)
            for place in table.stored_in:
                session.execute(f"DELETE FROM {place} WHERE {_days_of(table, source)}")
            session.execute(f"INSERT INTO {table.id} ({names}) SELECT {names} FROM {source}")
            put_back = _content(session, held, table.read_id, _days_of(table, source))
            _verify(table.read_id, put_back, _content(session, held, source, "TRUE"))
            _receipts(session, table, source, audit.cleanup_id, now)
        audit.end(session, [], time.monotonic() - began)
    return rows


def _receipts(session: Session, table: Table, source: str, cleanup_id: str, now: dt.datetime) -> None:
    """The days' newest receipts once more, of a publish that no run knows: the next run leaves no such day alone."""
    of_days = f"analysis_date IN (SELECT {table.day} FROM {source})"
    receipts = session.query(
        f"SELECT * FROM nba_orchestration.latest_receipts WHERE processor_name = @name AND {of_days}", name=table.name
    ).to_pylist()
    counted = session.query(
        f"SELECT {table.day} AS day, COUNT(*) AS rows_there FROM {table.read_id} WHERE {_days_of(table, source)} "
        f"GROUP BY {table.day}"
    ).to_pylist()
    there = {row["day"]: row["rows_there"] for row in counted}
    for receipt in receipts:
        identity = {"restored": cleanup_id, "after": receipt["publish_id"]}
        receipt |= {
            "publish_id": hash_settings(identity),
            "fingerprint": f"restored {cleanup_id}",
            "run_id": cleanup_id,
            "row_count": there[receipt["analysis_date"]],
            "published_at": max(now, receipt["published_at"] + dt.timedelta(microseconds=1)),
        }
    insert_records(session, "publish_receipts", receipts)


def orphans(warehouse: Warehouse, now: dt.datetime, hours: float) -> list[Row]:
    """Staging directories in which nothing happened for so many hours."""
    return [
        {
            "run_id": staging.run_id,
            "touched_at": staging.touched_at,
            "idle_hours": round((now - staging.touched_at).total_seconds() / 3600, 1),
            "megabytes": round(staging.size / 1e6, 1),
        }
        for staging in warehouse.stagings()
        if now - staging.touched_at > dt.timedelta(hours=hours)
    ]


def sweep(warehouse: Warehouse, run_ids: Sequence[str]) -> None:
    """Removes staging directories; EngineError names those that could not be."""
    for run_id in run_ids:
        warehouse.discard(run_id)
    if left := {staging.run_id for staging in warehouse.stagings()}.intersection(run_ids):
        raise EngineError(f"{len(left)} staging directories could not be removed: {', '.join(sorted(left))}")


@dataclass
class _Audit:
    """The clean-up's row of cleanup_operations; its figures change with the rows they speak of, in one transaction.

    tables: rows deleted, or put back, by table.
    """

    cleanup_id: str
    kind: str
    now: dt.datetime
    tables: dict[str, int]
    ttl_days: int | None = None

    def begin(self, session: Session) -> None:
        row = {
            "cleanup_id": self.cleanup_id,
            "cleanup_type": self.kind,
            "cleanup_time": self.now,
            "ttl_days": self.ttl_days,
            "tables_cleaned": json.dumps(self.tables),
            "total_records_deleted": 0,
            "missing_files": [],
            "errors": [],
            "created_at": self.now,
        }
        session.insert(
            "cleanup_operations", pa.Table.from_pylist([row], TABLES["cleanup_operations"].arrow_subset(row))
        )

    def count(self, session: Session, table: str, rows: int) -> None:
        """So many rows of one more table were deleted."""
        tables = {**self.tables, table: rows}
        what = "tables_cleaned = PARSE_JSON(@tables), total_records_deleted = @deleted"
        self._set(session, what, tables=json.dumps(tables), deleted=sum(tables.values()))

    def end(self, session: Session, errors: list[str], seconds: float) -> None:
        self._set(session, "duration_seconds = @seconds", seconds=seconds)
        if errors:
            self._set(session, "errors = @errors", errors=errors)

    def _set(self, session: Session, what: str, **values: Any) -> None:
        session.execute(
            f"UPDATE nba_orchestration.cleanup_operations SET {what} WHERE cleanup_id = @cleanup_id",
            cleanup_id=self.cleanup_id,
            **values,
        )


@dataclass(frozen=True)
class _Content:
    """Rows by number and checksum, in whatever order."""

    rows: int
    checksum: int


_NOTHING = _Content(0, 0)


def _content(session: Session, table: Table, relation: str, where: str, **parameters: Any) -> _Content:
    """Of the table's columns in a relation."""
    rows = session.query(f"SELECT {', '.join(table.by_name)} FROM {relation} WHERE {where}", **parameters)
    if not rows.num_rows:
        return _NOTHING
    hashes = hash_rows({name: rows[name] for name in rows.column_names})
    return _Content(rows.num_rows, int(np.sum(hashes, dtype=np.uint64)))


def _verify(what: str, found: _Content, expected: _Content) -> None:
    if found != expected:
        raise GateError(
            f"{what} holds {found.rows} rows with the checksum {found.checksum:016x}, expected {expected.rows} with "
            f"{expected.checksum:016x}; nothing was changed"
        )


def _backup(table: Table, day: dt.date) -> Table:
    return replace(table, name=f"{table.name}_backup_{day:%Y%m%d}", archived=False)


def _days_of(table: Table, source: str) -> str:
    return f"{table.day} IN (SELECT {table.day} FROM {source})"


def _same_key(table: Table, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in table.grain)
