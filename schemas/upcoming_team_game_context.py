"""What is known of a team before a fixture, two rows per game."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import PublishMode, Table
from schemas.columns import (
    FIXTURE_DATE,
    HOME_GAME,
    KEY_GAME_ID,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    SEASON_YEAR,
    TEAM_ABBR,
)
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="upcoming_team_game_context",
    dataset="nba_analytics",
    doc="What is known of a team before a fixture, two rows per game.",
    columns=(
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        KEY_GAME_ID,
        NBA_GAME_ID,
        FIXTURE_DATE,
        SEASON_YEAR,
        HOME_GAME,
        *completeness(BY_NAME["upcoming_team_game_context"]),
        *lineage("team_defense"),
        *lineage("schedule"),
        *lineage("game_lines"),
        *lineage("injury_report"),
        *TAIL,
    ),
    grain=("team_abbr", "game_id"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("game_date", "team_abbr", "game_id"),
    day="game_date",
)
