"""Shows what `check` found."""

import json
from typing import Any

import typer

from fullcourt.cli.options import Format
from fullcourt.cli.output import show


def render(report: dict[str, Any], form: Format) -> None:
    """A table a processor, one nested JSON, or CSV with one row a processor and window."""
    if form is Format.JSON:
        typer.echo(json.dumps(report, indent=2))
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
        if judged["windows"]:
            rows = [
                {**window, "missing": [game["game_id"] for game in window["missing"]]} for window in judged["windows"]
            ]
            show(rows, form, f"games in {judged['upstream']}")


def _named(window: dict[str, Any]) -> dict[str, Any]:
    """The window with its missing games by canonical id."""
    return {**window, "missing": [game["game_id"] for game in window["missing"]]}


def _rows(report: dict[str, Any], judged: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"entity": report["entity"], "date": report["date"], "processor": judged["processor"]}
    verdict = {"processor_verdict": judged["verdict"], "reason": judged["reason"]}
    return [
        {
            **named,
            **verdict,
            **_named(window),
            "missing_nba": [game["nba_game_id"] for game in window["missing"]],
        }
        for window in judged["windows"]
    ]
