"""Both seasons from raw to feature store in one command, in parallel, killed on the way: as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.orchestration.verify import failure, verify
from fullcourt.warehouse import Read, open_warehouse
from schemas import TABLES
from tests.real.conftest import AFTER, load

COMPUTED = [p.name for p in PROCESSORS if p.phase in (Phase.ANALYTICS, Phase.PRECOMPUTE)]
RANGE = ("--start", "2022-10-01", "--end", "2024-06-30")
KILLED_AFTER = (3, 4, 5)  # slices settled in that session
PROGRAM = "from fullcourt.cli.main import main; main()"


def command(warehouse, *arguments):
    return [sys.executable, "-c", PROGRAM, "backfill", *arguments, "--warehouse", str(warehouse), "--yes"]


def start(warehouse, *arguments):
    return subprocess.Popen(
        command(warehouse, *arguments, "--parallel", "2"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_both_seasons_killed_three_times_end_as_if_they_had_not_been(data, season_warehouse, tmp_path, capsys):
    file = tmp_path / "house.duckdb"
    load(file, data, AFTER)
    store = open_warehouse(str(file))
    child = start(file, "run", *RANGE)
    for slices in KILLED_AFTER:
        settled = 0
        for line in child.stderr:
            settled += " failed" in line
            if settled == slices:
                break
        assert settled == slices, "it ended before it was killed"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        (row,) = store.query("SELECT plan_id FROM nba_orchestration.backfill_plans").to_pylist()
        child = start(file, "resume", row["plan_id"])
    said, hints = child.communicate()
    assert child.returncode == 0, hints
    assert f"{row['plan_id']}: DONE" in said

    wanted = [Read(name, TABLES[name].content_columns) for name in COMPUTED]
    assert store.fingerprints(wanted) == open_warehouse(str(season_warehouse)).fingerprints(wanted)
    for phase in ("landing", "raw", "analytics", "precompute"):
        rows = verify(store, phase, AFTER.date().replace(year=2022), AFTER.date(), AFTER)
        assert failure(rows) is None
    for table in ("publish_receipts", "outbox_events"):
        (row,) = store.query(
            "SELECT COUNT(*) AS n, "
            f"COUNT(DISTINCT CONCAT(processor_name, CAST({TABLES[table].day} AS STRING))) AS keys "
            f"FROM {TABLES[table].id}"
        ).to_pylist()
        assert (row["n"], row["keys"]) == (419 * len(COMPUTED), 419 * len(COMPUTED)), table

    began = time.monotonic()
    again = subprocess.run(
        [*command(file, "run", *RANGE), "--format", "json"], capture_output=True, text=True, env=os.environ, check=True
    )
    assert json.loads(again.stdout)["days_left"] == 0
    with capsys.disabled():
        print(f"\nnothing to do, said after {time.monotonic() - began:.1f} s")
