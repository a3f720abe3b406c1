"""The gate in pandas: a dense frame and running totals as in Polars, by merges, group-bys and NumPy look-ups."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.windows import Span, Window

PLAYER = ["season", "player"]
SLOT = ["season", "team", "slot"]
TOTALS = ("required", "excused", "present", *STATISTICS)
UNLISTED_GAMES = 10
NAMES = {"season_year": "season", "team_abbr": "team", "player_lookup": "player", "game_date": "day"}


def run(data: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    games = _read(data / "schedule.parquet")
    box = _read(data / "box.parquet", ["game_id", "team_abbr", "player_lookup", "season_year", "played", "points"])
    summaries = _read(data / "pgs.parquet", ["game_id", "player_lookup", *STATISTICS])
    calendar = games[["season", "day"]].drop_duplicates().sort_values(["season", "day"], ignore_index=True)
    calendar["slot"] = calendar.groupby("season").cumcount()
    team_games = _team_games(games.merge(calendar, on=["season", "day"]), box)
    rows = _judged(_grid(box, team_games, calendar, summaries), calendar)
    rows = rows.rename(columns=dict(zip(["player", "season", "day"], KEY, strict=True)))
    for name, chosen, columns in (("ready", rows[rows["ready"]], MEANS), ("held_back", rows[~rows["ready"]], ())):
        chosen[[*KEY, *COUNTS, *columns]].to_parquet(out / f"{name}.parquet", index=False, compression="lz4")


def _read(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    return pd.read_parquet(file, columns=columns, dtype_backend="pyarrow").rename(columns=NAMES)


def _team_games(games: pd.DataFrame, box: pd.DataFrame) -> pd.DataFrame:
    """A row a team and game: is the box score whole, and how many whole games there were up to it."""
    sides = [
        games[["season", "slot", "game_id", f"{side}_team_tricode", f"{side}_team_score"]].set_axis(
            ["season", "slot", "game_id", "team", "score"], axis=1
        )
        for side in ("home", "away")
    ]
    points = box.groupby(["game_id", "team"], as_index=False)["points"].sum()
    both = pd.concat(sides).merge(points, on=["game_id", "team"], how="left").sort_values(SLOT, ignore_index=True)
    both["whole"] = (both["points"].fillna(0) == both["score"]).astype(bool)
    both["whole_games"] = both.groupby(["season", "team"])["whole"].cumsum()
    return both[[*SLOT, "game_id", "whole", "whole_games"]]


def _grid(box: pd.DataFrame, team_games: pd.DataFrame, calendar: pd.DataFrame, summaries: pd.DataFrame) -> pd.DataFrame:
    """A row a player and game day from his first listing on, in order: the game of the team he belongs to that day."""
    listed = box.merge(team_games[["game_id", "team", "slot"]], on=["game_id", "team"])
    listed = listed[[*PLAYER, "slot", "team", "played"]].assign(listed_on=listed["slot"])
    grid = listed[PLAYER].drop_duplicates().merge(calendar, on="season")
    grid = grid.merge(listed, on=[*PLAYER, "slot"], how="left").sort_values([*PLAYER, "slot"], ignore_index=True)
    named = grid["listed_on"].notna()
    grid[["team", "listed_on"]] = grid.groupby(PLAYER)[["team", "listed_on"]].ffill()
    grid = grid.assign(named=named)[grid["team"].notna()].merge(team_games, on=SLOT, how="left")
    grid = grid.merge(summaries.assign(there=True), on=["player", "game_id"], how="left")
    belongs, present = grid["game_id"].notna(), grid["there"].notna()
    played, whole = grid["played"].fillna(False).astype(bool), grid["whole"].fillna(False).astype(bool)
    required = belongs & (present | played | ~(whole | grid["named"]))
    marks = {"required": required, "excused": belongs & ~required, "present": present}
    figures = {name: grid[name].fillna(0).astype(np.int64) for name in STATISTICS}
    return grid[[*PLAYER, "slot", "day", "team", "listed_on"]].assign(
        **{name: mark.astype(np.int64) for name, mark in marks.items()},
        **figures,
        whole_games=_whole_up_to(grid, team_games, calendar),
    )


def _whole_up_to(grid: pd.DataFrame, team_games: pd.DataFrame, calendar: pd.DataFrame) -> np.ndarray:
    """Per row: the whole games of the team up to the day, whether it plays on it or not."""
    teams = team_games[["season", "team"]].drop_duplicates().merge(calendar[["season", "slot"]], on="season")
    every = teams.merge(team_games[[*SLOT, "whole_games"]], on=SLOT, how="left").sort_values(SLOT, ignore_index=True)
    every["up_to"] = every.groupby(["season", "team"])["whole_games"].ffill().fillna(0)
    return grid[SLOT].merge(every, on=SLOT, how="left")["up_to"].to_numpy(dtype=np.int64)


def _judged(grid: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """The rows that are judged, with their counts and means, and whether every window is full.

    Totals run over the whole frame, and what came before a row is their value on it: a window is the difference of
    two rows of one player.
    """
    row = np.arange(len(grid))
    first = row - grid.groupby(PLAYER, sort=False).cumcount().to_numpy()
    totals = {name: np.r_[0, grid[name].to_numpy().cumsum()[:-1]] for name in TOTALS}
    needed = np.flatnonzero(grid["required"].to_numpy())
    slot, listed_on, whole_games = (
        grid[name].to_numpy(dtype=np.int64) for name in ("slot", "listed_on", "whole_games")
    )
    yesterday = np.maximum(row - 1, 0)
    since = whole_games[yesterday] - whole_games[np.maximum(row - (slot - listed_on[yesterday]), 0)]
    chosen = np.flatnonzero((row > first) & (since < UNLISTED_GAMES))
    first, required_before = first[chosen], totals["required"][chosen]
    rows = grid[["season", "player", "day", "slot"]].iloc[chosen].merge(_days_back(calendar), how="left")
    columns: dict[str, np.ndarray] = {}
    for window in WINDOWS:
        if window.span is Span.DAYS:
            begin = np.maximum(chosen - rows[window.name].to_numpy(dtype=np.int64), first)
        else:
            enough = required_before - totals["required"][first] >= window.length
            begin = np.where(enough, needed[np.maximum(required_before - window.length, 0)], first)
        columns |= _window(window, totals, begin, chosen)
    rows = rows.assign(**columns)
    anything = np.logical_or.reduce([columns[f"{w.name}_expected"] > 0 for w in WINDOWS])
    full = [1000 * columns[f"{w.name}_actual"] >= THRESHOLD_PER_MILLE * columns[f"{w.name}_expected"] for w in WINDOWS]
    return rows.assign(ready=np.logical_and.reduce(full))[anything]


def _days_back(calendar: pd.DataFrame) -> pd.DataFrame:
    """By season and slot, how many game days each window of days reaches back."""
    day = calendar["day"].astype("datetime64[s]")
    pairs = calendar[["season", "slot"]].assign(day=day)
    pairs = pairs.merge(pairs[["season", "day"]].rename(columns={"day": "earlier"}), on="season")
    ago = (pairs["day"] - pairs["earlier"]).dt.days
    spans = {w.name: ago.between(1, w.length) for w in WINDOWS if w.span is Span.DAYS}
    return pairs[["season", "slot"]].assign(**spans).groupby(["season", "slot"], as_index=False).sum()


def _window(window: Window, totals: dict[str, np.ndarray], begin: np.ndarray, end: np.ndarray) -> dict[str, np.ndarray]:
    """Counts and means of the rows from `begin` to the row before `end`."""
    inside = {name: total[end] - total[begin] for name, total in totals.items()}
    counts = {"expected": inside["required"], "excused": inside["excused"], "actual": inside["present"]}
    games = np.where(inside["present"] > 0, inside["present"], np.nan)
    return {
        **{f"{window.name}_{what}": values for what, values in counts.items()},
        **{f"{window.name}_{name}_avg": inside[name] / games for name in STATISTICS},
    }


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
