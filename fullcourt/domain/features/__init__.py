"""What each processor computes once the gate lets it: one module a processor."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from fullcourt.domain.features import player_shot_zones, team_defense_zones
from fullcourt.domain.fingerprint import Hashes
from fullcourt.domain.gate import Judgement
from fullcourt.domain.observation import Observation
from fullcourt.domain.processors import Entity, Processor
from fullcourt.domain.windows import Bools


@dataclass(frozen=True)
class Feature:
    """One processor's formulas.

    reads: the upstream columns.  compute: the business columns of the judged rows.
    unknown: where a row's sample says nothing about shots.  context: what else, beside the entity's own games,
    a row's figures come from, as a hash to mix into its source hash.
    """

    reads: tuple[str, ...]
    compute: Callable[[Observation, Judgement], dict[str, pa.Array]]
    unknown: Callable[[Observation, Judgement], Bools] | None = None
    context: Callable[[Observation, Judgement], Hashes] | None = None


def upstream_columns(processor: Processor) -> tuple[str, ...]:
    """What a processor reads of the table it is counted against."""
    player = ("universal_player_id",) if processor.entity is Entity.PLAYER else ()
    return tuple(dict.fromkeys((*FEATURES[processor.name].reads, *player, "season_year", "processed_at")))


FEATURES: dict[str, Feature] = {
    "team_defense_zone_analysis": Feature(
        reads=team_defense_zones.READS,
        compute=team_defense_zones.compute,
        context=team_defense_zones.context_hash,
    ),
    "player_shot_zone_analysis": Feature(
        reads=player_shot_zones.READS,
        compute=player_shot_zones.compute,
        unknown=player_shot_zones.shots_unknown,
    ),
}
