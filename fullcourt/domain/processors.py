"""The processor registry: each processor once, as a frozen value.

Pipelines, commands, schemas, views and tests iterate over it; adding a processor is one entry here, one
feature module and one schema file.  Names are table names, without a dataset.
"""

import enum
from dataclasses import dataclass, replace

from fullcourt.domain.errors import UsageError
from fullcourt.domain.windows import SEASON, Span, Window, days, games


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


class Whose(enum.Enum):
    """Whose row of another processor a row reads, always of the same day."""

    OWN = "own"  # the entity's own
    OPPONENT = "opponent"  # that of the team it meets


@dataclass(frozen=True)
class Dependency:
    """Another processor that a row reads.

    short: its name in issues (`upstream_<short>_incomplete`) and lineage columns (`source_<short>_…`).
    flag: the column that says its row is ready, where it gates; None for a soft one, which is an issue and a default.
    """

    processor: str
    short: str
    whose: Whose = Whose.OWN
    flag: str | None = None


class CascadePolicy(enum.StrEnum):
    """What becomes of an entity whose own games are complete, but not a processor that gates it."""

    FLAG = "flag"  # computed, and marked not ready
    SKIP = "skip"  # held back, with an attempt


@dataclass(frozen=True)
class Processor:
    """One output table and the rule that guards it.

    windows: all of them gate; empty for the game summaries, which describe D's games themselves.
    primary: the window reported in expected_games_count and its neighbours.
    trend_windows: computed, never gating.
    depends: the processors it reads for the same day.
    fixtures: its rows are those of D's fixtures: the teams that play, the players listed for them.
    whole_season: its entities are compared with each other, so a season stays one shard.
    always_written: its own gaps flag a row and never hold it back, so there is nothing to attempt again.
    full_sample: games for a sample that is not flagged early-season.
    known_columns: business columns that are null only when a source behind them is missing.
    threshold_per_mille: ready when 1000 x actual >= threshold x expected; 0: the gate is off, and lets through
        whatever there is something to compute from.
    version: changes with the code's meaning, so that a rerun is not mistaken for a repeat.
    """

    name: str
    phase: Phase
    entity: Entity
    day_column: str
    upstream: Upstream | None = None
    windows: tuple[Window, ...] = ()
    primary: Window | None = None
    trend_windows: tuple[Window, ...] = ()
    depends: tuple[Dependency, ...] = ()
    fixtures: bool = False
    whole_season: bool = False
    always_written: bool = False
    cascade_policy: CascadePolicy = CascadePolicy.FLAG
    full_sample: int = 0
    known_columns: tuple[str, ...] = ()
    threshold_per_mille: int = 900
    version: str = "1"

    def __post_init__(self) -> None:
        if self.windows and (self.primary not in self.windows or self.upstream is None):
            raise ValueError(f"{self.name}: a gated processor has an upstream and a primary window among its windows")
        if not 0 <= self.threshold_per_mille <= 1000:
            raise ValueError(f"{self.name}: threshold_per_mille must be in 0..1000, got {self.threshold_per_mille}")

    @property
    def key_column(self) -> str:
        return "team_abbr" if self.entity is Entity.TEAM else "player_lookup"

    @property
    def sample(self) -> Window:
        """The window whose games make a sample thin or full: the longest of games, else the primary one."""
        assert self.primary is not None
        return max((window for window in self.windows if window.span is Span.GAMES), default=self.primary)

    @property
    def multi_window(self) -> bool:
        return len(self.windows) > 1

    @property
    def hard(self) -> tuple[Dependency, ...]:
        """The processors that gate it."""
        return tuple(dependency for dependency in self.depends if dependency.flag)

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

_CACHE = Dependency("player_daily_cache", "player_daily_cache", flag="upstream_player_daily_cache_ready")
_FACTORS = Dependency(
    "player_composite_factors", "player_composite_factors", flag="upstream_player_composite_factors_ready"
)
_SHOT_ZONES = Dependency("player_shot_zone_analysis", "player_shot_zone")
_DEFENSE_ZONES = Dependency("team_defense_zone_analysis", "team_defense_zone", Whose.OPPONENT)
_CONTEXT = Dependency("upcoming_player_game_context", "player_context")
_TEAM_CONTEXT = Dependency("upcoming_team_game_context", "team_context", Whose.OPPONENT)

# In DAG order: within a date, an entry never reads a later one.
PROCESSORS: tuple[Processor, ...] = (
    Processor(
        "team_offense_game_summary",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        known_columns=("possessions", "pace", "team_paint_attempts"),
    ),
    Processor(
        "team_defense_game_summary",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        known_columns=("defensive_rating", "opponent_pace", "opp_paint_attempts"),
    ),
    Processor(
        "player_game_summary",
        Phase.ANALYTICS,
        Entity.PLAYER,
        "game_date",
        known_columns=("points", "minutes_played", "paint_attempts"),
    ),
    Processor(
        "upcoming_team_game_context",
        Phase.ANALYTICS,
        Entity.TEAM,
        "game_date",
        upstream=_TEAM_DEFENSE,
        windows=(days(7), days(14)),
        primary=days(14),
        fixtures=True,
        whole_season=True,
        always_written=True,
        known_columns=("days_since_last_game", "travel_miles"),
    ),
    Processor(
        "upcoming_player_game_context",
        Phase.ANALYTICS,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(5), games(10), days(7), days(14), days(30)),
        primary=days(30),
        trend_windows=(games(7), SEASON),
        fixtures=True,
        whole_season=True,
        full_sample=10,
        known_columns=("points_avg_last_10", "pace_differential"),
    ),
    Processor(
        "team_defense_zone_analysis",
        Phase.PRECOMPUTE,
        Entity.TEAM,
        "analysis_date",
        upstream=_TEAM_DEFENSE,
        windows=(games(15),),
        primary=games(15),
        whole_season=True,
        full_sample=15,
        known_columns=("defensive_rating_last_15", "paint_attempts_allowed_per_game"),
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
    ),
    Processor(
        "player_daily_cache",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "cache_date",
        upstream=_PLAYER_GAMES,
        windows=(games(5), games(10), days(7), days(14)),
        primary=games(10),
        trend_windows=(SEASON,),
        depends=(_SHOT_ZONES, _CONTEXT),
        fixtures=True,
        full_sample=10,
        known_columns=("minutes_avg_last_10", "team_pace_last_10", "games_in_last_7_days"),
    ),
    Processor(
        "player_composite_factors",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(10),),
        primary=games(10),
        depends=(_CACHE, _SHOT_ZONES, _DEFENSE_ZONES, _CONTEXT, _TEAM_CONTEXT),
        fixtures=True,
        full_sample=10,
        known_columns=("fatigue_score",),
    ),
    Processor(
        "ml_feature_store_v2",
        Phase.PRECOMPUTE,
        Entity.PLAYER,
        "game_date",
        upstream=_PLAYER_GAMES,
        windows=(games(10),),
        primary=games(10),
        trend_windows=(games(5), SEASON),
        depends=(
            _CACHE,
            _FACTORS,
            replace(_SHOT_ZONES, flag="upstream_player_shot_zone_ready"),
            replace(_CONTEXT, flag="upstream_upcoming_player_context_ready"),
            _DEFENSE_ZONES,
        ),
        fixtures=True,
        full_sample=10,
        known_columns=("feature_quality_score",),
    ),
    Processor(
        "player_prop_predictions",
        Phase.PREDICTIONS,
        Entity.PLAYER,
        "game_date",
        known_columns=("predicted_points",),
    ),
)

BY_NAME: dict[str, Processor] = {processor.name: processor for processor in PROCESSORS}
GATED: tuple[Processor, ...] = tuple(processor for processor in PROCESSORS if processor.windows)


def select(phase: Phase, names: list[str] | None = None) -> tuple[Processor, ...]:
    """The processors of a phase, in DAG order; UsageError names what does not exist."""
    known = {p.name: p for p in PROCESSORS if p.phase is phase}
    for name in names or ():
        if name not in known:
            raise UsageError(f"unknown {phase.name.lower()} processor {name!r}: expected one of {', '.join(known)}")
    return tuple(p for p in known.values() if not names or p.name in names)
