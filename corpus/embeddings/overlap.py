"""Where captions and embeddings agree: rows that a caption names, rows that an embedding shows, both.

Rows that only the embeddings show are what a count of captions misses (METHOD's assumption A4); rows that
only captions name are images that do not show the concept, or do not resemble its references.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.captions import NamingRow
from corpus.embeddings.exact import Pairs


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Rows of the shards with captions, by what names or shows a concept in them.

    Attributes:
        known: Whether the concept is in the list of concepts that captions were searched for, shape (n,).
        named: Rows whose caption names it, shape (n,), int64; of rows with a usable embedding.
        shown: Rows at or above its cut, shape (n,), int64.
        both: Rows where both hold, shape (n,), int64.
    """

    known: NDArray[np.bool_]
    named: NDArray[np.int64]
    shown: NDArray[np.int64]
    both: NDArray[np.int64]

    def __add__(self, other: Overlap) -> Overlap:
        """Return the overlap over the rows of both."""
        return Overlap(self.known, self.named + other.named, self.shown + other.shown, self.both + other.both)


def overlap_of(
    naming: Iterable[NamingRow], owners: NDArray[np.int64], hits: Pairs, unusable: NDArray[np.int64], n: int
) -> Overlap:
    """Return the overlap of one shard.

    Args:
        naming: The rows whose captions name concepts.
        owners: Position among the n concepts of each concept that captions were searched for; -1: none.
        hits: Rows at or above the cut, each pair once.
        unusable: Rows without a usable embedding, ascending: no embedding could show anything there.
        n: Number of concepts with references.
    """
    pairs = [(owners[owner], each.row) for each in naming for owner in each.owners]
    concepts, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    kept = (concepts >= 0) & ~np.isin(rows, unusable)
    concepts, rows = concepts[kept], rows[kept]
    both = np.isin(_keys(hits.concepts, hits.rows, n), _keys(concepts, rows, n))
    known = np.isin(np.arange(n), owners)
    return Overlap(
        known=known,
        named=np.bincount(concepts, minlength=n),
        shown=np.bincount(hits.concepts, minlength=n),
        both=np.bincount(hits.concepts[both], minlength=n),
    )


def _keys(concepts: NDArray[np.integer[Any]], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return one number for each pair."""
    keys: NDArray[np.int64] = rows * n + concepts
    return keys
