"""The completeness columns, each group declared once and attached to a table by what its processor is.

Every processor table carries the standard fourteen; a processor with several windows adds a pair per window
and their conjunction; one with upstream processors that gate it adds a flag per upstream; all carry two
columns on games the entity was excused from.  The predictions carry the standard fourteen alone.
"""

from collections.abc import Iterable

from fullcourt.domain.processors import Dependency, Processor
from fullcourt.domain.tables import Column, prefixed
from fullcourt.domain.windows import Span, Window
from schemas.columns import CREATED_AT, DATA_HASH, PROCESSED_AT, RUN_ID

STANDARD = (
    Column("expected_games_count", "INT64", "Games required in the primary window, 0 or more."),
    Column("actual_games_count", "INT64", "Required games that are present, 0 to expected_games_count."),
    Column(
        "completeness_percentage",
        "FLOAT64",
        "100 x actual / expected, 0-100 to one decimal; null if none expected, 100 if all were excused.",
    ),
    Column("missing_games_count", "INT64", "Required games that are absent: expected less actual."),
    Column("is_production_ready", "BOOL", "Every window and every gating upstream is ready; else not for consumers."),
    Column("data_quality_issues", "ARRAY<STRING>", "What is wrong with the inputs; empty when nothing is, never null."),
    Column("last_reprocess_attempt_at", "TIMESTAMP", "Newest attempt, UTC; null if there was none.", bookkeeping=True),
    Column("reprocess_attempt_count", "INT64", "Attempts so far, 0 or more.", bookkeeping=True),
    Column("circuit_breaker_active", "BOOL", "The row is held back by an open breaker.", bookkeeping=True),
    Column("circuit_breaker_until", "TIMESTAMP", "End of the cooldown, UTC; null unless open.", bookkeeping=True),
    Column("manual_override_required", "BOOL", "The attempts are used up (three by default).", bookkeeping=True),
    Column("season_boundary_detected", "BOOL", "D lies in October, November or April; information only."),
    Column(
        "backfill_bootstrap_mode", "BOOL", "D lies in the season's first 30 days, in which thin rows are let through."
    ),
    Column("processing_decision_reason", "STRING", "Why the row was computed or held back."),
)

DNP_LINEAGE = (
    Column("dnp_games_count", "INT64", "Games of the primary window the entity was excused from, 0 or more."),
    Column("gap_classification", "STRING", "NO_GAP, DATA_GAP or NAME_UNRESOLVED."),
)

TAIL = (
    Column("missing_game_ids", "ARRAY<STRING>", "Canonical ids missing from the gating windows; empty, never null."),
    Column("missing_nba_game_ids", "ARRAY<STRING>", "League ids of the same games; empty, never null."),
    DATA_HASH,
    Column("early_season_flag", "BOOL", "The sample is smaller than a full one."),
    Column("insufficient_data_reason", "STRING", "What the sample lacks; null for a full one."),
    RUN_ID,
    CREATED_AT,
    PROCESSED_AT,
)

_LINEAGE = (
    Column("last_updated", "TIMESTAMP", "Newest upstream row before D, UTC; null if there is none.", bookkeeping=True),
    Column("rows_found", "INT64", "Upstream rows that contributed, 0 or more."),
    Column("completeness_pct", "FLOAT64", "Rows found of rows expected, 0-100 to one decimal; null if none expected."),
    Column("hash", "STRING", "Fingerprint of the upstream rows that contributed; null if none did."),
)


def completeness(processor: Processor) -> tuple[Column, ...]:
    """All completeness columns of a gated processor's table."""
    windows = multi_window(processor.windows) if processor.multi_window else ()
    return (*STANDARD, *windows, *cascade(processor.hard), *DNP_LINEAGE)


def multi_window(windows: Iterable[Window]) -> tuple[Column, ...]:
    """Two columns per window and the conjunction of all."""
    pairs = (column for window in windows for column in _window_pair(window))
    together = Column("all_windows_complete", "BOOL", "Every window that expects a game is complete.")
    return (*pairs, together)


def cascade(hard: Iterable[Dependency]) -> tuple[Column, ...]:
    """One flag per gating upstream."""
    return tuple(
        Column(
            gate.flag,
            "BOOL",
            f"A ready row of {gate.processor} exists for the same entity and day; false if there is no row.",
        )
        for gate in hard
        if gate.flag
    )


def lineage(upstream: str) -> tuple[Column, ...]:
    """What one upstream contributed to the row: source_<upstream>_…"""
    return prefixed(f"source_{upstream}_", _LINEAGE)


def _window_pair(window: Window) -> tuple[Column, Column]:
    span = "games" if window.span is Span.GAMES else "days"
    title = f"the last {window.length} {span} before D"
    return (
        Column(
            f"{window.name}_completeness_pct", "FLOAT64", f"Completeness of {title}, 0-100; null if there were none."
        ),
        Column(
            f"{window.name}_is_complete", "BOOL", f"Enough of {title} is present or excused; null if there were none."
        ),
    )
