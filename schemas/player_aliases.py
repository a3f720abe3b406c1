"""Every spelling of a player's name that a source uses, one row per spelling and player."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import PLAYER_LOOKUP, RAW_TAIL, UNIVERSAL_PLAYER_ID
from schemas.landing import Landing

TABLE = Table(
    name="player_aliases",
    dataset="nba_reference",
    doc="Every spelling of a player's name that a source uses, with the player's one key.",
    columns=(
        Column("alias_lookup", "STRING", "The spelling, canonicalised as player_lookup is.", required=True),
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        Column("player_name", "STRING", "Name to show."),
        Column("alias_name", "STRING", "The spelling as the source has it."),
        *RAW_TAIL,
    ),
    grain=("alias_lookup", "player_lookup"),
    publish=PublishMode.REPLACE,
    replace_by=("player_lookup",),
    cluster=("alias_lookup",),
)

LANDING = Landing(
    stem="players",
    columns={"player_name": "player_name"},
    computed_from=("player_id", "names_in_shots", "name_in_bref"),
)
