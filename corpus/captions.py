"""Counting the captions that name concepts, shard by shard, exactly.

A count is a pure function of the shard and the query; counts of shards are merged in any order. Memory is
bounded by a batch of rows, the sample, and 8 bytes per naming row for the distinct URLs.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from concepts.concept import Concept
from concepts.matching import canonical, occurs
from concepts.phrase_index import PhraseIndex
from corpus.candidates import CandidateFinder, WordIndexFinder
from corpus.counts import CaptionCounts, CaptionTally
from corpus.sampling import BottomRows, RowKeys, SampleRow
from corpus.scan import RowBatch, UndecodableText, repaired, scan
from corpus.shards import Shard
from corpus.where import Condition, parse_condition

DEFAULT_SAMPLE = 400


@dataclass(frozen=True, slots=True)
class CaptionQuery:
    """What to count.

    Attributes:
        concepts: The concepts, at least one, names unique.
        seed: Seed of the sample.
        sample: Rows to sample per concept, at least 0.
        where: SQL condition: which rows to count. Empty: all.
    """

    concepts: tuple[Concept, ...]
    seed: int = 0
    sample: int = DEFAULT_SAMPLE
    where: str = ""


class NamingRow(NamedTuple):
    """A row whose caption names concepts.

    Attributes:
        row: Its number in the file, from 0.
        url: Its address, None where there is none.
        owners: Positions of the concepts in the query, ascending.
    """

    row: int
    url: str | None
    owners: tuple[int, ...]


class CaptionCounter:
    """Counts one query's concepts in shards."""

    def __init__(
        self, query: CaptionQuery, finder: Callable[[PhraseIndex], CandidateFinder] = WordIndexFinder
    ) -> None:
        """Index the concepts' phrases.

        Args:
            query: What to count.
            finder: Makes the candidate finder from an index over all phrases.

        Raises:
            ConceptsError: A phrase is too short.
            SettingsError: The condition is none.
        """
        named = [
            (owner, phrase) for owner, concept in enumerate(query.concepts) for phrase in concept.phrases
        ]
        self.query = query
        self.condition: Condition | None = parse_condition(query.where)
        self._owners = [owner for owner, _ in named]
        self._index = PhraseIndex.of_texts([phrase for _, phrase in named])
        self._finder = finder(self._index)

    def count(self, shard: Shard) -> CaptionCounts:
        """Count one shard.

        Raises:
            CorpusError: The file cannot be read to its end.
            SettingsError: The condition does not suit the shard's columns.
        """
        try:
            return self._count(shard, scan(shard, self.condition))
        except UndecodableText:
            return self._count(shard, repaired(shard, self.condition))

    def naming_rows(self, shard: Shard) -> tuple[NamingRow, ...]:
        """Return the rows of one shard whose captions name concepts, in their order; raises as `count`."""
        try:
            found = list(self._naming(scan(shard, self.condition)))
        except UndecodableText:
            found = list(self._naming(repaired(shard, self.condition)))
        rows = (
            NamingRow(
                int(batch.rows[row]), None if batch.urls is None else batch.urls[row].as_py(), tuple(owners)
            )
            for batch, row, _, owners in found
        )
        return tuple(sorted(rows, key=lambda each: each.row))

    def _count(self, shard: Shard, batches: Iterator[RowBatch]) -> CaptionCounts:
        found = _Found(self.query, shard)
        for batch, row, caption, owners in self._naming(batches, found.see):
            found.add(batch, row, caption, owners)
        return found.counts()

    def _naming(
        self, batches: Iterator[RowBatch], see: Callable[[RowBatch], None] = lambda _batch: None
    ) -> Iterator[tuple[RowBatch, int, str, list[int]]]:
        """Yield (batch, index in it, caption, concepts) of the captions that name something."""
        for batch in batches:
            see(batch)
            for row, positions in self._finder.find(batch.captions):
                caption = batch.captions[row].as_py()
                owners = self._named(caption, positions)
                if owners:
                    yield batch, row, caption, owners

    def _named(self, caption: str, positions: Iterable[int]) -> list[int]:
        """Return the concepts that a caption names, given the phrases that it could contain."""
        form, owners = canonical(caption), set[int]()
        for position in positions:
            owner = self._owners[position]
            if owner not in owners and occurs(self._index.phrases[position], form):
                owners.add(owner)
        return sorted(owners)


class _Found:
    """What has been found in one shard so far."""

    def __init__(self, query: CaptionQuery, shard: Shard) -> None:
        self._query, self._shard = query, shard
        self._seen = self._null = self._empty = self._repaired = self._named = 0
        self._caption_counts = np.zeros(len(query.concepts), np.int64)
        self._urls: dict[int, array[int]] = {}
        self._samples: dict[int, BottomRows] = {}
        self._keys: dict[int, RowKeys] = {}

    def see(self, batch: RowBatch) -> None:
        """Account for a batch's rows."""
        self._seen += len(batch.rows)
        self._null += batch.captions.null_count
        self._empty += pc.sum(pc.equal(pc.binary_length(batch.captions), 0)).as_py() or 0
        self._repaired += batch.repaired

    def add(self, batch: RowBatch, row: int, caption: str, owners: Sequence[int]) -> None:
        """Account for a caption that names concepts."""
        self._named += 1
        number = int(batch.rows[row])
        url: str | None = None if batch.urls is None else batch.urls[row].as_py()
        digest = url_hash(url) if url else None
        for owner in owners:
            self._caption_counts[owner] += 1
            if digest is not None:
                self._urls.setdefault(owner, array("Q")).append(digest)
            key = self._key(owner, number)
            sample = self._samples.setdefault(owner, BottomRows(self._query.sample))
            if sample.takes(key):
                sample.offer(SampleRow(key, self._shard.name, number, url, caption))

    def counts(self) -> CaptionCounts:
        """Return the counts of the shard."""
        every = range(len(self._query.concepts))
        hashes = tuple(np.unique(np.array(self._urls.get(owner, ()), np.uint64)) for owner in every)
        return CaptionCounts(
            concepts=tuple(concept.name for concept in self._query.concepts),
            tally=CaptionTally(
                rows=self._shard.rows,
                excluded=self._shard.rows - self._seen,
                null=self._null,
                empty=self._empty,
                repaired=self._repaired,
                named=self._named,
            ),
            caption_counts=self._caption_counts,
            url_hashes=None if self._shard.url_column is None else hashes,
            samples=tuple(self._samples[each].rows() if each in self._samples else () for each in every),
            sample=self._query.sample,
        )

    def _key(self, owner: int, row: int) -> int:
        if owner not in self._keys:
            name = self._query.concepts[owner].name
            self._keys[owner] = RowKeys(self._query.seed, name, self._shard.name)
        return self._keys[owner].key(row)


def url_hash(url: str) -> int:
    """Return a URL's 64-bit digest."""
    return int.from_bytes(hashlib.blake2b(url.encode(), digest_size=8).digest(), "little")
