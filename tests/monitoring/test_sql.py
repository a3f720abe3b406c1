"""Every statement of the dashboard and the alert rule, on a warehouse: the figures are those that plain Python counts.

The statements are read from the provisioned files, so what is tested is what Grafana sends.  An engine is whatever
answers SQL in BigQuery's dialect over the same rows; another one joins by an entry in ENGINES.
"""

import datetime as dt
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
import sqlglot
import yaml

from fullcourt.domain.alerts import CAUSES
from fullcourt.domain.processors import GATED, PROCESSORS, Entity
from schemas import TABLES

PROVISIONING = Path(__file__).parents[2] / "monitoring" / "grafana" / "provisioning"
DASHBOARD = json.loads((PROVISIONING / "dashboards" / "full_court.json").read_text())
RULE = yaml.safe_load((PROVISIONING / "alerting" / "rules.yaml").read_text())["groups"][0]["rules"][0]
PANELS = {panel["title"]: panel["targets"][0]["rawSql"] for panel in DASHBOARD["panels"]}
STATEMENTS = {**PANELS, "the alert rule": RULE["data"][0]["model"]["rawSql"]}
SHOWN = dt.timedelta(days=12)  # the dashboard's time range, shorter than what the queries find

EASTERN = ZoneInfo("America/New_York")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
COMPUTED = ("processed_successfully", "bootstrap_mode_allowed", "processed_with_incomplete_upstream")
ENGINES = {"duckdb": lambda house: house.query}


def as_grafana_sends(sql, now):
    """The statement after the plugin expanded its macro, with the clock stopped at `now`."""

    def time_filter(found):
        column = found[1]
        return f"{column} >= '{now - SHOWN:%Y-%m-%dT%H:%M:%SZ}' AND {column} <= '{now:%Y-%m-%dT%H:%M:%SZ}'"

    sql = re.sub(r"\$__timeFilter\((\w+)\)", time_filter, sql)
    sql = sql.replace("CURRENT_TIMESTAMP()", f"TIMESTAMP '{now:%Y-%m-%d %H:%M:%S}+00:00'")
    sql = sql.replace("CURRENT_DATE('America/New_York')", f"DATE '{now.astimezone(EASTERN):%Y-%m-%d}'")
    assert "CURRENT_" not in sql
    assert "$" not in sql
    return sql


class World:
    """A warehouse's rows as lists, and what they say when they are counted one by one."""

    def __init__(self, house):
        self.house, self.now = house, house.now
        self.verdicts = [row for processor in GATED for row in self._verdicts(processor)]
        self.played = {(r["game_date"], r["player_lookup"]) for r in self.rows("player_game_summary")}
        self.days = sorted(
            {game["game_date"] for game in self.rows("nbac_schedule") if game["season_type"] == "regular"}
        )
        self.day = max(day for day in self.days if day <= self.now.astimezone(EASTERN).date())
        self.today = [row for row in self.verdicts if row["day"] == self.day]

    def rows(self, table):
        return self.house.table(table).to_pylist()

    def _verdicts(self, processor):
        for row in self.rows(processor.name):
            computed = row["processing_decision_reason"] in COMPUTED
            named = {"processor": processor.name, "entity": row[processor.key_column], "day": row[processor.day_column]}
            yield {**row, **named, "ready": row["is_production_ready"], "stub": not computed}

    def shown(self, day):
        midnight = dt.datetime.combine(day, dt.time(), EASTERN)
        return self.now - SHOWN <= midnight <= self.now

    def by(self, *keys, rows=None):
        groups = defaultdict(list)
        for row in self.verdicts if rows is None else rows:
            groups[tuple(row[key] for key in keys)].append(row)
        return groups

    def open(self):
        """Breakers: the newest attempt of each key, if it tripped, lasts, and nobody overrode it since."""
        newest = {}
        for attempt in sorted(self.rows("reprocess_attempts"), key=lambda attempt: attempt["attempted_at"]):
            newest[attempt["processor_name"], attempt["entity_id"], attempt["analysis_date"]] = attempt
        acted = {(a["processor_name"], a["entity_id"], a["analysis_date"]) for a in self.rows("breaker_actions")}
        return {
            key: attempt
            for key, attempt in newest.items()
            if attempt["circuit_breaker_tripped"] and attempt["circuit_breaker_until"] > self.now and key not in acted
        }

    def missing(self):
        """(lost game's id, processor, entity, day) of every row that is not ready for want of it."""
        return [
            (g, r["processor"], r["entity"], r["day"])
            for r in self.verdicts
            if not r["ready"]
            for g in r["missing_game_ids"]
        ]


@pytest.fixture(scope="module")
def world(chain, tmp_path_factory):
    """The chain's warehouse, in which twelve breakers of the last day tripped, one of them overridden since."""
    house = chain.house.copy(tmp_path_factory.mktemp("monitoring") / "house.duckdb")
    key = ("processor_name", "entity_id", "analysis_date")
    attempts = [a for a in house.table("reprocess_attempts").to_pylist() if a["analysis_date"] == chain.days[-1]]
    house.now += 2 * HOUR
    tripped = [
        {**attempt, "attempt_number": 3, "attempted_at": house.now - HOUR}
        | {"circuit_breaker_tripped": True, "circuit_breaker_until": house.now + 6 * DAY}
        for attempt in sorted(attempts, key=lambda attempt: [str(attempt[name]) for name in key])[:12]
    ]
    action = {"action_id": "1", "action": "override", "acted_at": house.now, **{name: tripped[0][name] for name in key}}
    with house.warehouse.transaction({}) as session:
        for table, rows in (("reprocess_attempts", tripped), ("breaker_actions", [action])):
            schema = pa.schema([TABLES[table].arrow_schema.field(name) for name in rows[0]])
            session.insert(table, pa.Table.from_pylist(rows, schema))
    return World(house)


@pytest.fixture(params=ENGINES)
def ask(request, world):
    """Rows of a statement, as Grafana would get them."""
    answer = ENGINES[request.param](world.house)
    return lambda title, now=world.now: answer(as_grafana_sends(STATEMENTS[title], now))


def mean(values):
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def rounded(value, digits=1):
    return None if value is None else pytest.approx(value, abs=0.5000001 * 10**-digits)


def share(rows, condition):
    return rounded(100 * sum(map(condition, rows)) / len(rows))


def instant(day):
    return dt.datetime.combine(day, dt.time(), EASTERN)


def same(rows, expected, key):
    """Equal as sets of rows, none twice; expected may hold approximate numbers."""
    assert len(rows) > 0
    found = {tuple(row[name] for name in key): row for row in rows}
    assert len(found) == len(rows)
    assert found == {tuple(row[name] for name in key): row for row in expected}


def test_every_panel_has_a_reference():
    tested = Path(__file__).read_text()
    assert [title for title in STATEMENTS if f'ask("{title}"' not in tested] == []


def test_the_health_of_each_processor(world, ask):
    bands = ((95, "EXCELLENT"), (90, "GOOD"), (80, "WARNING"), (0, "CRITICAL"))
    expected = []
    for (processor,), rows in world.by("processor", rows=world.today).items():
        ready = sum(row["ready"] for row in rows)
        expected.append(
            {
                "processor_name": processor,
                "total_rows": len(rows),
                "ready_rows": ready,
                "mean_completeness_pct": rounded(mean(row["completeness_percentage"] for row in rows)),
                "ready_pct": rounded(100 * ready / len(rows)),
                "status": next(name for least, name in bands if 100 * ready >= least * len(rows)),
            }
        )
    same(ask("1. Overall completeness health by processor"), expected, ["processor_name"])
    assert {row["status"] for row in expected} > {"WARNING"}


def test_the_breakers_that_are_open(world, ask):
    opened = world.open()
    assert len(opened) == 11
    rows = ask("2. Active circuit breakers")
    assert {(row["processor_name"], row["entity_id"], row["analysis_date"]) for row in rows} == set(opened)
    assert {row["days_remaining"] for row in rows} == {6.0}
    assert ask("Open breakers") == [{"open_breakers": 11}]
    later = world.now + 8 * DAY
    assert ask("Open breakers", later) == [{"open_breakers": 0}]


def test_the_trend_by_day_and_processor(world, ask):
    expected = [
        {
            "time": instant(day),
            "processor_name": processor,
            "mean_completeness_pct": rounded(mean(row["completeness_percentage"] for row in rows)),
        }
        for (day, processor), rows in world.by("day", "processor").items()
        if world.shown(day)
    ]
    same(ask("3. Completeness trends"), expected, ["time", "processor_name"])
    assert len({row["time"] for row in expected}) < len(
        {row["day"] for row in world.verdicts}
    )  # the range cuts some off


def test_the_entities_below_ninety(world, ask):
    low = [r for r in world.today if 10 * r["actual_games_count"] < 9 * r["expected_games_count"]]
    expected = [
        {
            "processor_name": row["processor"],
            "entity_id": row["entity"],
            "completeness_percentage": row["completeness_percentage"],
            "missing_games_count": row["expected_games_count"] - row["actual_games_count"],
            "processing_decision_reason": row["processing_decision_reason"],
        }
        for row in low
    ]
    rows = ask("4. Entities below 90 %")
    same(rows, expected, ["processor_name", "entity_id"])
    assert [row["missing_games_count"] for row in rows] == sorted(
        (r["missing_games_count"] for r in rows), reverse=True
    )
    assert ask("Entities below 90 %") == [{"entities": len({row["entity"] for row in low})}]


def test_trips_by_eastern_day(world, ask):
    trips = Counter(
        (attempt["attempted_at"].astimezone(EASTERN).date(), attempt["processor_name"])
        for attempt in world.rows("reprocess_attempts")
        if attempt["circuit_breaker_tripped"]
    )
    expected = [{"time": instant(day), "processor_name": name, "trips": n} for (day, name), n in trips.items()]
    same(ask("5. Circuit breaker history"), expected, ["time", "processor_name"])


def test_the_share_in_bootstrap(world, ask):
    expected = [
        {"time": instant(day), "bootstrap_pct": share(rows, lambda row: row["backfill_bootstrap_mode"])}
        for (day,), rows in world.by("day").items()
        if world.shown(day)
    ]
    same(ask("6. Bootstrap records"), expected, ["time"])


def test_the_windows_of_the_daily_cache(world, ask):
    cache = [row for row in world.verdicts if row["processor"] == "player_daily_cache"]
    expected = [
        {
            "time": instant(day),
            **{
                f"{window}_pct": rounded(mean(row[f"{window}_completeness_pct"] for row in rows))
                for window in ("l5", "l10", "l7d", "l14d")
            },
            "all_windows_complete_pct": share(rows, lambda row: row["all_windows_complete"]),
        }
        for (day,), rows in world.by("day", rows=cache).items()
    ]
    same(ask("7. Multi-window detail of the daily cache"), expected, ["time"])


def test_readiness_by_day(world, ask):
    expected = [
        {
            "time": instant(day),
            "ready_rows": sum(row["ready"] for row in rows),
            "flagged_rows": sum(not row["ready"] and not row["stub"] for row in rows),
            "held_back_rows": sum(row["stub"] for row in rows),
        }
        for (day,), rows in world.by("day").items()
        if world.shown(day)
    ]
    same(ask("8. Production readiness summary"), expected, ["time"])
    assert any(row["flagged_rows"] and row["held_back_rows"] for row in expected)


def test_the_patterns_of_attempts(world, ask):
    attempts = defaultdict(list)
    for attempt in world.rows("reprocess_attempts"):
        attempts[attempt["processor_name"], attempt["attempt_number"]].append(attempt)
    expected = [
        {
            "processor_name": name,
            "attempt_number": number,
            "attempts": len(rows),
            "entities": len({row["entity_id"] for row in rows}),
            "mean_completeness_pct": rounded(mean(row["completeness_pct"] for row in rows)),
        }
        for (name, number), rows in attempts.items()
    ]
    same(ask("9. Reprocessing attempt patterns"), expected, ["processor_name", "attempt_number"])


def test_coverage_of_those_who_played(world, ask):
    computed = {(row["processor"], row["day"], row["entity"]) for row in world.verdicts if not row["stub"]}
    players = defaultdict(set)
    for day, player in world.played:
        players[day].add(player)
    expected = [
        {
            "time": instant(day),
            "processor_name": processor.name,
            "coverage_pct": share(sorted(names), lambda name, p=processor.name, d=day: (p, d, name) in computed),
        }
        for day, names in players.items()
        if world.shown(day)
        for processor in GATED
        if processor.entity is Entity.PLAYER
    ]
    same(ask("Coverage monitor"), expected, ["time", "processor_name"])


def test_what_days_owed_by_the_newest_receipt(world, ask):
    newest = {}
    for receipt in sorted(world.rows("publish_receipts"), key=lambda receipt: receipt["published_at"]):
        newest[receipt["analysis_date"], receipt["processor_name"]] = receipt
    expected = [
        {
            "time": instant(day),
            "processor_name": name,
            "real_keys": receipt["coverage_written"] - receipt["coverage_synthetic"],
            "excused_keys": receipt["coverage_explained"],
            "synthetic_keys": receipt["coverage_synthetic"],
            "lacking_keys": receipt["coverage_expected"] - receipt["coverage_written"] - receipt["coverage_explained"],
        }
        for (day, name), receipt in newest.items()
        if world.shown(day)
    ]
    same(ask("What days owed: real, excused, synthetic, lacking"), expected, ["time", "processor_name"])


def test_the_cascade(world, ask):
    features = [row for row in world.today if row["processor"] == "ml_feature_store_v2"]
    flags = {
        "player_daily_cache_pct": "upstream_player_daily_cache_ready",
        "player_composite_factors_pct": "upstream_player_composite_factors_ready",
        "player_shot_zone_pct": "upstream_player_shot_zone_ready",
        "upcoming_player_context_pct": "upstream_upcoming_player_context_ready",
    }
    shares = {name: 100 * sum(row[flag] for row in features) / len(features) for name, flag in flags.items()}
    expected = {"total_rows": len(features), **{name: rounded(value) for name, value in shares.items()}}
    assert ask("Cascade health") == [{**expected, "lowest_pct": rounded(min(shares.values()))}]


def test_the_newest_run_of_each_processor(world, ask):
    runs = defaultdict(list)
    for run in world.rows("processor_run_history"):
        runs[run["processor_name"]].append(run)
    newest = {name: max(rows, key=lambda run: (run["started_at"], run["run_id"])) for name, rows in runs.items()}
    assert set(newest) == {processor.name for processor in PROCESSORS}
    after = max(run["started_at"] for run in newest.values()) + DAY
    found = {row["processor_name"]: row for row in ask("Newest run of each processor", after)}
    assert {name: row["run_id"] for name, row in found.items()} == {name: run["run_id"] for name, run in newest.items()}
    assert {name: row["status"] for name, row in found.items()} == {name: run["status"] for name, run in newest.items()}


def test_a_lost_game_day_is_one_alert_and_its_symptoms_are_none(world, season, ask):
    names = {game["nba_game_id"]: game["game_id"] for game in world.rows("nbac_schedule")}
    lost = {names[game]: dt.datetime.strptime(names[game][:8], "%Y%m%d").date() for game in season.lost}
    held_back = world.missing()
    expected = [
        {
            "analysis_date": day,
            "games": 1,
            "value": float(len({(p, e) for g, p, e, d in held_back if g == game and d == world.day})),
            "affected": len({(p, e, d) for g, p, e, d in held_back if g == game}),
        }
        for game, day in lost.items()
    ]
    rows = ask("Alerts")
    raised = [row for row in rows if row["explained_by"] is None]
    assert {(row["cause"], row["severity"]) for row in raised} == {("LOST_GAME_DAY", "warning")}
    same([{name: row[name] for name in expected[0]} for row in raised], expected, ["analysis_date"])

    worst = max(expected, key=lambda row: row["value"])["analysis_date"]
    symptoms = [row for row in rows if row["explained_by"] is not None]
    assert {row["explained_by"] for row in symptoms} == {worst}
    low = {
        processor: share(rows, lambda row: row["ready"])
        for (processor,), rows in world.by("processor", rows=world.today).items()
        if 10 * sum(row["ready"] for row in rows) < 9 * len(rows)
    }
    assert {r["processor_name"]: r["value"] for r in symptoms if r["cause"] == "PROCESSOR_READY_LOW"} == low
    assert [row["affected"] for row in symptoms if row["cause"] == "BREAKERS_ACTIVE"] == [11]


def test_the_rule_fires_for_what_no_lost_game_explains_and_always_answers(world, season, ask):
    rows = ask("the alert rule")
    firing = [(row["cause"], row["severity"], row["day"]) for row in rows if row["firing"]]
    days = sorted(game["game_date"] for game in world.rows("nbac_schedule") if game["nba_game_id"] in season.lost)
    assert sorted(firing) == [("LOST_GAME_DAY", "warning", str(day)) for day in days]
    quiet = {row["cause"] for row in rows if not row["firing"]}
    assert quiet == {cause.id for cause in CAUSES} - {"LOST_GAME_DAY"}
    summer = ask("the alert rule", world.now + 14 * DAY)
    assert {row["cause"]: row["firing"] for row in summer} == {cause.id: 0 for cause in CAUSES}


@pytest.mark.parametrize("title", STATEMENTS)
def test_a_statement_is_bigquery_sql_without_a_variable_or_parameter(title):
    sql = STATEMENTS[title]
    bare = re.sub(r"\$__timeFilter\(\w+\)", "TRUE", sql)
    assert "$" not in bare
    assert "@" not in bare
    sqlglot.parse_one(bare, read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
