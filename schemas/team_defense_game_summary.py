"""What a team conceded in a game, two rows per game."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    HOME_GAME,
    KEY_GAME_DATE,
    KEY_GAME_ID,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    SEASON_TYPE,
    SEASON_YEAR,
    SUMMARY_TAIL,
    WIN_FLAG,
    counts,
)

_NO_BLOCK_ZONES = "no landing file says where a shot was blocked"

TABLE = Table(
    name="team_defense_game_summary",
    dataset="nba_analytics",
    doc="What a team conceded in a game, two rows per game; counts of a zone are null when unknown, never 0.",
    columns=(
        Column("defending_team_abbr", "STRING", "Tricode of the defending team.", required=True),
        OPPONENT_TEAM_ABBR,
        KEY_GAME_ID,
        NBA_GAME_ID,
        KEY_GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        HOME_GAME,
        WIN_FLAG,
        *counts(
            ("points_allowed", "Points of the opponent"),
            ("opp_fg_makes", "Field goals the opponent made"),
            ("opp_fg_attempts", "Field goals the opponent attempted"),
            ("opp_ft_makes", "Free throws the opponent made"),
            ("opp_ft_attempts", "Free throws the opponent attempted"),
            null="if not known",
        ),
        *counts(
            ("opp_paint_makes", "Made by the opponent in the restricted area and the paint"),
            ("opp_paint_attempts", "Attempted by the opponent in the restricted area and the paint"),
            ("opp_mid_range_makes", "Made by the opponent from mid-range"),
            ("opp_mid_range_attempts", "Attempted by the opponent from mid-range"),
            ("opp_three_pt_makes", "Made by the opponent from the three-point zones"),
            ("opp_three_pt_attempts", "Attempted by the opponent from the three-point zones"),
            ("points_in_paint_allowed", "2 x opp_paint_makes"),
            ("mid_range_points_allowed", "2 x opp_mid_range_makes"),
            ("three_pt_points_allowed", "3 x opp_three_pt_makes"),
            null="if the opponent's shots of that game are not known",
        ),
        *counts(
            ("steals", "Steals of the defending team"),
            ("blocks", "Blocks of the defending team"),
            ("defensive_rebounds", "Defensive rebounds of the defending team"),
            ("opp_turnovers", "Turnovers charged to the opponent's players"),
            null="if not known",
        ),
        Column("blocks_paint", "INT64", "Blocks by the team in the paint.", unfillable=_NO_BLOCK_ZONES),
        Column("blocks_mid_range", "INT64", "Blocks by the team from mid-range.", unfillable=_NO_BLOCK_ZONES),
        Column("blocks_three_pt", "INT64", "Blocks by the team of three-pointers.", unfillable=_NO_BLOCK_ZONES),
        Column("defensive_rating", "NUMERIC(6,2)", "Opponent points per 100 opponent possessions; null without them."),
        Column("opponent_pace", "NUMERIC(5,1)", "Opponent possessions per 48 minutes; null without them."),
        Column("data_quality_tier", "STRING", "high when the zones are known, else low."),
        *SUMMARY_TAIL,
    ),
    grain=("game_id", "defending_team_abbr"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("defending_team_abbr", "game_date", "data_quality_tier"),
    day="game_date",
)
