"""Counts by embeddings: of one shard, and of several, merged in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.embeddings.overlap import Overlap


class NearRow(NamedTuple):
    """One of a concept's nearest rows.

    Attributes:
        cosine: Its largest cosine to any reference, a float32.
        file: The shard's name.
        row: Its number in the file, from 0.
        url: The image's address, None where there is none.
        caption: Its caption, None where there is none.
    """

    cosine: float
    file: str
    row: int
    url: str | None
    caption: str | None


@dataclass(frozen=True, slots=True)
class EmbeddingTally:
    """What became of the rows.

    Attributes:
        rows: All rows.
        zero: Rows whose embedding has length zero; they are compared with nothing.
        invalid: Rows whose embedding is missing, holds NaN or infinite numbers, or has a length outside
            [1e-15, 1e15]; likewise.
        captioned: Rows of shards whose captions were searched for concepts.
    """

    rows: int = 0
    zero: int = 0
    invalid: int = 0
    captioned: int = 0

    @property
    def usable(self) -> int:
        """Rows that were compared with the references."""
        return self.rows - self.zero - self.invalid

    def __add__(self, other: EmbeddingTally) -> EmbeddingTally:
        """Return the tally of both."""
        sums = (getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        return EmbeddingTally(*sums)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingCounts:
    """Counts of one shard or of several.

    Attributes:
        concepts: The concepts' names, in the order of the references, length n.
        tally: What became of the rows.
        counts: Rows at or above each concept's cut, shape (n,), int64.
        url_hashes: Per concept the distinct 64-bit digests of those rows' addresses, ascending; None when a
            shard has no addresses. Rows without one add nothing.
        nearest: Per concept the nearest rows, from the largest cosine to the smallest, ties by file and row.
        top: Rows asked for per concept.
        overlap: With the captions; None when they were not searched.
    """

    concepts: tuple[str, ...]
    tally: EmbeddingTally
    counts: NDArray[np.int64]
    url_hashes: tuple[NDArray[np.uint64], ...] | None
    nearest: tuple[tuple[NearRow, ...], ...]
    top: int
    overlap: Overlap | None

    @property
    def distinct_url_counts(self) -> NDArray[np.int64] | None:
        """Distinct addresses per concept, shape (n,); None when a shard has none."""
        if self.url_hashes is None:
            return None
        return np.array([len(hashes) for hashes in self.url_hashes], np.int64)


def merge(parts: Iterable[EmbeddingCounts]) -> EmbeddingCounts:
    """Return the counts of several shards together; the order of the parts does not matter.

    Raises:
        ValueError: There is no part, or the parts answer different queries.
    """
    parts = tuple(parts)
    if not parts:
        raise ValueError("no counts to merge")
    first = parts[0]
    if any((part.concepts, part.top) != (first.concepts, first.top) for part in parts):
        raise ValueError("the counts are of different concepts or numbers of nearest rows")
    every = range(len(first.concepts))
    overlaps = [part.overlap for part in parts if part.overlap is not None]
    return EmbeddingCounts(
        concepts=first.concepts,
        tally=reduce(add, (part.tally for part in parts)),
        counts=np.sum([part.counts for part in parts], axis=0, dtype=np.int64),
        url_hashes=_merged_hashes(parts, len(first.concepts)),
        nearest=tuple(
            nearest_of((row for part in parts for row in part.nearest[i]), first.top) for i in every
        ),
        top=first.top,
        overlap=reduce(add, overlaps) if overlaps else None,
    )


def nearest_of(rows: Iterable[NearRow], top: int) -> tuple[NearRow, ...]:
    """Return the rows with the largest cosines, ties by file and row, in that order."""
    return tuple(sorted(rows, key=lambda row: (-row.cosine, row.file, row.row))[:top])


def _merged_hashes(parts: tuple[EmbeddingCounts, ...], n: int) -> tuple[NDArray[np.uint64], ...] | None:
    hashes = [part.url_hashes for part in parts if part.url_hashes is not None]
    if len(hashes) < len(parts):
        return None
    return tuple(np.unique(np.concatenate([each[owner] for each in hashes])) for owner in range(n))
