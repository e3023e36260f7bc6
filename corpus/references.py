"""Reference images: a Parquet file with the columns ``concept``, ``key`` and ``image`` (encoded bytes)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError

COLUMNS = ("concept", "key", "image")
CREDITS = ("author", "licence", "page")
"""Columns that a file may have beside."""


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """A verified image of a concept.

    Attributes:
        key: What identifies it among the concept's references.
        image: The encoded image (PNG, JPEG or WebP).
        author: Who made it; empty where that is not known.
        licence: Under which licence it is; empty where that is not known.
        page: Where it was found; empty where that is not known.
    """

    key: str
    image: bytes
    author: str = ""
    licence: str = ""
    page: str = ""


def read_references(
    path: Path | str, concepts: Iterable[str], maximum: int | None = None
) -> dict[str, tuple[ReferenceImage, ...]]:
    """Return the reference images of some concepts, by ascending key.

    Args:
        path: The Parquet file.
        concepts: Names, spelt as in the file. One without references gets an empty tuple.
        maximum: At most so many per concept, the first by key; None: all. Rows without an image are left out.

    Raises:
        CorpusError: The file is missing, no Parquet file, or lacks a column.
    """
    wanted = list(dict.fromkeys(concepts))
    found: dict[str, list[ReferenceImage]] = {name: [] for name in wanted}
    try:
        with pq.ParquetFile(path) as file:
            absent = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if absent:
                listed = ", ".join(file.schema_arrow.names)
                raise CorpusError(f"{path}: no column {absent[0]!r}; the columns are: {listed}")
            known = [name for name in CREDITS if name in file.schema_arrow.names]
            for batch in file.iter_batches(columns=[*COLUMNS, *known], batch_size=1024):
                for row in batch.to_pylist():
                    if row["concept"] in found and row["image"]:
                        about = {name: str(row[name] or "") for name in known}
                        image = ReferenceImage(str(row["key"]), bytes(row["image"]), **about)
                        found[row["concept"]].append(image)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: there is no such file; it should hold the reference images") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
    return {
        name: tuple(sorted(images, key=lambda reference: reference.key)[:maximum])
        for name, images in found.items()
    }
