"""What was known of a player before fixtures long past: rows that a clean-up moved out of the upcoming table."""

from schemas import upcoming_player_game_context
from schemas.history import history_of

TABLE = history_of(upcoming_player_game_context.TABLE)
