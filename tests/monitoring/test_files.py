"""The provisioned files: as generated, valid, consistent with each other, and without an address or a key."""

import json
import re

import yaml

from fullcourt.domain.alerts import CAUSES, Severity
from monitoring.generate import ROOT, files

TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.rglob("*")) if path.is_file()}
YAML = {name: yaml.safe_load(text) for name, text in TEXTS.items() if name.endswith(".yaml")}
DASHBOARD = json.loads(TEXTS["dashboards/full_court.json"])
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
(SOURCE,) = YAML["datasources/full_court.yaml"]["datasources"]
(GROUP,) = YAML["alerting/rules.yaml"]["groups"]
(RULE,) = GROUP["rules"]
(POLICY,) = YAML["alerting/policies.yaml"]["policies"]


def test_the_files_are_those_that_the_script_writes():
    assert files() == TEXTS


def test_every_yaml_file_is_a_provisioning_file():
    assert {name: content["apiVersion"] for name, content in YAML.items()} == dict.fromkeys(YAML, 1)


def test_the_dashboard_has_what_grafana_requires():
    assert DASHBOARD["schemaVersion"] >= 36
    assert (DASHBOARD["uid"], DASHBOARD["refresh"], DASHBOARD["time"]) == (
        "full-court",
        "5m",
        {"from": "now-30d", "to": "now"},
    )
    assert set(DASHBOARD["tags"]) == {"completeness", "data-quality", "nba", "circuit-breaker"}
    for panel in DASHBOARD["panels"]:
        assert {"id", "type", "title", "description", "gridPos", "datasource", "targets", "fieldConfig"} <= set(panel)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert not DASHBOARD.get("templating", {}).get("list")


def test_the_nine_panels_are_there_in_their_order():
    numbered = [title for title in PANELS if re.match(r"\d", title)]
    assert [title.split(".")[0] for title in numbered] == [str(number) for number in range(1, 10)]
    assert {"Alerts", "Coverage monitor", "Cascade health"} <= set(PANELS)


def test_no_panel_covers_another():
    cells = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & mine, panel["title"]
        cells |= mine


def test_everything_asks_the_one_data_source_by_its_uid():
    assert SOURCE["type"] == "grafana-bigquery-datasource"
    reference = {"type": SOURCE["type"], "uid": SOURCE["uid"]}
    for panel in DASHBOARD["panels"]:
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [reference] * 2
    query, condition = RULE["data"]
    assert (query["datasourceUid"], query["model"]["datasource"]) == (SOURCE["uid"], reference)
    assert condition["datasourceUid"] == "__expr__"


def steps(title, column=None):
    """(least value, colour) of a panel, or of a column of a table."""
    config = PANELS[title]["fieldConfig"]
    found = (
        config["defaults"]["thresholds"]
        if column is None
        else next(
            one["value"]
            for override in config["overrides"]
            if override["matcher"]["options"] == column
            for one in override["properties"]
            if one["id"] == "thresholds"
        )
    )
    return [(step["value"], step["color"]) for step in found["steps"]]


def test_the_colours_are_those_of_the_limits():
    health = "1. Overall completeness health by processor"
    assert steps(health, "mean_completeness_pct") == [(None, "red"), (85, "yellow"), (90, "green")]
    assert steps(health, "ready_pct") == [(None, "red"), (90, "yellow"), (95, "green")]
    assert steps("Open breakers") == [(None, "green"), (6, "yellow"), (11, "red")]
    assert steps("Entities below 90 %") == [(None, "green"), (21, "red")]
    assert steps("Coverage monitor") == [(None, "red"), (90, "green")]


def test_the_rule_alerts_on_a_raised_cause_on_no_data_and_on_errors():
    query, condition = RULE["data"]
    assert (RULE["condition"], condition["model"]["expression"]) == (condition["refId"], query["refId"])
    assert condition["model"]["conditions"][0]["evaluator"] == {"params": [0], "type": "gt"}
    assert (RULE["noDataState"], RULE["execErrState"]) == ("Alerting", "Alerting")
    assert {"uid", "title", "for", "labels", "annotations"} <= set(RULE)
    assert GROUP["folder"] == YAML["dashboards/full_court.yaml"]["providers"][0]["folder"]


def test_every_cause_has_its_words_and_its_command():
    for name in ("summary", "command"):
        found = re.findall(r'eq \.Labels\.cause "(\w+)" }}(.+)', RULE["annotations"][name])
        assert [cause for cause, _ in found] == [cause.id for cause in CAUSES]
        assert not re.search(r"(?<!{){\w+}", RULE["annotations"][name])
    assert "fullcourt run {{ .Labels.phase }} --date {{ .Labels.day }}" in RULE["annotations"]["command"]


def test_messages_are_grouped_by_cause_with_a_cooldown_and_go_somewhere():
    points = {point["name"] for point in YAML["alerting/contact_points.yaml"]["contactPoints"]}
    routes = [POLICY, *POLICY["routes"]]
    assert {route["receiver"] for route in routes} == points
    assert [route["group_by"] for route in routes] == [["cause"]] * len(routes)
    assert all(re.fullmatch(r"\d+[mh]", route["repeat_interval"]) for route in routes)
    assert {"group_wait", "group_interval"} <= set(POLICY)
    matched = {tuple(matcher) for route in POLICY["routes"] for matcher in route["object_matchers"]}
    assert matched == {("severity", "=", Severity.CRITICAL), ("severity", "=", Severity.INFO)}


def test_addresses_and_projects_come_from_the_environment():
    for name in ("alerting/contact_points.yaml", "datasources/full_court.yaml"):
        values = re.findall(r"(?:addresses|url|defaultProject|processingLocation): (\S+)", TEXTS[name])
        assert values
        assert all(value.startswith("$FULL_COURT_") for value in values)
    assert "$" not in TEXTS["alerting/rules.yaml"] + TEXTS["alerting/policies.yaml"]  # it would be taken for one
    assert SOURCE["jsonData"]["authenticationType"] == "gce"
    assert "secureJsonData" not in SOURCE
