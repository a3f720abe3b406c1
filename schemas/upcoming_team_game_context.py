"""What is known of a team before a fixture, two rows per game."""

from fullcourt.domain.processors import BY_NAME
from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import (
    FIXTURE_DATE,
    HOME_GAME,
    KEY_GAME_ID,
    NBA_GAME_ID,
    OPPONENT_TEAM_ABBR,
    SEASON_YEAR,
    TEAM_ABBR,
    counts,
    lines,
)
from schemas.completeness import TAIL, completeness, lineage

TABLE = Table(
    name="upcoming_team_game_context",
    dataset="nba_analytics",
    doc="What is known of a team before a fixture, two rows per game.",
    columns=(
        TEAM_ABBR,
        OPPONENT_TEAM_ABBR,
        KEY_GAME_ID,
        NBA_GAME_ID,
        FIXTURE_DATE,
        SEASON_YEAR,
        HOME_GAME,
        Column("days_since_last_game", "INT64", "Days since the team's last final game this season; null if none."),
        Column("team_days_rest", "INT64", "days_since_last_game - 1: 0 on a back-to-back; null if no game yet."),
        Column("is_back_to_back", "BOOL", "The team played the day before; false if no game yet."),
        Column("team_back_to_back", "BOOL", "The same as is_back_to_back, under its other name."),
        *counts(
            ("game_number_in_season", "The team's final games before D this season, plus 1"),
            ("games_in_last_7_days", "The team's final games in [D-7, D-1]"),
            ("games_in_last_14_days", "The team's final games in [D-14, D-1]"),
            ("team_win_streak_entering", "Games won in a row up to the last final game"),
            ("team_loss_streak_entering", "Games lost in a row up to the last final game"),
            null="on a held-back row",
        ),
        Column("last_game_margin", "INT64", "Own less opponent's points of the last final game; null if none."),
        Column("last_game_result", "STRING", "W or L of the last final game; null if none."),
        Column(
            "travel_miles",
            "INT64",
            "Great-circle miles from the venue of the team's last game to this one's; 0 at home and for a first game.",
        ),
        *lines("DraftKings's, else FanDuel's"),
        Column("betting_lines_updated_at", "TIMESTAMP", "Newest snapshot among the row's lines, UTC; null without."),
        *counts(
            ("starters_out_count", "Players known out who started at least half of their last 10 games played"),
            ("questionable_players_count", "Players questionable or doubtful in the newest injury report of D"),
            null="if neither an inactive list nor an injury report of D names the team",
        ),
        *completeness(BY_NAME["upcoming_team_game_context"]),
        *lineage("team_defense"),
        *lineage("schedule"),
        *lineage("game_lines"),
        *lineage("injury_report"),
        *TAIL,
    ),
    grain=("team_abbr", "game_id"),
    publish=PublishMode.REPLACE,
    replace_by=("game_date",),
    partition="game_date",
    cluster=("game_date", "team_abbr", "game_id"),
    day="game_date",
    archived=True,
)
