"""What a player did in a game he entered, one row per player and game day."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    HOME_GAME,
    KEY_GAME_DATE,
    KEY_GAME_ID,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    PLAYER_LOOKUP,
    SEASON_TYPE,
    SEASON_YEAR,
    SUMMARY_TAIL,
    TEAM_ABBR,
    UNIVERSAL_PLAYER_ID,
    WIN_FLAG,
    box_score,
    counts,
)

_NO_PLAY_BY_PLAY = "no landing file says which shots were assisted"
_NO_BLOCK_ZONES = "no landing file says where a shot was blocked"

TABLE = Table(
    name="player_game_summary",
    dataset="nba_analytics",
    doc="What a player did in a game he entered; players who did not play have no row.",
    columns=(
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        Column("player_full_name", "STRING", "Name to show."),
        KEY_GAME_ID,
        NBA_GAME_ID,
        KEY_GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        HOME_GAME,
        WIN_FLAG,
        Column("is_active", "BOOL", "Listed active: true on every row, as only players who entered have one."),
        Column("player_status", "STRING", "active, dnp or inactive; active on every row."),
        Column("starter_flag", "BOOL", "One of the five starters; null if the source does not say."),
        Column("minutes_played", "NUMERIC(5,1)", "Seconds on court / 60, 0 or more; null if the time is not known."),
        *box_score(null="if not known"),
        Column("plus_minus", "INT64", "Point difference while on court; null if not known."),
        Column(
            "usage_rate",
            "NUMERIC(5,2)",
            "100 x (FGA + 0.44 FTA + TO) x (team minutes / 5) / (minutes x the team's same sum), percent; "
            "null without minutes or team totals, and above 100, where a few seconds on court mean nothing.",
        ),
        Column("ts_pct", "NUMERIC(5,3)", "True shooting, PTS / (2 (FGA + 0.44 FTA)), a share; null without attempts."),
        Column("efg_pct", "NUMERIC(5,3)", "(FGM + 0.5 x 3PM) / FGA, a share; null without attempts."),
        *counts(
            ("paint_attempts", "Attempted in the restricted area and the paint"),
            ("paint_makes", "Made in the restricted area and the paint"),
            ("mid_range_attempts", "Attempted from mid-range"),
            ("mid_range_makes", "Made from mid-range"),
            ("three_pt_zone_attempts", "Attempted from the three-point zones, whatever the shot's value"),
            ("three_pt_zone_makes", "Made from the three-point zones, whatever the shot's value"),
            null="if the team's shots of that game are not known",
        ),
        Column("assisted_fg_makes", "INT64", "Field goals made after an assist.", unfillable=_NO_PLAY_BY_PLAY),
        Column("unassisted_fg_makes", "INT64", "Field goals made without an assist.", unfillable=_NO_PLAY_BY_PLAY),
        Column("paint_blocks", "INT64", "Blocks by this player in the paint.", unfillable=_NO_BLOCK_ZONES),
        Column("mid_range_blocks", "INT64", "Blocks by this player from mid-range.", unfillable=_NO_BLOCK_ZONES),
        Column("three_pt_blocks", "INT64", "Blocks by this player of three-pointers.", unfillable=_NO_BLOCK_ZONES),
        Column("points_line", "NUMERIC(4,1)", "Closing line on points: the newest snapshot; null without a line."),
        *SUMMARY_TAIL,
    ),
    grain=("player_lookup", "game_date"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("universal_player_id", "player_lookup", "team_abbr", "game_date"),
    day="game_date",
)
