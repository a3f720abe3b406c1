"""Every fault is tried, or it is said why it cannot be; the document says what the tests are."""

from tests import figures
from tests.faults.matrix import FAULTS, proofs
from tests.faults.reliability import DOCUMENT, document


def test_every_fault_has_a_test_or_a_reason():
    assert list(FAULTS) == list(range(1, 45))
    tried = {number for proof in proofs() for number in proof.faults}
    assert {number for number, fault in FAULTS.items() if number not in tried and not fault.instead} == set()


def test_no_test_is_of_a_fault_that_is_not_listed_and_no_name_is_there_twice():
    found = proofs()
    assert {number for proof in found for number in proof.faults} <= FAULTS.keys()
    assert len({(proof.name, proof.file) for proof in found}) == len(found)


def test_the_document_is_what_the_generator_makes():
    """`make generate` writes it."""
    assert DOCUMENT.read_text() == document()


def test_what_is_counted_adds_up(tmp_path, monkeypatch):
    file = tmp_path / "figures"
    monkeypatch.setenv(figures.VARIABLE, str(file))
    for what, how_many in ((figures.KILLS, True), (figures.BAD_INPUTS, 3), (figures.KILLS, False), (figures.KILLS, 2)):
        figures.count(what, how_many)
    assert figures.total(file) == {figures.KILLS: 3, figures.BAD_INPUTS: 3}
    monkeypatch.delenv(figures.VARIABLE)
    figures.count(figures.KILLS)
    assert figures.total(file)[figures.KILLS] == 3
