"""The page itself: facts in, one HTML text out that loads nothing from anywhere."""

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import PROCESSORS
from fullcourt.orchestration.run import Progress
from fullcourt.report import charts
from fullcourt.report.encode import LETTERS, heatmap
from fullcourt.report.gather import BREAKERS_SHOWN, Facts, gather
from fullcourt.report.graph import nodes
from fullcourt.report.headline import band, covered_pct, figures, percent
from fullcourt.warehouse import Warehouse

PAGE_ROWS = 60  # entities a page of the heatmap

# Autoescape for everything: names of entities and games are data.
_TEMPLATES = Environment(loader=PackageLoader("fullcourt.report"), autoescape=True, undefined=StrictUndefined)
_TEMPLATES.trim_blocks = _TEMPLATES.lstrip_blocks = True

_MEANINGS = {
    Verdict.READY: "computed, for consumers",
    Verdict.FLAGGED: "computed, not ready: bootstrap, or an upstream that is not ready",
    Verdict.INCOMPLETE: "held back: required games are missing",
    Verdict.BLOCKED: "held back: its breaker is open",
    Verdict.EXCLUDED: "no row: nothing is required of it",
    Verdict.DEAD_LETTER: "held back: an upstream row contradicts itself",
}


def write_report(
    warehouse: Warehouse, start: dt.date, end: dt.date, now: dt.datetime, file: Path, say: Progress = lambda _: None
) -> dict[str, Any]:
    """Writes the report of the closed range, whole or not at all, and says what is in it."""
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise UsageError(f"cannot write {file}: expected the name of a file in a directory that exists")
    facts = gather(warehouse, start, end, now, say)
    say("drawing")
    text = render(facts)
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise EngineError(f"cannot write {file}: {error.strerror}") from error
    everything = facts.tallies[""]
    return {
        "file": str(file),
        "kilobytes": round(len(text.encode()) / 1024),
        "game_days": len(facts.days),
        "entity_days": everything.rows,
        "ready_pct": None if everything.ready_pct is None else round(everything.ready_pct, 1),
        "open_breakers": facts.breakers.num_rows,
    }


def render(facts: Facts) -> str:
    """The whole document."""
    template = _TEMPLATES.get_template("report.html.j2")
    style, script = _asset("report.css"), _asset("report.js")
    shares = _shares(facts)
    return template.render(
        facts=facts,
        style=Markup(style),
        script=Markup(script),
        # The browser itself refuses whatever else would run or load.
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
        figures=figures(facts),
        legend=[(int(v), LETTERS[v], v.label.replace("_", " "), meaning) for v, meaning in _MEANINGS.items()],
        tallies=_tally_rows(facts),
        verdicts=list(Verdict),
        graph=Markup(charts.graph(shares)),
        reads=[(node.name, *shares[node.name], ", ".join(node.reads)) for node in nodes()],
        coverage=Markup(charts.coverage(facts)),
        windows=Markup(charts.windows(facts)),
        activity=Markup(charts.activity(facts)),
        breakers=facts.breakers.slice(0, BREAKERS_SHOWN).to_pylist(),
        percent=percent,
        data={"heatmap": heatmap(facts), "tables": _tables(facts), "page": PAGE_ROWS},
    )


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _tally_rows(facts: Facts) -> list[dict[str, Any]]:
    """One a processor, and all of them first."""
    return [
        {
            "name": name or "all processors",
            "tally": tally,
            "band": band(tally.ready_pct),
            "last": facts.last_tallies[name].ready_pct,
            "last_band": band(facts.last_tallies[name].ready_pct),
        }
        for name, tally in facts.tallies.items()
    ]


def _shares(facts: Facts) -> dict[str, tuple[str, float | None]]:
    """By processor: `ready` and the share of its rows; `there` and the share of the keys it owed, if it has no gate."""
    shares: dict[str, tuple[str, float | None]] = {}
    for processor in PROCESSORS:
        if processor.windows:
            shares[processor.name] = "ready", facts.tallies[processor.name].ready_pct
        else:
            mine = facts.coverage.filter(pc.equal(facts.coverage["processor_name"], processor.name))
            shares[processor.name] = "there", covered_pct(mine)
    return shares


def _tables(facts: Facts) -> dict[str, Any]:
    """The facts behind the charts, by column; the page lays them out when they are asked for."""
    owed = facts.coverage.filter(pc.greater(facts.coverage["expected_keys"], 0))
    parts = [f"{part}_keys" for part in ("expected", *charts.COVERAGE_PARTS)]
    return {
        "coverage": _columns(owed, (*_KEY, *parts, "coverage_pct")),
        "windows": _columns(facts.windows, (*_KEY, "window_name", "mean_completeness_pct")),
        "breakers": _columns(facts.activity, (*_KEY, "attempts", "trips", "entities")),
    }


_KEY = ("analysis_date", "processor_name")


def _columns(table: pa.Table, names: Sequence[str]) -> dict[str, Any]:
    columns = [table[name] for name in names]
    texts = [c.cast(pa.string()) if pa.types.is_date(c.type) else c for c in columns]
    return {"names": [name.replace("_", " ") for name in names], "columns": [c.to_pylist() for c in texts]}
