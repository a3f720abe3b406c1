"""What there is to tell of a run, in our own words: jobs, the tables they read and write, what publishes found."""

import datetime as dt
import enum
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.days import to_date
from fullcourt.domain.processors import Processor
from fullcourt.domain.rows import Stamp
from fullcourt.domain.tables import Table
from fullcourt.orchestration.coverage import PASS_PERCENT
from fullcourt.orchestration.history import MAX_NULL_SHARE
from fullcourt.orchestration.landing_files import Found
from fullcourt.warehouse import Read, open_warehouse
from fullcourt.warehouse.bigquery.address import SCHEME, Address
from fullcourt.warehouse.files import BUCKET, is_in_bucket
from schemas import TABLES

Reads = Callable[[tuple[Processor, ...], Sequence[int], Sequence[int]], list[Read]]
NAMESPACE = "OPENLINEAGE_NAMESPACE"  # the variable in which OpenLineage's integrations look for that of their jobs
_DEFAULT_NAMESPACE = "fullcourt"
_INGEST = "ingest"


class State(enum.Enum):
    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


class Publication(Protocol):
    """The last step of a run: orchestration.publish.Publish."""

    @property
    def warehouse(self) -> str: ...

    @property
    def processors(self) -> tuple[Processor, ...]: ...

    @property
    def days(self) -> tuple[int, ...]: ...

    @property
    def stamp(self) -> Stamp: ...

    @property
    def mode(self) -> str: ...

    @property
    def forced(self) -> bool: ...

    @property
    def detached(self) -> bool: ...


class Load(Protocol):
    """The last step of a load: orchestration.ingest.PublishRaw."""

    @property
    def warehouse(self) -> str: ...

    @property
    def files(self) -> tuple[Found, ...]: ...

    @property
    def stamp(self) -> Stamp: ...

    @property
    def max_dead_percent(self) -> float: ...

    @property
    def detached(self) -> bool: ...


@dataclass(frozen=True)
class Dataset:
    """A table or a file, under the name that OpenLineage's conventions give it. table: None for views and files."""

    namespace: str
    name: str
    table: Table | None = None


@dataclass(frozen=True)
class Job:
    """A job and this run of it. days: the game days it covers, first and last; None for a load."""

    name: str
    run_id: str
    tags: Mapping[str, str]
    parent: "Job | None" = None
    days: tuple[dt.date, dt.date] | None = None
    inputs: tuple[Dataset, ...] = ()
    outputs: tuple[Dataset, ...] = ()

    @property
    def namespace(self) -> str:
        return os.environ.get(NAMESPACE) or _DEFAULT_NAMESPACE

    @property
    def uuid(self) -> str:
        """The same for the same run, whoever tells of it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fullcourt:{self.run_id}/{self.name}"))


@dataclass(frozen=True)
class Assertion:
    """Of a whole table. stops: nothing is published where it does not hold."""

    name: str
    holds: bool
    description: str
    expected: str
    actual: str
    stops: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """rows: that this run brought; 0 where it found everything as it was."""

    rows: int
    assertions: tuple[Assertion, ...]


Facts = Mapping[str, Written]  # by the table's id


def jobs_of_run(finish: Publication, reads: Reads | None = None, seasons: Sequence[int] = ()) -> list[Job]:
    """The phase's, and one a processor below it. reads: None where inputs have been told before."""
    phase, days = finish.processors[0].phase.name.lower(), [to_date(day) for day in sorted(finish.days)]
    tags = {"fullcourt_run_id": finish.stamp.run_id, "mode": finish.mode, "forced": str(finish.forced).lower()}
    covered = (days[0], days[-1])
    parent = Job(phase, finish.stamp.run_id, tags, days=covered)
    return [
        parent,
        *(
            Job(
                f"{phase}.{processor.name}",
                finish.stamp.run_id,
                tags,
                parent,
                covered,
                _inputs(finish.warehouse, reads((processor,), seasons, finish.days) if reads else ()),
                (table_dataset(finish.warehouse, TABLES[processor.name]),),
            )
            for processor in finish.processors
        ),
    ]


def job_of_load(finish: Load) -> list[Job]:
    ours = [(file.path, file.table) for file in finish.files if file.table]
    tables = dict.fromkeys(table.name for _, table in ours)
    tags = {"fullcourt_run_id": finish.stamp.run_id}
    inputs = tuple(_file(path) for path, _ in ours)
    outputs = tuple(table_dataset(finish.warehouse, TABLES[name]) for name in tables)
    return [Job(_INGEST, finish.stamp.run_id, tags, inputs=inputs, outputs=outputs)]


def _file(path: str) -> Dataset:
    """A landing file; one in a bucket is named by the bucket and the object, as OpenLineage wants it."""
    if not is_in_bucket(path):
        return Dataset("file", path)
    bucket, _, name = path.removeprefix(BUCKET).partition("/")
    return Dataset(f"{BUCKET}{bucket}", name)


def _inputs(warehouse: str, reads: Sequence[Read]) -> tuple[Dataset, ...]:
    """The tables behind the reads, each once; a view of a table and its history goes by the table's name."""
    found: dict[str, Dataset] = {}
    for read in reads:
        view = read.table == BREAKER_STATE
        found[read.table] = dataset(warehouse, read.id) if view else table_dataset(warehouse, TABLES[read.table])
    return tuple(found.values())


def table_dataset(warehouse: str, table: Table) -> Dataset:
    return dataset(warehouse, table.id, table)


def dataset(warehouse: str, table_id: str, table: Table | None = None) -> Dataset:
    """BigQuery as OpenLineage's naming has it; DuckDB, which it does not have, by the file, and as DuckDB names it."""
    if warehouse.startswith(f"{SCHEME}://"):
        return Dataset("bigquery", f"{Address.parse(warehouse).project}.{table_id}", table)
    path = Path(warehouse.removeprefix("duckdb://")).absolute()
    return Dataset(f"duckdb://{path}", f"{path.stem}.{table_id}", table)


def published(finish: Publication) -> Facts:
    """By the newest receipts of the run's days: those it found unchanged have older ones."""
    kinds = ("ready", "flagged", "incomplete", "blocked", "excluded", "dead_letter")
    summed = (*(f"{kind}_count" for kind in kinds), "coverage_expected", "coverage_written", "coverage_explained")
    found = open_warehouse(finish.warehouse).query(
        f"SELECT processor_name, {', '.join(f'SUM(COALESCE({name}, 0)) AS {name}' for name in summed)}, "
        "SUM(IF(run_id = @run_id, row_count, 0)) AS rows_written, MAX(max_null_share) AS null_share, "
        "COUNTIF(status <> 'COMPLETE') AS short_days, COUNT(*) AS days FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@processors) AND analysis_date IN UNNEST(@days) GROUP BY processor_name",
        run_id=finish.stamp.run_id,
        processors=[processor.name for processor in finish.processors],
        days=[to_date(day) for day in finish.days],
    )
    return {
        TABLES[row["processor_name"]].id: Written(
            int(row["rows_written"]),
            (
                *_audits(TABLES[row["processor_name"]]),
                _completeness({kind: int(row[f"{kind}_count"]) for kind in kinds}),
                _coverage(row),
                _nulls(row["null_share"]),
            ),
        )
        for row in found.to_pylist()
    }


def _audits(table: Table) -> tuple[Assertion, ...]:
    """That there is a publish says that they hold."""
    key = f"No ({', '.join(table.supersede_by or table.grain)}) was staged twice."
    return (
        Assertion("row_count", True, "The rows staged are the rows counted.", "equal", "equal", stops=True),
        Assertion("unique", True, key, "no repeats", "no repeats", stops=True),
    )


def _completeness(counts: Mapping[str, int]) -> Assertion:
    held_back = sum(counts[kind] for kind in ("incomplete", "blocked", "dead_letter"))
    actual = f"{held_back} of {sum(counts.values())} held back"
    return Assertion(
        "completeness", not held_back, "No entity's games are missing.", "0 held back", actual, counts=counts
    )


def _coverage(row: Mapping[str, Any]) -> Assertion:
    """Of all days together, as a percentage; it holds when each of them is covered."""
    owed, there = int(row["coverage_expected"]), int(row["coverage_written"]) + int(row["coverage_explained"])
    actual = f"{100 * there / owed:.1f} %" if owed else "nothing was owed"
    return Assertion(
        "coverage",
        not row["short_days"],
        "What each day owed is there or explained.",
        f">= {PASS_PERCENT:g} % of each day",
        f"{actual}, {row['short_days']} of {row['days']} days short",
    )


def _nulls(share: float | None) -> Assertion:
    return Assertion(
        "null_share",
        (share or 0) <= MAX_NULL_SHARE,
        "No column is unknown for want of a source.",
        f"<= {100 * MAX_NULL_SHARE:g} % of a column",
        "no rows" if share is None else f"{100 * share:.1f} %",
    )


def loaded(finish: Load) -> Facts:
    found = open_warehouse(finish.warehouse).query(
        "SELECT target_table, SUM(rows_read) AS rows_read, SUM(rows_dead) AS rows_dead, "
        "SUM(IF(status = 'loaded', rows_loaded, 0)) AS rows_written FROM nba_orchestration.landing_manifest "
        "WHERE run_id = @run_id AND target_table IS NOT NULL GROUP BY target_table",
        run_id=finish.stamp.run_id,
    )
    return {
        row["target_table"]: Written(
            int(row["rows_written"]),
            (
                Assertion(
                    "readable",
                    100 * int(row["rows_dead"]) <= finish.max_dead_percent * int(row["rows_read"]),
                    "The rows of the files can be read.",
                    f"<= {finish.max_dead_percent:g} % unreadable",
                    f"{int(row['rows_dead'])} of {int(row['rows_read'])} rows unreadable",
                    stops=True,
                ),
            ),
        )
        for row in found.to_pylist()
    }
