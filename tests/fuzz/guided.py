"""Inputs that grow towards code not yet reached, by atheris: `python -m tests.fuzz.guided [seconds a target]`.

What is read from strangers, from files and from the ledger is taken, or refused by an error that is meant for a reader.
Any other error ends the target, and libFuzzer leaves the input beside it, in build/fuzz/<target>.  One target, with
libFuzzer's own options: `python -m tests.fuzz.guided landing -runs=1000`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fullcourt", "schemas"]):
    from fullcourt.domain.errors import FullCourtError
    from fullcourt.domain.events import TOPICS, UnreadableError, read
    from fullcourt.domain.landing import Games, Players, Rows, load
    from fullcourt.domain.parsing import parse
    from fullcourt.domain.predictions.model import PointsModel
    from fullcourt.orchestration.backfill import plans
    from fullcourt.orchestration.landing_files import SOURCES, copied_columns
    from fullcourt.pubsub import push
    from fullcourt.pubsub.address import Address as Broker
    from fullcourt.warehouse.bigquery.address import Address as BigQuery

import numpy as np
import pyarrow as pa

from fullcourt.domain.events import Received
from tests.fuzz.test_landing import GAMES, PLAYERS
from tests.fuzz.test_stored import Ledger

REFUSED = (FullCourtError, UnreadableError, push.RefusedError)
SECONDS = 20
ROOT = Path("build/fuzz")


def addresses(data: bytes) -> None:
    text = _text(data)
    for kind in (BigQuery, Broker):
        with suppress(*REFUSED):
            kind.parse(text)


def pushed(data: bytes) -> None:
    """The body of a request, as one of the broker's or as a CloudEvent; then the message in it."""
    for kind in ("application/json", "application/cloudevents+json"):
        with suppress(*REFUSED):
            read(push._message({"content-type": kind}, data))


def messages(data: bytes) -> None:
    for topic in TOPICS:
        with suppress(*REFUSED):
            came = read(Received("1", topic, data, {}))
            came.correlation_id.encode()  # it is stored


def stored_plans(data: bytes) -> None:
    with suppress(*REFUSED):
        plans.load(Ledger(_text(data)), "20240115T060000-0000aaaa")
        raise AssertionError("it does not give its id")


def models(data: bytes) -> None:
    with suppress(*REFUSED):
        PointsModel.from_text(_text(data))


def values(data: bytes) -> None:
    """One text, read as every type that a landing column has."""
    cells = pa.array([_text(data)])
    for kind in KINDS:
        parse(cells, kind)


def landing(data: bytes) -> None:
    """The first byte chooses the file; the rest are its cells, one after another, as text."""
    source = SOURCES[data[0] % len(SOURCES)] if data else SOURCES[0]
    table, needed = source.TABLE, source.LANDING.needed
    given = [cell or None for cell in _text(data[1:]).split("|")]
    cells = [given[number % len(given)] for number in range(len(needed))]
    batch = pa.record_batch({name: pa.array([cell], pa.string()) for name, cell in zip(needed, cells, strict=True)})
    required = [column.name for column in table.columns if column.required]
    copied = copied_columns(table, source.LANDING)
    load(Rows("file.csv", np.array([1]), batch), table.name, copied, required, Games(GAMES), Players(PLAYERS))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


KINDS = {kind for source in SOURCES for _, kind in copied_columns(source.TABLE, source.LANDING).values()}
COMPLETION = {
    "processor_name": "player_daily_cache",
    "phase": "phase_4_precompute",
    "execution_id": "e",
    "correlation_id": "c",
    "game_date": "2024-01-15",
    "status": "success",
    "timestamp": "2024-01-15T06:00:00Z",
}
MESSAGE = {"messageId": "1", "data": "e30=", "attributes": {"event_id": "e"}, "publishTime": "2024-01-15T06:00:00Z"}
ENVELOPE = {"subscription": "projects/p/subscriptions/nba-phase3-trigger-fullcourt", "message": MESSAGE}
PLAN = {
    "days": ["2024-01-15"],
    "off_days": [],
    "phases": ["precompute"],
    "stages": [{"phase": "precompute", "names": ["player_daily_cache"]}],
    "options": {"cascade_policy": "flag", "slice_days": 7, "force": False},
    "inputs": {},
}
# Target -> what it starts from: from there the way into the code is shorter than from nothing.
TARGETS: dict[Callable[[bytes], None], list[str]] = {
    addresses: ["bigquery://project?location=US&temp=gs://bucket/p&staging=temp", "pubsub://project"],
    pushed: [json.dumps(ENVELOPE), json.dumps({"source": "//topics/t", "data": ENVELOPE})],
    messages: [json.dumps(COMPLETION), json.dumps({**COMPLETION, "trigger_source": "s", "triggered_by": "t"})],
    stored_plans: [json.dumps(PLAN)],
    models: ['{"format": "fullcourt-model-1", "checksum": "0"}'],
    values: ["2024-01-15T06:00:00-05:00", "-12.50", "1e300", "yes"],
    landing: [f"{number}0022400001|2024-10-22|Final|BOS|LAL|7|0.5|12:34" for number in range(len(SOURCES))],
}
BY_NAME = {target.__name__: target for target in TARGETS}


def run(target: Callable[[bytes], None], options: list[str]) -> None:
    """Does not come back: libFuzzer ends the process."""
    plans.check_schema = lambda warehouse: None  # the ledger of one row has none
    directory = ROOT / target.__name__
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[target]):
        (corpus / f"seed-{number}").write_text(seed)
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={directory}/", *options], target)
    atheris.Fuzz()


def run_all(seconds: int) -> int:
    """Each target in a process of its own, for so long; how many have failed."""
    failed = 0
    for name in BY_NAME:
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            name,
            f"-max_total_time={seconds}",
            "-print_final_stats=1",
        ]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        tried = re.search(r"number_of_executed_units: (\d+)", ended.stderr)
        print(f"{name}: {tried[1] if tried else 'no'} inputs, {'failed' if ended.returncode else 'nothing found'}")
        if ended.returncode:
            failed += 1
            print(ended.stderr[-4_000:])
    return failed


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in BY_NAME:
        run(BY_NAME[sys.argv[1]], sys.argv[2:])
    sys.exit(min(1, run_all(int(sys.argv[1]) if sys.argv[1:] else SECONDS)))
