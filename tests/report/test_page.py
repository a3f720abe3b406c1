"""The file: whole, well-formed, loads nothing, and shows names as names."""

import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fullcourt.domain import alerts
from fullcourt.domain.alerts import BROKEN, MET, MISSED, NO_DATA, level
from fullcourt.domain.processors import PROCESSORS
from fullcourt.report.graph import nodes
from fullcourt.report.headline import figures
from fullcourt.report.page import render
from tests.report.made import HOSTILE, made

VOID = {"meta", "link", "br", "img", "input", "col", "hr"}


class Document(HTMLParser):
    """Every element with its attributes, and the text of scripts; complains of what is not closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self.open, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.text).append(data)


@pytest.fixture(scope="module")
def document(made_text):
    return Document(made_text)


def test_the_document_is_well_formed_with_unique_ids_and_ordered_headings(document):
    ids = Counter(attributes["id"] for _, attributes in document.elements if "id" in attributes)
    assert max(ids.values()) == 1
    references = {
        a[name] for _, a in document.elements for name in ("aria-labelledby", "aria-describedby") if name in a
    }
    targets = {a["href"].removeprefix("#") for tag, a in document.elements if tag == "a"}
    assert references | targets <= ids.keys()
    headings = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


def test_nothing_is_loaded_from_anywhere(made_text, document):
    for tag, attributes in document.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "srcset", "data", "poster", "action"):
            assert attributes.get(name, "#").startswith("#"), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|url\(", made_text.replace("http://www.w3.org/", ""))
    (policy,) = (a["content"] for _, a in document.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_fault_40_names_are_shown_as_names(document, made_facts):
    assert not any(tag == "img" for tag, _ in document.elements)
    assert HOSTILE in "".join(document.text)  # breakers and the repair plan name it, unescaped by the parser
    data = json.loads(document.scripts[0])
    shown = {processor["name"]: processor["entities"] for processor in data["heatmap"]["processors"]}
    assert shown == {grid.processor.name: grid.entities.to_pylist() for grid in made_facts.grids}
    assert HOSTILE in shown["player_daily_cache"]


def test_every_chart_is_one_image_with_a_name_and_a_table_with_its_facts(document):
    images = [attributes for tag, attributes in document.elements if tag == "svg"]
    assert len(images) == 4
    assert all(image["role"] == "img" and image["aria-label"] for image in images)
    tables = json.loads(document.scripts[0])["tables"]
    folded = {attributes["data-table"] for _, attributes in document.elements if "data-table" in attributes}
    assert folded == set(tables) == {"coverage", "windows", "breakers"}
    for table in tables.values():
        assert len({len(column) for column in table["columns"]}) == 1
        assert len(table["columns"]) == len(table["names"])


def test_every_header_cell_says_what_it_heads(document):
    assert all(a.get("scope") in ("col", "row") for tag, a in document.elements if tag == "th")


def test_an_empty_chart_says_so(empty):
    assert "No receipts in the range." in empty
    assert "No windows in the range." in empty
    assert "No attempts are recorded" in empty
    assert "No breaker is open" in empty
    assert "No missing game holds anything back." in empty
    Document(empty)


@pytest.fixture(scope="module")
def empty():
    """One day on which there are verdicts, and nothing else."""
    facts = made(["someone"], 1)
    names = ("coverage", "windows", "activity", "breakers", "unanswered")
    bare = {name: getattr(facts, name).slice(0, 0) for name in names}
    return render(replace(facts, **bare, repair={"held_back": 0, "cells": []}))


@pytest.mark.parametrize(
    ("value", "target", "limit", "expected"),
    [
        pytest.param(95.1, 95, 90, MET, id="better than the target"),
        pytest.param(95.0, 95, 90, MISSED, id="more than 95 is promised, not 95"),
        pytest.param(90.0, 95, 90, MISSED, id="the alert is for less than the limit"),
        pytest.param(89.9, 95, 90, BROKEN, id="below the limit"),
        pytest.param(4, 5, 10, MET, id="fewer than the target"),
        pytest.param(5, 5, 10, MISSED, id="fewer than 5 are promised, not 5"),
        pytest.param(10, 5, 10, MISSED, id="the alert is for more than 10"),
        pytest.param(11, 5, 10, BROKEN, id="above the limit"),
        pytest.param(None, 95, 90, NO_DATA, id="nothing to compare"),
    ],
)
def test_a_promise_is_met_missed_or_broken(value, target, limit, expected):
    assert level(value, target, limit) == expected


def test_headlines_say_figure_and_promise(made_facts):
    shown = {figure.name: figure for figure in figures(made_facts)}
    ready = made_facts.tallies[""].ready_pct
    assert shown["Production ready"].value == f"{ready:.1f} %"
    assert shown["Production ready"].note.startswith(alerts.ready_band(ready))
    assert shown["Open breakers"].value == "3"
    assert shown["Open breakers"].state == MET
    assert shown["Breaker response"].value == "25.0 h"
    assert shown["Breaker response"].state == BROKEN
    assert shown["Coverage"].value == "94.0 %"
    assert shown["Coverage"].state == MET


def test_the_graph_has_every_processor_right_of_what_it_reads_and_no_two_in_one_place():
    placed = {node.name: node for node in nodes()}
    assert list(placed) == [processor.name for processor in PROCESSORS]
    for processor in PROCESSORS:
        others = {dependency.processor for dependency in processor.depends}
        others |= {processor.upstream.table} if processor.upstream else set()
        assert others <= set(placed[processor.name].reads)
        assert all(placed[other].layer < placed[processor.name].layer for other in placed[processor.name].reads)
    assert len({(node.layer, node.row) for node in placed.values()}) == len(placed)
