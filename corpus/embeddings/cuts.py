"""The cuts: the least largest cosine at which a row counts as a concept."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import MalformedFile, UsageError

COLUMNS = ("cut", "value")
"""What the column of cuts is called; ``value`` in a run's ``verification/calibration.parquet``."""


def parse_cut(text: str) -> float | None:
    """Return the one cut for all concepts that a text stands for, None where it names a file.

    Raises:
        UsageError: The number is outside (-1, 1].
    """
    try:
        value = float(text)
    except ValueError:
        return None
    if not _in_range(value):
        raise UsageError(f"--cut {text}: a cosine lies in (-1, 1]; give such a number")
    return value


def read_cuts(path: Path) -> dict[str, float]:
    """Read a cut per concept from a CSV or Parquet file with ``concept`` and ``cut`` (or ``value``).

    Raises:
        MalformedFile: It cannot be read, lacks a column, names a concept twice, or a cut is no number in
            (-1, 1].
    """
    cuts: dict[str, float] = {}
    for line, name, given in _rows(path):
        where = f"{path}, {line}"
        if not name or name in cuts:
            raise MalformedFile(f"{where}: {'no concept' if not name else f'{name!r} stands twice'}")
        try:
            value = float(given)
        except (TypeError, ValueError):
            value = math.nan
        if not _in_range(value):
            raise MalformedFile(f"{where}: the cut of {name!r} is {given!r}, no number in (-1, 1]")
        cuts[name] = value
    return cuts


def aligned(cuts: float | Mapping[str, float], concepts: Sequence[str], source: str) -> NDArray[np.float32]:
    """Return the cut of each concept, shape (len(concepts),), as the float32 that cosines are held against.

    Raises:
        MalformedFile: One has none.
    """
    if isinstance(cuts, float):
        return np.full(len(concepts), cuts, np.float32)
    without = [name for name in concepts if name not in cuts]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        raise MalformedFile(f"{source}: no cut for {without[0]!r}{more}; add a row for each concept")
    return np.array([cuts[name] for name in concepts], np.float32)


def _in_range(value: float) -> bool:
    return -1 < value <= 1  # false for NaN


def _rows(path: Path) -> list[tuple[str, str, Any]]:
    """Return (where it stands, concept, cut as it was given) of each row."""
    if path.suffix.lower() == ".parquet":
        header, rows = _parquet(path)
        first, unit = 0, "row"
    else:
        header, rows = _csv(path)
        first, unit = 2, "line"
    column = next((header.index(name) for name in COLUMNS if name in header), None)
    if "concept" not in header or column is None:
        missing = COLUMNS[0] if "concept" in header else "concept"
        listed = ", ".join(header) or "none"
        raise MalformedFile(f"{path}: no column {missing!r}; the columns are: {listed}")
    place = header.index("concept")
    return [(f"{unit} {first + i}", row[place], row[column]) for i, row in enumerate(rows)]


def _parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        table = pq.read_table(path)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise MalformedFile(f"{path}: not a readable Parquet file of cuts") from error


def _csv(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [[cell.strip() for cell in row] for row in csv.reader(file, strict=True) if row]
    except OSError as error:
        raise MalformedFile(
            f"{path}: cannot be read ({error.strerror}); --cut takes a number or a file"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedFile(f"{path}: not a CSV file in UTF-8 ({error})") from error
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    ragged = next((i for i, row in enumerate(rows) if len(row) != len(header)), None)
    if ragged is not None:
        raise MalformedFile(
            f"{path}, row {ragged + 1}: {len(rows[ragged])} cells under {len(header)} columns"
        )
    return header, rows
