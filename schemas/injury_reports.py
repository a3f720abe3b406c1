"""Who a team's injury report names, one row per player and report; the latest report of a day is the final one."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import RAW_PLAYER, RAW_TAIL, SEASON_YEAR, TEAM_ABBR
from schemas.landing import Landing

TABLE = Table(
    name="injury_reports",
    dataset="nba_raw",
    doc="Who a team's injury report names, one row per player and report; who has no row is not in doubt.",
    columns=(
        # What a load replaces.
        Column("report_id", "STRING", "YYYYMMDD_TEAM_HH: the game's day, the team, the report's hour.", required=True),
        Column("game_date", "DATE", "Day of the game the report is about, US Eastern calendar day.", required=True),
        SEASON_YEAR,
        TEAM_ABBR,
        *RAW_PLAYER,
        Column("injury_status", "STRING", "out, doubtful, questionable, probable or available.", required=True),
        Column("reason", "STRING", "The source's reason; null if not given."),
        Column("report_hour", "INT64", "US Eastern hour of the report on that day, 0 to 23.", required=True),
        *RAW_TAIL,
    ),
    grain=("game_date", "team_abbr", "player_name", "report_hour"),
    publish=PublishMode.REPLACE,
    replace_by=("report_id",),
    partition="game_date",
    cluster=("player_lookup", "team_abbr"),
    day="game_date",
)

LANDING = Landing(
    stem="injury_report",
    columns={
        "game_date": "game_date",
        "team_abbr": "team_tricode",
        "player_name": "player_name",
        "injury_status": "injury_status",
        "reason": "reason",
        "report_hour": "report_hour",
    },
    computed_from=("player_id",),
)
