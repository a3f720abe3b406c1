"""The benchmark's processor, and its rows made by the product's kernel: what the Beam job and the bare kernel share."""

import numpy as np
import pyarrow as pa

from benchmarks.spec import COUNTS, KEY, MEANS, STATISTICS, THRESHOLD_PER_MILLE, WINDOWS
from fullcourt.domain.features import FEATURES, Feature
from fullcourt.domain.gate import Judgement, Verdict
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity, Phase, Processor, Upstream
from fullcourt.domain.rows import Judged

PROCESSOR = Processor(
    "benchmark",
    Phase.PRECOMPUTE,
    Entity.PLAYER,
    "analysis_date",
    upstream=Upstream("player_game_summary", "player_lookup", "player_game"),
    windows=WINDOWS,
    primary=WINDOWS[1],
    threshold_per_mille=THRESHOLD_PER_MILLE,
)
DICTIONARIES = ("game_id", "team_abbr", "player_lookup", "universal_player_id")
UPSTREAM_COLUMNS = (*DICTIONARIES, "season_year", "processed_at", *STATISTICS)
WRITTEN = {Verdict.READY: "ready", Verdict.FLAGGED: "held_back", Verdict.INCOMPLETE: "held_back"}
_ENCODED = pa.dictionary(pa.int32(), pa.string())
COUNT_SCHEMA = pa.schema(
    [(KEY[0], _ENCODED), (KEY[1], pa.int64()), (KEY[2], pa.date32()), *((name, pa.int32()) for name in COUNTS)]
)
MEAN_SCHEMA = pa.schema([*COUNT_SCHEMA, *((name, pa.float64()) for name in MEANS)])
SCHEMAS = {"ready": MEAN_SCHEMA, "held_back": COUNT_SCHEMA}


def no_features(seen: Observation, rows: Judgement) -> dict[str, pa.Array]:
    """The means are made with the rows, as the other contestants make them."""
    return {}


FEATURES[PROCESSOR.name] = Feature(reads=UPSTREAM_COLUMNS, compute=no_features)


def rows_of(judged: Judged, schema: pa.Schema) -> pa.Table:
    """Keys and counts of one verdict's rows; means too where the verdict lets the row be computed."""
    seen, rows = judged.seen, judged.rows
    season = np.full(judged.size, seen.calendar.season, dtype=np.int64)
    columns: list[pa.Array] = [
        pa.DictionaryArray.from_arrays(pa.array(rows.entity), seen.entities),
        pa.array(season),
        pa.array(rows.day).cast(pa.date32()),
    ]
    for counts in rows.windows.values():
        columns += [pa.array(counts.expected), pa.array(counts.excused), pa.array(counts.actual)]
    if rows.verdict[0] != Verdict.READY:
        return pa.Table.from_arrays(columns, schema=COUNT_SCHEMA)
    return pa.Table.from_arrays([*columns, *_means(seen, rows)], schema=MEAN_SCHEMA)


def _means(seen: Observation, rows: Judgement) -> list[pa.Array]:
    totals = [seen.sample.total(seen.sample.values(name)[0]).ravel() for name in STATISTICS]
    end = seen.sample.edge(rows.entity, rows.slot)
    at_end = [total[end] for total in totals]
    means = []
    for counts in rows.windows.values():
        begin, played = seen.sample.edge(rows.entity, counts.first), counts.actual.astype(np.float64)
        some = counts.actual > 0
        known = None if some.all() else pa.array(some).buffers()[1]
        for total, before in zip(totals, at_end, strict=True):
            with np.errstate(invalid="ignore"):
                mean = (before - total[begin]) / played
            means.append(pa.Array.from_buffers(pa.float64(), len(mean), [known, pa.py_buffer(mean)]))
    return means
