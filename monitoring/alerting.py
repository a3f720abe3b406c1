"""The alert rule, contact points and the notification policy.

One rule reads the query `alerts`, which applies every limit; each row of it is an alert, told apart by its labels:
cause, processor, phase and day.  So an evaluation costs one query, not one a cause.
"""

import re
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models import alerting as models
from grafana_foundation_sdk.models import dashboard as dashboard_models

from fullcourt.domain.alerts import CAUSES, Severity
from monitoring.dashboard import DATASOURCE_UID, target
from monitoring.sql import causes

FOLDER = "Full Court"
GROUP = "full-court-causes"
EVERY = "15m"
EXPRESSION = "__expr__"
ON_CALL, PAGER, NOTES = "full-court-on-call", "full-court-pager", "full-court-notes"
# Grafana puts the environment's values in their place: no address is in a file.
RECEIVERS: dict[str, tuple[str, dict[str, Any]]] = {
    ON_CALL: ("email", {"addresses": "$FULL_COURT_ON_CALL_EMAIL", "singleEmail": True}),
    PAGER: ("webhook", {"url": "$FULL_COURT_PAGER_URL"}),
    NOTES: ("email", {"addresses": "$FULL_COURT_NOTES_EMAIL", "singleEmail": True}),
}


def rules() -> dict[str, Any]:
    """The provisioning file of the alert rule."""
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER, "interval": EVERY, "rules": [_rule()]}
    return {"apiVersion": 1, "groups": [group]}


def _rule() -> Any:
    """No data and errors alert too: the rule's query always answers."""
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([0])
    fires = (
        expr.TypeThreshold()
        .ref_id("B")
        .expression("A")
        .datasource(dashboard_models.DataSourceRef(EXPRESSION, EXPRESSION))
        .conditions([expr.ExprTypeThresholdConditions().evaluator(evaluator)])
    )
    asked = alerting.Query("A").datasource_uid(DATASOURCE_UID).model(target(causes(), over_time=False))
    judged = alerting.Query("B").datasource_uid(EXPRESSION).model(fires)
    span = models.RelativeTimeRange(600, 0)
    built = (
        alerting.Rule("Full Court: a cause")
        .uid("full-court-cause")
        .condition("B")
        .queries([asked.relative_time_range(span), judged.relative_time_range(span)])
        .for_val("0s")
        .no_data_state("Alerting")
        .exec_err_state("Alerting")
        .labels({"platform": "full-court"})
        .annotations(
            {
                "summary": _by_cause({cause.id: cause.short for cause in CAUSES}),
                "command": _by_cause({cause.id: cause.command for cause in CAUSES}),
                "runbook": "docs/runbook.md#{{ .Labels.cause | toLower }}",
            }
        )
    )
    rule = built.build().to_json()
    for name in ("folderUID", "orgID", "ruleGroup"):  # the file says them once, of the group
        del rule[name]
    return rule


def _by_cause(texts: Mapping[str, str]) -> str:
    """A template that says the text of the alert's own cause, with its labels filled in.

    `.Labels` and not `$labels`: in these files Grafana takes a dollar for the environment.
    """
    branches = [f'if eq .Labels.cause "{cause}" }}}}{_templated(text)}' for cause, text in texts.items()]
    return "{{ " + "\n{{- else ".join(branches) + "\n{{- else }}the alert query did not answer{{ end }}"


def _templated(text: str) -> str:
    known = {"today": "TODAY"}
    return re.sub(r"{(\w+)}", lambda found: known.get(found[1], f"{{{{ .Labels.{found[1]} }}}}"), text)


def contact_points() -> dict[str, Any]:
    points = []
    for name, (kind, settings) in RECEIVERS.items():
        receiver = {"uid": name, "type": kind, "settings": settings, "disableResolveMessage": False}
        points.append({"orgId": 1, "name": name, "receivers": [receiver]})
    return {"apiVersion": 1, "contactPoints": points}


def policies() -> dict[str, Any]:
    """One message a cause however many alerts it has; said again after the cooldown only while it lasts."""
    root = _policy(ON_CALL, "12h").group_wait("1m").group_interval("15m").group_by(["cause"])
    root = root.routes([_route(PAGER, "4h", Severity.CRITICAL), _route(NOTES, "24h", Severity.INFO)])
    return {"apiVersion": 1, "policies": [{"orgId": 1, **root.build().to_json()}]}


def _policy(receiver: str, cooldown: str) -> alerting.NotificationPolicy:
    return alerting.NotificationPolicy().receiver(receiver).repeat_interval(cooldown)


def _route(receiver: str, cooldown: str, severity: Severity) -> alerting.NotificationPolicy:
    return _policy(receiver, cooldown).object_matchers([["severity", "=", severity.value]]).group_by(["cause"])
