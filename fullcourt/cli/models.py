"""`fullcourt train` and `fullcourt grade`: the points model, and how well predictions did."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import progress, show

StartOption = Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")]
EndOption = Annotated[str, typer.Option(help="Last day; belongs to the range.")]


def train(
    start: StartOption,
    end: EndOption,
    model: Annotated[Path, typer.Option(help="File to write the model to.")] = Path("points-model.json"),
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
) -> None:
    """Fits the points model of xgboost_v1 on ready feature rows and what the players then scored."""
    from fullcourt.orchestration.models import train as run_training
    from fullcourt.warehouse import open_warehouse

    with progress("train") as say:
        report = run_training(open_warehouse(warehouse), parse_day(start), parse_day(end), model, say)
    show([report], form, "Trained")


def grade(
    start: StartOption,
    end: EndOption,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Says per system how far its predictions were off, beside two baselines, and how often it beat a line."""
    from fullcourt.orchestration.grades import grade_range
    from fullcourt.warehouse import open_warehouse

    with progress("grade") as say:
        grades = grade_range(open_warehouse(warehouse), parse_day(start), parse_day(end), parse_now(now), say)
    if form is not Format.TABLE:
        show(grades, form)
        return
    ready = grades[0]["ready_count"]
    show([_shown(row) for row in grades], form, f"{start} to {end}: {ready} ready feature rows with a result")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Rounded, with the intervals beside what they belong to."""
    figures = {"system": row["system_id"], "model": row["ml_model_id"], "graded": row["graded_count"]}
    figures |= {name: round(row[name], 3) for name in ("mae", "rmse", "bias")}
    for name in ("season_average", "last_5_average"):
        figures[f"{name}_mae"] = round(row[f"{name}_mae"], 3)
        figures[f"less_{name}"] = _interval(row, f"mae_less_{name}")
    figures["hit_rate"] = _interval(row, "hit_rate") if row["decided_count"] else "no lines"
    return figures


def _interval(row: dict[str, Any], name: str) -> str:
    if row[f"{name}_low"] is None:
        return f"{row[name]:.3f}"
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
