"""Players on a team's inactive list for a game, one row each."""

from fullcourt.domain.tables import PublishMode, Table
from schemas.columns import (
    GAME_DATE,
    GAME_ID,
    NBA_GAME_ID,
    RAW_PLAYER,
    RAW_TAIL,
    SEASON_TYPE,
    SEASON_YEAR,
    TEAM_ABBR,
)
from schemas.landing import Landing

TABLE = Table(
    name="inactive_lists",
    dataset="nba_raw",
    doc="Players on a team's inactive list for a game; a game without rows may have had no list at all.",
    columns=(NBA_GAME_ID, GAME_ID, GAME_DATE, SEASON_YEAR, SEASON_TYPE, TEAM_ABBR, *RAW_PLAYER, *RAW_TAIL),
    grain=("nba_game_id", "team_abbr", "player_name"),
    publish=PublishMode.REPLACE,
    replace_by=("nba_game_id",),
    partition="game_date",
    cluster=("player_lookup", "team_abbr", "nba_game_id"),
    day="game_date",
)

LANDING = Landing(
    stem="inactives",
    columns={
        "nba_game_id": "game_id",
        "game_date": "game_date",
        "season_type": "season_type",
        "team_abbr": "team_tricode",
        "player_name": "player_name",
    },
    computed_from=("season", "player_id"),
)
