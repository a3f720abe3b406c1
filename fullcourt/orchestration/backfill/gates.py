"""What stops a day of a backfill before anything is computed of it: upstreams that are not there, or not usable."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fullcourt.domain.errors import GateError
from fullcourt.domain.fallback import CONTEXT, Context, reads_context
from fullcourt.domain.processors import PROCESSORS, Phase, Processor
from fullcourt.orchestration.fallback import contexts
from fullcourt.orchestration.history import MAX_NULL_SHARE
from fullcourt.orchestration.publish import stored_rows
from fullcourt.warehouse import Warehouse
from fullcourt.warehouse.queries import QUERIES

_SHOWN = 3
_BEFORE = {Phase.PRECOMPUTE: Phase.ANALYTICS, Phase.PREDICTIONS: Phase.PRECOMPUTE}


@dataclass(frozen=True)
class Finding:
    """Something about a day. stops: it is not computed, unless forced; else it is a warning."""

    day: dt.date
    stops: bool
    what: str


@dataclass(frozen=True)
class Inspection:
    """findings: by day, then as found.  contexts: of days whose context the processors read."""

    findings: tuple[Finding, ...]
    contexts: tuple[Context, ...] = ()

    @property
    def stopped(self) -> dict[dt.date, str]:
        """Day -> all that stops it."""
        reasons: dict[dt.date, list[str]] = {}
        for finding in self.findings:
            if finding.stops:
                reasons.setdefault(finding.day, []).append(finding.what)
        return {day: "; ".join(texts) for day, texts in reasons.items()}

    @property
    def synthetic_days(self) -> list[dt.date]:
        return [context.day for context in self.contexts if context.falls_back]

    @property
    def stale_days(self) -> list[dt.date]:
        """Days with some context, but too little of it: what `--strict-preflight` refuses."""
        return [context.day for context in self.contexts if context.falls_back and context.real]


def refuse_stale(inspection: Inspection) -> None:
    """GateError for days with a stale rest of their context, where falling back is not wanted."""
    if stale := inspection.stale_days:
        more = f" and {len(stale) - _SHOWN} more" if len(stale) > _SHOWN else ""
        texts = "; ".join(context.text for context in inspection.contexts if context.day in stale[:_SHOWN])
        raise GateError(f"strict pre-flight: {texts}{more}; nothing was computed")


def inspect(warehouse: Warehouse, processors: Sequence[Processor], days: Sequence[dt.date]) -> Inspection:
    """The gates before the job, of processors of one stage: upstream existence and null shares, then the context."""
    phase = processors[0].phase
    if phase is Phase.ANALYTICS:
        makes_summaries = any(not processor.windows for processor in processors)
        return Inspection(tuple(_raw(warehouse, days)) if makes_summaries else ())
    findings = [*_published(warehouse, _BEFORE[phase], days)]
    read: tuple[Context, ...] = ()
    if phase is Phase.PREDICTIONS or any(map(reads_context, processors)):
        read = tuple(contexts(warehouse, days))
        findings += _contexts(read, falls_back=phase is Phase.PRECOMPUTE)
    return Inspection(tuple(sorted(findings, key=lambda finding: finding.day)), read)


def _raw(warehouse: Warehouse, days: Sequence[dt.date]) -> Iterable[Finding]:
    """Box scores of every final game."""
    rows = warehouse.query(QUERIES["days_owed"].sql, start=min(days), end=max(days)).to_pylist()
    for row in rows:
        if row["game_date"] not in days:
            continue
        for column, what in (("whole_team_games", "players' box scores"), ("team_boxscores", "team box scores")):
            found, due = row[column], row["final_team_games"]
            if found < due:
                text = f"{what}: {found} of {due} team-games are whole"
                yield Finding(row["game_date"], stops=found == 0, what=text)


def _published(warehouse: Warehouse, phase: Phase, days: Sequence[dt.date]) -> Iterable[Finding]:
    """Every processor of the phase before has published the day, completely, and its rows still stand."""
    outputs = warehouse.query(QUERIES["output_days"].sql, start=min(days), end=max(days)).to_pylist()
    owed = warehouse.query(QUERIES["days_owed"].sql, start=min(days), end=max(days)).to_pylist()
    zoned = {row["game_date"] for row in owed if row["owes_zones"]}
    upstream = {processor.name: processor for processor in PROCESSORS if processor.phase is phase}
    stored = {name: stored_rows(warehouse, processor, days) for name, processor in upstream.items()}
    for row in outputs:
        name, day = row["processor_name"], row["analysis_date"]
        if name not in upstream or day not in days or name == CONTEXT:  # the context has a rule of its own
            continue
        if row["status"] == "EXPECTED":
            yield Finding(day, stops=True, what=f"{name} is not published")
        elif row["status"] == "DEGRADED":
            share = "nothing of it" if row["coverage_pct"] is None else f"{row['coverage_pct']:.1f} % of it"
            yield Finding(day, stops=True, what=f"{name} is not complete: {share} is covered")
        elif (found := stored[name].get(day, 0)) < row["row_count"]:
            text = f"{name} holds {found} of the {row['row_count']} rows that were published"
            yield Finding(day, stops=True, what=text)
        elif (row["max_null_share"] or 0) > MAX_NULL_SHARE and not upstream[name].windows and day in zoned:
            # Of games without shots in the source, such as playoffs, the nulls are what it says.
            text = f"{name}: {100 * row['max_null_share']:.0f} % of a column is unknown"
            yield Finding(day, stops=True, what=text)


def _contexts(read: Iterable[Context], *, falls_back: bool) -> Iterable[Finding]:
    """Whoever cannot fall back stops at a context that is not there; a fallback made from a part of a day stops too."""
    for context in read:
        if not context.expected and context.team_games:
            yield Finding(context.day, stops=True, what="player_game_summary has no rows")
        elif context.falls_back and not falls_back:
            yield Finding(context.day, stops=True, what=context.counts)
        elif context.falls_back and context.source_partial:
            text = (
                f"{context.counts}; what would be made of player_game_summary is partial itself: "
                f"{context.whole_team_games} of {context.team_games} team-games are whole"
            )
            yield Finding(context.day, stops=True, what=text)
        elif context.falls_back:
            yield Finding(context.day, stops=False, what=f"{context.counts}: made of player_game_summary instead")
