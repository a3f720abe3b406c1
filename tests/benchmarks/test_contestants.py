"""All contestants of the benchmark compute the same cells; how fast they are is no business of a test."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.compare import compare
from benchmarks.contestants import CONTESTANTS, Contestant, beam, kernel, per_date
from benchmarks.generate import generate
from benchmarks.identity import cut
from benchmarks.measure import measure

BENCH_PYTHON = Path(".venv-bench/bin/python").absolute()
SAMPLED = ("--dates", "4")  # the whole season takes minutes


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("season")
    generate(1, directory)
    return directory


@pytest.fixture(scope="session")
def reference(season: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kernel")
    kernel.run(season, out)
    return out


@pytest.mark.parametrize("contestant", [c for c in CONTESTANTS if c.name != "kernel"], ids=lambda c: c.name)
def test_a_contestant_agrees_with_the_kernel_on_every_cell(
    contestant: Contestant, season: Path, reference: Path, tmp_path: Path
):
    if missing := contestant.missing(BENCH_PYTHON):
        pytest.skip(f"{contestant.title}: {missing}")
    sampled = contestant.sampled is not None
    measure([*contestant.command(season, tmp_path, BENCH_PYTHON, 1), *(SAMPLED if sampled else ())])
    rows = compare(tmp_path, reference, some_days=sampled)
    assert rows > (1_000 if sampled else 60_000)


@pytest.mark.parametrize(("seasons", "number"), [(10, 20), (100, 20), (100, 10), (100, 7)])
def test_sampled_dates_are_of_every_part_of_a_season(seasons: int, number: int):
    """Of a hundred seasons, dates at equal distances were all the first of theirs: days that cost nothing."""
    days = 164
    chosen = per_date.sampled(seasons * days, number)
    assert len(set(chosen)) == number
    thirds = {3 * (place % days) // days for place in chosen}
    assert thirds == {0, 1, 2}


def test_all_dates_are_taken_where_no_number_is_asked_for():
    assert per_date.sampled(5, None) == per_date.sampled(5, 9) == [0, 1, 2, 3, 4]


def test_shards_and_batches_change_no_bit(season: Path, reference: Path, tmp_path: Path):
    beam.run(cut(season, tmp_path / "cut"), tmp_path / "beam", parts=3)
    assert compare(tmp_path / "beam", reference, exact=True) > 60_000


def test_a_single_cell_that_differs_is_found(reference: Path, tmp_path: Path):
    for file in reference.glob("*.parquet"):
        pq.write_table(
            _one_more(pq.read_table(file)) if "ready" in file.name else pq.read_table(file), tmp_path / file.name
        )
    with pytest.raises(RuntimeError, match="ready: 1 of"):
        compare(tmp_path, reference)


def test_a_row_too_few_is_found(reference: Path, tmp_path: Path):
    for file in reference.glob("*.parquet"):
        rows = pq.read_table(file)
        pq.write_table(rows.slice(1) if "held_back" in file.name else rows, tmp_path / file.name)
    with pytest.raises(RuntimeError, match="held_back: 1 of"):
        compare(tmp_path, reference)


def test_the_same_seasons_are_generated_twice(season: Path, tmp_path: Path):
    generate(1, tmp_path)
    for file in season.glob("*.parquet"):
        assert pq.read_table(file).equals(pq.read_table(tmp_path / file.name)), file.name


def _one_more(rows: pa.Table) -> pa.Table:
    values = rows["l5_actual"].to_pylist()
    values[0] += 1
    return rows.set_column(rows.column_names.index("l5_actual"), "l5_actual", pa.array(values, pa.int32()))
