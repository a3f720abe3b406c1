"""The heatmap's data as text: small enough to ship whole, quick to decode a page at a time.

A row of the matrix is one string of runs, `code` or `code*length`, joined by commas; code 0 is no verdict, code n
the n-th detail.  Missing games and issues are written once each, and named by number.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.gate import Verdict
from fullcourt.report.gather import Codes, Facts

# A letter a verdict, shown in its cell: what is told by colour is told by letter too.
LETTERS = {
    Verdict.READY: "R",
    Verdict.FLAGGED: "F",
    Verdict.INCOMPLETE: "I",
    Verdict.BLOCKED: "B",
    Verdict.EXCLUDED: "X",
    Verdict.DEAD_LETTER: "D",
}


def run_lengths(codes: Codes) -> list[str]:
    """One string a row of a matrix of integers."""
    if not codes.size:
        return [""] * len(codes)
    starts = np.ones(codes.shape, dtype=np.bool_)
    starts[:, 1:] = codes[:, 1:] != codes[:, :-1]
    at = np.flatnonzero(starts)
    length = np.diff(np.append(at, codes.size))
    code = pa.array(codes.ravel()[at]).cast(pa.string())
    run = pc.binary_join_element_wise(code, pa.array(length).cast(pa.string()), "*")
    text = pc.if_else(pa.array(length > 1), run, code)
    offsets = np.append(0, np.cumsum(starts.sum(axis=1))).astype(np.int32)
    joined: list[str] = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), text), ",").to_pylist()
    return joined


def heatmap(facts: Facts) -> dict[str, Any]:
    """What the page's script reads."""
    details = facts.details
    return {
        "days": [day.isoformat() for day in facts.days],
        "letters": [LETTERS[verdict] for verdict in Verdict],
        "verdicts": [verdict.label.replace("_", " ") for verdict in Verdict],
        "details": {
            "verdict": details["verdict"].to_pylist(),
            "actual": details["actual_games"].to_pylist(),
            "required": details["required_games"].to_pylist(),
            "excused": details["excused_games"].to_pylist(),
            **{name: _numbered(details[column]) for name, column in _TEXTS.items()},
        },
        "processors": [
            {
                "name": grid.processor.name,
                "entities": grid.entities.to_pylist(),
                "held": grid.held_back.tolist(),
                "flagged": grid.flagged.tolist(),
                "rows": run_lengths(grid.codes + 1),
            }
            for grid in facts.grids
        ],
    }


_TEXTS = {"reason": "reason", "missing": "missing_games", "issues": "issues"}


def _numbered(column: pa.ChunkedArray) -> dict[str, Any]:
    """Each text once, and every row's as its number."""
    encoded = column.combine_chunks().dictionary_encode()
    return {"texts": encoded.dictionary.to_pylist(), "of": encoded.indices.to_pylist()}
