"""Ends a run once everything is staged: audit and publish hang off the graph, not off the launcher."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa

from transforms.stage_rows import Staged


class Tallied(NamedTuple):
    """One shard's counts per day of one processor."""

    processor: str
    counts: pa.Table


# What ends a run, given all it staged and counted. It must be safe to call twice: a bundle may be retried.
Finish = Callable[[Sequence[Staged], Sequence[Tallied]], None]


@dataclass
class FinishRun(beam.PTransform):
    """Calls `finish` exactly once a successful run, after the last staged file, even when nothing was staged.

    In: PCollections of Staged and of Tallied.
    """

    finish: Finish

    @beam.typehints.no_annotations  # several inputs
    def expand(self, parts: tuple[beam.PCollection[Staged | Tallied], ...]) -> beam.PCollection[None]:
        pipeline = parts[0].pipeline
        began = pipeline | "Began" >> beam.Impulse()
        return (
            (began, *parts)
            | "Everything" >> beam.Flatten()
            | "UnderOneKey" >> beam.WithKeys("run")
            | "WaitForAll" >> beam.GroupByKey()
            | "Finish" >> beam.Map(_finish, finish=self.finish)
        )


def _finish(everything: tuple[str, Iterable[Any]], finish: Finish) -> None:
    parts = list(everything[1])
    finish(
        [part for part in parts if isinstance(part, Staged)],
        [part for part in parts if isinstance(part, Tallied)],
    )
