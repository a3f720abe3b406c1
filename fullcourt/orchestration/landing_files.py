"""Finds the landing files of a directory and refuses what cannot be one, before anything runs."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from fullcourt.domain.errors import GateError, UsageError
from fullcourt.domain.tables import Table
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
from schemas.landing import Landing

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
    """A file of the directory; table and landing are None when it is none of ours."""

    path: Path
    sha256: str
    bytes: int
    table: Table | None = None
    landing: Landing | None = None


def find(directory: Path) -> list[Found]:
    """Every file of the directory, ours checked for being readable and complete in columns.

    UsageError when the directory is none or holds no landing file; GateError names a file that cannot be read.
    """
    if not directory.is_dir():
        raise UsageError(f"no directory {directory}: expected one with landing files")
    files = [_describe(path) for path in sorted(directory.iterdir()) if path.is_file()]
    if not any(file.table for file in files):
        stems = ", ".join(source.LANDING.stem for source in SOURCES)
        raise UsageError(f"no landing files in {directory}: expected names such as {stems} in Parquet, CSV or CSV.gz")
    return files


def copied_columns(table: Table, landing: Landing) -> Mapping[str, tuple[str, pa.DataType]]:
    """raw column -> (landing column, type), for the columns copied one to one."""
    return {name: (source, table.by_name[name].arrow_field.type) for name, source in landing.columns.items()}


def _describe(path: Path) -> Found:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    size = path.stat().st_size
    for source in SOURCES:
        if _is_of(path.name, source.LANDING):
            _check(path, size, source.LANDING)
            return Found(path, digest.hexdigest(), size, source.TABLE, source.LANDING)
    return Found(path, digest.hexdigest(), size)


def _is_of(name: str, landing: Landing) -> bool:
    """`schedule.parquet`, `schedule-2023-24.csv.gz`: the stem, a date or season behind it, a known extension.

    Where files of the stem are labelled, a word may come between: `prop_lines_points-2024-25.csv.gz`.
    """
    label = r"([-_][A-Za-z]\w*)?" if landing.labelled else ""
    extension = "|".join(map(re.escape, EXTENSIONS))
    return re.fullmatch(rf"{re.escape(landing.stem)}{label}([-_.]\d[\d\-_]*)?({extension})", name) is not None


def _check(path: Path, size: int, landing: Landing) -> None:
    if size == 0:
        raise GateError(f"{path.name} is empty (0 bytes): expected a landing file of {landing.stem}")
    try:
        found = _column_names(path)
    except (pa.ArrowInvalid, pa.ArrowException, OSError, EOFError, gzip.BadGzipFile) as error:
        raise GateError(f"{path.name} cannot be read, it may be torn: {str(error).splitlines()[0]}") from error
    if missing := [name for name in landing.needed if name not in found]:
        raise GateError(f"{path.name} lacks the columns {', '.join(missing)}: expected those of {landing.stem}")
    if wrong := [f"{name} is {kind}" for name, kind in found.items() if name in landing.needed and _is_nested(kind)]:
        raise GateError(f"{path.name} has columns of a wrong type: {', '.join(wrong)}; expected plain values")


def _column_names(path: Path) -> dict[str, pa.DataType]:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
    else:
        # Rows of another length are the loader's to name, one by one.
        with pacsv.open_csv(path, parse_options=pacsv.ParseOptions(invalid_row_handler=lambda _: "skip")) as reader:
            schema = reader.schema
    return {field.name: field.type for field in schema}


def _is_nested(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) or pa.types.is_binary(kind)
