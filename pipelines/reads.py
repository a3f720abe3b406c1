"""What each phase reads. It needs no Beam: who only asks whether anything changed does not wait for it."""

from collections.abc import Callable, Mapping, Sequence

from fullcourt.domain import breaker, summaries
from fullcourt.domain.breaker import BREAKER_STATE
from fullcourt.domain.days import to_date
from fullcourt.domain.features import columns_wanted
from fullcourt.domain.predictions import assembly
from fullcourt.domain.processors import BY_NAME, Phase, Processor
from fullcourt.warehouse import Read
from schemas import TABLES

Reads = Callable[[tuple[Processor, ...], Sequence[int], Sequence[int]], list[Read]]


def of_gated(processors: Sequence[Processor], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """Whole seasons of the games, the days' rows of other processors, the days' breakers."""
    dates = [to_date(day) for day in days]
    wanted = []
    for table, columns in columns_wanted(processors).items():
        if not _is_gated(table):
            wanted.append(Read(table, columns, {"season_year": list(seasons)}))
        elif not any(processor.name == table for processor in processors):
            wanted.append(Read(table, columns, {BY_NAME[table].day_column: dates}))
    named = [processor.name for processor in processors]
    breakers = Read(BREAKER_STATE, tuple(breaker.STATE.names), {"processor_name": named, "analysis_date": dates})
    wanted.append(breakers)
    return wanted


def of_analytics(processors: Sequence[Processor], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """A table that summaries and contexts both read is read once."""
    of_games, contexts = split(processors)
    wanted = {read.table: read for read in of_gated(contexts, seasons, days)} if contexts else {}
    for table, columns in summaries.RAW.items() if of_games else ():
        both = dict.fromkeys((*(wanted[table].columns if table in wanted else ()), *columns))
        wanted[table] = Read(table, tuple(both), {"season_year": list(seasons)})
    for name in (processor.name for processor in of_games):
        if name in wanted:  # of these the days made here are left out
            told_by = dict.fromkeys((*wanted[name].columns, str(TABLES[name].day)))
            wanted[name] = Read(name, tuple(told_by), wanted[name].only)
    return list(wanted.values())


def of_predictions(processors: Sequence[Processor], seasons: Sequence[int], days: Sequence[int]) -> list[Read]:
    """The days' contexts, features and caches; the seasons' summaries and defence analyses."""
    dates = [to_date(day) for day in days]
    return [
        Read(
            table,
            columns,
            {BY_NAME[table].day_column: dates} if table in assembly.OF_THE_DAY else {"season_year": list(seasons)},
        )
        for table, columns in assembly.TABLES.items()
    ]


READS: Mapping[Phase, Reads] = {
    Phase.ANALYTICS: of_analytics,
    Phase.PRECOMPUTE: of_gated,
    Phase.PREDICTIONS: of_predictions,
}


def split(processors: Sequence[Processor]) -> tuple[tuple[Processor, ...], tuple[Processor, ...]]:
    """Of analytics: summaries of games that were played, and contexts of fixtures."""
    return (
        tuple(processor for processor in processors if not processor.windows),
        tuple(processor for processor in processors if processor.windows),
    )


def _is_gated(table: str) -> bool:
    return table in BY_NAME and bool(BY_NAME[table].windows)
