"""A context made from player_game_summary, where a backfill finds none (domain section 7.3).

The summaries of D say who played and where, and no more; every figure comes from the games before D.  The rows live
in the run that makes them and are marked (`primary_source_used`): nothing of them is written to
upcoming_player_game_context.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.domain.cascade import SOURCE_COLUMN
from fullcourt.domain.fallback import CONTEXT, SYNTHETIC
from fullcourt.domain.features.player_context import load, paces, rest
from fullcourt.domain.fingerprint import hash_rows, to_hex
from fullcourt.domain.gate import opponents
from fullcourt.domain.numbers import Ints, decimals, ratio
from fullcourt.domain.observation import Observation
from fullcourt.domain.rows import fit
from fullcourt.domain.windows import days

_OFFENSE = "team_offense_game_summary"


def stand_in(seen: Observation, on: Sequence[int]) -> Observation:
    """The same with the context of the given days (since 1970) replaced whole; of others it stays as stored.

    Processors that read no context are left as they are.
    """
    stored = seen.tables.more.get(CONTEXT)
    if not on or stored is None:
        return seen
    replaced = pc.is_in(stored["game_date"], pa.array(on, pa.int32()).cast(pa.date32()))
    kept = stored.filter(pc.invert(replaced))
    context = pa.concat_tables([kept, synthetic_rows(seen, on, stored.schema)]).unify_dictionaries()
    return replace(seen, tables=replace(seen.tables, more={**seen.tables.more, CONTEXT: context}))


def synthetic_rows(seen: Observation, on: Sequence[int], schema: pa.Schema) -> pa.Table:
    """One row a player in player_game_summary of the given days; columns without a rule are null."""
    at = seen.calendar.slots_of(np.array(on, np.int32))
    column, player = np.nonzero(seen.grid.present[:, at].T)
    entity, slot = player.astype(np.int32), at[column]
    figures = _figures(seen, entity, slot)
    marks = {
        SOURCE_COLUMN: pa.repeat(SYNTHETIC, len(slot)),
        "processed_with_issues": pa.repeat(True, len(slot)),
        "is_production_ready": pa.repeat(False, len(slot)),
        "data_hash": to_hex(hash_rows({**figures, SOURCE_COLUMN: pa.repeat(SYNTHETIC, len(slot))})),
    }
    columns = {**_fixture(seen, entity, slot), **figures, **marks}
    return fit({name: columns[name] for name in schema.names if name in columns}, schema, len(slot))


def _fixture(seen: Observation, entity: Ints, slot: Ints) -> dict[str, pa.Array]:
    calendar, team = seen.calendar, seen.grid.team[entity, slot]
    game, teams = calendar.game_at[team, slot], pa.array(calendar.teams)
    return {
        "player_lookup": seen.entities.take(pa.array(entity)),
        "game_id": calendar.game_ids.take(pa.array(game)),
        "nba_game_id": calendar.nba_game_ids.take(pa.array(game)),
        "game_date": pa.array(calendar.days[slot]).cast(pa.date32()),
        "season_year": pa.repeat(calendar.season, len(slot)),
        "team_abbr": teams.take(pa.array(team)),
        "opponent_team_abbr": teams.take(pa.array(opponents(seen, team, slot))),
        "home_game": pa.array(calendar.home[game] == team),
    }


def _figures(seen: Observation, entity: Ints, slot: Ints) -> dict[str, pa.Array]:
    first = {length: seen.history.count(days(length), entity, slot).first for length in (7, 14)}
    recent = load(seen, entity, slot, first)
    idle = pc.equal(recent["games_in_last_7_days"], 0)
    average = recent["avg_minutes_per_game_last_7"]
    (usage,), known = seen.sample.sums(("usage_rate",), entity, first[7], slot)
    return {
        **rest(seen, entity, slot),
        **recent,
        "avg_minutes_per_game_last_7": pc.if_else(idle, pa.scalar(Decimal("0.0"), average.type), average),
        "avg_usage_rate_last_7_games": decimals(*ratio(usage, known, 0), 5, 2),
        "star_teammates_out": pa.repeat(0, len(slot)),
        **(paces(seen, seen.grid.team[entity, slot], slot) if _OFFENSE in seen.tables.more else {}),
    }
