"""The queries as Grafana sends them: every @parameter bound to an expression, in one place.

Nothing a viewer types reaches SQL: there are no dashboard variables, and the only macro is $__timeFilter over a plain
column, which every version of the BigQuery plugin expands alike ($__timeFrom() without a column is invalid SQL in all
but the newest).
"""

import re
import textwrap

from fullcourt.domain.alerts import CAUSES, ENTITY_COMPLETE
from fullcourt.warehouse.queries import QUERIES

ZONE = "'America/New_York'"
TODAY = f"CURRENT_DATE({ZONE})"
NEWEST_GAME_DAY = f"(SELECT MAX(game_date) FROM nba_raw.counted_team_games WHERE game_date <= {TODAY})"
ALERT_DAYS = 14  # longer than the All-Star break: in summer no day's figures wake anybody
NEWEST_ALERTED_DAY = NEWEST_GAME_DAY[:-1] + f" AND game_date > DATE_SUB({TODAY}, INTERVAL {ALERT_DAYS} DAY))"
LOOK_BACK_DAYS = 400  # a season and its summer: as far back as the time picker reaches


def bound(name: str, days: int = LOOK_BACK_DAYS, date: str = NEWEST_GAME_DAY) -> str:
    """The query with its parameters written out; a range ends today and is so many days long."""
    expressions = {
        "now": "CURRENT_TIMESTAMP()",
        "date": date,
        "end": TODAY,
        "start": f"DATE_SUB({TODAY}, INTERVAL {days} DAY)",
        "threshold": str(ENTITY_COMPLETE),
    }
    return re.sub(r"@(\w+)", lambda found: expressions[found[1]], QUERIES[name].sql)


def over_time(name: str, *columns: str, day: str = "analysis_date") -> str:
    """The query's days as instants, cut to the dashboard's time range: one series a number and combination of texts."""
    named = ", ".join(columns)
    return f"""SELECT time, {named}
FROM (
  SELECT TIMESTAMP({day}, {ZONE}) AS time, {named}
  FROM (
{textwrap.indent(bound(name), "    ")}
  )
)
WHERE $__timeFilter(time)
ORDER BY time"""


def causes() -> str:
    """What the alert rule asks: one row an alert that no lost game explains, and one for each cause that is quiet.

    There is always a row, so that no data means that nobody watches.  The texts become labels, by which Grafana tells
    one alert from another: nothing that changes while an alert lasts is among them, but its severity.
    """
    watched = ", ".join(f"'{cause.id}'" for cause in CAUSES)
    return f"""WITH raised AS (
  SELECT cause, severity, processor_name, phase, analysis_date
  FROM (
{textwrap.indent(bound("alerts", date=NEWEST_ALERTED_DAY), "    ")}
  )
  WHERE explained_by IS NULL
)
SELECT watched AS cause, COALESCE(severity, 'none') AS severity, COALESCE(processor_name, 'all') AS processor,
  COALESCE(phase, 'all') AS phase, COALESCE(CAST(analysis_date AS STRING), 'none') AS day,
  IF(severity IS NULL, 0, 1) AS firing
FROM UNNEST([{watched}]) AS watched
LEFT JOIN raised ON raised.cause = watched"""
