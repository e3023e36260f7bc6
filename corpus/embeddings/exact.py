"""Cosines to the last digit, for the few pairs of row and concept on which something depends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.embeddings.references import References
from corpus.embeddings.rows import Numbers
from corpus.embeddings.vectors import error_of_float32, lengths

_CHUNK = 256
"""Pairs of a row and a reference multiplied at a time: 1.5 MB each side with 768 dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a concept and a row.

    Attributes:
        concepts: Positions of concepts, shape (m,).
        rows: Rows, shape (m,).
    """

    concepts: NDArray[np.int32]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)


def exact_cosines(references: References, vectors: Numbers, pairs: Pairs) -> NDArray[np.float32]:
    """Return the largest cosine of each row to any of its concept's references.

    It is computed in float64 from the stored numbers and rounded to float32. It depends on the row and the
    references alone: float32 tells which references can be the nearest, and each of those is multiplied by
    itself, never in a matrix product whose sums depend on what else is in it.

    Args:
        references: Of all concepts.
        vectors: Usable rows, shape (n, d).
        pairs: What is asked; `rows` are places in `vectors`.
    """
    pair, reference = _contenders(references, vectors, pairs)
    cosines = np.full(len(pairs), -2.0)
    for start in range(0, len(pair), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = vectors[pairs.rows[pair[part]]].astype(np.float64)
        others = references.vectors[reference[part]].astype(np.float64)
        values = (rows * others).sum(axis=1) / (lengths(rows) * references.lengths[reference[part]])
        np.maximum.at(cosines, pair[part], values)
    return cosines.astype(np.float32)


def _contenders(
    references: References, vectors: Numbers, pairs: Pairs
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (pair, reference) of every reference that may be the nearest of its pair."""
    order = np.argsort(pairs.concepts, kind="stable")
    owners, first = np.unique(pairs.concepts[order], return_index=True)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for owner, places in zip(owners.tolist(), np.split(order, first[1:]), strict=True):
        mine = references.of(owner)
        if mine.stop - mine.start == 1:
            found.append((places, np.full(len(places), mine.start)))
            continue
        rows = vectors[pairs.rows[places]].astype(np.float32)
        rows /= lengths(rows)[:, None]
        for start in range(0, len(places), _CHUNK):
            near = rows[start : start + _CHUNK] @ references.units[mine].T
            reach = near.max(axis=1, keepdims=True) - 2 * error_of_float32(references.dimensions)
            which, reference = np.nonzero(near >= reach)
            found.append((places[start + which], reference + mine.start))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([pair for pair, _ in found]), np.concatenate([each for _, each in found])
