"""What has been found in one shard: pairs of rows and concepts become counts, digests of addresses, a sample.

Addresses are read last, for the rows that need them: they are the longest column, and few rows name anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus.counts import CaptionTally, Summary
from corpus.query import CaptionQuery
from corpus.sampling import base_of, keys_of, smallest
from corpus.scan import RowBatch, addresses
from corpus.shards import Shard
from corpus.tables import NAMING, SAMPLED, SHARD

Ints = NDArray[np.int64]
_PENDING = 100_000
"""Sampled rows of a shard that wait, at least, before those that are no longer wanted are dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Which rows of a batch name which concepts: each pair once, ascending.

    Attributes:
        rows: The rows' positions in the batch, shape (h,).
        owners: The concepts' positions in the query, shape (h,).
    """

    rows: Ints
    owners: Ints

    def where(self, chosen: NDArray[np.bool_]) -> Pairs:
        """Return the pairs that a mask chooses."""
        return Pairs(self.rows[chosen], self.owners[chosen])


class NamingRows:
    """The rows of one shard that name concepts, with their addresses.

    Attributes:
        numbers: The rows' numbers in the file, one for each pair of row and concept, ascending, shape (h,).
        owners: The concepts of the pairs, shape (h,).
        rows: The different numbers, shape (m,).
        urls: The addresses of these, length m; None when the shard has no URL column.

    They are there after `close`.
    """

    def __init__(self, shard: Shard) -> None:
        """Begin with no row."""
        self.shard = shard
        self.numbers = self.owners = self.rows = np.zeros(0, np.int64)
        self.urls: pa.LargeStringArray | None = None
        self._numbers: list[Ints] = []
        self._owners: list[Ints] = []
        self._urls: list[pa.LargeStringArray] = []

    def add(self, batch: RowBatch, pairs: Pairs) -> None:
        """Take a batch, and what its captions name."""
        kept = pairs.where(batch.meets[0][pairs.rows])
        self._numbers.append(batch.rows[kept.rows])
        self._owners.append(kept.owners)
        if batch.urls is not None:
            self._urls.append(batch.urls.take(pa.array(different(kept.rows))))

    def close(self) -> None:
        """Read the addresses; raises as `corpus.scan.addresses`."""
        self.numbers, self.owners = map(_joined, (self._numbers, self._owners))
        self.rows = different(self.numbers)
        if self._urls:
            self.urls = pa.concat_arrays(self._urls)
        elif self.shard.url_column is not None:
            self.urls = (
                addresses(self.shard, self.rows) if len(self.rows) else pa.array([], pa.large_string())
            )

    def table(self) -> pa.Table:
        """Return the rows as `corpus.tables.NAMING` says."""
        starts = np.append(np.searchsorted(self.numbers, self.rows), len(self.numbers))
        lists = pa.ListArray.from_arrays(starts.astype(np.int32), pa.array(self.owners.astype(np.int32)))
        urls = pa.nulls(len(self.rows), pa.string()) if self.urls is None else self.urls.cast(pa.string())
        return pa.Table.from_arrays([pa.array(self.rows), urls, lists], schema=NAMING)


class Found:
    """The counts of one shard, as far as it has been read."""

    def __init__(self, query: CaptionQuery, digest: str, shard: Shard) -> None:
        """Begin with nothing found; the digest is the query's."""
        n = len(query.concepts)
        self._query, self._digest, self._shard = query, digest, shard
        self._naming = NamingRows(shard)
        self._counts = np.zeros((2 + len(query.phases), n), np.int64)  # kept, unfiltered, phases
        self._rows = self._seen = self._null = self._empty = self._repaired = self._named = 0
        self._sample = _Sample(query, shard)

    def add(self, batch: RowBatch, pairs: Pairs) -> None:
        """Take a batch, and what its captions name."""
        self._see(batch)
        np.add.at(self._counts[1], pairs.owners, 1)
        for phase, meets in enumerate(batch.meets[1:]):
            np.add.at(self._counts[2 + phase], pairs.owners[meets[pairs.rows]], 1)
        kept = pairs.where(batch.meets[0][pairs.rows])
        np.add.at(self._counts[0], kept.owners, 1)
        self._named += len(different(kept.rows))
        self._sample.add(batch, kept)
        if self._shard.url_column is not None:
            self._naming.add(batch, pairs)

    def _see(self, batch: RowBatch) -> None:
        """Account for a batch's rows."""
        kept, captions = batch.meets[0], batch.captions
        self._rows += len(kept)
        self._seen += int(np.count_nonzero(kept))
        if captions.null_count:
            null = captions.is_null().to_numpy(zero_copy_only=False)
            self._null += int(np.count_nonzero(null & kept))
        lengths = pc.fill_null(pc.binary_length(captions), 1).to_numpy(zero_copy_only=False)
        empty = np.flatnonzero(lengths == 0)
        self._empty += int(np.count_nonzero(kept[empty]))
        if batch.repaired is not None:
            self._repaired += int((batch.repaired & kept).sum())

    def close(self) -> None:
        """Read the addresses; raises as `corpus.scan.addresses`."""
        self._naming.close()

    def table(self) -> pa.Table:
        """Return the counts as `corpus.tables.SHARD` says: a row for each concept that the shard names."""
        owners = np.flatnonzero(self._counts[1])
        counts = self._counts[:, owners]
        ends = np.arange(len(owners) + 1, dtype=np.int32) * len(self._query.phases)
        columns = [
            pa.array(owners.astype(np.int32)),
            pa.array([self._query.concepts[owner].name for owner in owners.tolist()], pa.string()),
            *map(pa.array, counts[:2]),
            pa.ListArray.from_arrays(ends, pa.array(counts[2:].T.ravel())),
            self._hashes(owners),
            self._sample.lists(self._naming, owners),
        ]
        summary = Summary(
            query=self._digest,
            shard=self._shard.name,
            digest=self._shard.digest,
            tally=self._tally(),
            sample=self._query.sample,
            phases=tuple(name for name, _ in self._query.phases),
            has_urls=self._shard.url_column is not None,
        )
        return pa.Table.from_arrays(columns, schema=SHARD).replace_schema_metadata(summary.dump())

    def _tally(self) -> CaptionTally:
        return CaptionTally(
            rows=self._rows,
            excluded=self._rows - self._seen,
            null=self._null,
            empty=self._empty,
            repaired=self._repaired,
            named=self._named,
        )

    def _hashes(self, named: Ints) -> pa.ListArray:
        """Return the concepts' distinct digests of addresses, ascending; nulls without a URL column."""
        naming = self._naming
        if naming.urls is None:
            return pa.nulls(len(named), SHARD.field("url_hashes").type)
        urls = naming.urls.to_pylist()
        hashes = np.array([url_hash(url) if url else 0 for url in urls], np.uint64)
        has_url = np.array([bool(url) for url in urls], np.bool_)
        place = np.searchsorted(naming.rows, naming.numbers)
        owners, digests = naming.owners[has_url[place]], hashes[place][has_url[place]]
        order = np.lexsort((digests, owners))
        owners, digests = owners[order], digests[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (owners[1:] != owners[:-1]) | (digests[1:] != digests[:-1])
        return pa.ListArray.from_arrays(_ends(owners[new], named), pa.array(digests[new]))


class _Sample:
    """The rows with the smallest keys of each concept, of one shard."""

    def __init__(self, query: CaptionQuery, shard: Shard) -> None:
        n = len(query.concepts)
        self._query, self._shard = query, shard
        self._bases = np.zeros(n, np.uint64)
        self._known = np.zeros(n, np.bool_)
        self._largest = np.full(n, np.iinfo(np.uint64).max, np.uint64)
        self._owners: Ints = np.zeros(0, np.int64)
        self._keys = np.zeros(0, np.uint64)
        self._numbers: Ints = np.zeros(0, np.int64)
        self._captions = pa.array([], pa.large_string())
        self._waiting: list[tuple[Ints, NDArray[np.uint64], Ints, pa.LargeStringArray]] = []
        self._pending = 0

    def add(self, batch: RowBatch, pairs: Pairs) -> None:
        """Take what could be among the smallest."""
        if self._query.sample == 0 or len(pairs.rows) == 0:
            return
        numbers = batch.rows[pairs.rows]
        keys = keys_of(self._bases_of(pairs.owners), numbers)
        chosen = keys <= self._largest[pairs.owners]
        captions = batch.captions.take(pa.array(pairs.rows[chosen]))
        self._waiting.append((pairs.owners[chosen], keys[chosen], numbers[chosen], captions))
        self._pending += int(chosen.sum())
        if self._pending > max(_PENDING, len(self._owners)):
            self._settle()

    def _bases_of(self, owners: Ints) -> NDArray[np.uint64]:
        new = np.unique(owners[~self._known[owners]])
        names = (self._query.concepts[owner].name for owner in new.tolist())
        bases = [base_of(self._query.seed, name, self._shard.name) for name in names]
        self._bases[new] = np.array(bases, np.uint64)
        self._known[new] = True
        return self._bases[owners]

    def _settle(self) -> None:
        """Drop the rows that are not among the smallest."""
        owners, keys, numbers, captions = zip(*self._waiting, strict=True)
        self._owners = np.concatenate([self._owners, *owners])
        self._keys = np.concatenate([self._keys, *keys])
        self._numbers = np.concatenate([self._numbers, *numbers])
        self._captions = pa.concat_arrays([self._captions, *captions])
        self._waiting, self._pending = [], 0
        kept = smallest(self._owners, self._keys, self._query.sample)
        self._owners, self._keys, self._numbers = self._owners[kept], self._keys[kept], self._numbers[kept]
        self._captions = self._captions.take(pa.array(kept))
        counts = np.bincount(self._owners, minlength=len(self._largest))
        full = np.flatnonzero(counts == self._query.sample)
        self._largest[full] = self._keys[np.cumsum(counts)[full] - 1]

    def lists(self, naming: NamingRows, named: Ints) -> pa.ListArray:
        """Return the sampled rows of concepts, by key."""
        if self._waiting:
            self._settle()
        m = len(self._owners)
        urls = pa.nulls(m, pa.string())
        if naming.urls is not None:
            urls = naming.urls.take(pa.array(np.searchsorted(naming.rows, self._numbers))).cast(pa.string())
        columns = [
            pa.array(self._keys),
            pa.repeat(pa.scalar(self._shard.name), m),
            pa.array(self._numbers),
            urls,
            self._captions.cast(pa.string()),
        ]
        rows = pa.StructArray.from_arrays(columns, fields=list(SAMPLED))
        return pa.ListArray.from_arrays(_ends(self._owners, named), rows)


def url_hash(url: str) -> int:
    """Return a URL's 64-bit digest."""
    return int.from_bytes(hashlib.blake2b(url.encode(), digest_size=8).digest(), "little")


def different(numbers: Ints) -> Ints:
    """Return the different numbers of neighbours that are equal."""
    if len(numbers) == 0:
        return numbers
    new = np.ones(len(numbers), np.bool_)
    new[1:] = numbers[1:] != numbers[:-1]
    return numbers[new]


def _ends(owners: Ints, named: Ints) -> NDArray[np.int32]:
    """Return where the rows of each concept begin among all, and where the last end, shape (n + 1,)."""
    return np.append(np.searchsorted(owners, named), len(owners)).astype(np.int32)


def _joined(arrays: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *arrays])
