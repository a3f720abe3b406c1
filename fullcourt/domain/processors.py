"""The processor registry: each processor once, as a frozen value.

Pipelines, commands, schemas, views and tests iterate over it; adding a processor is one entry here, one
feature module and one schema file.  Names are table names, without a dataset.
"""

import enum
from dataclasses import dataclass

from fullcourt.domain.errors import UsageError
from fullcourt.domain.windows import Window, days, games


class Phase(enum.Enum):
    INGEST = "phase_2_raw"
    ANALYTICS = "phase_3_analytics"
    PRECOMPUTE = "phase_4_precompute"
    PREDICTIONS = "phase_5_predictions"


class Entity(enum.Enum):
    TEAM = "team"
    PLAYER = "player"


@dataclass(frozen=True)
class Upstream:
    """The table that completeness is counted against, its column that names the entity, its name in lineage columns."""

    table: str
    entity_column: str
    short: str


@dataclass(frozen=True)
class Processor:
    """One output table and the rule that guards it.

    windows: all of them gate; empty for the game summaries, which describe D's games themselves.
    primary: the window reported in expected_games_count and its neighbours.
    trend_windows: computed, never gating.
    hard: processors whose row for the same entity and day must be ready, with the flag column that says so.
    soft: processors whose absence is an issue and a default, never a gate.
    full_sample: games for a sample that is not flagged early-season.
    known_columns: business columns that are null only when a source behind them is missing.
    threshold_per_mille: ready when 1000 x actual >= threshold x expected.
    version: changes with the code's meaning, so that a rerun is not mistaken for a repeat.
    built: its feature function exists.
    """

    name: str
    phase: Phase
    entity: Entity
    day_column: str
    upstream: Upstream | None = None
    windows: tuple[Window, ...] = ()
    primary: Window | None = None
    trend_windows: tuple[Window, ...] = ()
    hard: tuple[tuple[str, str], ...] = ()
    soft: tuple[str, ...] = ()
    full_sample: int = 0
    known_columns: tuple[str, ...] = ()
    threshold_per_mille: int = 900
    version: str = "1"
    built: bool = False

    def __post_init__(self) -> None:
        if self.windows and (self.primary not in self.windows or self.upstream is None):
            raise ValueError(f"{self.name}: a gated processor has an upstream and a primary window among its windows")
        if not 0 < self.threshold_per_mille <= 1000:
            raise ValueError(f"{self.name}: threshold_per_mille must be in 1..1000, got {self.threshold_per_mille}")

    @property
    def key_column(self) -> str:
        return "team_abbr" if self.entity is Entity.TEAM else "player_lookup"

    @property
    def multi_window(self) -> bool:
        return len(self.windows) > 1

    @property
    def skip_reason(self) -> str:
        """What a held-back row says, domain section 4.3."""
        if self.name in ("upcoming_player_game_context", "upcoming_team_game_context"):
            return "incomplete_multi_window_data"
        if self.hard:
            return "incomplete_own_data"
        return "incomplete_upstream_data_multi_window" if self.multi_window else "incomplete_upstream_data"


_PLAYER_GAMES = Upstream("player_game_summary", "player_lookup", "player_game")
_TEAM_DEFENSE = Upstream("team_defense_game_summary", "defending_team_abbr", "team_defense")

# In DAG order: within a date, an entry never reads a later one.
PROCESSORS: tuple[Processor, ...] = (
    Processor(
        "team_offense_game_summary",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        known_columns=("possessions", "pace", "team_paint_attempts"),
        built=True,
    ),
    Processor(
        "team_defense_game_summary",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        known_columns=("defensive_rating", "opponent_pace", "opp_paint_attempts"),
        built=True,
    ),
    Processor(
        "player_game_summary",
        Phase.ANALYTICS,
        Entity.PLAYER,
        "game_date",
        known_columns=("points", "minutes_played", "paint_attempts"),
        built=True,
    ),
    Processor(
        "upcoming_team_game_context",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        upstream=_TEAM_DEFENSE,
        windows=(days(7), days(14)),
        primary=days(14),
    ),
    Processor(
        "upcoming_player_game_context",
        Phase.ANALYTICS,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(5), games(10), days(7), days(14), days(30)),
        primary=days(30),
        full_sample=10,
    ),
    Processor(
        "team_defense_zone_analysis",
        Phase.PRECOMPUTE,
        Entity.TEAM,
        "analysis_date",
        upstream=_TEAM_DEFENSE,
        windows=(games(15),),
        primary=games(15),
        full_sample=15,
        known_columns=("defensive_rating_last_15", "paint_attempts_allowed_per_game"),
        built=True,
    ),
    Processor(
        "player_shot_zone_analysis",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "analysis_date",
        upstream=_PLAYER_GAMES,
        windows=(games(10),),
        primary=games(10),
        trend_windows=(games(20),),
        full_sample=10,
        known_columns=("paint_attempts_per_game",),
        built=True,
    ),
    Processor(
        "player_daily_cache",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "cache_date",
        upstream=_PLAYER_GAMES,
        windows=(games(5), games(10), days(7), days(14)),
        primary=games(10),
        soft=("player_shot_zone_analysis", "upcoming_player_game_context"),
        full_sample=10,
    ),
    Processor(
        "player_composite_factors",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(10),),
        primary=games(10),
        hard=(("player_daily_cache", "upstream_player_daily_cache_ready"),),
        soft=(
            "player_shot_zone_analysis",
            "team_defense_zone_analysis",
            "upcoming_player_game_context",
            "upcoming_team_game_context",
        ),
        full_sample=10,
    ),
    Processor(
        "ml_feature_store_v2",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(10),),
        primary=games(10),
        hard=(
            ("player_daily_cache", "upstream_player_daily_cache_ready"),
            ("player_composite_factors", "upstream_player_composite_factors_ready"),
            ("player_shot_zone_analysis", "upstream_player_shot_zone_ready"),
            ("upcoming_player_game_context", "upstream_upcoming_player_context_ready"),
        ),
        soft=("team_defense_zone_analysis",),
        full_sample=10,
    ),
)

BY_NAME: dict[str, Processor] = {processor.name: processor for processor in PROCESSORS}
GATED: tuple[Processor, ...] = tuple(processor for processor in PROCESSORS if processor.windows)


def select(phase: Phase, names: list[str] | None = None) -> tuple[Processor, ...]:
    """The built processors of a phase, in DAG order; UsageError names what does not exist."""
    built = {p.name: p for p in PROCESSORS if p.phase is phase and p.built}
    for name in names or ():
        if name not in built:
            raise UsageError(f"unknown {phase.name.lower()} processor {name!r}: expected one of {', '.join(built)}")
    return tuple(p for p in built.values() if not names or p.name in names)
