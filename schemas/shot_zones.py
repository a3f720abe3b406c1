"""A player's shots in a game by zone, one row per shooter; regular season only."""

from fullcourt.domain.tables import PublishMode, Table
from schemas.columns import (
    GAME_DATE,
    GAME_ID,
    NBA_GAME_ID,
    RAW_PLAYER,
    RAW_TAIL,
    SEASON_YEAR,
    TEAM_ABBR,
    counts,
)
from schemas.landing import Landing

TABLE = Table(
    name="shot_zones",
    dataset="nba_raw",
    doc="A player's shots in a game by the source's zone, one row per player who took one.",
    columns=(
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        TEAM_ABBR,
        *RAW_PLAYER,
        *counts(
            ("fg_makes", "Shots made"),
            ("fg_attempts", "Shots attempted"),
            ("paint_makes", "Made in the restricted area and the paint"),
            ("paint_attempts", "Attempted in the restricted area and the paint"),
            ("mid_range_makes", "Made from mid-range"),
            ("mid_range_attempts", "Attempted from mid-range"),
            ("three_pt_makes", "Made from the corners, above the break and the backcourt, by zone"),
            ("three_pt_attempts", "Attempted from the corners, above the break and the backcourt, by zone"),
            null="if not known",
        ),
        *RAW_TAIL,
    ),
    grain=("nba_game_id", "team_abbr", "player_name"),
    publish=PublishMode.REPLACE,
    replace_by=("nba_game_id",),
    partition="game_date",
    cluster=("player_lookup", "team_abbr", "nba_game_id"),
    day="game_date",
)

LANDING = Landing(
    stem="shots-by-zone",
    columns={
        "nba_game_id": "game_id_resolved",
        "game_date": "game_date",
        "team_abbr": "team_tricode",
        "player_name": "player_name",
        "fg_makes": "fgm",
        "fg_attempts": "fga",
        "paint_makes": "paint_fgm",
        "paint_attempts": "paint_fga",
        "mid_range_makes": "mid_range_fgm",
        "mid_range_attempts": "mid_range_fga",
    },
    computed_from=(
        "season",
        "player_id",
        "corner3_fgm",
        "corner3_fga",
        "above_break3_fgm",
        "above_break3_fga",
        "backcourt_fgm",
        "backcourt_fga",
    ),
)
