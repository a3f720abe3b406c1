"""The charts of a report, as SVG that carries everything with it."""

import datetime as dt
import itertools
import re
from typing import Any

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc
import vl_convert

from fullcourt.domain import alerts
from fullcourt.domain.days import to_number
from fullcourt.domain.processors import GATED, PROCESSORS
from fullcourt.report.gather import Facts
from fullcourt.report.graph import Node, nodes
from fullcourt.report.headline import percent

# Okabe and Ito's palette: told apart with any colour vision, and in grey by lightness and dashes.
BLUE, SKY, ORANGE, VERMILLION, GREEN, BLACK = "#0072B2", "#9AD0F0", "#E69F00", "#D55E00", "#007F5F", "#000000"
_INK, _GRID = "#222222", "#e3e3e3"
COVERAGE_PARTS = {"real": BLUE, "excused": SKY, "synthetic": ORANGE, "lacking": VERMILLION}
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [12, 3], [4, 4])
_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, BLACK, "#AA4499")

_STATES = {
    f"{alerts.READY_EXCELLENT} % and more": "#CDEBDF",
    f"{alerts.READY_GOOD} to {alerts.READY_EXCELLENT} %": "#F5EFA0",
    f"below {alerts.READY_GOOD} %": "#F2B48C",
    "no rows": "#E6E6E6",
}

_CONFIG = {
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "domainColor": "#888", "tickColor": "#888"},
    "header": {"labelFontSize": 12, "labelFontWeight": "bold", "labelAnchor": "start", "labelColor": _INK},
    "legend": {"orient": "top", "title": None, "labelColor": _INK, "labelFontSize": 12, "symbolSize": 160}
    | {"columnPadding": 40, "labelLimit": 0},
}
_SIZE = {"width": 620, "height": 80}
_DAY = 86_400_000  # milliseconds


def coverage(facts: Facts) -> str:
    """Share of the keys owed per day and processor, by what became of them; empty without receipts."""
    owed = facts.coverage.filter(pc.greater(facts.coverage["expected_keys"], 0))
    percent_of = pc.divide(100.0, owed["expected_keys"])
    parts = [_records(owed, part=part, share=pc.multiply(owed[f"{part}_keys"], percent_of)) for part in COVERAGE_PARTS]
    rows = [row for part in parts for row in part if row["share"]]
    if not rows:
        return ""
    base = alt.Chart(_data(rows)).transform_calculate(place=f"indexof({list(COVERAGE_PARTS)}, datum.part)")
    bars = base.mark_bar(width=_bar_width(facts), aria=False).encode(
        x=_days(facts),
        y=alt.Y("share:Q", title="% of keys", scale=alt.Scale(domain=[0, 100])),
        color=_colours("part", COVERAGE_PARTS),
        order=alt.Order("place:Q"),
    )
    return _panels(alt.layer(bars, _line_at(base, alerts.COVERAGE_LIMIT)), rows, "Coverage per game day")


def windows(facts: Facts) -> str:
    """Mean completeness per window over days; empty without verdicts."""
    means = facts.windows["mean_completeness_pct"]
    every = _records(facts.windows, window=facts.windows["window_name"], mean=means)
    rows = [row for row in every if row["mean"] is not None]
    if not rows:
        return ""
    names = list(dict.fromkeys(window.name for processor in GATED for window in processor.windows))
    base = alt.Chart(_data(rows))
    lines = base.mark_line(strokeWidth=1.6, point=len(facts.days) < 8, aria=False).encode(
        x=_days(facts),
        y=alt.Y("mean:Q", title="mean %", scale=alt.Scale(zero=False, domainMax=100)),
        color=_colours("window", dict(zip(names, itertools.cycle(_COLOURS), strict=False))),
        strokeDash=alt.StrokeDash("window:N", scale=alt.Scale(domain=names, range=_DASHES)),
    )
    layers = alt.layer(_line_at(base, alerts.ENTITY_COMPLETE), lines)
    return _panels(layers, rows, "Mean completeness of each window per game day", own_scales=True)


def activity(facts: Facts) -> str:
    """Attempts per game day that tripped a breaker, and those that did not; empty without attempts."""
    table = facts.activity
    kinds = {
        "attempt": pc.subtract(table["attempts"], table["trips"]),
        "attempt that tripped a breaker": table["trips"],
    }
    rows = [row for kind, count in kinds.items() for row in _records(table, kind=kind, count=count) if row["count"]]
    if not rows:
        return ""
    bars = alt.Chart(_data(rows)).mark_bar(width=_bar_width(facts), aria=False)
    bars = bars.encode(
        x=_days(facts),
        y=alt.Y("count:Q", title="attempts"),
        color=_colours("kind", dict(zip(kinds, (SKY, VERMILLION), strict=True))),
    )
    return _panels(bars, rows, "Attempts and trips per game day concerned")


def graph(shares: dict[str, tuple[str, float | None]]) -> str:
    """Processors as boxes, left to right as they run. shares: by processor, what is counted and its percentage."""
    placed = {node.name: node for node in nodes()}
    half = 0.43  # of a box, in layers
    edges = [
        {"edge": f"{other} {node.name}", "step": step, "x": x, "y": y}
        for node in placed.values()
        for other in node.reads
        for step, (x, y) in enumerate(_curve(placed[other], node, half))
    ]
    boxes = [
        {
            "x": node.layer - half,
            "x2": node.layer + half,
            "y": node.row - 0.33,
            "y2": node.row + 0.33,
            "middle": node.layer,
            "name_y": node.row - 0.11,
            "share_y": node.row + 0.15,
            "name": node.name,
            "share": "no rows" if share is None else f"{percent(share)} {what}",
            "state": _state(share),
        }
        for node in placed.values()
        for what, share in [shares[node.name]]
    ]
    deepest = max(node.layer for node in placed.values())
    lowest = max(node.row for node in placed.values())
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.5, deepest + 0.5], nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.5, lowest + 0.5], reverse=True, nice=False, zero=False))
    lines = (
        alt.Chart(_data(edges))
        .mark_line(interpolate="monotone", color="#8a8a8a", strokeWidth=1.2, aria=False)
        .encode(x=x, y=y, detail="edge:N", order="step:Q")
    )
    base = alt.Chart(_data(boxes))
    rectangles = base.mark_rect(stroke=_INK, strokeWidth=1, cornerRadius=4, aria=False).encode(
        x=x, x2="x2:Q", y=y, y2="y2:Q", color=_colours("state", _STATES)
    )
    names = base.mark_text(fontSize=10.5, color=BLACK, aria=False).encode(x="middle:Q", y="name_y:Q", text="name:N")
    figures = base.mark_text(fontSize=11, color=BLACK, aria=False).encode(x="middle:Q", y="share_y:Q", text="share:N")
    chart = alt.layer(lines, rectangles, names, figures).properties(width=228 * (deepest + 1), height=62 * (lowest + 1))
    return _svg(chart, "Processors from left to right as they read each other, each with its share ready")


def _curve(start: Node, end: Node, half: float) -> list[tuple[float, float]]:
    """Level until the last gap before its end, then down or up to it."""
    gap = end.layer - 1 + half
    level = [(start.layer + half, start.row)] + ([(gap, start.row)] if end.layer - start.layer > 1 else [])
    return [*level, (end.layer - half, end.row)]


def _state(share: float | None) -> str:
    if share is None:
        return "no rows"
    place = (share < alerts.READY_EXCELLENT) + (share < alerts.READY_GOOD)
    return list(_STATES)[place]


def _line_at(base: alt.Chart, value: float) -> Any:
    """A dashed line across every panel; without the grouping there would be one on top of another a row."""
    one = base.transform_aggregate(rows="count()", groupby=["processor_name"])
    return one.mark_rule(color=BLACK, strokeDash=[3, 3], aria=False).encode(y=alt.datum(value))


def _panels(chart: Any, rows: list[dict[str, Any]], description: str, own_scales: bool = False) -> str:
    """One panel a processor that has rows, in DAG order, all over the same days."""
    present = {row["processor_name"] for row in rows}
    names = [processor.name for processor in PROCESSORS if processor.name in present]
    panels = chart.properties(**_SIZE).facet(
        facet=alt.Facet("processor_name:N", title=None, sort=names, header=alt.Header(labelPadding=4)),
        columns=2,
        spacing={"row": 18, "column": 28},
    )
    if own_scales:
        panels = panels.resolve_scale(y="independent")
    return _svg(panels, f"{description}, a panel a processor")


def _svg(chart: Any, description: str) -> str:
    """An element to put into HTML: one image to a screen reader, as wide as there is room."""
    text = vl_convert.vegalite_to_svg(chart.configure(**_CONFIG).to_dict(), vl_version=_VEGA_LITE)
    named = f'<svg role="img" aria-label="{description}" preserveAspectRatio="xMinYMin meet"'
    return re.sub(r'^<svg xmlns="[^"]*" xmlns:xlink="[^"]*" version="1.1" class="marks"', named, text, count=1)


_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def _records(table: pa.Table, **more: Any) -> list[dict[str, Any]]:
    """One a day and processor: few, as Vega wants them. A text in more is the same in all."""
    columns = {
        "day": [_milliseconds(day) for day in table["analysis_date"].to_pylist()],
        "processor_name": table["processor_name"].to_pylist(),
        **{name: v.to_pylist() if isinstance(v, pa.ChunkedArray) else [v] * table.num_rows for name, v in more.items()},
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _data(rows: list[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=rows)


def _milliseconds(day: dt.date) -> int:
    """Since 1970, as Vega counts; days are UTC days to it, so that none moves."""
    return _DAY * to_number(day)


def _days_spanned(facts: Facts) -> int:
    return to_number(facts.days[-1]) - to_number(facts.days[0]) + 1


def _bar_width(facts: Facts) -> float:
    return max(1.0, min(24.0, 0.8 * _SIZE["width"] / _days_spanned(facts)))


def _days(facts: Facts) -> alt.X:
    ends = [_milliseconds(facts.days[0]) - _DAY // 2, _milliseconds(facts.days[-1]) + _DAY // 2]
    label = "%d %b" if _days_spanned(facts) <= 62 else "%b %Y"
    axis = alt.Axis(format=label, tickCount=min(6, len(facts.days)), labelOverlap=True)
    return alt.X("day:T", title=None, scale=alt.Scale(type="utc", domain=ends, nice=False), axis=axis)


def _colours(field: str, colours: dict[str, str]) -> alt.Color:
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())))
