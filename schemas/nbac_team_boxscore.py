"""Team box scores, two rows per game played."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    BOX_SCORE_LANDING,
    GAME_DATE,
    GAME_ID,
    IS_HOME,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    OVERTIME_PERIODS,
    RAW_TAIL,
    SEASON_TYPE,
    SEASON_YEAR,
    TEAM_ABBR,
    box_score,
)
from schemas.landing import Landing

TABLE = Table(
    name="nbac_team_boxscore",
    dataset="nba_raw",
    doc="Team box scores, two rows per game played.",
    columns=(
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        IS_HOME,
        Column("minutes", "STRING", "Nominal team minutes 'MMM:SS': 240:00 and 25:00 more per overtime."),
        OVERTIME_PERIODS,
        *box_score(null="if not known"),
        Column("opponent_points", "INT64", "Points of the other team, 0 or more; null if not known."),
        Column("turnovers_incl_team", "INT64", "Turnovers of players and of the team itself; null if not known."),
        *RAW_TAIL,
    ),
    grain=("nba_game_id", "team_abbr"),
    publish=PublishMode.REPLACE,
    replace_by=("nba_game_id",),
    partition="game_date",
    cluster=("team_abbr", "nba_game_id"),
    day="game_date",
)

LANDING = Landing(
    stem="team_boxscores",
    columns={
        "nba_game_id": "game_id",
        "game_date": "game_date",
        "season_type": "season_type",
        "team_abbr": "team_tricode",
        "opponent_team_abbr": "opponent_tricode",
        "is_home": "is_home",
        "overtime_periods": "n_ot",
        **BOX_SCORE_LANDING,
        "opponent_points": "opp_pts",
        "turnovers_incl_team": "tov_incl_team",
    },
    computed_from=("season",),
)
