"""The rows that a curation plan chooses from: found shard by shard, brought together as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import CorpusError, StageIncomplete
from corpus.captions import CaptionCounter
from corpus.reading import arrow_batches
from corpus.row_values import BATCH_ROWS, numbers_in
from corpus.sampling import base_of, keys_of
from corpus.scan import repair
from corpus.shards import Shard
from corpus.sources.faults import told
from corpus.tables import NAMING, described
from fit.curation.addresses import OptedOut
from fit.curation.choice import Named, NamingRows
from fit.run import artefacts

Ints = NDArray[np.int64]

ROWS = pa.schema(
    [
        *NAMING,
        described("why", pa.string(), "-", "why the row goes in any case; null where it may stay"),
        described("worth", pa.float64(), "-", "rows of the smallest worth go first"),
    ]
)


@dataclass(frozen=True)
class FindRows:
    """Finds a shard's rows that name a concept or are opted out (schema `ROWS`). It can be pickled.

    Attributes:
        counter: Finds the rows that name a concept.
        outs: The addresses that were opted out; rows with one go whether they meet a condition or not.
        keep_best: Column whose largest values are kept; empty keeps at random.
        seed: Of the random choice.
    """

    counter: CaptionCounter
    outs: OptedOut
    keep_best: str
    seed: int

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that the rows depend on beside the shard."""
        return artefacts.digest(
            ["curation rows 2", self.counter.digest, self.outs.reasons, self.keep_best, self.seed]
        )

    def __call__(self, shard: Shard) -> pa.Table:
        """Find the rows; raises as `CaptionCounter.naming_table`."""
        found = self.counter.naming_table(shard)
        if self.outs and shard.url_column is not None:
            found = self._with_opted_out(found, shard)
        else:
            found = found.append_column(ROWS.field("why"), pa.nulls(found.num_rows, pa.string()))
        worth = self._worth(shard, found["row"].to_numpy())
        return found.append_column(ROWS.field("worth"), pa.array(worth)).cast(ROWS)

    def _with_opted_out(self, found: pa.Table, shard: Shard) -> pa.Table:
        """Say why rows go that are opted out, and add those that name nothing."""
        rows, why, urls = _opted_out(shard, self.outs)
        naming = found["row"].to_numpy()
        by_row = np.full(len(naming), -1, np.int64)
        _, at, out = np.intersect1d(naming, rows, assume_unique=True, return_indices=True)
        by_row[at] = why[out]
        alone = np.ones(len(rows), np.bool_)
        alone[out] = False
        added = {
            "row": pa.array(rows[alone]),
            "url": urls.filter(pa.array(alone)).cast(pa.string()),
            "owners": pa.ListArray.from_arrays(np.zeros(alone.sum() + 1, np.int32), pa.array([], pa.int32())),
        }
        table = pa.concat_tables([found, pa.table(added, schema=NAMING)])
        codes = np.concatenate([by_row, why[alone]])
        reasons = pa.array(self.outs.reasons, pa.string()).take(pa.array(codes, mask=codes < 0))
        return table.append_column(ROWS.field("why"), reasons).sort_by("row")

    def _worth(self, shard: Shard, rows: Ints) -> NDArray[np.float64]:
        """What a row is worth keeping for.

        The column's value, what has none least of all; or a number drawn by seed, shard and row.
        """
        if not self.keep_best:
            keys = keys_of(np.uint64(base_of(self.seed, "curate", shard.name)), rows)
            drawn: NDArray[np.float64] = keys / 2**64
            return drawn
        values = numbers_in(shard, self.keep_best, rows)
        return np.where(np.isnan(values), -np.inf, values)


def _opted_out(shard: Shard, outs: OptedOut) -> tuple[Ints, Ints, pa.LargeStringArray]:
    """Return the rows whose addresses are opted out, ascending, with reasons' positions and addresses."""
    rows, why, urls = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [pa.array([], pa.large_string())]
    start = 0
    try:
        for batch in arrow_batches(shard, [str(shard.url_column)], BATCH_ROWS):
            addresses, _ = repair(batch.column(0))
            codes = outs.why(addresses)
            found = np.flatnonzero(codes >= 0)
            rows.append(found + start)
            why.append(codes[found])
            urls.append(addresses.take(pa.array(found)))
            start += batch.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{shard.place}: cannot be read ({told(error)}); fetch it again") from error
    return np.concatenate(rows), np.concatenate(why), pa.concat_arrays(urls)


@dataclass(frozen=True, eq=False)
class Gathered:
    """The rows of all shards, without what only those that are dropped need.

    Attributes:
        rows: Those that name a concept.
        opted_out: How many rows go in any case.
        starts: Where the rows of each part that may stay begin in `rows`, and where the last ones end.
    """

    rows: NamingRows
    opted_out: int
    starts: Ints


@dataclass(eq=False)
class _Names:
    """The different sets of concepts, numbered as they come."""

    known: dict[bytes, int] = field(default_factory=dict)

    def number(self, owners: pa.ListArray) -> NDArray[np.int32]:
        """Return the number of each row's set. Shape (n,)."""
        # A list of 32-bit integers is its bytes: so Arrow finds the different ones, whatever their length.
        ends = pa.array(owners.offsets.to_numpy().astype(np.int64) * 4)
        values = pa.py_buffer(np.ascontiguousarray(owners.values.to_numpy(), np.int32))
        raw = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(owners), [None, ends.buffers()[1], values]
        )
        coded = raw.dictionary_encode()
        numbers = [self.known.setdefault(each, len(self.known)) for each in coded.dictionary.to_pylist()]
        found: NDArray[np.int32] = np.array(numbers, np.int32)[coded.indices.to_numpy()]
        return found

    @property
    def sets(self) -> tuple[Named, ...]:
        """The sets in the order of their numbers."""
        return tuple(tuple(np.frombuffer(each, np.int32).tolist()) for each in self.known)


def gather(parts: Sequence[Path]) -> Gathered:
    """Bring the rows of all parts together.

    Args:
        parts: What `FindRows` made of each shard.

    Raises:
        StageIncomplete: A part is damaged.
    """
    names, most = _Names(), sum(pq.read_metadata(path).num_rows for path in parts)
    kinds, worths, forced = np.empty(most, np.int32), np.empty(most), np.zeros(0, np.int64)
    starts, opted_out = [0], 0
    for path in parts:
        part = read_part(path, ["owners", "why", "worth"])
        kind = names.number(part["owners"].combine_chunks())
        stays = part["why"].is_null().to_numpy()
        forced = _sum(forced, np.bincount(kind[~stays], minlength=len(names.known)))
        opted_out += int(np.count_nonzero(~stays))
        start, end = starts[-1], starts[-1] + int(np.count_nonzero(stays))
        kinds[start:end], worths[start:end] = kind[stays], part["worth"].to_numpy()[stays]
        starts.append(end)
    rows = NamingRows(names.sets, kinds[: starts[-1]], worths[: starts[-1]], forced)
    return Gathered(rows, opted_out, np.array(starts))


def _sum(shorter: Ints, longer: Ints) -> Ints:
    """Return the sum of two arrays, the first one completed by zeros."""
    return longer + np.pad(shorter, (0, len(longer) - len(shorter)))


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read what `FindRows` made of a shard.

    Raises:
        StageIncomplete: The file is damaged.
    """
    try:
        return artefacts.read_table(path, columns)
    except artefacts.DamagedFile as error:
        path.unlink()
        raise StageIncomplete(f"{path}: damaged and removed; run again: the rest is kept") from error
