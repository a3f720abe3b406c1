"""What was known of a team before fixtures long past: rows that a clean-up moved out of the upcoming table."""

from schemas import upcoming_team_game_context
from schemas.history import history_of

TABLE = history_of(upcoming_team_game_context.TABLE)
