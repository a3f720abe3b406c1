"""Whatever is in a landing file, each row is loaded or a dead letter; a file that cannot be read is named."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.landing import Games, Players, Rows, load
from fullcourt.orchestration.landing_files import SOURCES, copied_columns, find
from pipelines.ingest import ALIASES, SCHEDULE, SIDE_INPUTS
from tests.fuzz.lanes import lanes, texts, try_all

GAMES = pa.Table.from_pylist(
    [
        {
            "nba_game_id": "0022400001",
            "game_id": "20241022_BOS_LAL",
            "game_date": dt.date(2024, 10, 22),
            "season_year": 2024,
            "season_type": "regular",
            "game_status": 3,
            "home_team_tricode": "LAL",
            "away_team_tricode": "BOS",
            "processed_at": dt.datetime(2024, 10, 23, tzinfo=dt.UTC),
        }
    ],
    SIDE_INPUTS[SCHEDULE],
)
PLAYERS = SIDE_INPUTS[ALIASES].empty_table()
KNOWN = st.sampled_from(["0022400001", "BOS", "LAL", "2024-10-22", "Final", "PLAYED", "regular", "12:34", "7", "0.5"])
CELLS = {
    pa.string(): st.one_of(KNOWN, texts, st.none()),
    pa.int64(): st.one_of(st.integers(-(2**63), 2**63 - 1), st.none()),
    pa.float64(): st.one_of(st.floats(), st.none()),
    pa.bool_(): st.one_of(st.booleans(), st.none()),
    pa.date32(): st.one_of(st.dates(), st.none()),
    pa.timestamp("us", "UTC"): st.one_of(st.datetimes(timezones=st.just(dt.UTC)), st.none()),
    pa.decimal128(20, 4): st.one_of(st.decimals(-10, 10, places=4).map(Decimal), st.none()),
    pa.null(): st.none(),
}


@st.composite
def columns(draw, rows):
    kind = draw(st.sampled_from([pa.string(), *CELLS]))  # text as often as all else
    return pa.array(draw(st.lists(CELLS[kind], min_size=rows, max_size=rows)), kind)


@st.composite
def batches(draw, landing):
    """Most columns hold what can be read; a few hold anything."""
    rows = draw(st.integers(0, 4))
    good = {name: pa.array([draw(KNOWN)] * rows, pa.string()) for name in landing.needed}
    return pa.record_batch(good | draw(st.dictionaries(st.sampled_from(landing.needed), columns(rows), max_size=4)))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.TABLE.name)
@lanes(slow=1_500)
def test_rows(source, inputs):
    table, landing = source.TABLE, source.LANDING
    copied = copied_columns(table, landing)
    required = [column.name for column in table.columns if column.required]

    def check(batch):
        rows = Rows("file.parquet", np.arange(1, batch.num_rows + 1), batch)
        left, dead, outside = load(rows, table.name, copied, required, Games(GAMES), Players(PLAYERS))
        lost = set(dead["row_number"].to_pylist()) if dead else set()
        assert lost | set(left["_row"].to_pylist()) == set(range(1, batch.num_rows + 1))
        assert not lost & set(left["_row"].to_pylist())
        assert 0 <= outside <= left.num_rows

    try_all(inputs, batches(landing), check)


@lanes(slow=3_000)
def test_files(inputs, tmp_path):
    """A Parquet file with bytes changed, or its end cut off; or a text that calls itself one."""
    landing = SOURCES[0].LANDING
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({name: ["a", "b"] for name in landing.needed}), whole)
    good = whole.read_bytes()
    damaged = st.one_of(
        st.integers(0, len(good) - 1).map(lambda size: good[:size]),
        st.tuples(st.integers(0, len(good) - 1), st.binary(min_size=1, max_size=8)).map(
            lambda change: good[: change[0]] + change[1] + good[change[0] + len(change[1]) :]
        ),
        st.binary(max_size=300),
        texts.map(str.encode),
    )
    directory = tmp_path / "landing"
    directory.mkdir()

    def check(content):
        name, content = content
        file = directory / name
        file.write_bytes(content)
        try:
            said = [found.name for found in find(str(directory))]
        except (GateError, UsageError) as error:
            said = str(error)
        file.unlink()
        assert name in said

    names = st.sampled_from([f"{landing.stem}.parquet", f"{landing.stem}.csv", f"{landing.stem}.csv.gz"])
    try_all(inputs, st.tuples(names, damaged), check)
