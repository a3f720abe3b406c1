"""Dealing rows out to shards and packing them loses nothing, doubles nothing, and knows no batch size."""

import datetime as dt
from collections import Counter

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from transforms.packing import pack, unpack, unpack_tables
from transforms.read_shards import ReadShards, Source, part_of, season_and_part, shard_key

ROWS = 1000
SCHEMA = pa.schema([("row", pa.int64()), ("season_year", pa.int64()), ("who", pa.string()), ("day", pa.date32())])


def rows_table():
    """Three seasons, seventy players, some of them without a name."""
    who = [f"player{n % 70}" if n % 13 else None for n in range(ROWS)]
    season = [(2022, 2023, 2024)[n % 3] for n in range(ROWS)]
    days = [dt.date(season[n] + n % 2, 1 if n % 2 else 12, 1 + n % 28) for n in range(ROWS)]
    return pa.table([pa.array(range(ROWS)), pa.array(season), pa.array(who), pa.array(days)], schema=SCHEMA)


@pytest.fixture(params=[7, 100, ROWS], ids=lambda size: f"groups of {size}")
def files(request, tmp_path):
    """The same rows in two files, in row groups of this size: the reader's batches end where groups do."""
    table, paths = rows_table(), []
    for number, part in enumerate((table.slice(0, 333), table.slice(333))):
        paths.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(part, paths[-1], row_group_size=request.param)
    return tuple(paths)


class Shards:
    """Collects shards for a check after the pipeline; kept outside Beam's reach as the check runs in this process."""

    def __init__(self, check):
        self._check = check

    def __call__(self, keyed):
        shards = {}
        for key, packed in keyed:
            shards.setdefault(season_and_part(key), []).append(packed)
        unpacked = {key: unpack_tables([packed], {"x": SCHEMA}) for key, packed in shards.items()}
        self._check({key: tables["x"] for key, tables in unpacked.items()})


class RowsByTable:
    def __init__(self, expected):
        self._expected = expected

    def __call__(self, keyed):
        rows = Counter()
        for _, (table, batch) in keyed:
            rows[table] += unpack([batch], SCHEMA).num_rows
        assert rows == self._expected


def read(sources, seasons, parts, check):
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        dealt = pipeline | ReadShards(sources, seasons, parts)
        for name, shards in dealt.items():
            assert_that(shards, Shards(check), label=f"Check {name}")


@pytest.mark.parametrize("parts", [1, 2, 3, 4])
def test_every_row_is_dealt_exactly_once_and_an_entity_to_one_part(files, parts):
    def check(shards):
        dealt = sorted(row for table in shards.values() for row in table["row"].to_pylist())
        assert dealt == list(range(ROWS))
        homes = {}
        for (season, part), table in shards.items():
            assert set(table["season_year"].to_pylist()) <= {season}
            for who in table["who"].to_pylist():
                homes.setdefault(who, set()).add(part)
        assert all(len(home) == 1 for home in homes.values())
        assert parts == 1 or len(set().union(*homes.values())) == parts
        assert homes[None] == {0}

    read({"x": Source(files, ("out",), entity_column="who", dictionaries=("who",))}, (2022, 2023, 2024), parts, check)


def test_without_an_entity_every_part_gets_every_row_of_the_seasons_wanted(files):
    def check(shards):
        wanted = [n for n, season in enumerate(rows_table()["season_year"].to_pylist()) if season == 2023]
        assert set(shards) == {(2023, 0), (2023, 1), (2023, 2)}
        for table in shards.values():
            assert sorted(table["row"].to_pylist()) == wanted

    read({"x": Source(files, ("out",))}, (2023,), 3, check)


def test_the_season_of_a_day_starts_in_october(files):
    def check(shards):
        for (season, _), table in shards.items():
            assert set(table["season_year"].to_pylist()) == {season}

    read({"x": Source(files, ("out",), season_column="day")}, (2022, 2023, 2024), 1, check)


def test_a_table_goes_to_every_step_that_joins_it_and_to_no_other(files, tmp_path):
    other = str(tmp_path / "other.parquet")
    pq.write_table(rows_table().slice(0, 3), other)
    sources = {"x": Source(files, ("one", "both")), "y": Source((other,), ("both",))}
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        dealt = pipeline | ReadShards(sources, (2022, 2023, 2024))
        assert set(dealt) == {"one", "both"}
        for name, rows in {"one": {"x": ROWS}, "both": {"x": ROWS, "y": 3}}.items():
            assert_that(dealt[name], RowsByTable(rows), label=f"Check {name}")


def test_shard_keys_are_read_back():
    assert season_and_part(shard_key(2024, 3)) == (2024, 3)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_a_part_does_not_depend_on_encoding_or_company(parts):
    names = pa.array(["jalenwilliams", "jaylinwilliams", None, "nikolajokic", "jalenwilliams"])
    plain = part_of(names, parts)
    assert np.array_equal(plain, part_of(names.dictionary_encode(), parts))
    assert [part_of(names.slice(n, 1), parts)[0] for n in range(5)] == plain.tolist()
    assert plain[0] == plain[4]
    assert 0 <= plain.min() <= plain.max() < parts


def test_packing_round_trips_every_type():
    table = pa.table(
        {
            "text": pa.array(["a", None, "ü\n", ""]),
            "label": pa.array(["x", "y", None, "x"]).dictionary_encode(),
            "number": pa.array([1, None, -(2**62), 0]),
            "day": pa.array([dt.date(2024, 1, 1), None, dt.date(1969, 12, 31), None]),
            "at": pa.array([0, None, 1, 2], pa.timestamp("us", tz="UTC")),
            "flag": pa.array([True, None, False, True]),
            "list": pa.array([["a"], [], None, ["b", "c"]]),
        }
    )
    batches = [*table.slice(0, 1).to_batches(), *table.slice(1).to_batches()]
    assert unpack(map(pack, batches), table.schema).to_pylist() == table.to_pylist()
    assert unpack(map(pack, batches), table.schema).schema == table.schema


def test_dictionaries_of_different_batches_become_one():
    batches = [
        pa.record_batch({"who": pa.array(names).dictionary_encode()})
        for names in (["a", "b"], ["b", "c", None], ["c", "a"])
    ]
    table = unpack(map(pack, batches), pa.schema([("who", pa.string())]))
    assert table["who"].to_pylist() == ["a", "b", "b", "c", None, "c", "a"]
    assert len({tuple(chunk.dictionary.to_pylist()) for chunk in table["who"].chunks}) == 1


def test_no_batches_are_an_empty_table():
    assert unpack([], SCHEMA) == SCHEMA.empty_table()
