"""A player's recent form before a game day, one row per player and day."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import KNOWN_PLAYER_ID, PLAYER_LOOKUP, SEASON_YEAR, counts
from schemas.completeness import TAIL, completeness, lineage

_NO_QUARTERS = "no landing file splits a player's minutes by quarter"
_NO_PLAY_BY_PLAY = "no landing file says which shots were assisted"
_COPIED = "on a held-back row, and without a context row of D"

TABLE = Table(
    name="player_daily_cache",
    dataset="nba_precompute",
    doc="A player's recent form before D, one row per player of D's fixtures. Only games he entered count.",
    columns=(
        PLAYER_LOOKUP,
        KNOWN_PLAYER_ID,
        Column("cache_date", "DATE", "D: the game day the row was prepared for, before its games.", required=True),
        SEASON_YEAR,
        Column("points_avg_last_5", "NUMERIC(5,1)", "Mean points of the last 5 games."),
        Column("points_avg_last_10", "NUMERIC(5,1)", "Mean points of the last 10 games."),
        Column("points_avg_season", "NUMERIC(5,1)", "Mean points of the season's games."),
        Column("points_std_last_10", "NUMERIC(5,2)", "Sample deviation of points, last 10 games; null under 2 games."),
        Column("minutes_avg_last_10", "NUMERIC(5,1)", "Mean minutes of the last 10 games; null if unknown."),
        Column("minutes_avg_season", "NUMERIC(5,1)", "Mean minutes of the season's games; null if unknown."),
        Column("usage_rate_last_10", "NUMERIC(5,2)", "Mean usage rate of the last 10 games, percent; null if unknown."),
        Column("ts_pct_last_10", "NUMERIC(5,3)", "Mean true shooting of the last 10 games, a share; null if unknown."),
        Column("games_played_season", "INT64", "Games he entered this season, 0 or more."),
        Column("player_usage_rate_season", "NUMERIC(5,2)", "Mean usage rate of the season's games; null if unknown."),
        Column("team_pace_last_10", "NUMERIC(5,1)", "Mean pace of his team's last 10 games; null if none."),
        Column("team_off_rating_last_10", "NUMERIC(6,2)", "Mean offensive rating of his team's last 10; null if none."),
        *counts(
            ("games_in_last_7_days", "Copied from the player's context"),
            ("games_in_last_14_days", "Copied from the player's context"),
            ("minutes_in_last_7_days", "Copied from the player's context"),
            ("minutes_in_last_14_days", "Copied from the player's context"),
            ("back_to_backs_last_14_days", "Copied from the player's context"),
            null=_COPIED,
        ),
        Column("avg_minutes_per_game_last_7", "NUMERIC(5,1)", "Copied from the player's context; null as there."),
        Column("fourth_quarter_minutes_last_7", "INT64", "Copied from the context.", unfillable=_NO_QUARTERS),
        Column("player_age", "INT64", "Copied from the context.", unfillable="no landing file says when he was born"),
        Column("primary_scoring_zone", "STRING", "Copied from the shot zone analysis of D; null as there, or no row."),
        Column("paint_rate_last_10", "NUMERIC(5,2)", "Copied from the shot zone analysis of D, percent."),
        Column("three_pt_rate_last_10", "NUMERIC(5,2)", "Copied from the shot zone analysis of D, percent."),
        Column("assisted_rate_last_10", "NUMERIC(5,2)", "Copied from there, percent.", unfillable=_NO_PLAY_BY_PLAY),
        Column("shot_zone_data_available", "BOOL", "The shot zone analysis of D knows his shots by zone."),
        Column("cache_version", "STRING", "v1.", reserved="one version so far"),
        *completeness(BY_NAME["player_daily_cache"]),
        *lineage("player_game"),
        *lineage("team_offense"),
        *lineage("player_shot_zone"),
        *lineage("player_context"),
        *TAIL,
    ),
    grain=("player_lookup", "cache_date"),
    publish=PublishMode.REPLACE,
    replace_by=("cache_date",),
    partition="cache_date",
    cluster=("player_lookup", "universal_player_id"),
    day="cache_date",
)
