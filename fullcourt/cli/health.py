"""Shows how the platform is: what is wrong first, then each processor, and what the rest of the figures say."""

from collections import Counter
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
from fullcourt.cli.output import show, show_one
from fullcourt.cli.paste import pasted
from fullcourt.domain.alerts import COVERAGE_LIMIT
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EXIT_GATE


def health(
    date: Annotated[str | None, typer.Option(help="The day, YYYY-MM-DD; today's sports day by default.")] = None,
    processor: Annotated[str | None, typer.Option(help="Only what concerns this processor.")] = None,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Shows what is wrong on a day, and how each processor is; exit code 1 when something is."""
    from fullcourt.orchestration.health import health as look
    from fullcourt.warehouse import open_warehouse

    instant = parse_now(now)
    day = sports_day(instant) if date is None else parse_day(date)
    report = look(open_warehouse(warehouse), day, instant, processor)
    for alert in (*report["alerts"], *report["explained"]):
        alert["command"] = pasted(alert["command"], warehouse)
    render(report, form)
    if not report["healthy"]:
        raise typer.Exit(EXIT_GATE)


def render(report: dict[str, Any], form: Format) -> None:
    """Tables, one nested JSON, or CSV with one row a fact."""
    if form is Format.JSON:
        show_one(report)
    elif form is Format.CSV:
        show(facts(report), form)
    else:
        _show_tables(report)


def _show_tables(report: dict[str, Any]) -> None:
    typer.echo(f"Health of {report['date']}: {'good' if report['healthy'] else 'not good'}")
    if report["asked"] != report["date"]:
        typer.echo(f"no games on {report['asked']}: this is the newest game day before it")
    columns = ("severity", "cause", "text", "command")
    show([_only(alert, columns) for alert in report["alerts"]], Format.TABLE, "Alerts")
    if explained := report["explained"]:
        counted = Counter(symptom["cause"] for symptom in explained)
        causes = ", ".join(f"{cause} ({count})" for cause, count in sorted(counted.items()))
        typer.echo(f"Symptoms of lost games, no alerts of their own (all in --format json): {causes}\n")
    if report["policies"]:
        show(report["policies"], Format.TABLE, "Changed policies")
    shown = [{name: value for name, value in row.items() if name != "run_id"} for row in report["processors"]]
    show(shown, Format.TABLE, "Processors")
    short = [level for level in report["service_levels"] if level["status"] in ("missed", "broken")]
    show(short, Format.TABLE, "Service levels not met")
    if report["cascade"]:
        show([report["cascade"]], Format.TABLE, "Cascade: feature rows for which each upstream was ready, percent")
    low = [row for row in report["coverage"] if row["status"] != "COMPLETE"]
    show(low, Format.TABLE, f"Coverage of the newest two game days below {COVERAGE_LIMIT} %")


def facts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything as rows of one shape: section, name, processor, day, value, status, text, command."""
    rows = [_fact("day", "date", day=report["date"], status="good" if report["healthy"] else "not good")]
    for section in ("alerts", "explained"):
        for alert in report[section]:
            named = _only(alert, ("processor", "day", "text", "command"))
            rows.append(_fact(section, alert["cause"], **named, value=alert["affected"], status=alert["severity"]))
    rows += [_fact("policy", "policy", processor=row.get("processor"), text=str(row)) for row in report["policies"]]
    for row in report["processors"]:
        name = row["processor"]
        rows.append(_fact("processor", "ready_pct", processor=name, value=row["ready_pct"], status=row["band"]))
        rows.append(_fact("processor", "newest_run", processor=name, day=row["run_day"], status=row["run"]))
    for row in report["service_levels"]:
        rows.append(_fact("level", row["level"], processor=row["processor"], value=row["value"], status=row["status"]))
    for name, value in (report["cascade"] or {}).items():
        if name.endswith("_pct"):
            rows.append(_fact("cascade", name, day=report["date"], value=value))
    for row in report["coverage"]:
        named = {"processor": row["processor_name"], "day": row["analysis_date"], "value": row["coverage_pct"]}
        rows.append(_fact("coverage", "coverage_pct", **named, status=row["status"]))
    return rows


def _fact(section: str, name: str, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("processor", "day", "value", "status", "text", "command"))
    return {"section": section, "name": name, **empty, **more}


def _only(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: row[column] for column in columns}
