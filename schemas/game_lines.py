"""A bookmaker's spread or total on a game, one row per outcome and snapshot."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    GAME_DATE,
    GAME_ID,
    NBA_GAME_ID,
    RAW_TAIL,
    SEASON_TYPE,
    SEASON_YEAR,
    SNAPSHOT_TIMESTAMP,
)
from schemas.landing import Landing

TABLE = Table(
    name="game_lines",
    dataset="nba_raw",
    doc="A bookmaker's spread or total on a game, one row per outcome and snapshot.",
    columns=(
        # What a load replaces: a later snapshot never deletes an earlier one, so the opening line survives.
        Column(
            "snapshot_id",
            "STRING",
            "nba_game_id:market_key:bookmaker_key:snapshot, the snapshot as 2024-01-31T22:00:00Z.",
            required=True,
        ),
        NBA_GAME_ID,
        GAME_ID,
        GAME_DATE,
        SEASON_YEAR,
        SEASON_TYPE,
        Column("market_key", "STRING", "spreads or totals.", required=True),
        Column("bookmaker_key", "STRING", "Bookmaker in lower case.", required=True),
        Column(
            "outcome_name", "STRING", "Of a spread the team's tricode, of a total 'Over' or 'Under'.", required=True
        ),
        Column(
            "outcome_point",
            "NUMERIC(5,1)",
            "Of a spread the points added to the team's score, -5.5 for a favourite; of a total the points expected "
            "of both teams, above 0. Below 1000 either way.",
            required=True,
        ),
        SNAPSHOT_TIMESTAMP,
        *RAW_TAIL,
    ),
    grain=("nba_game_id", "market_key", "bookmaker_key", "outcome_name", "snapshot_timestamp"),
    publish=PublishMode.REPLACE,
    replace_by=("snapshot_id",),
    partition="game_date",
    cluster=("market_key", "outcome_name", "nba_game_id"),
    day="game_date",
)

LANDING = Landing(
    stem="game_lines",
    columns={
        "game_date": "game_date",
        "market_key": "market_key",
        "bookmaker_key": "bookmaker_key",
        "outcome_name": "outcome_name",
        "outcome_point": "outcome_point",
        "snapshot_timestamp": "snapshot_timestamp",
    },
    computed_from=("home_team", "away_team"),
)
