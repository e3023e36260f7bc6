"""Small embeddings in the layouts that are read: LAION's, and Parquet with lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.embeddings.counter import EmbeddingCounter, EmbeddingQuery, NamedRows
from corpus.embeddings.counts import EmbeddingCounts
from corpus.embeddings.files import EmbeddingFile, find_embeddings
from corpus.embeddings.references import References, references_of
from corpus.embeddings.screen import NumpyScreen, Screen
from corpus.embeddings.shards import open_embeddings


def texts(n: int) -> dict[str, list[str]]:
    """Addresses and captions of n rows; two neighbours share an address."""
    return {
        "url": [f"https://example.org/{row // 2}.jpg" for row in range(n)],
        "caption": [f"picture {row}" for row in range(n)],
    }


def write_npy(folder: Path, number: str, rows: np.ndarray, **columns: list[str | None]) -> Path:
    """Write ``img_emb_NUMBER.npy`` and, with columns, ``metadata_NUMBER.parquet`` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"img_emb_{number}.npy"
    np.save(path, rows)
    if columns:
        pq.write_table(pa.table(columns), folder / f"metadata_{number}.parquet")
    return path


def lists(rows: np.ndarray, fixed: bool = True) -> pa.Array:
    """Rows as an Arrow column of lists."""
    flat = pa.array(np.ascontiguousarray(rows).ravel())
    if fixed:
        return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, flat)


def write_parquet(path: Path, rows: np.ndarray, fixed: bool = True, **columns: list[str | None]) -> Path:
    """Write a Parquet file of embeddings, 3 rows to a row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"embedding": lists(rows, fixed), **columns}), path, row_group_size=3)
    return path


def references(**vectors: list[list[float]]) -> References:
    return references_of({name: np.array(each, np.float32) for name, each in vectors.items()})


def counter(
    of: References, cuts: float | list[float], top: int = 0, screen: Screen | None = None, threads: int = 1
) -> EmbeddingCounter:
    given = np.full(len(of.concepts), cuts, np.float32) if isinstance(cuts, float) else np.float32(cuts)
    return EmbeddingCounter(EmbeddingQuery(of, given, top), screen or NumpyScreen(of), threads)


def only_file(place: Path) -> EmbeddingFile:
    (file,) = find_embeddings(str(place))
    return file


def count(by: EmbeddingCounter, place: Path, named: NamedRows | None = None) -> EmbeddingCounts:
    """Count the one file of embeddings that lies there."""
    return by.count(open_embeddings(only_file(place), by.query.references.dimensions), named)
