"""The machine it runs on: without a network, and with far more rows than usual under one key."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schemas import TABLES
from tests.houses import House

PSZA = "player_shot_zone_analysis"
WITHOUT_NETWORK = """
import sys
from fullcourt.cli.main import main

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(refuse)
url, landing, now, day = sys.argv[1:]
run = ["run", "analytics", "--processors", "player_game_summary", "--date", day, "--now", now]
for words in (["init"], ["ingest", landing, "--now", now], run):
    sys.argv = ["fullcourt", *words, "--warehouse", url]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"""


def test_fault_43_a_warehouse_is_made_loaded_and_run_without_a_network(landing_files, loaded_file, tmp_path):
    """Without any interface where the system lets us take them away, and with Python's own connections refused."""
    alone = [shutil.which("unshare") or "unshare", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True).returncode == 0
    house, day = House(tmp_path / "house.duckdb", loaded_file.now), "2024-10-24"
    command = [sys.executable, "-c", WITHOUT_NETWORK, house.url, str(landing_files), house.now.isoformat(), day]
    ended = subprocess.run([*(alone if allowed else []), *command], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert house.one("SELECT COUNT(*) AS n FROM nba_analytics.player_game_summary") > 50


MEASURED = """
import atexit, re
from pathlib import Path
from fullcourt.cli.main import main
atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]))
main()
"""


def peak_bytes(house, day):
    """Of a run in a process of its own. What the system tells its parent would start from the parent's own memory."""
    words = ("run", "precompute", "--processors", PSZA, "--date", str(day))
    command = [sys.executable, "-c", MEASURED, *words, "--warehouse", house.url, "--now", house.now.isoformat()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.splitlines()[-1]) * 1024


def more_rows(house, chosen, copies):
    """So many copies of the chosen rows of the summaries; every other one is of a game that no schedule has."""
    table = TABLES["player_game_summary"]
    columns = ", ".join(table.by_name)
    with house.warehouse.transaction({}) as session:
        session.execute(
            f"INSERT INTO {table.id} ({columns}) SELECT {columns} FROM (SELECT summary.* REPLACE ("
            "IF(MOD(number, 2) = 0, game_id, CONCAT(game_id, CAST(number AS STRING))) AS game_id) "
            f"FROM (SELECT * FROM {table.id} WHERE {chosen}) AS summary "
            "CROSS JOIN UNNEST(GENERATE_ARRAY(1, @copies)) AS number) AS copied",
            copies=copies,
        )


ONE = (
    "player_lookup = (SELECT MIN(player_lookup) FROM nba_analytics.player_game_summary) AND game_date = "
    "(SELECT MIN(game_date) FROM nba_analytics.player_game_summary AS first "
    "WHERE first.player_lookup = (SELECT MIN(player_lookup) FROM nba_analytics.player_game_summary))"
)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of a process in /proc")
@pytest.mark.parametrize(
    ("chosen", "copies"),
    [
        pytest.param(ONE, 100_000, id="a hundred thousand under one key"),
        pytest.param(ONE, 1_000_000, id="a million under one key", marks=pytest.mark.slow),
        pytest.param("TRUE", 9, id="every row ten times", marks=pytest.mark.slow),
    ],
)
def test_fault_44_many_rows_change_nothing_and_cost_little_memory(season_house, season, tmp_path, chosen, copies):
    day, other = season.judged[-1], season_house.copy(tmp_path / "other.duckdb")
    usual = peak_bytes(season_house, day)
    before = other.table("player_game_summary").num_rows
    more_rows(other, chosen, copies)
    added = other.one("SELECT COUNT(*) AS n FROM nba_analytics.player_game_summary") - before
    assert added >= copies
    peak = peak_bytes(other, day)
    print(f"{added:,} more rows, {(peak - usual) / 2**20:.0f} MiB more than {usual / 2**20:.0f}")
    assert other.table(PSZA, content=True) == season_house.table(PSZA, content=True)
    assert peak - usual < 2**26 + 600 * added
