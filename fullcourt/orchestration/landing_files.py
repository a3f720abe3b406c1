"""Finds the landing files of a directory and refuses what cannot be one, before anything runs."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import ModuleType

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.tables import Table
from fullcourt.warehouse import files
from schemas import (
    game_lines,
    inactive_lists,
    injury_reports,
    nbac_gamebook_player_stats,
    nbac_schedule,
    nbac_team_boxscore,
    player_aliases,
    player_props,
    shot_zones,
)
from schemas.landing import CSV_ENCODING, Landing

# The raw tables that landing files fill, in the order they are loaded.
SOURCES: tuple[ModuleType, ...] = (
    nbac_schedule,
    player_aliases,
    nbac_gamebook_player_stats,
    nbac_team_boxscore,
    shot_zones,
    inactive_lists,
    player_props,
    injury_reports,
    game_lines,
)
EXTENSIONS = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True)
class Found:
    """A file of the directory, by path or URL; table and landing are None when it is none of ours.

    unread: its columns that no raw table has a place for.
    """

    path: str
    sha256: str
    bytes: int
    table: Table | None = None
    landing: Landing | None = None
    unread: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


def find(directory: str) -> list[Found]:
    """Every file of the directory, which may be gs://bucket/directory; ours checked: readable, complete in columns.

    UsageError when the directory is none or holds no landing file; GateError names a file that cannot be read.
    """
    paths = files.listed(directory)
    if paths is None:
        raise UsageError(f"no directory {directory}: expected one with landing files")
    found = [_describe(path) for path in paths]
    if not any(file.table for file in found):
        stems = ", ".join(source.LANDING.stem for source in SOURCES)
        raise UsageError(f"no landing files in {directory}: expected names such as {stems} in Parquet, CSV or CSV.gz")
    return found


def copied_columns(table: Table, landing: Landing) -> Mapping[str, tuple[str, pa.DataType]]:
    """raw column -> (landing column, type), for the columns copied one to one."""
    return {name: (source, table.by_name[name].arrow_field.type) for name, source in landing.columns.items()}


def _describe(path: str) -> Found:
    digest, size = hashlib.sha256(), 0
    with files.opened(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    found = Found(path, digest.hexdigest(), size)
    for source in SOURCES:
        if _is_of(found.name, source.LANDING):
            unread = tuple(name for name in _check(found, source.LANDING) if name not in source.LANDING.needed)
            return replace(found, table=source.TABLE, landing=source.LANDING, unread=unread)
    return found


def _is_of(name: str, landing: Landing) -> bool:
    """`schedule.parquet`, `schedule-2023-24.csv.gz`: the stem, a date or season behind it, a known extension.

    Where files of the stem are labelled, a word may come between: `prop_lines_points-2024-25.csv.gz`.
    """
    label = r"([-_][A-Za-z]\w*)?" if landing.labelled else ""
    extension = "|".join(map(re.escape, EXTENSIONS))
    return re.fullmatch(rf"{re.escape(landing.stem)}{label}([-_.]\d[\d\-_]*)?({extension})", name) is not None


def _check(file: Found, landing: Landing) -> list[str]:
    """The names of its columns. GateError: it cannot be read, or not as one of these."""
    if file.bytes == 0:
        raise GateError(f"{file.name} is empty (0 bytes): expected a landing file of {landing.stem}")
    try:
        columns = _columns(file.path)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        raise GateError(f"{file.name} cannot be read, it may be torn: {str(error).splitlines()[0]}") from error
    if missing := [name for name in landing.needed if name not in columns]:
        raise GateError(f"{file.name} lacks the columns {', '.join(missing)}: expected those of {landing.stem}")
    if wrong := [f"{name} is {kind}" for name, kind in columns.items() if name in landing.needed and _is_nested(kind)]:
        raise GateError(f"{file.name} has columns of a wrong type: {', '.join(wrong)}; expected plain values")
    return list(columns)


def _columns(path: str) -> dict[str, pa.DataType]:
    with files.opened(path, "rb") as file:
        if path.endswith(".parquet"):
            schema = pq.read_schema(file)
        else:
            # Rows of another length are the loader's to name, one by one.
            skip = pacsv.ParseOptions(invalid_row_handler=lambda _: "skip")
            text = pa.input_stream(file, compression="gzip" if path.endswith(".gz") else None)
            with pacsv.open_csv(text, pacsv.ReadOptions(encoding=CSV_ENCODING), skip) as reader:
                schema = reader.schema
    return {field.name: field.type for field in schema}


def _is_nested(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) or pa.types.is_binary(kind)
