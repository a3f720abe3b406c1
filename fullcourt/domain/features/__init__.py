"""What each processor computes once the gate lets it: one module a processor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from fullcourt.domain import cascade
from fullcourt.domain.availability import REPORT_COLUMNS
from fullcourt.domain.calendar import SCHEDULE_COLUMNS
from fullcourt.domain.features import (
    composite_factors,
    daily_cache,
    feature_store,
    player_context,
    player_shot_zones,
    team_context,
    team_defense_zones,
)
from fullcourt.domain.features.sources import Source
from fullcourt.domain.fingerprint import Hashes
from fullcourt.domain.gate import Judgement
from fullcourt.domain.numbers import Bools
from fullcourt.domain.observation import BOX_COLUMNS, INACTIVE_COLUMNS, Observation, ShardTables
from fullcourt.domain.processors import BY_NAME, Entity, Processor


@dataclass(frozen=True)
class Feature:
    """One processor's formulas.

    reads: the upstream columns.  compute: the business columns of the judged rows.
    tables: what it reads besides, by table; of other processors the figures.
    sources: what those tables contributed, by name in lineage columns; other processors' rows are known already.
    unknown: where a row's sample says nothing about shots.  context: what else, beside the entity's own games,
    a row's figures come from, as a hash to mix into its source hash.
    labels: columns that hold the same text on every row, held back or not.
    """

    reads: tuple[str, ...]
    compute: Callable[[Observation, Judgement], dict[str, pa.Array]]
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Callable[[Observation, Judgement], dict[str, Source]] | None = None
    unknown: Callable[[Observation, Judgement], Bools] | None = None
    context: Callable[[Observation, Judgement], Hashes] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


SCHEDULE, BOX, INACTIVES, REPORTS = (
    "nbac_schedule",
    "nbac_gamebook_player_stats",
    "inactive_lists",
    "injury_reports",
)


def upstream_columns(processor: Processor) -> tuple[str, ...]:
    """What a processor reads of the table it is counted against."""
    player = ("universal_player_id",) if processor.entity is Entity.PLAYER else ()
    return tuple(dict.fromkeys((*FEATURES[processor.name].reads, *player, "season_year", "processed_at")))


def tables_read(processor: Processor) -> dict[str, tuple[str, ...]]:
    """Every table that a gated processor reads, with the columns, the one it is counted against included."""
    assert processor.upstream is not None
    tables = {SCHEDULE: SCHEDULE_COLUMNS, processor.upstream.table: upstream_columns(processor)}
    if processor.fixtures:
        tables[SCHEDULE] = (*SCHEDULE_COLUMNS, "processed_at")
    if processor.entity is Entity.PLAYER:
        tables |= {BOX: BOX_COLUMNS, INACTIVES: INACTIVE_COLUMNS}
        if processor.fixtures:
            tables[REPORTS] = REPORT_COLUMNS
    for name, columns in FEATURES[processor.name].tables.items():
        if name in BY_NAME and BY_NAME[name].windows:
            other = BY_NAME[name]
            columns = (other.key_column, other.day_column, *cascade.VERDICT_COLUMNS, *columns)
        tables[name] = tuple(dict.fromkeys((*tables.get(name, ()), *columns)))
    return tables


def columns_wanted(processors: Sequence[Processor]) -> dict[str, tuple[str, ...]]:
    """Every table that any of the gated processors reads, with the columns that any of them wants."""
    wanted: dict[str, tuple[str, ...]] = {}
    for processor in processors:
        for table, columns in tables_read(processor).items():
            wanted[table] = tuple(dict.fromkeys((*wanted.get(table, ()), *columns)))
    return wanted


def shard_tables(processor: Processor, tables: Mapping[str, pa.Table]) -> ShardTables:
    """Of the tables, those that the processor reads, with no more than its own columns: these are what it hashes."""
    assert processor.upstream is not None
    own = {name: tables[name].select(columns) for name, columns in tables_read(processor).items()}
    player = processor.entity is Entity.PLAYER
    return ShardTables(
        own[SCHEDULE],
        own[processor.upstream.table],
        own[BOX] if player else None,
        own[INACTIVES] if player else None,
        own,
    )


FEATURES: dict[str, Feature] = {
    "upcoming_team_game_context": Feature(
        reads=team_context.READS,
        compute=team_context.compute,
        tables=team_context.TABLES,
        sources=team_context.sources,
    ),
    "upcoming_player_game_context": Feature(
        reads=player_context.READS,
        compute=player_context.compute,
        tables=player_context.TABLES,
        sources=player_context.sources,
    ),
    "team_defense_zone_analysis": Feature(
        reads=team_defense_zones.READS,
        compute=team_defense_zones.compute,
        context=team_defense_zones.context_hash,
    ),
    "player_shot_zone_analysis": Feature(
        reads=player_shot_zones.READS,
        compute=player_shot_zones.compute,
        unknown=player_shot_zones.shots_unknown,
    ),
    "player_daily_cache": Feature(
        reads=daily_cache.READS,
        compute=daily_cache.compute,
        tables=daily_cache.TABLES,
        sources=daily_cache.sources,
    ),
    "player_composite_factors": Feature(
        reads=composite_factors.READS,
        compute=composite_factors.compute,
        tables=composite_factors.TABLES,
    ),
    "ml_feature_store_v2": Feature(
        reads=feature_store.READS,
        compute=feature_store.compute,
        tables=feature_store.TABLES,
        labels={"feature_version": feature_store.VERSION.name},
    ),
}
