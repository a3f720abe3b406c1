"""What a judged table leaves behind beside its rows: attempts, breaker actions, failures, dead letters.

All are functions of judged tables (see rows.judged_table), so they follow the split by verdict.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain import breaker
from fullcourt.domain.fingerprint import hash_rows, to_hex
from fullcourt.domain.numbers import TIMESTAMP
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.rows import MISSING_HASH, Stamp, fit

# failure_category by the reason the row carries, domain section 4.3.
_CATEGORIES = {
    "circuit_breaker_active": "CIRCUIT_BREAKER_ACTIVE",
    "no_expected_games": "EXPECTED_INCOMPLETE",
    "all_games_excused": "EXPECTED_INCOMPLETE",
    "unreadable_upstream_row": "PROCESSING_ERROR",
    "incomplete_upstream_dependencies": "UPSTREAM_INCOMPLETE",
}
# Rows of a control table from a judged table.
Maker = Callable[[pa.Table, Processor, pa.Schema, Stamp], pa.Table]

EXPLAINED = "EXPECTED_INCOMPLETE"  # no row is owed: coverage counts these as explained
INCOMPLETE_COVERAGE = "INCOMPLETE_COVERAGE"  # of a whole day, not of an entity: less than 90 % of what it owed is there
WHOLE_DAY = "*"  # the entity of such a row


def attempt_rows(judged: pa.Table, processor: Processor, schema: pa.Schema, stamp: Stamp) -> pa.Table:
    """reprocess_attempts: one more attempt for every incomplete row, except in bootstrap and in backfills."""
    recorded = pc.and_(pc.invert(judged["backfill_bootstrap_mode"]), pa.scalar(stamp.recording))
    rows = judged.filter(recorded)
    size = rows.num_rows
    tripped = pc.greater_equal(rows["reprocess_attempt_count"], breaker.ATTEMPTS_BEFORE_TRIP)
    until = pc.add(rows["last_reprocess_attempt_at"], pa.scalar(breaker.COOLDOWN, pa.duration("us")))
    columns = {
        **_entity_day(rows, processor),
        "attempt_number": rows["reprocess_attempt_count"],
        "attempted_at": rows["last_reprocess_attempt_at"],
        "completeness_pct": rows["completeness_percentage"],
        "skip_reason": rows["processing_decision_reason"],
        "circuit_breaker_tripped": tripped,
        "circuit_breaker_until": pc.if_else(tripped, until, pa.scalar(None, TIMESTAMP)),
        "manual_override_applied": pa.repeat(False, size),
        MISSING_HASH: rows[MISSING_HASH],
        "run_id": stamp.runs(size),
        "created_at": stamp.times(size),
    }
    return fit(columns, schema, size)


def action_rows(state: pa.Table, action: str, by: str, reason: str, schema: pa.Schema, now: int) -> pa.Table:
    """breaker_actions: what a person, or a run, does to the breakers of the given rows of breaker_state.

    now: microseconds since 1970 UTC; an action is no earlier than the attempt that it answers, whatever the clock says.
    """
    size, last = state.num_rows, state["attempted_at"].combine_chunks()
    at = pa.repeat(pa.scalar(now, pa.int64()).cast(TIMESTAMP), size)
    columns = {name: state[name].combine_chunks() for name in ("processor_name", "entity_id", "analysis_date")}
    columns |= {
        "action": pa.repeat(action, size),
        "acted_at": pc.if_else(pc.greater(last, at), last, at),
        "acted_by": pa.repeat(by, size),
        "reason": pa.repeat(reason, size),
    }
    return fit({"action_id": to_hex(hash_rows(columns)), **columns}, schema, size)


def failure_rows(judged: pa.Table, processor: Processor, schema: pa.Schema, stamp: Stamp) -> pa.Table:
    """precompute_failures: every row that was not computed, what is missing, and whether a repair can help."""
    size = judged.num_rows
    reason = judged["processing_decision_reason"]
    category = pc.index_in(reason, pa.array(list(_CATEGORIES)))
    named = pa.array(list(_CATEGORIES.values())).take(category.combine_chunks())
    gap = pc.greater(pc.list_value_length(judged["missing_game_ids"]), 0)
    excused = pc.greater(judged["dnp_games_count"], 0)
    kind = pc.case_when(
        pc.make_struct(pc.and_(gap, excused), gap, excused), "MIXED", "DATA_GAP", "PLAYER_DNP", "INSUFFICIENT_HISTORY"
    )
    columns = {
        **_entity_day(judged, processor),
        "failure_category": pc.fill_null(named, "INCOMPLETE_DATA"),
        "failure_reason": reason,
        "can_retry": pc.is_in(reason, pa.array([processor.skip_reason, "incomplete_upstream_dependencies"])),
        "failure_type": kind,
        "is_correctable": gap,
        "expected_game_count": judged["expected_games_count"],
        "actual_game_count": judged["actual_games_count"],
        "missing_game_dates": _dates_json(judged["missing_game_ids"]),
        "missing_game_ids": judged["missing_game_ids"],
        "raw_data_checked": pa.repeat(processor.entity is Entity.PLAYER, size),
        "resolution_status": pc.if_else(pc.equal(named.fill_null(""), EXPLAINED), "PERMANENT", "UNRESOLVED"),
        "run_id": stamp.runs(size),
        "created_at": stamp.times(size),
    }
    return fit(columns, schema, size)


def dead_letter_rows(judged: pa.Table, processor: Processor, schema: pa.Schema, stamp: Stamp) -> pa.Table:
    """dead_letters: entity-days whose windows hold an upstream row that contradicts itself."""
    assert processor.upstream is not None
    size = judged.num_rows
    columns = {
        **_entity_day(judged, processor),
        "source": pa.repeat(processor.upstream.table, size),
        "field": pa.repeat("makes, attempts", size),
        "reason": pa.repeat("an upstream row in the window has more makes than attempts, or a negative count", size),
        "run_id": stamp.runs(size),
        "created_at": stamp.times(size),
    }
    return fit(columns, schema, size)


def _entity_day(rows: pa.Table, processor: Processor) -> dict[str, pa.Array]:
    return {
        "processor_name": pa.repeat(processor.name, rows.num_rows),
        "entity_id": rows[processor.key_column].combine_chunks(),
        "analysis_date": rows[processor.day_column].combine_chunks(),
    }


def _dates_json(game_ids: pa.ChunkedArray) -> pa.Array:
    """JSON lists of the dates that the canonical ids begin with: YYYYMMDD_AWAY_HOME."""
    lists = game_ids.combine_chunks()
    dates = pc.replace_substring_regex(lists.values, r"^(\d{4})(\d{2})(\d{2})_.*$", r'"\1-\2-\3"')
    joined = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, dates), ", ")
    return pc.binary_join_element_wise(pa.scalar("["), joined, pa.scalar("]"), "")
