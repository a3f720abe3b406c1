"""The gate in Polars: one dense frame of players and game days, running totals, windows as look-ups by row number."""

import sys
from pathlib import Path

import polars as pl
from polars import col

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.windows import Span, Window

PLAYER = ("season", "player")
TOTALS = ("required", "excused", "present", *STATISTICS)
UNLISTED_GAMES = 10


def run(data: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    games = pl.read_parquet(data / "schedule.parquet").rename({"season_year": "season", "game_date": "day"})
    box = pl.read_parquet(
        data / "box.parquet", columns=["game_id", "team_abbr", "player_lookup", "season_year", "played", "points"]
    ).rename({"team_abbr": "team", "player_lookup": "player", "season_year": "season"})
    summaries = pl.read_parquet(data / "pgs.parquet", columns=["game_id", "player_lookup", *STATISTICS])
    calendar = games.select("season", "day").unique().sort("season", "day")
    calendar = calendar.with_columns(slot=pl.int_range(pl.len()).over("season").cast(pl.Int32))
    team_games = _team_games(games.join(calendar, on=["season", "day"]), box)
    grid = _grid(box, team_games, calendar, summaries.rename({"player_lookup": "player"}))
    rows = _judged(grid, calendar)
    keys = [col("player").alias(KEY[0]), col("season").alias(KEY[1]), col("day").alias(KEY[2])]
    for name, chosen, columns in (
        ("ready", rows.filter("ready"), MEANS),
        ("held_back", rows.filter(~col("ready")), ()),
    ):
        chosen.select(*keys, *COUNTS, *columns).write_parquet(
            out / f"{name}.parquet", compression="lz4", statistics=False
        )


def _team_games(games: pl.DataFrame, box: pl.DataFrame) -> pl.DataFrame:
    """A row a team and game: is the box score whole, and how many whole games came before, this one included."""
    sides = [
        games.select("season", "slot", "game_id", team=f"{side}_team_tricode", score=f"{side}_team_score")
        for side in ("home", "away")
    ]
    points = box.group_by("game_id", "team").agg(col("points").fill_null(0).sum())
    return (
        pl.concat(sides)
        .join(points, on=["game_id", "team"], how="left")
        .select("season", "team", "slot", "game_id", whole=col("points").fill_null(0) == col("score"))
        .sort("season", "team", "slot")
        .with_columns(whole_games=col("whole").cast(pl.Int32).cum_sum().over("season", "team"))
    )


def _grid(box: pl.DataFrame, team_games: pl.DataFrame, calendar: pl.DataFrame, summaries: pl.DataFrame) -> pl.DataFrame:
    """A row a player and game day from his first listing on, in order: the game of the team he belongs to that day."""
    listed = box.join(team_games.select("game_id", "team", "slot"), on=["game_id", "team"]).select(
        *PLAYER, "slot", "team", "played", listed_on="slot"
    )
    whole_by_day = (
        team_games.select("season", "team")
        .unique()
        .join(calendar.select("season", "slot"), on="season")
        .join(team_games.select("season", "team", "slot", "whole_games"), on=["season", "team", "slot"], how="left")
        .sort("season", "team", "slot")
        .with_columns(col("whole_games").forward_fill().over("season", "team").fill_null(0))
    )
    grid = (
        listed.select(PLAYER)
        .unique()
        .join(calendar, on="season")
        .join(listed, on=[*PLAYER, "slot"], how="left")
        .sort(*PLAYER, "slot")
        .with_columns(col("team", "listed_on").forward_fill().over(PLAYER), named=col("listed_on").is_not_null())
        .filter(col("team").is_not_null())
        .join(whole_by_day, on=["season", "team", "slot"], how="left", maintain_order="left")
        .join(
            team_games.select("season", "team", "slot", "game_id", "whole"),
            on=["season", "team", "slot"],
            how="left",
            maintain_order="left",
        )
        .join(summaries.with_columns(present=True), on=["player", "game_id"], how="left", maintain_order="left")
    )
    belongs, there = col("game_id").is_not_null(), col("present").fill_null(False)
    needed = belongs & (there | col("played").fill_null(False) | ~(col("whole") | col("named")))
    return grid.select(
        *PLAYER,
        "slot",
        "day",
        "team",
        "listed_on",
        "whole_games",
        required=needed.cast(pl.Int32),
        excused=(belongs & ~needed).cast(pl.Int32),
        present=there.cast(pl.Int32),
        **{name: col(name).fill_null(0).cast(pl.Int64) for name in STATISTICS},
    )


def _judged(grid: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """The rows that are judged, with their counts and means, and whether every window is full.

    Totals run over the whole frame, and what came before a row is their value on it: a window is the difference of
    two rows of one player.
    """
    grid = grid.with_row_index("row").with_columns(col("row").cast(pl.Int64))
    totals = {name: grid[name].cum_sum().shift(1, fill_value=0) for name in TOTALS}
    grid = grid.with_columns(first=col("row").first().over(PLAYER), c_required=totals["required"])
    needed = grid.filter(col("required") > 0)["row"]
    yesterday = (grid["row"] - 1).clip(0)
    last_listed = grid["row"] - (grid["slot"] - grid["listed_on"].gather(yesterday))
    since = grid["whole_games"].gather(yesterday) - grid["whole_games"].gather(last_listed.clip(0))
    rows = grid.select(*PLAYER, "slot", "day", "row", "first", "c_required", since=since)
    rows = rows.filter((col("row") > col("first")) & (col("since") < UNLISTED_GAMES))
    rows = rows.join(_days_back(calendar), on=["season", "slot"], how="left", maintain_order="left")
    end = {name: total.gather(rows["row"]) for name, total in totals.items()}
    needed_before = end["required"] - totals["required"].gather(rows["first"])
    columns: dict[str, pl.Series] = {}
    for window in WINDOWS:
        if window.span is Span.DAYS:
            begin = rows.select(pl.max_horizontal(col("row") - col(window.name), "first")).to_series()
        else:
            opening = needed.gather((end["required"] - window.length).clip(0))
            begin = rows.select(
                pl.when(needed_before >= window.length).then(opening).otherwise(col("first"))
            ).to_series()
        columns |= _window(window, totals, begin, end)
    rows = rows.with_columns(**columns)
    anything = pl.any_horizontal(col(f"{w.name}_expected") > 0 for w in WINDOWS)
    full = (1000 * col(f"{w.name}_actual") >= THRESHOLD_PER_MILLE * col(f"{w.name}_expected") for w in WINDOWS)
    return rows.filter(anything).with_columns(ready=pl.all_horizontal(full))


def _days_back(calendar: pl.DataFrame) -> pl.DataFrame:
    """By season and slot, how many game days each window of days reaches back."""
    pairs = calendar.join(calendar.select("season", earlier="day"), on="season").with_columns(
        ago=(col("day") - col("earlier")).dt.total_days()
    )
    spans = {w.name: col("ago").is_between(1, w.length).sum().cast(pl.Int64) for w in WINDOWS if w.span is Span.DAYS}
    return pairs.group_by("season", "slot").agg(**spans)


def _window(
    window: Window, totals: dict[str, pl.Series], begin: pl.Series, end: dict[str, pl.Series]
) -> dict[str, pl.Series]:
    """Counts and means of the rows from `begin` to the row before."""
    inside = {name: end[name] - total.gather(begin) for name, total in totals.items()}
    counts = {"expected": inside["required"], "excused": inside["excused"], "actual": inside["present"]}
    games = inside["present"].replace(0, None).cast(pl.Float64)
    return {
        **{f"{window.name}_{what}": values for what, values in counts.items()},
        **{f"{window.name}_{name}_avg": inside[name].cast(pl.Float64) / games for name in STATISTICS},
    }


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
