"""Invents player names, with the diacritics, apostrophes, hyphens and suffixes that make real names hard to match."""

import unicodedata

import numpy as np

from fullcourt.domain.errors import UsageError

FIRST_NAMES = (
    "Adrian Ambrose André Augie Bastien Byron Cedric Clément Corwin Dashiell Davion De'Marco Desmond Elias Émile "
    "Ezekiel Felix Gideon Hollis Ignacio Ja'Kari Jean-Luc Joaquín Jovan Kelvin Kwame Laszlo Leopold Malachi Mateus "
    "Nehemiah Orlando Percy Quentin Raúl Roscoe Sekou Solomon Tariq Théo Tobias Tre'Von Ulysses Vaughn Wendell Xavion "
    "Yannick Zoltán"
).split()
LAST_NAMES = (
    "Ackerley Aldana Arceneau Ashgrove Barrowman Bellamont Birchwood Brackett Brightwell Calderwood Corrigan D'Aubigny "
    "Dellacroix Drummey Eastlake Edgerton Fairweather Featherstone Fontenelle Galbraith Garrowby Goodfellow Hallworth "
    "Harkaway Ingersoll Jarvinen Kingsbury Kovářík Lamontagne Lindqvist Lockridge Merriwether N'Koumba O'Farrell "
    "Oakhurst Okonedo Penhaligon Quesnel Radcliffe Redfern Rutherglen Saint-Clair Santángelo Talmadge Thistlewood "
    "Tremaine Underhill Vandermeer Vášek Wainwright Whitlocke Yarborough Zieliński Žitnik"
).split()
SUFFIXES = (" Jr.", " III", " II")
SUFFIX_SHARE = 0.07


def draw_names(rng: np.random.Generator, count: int) -> list[str]:
    """That many names, no two alike even without suffix, case, diacritics and punctuation."""
    most = len(FIRST_NAMES) * len(LAST_NAMES)
    if count > most:
        raise UsageError(f"too many seasons: {count} player names needed, at most {most} can be made")
    pairs = rng.permutation(most)[:count]
    suffixes = np.where(rng.random(count) < SUFFIX_SHARE, rng.choice(SUFFIXES, count), "")
    return [
        f"{FIRST_NAMES[pair // len(LAST_NAMES)]} {LAST_NAMES[pair % len(LAST_NAMES)]}{suffix}"
        for pair, suffix in zip(pairs.tolist(), suffixes.tolist(), strict=True)
    ]


def plain(name: str) -> str:
    """The name as a source without diacritics spells it."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def reference_ids(names: list[str]) -> list[str]:
    """Ids of the reference site: five letters of the last name, two of the first, a running number."""
    taken: dict[str, int] = {}
    ids = []
    for name in names:
        first, last = (
            "".join(letter for letter in part if letter.isalpha()) for part in plain(name).lower().split()[:2]
        )
        stem = last[:5] + first[:2]
        taken[stem] = taken.get(stem, 0) + 1
        ids.append(f"{stem}{taken[stem]:02d}")
    return ids
