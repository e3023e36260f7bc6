"""Counts of captions: a table for each shard, and the counts of several shards, merged in any order."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import MalformedFile
from corpus.sampling import SampleRow
from corpus.session import open_merging_session, sql
from corpus.tables import COUNTS, SAMPLES, SHARD

_SUMMARY = b"counts"
_MISFITS = (LookupError, TypeError, ValueError)  # what values raise that do not fit together
_PIECE = 1024  # concepts of a part that are read at a time, with their digests and sampled rows


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


@dataclass(frozen=True, slots=True)
class Summary:
    """What a shard's table says beside its rows: its receipt.

    Attributes:
        query: Digest of what was asked; tables of different questions are not merged.
        shard: The shard's name.
        digest: The shard's digest.
        tally: What became of the rows.
        sample: Rows asked for per concept.
        phases: The names of the training phases.
        has_urls: Whether the shard has a URL column.
    """

    query: str
    shard: str
    digest: str
    tally: CaptionTally
    sample: int
    phases: tuple[str, ...]
    has_urls: bool

    def dump(self) -> dict[bytes, str]:
        """Return it as the metadata of a table's schema."""
        return {_SUMMARY: json.dumps(asdict(self), sort_keys=True)}

    @classmethod
    def load(cls, schema: pa.Schema) -> Summary:
        """Read it from the schema of a shard's table.

        Raises:
            MalformedFile: The table is of another kind.
        """
        text = (schema.metadata or {}).get(_SUMMARY)
        if text is None or schema.names != SHARD.names:
            raise MalformedFile(
                f"no table of counts: columns {', '.join(schema.names)}; count the shard again"
            )
        facts: dict[str, Any] = json.loads(text)
        tally, phases = CaptionTally(**facts.pop("tally")), tuple(facts.pop("phases"))
        return cls(**facts, tally=tally, phases=phases)


@dataclass(frozen=True, slots=True, eq=False)
class CaptionCounts:
    """Counts of one shard or of several.

    Attributes:
        concepts: The concepts' names, in the query's order, length n.
        tally: What became of the rows.
        caption_counts: Captions that name each concept, of the rows that meet the condition, shape (n,).
        unfiltered_counts: The same of all rows, shape (n,).
        phases: The names of the training phases, length p.
        phase_counts: The same of the rows that each phase saw, shape (p, n).
        distinct_url_counts: Distinct URLs of the captions that `caption_counts` counts, shape (n,); None when
            a shard has no URL column, because a sum over the others would be too small. Rows without a URL
            add nothing. Two URLs are taken for one with a chance of 5e-20 per pair (64-bit digests).
        samples: Sampled rows by concept and key: concept, key, file, row, url, caption.
    """

    concepts: tuple[str, ...]
    tally: CaptionTally
    caption_counts: NDArray[np.int64]
    unfiltered_counts: NDArray[np.int64]
    phases: tuple[str, ...]
    phase_counts: NDArray[np.int64]
    distinct_url_counts: NDArray[np.int64] | None
    samples: pa.Table

    def table(self) -> pa.Table:
        """Return one row per concept (schema `corpus.tables.COUNTS`)."""
        n = len(self.concepts)
        distinct = pa.nulls(n, pa.int64()) if self.distinct_url_counts is None else self.distinct_url_counts
        columns = [self.concepts, self.caption_counts, distinct, self.unfiltered_counts]
        return pa.table([pa.array(column) for column in columns], schema=COUNTS)

    def sample_of(self, concept: str) -> tuple[SampleRow, ...]:
        """Return a concept's sampled rows, by their keys."""
        rows = self.samples.filter(pc.equal(self.samples["concept"], concept))
        return tuple(SampleRow(**row) for row in rows.drop_columns(["concept"]).to_pylist())


def merge(parts: Sequence[pa.Table] | Sequence[Path], concepts: Sequence[str]) -> CaptionCounts:
    """Return the counts of several shards together; the order of the parts does not matter.

    Args:
        parts: What `corpus.captions.CaptionCounter.count` made, as tables or as Parquet files; files are
            read piece by piece, so that memory stays bounded however many there are.
        concepts: The names of the concepts that were counted, in the query's order.

    Raises:
        ValueError: There is no part, or the parts answer different queries.
        MalformedFile: A part is of another kind, or damaged.
    """
    if not parts:
        raise ValueError("no counts to merge")
    with _damage_told():
        summaries = [Summary.load(_schema(part)) for part in parts]
    if any(each.query != summaries[0].query for each in summaries):
        raise ValueError("the counts are of different concepts, conditions or sample sizes")
    with _damage_told():
        return _merged(parts, summaries, concepts)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, duckdb.InvalidInputException, *_MISFITS) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MalformedFile(f"the counts of a shard are damaged ({reason}); count it again") from error


def _merged(
    parts: Sequence[pa.Table] | Sequence[Path], summaries: Sequence[Summary], concepts: Sequence[str]
) -> CaptionCounts:
    first = summaries[0]
    counts = np.zeros((2 + len(first.phases), len(concepts)), np.int64)
    for part in parts:
        _add(counts, part)
    distinct = _distinct(parts, len(concepts)) if all(each.has_urls for each in summaries) else None
    return CaptionCounts(
        concepts=tuple(concepts),
        tally=sum((each.tally for each in summaries), CaptionTally()),
        caption_counts=counts[0],
        unfiltered_counts=counts[1],
        phases=first.phases,
        phase_counts=counts[2:],
        distinct_url_counts=distinct,
        samples=_asked(parts, "samples", sample=first.sample).cast(SAMPLES),
    )


def _schema(part: pa.Table | Path) -> pa.Schema:
    return part.schema if isinstance(part, pa.Table) else _opened(part).schema_arrow


def _opened(part: Path) -> pq.ParquetFile:
    """Open a part; bytes that have flipped since it was written are noticed when they are read."""
    return pq.ParquetFile(part, page_checksum_verification=True)


def _add(counts: NDArray[np.int64], part: pa.Table | Path) -> None:
    """Add the counts of a part: kept, unfiltered, then each phase, shape (2 + p, n)."""
    names = ["position", "caption_count", "unfiltered_count", "phase_counts"]
    table = part.select(names) if isinstance(part, pa.Table) else _opened(part).read(names)
    owners, kept, unfiltered = (table[name].to_numpy() for name in names[:3])
    phases = table["phase_counts"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    counts[0, owners] += kept
    counts[1, owners] += unfiltered
    counts[2:, owners] += phases.reshape(len(table), len(counts) - 2).T


def _distinct(parts: Sequence[pa.Table] | Sequence[Path], n: int) -> NDArray[np.int64]:
    found = _asked(parts, "distinct")
    counts = np.zeros(n, np.int64)
    counts[found["position"].to_numpy()] = found["distinct_url_count"].to_numpy()
    return counts


def _asked(parts: Sequence[pa.Table] | Sequence[Path], query: str, **parameters: int) -> pa.Table:
    """Ask DuckDB about all parts; what does not fit into its memory goes to a temporary folder."""
    batches = (batch for part in parts for batch in _batches(part))
    # Not a folder of a known name in /tmp, which another user may have made.
    with tempfile.TemporaryDirectory(prefix="fit-") as spill, open_merging_session(spill) as session:
        session.register("parts", pa.RecordBatchReader.from_batches(SHARD, batches))
        return session.sql(sql(query), params=parameters).to_arrow_table()


def _batches(part: pa.Table | Path) -> Iterator[pa.RecordBatch]:
    """Yield a part piece by piece, without what it says beside its rows."""
    found = part.to_batches() if isinstance(part, pa.Table) else _opened(part).iter_batches(_PIECE)
    for batch in found:
        yield pa.RecordBatch.from_arrays(batch.columns, schema=SHARD)
