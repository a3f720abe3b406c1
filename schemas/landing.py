"""What a landing file brings to a raw table: its stem, the columns copied as they are, and those computed from."""

from collections.abc import Mapping
from dataclasses import dataclass

# Of CSV files: UTF-8, with or without a byte order mark. By this name Python decodes them, and refuses bytes that are
# none wherever they are; by "utf8" pyarrow reads on, and where a row is ragged too Python prints what it cannot raise.
CSV_ENCODING = "utf-8-sig"


@dataclass(frozen=True)
class Landing:
    """One landing file of a raw table.

    stem: the file's name without season or extension.
    columns: raw column -> landing column, for columns copied one to one.
    computed_from: landing columns that the loader reads to compute the others.
    labelled: a word may follow the stem, such as the market in `prop_lines_points`; what it says is not read.
    """

    stem: str
    columns: Mapping[str, str]
    computed_from: tuple[str, ...] = ()
    labelled: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """Every landing column the loader reads, once each."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.computed_from)))
