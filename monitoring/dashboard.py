"""The dashboard: what is wrong first, then the nine panels of domain section 8.2, coverage and cascade.

Each panel asks one of the product's queries; the limits that colour it are those that the alerts apply.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import bargauge, bigquery, common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models import bigquery as bigquery_models
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from fullcourt.domain import alerts
from monitoring.sql import bound, over_time

DATASOURCE_TYPE = "grafana-bigquery-datasource"
DATASOURCE_UID = "full-court-bigquery"
DASHBOARD_UID = "full-court"
DATASOURCE = models.DataSourceRef(DATASOURCE_TYPE, DATASOURCE_UID)

GREEN, YELLOW, RED, GREY = "green", "yellow", "red", "gray"
BAND_COLOURS = {"EXCELLENT": GREEN, "GOOD": GREEN, "WARNING": YELLOW, "CRITICAL": RED, "NO_DATA": GREY}
SEVERITY_COLOURS = {"critical": RED, "warning": YELLOW, "info": "blue"}
HEIGHT, WIDTH = 9, 24
ATTEMPT_DAYS = 30

# Least values of the colours, from the lowest up.
MEAN = (("", RED), (alerts.MEAN_COLOURS[0], YELLOW), (alerts.MEAN_COLOURS[1], GREEN))
READY = (("", RED), (alerts.READY_LIMIT, YELLOW), (alerts.READY_TARGET, GREEN))
COVERAGE = (("", RED), (alerts.COVERAGE_LIMIT, GREEN))
BREAKERS = (("", GREEN), (alerts.BREAKERS_TARGET + 1, YELLOW), (alerts.BREAKERS_LIMIT + 1, RED))
ENTITIES = (("", GREEN), (alerts.ENTITIES_LIMIT + 1, RED))
BOOTSTRAP = (("", GREEN), (alerts.BOOTSTRAP_LIMIT, YELLOW))
PLAIN = (("", GREEN),)

Steps = Sequence[tuple[float | str, str]]


@dataclass(frozen=True)
class Panel:
    """One panel. number: in section 8.2; None for those beyond it.  builder: how the SDK draws it.  width: of 24."""

    title: str
    doc: str
    sql: str
    builder: Any
    number: int | None = None
    width: int = WIDTH
    over_time: bool = False

    @property
    def shown_title(self) -> str:
        return self.title if self.number is None else f"{self.number}. {self.title}"


def thresholds(steps: Steps) -> dashboards.ThresholdsConfig:
    """Colours from the lowest value up; the first reaches down without end."""
    listed = [models.Threshold(None if least == "" else float(least), colour) for least, colour in steps]
    return dashboards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(listed)


def _coloured(builder: Any, column: str, steps: Steps) -> Any:
    """A table column whose background follows its value."""
    cell = models.DynamicConfigValue("custom.cellOptions", {"type": "color-background"})
    return builder.override_by_name(column, [models.DynamicConfigValue("thresholds", thresholds(steps).build()), cell])


def _mapped(builder: Any, column: str, colours: dict[str, str]) -> Any:
    """A table column whose background follows its word."""
    results = {
        word: models.ValueMappingResult(color=colour, index=i) for i, (word, colour) in enumerate(colours.items())
    }
    cell = models.DynamicConfigValue("custom.cellOptions", {"type": "color-background"})
    return builder.override_by_name(column, [models.DynamicConfigValue("mappings", [models.ValueMap(results)]), cell])


def _table() -> Any:
    return table.Panel().filterable(True).no_value("none")


def _lines(steps: Steps = PLAIN, unit: str = "percent", name: str = "") -> Any:
    """Lines by day, with the limit dashed; name: of a series, where its number's own name is not enough."""
    legend = common.VizLegendOptions().show_legend(True).display_mode(common_models.LegendDisplayMode.TABLE)
    panel = timeseries.Panel().unit(unit).thresholds(thresholds(steps)).span_nulls(True)
    panel = panel.legend(legend.placement(common_models.LegendPlacement.RIGHT).calcs(["last", "min"]))
    if len(steps) > 1:
        dashed = common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(dashed)
    return panel.display_name(name) if name else panel


def _bars(name: str = "") -> Any:
    stacked = common.StackingConfig().mode(common_models.StackingMode.NORMAL)
    bars = _lines(unit="short", name=name).draw_style(common_models.GraphDrawStyle.BARS)
    return bars.stacking(stacked).fill_opacity(80)


COVERAGE_PARTS = ("real_keys", "excused_keys", "synthetic_keys", "lacking_keys")
BY_PROCESSOR = "${__field.labels.processor_name}"  # a display name, drawn by the viewer's browser; never in SQL


def panels() -> tuple[Panel, ...]:
    health = _coloured(_table(), "mean_completeness_pct", MEAN)
    health = _mapped(_coloured(health, "ready_pct", READY), "status", BAND_COLOURS)
    return (
        Panel(
            "Alerts",
            "One row a cause, as in `fullcourt health`; explained_by is the lost game day that a symptom is due to.",
            bound("alerts"),
            _mapped(_table(), "severity", SEVERITY_COLOURS),
            width=18,
        ),
        Panel(
            "Open breakers",
            f"Target fewer than {alerts.BREAKERS_TARGET}, alert above {alerts.BREAKERS_LIMIT}.",
            f"SELECT COUNT(*) AS open_breakers\nFROM (\n{bound('active_breakers')}\n)",
            stat.Panel().thresholds(thresholds(BREAKERS)),
            width=3,
        ),
        Panel(
            f"Entities below {alerts.ENTITY_COMPLETE} %",
            f"Alert above {alerts.ENTITIES_LIMIT}.",
            f"SELECT COUNT(DISTINCT entity_id) AS entities\nFROM (\n{bound('entities_below_threshold')}\n)",
            stat.Panel().thresholds(thresholds(ENTITIES)),
            width=3,
        ),
        Panel(
            "Overall completeness health by processor",
            "The newest game day. Band of the ready share: EXCELLENT, GOOD, WARNING, CRITICAL, or NO_DATA.",
            bound("completeness_health"),
            health,
            1,
            width=12,
        ),
        Panel(
            "Active circuit breakers",
            f"Target fewer than {alerts.BREAKERS_TARGET}, alert above {alerts.BREAKERS_LIMIT}.",
            bound("active_breakers"),
            _table(),
            2,
            width=12,
        ),
        Panel(
            "Completeness trends",
            "Mean completeness of each processor per day.",
            over_time("completeness_trend", "processor_name", "mean_completeness_pct"),
            _lines(MEAN, name=BY_PROCESSOR),
            3,
            over_time=True,
        ),
        Panel(
            f"Entities below {alerts.ENTITY_COMPLETE} %",
            "The newest game day; the most games missing first.",
            bound("entities_below_threshold"),
            _table(),
            4,
            width=12,
        ),
        Panel(
            "Circuit breaker history",
            "Trips per day and processor.",
            over_time("breaker_history", "processor_name", "trips", day="day"),
            _bars(BY_PROCESSOR),
            5,
            width=12,
            over_time=True,
        ),
        Panel(
            "Bootstrap records",
            "Share of rows in bootstrap: above half in a season's first 30 days, below 5 % afterwards.",
            over_time("bootstrap_share", "bootstrap_pct"),
            _lines(BOOTSTRAP),
            6,
            width=12,
            over_time=True,
        ),
        Panel(
            "Multi-window detail of the daily cache",
            "Mean completeness of each window, and the share with all of them complete.",
            over_time("multi_window_detail", "l5_pct", "l10_pct", "l7d_pct", "l14d_pct", "all_windows_complete_pct"),
            _lines(),
            7,
            width=12,
            over_time=True,
        ),
        Panel(
            "Production readiness summary",
            "Rows ready, computed but not ready, and held back.",
            over_time("production_readiness", "ready_rows", "flagged_rows", "held_back_rows"),
            _bars(),
            8,
            width=12,
            over_time=True,
        ),
        Panel(
            "Reprocessing attempt patterns",
            f"How often a first, second, third attempt was needed for game days of the last {ATTEMPT_DAYS} days.",
            bound("attempt_patterns", ATTEMPT_DAYS),
            _table(),
            9,
            width=12,
        ),
        Panel(
            "Coverage monitor",
            f"Of the players who entered a game, the share with a computed row. Alert below {alerts.COVERAGE_LIMIT} %, "
            "counting absences with a reason on record.",
            over_time("coverage_by_day", "processor_name", "coverage_pct"),
            _lines(COVERAGE, name=BY_PROCESSOR),
            width=12,
            over_time=True,
        ),
        Panel(
            "What days owed: real, excused, synthetic, lacking",
            "By the newest receipt of each processor and day.",
            over_time(
                "coverage_parts", "processor_name", "real_keys", "excused_keys", "synthetic_keys", "lacking_keys"
            ),
            _bars("${__field.labels.processor_name} ${__field.name}"),
            width=12,
            over_time=True,
        ),
        Panel(
            "Cascade health",
            "For how many feature rows of the newest game day each upstream was ready, and the lowest of the four.",
            bound("cascade_health"),
            bargauge.Panel()
            .unit("percent")
            .min(0)
            .max(100)
            .thresholds(thresholds(READY))
            .override_by_name("total_rows", [models.DynamicConfigValue("custom.hideFrom", {"viz": True})]),
            width=12,
        ),
        Panel(
            "Newest run of each processor",
            "stale_running: it began four hours ago or more, and is taken for dead.",
            bound("newest_runs"),
            _mapped(_table(), "status", {"success": GREEN, "partial": YELLOW, "failed": RED, "stale_running": RED}),
            width=12,
        ),
    )


def dashboard() -> models.Dashboard:
    built = (
        dashboards.Dashboard("Full Court: completeness")
        .uid(DASHBOARD_UID)
        .description("Completeness, breakers, coverage and alerts. Generated: change monitoring/, not this.")
        .tags(["completeness", "data-quality", "nba", "circuit-breaker"])
        .refresh("5m")
        .time("now-30d", "now")
        .timezone("America/New_York")
        .readonly()
    )
    column = row = 0
    for number, panel in enumerate(panels(), start=1):
        if column + panel.width > WIDTH:
            column, row = 0, row + HEIGHT
        place = models.GridPos(x=column, y=row, w=panel.width, h=HEIGHT)
        drawn = panel.builder.id(number).title(panel.shown_title).description(panel.doc).datasource(DATASOURCE)
        built.with_panel(drawn.grid_pos(place).with_target(target(panel.sql, panel.over_time)))
        column += panel.width
    return built.build()


def target(sql: str, over_time: bool) -> bigquery.Dataquery:
    """A query in code mode, as a time series or as a table."""
    formats = bigquery_models.QueryFormat
    query = bigquery.Dataquery().ref_id("A").datasource(DATASOURCE).raw_query(True).raw_sql(sql)
    query = query.editor_mode(bigquery_models.EditorMode.CODE)
    return query.format(formats.TIMESERIES if over_time else formats.TABLE)
