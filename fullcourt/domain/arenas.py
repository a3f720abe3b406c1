"""Where each team plays at home, and how far apart those places are."""

from functools import lru_cache

import numpy as np

from fullcourt.domain.numbers import Ints

# Tricode -> latitude, longitude (degrees), IANA time zone of the arena, as of the seasons 2022-23 to 2023-24.
ARENAS: dict[str, tuple[float, float, str]] = {
    "ATL": (33.757, -84.396, "America/New_York"),
    "BKN": (40.683, -73.975, "America/New_York"),
    "BOS": (42.366, -71.062, "America/New_York"),
    "CHA": (35.225, -80.839, "America/New_York"),
    "CHI": (41.881, -87.674, "America/Chicago"),
    "CLE": (41.497, -81.688, "America/New_York"),
    "DAL": (32.791, -96.810, "America/Chicago"),
    "DEN": (39.749, -105.008, "America/Denver"),
    "DET": (42.341, -83.055, "America/Detroit"),
    "GSW": (37.768, -122.388, "America/Los_Angeles"),
    "HOU": (29.751, -95.362, "America/Chicago"),
    "IND": (39.764, -86.156, "America/Indiana/Indianapolis"),
    "LAC": (34.043, -118.267, "America/Los_Angeles"),
    "LAL": (34.043, -118.267, "America/Los_Angeles"),
    "MEM": (35.138, -90.051, "America/Chicago"),
    "MIA": (25.781, -80.188, "America/New_York"),
    "MIL": (43.045, -87.917, "America/Chicago"),
    "MIN": (44.979, -93.276, "America/Chicago"),
    "NOP": (29.949, -90.082, "America/Chicago"),
    "NYK": (40.751, -73.994, "America/New_York"),
    "OKC": (35.463, -97.515, "America/Chicago"),
    "ORL": (28.539, -81.384, "America/New_York"),
    "PHI": (39.901, -75.172, "America/New_York"),
    "PHX": (33.446, -112.071, "America/Phoenix"),
    "POR": (45.532, -122.667, "America/Los_Angeles"),
    "SAC": (38.580, -121.500, "America/Los_Angeles"),
    "SAS": (29.427, -98.437, "America/Chicago"),
    "TOR": (43.643, -79.379, "America/Toronto"),
    "UTA": (40.768, -111.901, "America/Denver"),
    "WAS": (38.898, -77.021, "America/New_York"),
}
LEAGUE = "America/New_York"  # for a team without a known arena
TIME_ZONES = {team: zone for team, (_, _, zone) in ARENAS.items()}


@lru_cache
def miles(teams: tuple[str, ...]) -> Ints:
    """(teams, teams): great-circle miles between their arenas, rounded; 0 for a team without a known arena."""
    from geopy.distance import great_circle  # where it is needed: few processes ask for distances

    table = np.zeros((len(teams), len(teams)), dtype=np.int32)
    for row, one in enumerate(teams):
        for column, other in enumerate(teams[:row]):
            if one in ARENAS and other in ARENAS:
                distance = round(great_circle(ARENAS[one][:2], ARENAS[other][:2]).miles)
                table[row, column] = table[column, row] = distance
    return table
