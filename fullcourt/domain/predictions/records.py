"""From predictions to rows: player_prop_predictions, and the record of those held back."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.columns import json_objects
from fullcourt.domain.features.zones import choose
from fullcourt.domain.fingerprint import Hashes, hash_rows, mix, to_hex
from fullcourt.domain.numbers import Bools, decimals
from fullcourt.domain.predictions.assembly import FEATURES, TABLES, Assembled
from fullcourt.domain.predictions.coordinator import Held, texts
from fullcourt.domain.predictions.features import Floats
from fullcourt.domain.predictions.rules import edge, half_away
from fullcourt.domain.predictions.slate import RECOMMENDATIONS, Prediction, Slate
from fullcourt.domain.rows import Stamp, fit

PROCESSOR = "player_prop_predictions"
# The standard fourteen, copied through.
COPIED = TABLES[FEATURES][TABLES[FEATURES].index("expected_games_count") :]
BOOKKEEPING = (
    "last_reprocess_attempt_at",
    "reprocess_attempt_count",
    "circuit_breaker_active",
    "circuit_breaker_until",
    "manual_override_required",
)
RESERVED = ("referee_adjustment", "look_ahead_adjustment")
_CATEGORIES = {
    Held.PLAYER_OUT: ("EXPECTED_INCOMPLETE", False),
    Held.LOW_MINUTES: ("EXPECTED_INCOMPLETE", False),
    Held.CONTEXT_NOT_PRODUCTION_READY: ("UPSTREAM_INCOMPLETE", True),
    Held.NO_FEATURES: ("MISSING_DEPENDENCY", True),
    Held.FEATURES_NOT_PRODUCTION_READY: ("UPSTREAM_INCOMPLETE", True),
    Held.LOW_FEATURE_QUALITY: ("INSUFFICIENT_DATA", True),
    Held.INVALID_FEATURES: ("INSUFFICIENT_DATA", True),
}


def prediction_rows(
    assembled: Assembled, system: str, prediction: Prediction, schema: pa.Schema, stamp: Stamp
) -> pa.Table:
    """One row a dispatched player for whom the system has a prediction; id and version follow at the publish."""
    there = np.flatnonzero(prediction.there)
    slate, size = assembled.slate, len(there)
    place = pa.array(assembled.dispatched[there])
    contexts, features = assembled.contexts.take(place), assembled.features.take(place)
    always = np.ones(size, dtype=np.bool_)

    def points(values: Floats, precision: int, places: int) -> pa.Array:
        return decimals(np.rint(values[there] * 10**places).astype(np.int64), always, precision, places)

    keys = ("player_lookup", "universal_player_id", "game_date", "game_id", "season_year", "team_abbr")
    columns: dict[str, pa.Array] = {
        "system_id": pa.repeat(system, size),
        **{name: contexts[name].combine_chunks() for name in (*keys, "opponent_team_abbr")},
        "predicted_points": points(prediction.points, 5, 1),
        "confidence_score": points(prediction.confidence, 5, 2),
        "recommendation": choose(prediction.recommendation[there].astype(np.int32), RECOMMENDATIONS),
        "current_points_line": points(slate.line, 4, 1),
        "line_source": assembled.line_source.take(pa.array(there)),
        "line_margin": points(edge(prediction.points, slate.line), 5, 2),
        **{name: _component(name, values[there], schema) for name, values in prediction.components.items()},
        **{name: decimals(np.zeros(size, np.int64), always, 5, 2) for name in RESERVED},
        **{name: values.take(pa.array(there)) for name, values in prediction.texts.items()},
        "key_factors": json_objects({name: _rounded(values[there]) for name, values in prediction.key_factors.items()}),
        "warnings": _warnings(slate, features, there),
        "feature_version": pa.repeat(slate.version.name, size),
        "feature_quality_score": features["feature_quality_score"].combine_chunks(),
        **{name: features[name].combine_chunks() for name in COPIED},
    }
    content = {name: values for name, values in columns.items() if name not in BOOKKEEPING}
    columns |= {
        "prediction_id": pc.binary_join_element_wise(
            columns["system_id"],
            columns["player_lookup"].cast(pa.string()),
            columns["game_date"].cast(pa.string()),
            ":",
        ),
        "is_active": pa.repeat(True, size),
        "data_hash": to_hex(hash_rows(content)),
        "run_id": stamp.runs(size),
        "created_at": stamp.times(size),
        "updated_at": stamp.times(size),
    }
    return fit(columns, schema, size)


def held_rows(assembled: Assembled, schema: pa.Schema, stamp: Stamp) -> pa.Table:
    """precompute_failures: everybody who was not dispatched, and why."""
    rows = np.flatnonzero(assembled.held != Held.DISPATCHED)
    contexts, held = assembled.contexts.take(pa.array(rows)), assembled.held[rows]
    size = len(rows)
    categories = [_CATEGORIES.get(reason, ("", False)) for reason in Held]
    columns = {
        "processor_name": pa.repeat(PROCESSOR, size),
        "entity_id": contexts["player_lookup"].combine_chunks(),
        "analysis_date": contexts["game_date"].combine_chunks(),
        "failure_category": pa.array([name for name, _ in categories]).take(pa.array(held)),
        "failure_reason": texts(held),
        "can_retry": pa.array([again for _, again in categories]).take(pa.array(held)),
        "failure_type": pa.repeat("UNKNOWN", size),
        "is_correctable": pa.array([again for _, again in categories]).take(pa.array(held)),
        "raw_data_checked": pa.repeat(False, size),
        "resolution_status": pa.repeat("UNRESOLVED", size),
        "run_id": stamp.runs(size),
        "created_at": stamp.times(size),
    }
    return fit(columns, schema, size)


def tally(days: tuple[int, ...], rows: pa.Table, held: pa.Table) -> pa.Table:
    """Per day: ready and flagged predictions, their completeness, and this part of the day's fingerprint."""
    asked = np.array(sorted(days), dtype=np.int32)

    def index(column: pa.ChunkedArray) -> np.ndarray:
        return np.searchsorted(asked, column.combine_chunks().cast(pa.int32()).to_numpy())

    at, ready = index(rows["game_date"]), pc.fill_null(rows["is_production_ready"], False).to_numpy()
    fingerprint = np.zeros(len(asked), dtype=np.uint64)
    np.add.at(fingerprint, at, _hashes(rows, ("system_id", "player_lookup", "data_hash")))
    np.add.at(fingerprint, index(held["analysis_date"]), _hashes(held, ("entity_id", "failure_reason")))
    known = rows["completeness_percentage"].is_valid().to_numpy()
    tenths = np.rint(10 * rows["completeness_percentage"].fill_null(0.0).to_numpy()).astype(np.int64)
    return pa.table(
        {
            "day": pa.array(asked).cast(pa.date32()),
            "ready": np.bincount(at[ready], minlength=len(asked)).astype(np.int64),
            "flagged": np.bincount(at[~ready], minlength=len(asked)).astype(np.int64),
            "excluded": np.bincount(index(held["analysis_date"]), minlength=len(asked)).astype(np.int64),
            "percent_tenths": np.bincount(at, tenths, len(asked)).astype(np.int64),
            "percent_rows": np.bincount(at[known], minlength=len(asked)).astype(np.int64),
            "fingerprint": fingerprint,
        }
    )


def _hashes(rows: pa.Table, columns: tuple[str, ...]) -> Hashes:
    return mix(hash_rows({name: rows[name] for name in columns}))


def _component(name: str, values: Floats, schema: pa.Schema) -> pa.Array:
    """A component in its column's type; NaN is null."""
    known, kind = np.isfinite(values), schema.field(name).type
    filled = np.where(known, values, 0.0)
    if pa.types.is_integer(kind):
        return pa.array(np.rint(filled).astype(np.int64), mask=~known)
    scaled = np.rint(half_away(filled, kind.scale) * 10**kind.scale).astype(np.int64)
    return decimals(scaled, known, kind.precision, kind.scale)


def _rounded(values: Floats) -> pa.Array:
    """To four places; NaN is null."""
    return pa.array(half_away(values, 4), mask=~np.isfinite(values))


def _warnings(slate: Slate, features: pa.Table, there: np.ndarray) -> pa.Array:
    """A JSON list a row: what lessens trust in it."""
    applies: dict[str, Bools] = {
        "line_estimated": slate.line_estimated[there],
        "bootstrap": pc.fill_null(features["backfill_bootstrap_mode"], False).to_numpy(),
        "upstream_issues": pc.greater(pc.list_value_length(features["data_quality_issues"]), 0).to_numpy(),
    }
    bits = np.sum([mask.astype(np.int32) << bit for bit, mask in enumerate(applies.values())], axis=0)
    named = [[name for bit, name in enumerate(applies) if number >> bit & 1] for number in range(2 ** len(applies))]
    return choose(bits, tuple("[" + ", ".join(f'"{name}"' for name in names) + "]" for names in named))
