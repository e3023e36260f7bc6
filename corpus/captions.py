"""Counting the captions that name concepts, shard by shard, exactly.

A count is a pure function of the shard and the query; counts of shards are merged in any order. Memory is
bounded by a batch of rows, the sample, and some bytes for each naming row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from concepts.errors import CorpusError, SettingsError
from concepts.matching import Phrase, parse_phrase
from corpus.candidates import Finder, make_finder
from corpus.found import Found, NamingRows, Pairs, different
from corpus.query import MOST_SAMPLED, CaptionQuery, NamingRow
from corpus.scan import Conditions, RowBatch, UndecodableText, repaired, scan
from corpus.shards import Shard
from corpus.where import parse_condition

__all__ = ["CaptionCounter", "CaptionQuery", "NamingRow"]

Collector = TypeVar("Collector", Found, NamingRows)


class CaptionCounter:
    """Counts one query's concepts in shards. It can be pickled: a worker gets the automaton ready made."""

    def __init__(
        self, query: CaptionQuery, finder: Callable[[Sequence[Phrase]], Finder] = make_finder
    ) -> None:
        """Index the concepts' phrases.

        Args:
            query: What to count.
            finder: Makes the finder of the phrases.

        Raises:
            ConceptsError: A phrase is too short.
            SettingsError: A condition is none, or the sample would not fit into memory.
        """
        if query.sample * len(query.concepts) > MOST_SAMPLED:
            raise SettingsError(
                f"counts.sample={query.sample}: {len(query.concepts):,} concepts would have more than "
                f"{MOST_SAMPLED:,} sampled rows; take at most {MOST_SAMPLED // len(query.concepts)}"
            )
        self.query, self.digest = query, query.digest
        self.conditions = Conditions(
            parse_condition(query.where), tuple(parse_condition(where) for _, where in query.phases)
        )
        owners: dict[Phrase, list[int]] = {}
        for owner, concept in enumerate(query.concepts):
            for text in concept.phrases:
                owners.setdefault(parse_phrase(text), []).append(owner)
        phrases = sorted(owners, key=lambda phrase: phrase.needle)
        self._owners = np.array([owner for phrase in phrases for owner in owners[phrase]], np.int64)
        self._sizes = np.array([len(owners[phrase]) for phrase in phrases], np.int64)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self.finder = finder(phrases)

    def __call__(self, shard: Shard) -> pa.Table:
        """Count one shard, as `count` does: what an executor maps over shards."""
        return self.count(shard)

    def count(self, shard: Shard) -> pa.Table:
        """Count one shard; `corpus.counts.merge` reads the table (schema `corpus.tables.SHARD`).

        Raises:
            CorpusError: The file cannot be read to its end.
            SettingsError: A condition does not suit the shard's columns.
        """
        return self._collected(shard, lambda: Found(self.query, self.digest, shard)).table()

    def naming_table(self, shard: Shard) -> pa.Table:
        """Return the rows whose captions name concepts (schema `corpus.tables.NAMING`), by number.

        Only rows that meet the query's condition; raises as `count`.
        """
        return self._collected(shard, lambda: NamingRows(shard)).table()

    def naming_rows(self, shard: Shard) -> tuple[NamingRow, ...]:
        """Return the rows of `naming_table` one by one."""
        rows = self.naming_table(shard).to_pylist()
        return tuple(NamingRow(row["row"], row["url"], tuple(row["owners"])) for row in rows)

    def _collected(self, shard: Shard, collector: Callable[[], Collector]) -> Collector:
        """Give what a shard holds to a collector; to a new one if its text turns out to be no UTF-8."""
        for read in (scan, repaired):
            into = collector()
            try:
                for batch in read(shard, self.conditions):
                    into.add(batch, self._pairs(batch))
                into.close()
            except UndecodableText:
                continue
            return into
        raise CorpusError(f"{shard.place}: its text cannot be read; fetch it again")

    def _pairs(self, batch: RowBatch) -> Pairs:
        """Return which rows of a batch name which concepts."""
        hits, n = self.finder.find(batch.captions), len(self.query.concepts)
        sizes = self._sizes[hits.phrases]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        owners = self._owners[np.repeat(self._starts[hits.phrases], sizes) + within]
        pairs = different(np.sort(np.repeat(hits.rows, sizes) * n + owners))
        return Pairs(rows=pairs // n, owners=pairs % n)
