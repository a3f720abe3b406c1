"""Phase 2 over a directory of landing files: find, load, publish what differs, keep the manifest."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from fullcourt.domain.days import micros
from fullcourt.domain.errors import GateError
from fullcourt.domain.landing import ROW, Games, Players
from fullcourt.domain.rows import Stamp
from fullcourt.domain.tables import Table
from fullcourt.orchestration import lineage, outcome
from fullcourt.orchestration.events.raw import announce
from fullcourt.orchestration.history import instant
from fullcourt.orchestration.landing_files import SOURCES, Found, copied_columns, find
from fullcourt.orchestration.publish import SKIPPED_TRIGGER, insert_records
from fullcourt.orchestration.run import NO_WAIT, Progress, new_run_id
from fullcourt.warehouse import Read, Session, Snapshot, open_warehouse
from fullcourt.warehouse.ddl import check_schema
from schemas import TABLES

MAX_DEAD_PERCENT = 1.0


@dataclass(frozen=True)
class IngestRequest:
    """What to load, from a directory of this machine or from gs://bucket/directory.

    max_dead_percent: the share of unreadable rows above which nothing is published.
    detached: hand the job to the service that beam_args name, and do not wait; the job's last step publishes.
    skip_downstream_trigger: the completion messages are written and kept in, so that nothing downstream starts.
    """

    warehouse: str
    directory: Path | str
    now: dt.datetime
    max_dead_percent: float = MAX_DEAD_PERCENT
    beam_args: tuple[str, ...] = ()
    detached: bool = False
    skip_downstream_trigger: bool = False


class IngestPipeline(Protocol):
    """The ingest pipeline module, handed in so that orchestration needs no Beam."""

    Config: Any
    LandingFile: Any

    def launch(self, config: Any, snapshot: Snapshot, finish: Any, beam_args: Sequence[str]) -> None: ...


def ingest(request: IngestRequest, pipeline: IngestPipeline, say: Progress = lambda _: None) -> dict[str, Any]:
    """Loads the directory and reports: {"run_id", "files", "unread_columns", "tables", "announced"}.

    Of a load that was handed over, {"run_id", "detached": True}.  unread_columns: those no table has a place for.
    GateError: a file that cannot be read, or too many rows that cannot.  Nothing is published then.
    """
    warehouse = open_warehouse(request.warehouse)
    check_schema(warehouse)
    say("looking at the landing files")
    found = find(str(request.directory))
    stamp = Stamp(run_id=new_run_id(request.now), now=micros(request.now))
    staging = warehouse.staging(stamp.run_id)
    handed_over = False
    try:
        stored = [Read("nbac_schedule", Games.COLUMNS), Read("player_aliases", Players.COLUMNS)]
        snapshot = warehouse.snapshot(stored, staging)
        files = {
            source.TABLE.name: tuple(_landing_file(file, pipeline) for file in found if file.table is source.TABLE)
            for source in SOURCES
        }
        config = pipeline.Config({table: listed for table, listed in files.items() if listed}, stamp, str(staging))
        held = SKIPPED_TRIGGER if request.skip_downstream_trigger else None
        finish = PublishRaw(
            request.warehouse, tuple(found), stamp, str(staging), request.max_dead_percent, held, request.detached
        )
        say(f"loading {sum(map(len, files.values()))} files")
        with lineage.of_load(finish):
            if request.detached:
                outcome.submit(partial(pipeline.launch, config, snapshot, finish, (*request.beam_args, NO_WAIT)))
                handed_over = True
                return {"run_id": stamp.run_id, "detached": True}
            return outcome.read(str(staging), partial(pipeline.launch, config, snapshot, finish, request.beam_args))
    finally:
        if not handed_over:
            warehouse.sweep(stamp.run_id)


def _landing_file(file: Found, pipeline: IngestPipeline) -> Any:
    assert file.table is not None
    assert file.landing is not None
    return pipeline.LandingFile(
        path=file.path,
        name=file.name,
        table=file.table.name,
        columns=file.landing.needed,
        copied=copied_columns(file.table, file.landing),
        required=tuple(column.name for column in file.table.columns if column.required),
        schema=file.table.arrow_schema,
    )


@dataclass(frozen=True)
class PublishRaw:
    """A Finish: refuses a load with too many unreadable rows, else replaces the games whose rows differ.

    held: why the completion messages are kept in; None: they are sent.
    detached: nobody waits for the job.
    """

    warehouse: str
    files: tuple[Found, ...]
    stamp: Stamp
    staging: str
    max_dead_percent: float
    held: str | None = None
    detached: bool = False

    def __call__(self, staged: Sequence[Any], tallied: Sequence[Any]) -> None:
        with lineage.of_load_step(self):
            outcome.record(self.staging, lambda: self._publish(staged, tallied))

    def _publish(self, staged: Sequence[Any], tallied: Sequence[Any]) -> dict[str, Any]:
        paths: dict[str, list[str]] = {"dead_letters": []}
        for part in staged:
            paths.setdefault(part.table, []).append(part.path)
        _refuse_torn(tallied)
        counts = {file.name: _sum_counts(file.name, tallied) for file in self.files}
        with open_warehouse(self.warehouse).transaction(paths) as session:
            self._refuse_unreadable(session, counts)
            tables = [_replace_changed(session, TABLES[name]) for name in paths if name != "dead_letters"]
            _follow_schedule(session)
            columns = ", ".join(TABLES["dead_letters"].by_name)
            dead, letters = session.staged("dead_letters"), TABLES["dead_letters"].id
            session.execute(
                f"DELETE FROM {letters} WHERE processor_name IS NULL AND source IN UNNEST(@files)",
                files=[file.name for file in self.files],
            )
            session.execute(f"INSERT INTO {letters} ({columns}) SELECT {columns} FROM {dead}")
            session.execute("DELETE FROM nba_orchestration.landing_manifest WHERE run_id = @run", run=self.stamp.run_id)
            manifest = [self._manifest_row(file, counts[file.name], tables) for file in self.files]
            insert_records(session, "landing_manifest", manifest)
            announced = announce(session, self.stamp.run_id, instant(self.stamp.now), self.held)
        shown = ("file_name", "target_table", "status", "rows_read", "rows_loaded", "rows_excluded", "rows_dead")
        return {
            "run_id": self.stamp.run_id,
            "files": [{name: row[name] for name in shown} for row in manifest],
            "unread_columns": {file.name: list(file.unread) for file in self.files if file.unread},
            "tables": tables,
            "announced": announced,
        }

    def _refuse_unreadable(self, session: Session, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Above the share of a table's rows that may be unreadable, the whole load is refused, naming examples."""
        for table in {file.table.name: file.table for file in self.files if file.table}.values():
            of_table = [counts[file.name] for file in self.files if file.table is table]
            read, dead = (sum(count[name] for count in of_table) for name in ("read", "dead"))
            if read == 0:
                names = ", ".join(file.name for file in self.files if file.table is table)
                raise GateError(f"{names} has no rows: expected a landing file of {table.name} with at least one")
            if 100 * dead > self.max_dead_percent * read:
                sources = [file.name for file in self.files if file.table is table]
                examples = session.query(
                    f"SELECT source, row_number, field, value, reason FROM {session.staged('dead_letters')} "
                    "WHERE source IN UNNEST(@sources) ORDER BY source, row_number LIMIT 3",
                    sources=sources,
                ).to_pylist()
                quoted = "; ".join(
                    f"{e['source']} row {e['row_number']}: {e['field']}={e['value']!r}, {e['reason']}" for e in examples
                )
                raise GateError(
                    f"{dead} of {read} rows for {table.name} cannot be read, more than {self.max_dead_percent:g} %; "
                    f"nothing was published. First ones: {quoted}"
                )

    def _manifest_row(
        self, file: Found, count: Mapping[str, int], tables: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        changed = {table["table"] for table in tables if table["changed"]}
        status = "ignored" if file.table is None else "loaded" if file.table.id in changed else "unchanged"
        return {
            "run_id": self.stamp.run_id,
            "file_name": file.name,
            "file_sha256": file.sha256,
            "file_bytes": file.bytes,
            "target_table": file.table.id if file.table else None,
            "status": status,
            "rows_read": count["read"] if file.table else None,
            "rows_loaded": count["loaded"] if file.table else None,
            "rows_excluded": count["excluded"] if file.table else None,
            "rows_dead": count["dead"] if file.table else None,
            "loaded_at": dt.datetime.fromtimestamp(self.stamp.now / 1_000_000, dt.UTC),
        }


def _refuse_torn(tallied: Sequence[Any]) -> None:
    for part in tallied:
        if "torn" in part.counts.column_names:
            raise GateError(f"{part.processor} cannot be read, it may be torn: {part.counts['torn'][0].as_py()}")


def _sum_counts(name: str, tallied: Sequence[Any]) -> dict[str, int]:
    total = {"read": 0, "loaded": 0, "excluded": 0, "dead": 0}
    for part in tallied:
        if part.processor == name:
            total = {key: value + part.counts[key][0].as_py() for key, value in total.items()}
    return total


def _settle_fixtures(session: Session, table: Table, fresh: str) -> None:
    """One fixture under two league ids: the more final row stays, of equals the newer, in files and table alike."""
    (key,) = table.replace_by
    session.execute(
        f"DELETE FROM {fresh} WHERE {key} IN (SELECT {key} FROM {fresh} WHERE game_id IS NOT NULL "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id ORDER BY game_status DESC, {key} DESC) > 1)"
    )
    rivals = (
        f"FROM {fresh} AS fresh JOIN {table.id} AS stored ON stored.game_id = fresh.game_id "
        f"WHERE stored.{key} NOT IN (SELECT {key} FROM {fresh}) AND"
    )
    session.execute(
        f"DELETE FROM {fresh} WHERE {key} IN (SELECT fresh.{key} {rivals} stored.game_status > fresh.game_status)"
    )
    session.execute(
        f"DELETE FROM {table.id} WHERE {key} IN (SELECT stored.{key} {rivals} stored.game_status <= fresh.game_status)"
    )


def _follow_schedule(session: Session) -> None:
    """A game whose day the schedule corrected takes its rows along, whichever file brought them."""
    for table in (source.TABLE for source in SOURCES):
        if "game_id" in table.by_name and table.name != "nbac_schedule":
            session.execute(
                f"UPDATE {table.id} AS held SET game_id = fixed.game_id, game_date = fixed.game_date "
                "FROM nba_raw.nbac_schedule AS fixed WHERE fixed.nba_game_id = held.nba_game_id "
                "AND (held.game_id IS DISTINCT FROM fixed.game_id OR held.game_date IS DISTINCT FROM fixed.game_date)"
            )


def _replace_changed(session: Session, table: Table) -> dict[str, Any]:
    """Replaces what the staged rows cover and differ in; the same rows again change nothing.

    Of repeats of one key the newest word wins: for games the most final status, then the last file, the last row.
    """
    (key,) = table.replace_by
    columns, content = ", ".join(table.by_name), ", ".join(table.content_columns)
    newest = f"{'game_status DESC, ' if 'game_status' in table.by_name else ''}source_file DESC, {ROW} DESC"
    fresh = f"fresh_{table.name}"
    session.execute(
        f"CREATE TEMP TABLE {fresh} AS SELECT {columns} FROM {session.staged(table.name)} WHERE TRUE "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {', '.join(table.grain)} ORDER BY {newest}) = 1"
    )
    if "game_status" in table.by_name:
        _settle_fixtures(session, table, fresh)
    stored = f"(SELECT * FROM {table.id} WHERE {key} IN (SELECT {key} FROM {fresh}))"
    session.execute(
        f"CREATE TEMP TABLE changed_{table.name} AS SELECT DISTINCT {key} FROM ("
        f"(SELECT {content} FROM {fresh} EXCEPT DISTINCT SELECT {content} FROM {stored} AS before) UNION ALL "
        f"(SELECT {content} FROM {stored} AS before EXCEPT DISTINCT SELECT {content} FROM {fresh})) AS differing"
    )
    changed = f"{key} IN (SELECT {key} FROM changed_{table.name})"
    figures = session.query(
        f"SELECT (SELECT COUNT(*) FROM {fresh}) AS loaded, (SELECT COUNT(DISTINCT {key}) FROM {fresh}) AS covered, "
        f"(SELECT COUNT(*) FROM changed_{table.name}) AS changed, "
        f"(SELECT COUNT(*) FROM {session.staged(table.name)}) AS staged_rows"
    ).to_pylist()[0]
    session.execute(f"DELETE FROM {table.id} WHERE {changed}")
    session.execute(f"INSERT INTO {table.id} ({columns}) SELECT {columns} FROM {fresh} WHERE {changed}")
    return {
        "table": table.id,
        "rows": figures["loaded"],
        "repeats_dropped": figures["staged_rows"] - figures["loaded"],
        "covered": figures["covered"],
        "changed": figures["changed"],
    }
