"""The first look at a block of rows: which of them may matter to which concept.

A screen computes each row's largest cosine to each concept's references with a known largest error and
returns those that reach a floor; what lies below it by more than the error can be forgotten. The product is
what costs: the rest of the work on a block has to be small beside it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.embeddings.references import References
from corpus.embeddings.rows import Stored
from corpus.embeddings.vectors import Block, block_of, error_of_float32

PRODUCT_ROWS = 2048
"""References multiplied at a time: with 1,024 rows the product has 8 MiB, and is searched before it cools."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What a screen saw in a block.

    Attributes:
        concepts: Positions of concepts, shape (m,), int32.
        rows: Rows in the block that reach the concept's floor, shape (m,), int32.
        cosines: Their largest cosines to the concept's references, within the screen's error, shape (m,).
        zero: Rows of length zero, ascending.
        invalid: Rows that are no vectors (`vectors.Block`), ascending.
    """

    concepts: NDArray[np.int32]
    rows: NDArray[np.int32]
    cosines: NDArray[np.float32]
    zero: NDArray[np.int64]
    invalid: NDArray[np.int64]


class Screen(Protocol):
    """Compares blocks of rows with all references.

    Attributes:
        error: How far a cosine may be from the true one at most.
        block: Rows of a block that suit it.
    """

    error: float
    block: int

    def look(self, stored: Stored, floors: NDArray[np.float32]) -> Sighting:
        """Return what reaches each concept's floor; may be called from several threads at once.

        Args:
            stored: Rows as they are stored, shape (n, d), n at most `block`.
            floors: Shape (number of concepts,).
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Concepts with equally many references, so that one maximum serves them all.

    Attributes:
        concepts: Their positions, shape (g,).
        size: References of each.
        units: Their references at length 1, concept after concept, shape (g * size, d).
    """

    concepts: NDArray[np.int32]
    size: int
    units: NDArray[np.float32]


def groups_of(references: References, most: int) -> tuple[Group, ...]:
    """Sort concepts into groups of at most so many references (or one concept)."""
    groups = []
    for size in np.unique(references.counts).tolist():
        alike = np.flatnonzero(references.counts == size).astype(np.int32)
        step = max(1, most // size)
        for start in range(0, len(alike), step):
            concepts = alike[start : start + step]
            rows = (references.starts[concepts][:, None] + np.arange(size)).ravel()
            groups.append(Group(concepts, size, np.ascontiguousarray(references.units[rows])))
    return tuple(groups)


class NumpyScreen:
    """The screen on the CPU, in float32."""

    block = 1024

    def __init__(self, references: References) -> None:
        """Lay out the references."""
        self.error = error_of_float32(references.dimensions)
        self._dimensions = references.dimensions
        self._groups = groups_of(references, PRODUCT_ROWS)
        self._widest = max(len(group.units) for group in self._groups)
        self._memory = threading.local()

    def look(self, stored: Stored, floors: NDArray[np.float32]) -> Sighting:
        """Return what reaches each concept's floor, as `Screen.look` says."""
        rows, product = self._buffers(len(stored))
        block = block_of(stored, rows)
        found = [self._look(group, block, product, floors[group.concepts]) for group in self._groups]
        concepts, places, cosines = (np.concatenate(each) for each in zip(*found, strict=True))
        return Sighting(concepts, places, cosines, block.zero, block.invalid)

    def _look(
        self, group: Group, block: Block, product: NDArray[np.float32], floors: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Return concepts, rows and cosines of what one group's concepts see."""
        count = len(block.vectors)
        cosines = product[: len(group.units) * count].reshape(len(group.units), count)
        np.matmul(group.units, block.vectors.T, out=cosines)
        if group.size > 1:
            cosines = cosines.reshape(-1, group.size, count).max(axis=1)
        cosines *= block.inverse
        for unusable in (block.zero, block.invalid):
            if len(unusable):
                cosines[:, unusable] = -2
        places = np.flatnonzero(cosines >= floors[:, None])
        owners, rows = np.divmod(places, count)
        return group.concepts[owners], rows.astype(np.int32), cosines.ravel()[places]

    def _buffers(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return memory for rows and for a product, the same for each block of a thread."""
        if not hasattr(self._memory, "rows"):
            self._memory.rows = np.empty((self.block, self._dimensions), np.float32)
            self._memory.product = np.empty(self._widest * self.block, np.float32)
        return self._memory.rows[:count], self._memory.product
