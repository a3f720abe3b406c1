"""Rows to predict in plain Python, and the same as arrays. Figures are exact fractions with their columns' decimals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fullcourt.domain.predictions.features import V1_BASELINE_25
from fullcourt.domain.predictions.slate import HISTORY_GAMES, History, Prediction, Slate


@dataclass(frozen=True)
class Past:
    """A game of the history. None: unknown."""

    points: int = 20
    rating: Fraction = Fraction(112)
    days_rest: int | None = 2
    home: bool = False
    form: Fraction | None = Fraction(0)


@dataclass(frozen=True)
class Row:
    """A player on a game day; history newest first."""

    features: dict[str, Fraction]
    days_rest: int | None = 2
    usage_rate: Fraction | None = Fraction(25)
    minutes_avg: Fraction | None = Fraction(30)
    line: Fraction = Fraction(20)
    quality: Fraction = Fraction(100)
    history: tuple[Past, ...] = ()


# Nothing here moves a prediction: rested, on the road, against an average defence.
PLAIN_FEATURES = {
    "points_avg_last_5": "20",
    "points_avg_last_10": "20",
    "points_avg_season": "20",
    "points_std_last_10": "5",
    "games_in_last_7_days": "3",
    "fatigue_score": "75",
    "shot_zone_mismatch_score": "0",
    "pace_score": "0",
    "usage_spike_score": "0",
    "rest_advantage": "0",
    "injury_risk": "0",
    "recent_trend": "0",
    "minutes_change": "0",
    "opponent_def_rating": "110",
    "opponent_pace": "100",
    "home_away": "0",
    "back_to_back": "0",
    "playoff_game": "0",
    "pct_paint": "0.30",
    "pct_mid_range": "0.20",
    "pct_three": "0.35",
    "pct_free_throw": "0.15",
    "team_pace": "100",
    "team_off_rating": "112",
    "team_win_pct": "0.5",
}


def a_row(changes: dict[str, str] | None = None, **fields) -> Row:
    """A plain row with some features changed."""
    unknown = set(changes or {}) - set(PLAIN_FEATURES)
    assert not unknown
    features = {name: Fraction(value) for name, value in {**PLAIN_FEATURES, **(changes or {})}.items()}
    return Row(features, **fields)


def number(value: Fraction | int | None) -> float:
    return float("nan") if value is None else float(value)


def slate_of(rows: Sequence[Row]) -> Slate:
    names = V1_BASELINE_25.names
    return Slate(
        version=V1_BASELINE_25,
        features=np.array([[number(row.features[name]) for name in names] for row in rows]).reshape(-1, len(names)),
        days_rest=np.array([number(row.days_rest) for row in rows]),
        usage_rate=np.array([number(row.usage_rate) for row in rows]),
        minutes_avg=np.array([number(row.minutes_avg) for row in rows]),
        line=np.array([number(row.line) for row in rows]),
        line_estimated=np.zeros(len(rows), np.bool_),
        quality=np.array([number(row.quality) for row in rows]),
        history=history_of(rows),
    )


def history_of(rows: Sequence[Row]) -> History:
    """What is not there is filled with values that would show: home games of 99 points on an unknown rest."""
    shape = (len(rows), HISTORY_GAMES)
    history = History(
        there=np.zeros(shape, np.bool_),
        points=np.full(shape, 99.0),
        opponent_rating=np.full(shape, 112.0),
        days_rest=np.full(shape, np.nan),
        home=np.ones(shape, np.bool_),
        form=np.full(shape, np.nan),
    )
    for index, row in enumerate(rows):
        for place, game in enumerate(row.history):
            history.there[index, place] = True
            history.points[index, place] = game.points
            history.opponent_rating[index, place] = number(game.rating)
            history.days_rest[index, place] = number(game.days_rest)
            history.home[index, place] = game.home
            history.form[index, place] = number(game.form)
    return history


def take(slate: Slate, index: np.ndarray) -> Slate:
    """Some rows of a slate, in that order."""
    arrays = {name: values[index] for name, values in vars(slate).items() if isinstance(values, np.ndarray)}
    past = History(**{name: values[index] for name, values in vars(slate.history).items()})
    return replace(slate, **arrays, history=past)


def take_predictions(made: Prediction, index: np.ndarray) -> Prediction:
    return Prediction(
        *(getattr(made, name)[index] for name in ("there", "points", "confidence", "recommendation")),
        components={name: values[index] for name, values in made.components.items()},
        texts={name: values.take(index) for name, values in made.texts.items()},
        key_factors={name: values[index] for name, values in made.key_factors.items()},
    )


def same(left: Prediction, right: Prediction) -> bool:
    """Equal to the last bit; NaN equals NaN."""

    def bits(made: Prediction) -> dict:
        arrays = {name: getattr(made, name) for name in ("there", "points", "confidence", "recommendation")}
        return {name: (a.dtype, a.tobytes()) for name, a in {**arrays, **made.components, **made.key_factors}.items()}

    texts = [{name: values.to_pylist() for name, values in made.texts.items()} for made in (left, right)]
    return bits(left) == bits(right) and texts[0] == texts[1]


# Random rows: half of the values are at a threshold of some system, or a last decimal beside it.


def decimals(low: str, high: str, places: int, *edges: str) -> st.SearchStrategy[Fraction]:
    unit = Fraction(1, 10**places)
    first, last = (int(Fraction(end) / unit) for end in (low, high))
    anywhere = st.integers(first, last)
    if not edges:
        return anywhere.map(lambda n: n * unit)
    near = st.builds(lambda edge, step: Fraction(edge) + step * unit, st.sampled_from(edges), st.integers(-1, 1))
    return anywhere.map(lambda n: n * unit) | near.filter(lambda value: Fraction(low) <= value <= Fraction(high))


averages = decimals("0", "60", 1, "10", "13", "20")
ratings = decimals("95", "125", 2, "108", "110", "115", "118")
rests = st.none() | st.integers(1, 6)
forms = st.none() | decimals("-10", "10", 1, "3", "-3")
shares = decimals("0", "1", 4, "0.2", "0.4", "0.45")
flags = st.integers(0, 1).map(Fraction)
FEATURES = {
    "points_avg_last_5": averages,
    "points_avg_last_10": averages,
    "points_avg_season": averages,
    "points_std_last_10": decimals("0", "12", 2, "4", "6", "8"),
    "games_in_last_7_days": st.integers(0, 5).map(Fraction),
    "fatigue_score": decimals("0", "100", 0, "50", "70", "85"),
    "shot_zone_mismatch_score": decimals("-10", "10", 1),
    "pace_score": decimals("-3", "3", 1),
    "usage_spike_score": decimals("-3", "3", 1),
    "opponent_def_rating": ratings,
    "home_away": flags,
    "back_to_back": flags,
    "pct_paint": shares,
    "pct_mid_range": shares,
    "pct_three": shares,
    "pct_free_throw": decimals("0", "0.5", 4, "0.2", "0.4"),
}
pasts = st.builds(
    Past, points=st.integers(0, 60), rating=ratings, days_rest=rests, home=st.booleans(), form=forms
) | st.builds(Past, points=st.integers(18, 26))
rows = st.builds(
    Row,
    features=st.fixed_dictionaries(FEATURES).map(
        lambda drawn: {name: drawn.get(name, Fraction(value)) for name, value in PLAIN_FEATURES.items()}
    ),
    days_rest=rests,
    usage_rate=st.none() | decimals("5", "40", 2, "28"),
    minutes_avg=st.none() | decimals("5", "44", 1, "25", "36"),
    line=decimals("0.5", "45", 1),
    quality=decimals("40", "100", 2, "60", "70", "80", "90"),
    history=st.lists(pasts, max_size=HISTORY_GAMES).map(tuple),
)
