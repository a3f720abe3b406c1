"""Audit, publish, announce: what ends a run of processors, in one transaction.

Everything is idempotent: a (processor, day) whose fingerprint equals its newest receipt's is left alone, so the
same run twice, or a retried last step, changes nothing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fullcourt.crash import crash_point
from fullcourt.domain import breaker, records
from fullcourt.domain.days import sports_day, to_date
from fullcourt.domain.errors import GateError
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.gate import Verdict
from fullcourt.domain.predictions.assembly import summaries
from fullcourt.domain.processors import Phase, Processor
from fullcourt.domain.rows import Stamp
from fullcourt.domain.tables import PublishMode, Table
from fullcourt.orchestration import coverage, lineage, outcome
from fullcourt.orchestration.backfill.claims import Claim
from fullcourt.orchestration.history import MANUAL, completion_event, history_row, instant
from fullcourt.orchestration.receipts import NOTHING_OWED, Day, config_hash, figures, log_day, make_receipt
from fullcourt.warehouse import Session, Warehouse, open_warehouse
from schemas import TABLES

DEMOTION_PERCENT = 10
RUN, BACKFILL = "run", "backfill"  # modes: live, with attempts and breakers; of past days, without
SKIPPED_TRIGGER = "skip_downstream_trigger"  # why a completion message is held
COORDINATOR = "coordinator"  # under this name the predictions' tallies say who was dispatched
_ASSIGNED = ("prediction_id", "prediction_version")  # of a superseding row, known only beside the rows before it
# Tables that follow a processor's rows, with the column that holds the processor and the one that holds the day.
_FOLLOWING = ("precompute_failures", "dead_letters", "reprocess_attempts")


@dataclass(frozen=True)
class Publish:
    """A Finish: audits what the run staged, publishes what changed, and records it.

    days: the game days asked for (days since 1970); each gets a receipt, rows or not.
    mode: run, or backfill: then a day that lacks what it owed is flagged as a failure, too.
    forced: refusals before it were overridden; receipts and history say so.
    held: processor -> why its completion messages are kept in; the others' are sent.
    claim: of the days, asked before anything is written and settled with it.
    synthetic_days: those on which a synthetic context stood in; receipts say so.
    upstream: per day, the name of what the phase before had published when the inputs were read.
    trigger_source: what started the run: manual or pubsub.
    inputs: hash of all that the rows are computed from; None where it changed while it was read.
    detached: nobody waits for the job.
    """

    warehouse: str
    processors: tuple[Processor, ...]
    days: tuple[int, ...]
    stamp: Stamp
    staging: str
    started: int
    allow_demotion: bool = False
    mode: str = RUN
    forced: bool = False
    held: Mapping[str, str] = field(default_factory=dict)
    claim: Claim | None = None
    synthetic_days: tuple[int, ...] = ()
    upstream: Mapping[dt.date, str] = field(default_factory=dict)
    trigger_source: str = MANUAL
    inputs: str | None = None
    detached: bool = False

    def __call__(self, staged: Sequence[Any], tallied: Sequence[Any]) -> None:
        crash_point("staged")
        with lineage.of_run_step(self):
            outcome.record(self.staging, lambda: self._publish_or_settle(staged, tallied))

    def _publish_or_settle(self, staged: Sequence[Any], tallied: Sequence[Any]) -> dict[str, Any]:
        """Where nobody waits for the job, what refuses to be published is said in the slice."""
        try:
            return self._publish(staged, tallied)
        except GateError as error:
            if self.claim and self.detached:
                refused = {**self.claim.refused, **{to_date(day): str(error) for day in self.days}}
                with open_warehouse(self.warehouse).transaction({}) as session:
                    replace(self.claim, refused=refused).settle(session, {}, self.stamp.run_id)
            raise

    def _publish(self, staged: Sequence[Any], tallied: Sequence[Any]) -> dict[str, Any]:
        files: dict[str, list[str]] = {processor.name: [] for processor in self.processors}
        files |= {table: [] for table in _FOLLOWING}
        for part in staged:
            files.setdefault(part.table, []).append(part.path)
        reports = []
        with open_warehouse(self.warehouse).transaction(files) as session:
            if self.claim:
                self.claim.hold(session, self.stamp.run_id)
            for processor in self.processors:
                counts = [part.counts for part in tallied if part.processor == processor.name]
                rows = sum(part.rows for part in staged if part.table == processor.name)
                more = {"coordinator": _coordinator_lines(tallied)} if processor.phase is Phase.PREDICTIONS else {}
                part = _ProcessorPublish(self, processor, session, _DayCounts(self.days, counts))
                reports.append(part.run(rows, more))
            if self.claim:
                self.claim.settle(session, _not_covered(reports), self.stamp.run_id)
            crash_point("in_transaction")
        crash_point("published")
        return {"run_id": self.stamp.run_id, "processors": reports}


def _not_covered(reports: Iterable[dict[str, Any]]) -> dict[dt.date, str]:
    """Per day that lacks what it owed, of which processors."""
    short: dict[dt.date, list[str]] = {}
    for report in reports:
        for day in report["days_not_covered"]:
            short.setdefault(dt.date.fromisoformat(day), []).append(report["processor"])
    return {day: f"not covered: {', '.join(names)}" for day, names in short.items()}


def _coordinator_lines(tallied: Sequence[Any]) -> list[str]:
    """Per day: how many players, ready ones, their mean completeness, and how many were dispatched."""
    parts = [part.counts for part in tallied if part.processor == COORDINATOR]
    return [f"{day}: {summary.text}" for day, summary in summaries(parts).items()]


class _DayCounts:
    """A processor's tallies summed over its shards, one entry a day asked for."""

    def __init__(self, days: tuple[int, ...], tallies: Iterable[pa.Table]) -> None:
        self.days = np.array(sorted(days), dtype=np.int32)
        names = (*(verdict.label for verdict in Verdict), "percent_tenths", "percent_rows")
        self.counts = {name: np.zeros(len(days), dtype=np.int64) for name in names}
        self.fingerprint = np.zeros(len(days), dtype=np.uint64)
        for tally in tallies:
            place = np.searchsorted(self.days, tally["day"].combine_chunks().cast(pa.int32()).to_numpy())
            np.add.at(self.fingerprint, place, tally["fingerprint"].to_numpy())
            for name, total in self.counts.items():
                if name in tally.column_names:
                    np.add.at(total, place, tally[name].to_numpy())

    @property
    def written(self) -> np.ndarray:
        """Rows that go to the output table: computed ones and stubs."""
        kinds = ("ready", "flagged", "incomplete", "blocked")
        return np.sum([self.counts[kind] for kind in kinds], axis=0)

    def by_day(self) -> list[dict[str, Any]]:
        """Counts by verdict, rows written and mean percentage, as lists first: thousands of days are asked for."""
        names = [f"{verdict.label}_count" for verdict in Verdict]
        counted = zip(*(self.counts[verdict.label].tolist() for verdict in Verdict), strict=True)
        written = self.written.tolist()
        tenths, rows = (self.counts[name].tolist() for name in ("percent_tenths", "percent_rows"))
        return [
            {
                **dict(zip(names, of_day, strict=True)),
                "row_count": written[index],
                "mean_completeness_pct": round(tenths[index] / rows[index] / 10, 2) if rows[index] else None,
            }
            for index, of_day in enumerate(counted)
        ]


class _ProcessorPublish:
    """One processor's part of the transaction."""

    def __init__(self, run: Publish, processor: Processor, session: Session, counts: _DayCounts) -> None:
        self._run, self._processor, self._session, self._counts = run, processor, session, counts
        self._table = TABLES[processor.name]
        self._dates = [to_date(day) for day in counts.days]
        self._supersedes = self._table.publish is PublishMode.SUPERSEDE
        self._config = config_hash(processor, run.mode)
        self._now = instant(run.stamp.now)

    def run(self, staged_rows: int, more: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the report, of which `more` is a part."""
        self._audit(staged_rows)
        known = newest_receipts(self._session, self._processor, self._dates)
        fingerprints = [
            hash_settings({"content": f"{value:016x}", "config": self._config}) for value in self._counts.fingerprint
        ]
        stored = stored_rows(self._session, self._processor, self._dates)
        changed = [
            date
            for date, fingerprint in zip(self._dates, fingerprints, strict=True)
            # Rows that went missing since the receipt come back.
            if known.get(date, {}).get("fingerprint") != fingerprint or stored.get(date, 0) != known[date]["row_count"]
        ]
        demoted = self._demotions(changed)
        if changed:
            self._replace(changed)
        owed = covered(self._session, self._processor, self._dates, self._now)
        null_share, counts = self._null_shares(), self._counts.by_day()
        candidates = [
            make_receipt(
                run=self._run,
                processor=self._processor,
                day=Day(date, fingerprints[index], counts[index], demoted.get(date, 0), null_share.get(date)),
                owed=owed.get(date, NOTHING_OWED),
                last=known.get(date, {}),
            )
            for index, date in enumerate(self._dates)
        ]
        # Games of a day prepared before them are played later: then it owes rows that its receipt knew nothing of.
        receipts = [
            receipt
            for receipt in candidates
            if receipt["analysis_date"] in changed or figures(receipt) != figures(known[receipt["analysis_date"]])
        ]
        for receipt in receipts:
            log_day(receipt)
        newest = {**known, **{receipt["analysis_date"]: receipt for receipt in receipts}}
        statuses = {date: receipt["status"] for date, receipt in newest.items()}
        self._unflag([date for date in self._dates if statuses[date] == "COMPLETE"])
        if self._run.mode == BACKFILL:
            self._flag([newest[date] for date in self._dates if statuses[date] != "COMPLETE"])
        report = {**self._report(len(receipts), statuses, demoted), **more}
        self._record(receipts, statuses, publishes_hash(newest.values()), report)
        return report

    def _audit(self, staged_rows: int) -> None:
        """Staged rows are the counted rows, each key once; otherwise nothing of the run is published."""
        counted = int(self._counts.written.sum())
        if staged_rows != counted:
            raise GateError(
                f"audit: {self._processor.name} staged {staged_rows} rows, expected the {counted} it counted"
            )
        keys = ", ".join(self._table.supersede_by or self._table.grain)
        repeated = self._session.query(
            f"SELECT {keys}, COUNT(*) AS copies FROM {self._session.staged(self._table.name)} "
            f"GROUP BY {keys} HAVING COUNT(*) > 1 LIMIT 1"
        ).to_pylist()
        if repeated:
            raise GateError(f"audit: {self._processor.name} staged a key more than once: {repeated[0]}")

    def _demotions(self, dates: list[dt.date]) -> dict[dt.date, int]:
        """Rows that are ready now and would not be; too many of a day's refuse the publish."""
        if self._supersedes:
            return {}  # what is superseded is still there
        day, keys = self._processor.day_column, self._table.grain
        gated = self._table.readiness  # a summary has no verdict: its row is ready by being there
        was, stays = ("stored.is_production_ready", "fresh.is_production_ready") if gated else ("TRUE", "TRUE")
        staged = self._session.staged(self._table.name)
        rows = self._session.query(
            f"SELECT stored.{day} AS day, COUNT(*) AS ready, "
            f"COUNTIF({self._gone()} OR NOT COALESCE({stays}, TRUE)) AS demoted "
            f"FROM {self._table.read_id} AS stored LEFT JOIN {staged} AS fresh "
            f"ON {' AND '.join(f'fresh.{key} = stored.{key}' for key in dict.fromkeys((*keys, day)))} "
            f"WHERE {was} AND stored.{day} IN UNNEST(@days) GROUP BY stored.{day} ORDER BY stored.{day}",
            days=dates,
        ).to_pylist()
        over = [row for row in rows if 100 * row["demoted"] > DEMOTION_PERCENT * row["ready"]]
        if over and not self._run.allow_demotion:
            listed = ", ".join(f"{row['day']} ({row['demoted']} of {row['ready']})" for row in over[:5])
            raise GateError(
                f"{self._processor.name}: {len(over)} days would lose more than {DEMOTION_PERCENT} % of their ready "
                f"rows: {listed}{', …' if len(over) > 5 else ''}; nothing was published. Repair the data, or publish "
                "the verdicts as they now are with --allow-demotion"
            )
        return {row["day"]: row["demoted"] for row in rows}

    def _gone(self) -> str:
        """SQL of whether a stored row's key has no staged row any more, though the run asked for it.

        Who is listed for a fixture is known better after it: a player who turns out not to be listed was no demotion,
        unless the whole day is empty.
        """
        day = self._processor.day_column
        if not self._processor.fixtures:
            return f"fresh.{day} IS NULL"
        staged, failed = self._session.staged(self._table.name), self._session.staged("precompute_failures")
        excluded = (
            f"EXISTS (SELECT 1 FROM {failed} AS failed WHERE failed.processor_name = '{self._processor.name}' AND "
            f"failed.analysis_date = stored.{day} AND failed.entity_id = stored.{self._processor.key_column})"
        )
        return f"(fresh.{day} IS NULL AND (stored.{day} NOT IN (SELECT {day} FROM {staged}) OR {excluded}))"

    def _replace(self, dates: list[dt.date]) -> None:
        """The days' rows and failures go, the staged ones come; attempts and actions are appended."""
        if self._supersedes:
            supersede(self._session, self._table, self._processor.day_column, dates, self._now)
        else:
            for table in self._table.stored_in:
                self._delete(table, f"{self._processor.day_column} IN UNNEST(@days)", dates)
            self._insert(self._table.name, f"{self._processor.day_column} IN UNNEST(@days)", dates)
        if not self._table.readiness:
            return
        mine = f"processor_name = '{self._processor.name}' AND analysis_date IN UNNEST(@days)"
        entities = f"{mine} AND entity_id <> '{records.WHOLE_DAY}'"  # a flagged day stays flagged until it is complete
        self._delete(TABLES["precompute_failures"].id, entities, dates)
        self._delete(TABLES["dead_letters"].id, mine, dates)
        for table in _FOLLOWING:
            self._insert(table, mine, dates)
        if self._run.stamp.recording:
            self._close_breakers(dates)

    def _close_breakers(self, dates: list[dt.date]) -> None:
        """Of entities of the days that no longer wait: ready, flagged, or nothing is required of them any more."""
        name, failed = self._processor.name, self._session.staged("precompute_failures")
        standing = self._session.query(
            f"SELECT {', '.join(breaker.STATE.names)} FROM nba_orchestration.breaker_state AS breakers "
            "WHERE processor_name = @processor AND analysis_date IN UNNEST(@days) AND attempt_number > 0 "
            f"AND NOT EXISTS (SELECT 1 FROM {failed} AS failed WHERE failed.processor_name = breakers.processor_name "
            "AND failed.entity_id = breakers.entity_id AND failed.analysis_date = breakers.analysis_date "
            "AND failed.failure_category <> @explained) ORDER BY analysis_date, entity_id",
            processor=name,
            days=dates,
            explained=records.EXPLAINED,
        )
        stamp, schema = self._run.stamp, TABLES["breaker_actions"].arrow_schema
        closings = (breaker.CLOSE, stamp.run_id, breaker.AUTO_CLOSE_NOTE, schema, stamp.now)
        self._session.insert("breaker_actions", records.action_rows(standing, *closings))

    def _unflag(self, dates: list[dt.date]) -> None:
        """Days that were flagged as incomplete and are complete now."""
        flagged = f"processor_name = '{self._processor.name}' AND entity_id = '{records.WHOLE_DAY}'"
        self._delete(TABLES["precompute_failures"].id, f"{flagged} AND analysis_date IN UNNEST(@days)", dates)

    def _flag(self, receipts: list[dict[str, Any]]) -> None:
        """Days that lack what they owed: a failure of the whole day each, in the place of an earlier one."""
        self._unflag([receipt["analysis_date"] for receipt in receipts])
        failures = [coverage.failure(receipt, self._now) for receipt in receipts]
        insert_records(self._session, "precompute_failures", failures)

    def _delete(self, table: str, where: str, dates: list[dt.date]) -> None:
        self._session.execute(f"DELETE FROM {table} WHERE {where}", days=dates)

    def _insert(self, table: str, where: str, dates: list[dt.date]) -> None:
        columns = ", ".join(TABLES[table].by_name)
        rows = f"SELECT {columns} FROM {self._session.staged(table)} WHERE {where}"
        self._session.execute(f"INSERT INTO {TABLES[table].id} ({columns}) {rows}", days=dates)

    def _null_shares(self) -> dict[dt.date, float]:
        """Per day, over ready rows: the highest share of nulls in a column that only a missing source leaves null."""
        ready = "is_production_ready" if self._table.readiness else "TRUE"
        shares = ", ".join(f"COUNTIF({column} IS NULL) / COUNT(*)" for column in self._processor.known_columns)
        rows = self._session.query(
            f"SELECT {self._processor.day_column} AS day, GREATEST(0.0, {shares}) AS share "
            f"FROM {self._session.staged(self._table.name)} WHERE {ready} GROUP BY {self._processor.day_column}"
        )
        return {row["day"]: row["share"] for row in rows.to_pylist()}

    def _record(
        self, receipts: list[dict[str, Any]], statuses: dict[dt.date, str], publishes: str, report: dict[str, Any]
    ) -> None:
        """Receipts, completion events and the run's history, with the rows they speak of."""
        insert_records(self._session, "publish_receipts", receipts)
        held = self._run.held.get(self._processor.name)
        run = self._run
        events = [completion_event(receipt, self._table, self._now, held, run.trigger_source) for receipt in receipts]
        insert_records(self._session, "outbox_events", events)
        row = history_row(
            self._processor,
            run.stamp,
            run.started,
            run.mode,
            self._dates,
            receipts,
            statuses,
            forced=run.forced,
            upstream=run.upstream,
            trigger_source=run.trigger_source,
            inputs=run.inputs,
            publishes=publishes,
            report=report,
        )
        recorded = self._session.query(
            "SELECT COUNT(*) AS n FROM nba_reference.processor_run_history "
            "WHERE run_id = @run_id AND processor_name = @processor",
            run_id=run.stamp.run_id,
            processor=self._processor.name,
        )
        if recorded["n"][0].as_py() == 0:  # a retried last step finds its own row
            insert_records(self._session, "processor_run_history", [row])

    def _report(self, recorded: int, statuses: dict[dt.date, str], demoted: dict[dt.date, int]) -> dict[str, Any]:
        """Totals over all days of the run, unchanged ones too."""
        counts = self._counts.counts
        rows = int(counts["percent_rows"].sum())
        return {
            "processor": self._processor.name,
            "days": len(self._dates),
            "unchanged_days": len(self._dates) - recorded,
            **{verdict.label: int(counts[verdict.label].sum()) for verdict in Verdict},
            "mean_completeness_pct": round(int(counts["percent_tenths"].sum()) / rows / 10, 1) if rows else None,
            "demoted": sum(demoted.values()),
            "days_not_covered": [date.isoformat() for date in self._dates if statuses[date] != "COMPLETE"],
        }


def newest_receipts(
    source: Warehouse | Session, processor: Processor, days: Sequence[dt.date]
) -> dict[dt.date, dict[str, Any]]:
    """Per day that has any."""
    rows = source.query(
        "SELECT * FROM nba_orchestration.latest_receipts "
        "WHERE processor_name = @processor AND analysis_date IN UNNEST(@days)",
        processor=processor.name,
        days=list(days),
    )
    return {row["analysis_date"]: row for row in rows.to_pylist()}


def publishes_hash(receipts: Iterable[Mapping[str, Any]]) -> str:
    """Of the publishes that a processor's receipts, one a day, tell of."""
    return hash_settings({"publishes": sorted(receipt["publish_id"] for receipt in receipts)})


def covered(
    source: Warehouse | Session, processor: Processor, days: Sequence[dt.date], now: dt.datetime
) -> dict[dt.date, dict[str, int]]:
    """Per day that owes anything: how much, and what of it is there now (coverage_sql)."""
    parameters: dict[str, Any] = {"days": list(days)}
    if not processor.windows and processor.phase is not Phase.PREDICTIONS:
        parameters["today"] = sports_day(now)
    rows = source.query(coverage.coverage_sql(processor), **parameters)
    return {row["day"]: row for row in rows.to_pylist()}


def stored_rows(source: Warehouse | Session, processor: Processor, days: Sequence[dt.date]) -> dict[dt.date, int]:
    """Per day that has any, the rows that stand in the processor's table; of predictions the active ones."""
    table, day = TABLES[processor.name], processor.day_column
    standing = " AND is_active" if table.publish is PublishMode.SUPERSEDE else ""
    rows = source.query(
        f"SELECT {day} AS day, COUNT(*) AS stored FROM {table.read_id} "
        f"WHERE {day} IN UNNEST(@days){standing} GROUP BY {day}",
        days=list(days),
    )
    return {row["day"]: row["stored"] for row in rows.to_pylist()}


def supersede(session: Session, table: Table, day: str, dates: list[dt.date], now: dt.datetime) -> None:
    """Of each business key the staged row becomes the active one; one that says the same as before changes nothing."""
    key, given = table.supersede_by, [name for name in table.by_name if name not in _ASSIGNED]
    same_key = " AND ".join(f"fresh.{name} = stored.{name}" for name in key)
    fresh = f"fresh_{table.name}"
    session.execute(
        f"CREATE TEMP TABLE {fresh} AS SELECT CONCAT(fresh.prediction_id, ':', CAST(COALESCE(stored.newest, 0) + 1 AS "
        f"STRING)) AS prediction_id, COALESCE(stored.newest, 0) + 1 AS prediction_version, "
        f"{', '.join(f'fresh.{name}' for name in given)} "
        f"FROM {session.staged(table.name)} AS fresh LEFT JOIN (SELECT {', '.join(key)}, "
        f"MAX(prediction_version) AS newest FROM {table.id} GROUP BY {', '.join(key)}) AS stored ON {same_key} "
        f"WHERE fresh.{day} IN UNNEST(@days)",
        days=dates,
    )
    unchanged = f"stored.is_active AND stored.data_hash = fresh.data_hash AND {same_key}"
    session.execute(f"DELETE FROM {fresh} AS fresh WHERE EXISTS (SELECT 1 FROM {table.id} AS stored WHERE {unchanged})")
    session.execute(
        f"UPDATE {table.id} AS stored SET is_active = FALSE, updated_at = @now, "
        f"superseded_by = (SELECT MAX(fresh.prediction_id) FROM {fresh} AS fresh WHERE {same_key}) "
        f"WHERE stored.is_active AND stored.{day} IN UNNEST(@days) AND NOT EXISTS (SELECT 1 FROM "
        f"{session.staged(table.name)} AS fresh WHERE {unchanged})",
        days=dates,
        now=now,
    )
    session.execute(
        f"INSERT INTO {table.id} ({', '.join((*_ASSIGNED, *given))}) "
        f"SELECT {', '.join((*_ASSIGNED, *given))} FROM {fresh}"
    )
    session.execute(f"DROP TABLE {fresh}")


def insert_records(session: Session, table: str, records: Sequence[dict[str, Any]]) -> None:
    """Appends a handful of rows; columns a record does not name are null."""
    if records:
        session.insert(table, pa.Table.from_pylist(list(records), TABLES[table].arrow_schema))
