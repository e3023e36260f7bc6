"""Counts of captions: of one shard, and of several, merged in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from corpus.sampling import SampleRow, smallest


@dataclass(frozen=True, slots=True)
class CaptionTally:
    """What became of a shard's rows.

    Attributes:
        rows: All rows.
        excluded: Rows that do not meet the condition.
        null: Of the others, those without a caption.
        empty: Of the others, those with a caption of no characters.
        repaired: Captions that were not UTF-8 (counted, with U+FFFD in place of the bad bytes).
        named: Captions that name at least one concept.
    """

    rows: int = 0
    excluded: int = 0
    null: int = 0
    empty: int = 0
    repaired: int = 0
    named: int = 0

    @property
    def captions(self) -> int:
        """Captions that were looked at: rows that meet the condition and have one."""
        return self.rows - self.excluded - self.null - self.empty

    def __add__(self, other: CaptionTally) -> CaptionTally:
        """Return the tally of both."""
        return CaptionTally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class CaptionCounts:
    """Counts of one shard or of several.

    Attributes:
        concepts: The concepts' names, in the query's order, length n.
        tally: What became of the rows.
        caption_counts: Captions that name each concept, shape (n,), int64.
        url_hashes: Per concept the distinct 64-bit digests of the URLs of those captions, ascending; None
            when a shard has no URL column. Rows without a URL add nothing. Two URLs share a digest with a
            chance of 5e-20 per pair.
        samples: Per concept the sampled rows in the order of their keys.
        sample: Rows asked for per concept.
    """

    concepts: tuple[str, ...]
    tally: CaptionTally
    caption_counts: NDArray[np.int64]
    url_hashes: tuple[NDArray[np.uint64], ...] | None
    samples: tuple[tuple[SampleRow, ...], ...]
    sample: int

    @property
    def distinct_url_counts(self) -> NDArray[np.int64] | None:
        """Distinct URLs per concept, shape (n,); None when a shard has no URL column."""
        if self.url_hashes is None:
            return None
        return np.array([len(hashes) for hashes in self.url_hashes], np.int64)


def merge(parts: Iterable[CaptionCounts]) -> CaptionCounts:
    """Return the counts of several shards together; the order of the parts does not matter.

    The distinct URLs become None when one part has none, because a sum over the others would be too small.

    Raises:
        ValueError: There is no part, or the parts answer different queries.
    """
    parts = tuple(parts)
    if not parts:
        raise ValueError("no counts to merge")
    first = parts[0]
    if any((part.concepts, part.sample) != (first.concepts, first.sample) for part in parts):
        raise ValueError("the counts are of different concepts or sample sizes")
    every = range(len(first.concepts))
    return CaptionCounts(
        concepts=first.concepts,
        tally=sum((part.tally for part in parts), CaptionTally()),
        caption_counts=np.sum([part.caption_counts for part in parts], axis=0, dtype=np.int64),
        url_hashes=_merged_hashes(parts, len(first.concepts)),
        samples=tuple(
            tuple(smallest((row for part in parts for row in part.samples[owner]), first.sample))
            for owner in every
        ),
        sample=first.sample,
    )


def _merged_hashes(parts: tuple[CaptionCounts, ...], n: int) -> tuple[NDArray[np.uint64], ...] | None:
    hashes = [part.url_hashes for part in parts if part.url_hashes is not None]
    if len(hashes) < len(parts):
        return None
    return tuple(np.unique(np.concatenate([each[owner] for each in hashes])) for owner in range(n))
