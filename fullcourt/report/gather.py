"""Reads what a report shows: a fixed handful of queries over the range, however many entities there are."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullcourt.domain.days import to_date
from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import GATED, Processor
from fullcourt.orchestration.repair import repair_plan
from fullcourt.orchestration.run import Progress
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.ddl import check_schema
from fullcourt.warehouse.queries import QUERIES

Codes = NDArray[np.int32]

HELD_BACK = (Verdict.INCOMPLETE, Verdict.BLOCKED, Verdict.DEAD_LETTER)
# Verdicts whose entity has a row in the output table, a stub included.
WITH_ROW = (Verdict.READY, Verdict.FLAGGED, Verdict.INCOMPLETE, Verdict.BLOCKED)
REPAIRS_SHOWN = 20
BREAKERS_SHOWN = 20

_DETAIL = ("verdict", "reason", "actual_games", "required_games", "excused_games", "missing_games", "issues")


@dataclass(frozen=True)
class Grid:
    """One processor's verdicts.

    entities: those with most days held back first, then those with most days flagged, then by name.
    codes: (entities x days), each a row of the report's details; -1 where the processor says nothing of the entity.
    held_back, flagged: days per entity.
    """

    processor: Processor
    entities: pa.Array
    codes: Codes
    held_back: Codes
    flagged: Codes


@dataclass(frozen=True)
class Tally:
    """Entity-days of one processor, or of all.

    counts: by verdict.  rows: in the output table, stubs included.
    ready_pct: of rows; None if there are none.  mean_pct: of the completeness of rows; None if none has one.
    """

    counts: dict[Verdict, int]
    ready_pct: float | None
    mean_pct: float | None

    @property
    def rows(self) -> int:
        return sum(self.counts[verdict] for verdict in WITH_ROW)


@dataclass(frozen=True)
class Facts:
    """All that a report says.

    days: the range's game days, with or without verdicts.  last_day: the newest with one.
    details: distinct (verdict, reason, counts, missing games, issues), the most frequent first; verdict as its number.
    tallies, last_tallies: by processor, of the range and of last_day; under "" of all together.
    coverage, windows, activity: a row a day and processor; see the queries of these names.
    breakers: all that are open at `now`, whatever their game day.  unanswered: of these by processor.
    repair: see repair_plan.
    """

    warehouse: str
    start: dt.date
    end: dt.date
    now: dt.datetime
    days: tuple[dt.date, ...]
    last_day: dt.date
    details: pa.Table
    grids: tuple[Grid, ...]
    tallies: dict[str, Tally]
    last_tallies: dict[str, Tally]
    coverage: pa.Table
    windows: pa.Table
    activity: pa.Table
    breakers: pa.Table
    unanswered: pa.Table
    repair: dict[str, Any]


# What is asked of the warehouse; the queries say what their rows are.
QUESTIONS = (
    "game_days",
    "verdict_cells",
    "coverage_parts",
    "window_trend",
    "breaker_activity",
    "active_breakers",
    "unanswered_breakers",
)


def gather(
    warehouse: Warehouse, start: dt.date, end: dt.date, now: dt.datetime, say: Progress = lambda _: None
) -> Facts:
    """The facts of the closed range, as of now. GateError when it has no game days, or no verdicts."""
    if start > end:
        raise UsageError(f"the first day must not be after the last: start={start}, end={end}")
    check_schema(warehouse)
    bound = {"start": start, "end": end, "now": now}
    say("reading verdicts")
    answers = {}
    for name in QUESTIONS:
        query = QUERIES[name]
        answers[name] = warehouse.query(query.sql, **{each: bound[each] for each in query.parameters})
    if not answers["game_days"].num_rows:
        raise GateError(f"no game days from {start} to {end}: the report needs a range of a season that is loaded")
    if not answers["verdict_cells"].num_rows:
        raise GateError(f"no verdicts from {start} to {end}: run analytics and precompute over it first")
    say("ranking repairs")
    repair = repair_plan(warehouse, start, end, limit=REPAIRS_SHOWN, now=now)
    return assemble(PurePosixPath(warehouse.url).name, start, end, now, answers, repair)


def assemble(
    warehouse: str,
    start: dt.date,
    end: dt.date,
    now: dt.datetime,
    answers: Mapping[str, pa.Table],
    repair: dict[str, Any],
) -> Facts:
    """answers: by question; there are game days and verdicts among them."""
    cells = answers["verdict_cells"]
    # A day whose games were called off since may still have rows.
    scheduled, judged = (answers[name][column] for name, column in _DAYS_FROM.items())
    days = np.unique(np.concatenate([column.cast(pa.int32()).to_numpy() for column in (scheduled, judged)]))
    number = pc.index_in(cells["verdict"], pa.array([verdict.label for verdict in Verdict])).cast(pa.int8())
    cells = cells.set_column(cells.column_names.index("verdict"), "verdict", number)
    details, codes = distinct(cells.select(_DETAIL))
    last_day = pc.max(cells["analysis_date"]).as_py()
    return Facts(
        warehouse=warehouse,
        start=start,
        end=end,
        now=now,
        days=tuple(map(to_date, days)),
        last_day=last_day,
        details=details,
        grids=tuple(_grid(processor, cells, codes, days) for processor in GATED),
        tallies=tallies(cells),
        last_tallies=tallies(cells.filter(pc.equal(cells["analysis_date"], last_day))),
        coverage=answers["coverage_parts"],
        windows=answers["window_trend"],
        activity=answers["breaker_activity"],
        breakers=answers["active_breakers"],
        unanswered=answers["unanswered_breakers"],
        repair=repair,
    )


_DAYS_FROM = {"game_days": "game_date", "verdict_cells": "analysis_date"}


def distinct(rows: pa.Table) -> tuple[pa.Table, Codes]:
    """The distinct rows, the most frequent first, and for every row which of them it is."""
    key = np.zeros(rows.num_rows, dtype=np.int64)
    for column in rows.columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        place = encoded.indices.to_numpy().astype(np.int64)
        # Renumbered at every column, so that the key never outgrows rows x distinct values.
        _, key = np.unique(key * len(encoded.dictionary) + place, return_inverse=True)
    _, first, code, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rows.take(pa.array(first[order])), rank[code]


def _grid(processor: Processor, cells: pa.Table, codes: Codes, days: Codes) -> Grid:
    mine = pc.equal(cells["processor_name"], processor.name).to_numpy()
    rows = cells.filter(pa.array(mine))
    names = pc.unique(rows["entity_id"])
    names = names.take(pc.array_sort_indices(names))
    entity = pc.index_in(rows["entity_id"], names).to_numpy()
    day = np.searchsorted(days, rows["analysis_date"].combine_chunks().cast(pa.int32()).to_numpy())
    matrix = np.full((len(names), len(days)), -1, dtype=np.int32)
    matrix[entity, day] = codes[mine]
    verdict = rows["verdict"].to_numpy()
    held_back = np.bincount(entity[np.isin(verdict, HELD_BACK)], minlength=len(names)).astype(np.int32)
    flagged = np.bincount(entity[verdict == Verdict.FLAGGED], minlength=len(names)).astype(np.int32)
    order = np.lexsort((-flagged, -held_back))  # stable: names are sorted already
    return Grid(processor, names.take(pa.array(order)), matrix[order], held_back[order], flagged[order])


def tallies(cells: pa.Table) -> dict[str, Tally]:
    """By processor, in DAG order, and under "" of all."""
    of = {processor.name: cells.filter(pc.equal(cells["processor_name"], processor.name)) for processor in GATED}
    return {name: _tally(rows) for name, rows in {"": cells, **of}.items()}


def _tally(rows: pa.Table) -> Tally:
    found = np.bincount(rows["verdict"].to_numpy(), minlength=len(Verdict))
    counts = {verdict: int(found[verdict]) for verdict in Verdict}
    there = sum(counts[verdict] for verdict in WITH_ROW)
    ready = 100 * counts[Verdict.READY] / there if there else None
    return Tally(counts, ready, pc.mean(rows["completeness_percentage"]).as_py())
