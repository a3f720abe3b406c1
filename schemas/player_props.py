"""A bookmaker's line on a player's statistic, one row per snapshot."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    GAME_DATE,
    GAME_ID,
    NBA_GAME_ID,
    RAW_PLAYER,
    RAW_TAIL,
    SEASON_TYPE,
    SEASON_YEAR,
    SNAPSHOT_TIMESTAMP,
)
from schemas.landing import Landing

TABLE = Table(
    name="player_props",
    dataset="nba_raw",
    doc="A bookmaker's line on a player's statistic, one row per snapshot; only the market 'points' is about points.",
    columns=(
        # What a load replaces: a later snapshot never deletes an earlier one, so the opening line survives.
        Column(
            "snapshot_id",
            "STRING",
            "nba_game_id:market:bookmaker:snapshot, the snapshot as 2024-01-31T22:00:00Z.",
            required=True,
        ),
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        Column(
            "market", "STRING", "Statistic in lower case, such as points or points_rebounds_assists.", required=True
        ),
        *RAW_PLAYER,
        Column("bookmaker", "STRING", "Bookmaker as the source spells it.", required=True),
        Column("line", "NUMERIC(5,1)", "Over/under line on the statistic, above 0 and below 1000.", required=True),
        Column("over_price", "FLOAT64", "American odds on the over, such as -110; null if not given."),
        Column("under_price", "FLOAT64", "American odds on the under, such as -110; null if not given."),
        SNAPSHOT_TIMESTAMP,
        *RAW_TAIL,
    ),
    grain=("nba_game_id", "market", "player_name", "bookmaker", "snapshot_timestamp"),
    publish=PublishMode.REPLACE,
    replace_by=("snapshot_id",),
    partition="game_date",
    cluster=("player_lookup", "market", "nba_game_id"),
    day="game_date",
)

LANDING = Landing(
    stem="prop_lines",
    columns={
        "nba_game_id": "resolved_game_id",
        "market": "market",
        "player_name": "player_name_as_listed",
        "bookmaker": "bookmaker",
        "line": "line",
        "over_price": "over_price",
        "under_price": "under_price",
        "snapshot_timestamp": "observed_at_utc",
    },
    computed_from=("resolved_player_id",),
    labelled=True,
)
