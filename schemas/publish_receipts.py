"""What each publish put where: the one ledger that resume, coverage and no-op reruns are read from."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import ANALYSIS_DATE, KEY_RUN_ID, PHASE, PROCESSOR_NAME, counts

TABLE = Table(
    name="publish_receipts",
    dataset="nba_orchestration",
    doc="One row per publish, processor and game day: what was written, held back and covered.",
    columns=(
        Column(
            "publish_id", "STRING", "Derived from processor, day, fingerprint and the publish before it.", required=True
        ),
        KEY_RUN_ID,
        PROCESSOR_NAME,
        PHASE,
        ANALYSIS_DATE,
        Column("output_table", "STRING", "dataset.name of the table written."),
        Column("fingerprint", "STRING", "Hash of everything the day's rows depend on: equal means nothing to do."),
        Column("status", "STRING", "COMPLETE, INCOMPLETE or NO_DATA."),
        *counts(
            ("ready_count", "Rows ready"),
            ("flagged_count", "Rows computed but not ready"),
            ("incomplete_count", "Stub rows of entities whose data is incomplete"),
            ("blocked_count", "Stub rows of entities behind an open breaker"),
            ("excluded_count", "Entities left out because nothing was expected of them"),
            ("dead_letter_count", "Entities whose data cannot be read"),
            ("row_count", "Rows written to the table, stubs included"),
            null="if not counted",
        ),
        Column("mean_completeness_pct", "FLOAT64", "Mean over the rows written, 0-100; null if none has a percentage."),
        *counts(
            ("coverage_expected", "Keys that ought to have a row"),
            ("coverage_written", "Of these, keys with a row that is no stub"),
            ("coverage_explained", "Of these, keys whose absence has a reason on record"),
            ("coverage_synthetic", "Of these, keys made from the day's own box scores"),
            null="if coverage does not apply",
        ),
        Column("coverage_pct", "FLOAT64", "100 x (written + explained) / expected; null when nothing was expected."),
        *counts(("demoted_count", "Rows ready before this publish and not after"), null="if not counted"),
        Column("max_null_share", "FLOAT64", "Highest share of nulls in a business column, 0-1; null without rows."),
        Column(
            "data_source", "STRING", "What the day's player context was read from: UPGC or SYNTHETIC_PGS; else null."
        ),
        Column("mode", "STRING", "run or backfill."),
        Column("forced", "BOOL", "A refusal was overridden by the operator."),
        Column("processor_version", "STRING", "Version of the processor's code."),
        Column("config_hash", "STRING", "Hash of the configuration."),
        Column("published_at", "TIMESTAMP", "When, UTC.", required=True, bookkeeping=True),
    ),
    grain=("publish_id", "processor_name", "analysis_date"),
    publish=PublishMode.APPEND,
    partition="analysis_date",
    cluster=("processor_name", "analysis_date"),
    day="analysis_date",
)
