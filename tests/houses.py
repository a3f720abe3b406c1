"""A warehouse with simulated data, and the few things that tests do to it: load, run, look, compare."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fullcourt.cli.phases import PHASES
from fullcourt.cli.schema import apply_plan
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.processors import Processor, select
from fullcourt.orchestration.ingest import IngestRequest, ingest
from fullcourt.orchestration.run import RunRequest, run_phase
from fullcourt.warehouse import Warehouse, open_warehouse
from pipelines import ingest as ingest_pipeline
from schemas import TABLES
from tests import figures

RAW = (
    "nbac_schedule",
    "player_aliases",
    "nbac_gamebook_player_stats",
    "nbac_team_boxscore",
    "shot_zones",
    "inactive_lists",
    "player_props",
    "injury_reports",
    "game_lines",
)
# What a publish may touch, beside the tables of the processors.
LEDGER = (
    "publish_receipts",
    "outbox_events",
    "reprocess_attempts",
    "breaker_actions",
    "precompute_failures",
    "dead_letters",
)


class House:
    """One DuckDB file. `now` is the clock of everything done to it, unless told otherwise."""

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self.path, self.now = path, now
        self.url = str(path)

    @classmethod
    def new(cls, path: Path, now: dt.datetime) -> "House":
        apply_plan(str(path))
        return cls(path, now)

    def copy(self, path: Path) -> "House":
        shutil.copy(self.path, path)
        return House(path, self.now)

    @property
    def warehouse(self) -> Warehouse:
        return open_warehouse(self.url)

    def ingest(self, directory: Path, **more: Any) -> dict[str, Any]:
        request = IngestRequest(self.url, directory, more.pop("now", self.now), **more)
        try:
            report = ingest(request, ingest_pipeline)
        except (GateError, UsageError):
            figures.count(figures.BAD_INPUTS)
            raise
        figures.count(figures.BAD_INPUTS, sum(file["rows_dead"] or 0 for file in report.get("files", ())))
        return report

    def run(
        self,
        phase: str,
        start: dt.date,
        end: dt.date | None = None,
        processors: list[str] | tuple[Processor, ...] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """processors: by name, or as (changed) values."""
        chosen = processors if isinstance(processors, tuple) else select(PHASES[phase].phase, processors)
        request = RunRequest(self.url, chosen, start, end or start, more.pop("now", self.now), **more)
        return run_phase(request, PHASES[phase])

    def query(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        return self.warehouse.query(sql, **parameters).to_pylist()

    def one(self, sql: str, **parameters: Any) -> Any:
        """The only value of the only row."""
        (row,) = self.query(sql, **parameters)
        (value,) = row.values()
        return value

    def table(self, name: str, *, content: bool = False) -> pa.Table:
        """All rows in one order; content leaves bookkeeping columns out."""
        table = TABLES[name]
        columns = ", ".join(table.content_columns if content else table.by_name)
        return self.warehouse.query(f"SELECT {columns} FROM {table.id} ORDER BY {', '.join(table.grain)}")

    def tables(self, *names: str, content: bool = False) -> dict[str, pa.Table]:
        """Several tables, to be compared with what they were or with another house's."""
        return {name: self.table(name, content=content) for name in names}

    def everything(self) -> dict[str, pa.Table]:
        return self.tables(*TABLES)


def change(table: pa.Table, where: dict[str, Any], **values: Any) -> pa.Table:
    """The landing table with new values in the rows that match; at least one must."""
    rows = table.to_pylist()
    hit = [row for row in rows if all(row[name] == value for name, value in where.items())]
    assert hit, where
    for row in hit:
        row |= values
    schema = table.schema
    for name, value in values.items():  # a value the column cannot hold makes it text
        place = schema.get_field_index(name)
        try:
            pa.array([value], schema.field(name).type)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            schema = schema.set(place, pa.field(name, pa.string()))
            for row in rows:
                row[name] = None if row[name] is None else str(row[name])
    return pa.Table.from_pylist(rows, schema)


def rewrite(directory: Path, stem: str, table: pa.Table) -> None:
    """Replaces one landing file."""
    pq.write_table(table, directory / f"{stem}.parquet")


def read(directory: Path, stem: str) -> pa.Table:
    return pq.read_table(directory / f"{stem}.parquet")
