"""What a stage of a backfill is computed from, as fingerprints: of whole seasons, whatever days are asked for."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fullcourt.domain.fingerprint import hash_settings
from fullcourt.domain.processors import Processor
from fullcourt.orchestration.publish import BACKFILL, stored_rows
from fullcourt.orchestration.receipts import config_hash
from fullcourt.orchestration.run import PhasePipeline
from fullcourt.warehouse import BREAKER_STATE, Read, Warehouse

Prints = dict[str, str]  # table -> fingerprint of its content in one season


def season_reads(pipeline: PhasePipeline, processors: tuple[Processor, ...], season: int) -> list[Read]:
    """All that the processors read of a season, but for breakers, which a backfill does not ask."""
    reads = pipeline.reads(processors, [season], [])
    return [Read(r.table, r.columns, {"season_year": [season]}, r.name) for r in reads if r.table != BREAKER_STATE]


def inputs_hash(prints: Prints, processors: Sequence[Processor], settings: Mapping[str, Any]) -> str:
    """Of everything that the processors' rows of a season depend on: content, configuration, options."""
    configured = [config_hash(processor, BACKFILL) for processor in processors]
    return hash_settings({"content": sorted(prints.items()), "configured": configured, "settings": repr(settings)})


def unchanged_days(
    warehouse: Warehouse, processors: Sequence[Processor], days: Sequence[dt.date], wanted: str
) -> set[dt.date]:
    """Days done before from the very inputs that are there now, and untouched since.

    wanted: the inputs' hash.  A day that was published anew since, or that lost rows, is not among them.
    """
    names, texts = [processor.name for processor in processors], {str(day) for day in days}
    settled = warehouse.query(
        "SELECT days, failed_days, ended_at, processors FROM nba_orchestration.backfill_slices "
        "WHERE inputs_hash = @wanted AND state IN ('DONE', 'FAILED')",
        wanted=wanted,
    ).to_pylist()
    ended: dict[str, dt.datetime] = {}
    for row in settled:
        if row["processors"] != names:
            continue
        for day in texts.intersection(row["days"]):
            if not row["failed_days"] or f'"{day}"' not in row["failed_days"]:
                ended[day] = max(row["ended_at"], ended.get(day, row["ended_at"]))
    candidates = {day for day in days if str(day) in ended}
    if not candidates:
        return set()
    receipts = warehouse.query(
        "SELECT processor_name, analysis_date, row_count, published_at FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@names) AND analysis_date IN UNNEST(@days) "
        "AND (status = 'COMPLETE' OR forced)",
        names=names,
        days=sorted(candidates),
    ).to_pylist()
    stored = {processor.name: stored_rows(warehouse, processor, sorted(candidates)) for processor in processors}
    untouched = Counter(
        row["analysis_date"]
        for row in receipts
        if row["published_at"] <= ended[str(row["analysis_date"])]
        and row["row_count"] == stored[row["processor_name"]].get(row["analysis_date"], 0)
    )
    return {day for day in candidates if untouched[day] == len(names)}
