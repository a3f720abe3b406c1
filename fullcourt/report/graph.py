"""The processor graph: who reads whom, and where each one stands on the page."""

from dataclasses import dataclass

from fullcourt.domain.processors import BY_NAME, PROCESSORS, Phase

# The registry says which processors gate which; predictions read feature rows without being gated by day.
_PREDICTIONS_READ = "ml_feature_store_v2"


@dataclass(frozen=True)
class Node:
    """layer: 0 for what reads no other processor, else one more than the deepest it reads.  row: from the top."""

    name: str
    reads: tuple[str, ...]
    layer: int
    row: float


def nodes() -> tuple[Node, ...]:
    """Every processor, in DAG order."""
    reads = {processor.name: _reads(processor.name) for processor in PROCESSORS}
    layers: dict[str, int] = {}
    for name, others in reads.items():  # DAG order: what it reads comes before it
        layers[name] = 1 + max((layers[other] for other in others), default=-1)
    rows: dict[str, float] = {}
    wide = [[name for name in reads if layers[name] == layer] for layer in (0, 1)]
    for place, name in enumerate(sorted(wide[1], key=lambda name: len(reads[name]))):
        rows[name] = float(place)
    readers = {name: sum(name in others for others in reads.values()) for name in wide[0]}
    for place, name in enumerate(sorted(wide[0], key=lambda name: readers[name])):
        # What most read stands below everything, where its long edges cross no box.
        rows[name] = float(len(wide[1])) if place == len(wide[0]) - 1 else float(place)
    deeper = [name for name in reads if layers[name] > 1]
    for place, name in enumerate(deeper):  # half a row off, so that long edges of whole rows pass between them
        rows[name] = 1.5 + place % 2
    return tuple(Node(name, others, layers[name], rows[name]) for name, others in reads.items())


def _reads(name: str) -> tuple[str, ...]:
    processor = BY_NAME[name]
    if processor.phase is Phase.PREDICTIONS:
        return (_PREDICTIONS_READ,)
    upstream = (processor.upstream.table,) if processor.upstream else ()
    return (*upstream, *(dependency.processor for dependency in processor.depends))
