"""Player box scores, one row per player listed for a game, whether or not he entered it."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    BOX_SCORE_LANDING,
    GAME_DATE,
    GAME_ID,
    IS_HOME,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    RAW_PLAYER,
    RAW_TAIL,
    SEASON_TYPE,
    SEASON_YEAR,
    TEAM_ABBR,
    box_score,
)
from schemas.landing import Landing

TABLE = Table(
    name="nbac_gamebook_player_stats",
    dataset="nba_raw",
    doc="Player box scores, one row per player listed for a game: the authority on who did not play.",
    columns=(
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        IS_HOME,
        *RAW_PLAYER,
        Column("player_status", "STRING", "active (entered the game), dnp or inactive."),
        Column("dnp_reason", "STRING", "The source's reason for not playing; null if played or not given."),
        Column("played", "BOOL", "The player entered the game, be it for no full minute.", required=True),
        Column("starter", "BOOL", "One of the five starters; null if the source does not say."),
        Column("minutes", "STRING", "Playing time 'MM:SS'; null if not played or not known."),
        Column("seconds_played", "INT64", "Playing time in seconds, 0 or more; null if not played or not known."),
        Column("minutes_decimal", "FLOAT64", "seconds_played / 60; null if not played or not known."),
        *box_score(null="if not played"),
        Column("plus_minus", "INT64", "Point difference while on court; null if not played or not known."),
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
    stem="player_boxscores",
    columns={
        "nba_game_id": "game_id",
        "game_date": "game_date",
        "season_type": "season_type",
        "team_abbr": "team_tricode",
        "opponent_team_abbr": "opponent_tricode",
        "is_home": "is_home",
        "player_name": "player_name",
        "dnp_reason": "not_played_reason",
        "played": "played",
        "starter": "starter",
        "seconds_played": "seconds_played",
        **BOX_SCORE_LANDING,
        "plus_minus": "plus_minus",
    },
    computed_from=("season", "player_id", "status"),
)
