"""Which rows differ, by an obvious comparison of dictionaries; and which runs renew given days."""

import datetime as dt
from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from fullcourt.domain.processors import PROCESSORS, Phase
from fullcourt.domain.reruns import LONGEST_GAP_DAYS, reruns
from fullcourt.domain.staleness import compare

SCHEMA = pa.schema(
    [
        ("entity", pa.string()),
        ("day", pa.date32()),
        ("games", pa.list_(pa.string())),
        ("data_hash", pa.string()),
        ("processing_decision_reason", pa.string()),
    ]
)
DAY = dt.date(2024, 1, 1)
days = st.integers(0, 40).map(lambda number: DAY + dt.timedelta(number))
keys = st.tuples(st.sampled_from("abc"), st.integers(0, 2).map(lambda number: DAY + dt.timedelta(number)))
reasons = st.sampled_from(["processed_successfully", "incomplete", "circuit_breaker_active"])
values = st.tuples(st.lists(st.sampled_from("xy"), max_size=2), st.sampled_from([None, "1", "2"]), reasons)
tables = st.dictionaries(keys, values, max_size=8)


def as_table(rows):
    columns = zip(*((*key, *value) for key, value in rows.items()), strict=True) if rows else [()] * len(SCHEMA)
    return pa.table([pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def same(new, old):
    """A stub that said its breaker is open is the same stub."""
    if new[:2] != old[:2]:
        return False
    return new[2] == old[2] or (old[2] == "circuit_breaker_active" and new[1] is None)


@given(tables, tables)
def test_rows_are_new_gone_or_changed(new, old):
    found = compare(as_table(new), as_table(old), ("entity", "day"), SCHEMA.names[2:])
    new_keys, old_keys = list(new), list(old)
    assert [new_keys[place] for place in found.new] == [key for key in new if key not in old]
    assert [old_keys[place] for place in found.gone] == [key for key in old if key not in new]
    in_new, in_old = found.changed
    assert [new_keys[place] for place in in_new] == [old_keys[place] for place in in_old]
    assert [new_keys[place] for place in in_new] == [k for k in new if k in old and not same(new[k], old[k])]
    for row, place in enumerate(in_new):
        key = new_keys[place]
        for column, name in enumerate(SCHEMA.names[2:4]):
            assert found.columns[name][row] == (new[key][column] != old[key][column])


@given(st.dictionaries(st.sampled_from([p.name for p in PROCESSORS]), st.sets(days), max_size=6))
def test_runs_cover_what_is_stale_in_the_order_of_the_dag_and_are_the_fewest(stale):
    found = reruns(stale)
    covered = {
        (name, day) for run in found for name in run.processors for day in stale[name] if run.first <= day <= run.last
    }
    assert covered == {(name, day) for name, days in stale.items() for day in days}
    phases = list(Phase)
    order = [(phases.index(run.phase), run.first) for run in found]
    assert order == sorted(order)
    names = [p.name for p in PROCESSORS]
    for run in found:
        assert list(run.processors) == sorted(run.processors, key=names.index)
        assert {p.phase for p in PROCESSORS if p.name in run.processors} == {run.phase}
        mine = sorted({d for n in run.processors for d in stale[n] if run.first <= d <= run.last})
        assert (mine[0], mine[-1]) == (run.first, run.last)
        assert all((b - a).days <= LONGEST_GAP_DAYS for a, b in pairwise(mine))
    for earlier, later in pairwise(found):
        assert earlier.phase is not later.phase or (later.first - earlier.last).days > LONGEST_GAP_DAYS
