"""Columns that several tables share, declared once: the game, the player, the box score, the bookkeeping."""

from fullcourt.domain.tables import Column

NBA_GAME_ID = Column("nba_game_id", "STRING", "The league's 10-digit game id, leading zeros kept.", required=True)
GAME_ID = Column(
    "game_id",
    "STRING",
    "Canonical id YYYYMMDD_AWAY_HOME by the date played; null if never played or a side is not one of the 30 teams.",
)
GAME_DATE = Column("game_date", "DATE", "Date played, US Eastern calendar day; null if never played.")
KEY_GAME_ID = Column("game_id", "STRING", "Canonical id YYYYMMDD_AWAY_HOME.", required=True)
KEY_GAME_DATE = Column("game_date", "DATE", "Date played, US Eastern calendar day.", required=True)
FIXTURE_DATE = Column("game_date", "DATE", "D: the game day the row was prepared for, before its games.", required=True)
SEASON_YEAR = Column("season_year", "INT64", "Year in which the season began, such as 2023 for 2023-24.")
SEASON_TYPE = Column("season_type", "STRING", "preseason, regular, all_star, play_in, playoffs or cup_final.")

TEAM_ABBR = Column("team_abbr", "STRING", "Tricode of the team in that game.", required=True)
OPPONENT_TEAM_ABBR = Column("opponent_team_abbr", "STRING", "Tricode of the other team.")
IS_HOME = Column("is_home", "BOOL", "The team is the home team.")
HOME_GAME = Column("home_game", "BOOL", "The team is the home team.")
WIN_FLAG = Column("win_flag", "BOOL", "The team won, by the schedule's final score; null without one.")
OVERTIME_PERIODS = Column("overtime_periods", "INT64", "Overtimes played, 0 or more; null if the source does not say.")

PLAYER_LOOKUP = Column(
    "player_lookup", "STRING", "The player's key: lower case, letters and digits only, suffix kept.", required=True
)
RAW_PLAYER_LOOKUP = Column("player_lookup", "STRING", "The player's key; null if the name is not resolved.")
UNIVERSAL_PLAYER_ID = Column("universal_player_id", "STRING", "Stable id from the registry; null if unknown.")
KNOWN_PLAYER_ID = Column(
    "universal_player_id", "STRING", "Registry id as his newest game before D has it; null before his first."
)
PLAYER_NAME = Column("player_name", "STRING", "Name as the source spells it.", required=True)
NAME_STATUS = Column(
    "name_status", "STRING", "'resolved', or 'NAME_UNRESOLVED' when no player has this name.", required=True
)
RAW_PLAYER = (RAW_PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID, PLAYER_NAME, NAME_STATUS)

# Content, not bookkeeping: which line is the newest and which the opening one depends on it.
SNAPSHOT_TIMESTAMP = Column("snapshot_timestamp", "TIMESTAMP", "When the line was observed, UTC.", required=True)

SOURCE_FILE = Column("source_file", "STRING", "Landing file the row came from.", bookkeeping=True)
RUN_ID = Column("run_id", "STRING", "Run that wrote the row.", bookkeeping=True)
KEY_RUN_ID = Column("run_id", "STRING", "Run that wrote the row.", required=True, bookkeeping=True)
CREATED_AT = Column("created_at", "TIMESTAMP", "When the row was made, UTC.", bookkeeping=True)
PROCESSED_AT = Column("processed_at", "TIMESTAMP", "When the row was published, UTC.", bookkeeping=True)
DATA_HASH = Column("data_hash", "STRING", "Hash of the business columns: equal hashes, equal content.")

RAW_TAIL = (SOURCE_FILE, RUN_ID, PROCESSED_AT)
SUMMARY_TAIL = (DATA_HASH, RUN_ID, PROCESSED_AT)

PROCESSOR_NAME = Column("processor_name", "STRING", "Processor: its table's name, without a dataset.", required=True)
ENTITY_ID = Column("entity_id", "STRING", "team_abbr or player_lookup, as the processor's entity says.", required=True)
ANALYSIS_DATE = Column("analysis_date", "DATE", "D: the game day the row is keyed to.", required=True)
PHASE = Column("phase", "STRING", "phase_2_raw, phase_3_analytics, phase_4_precompute or phase_5_predictions.")

_BOX_SCORE = (
    ("points", "Points scored"),
    ("fg_makes", "Field goals made, of two and three points"),
    ("fg_attempts", "Field goals attempted, of two and three points"),
    ("three_pt_makes", "Three-pointers made, by shot value"),
    ("three_pt_attempts", "Three-pointers attempted, by shot value"),
    ("ft_makes", "Free throws made"),
    ("ft_attempts", "Free throws attempted"),
    ("offensive_rebounds", "Offensive rebounds"),
    ("defensive_rebounds", "Defensive rebounds"),
    ("rebounds", "Rebounds, offensive and defensive"),
    ("assists", "Assists"),
    ("steals", "Steals"),
    ("blocks", "Blocks"),
    ("turnovers", "Turnovers charged to players"),
    ("personal_fouls", "Personal fouls"),
)


def counts(*named: tuple[str, str], null: str) -> tuple[Column, ...]:
    """Counting columns (name, meaning): whole numbers from 0, with what null means."""
    return tuple(Column(name, "INT64", f"{meaning}, 0 or more; null {null}.") for name, meaning in named)


def box_score(*, null: str) -> tuple[Column, ...]:
    """The fifteen counting statistics of a box score, from points to personal_fouls."""
    return counts(*_BOX_SCORE, null=null)


def lines(whose: str) -> tuple[Column, ...]:
    """Betting lines on a fixture from one team's side.

    whose: which bookmaker's snapshots are taken; of equally new ones DraftKings's, FanDuel's, then the first by name.
    """
    named = (("spread", "Points the team is expected to lose by"), ("total", "Points expected of both teams"))
    columns = []
    for name, meaning in named:
        columns += [
            Column(f"game_{name}", "NUMERIC(5,1)", f"{meaning}: {whose} newest snapshot; null without a line."),
            Column(f"opening_{name}", "NUMERIC(5,1)", f"{meaning}: {whose} oldest snapshot; null without a line."),
            Column(f"{name}_movement", "NUMERIC(5,1)", "Newest less oldest, as published; null without a line."),
            Column(f"game_{name}_source", "STRING", "Bookmaker, or 'median of N'; null without a line."),
        ]
    return tuple(columns)


# Raw column -> landing column of the fifteen statistics: the box score files share these names.
BOX_SCORE_LANDING = {
    "points": "pts",
    "fg_makes": "fgm",
    "fg_attempts": "fga",
    "three_pt_makes": "fg3m",
    "three_pt_attempts": "fg3a",
    "ft_makes": "ftm",
    "ft_attempts": "fta",
    "offensive_rebounds": "oreb",
    "defensive_rebounds": "dreb",
    "rebounds": "reb",
    "assists": "ast",
    "steals": "stl",
    "blocks": "blk",
    "turnovers": "tov",
    "personal_fouls": "pf",
}
