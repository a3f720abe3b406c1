"""The factors that raise or lower a player's expectation for a game day, one row per player and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    FIXTURE_DATE,
    KEY_GAME_ID,
    KNOWN_PLAYER_ID,
    OPPONENT_TEAM_ABBR,
    PLAYER_LOOKUP,
    SEASON_YEAR,
    TEAM_ABBR,
)
from schemas.completeness import TAIL, completeness, lineage

_RESERVED = "a factor kept for later: 0 on every computed row"


def _reserved(name: str) -> Column:
    return Column(name, "NUMERIC(3,1)", "Always 0; null on a held-back row.", reserved=_RESERVED)


def _json(name: str, what: str) -> Column:
    return Column(f"{name}_context_json", "JSON", f"Inputs and output of the {what}; null on a held-back row.")


TABLE = Table(
    name="player_composite_factors",
    dataset="nba_precompute",
    doc="The factors that raise or lower a player's expectation for D, one row per player of D's fixtures.",
    columns=(
        PLAYER_LOOKUP,
        KNOWN_PLAYER_ID,
        FIXTURE_DATE,
        KEY_GAME_ID,
        Column("analysis_date", "DATE", "Equal to game_date, under the name the other precompute tables use."),
        SEASON_YEAR,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        Column("fatigue_score", "INT64", "0-100, 100 is fresh; domain section 6.4."),
        Column(
            "shot_zone_mismatch_score",
            "NUMERIC(4,1)",
            "-10 to 10: how the opponent defends the player's main zone against the league, weighted by how much he "
            "shoots there; 0 without either analysis.",
        ),
        Column("pace_score", "NUMERIC(3,1)", "-3 to 3: half the pace differential; 0 without one."),
        Column(
            "usage_spike_score",
            "NUMERIC(3,1)",
            "-3 to 3: 0.3 x (projected - usual usage rate), more with stars out; 25 stands for an unknown rate.",
        ),
        _reserved("referee_favorability_score"),
        _reserved("look_ahead_pressure_score"),
        _reserved("travel_impact_score"),
        _reserved("opponent_strength_score"),
        Column(
            "total_composite_adjustment",
            "NUMERIC(5,2)",
            "(fatigue_score - 100) / 20 and the other seven scores, added.",
        ),
        _json("fatigue", "fatigue score"),
        _json("shot_zone", "shot zone mismatch"),
        _json("pace", "pace score"),
        _json("usage", "usage spike"),
        Column("data_completeness_pct", "NUMERIC(5,2)", "Share of the five inputs that are there, percent."),
        Column(
            "missing_data_fields",
            "STRING",
            "Which of days_rest, projected_usage_rate, pace_differential, player_shot_zone, team_defense_zone are not, "
            "comma-separated; null if all are.",
        ),
        Column("has_warnings", "BOOL", "fatigue_score under 50, mismatch beyond 8, or the total beyond 12."),
        Column("warning_details", "STRING", "Which of them, comma-separated; null if none."),
        Column("calculation_version", "STRING", "v1_4factors.", reserved="one version so far"),
        *completeness(BY_NAME["player_composite_factors"]),
        *lineage("player_game"),
        *lineage("player_daily_cache"),
        *lineage("player_shot_zone"),
        *lineage("team_defense_zone"),
        *lineage("player_context"),
        *lineage("team_context"),
        *TAIL,
    ),
    grain=("player_lookup", "game_date"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("player_lookup", "universal_player_id", "game_date"),
    day="game_date",
)
