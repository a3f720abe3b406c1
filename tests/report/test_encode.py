"""The heatmap's text decodes to the matrix it came from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fullcourt.domain.gate import Verdict
from fullcourt.report.encode import LETTERS, heatmap, run_lengths
from tests.report.made import made


def decoded(text):
    runs = [run.split("*") for run in text.split(",") if run]
    return [int(run[0]) for run in runs for _ in range(int(run[1]) if len(run) == 2 else 1)]


shapes = st.tuples(st.integers(0, 5), st.integers(0, 12))


@given(shapes.flatmap(lambda shape: arrays(np.int32, shape, elements=st.integers(0, 3))))
def test_runs_decode_to_the_rows(codes):
    assert [decoded(text) for text in run_lengths(codes)] == codes.tolist()


def test_a_run_is_written_once():
    codes = np.array([[0, 0, 0, 12], [12, 7, 7, 0]], dtype=np.int32)
    assert run_lengths(codes) == ["0*3,12", "12,7*2,0"]


def test_every_verdict_has_a_letter_of_its_own():
    assert set(LETTERS) == set(Verdict)
    assert len(set(LETTERS.values())) == len(Verdict)


def test_texts_are_written_once_and_named_by_number():
    facts = made(["someone", "another"], 12)
    written = heatmap(facts)
    for name, column in (("reason", "reason"), ("missing", "missing_games"), ("issues", "issues")):
        numbered = written["details"][name]
        assert len(set(numbered["texts"])) == len(numbered["texts"])
        assert [numbered["texts"][number] for number in numbered["of"]] == facts.details[column].to_pylist()
    for grid, shown in zip(facts.grids, written["processors"], strict=True):
        assert [decoded(text) for text in shown["rows"]] == (grid.codes + 1).tolist()
