"""Shows what `check` found."""

from typing import Any

import typer

from fullcourt.cli.options import Format
from fullcourt.cli.output import show, show_one


def render(report: dict[str, Any], form: Format) -> None:
    """A table a processor, one nested JSON, or CSV with one row a processor and window."""
    if form is Format.JSON:
        show_one(report)
        return
    if form is Format.CSV:
        show([row for judged in report["processors"] for row in _rows(report, judged)], form)
        return
    typer.echo(f"{report['entity']} ({report['kind']}) on {report['date']}")
    if note := report.get("note"):
        typer.echo(note)
    for judged in report["processors"]:
        typer.echo(f"\n{judged['processor']}: {judged['verdict']} ({judged['reason']})")
        if "published" in judged:
            typer.echo(f"published: {judged['published'] or 'no row'}")
        if judged.get("not_ready"):
            typer.echo(f"waits for: {', '.join(judged['not_ready'])}")
        if judged["windows"]:
            rows = [
                {**window, "missing": [game["game_id"] for game in window["missing"]]} for window in judged["windows"]
            ]
            show(rows, form, f"games in {judged['upstream']}")


def _rows(report: dict[str, Any], judged: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"entity": report["entity"], "date": report["date"], "processor": judged["processor"]}
    verdict = {"processor_verdict": judged["verdict"], "reason": judged["reason"]}
    return [
        {
            **named,
            **verdict,
            **window,
            "missing": [game["game_id"] for game in window["missing"]],
            "missing_nba": [game["nba_game_id"] for game in window["missing"]],
        }
        for window in judged["windows"]
    ]
