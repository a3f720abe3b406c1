"""What a run stages is counted, and its end comes once, after everything."""

import json
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from transforms.finish_run import FinishRun, Tallied
from transforms.stage_rows import StageRows

SCHEMAS = {"a": pa.schema([("x", pa.int64())]), "b": pa.schema([("y", pa.string()), ("x", pa.int64())])}


@dataclass(frozen=True)
class WriteDown:
    """A finish that appends what it heard to a file, a line a call."""

    path: str

    def __call__(self, staged, tallied):
        with open(self.path, "a") as file:
            heard = [sorted([part.table, part.path, part.rows] for part in staged), len(tallied)]
            file.write(json.dumps(heard) + "\n")


def run(tmp_path, rows, tallies=0):
    """What finish heard, call by call."""
    path = tmp_path / "calls"
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        staged = pipeline | "Rows" >> beam.Create(rows) | StageRows(SCHEMAS, str(tmp_path))
        counts = pipeline | "Tallies" >> beam.Create([Tallied("p", pa.table({"n": [n]})) for n in range(tallies)])
        _ = (staged, counts) | FinishRun(WriteDown(str(path)))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rows_of_several_tables_are_staged_in_their_schemas(tmp_path):
    rows = [
        ("a", pa.table({"x": [1, 2]})),
        ("b", pa.table({"x": pa.array([3], pa.int32()), "more": ["dropped"], "y": ["t"]})),
        ("a", pa.table({"x": [4]})),
    ]
    ((staged, tallied),) = run(tmp_path, rows, tallies=2)
    assert tallied == 2
    found = {"a": [], "b": []}
    for table, path, count in staged:
        read = pq.read_table(path)
        assert read.schema == SCHEMAS[table]
        assert read.num_rows == count
        found[table] += read.to_pylist()
    assert sorted(row["x"] for row in found["a"]) == [1, 2, 4]
    assert found["b"] == [{"y": "t", "x": 3}]


@pytest.mark.parametrize("tallies", [0, 1])
def test_the_end_comes_once_when_nothing_was_staged(tmp_path, tallies):
    assert run(tmp_path, [], tallies) == [[[], tallies]]


def test_the_end_comes_once_after_many_bundles(tmp_path):
    ((staged, tallied),) = run(tmp_path, [("a", pa.table({"x": [n]})) for n in range(200)], tallies=50)
    assert (sum(rows for _, _, rows in staged), tallied) == (200, 50)
    assert len({path for _, path, _ in staged}) == len(staged)


def test_a_row_that_does_not_fit_its_table_stops_the_run(tmp_path):
    with pytest.raises(Exception, match="x"):
        run(tmp_path, [("a", pa.table({"y": ["no x"]}))])
    assert not (tmp_path / "calls").exists()
