"""Counting the rows of a shard whose embeddings show concepts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from concepts.errors import CorpusError
from corpus.captions import NamingRow
from corpus.embeddings import sweep
from corpus.embeddings.counts import EmbeddingCounts, EmbeddingTally, NearRow
from corpus.embeddings.exact import Pairs, exact_cosines
from corpus.embeddings.leaders import Leaders
from corpus.embeddings.metadata import read_texts, text_columns
from corpus.embeddings.overlap import overlap_of
from corpus.embeddings.references import References
from corpus.embeddings.screen import Screen, Sighting
from corpus.embeddings.shards import EmbeddingShard, read_blocks, read_rows
from corpus.found import url_hash

MOST_HITS = 2**26
"""Pairs of row and concept at or above the cuts in one shard, at most: they take 1 GiB."""

_ROWS_AT_ONCE = 16_384
"""Rows that are read again for exact cosines at a time: 50 MB of 768 float32."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingQuery:
    """What to count.

    Attributes:
        references: Of all concepts.
        cuts: The least largest cosine of a row that counts, per concept, shape (n,), float32.
        top: Nearest rows to keep per concept, >= 0.
    """

    references: References
    cuts: NDArray[np.float32]
    top: int


@dataclass(frozen=True, slots=True, eq=False)
class NamedRows:
    """What the captions of a shard name.

    Attributes:
        rows: The rows whose captions name concepts.
        owners: Position among the references' concepts of each concept searched for; -1: it has none.
    """

    rows: Iterable[NamingRow]
    owners: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Rows of a shard: hits by concept and row, nearest rows with their cosines, unusable rows."""

    hits: Pairs
    nearest: Pairs
    cosines: NDArray[np.float32]
    zero: NDArray[np.int64]
    invalid: NDArray[np.int64]


class EmbeddingCounter:
    """Counts one query's concepts in shards."""

    def __init__(self, query: EmbeddingQuery, screen: Screen, threads: int = 1) -> None:
        """Take a query.

        Args:
            query: What to count.
            screen: Compares blocks with the query's references.
            threads: Blocks looked at side by side.
        """
        self.query = query
        self._screen = screen
        self._threads = threads
        self._error = np.float32(screen.error)

    def count(self, shard: EmbeddingShard, named: NamedRows | None = None) -> EmbeddingCounts:
        """Count one shard.

        Args:
            shard: The shard.
            named: What its captions name, to be held against the embeddings; None: not asked.

        Raises:
            CorpusError: A file cannot be read to its end, or the cuts let nearly everything in.
        """
        found = self._find(shard)
        n = len(self.query.references.concepts)
        unusable = np.union1d(found.zero, found.invalid)
        return EmbeddingCounts(
            concepts=self.query.references.concepts,
            tally=EmbeddingTally(shard.rows, len(found.zero), len(found.invalid), shard.rows if named else 0),
            counts=np.bincount(found.hits.concepts, minlength=n),
            url_hashes=_url_hashes(shard, found.hits, n),
            nearest=_near_rows(shard, found, n),
            top=self.query.top,
            overlap=overlap_of(named.rows, named.owners, found.hits, unusable, n) if named else None,
        )

    def _find(self, shard: EmbeddingShard) -> _Found:
        leaders = Leaders(
            len(self.query.cuts), self.query.top, self._screen.error, lambda pairs: self._exact(shard, pairs)
        )
        hits, zero, invalid = _Hits(self.query.cuts, self._error), [], []
        lowest = self.query.cuts - self._error
        for start, sighting in sweep.sweep(
            sweep.graduated(
                read_blocks(shard, self.query.references.dimensions, self._screen.block), self._first()
            ),
            lambda rows: self._screen.look(rows, np.minimum(lowest, leaders.floors)),
            self._threads,
            self._screen.block,
        ):
            hits.add(sighting, start)
            leaders.offer(sighting, start)
            zero.append(sighting.zero + start)
            invalid.append(sighting.invalid + start)
            if hits.held > MOST_HITS:
                raise CorpusError(
                    f"{shard.file.path}: {hits.held:,} hits in its first {start:,} rows; the cuts are too low"
                )
        nearest, cosines = leaders.nearest()
        return _Found(self._confirmed(shard, hits), nearest, cosines, *map(_joined, (zero, invalid)))

    def _first(self) -> int:
        return max(sweep.FIRST_ROWS, 2 * self.query.top)

    def _confirmed(self, shard: EmbeddingShard, hits: _Hits) -> Pairs:
        """Return the sure hits and the unsure ones that exact cosines confirm, by concept and row."""
        sure, unsure = hits.pairs()
        reach = self._exact(shard, unsure) >= self.query.cuts[unsure.concepts]
        concepts = np.concatenate([sure.concepts, unsure.concepts[reach]])
        rows = np.concatenate([sure.rows, unsure.rows[reach]])
        order = np.lexsort((rows, concepts))
        return Pairs(concepts[order], rows[order])

    def _exact(self, shard: EmbeddingShard, pairs: Pairs) -> NDArray[np.float32]:
        """Return the exact cosines of some pairs, reading their rows again."""
        references = self.query.references
        rows, places = np.unique(pairs.rows, return_inverse=True)
        order = np.argsort(places, kind="stable")
        cosines = np.empty(len(pairs), np.float32)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            first, last = np.searchsorted(places[order], (start, start + _ROWS_AT_ONCE))
            mine = order[first:last]
            vectors = read_rows(shard, references.dimensions, rows[start : start + _ROWS_AT_ONCE])
            asked = Pairs(pairs.concepts[mine], places[mine] - start)
            cosines[mine] = exact_cosines(references, vectors, asked)
        return cosines


class _Hits:
    """Rows that reach a cut for sure, and those whose cosine is closer to it than the error."""

    def __init__(self, cuts: NDArray[np.float32], error: np.float32) -> None:
        self._cuts, self._error = cuts, error
        self._sure: list[Pairs] = [Pairs(np.empty(0, np.int32), np.empty(0, np.int64))]
        self._unsure: list[Pairs] = [Pairs(np.empty(0, np.int32), np.empty(0, np.int64))]
        self.held = 0

    def add(self, sighting: Sighting, start: int) -> None:
        """Take a block's rows; its first is the shard's row `start`."""
        above = sighting.cosines - self._cuts[sighting.concepts]
        sure = above >= self._error
        for kept, there in ((self._sure, sure), (self._unsure, ~sure & (above >= -self._error))):
            if there.any():
                kept.append(Pairs(sighting.concepts[there], sighting.rows[there].astype(np.int64) + start))
                self.held += len(kept[-1])

    def pairs(self) -> tuple[Pairs, Pairs]:
        """Return the sure and the unsure ones."""
        sure, unsure = (
            Pairs(np.concatenate([p.concepts for p in kept]), np.concatenate([p.rows for p in kept]))
            for kept in (self._sure, self._unsure)
        )
        return sure, unsure


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _url_hashes(shard: EmbeddingShard, hits: Pairs, n: int) -> tuple[NDArray[np.uint64], ...] | None:
    column = text_columns(shard.file.metadata).url
    if column is None or shard.file.metadata is None:
        return None
    rows, places = np.unique(hits.rows, return_inverse=True)
    urls = read_texts(shard.file.metadata, column, rows)
    digests = np.array([url_hash(url) if url else 0 for url in urls], np.uint64)[places]
    there = np.array([bool(url) for url in urls], np.bool_)[places]
    concepts, digests = hits.concepts[there], digests[there]
    return tuple(np.unique(each) for each in np.split(digests, np.searchsorted(concepts, np.arange(1, n))))


def _near_rows(shard: EmbeddingShard, found: _Found, n: int) -> tuple[tuple[NearRow, ...], ...]:
    """Return the nearest rows of each concept with their addresses and captions."""
    rows, places = np.unique(found.nearest.rows, return_inverse=True)
    columns = text_columns(shard.file.metadata)
    texts = [
        [None] * len(rows) if column is None or shard.file.metadata is None
        else read_texts(shard.file.metadata, column, rows)
        for column in (columns.url, columns.caption)
    ]  # fmt: skip
    near = [
        NearRow(float(cosine), shard.file.name, int(rows[place]), texts[0][place], texts[1][place])
        for cosine, place in zip(found.cosines, places, strict=True)
    ]
    starts = np.searchsorted(found.nearest.concepts, np.arange(n + 1)).tolist()
    return tuple(tuple(near[start:end]) for start, end in pairwise(starts))
