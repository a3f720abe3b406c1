"""What both contestants compute: five windows, five statistics, one row a player and game day."""

from fullcourt.domain.windows import days, games

WINDOWS = (games(5), games(10), days(7), days(14), days(30))
STATISTICS = ("points", "seconds_played", "fg_attempts", "rebounds", "assists")
COUNTS = tuple(f"{window.name}_{what}" for window in WINDOWS for what in ("expected", "excused", "actual"))
MEANS = tuple(f"{window.name}_{statistic}_avg" for window in WINDOWS for statistic in STATISTICS)
KEY = ("player_lookup", "season_year", "analysis_date")
THRESHOLD_PER_MILLE = 900
