"""What people do, at a bad moment, to many at once, or with words that mean something else to a machine."""

import datetime as dt
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from fullcourt.domain.breaker import OVERRIDE
from fullcourt.domain.errors import UsageError
from fullcourt.domain.names import TRICODES
from fullcourt.domain.processors import Phase, select
from fullcourt.orchestration import breakers, gaps
from fullcourt.orchestration.run import RunRequest, run_phase
from fullcourt.warehouse import open_warehouse
from pipelines import precompute
from pipelines.reads import of_gated
from schemas import TABLES

TDZA, PSZA = "team_defense_zone_analysis", "player_shot_zone_analysis"
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(hours=168)
D = dt.date(2024, 11, 20)
COMMAND = [sys.executable, "-c", "from fullcourt.cli.main import main; main()"]


def attempts_of(house, entity):
    rows = house.query(
        "SELECT attempt_number FROM nba_orchestration.reprocess_attempts "
        "WHERE processor_name = @name AND entity_id = @entity ORDER BY attempted_at",
        name=TDZA,
        entity=entity,
    )
    return [row["attempt_number"] for row in rows]


def override(url, entity, day, now, by="ann", reason="late box score"):
    warehouse = open_warehouse(url)
    return breakers.act(warehouse, OVERRIDE, breakers.select(warehouse, TDZA, entity, day, day), now, by, reason)


# ---- during an attempt


@dataclass(frozen=True)
class Meanwhile:
    """A last step before which somebody overrides the breaker: the run has judged and does not know of it."""

    finish: Any
    url: str
    entity: str
    day: dt.date
    now: dt.datetime

    def __call__(self, staged, tallied):
        assert override(self.url, self.entity, self.day, self.now) == 1
        self.finish(staged, tallied)


def test_fault_31_an_override_during_a_run_is_kept_for_the_next(season_house, season):
    day, house = season.judged[-1], season_house
    house.run("precompute", day, processors=[TDZA])
    columns = ", ".join(TABLES["reprocess_attempts"].by_name)
    again = (  # two more, with the same games missing
        "attempt_number + @n AS attempt_number, TIMESTAMP_ADD(attempted_at, INTERVAL @n HOUR) AS attempted_at, "
        "@n = 2 AS circuit_breaker_tripped, IF(@n = 2, @until, NULL) AS circuit_breaker_until"
    )
    with house.warehouse.transaction({}) as session:
        for number in (1, 2):
            session.execute(
                f"INSERT INTO nba_orchestration.reprocess_attempts ({columns}) SELECT {columns} FROM "
                f"(SELECT * REPLACE ({again}) FROM nba_orchestration.reprocess_attempts AS attempt "
                "WHERE processor_name = @name AND entity_id = @entity AND attempt_number = 1) AS copied",
                n=number,
                until=house.now + 2 * HOUR + WEEK,
                name=TDZA,
                entity=season.team,
            )
    at = house.now + 4 * HOUR

    def launch(config, snapshot, finish, beam_args):
        precompute.launch(config, snapshot, Meanwhile(finish, house.url, season.team, day, at), beam_args)

    under_way = RunRequest(house.url, select(Phase.PRECOMPUTE, [TDZA]), day, day, house.now + 3 * HOUR)
    run_phase(under_way, SimpleNamespace(config=precompute.Config, reads=of_gated, launch=launch))
    assert attempts_of(house, season.team) == [1, 2, 3]
    (kept,) = house.query("SELECT action, acted_by, acted_at FROM nba_orchestration.breaker_actions")
    assert kept == {"action": "override", "acted_by": "ann", "acted_at": at}
    house.run("precompute", day, processors=[TDZA], now=at + HOUR)
    assert attempts_of(house, season.team) == [1, 2, 3, 4]
    assert override(house.url, season.team, day, at + 2 * HOUR, by="bob") == 1  # it holds back again
    (row,) = breakers.status(
        house.warehouse, breakers.select(house.warehouse, TDZA, season.team, day, day), at + 3 * HOUR
    )
    assert (row["state"], row["acted_by"], row["acted_at"]) == ("half_open", "bob", at + 2 * HOUR)
    assert house.one("SELECT COUNT(*) AS n FROM nba_orchestration.breaker_actions") == 2


# ---- many at once


@pytest.fixture
def outage(empty_house):
    """Twelve breakers open for one day."""
    empty_house.now = dt.datetime(2024, 11, 21, 12, tzinfo=dt.UTC)
    rows = [
        {
            "processor_name": TDZA,
            "entity_id": team,
            "analysis_date": D,
            "attempt_number": 3,
            "attempted_at": empty_house.now - HOUR,
            "circuit_breaker_tripped": True,
            "circuit_breaker_until": empty_house.now - HOUR + WEEK,
        }
        for team in sorted(TRICODES)[:12]
    ]
    with empty_house.warehouse.transaction({}) as session:
        session.insert("reprocess_attempts", pa.Table.from_pylist(rows, TABLES["reprocess_attempts"].arrow_schema))
    return empty_house


@pytest.mark.parametrize(
    ("answer", "code"),
    [pytest.param("y", 1, id="a yes"), pytest.param("11", 1, id="another number"), pytest.param("12", 0, id="as many")],
)
def test_fault_32_many_are_shown_and_their_number_has_to_be_typed(outage, answer, code):
    mine, theirs = pty.openpty()
    words = ("breaker", "bulk-override", "--date-from", str(D), "--date-to", str(D), "--reason", "an outage")
    command = [*COMMAND, *words, "--warehouse", outage.url, "--now", outage.now.isoformat()]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        os.write(mine, f"{answer}\nn\n".encode())
        _, shown = process.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert process.returncode == code, shown
    assert f"override: 12 of {TDZA}" in shown
    assert "and 2 more" in shown
    assert outage.table("breaker_actions").num_rows == (0 if code else 12)


# ---- words

HOSTILE = (
    "'); DROP TABLE nba_orchestration.breaker_actions; --",
    "`nba_raw`.`x`",
    "\"quoted\" \\ and \\'escaped\\'",
    "$1 ${HOME} @reason %s {0}",
    "two\nlines\r\nand a tab\t.",
    '=HYPERLINK("http://example.org")',
    "<script>alert(1)</script>",
    "\u202eright to left, NUL-free, \u0130\u0131",
)


def test_fault_40_a_reason_is_a_value_and_comes_back_as_it_was(outage):
    for team, text in zip(sorted(TRICODES), HOSTILE, strict=False):
        assert override(outage.url, team, D, outage.now, by=text, reason=text) == 1
    rows = outage.query("SELECT acted_by, reason FROM nba_orchestration.breaker_actions ORDER BY entity_id")
    assert [tuple(row.values()) for row in rows] == [(text, text) for text in HOSTILE]


def test_fault_40_a_name_that_is_not_declared_is_refused(outage):
    for text in HOSTILE:
        with pytest.raises(UsageError, match="unknown processor"):
            breakers.select(outage.warehouse, text)
        with pytest.raises(UsageError, match="unknown entity"):
            breakers.select(outage.warehouse, TDZA, text)
        for table, column, message in ((text, None, "unknown table"), (TDZA, text, "has no date column")):
            with pytest.raises(UsageError, match=message):
                gaps.table_report(outage.warehouse, table, column, D, D, gaps.Frequency.ALL_DAYS)
