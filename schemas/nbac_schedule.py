"""The league's games, one row each, played or not, of every season type."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import GAME_DATE, GAME_ID, NBA_GAME_ID, RAW_TAIL, SEASON_TYPE, SEASON_YEAR
from schemas.landing import Landing

TABLE = Table(
    name="nbac_schedule",
    dataset="nba_raw",
    doc="The league's games, one row each, with result once final.",
    columns=(
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        Column("game_status", "INT64", "1 scheduled, 2 in progress, 3 final."),
        Column("game_status_text", "STRING", "The source's word for the status."),
        Column("home_team_tricode", "STRING", "Home side; outside the 30 teams for All-Star and exhibition games."),
        Column("away_team_tricode", "STRING", "Away side; outside the 30 teams for All-Star and exhibition games."),
        Column("home_team_score", "INT64", "Points of the home side; null if not played."),
        Column("away_team_score", "INT64", "Points of the away side; null if not played."),
        Column("winning_team_tricode", "STRING", "Side with more points; null if not final."),
        Column("is_regular_season", "BOOL", "A regular-season game."),
        Column("is_playoffs", "BOOL", "A playoff game; play-in games are not."),
        Column("is_all_star", "BOOL", "An All-Star game."),
        Column("is_primetime", "BOOL", "Shown by a national broadcaster; null if not known."),
        *RAW_TAIL,
    ),
    grain=("nba_game_id",),
    publish=PublishMode.REPLACE,
    replace_by=("nba_game_id",),
    partition="game_date",
    cluster=("home_team_tricode", "away_team_tricode"),
    day="game_date",
)

LANDING = Landing(
    stem="schedule",
    columns={
        "nba_game_id": "game_id",
        "game_date": "game_date",
        "season_type": "season_type",
        "game_status_text": "status",
        "home_team_tricode": "home_tricode",
        "away_team_tricode": "away_tricode",
        "home_team_score": "home_score",
        "away_team_score": "away_score",
    },
    computed_from=("season", "national_tv"),
)
