"""One canonical form for names: players, teams, games and seasons.

`player_lookup` is lower case, diacritics folded, every non-alphanumeric removed, generational suffix kept:
"Nikola Jokić", "nikola_jokic" and "nikola-jokic" are all `nikolajokic`.
"""

import difflib
import re
import unicodedata
from collections.abc import Collection, Mapping

TRICODES: frozenset[str] = frozenset(
    "ATL BKN BOS CHA CHI CLE DAL DEN DET GSW HOU IND LAC LAL MEM MIA MIL MIN NOP NYK OKC ORL PHI PHX POR SAC SAS TOR "
    "UTA WAS".split()
)
# Full name -> tricode, as bookmakers write teams; one team goes by two names.
TEAM_NAMES: Mapping[str, str] = {
    "Atlanta Hawks": "ATL",
    "Boston Celtics": "BOS",
    "Brooklyn Nets": "BKN",
    "Charlotte Hornets": "CHA",
    "Chicago Bulls": "CHI",
    "Cleveland Cavaliers": "CLE",
    "Dallas Mavericks": "DAL",
    "Denver Nuggets": "DEN",
    "Detroit Pistons": "DET",
    "Golden State Warriors": "GSW",
    "Houston Rockets": "HOU",
    "Indiana Pacers": "IND",
    "LA Clippers": "LAC",
    "Los Angeles Clippers": "LAC",
    "Los Angeles Lakers": "LAL",
    "Memphis Grizzlies": "MEM",
    "Miami Heat": "MIA",
    "Milwaukee Bucks": "MIL",
    "Minnesota Timberwolves": "MIN",
    "New Orleans Pelicans": "NOP",
    "New York Knicks": "NYK",
    "Oklahoma City Thunder": "OKC",
    "Orlando Magic": "ORL",
    "Philadelphia 76ers": "PHI",
    "Phoenix Suns": "PHX",
    "Portland Trail Blazers": "POR",
    "Sacramento Kings": "SAC",
    "San Antonio Spurs": "SAS",
    "Toronto Raptors": "TOR",
    "Utah Jazz": "UTA",
    "Washington Wizards": "WAS",
}
_TRICODE_OF = {name.casefold(): code for name, code in (*TEAM_NAMES.items(), *zip(TRICODES, TRICODES, strict=True))}
# Letters that Unicode does not decompose, and so would vanish instead of being folded.
_FOLDED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t"}
)


def player_lookup(name: str) -> str:
    """The canonical key of a player's name; empty when the name holds no letter or digit."""
    # Decomposed first, so that a letter with a mark folds like the letter: 'ǿ' like 'ø'.  Folding the case again
    # afterwards: 'İ' decomposes to a capital.
    decomposed = unicodedata.normalize("NFKD", name.casefold()).casefold()
    return re.sub(r"[^a-z0-9]", "", decomposed.translate(_FOLDED))


def team_tricode(name: str) -> str | None:
    """The tricode of a team's full name, or of a tricode, in any case; None if it names none of the 30 teams."""
    return _TRICODE_OF.get(name.strip().casefold())


def season_of(year: int, month: int) -> int:
    """The season's start year: a season runs from October to September."""
    return year if month >= 10 else year - 1


def suggestions(wanted: str, known: Collection[str], most: int = 3) -> list[str]:
    """The known names that look most like the wanted one, best first; may be empty."""
    close = difflib.get_close_matches(wanted, known, n=most, cutoff=0.6)
    return close or sorted(name for name in known if wanted and wanted in name)[:most]
