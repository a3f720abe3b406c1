"""Both contestants of the benchmark compute the same cells; how fast they are is no business of a test."""

from pathlib import Path

from benchmarks import beam_gate, sql_gate
from benchmarks.gate import compare
from benchmarks.generate import generate


def test_beam_and_sql_agree_on_every_cell_of_a_season(tmp_path: Path):
    generate(1, tmp_path / "data")
    beam_gate.run(tmp_path / "data", tmp_path / "beam")
    sql_gate.run(tmp_path / "data", tmp_path / "sql")
    assert compare(tmp_path / "beam", tmp_path / "sql") > 60_000


def test_shards_change_no_cell(tmp_path: Path):
    generate(1, tmp_path / "data")
    for parts in (1, 3):
        beam_gate.run(tmp_path / "data", tmp_path / str(parts), parts)
    compare(tmp_path / "1", tmp_path / "3")
