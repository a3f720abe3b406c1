"""What the ledger holds, and what a warehouse is called, is taken or refused by name, whatever somebody wrote there."""

import datetime as dt
import json
from contextlib import suppress

import pytest
from hypothesis import strategies as st

from fullcourt.domain.errors import FullCourtError
from fullcourt.orchestration.backfill import plans
from fullcourt.warehouse import Read, open_warehouse
from fullcourt.warehouse.translation import to_duckdb
from schemas import TABLES
from tests.fuzz.lanes import lanes, texts, try_all

ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
PARTS = ("days", "off_days", "phases", "stages", "options", "inputs", "phase", "names", "cascade_policy")
DEFINITIONS = st.one_of(
    ANYTHING.map(json.dumps),
    st.dictionaries(st.sampled_from(PARTS), ANYTHING, max_size=8).map(json.dumps),
    texts,
)


class Ledger:
    """A warehouse that holds one plan; what it was asked is bound, so nothing of it is in a statement."""

    url = "none.duckdb"

    def __init__(self, definition):
        self._rows = [{"plan_id": "20240115T060000-0000aaaa", "created_at": NOW, "definition": definition}]

    def to_pylist(self):
        return self._rows

    def query(self, sql, **_):
        return self


NOW = dt.datetime(2024, 1, 15, tzinfo=dt.UTC)


@lanes(slow=20_000)
def test_plans(inputs, monkeypatch):
    monkeypatch.setattr(plans, "check_schema", lambda warehouse: None)

    def check(definition):
        with pytest.raises(FullCourtError, match="is not what was planned"):
            plans.load(Ledger(definition), "20240115T060000-0000aaaa")

    try_all(inputs, DEFINITIONS, check)


@lanes(slow=20_000)
def test_names_of_tables_and_columns(inputs):
    """Only those that are declared come into a statement."""
    names = st.one_of(texts, st.sampled_from([*TABLES, "game_id", "player_lookup"]))

    def check(asked):
        table, column = asked
        try:
            sql = Read(table, (column,), {column: [1]}).sql
        except (ValueError, KeyError):
            assert table not in TABLES or column not in TABLES[table].by_name
        else:
            assert column in TABLES[table].by_name
            assert TABLES[table].name in sql

    try_all(inputs, st.tuples(names, names), check)


@lanes(slow=15_000)
def test_addresses(inputs):
    urls = st.one_of(
        texts,
        texts.map(lambda text: f"bigquery://{text}"),
        texts.map(lambda text: f"bigquery://project?{text}"),
        st.tuples(texts, texts).map(lambda pair: f"bigquery://project?location={pair[0]}&temp={pair[1]}"),
    ).filter(lambda url: not url.endswith(".duckdb"))

    def check(url):
        with suppress(FullCourtError):
            open_warehouse(url)

    try_all(inputs, urls, check)


@lanes(slow=3_000)
def test_statements(inputs, monkeypatch, tmp_path):
    """What cannot be translated is refused with its beginning."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    words = st.sampled_from(
        ["SELECT", "FROM", "WHERE", "(", ")", ",", "x", "1", "'a'", "@day", "UNNEST", "COUNTIF", "*"]
    )
    statements = st.one_of(st.lists(words, max_size=12).map(" ".join), texts)

    def check(sql):
        with suppress(FullCourtError):
            assert all(isinstance(part, str) for part in to_duckdb(sql))

    try_all(inputs, statements, check)
