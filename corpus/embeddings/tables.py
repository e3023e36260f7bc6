"""Counts by embeddings as Arrow tables whose columns say what they mean and in which unit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.errors import MalformedFile
from corpus.embeddings.counts import EmbeddingCounts, EmbeddingTally, NearRow
from corpus.embeddings.overlap import Overlap
from corpus.tables import described

_CONCEPT = described("concept", pa.string(), "-", "name of the concept")
_COUNT = described("embedding_count", pa.int64(), "rows", "rows whose largest cosine reaches the cut")
_COSINE = described("cosine", pa.float32(), "[-1, 1]", "largest cosine to any reference of the concept")
_FILE = described("file", pa.string(), "-", "the shard's name")
_ROW = described("row", pa.int64(), "-", "the row's number in the file, from 0")
_URL = described("url", pa.string(), "-", "the image's address")
_CAPTION = described("caption", pa.string(), "-", "the caption")
_NEAR = (_COSINE, _FILE, _ROW, _URL, _CAPTION)
_IN_LIST = "; null where captions were not searched, or not for this concept"

COUNTS = pa.schema(
    [
        _CONCEPT,
        described("references", pa.int64(), "-", "reference embeddings of the concept"),
        described("cut", pa.float32(), "[-1, 1]", "least largest cosine of a row that counts"),
        _COUNT,
        described(
            "distinct_url_count",
            pa.int64(),
            "images",
            "distinct image addresses of those rows; null where a shard has none",
        ),
        described("caption_count", pa.int64(), "rows", f"rows whose caption names the concept{_IN_LIST}"),
        described("both_count", pa.int64(), "rows", f"rows named and at or above the cut{_IN_LIST}"),
        described("caption_only_count", pa.int64(), "rows", f"rows named and below the cut{_IN_LIST}"),
        described("embedding_only_count", pa.int64(), "rows", f"rows not named, at or above it{_IN_LIST}"),
        described(
            "missed_by_captions",
            pa.float64(),
            "[0, 1]",
            f"share of the rows at or above the cut whose caption does not name the concept{_IN_LIST}",
        ),
        described(
            "sensitivity",
            pa.float64(),
            "[0, 1]",
            "share of the concept's references, each left out, that reach its cut; null unless calibrated",
        ),
        described(
            "false_match_rate",
            pa.float64(),
            "[0, 1]",
            "share of the other concepts' references that reach its cut; null unless calibrated",
        ),
    ]
)
NEAREST = pa.schema([_CONCEPT, described("rank", pa.int64(), "-", "1 is the nearest row"), *_NEAR])
SHARD = pa.schema(
    [
        _CONCEPT,
        _COUNT,
        described("url_hashes", pa.list_(pa.uint64()), "-", "64-bit digests of the distinct addresses"),
        described("nearest", pa.list_(pa.struct(_NEAR)), "-", "nearest rows, by falling cosine"),
        described("known", pa.bool_(), "-", "whether captions were searched for it; null: for none"),
        described("named", pa.int64(), "rows", "rows whose caption names the concept"),
        described("shown", pa.int64(), "rows", "rows at or above the cut where captions were searched"),
        described("both", pa.int64(), "rows", "rows where both hold"),
    ]
)
_SUMMARY = b"embedding counts"


def counts_table(
    counts: EmbeddingCounts,
    references: NDArray[np.int64],
    cuts: NDArray[np.float32],
    errors: Mapping[str, tuple[float, float]],
) -> pa.Table:
    """Return one row per concept.

    Args:
        counts: The counts.
        references: References of each concept, shape (n,).
        cuts: The cut of each, shape (n,).
        errors: Sensitivity and false-match rate of the cuts that were calibrated.
    """
    distinct = counts.distinct_url_counts
    nulls = [None] * len(counts.concepts)
    rates = [errors.get(name, (None, None)) for name in counts.concepts]
    columns = [
        counts.concepts,
        references,
        cuts,
        counts.counts,
        nulls if distinct is None else distinct,
        *([nulls] * 5 if counts.overlap is None else _overlap_columns(counts.overlap)),
        *zip(*rates, strict=True),
    ]
    return _table(columns, COUNTS)


def nearest_table(counts: EmbeddingCounts) -> pa.Table:
    """Return one row per concept and nearest row, by concept and rank."""
    pairs = zip(counts.concepts, counts.nearest, strict=True)
    rows = [(concept, rank, *row) for concept, near in pairs for rank, row in enumerate(near, 1)]
    return _table([[row[column] for row in rows] for column in range(len(NEAREST))], NEAREST)


def shard_table(counts: EmbeddingCounts) -> pa.Table:
    """Return the counts of a shard, one row per concept, from which `counts_of` makes them again."""
    hashes, overlap = counts.url_hashes, counts.overlap
    nulls = [None] * len(counts.concepts)
    columns = [
        counts.concepts,
        counts.counts,
        nulls if hashes is None else _lists(hashes),
        [[row._asdict() for row in near] for near in counts.nearest],
        *([nulls] * 4 if overlap is None else [overlap.known, overlap.named, overlap.shown, overlap.both]),
    ]
    summary = json.dumps({"tally": asdict(counts.tally), "top": counts.top}, sort_keys=True)
    return _table(columns, SHARD).replace_schema_metadata({_SUMMARY: summary})


def counts_of(table: pa.Table) -> EmbeddingCounts:
    """Return the counts that `shard_table` wrote.

    Raises:
        MalformedFile: The table is of another kind.
    """
    summary = (table.schema.metadata or {}).get(_SUMMARY)
    if summary is None or table.schema.names != SHARD.names:
        raise MalformedFile(f"no counts by embeddings: columns {', '.join(table.schema.names)}; count again")
    facts = json.loads(summary)
    whole = table.combine_chunks()
    searched = whole["known"].null_count == 0
    overlap = [whole[name].to_numpy() for name in ("known", "named", "shown", "both")] if searched else []
    return EmbeddingCounts(
        concepts=tuple(whole["concept"].to_pylist()),
        tally=EmbeddingTally(**facts["tally"]),
        counts=whole["embedding_count"].to_numpy(),
        url_hashes=_hashes(whole["url_hashes"]),
        nearest=tuple(tuple(NearRow(**row) for row in near) for near in whole["nearest"].to_pylist()),
        top=facts["top"],
        overlap=Overlap(*overlap) if searched else None,
    )


def _overlap_columns(overlap: Overlap) -> list[list[int | float | None]]:
    only_shown = overlap.shown - overlap.both
    missed = [only / shown if shown else None for only, shown in zip(only_shown, overlap.shown, strict=True)]
    columns = (overlap.named, overlap.both, overlap.named - overlap.both, only_shown, missed)
    return [
        [value if known else None for value, known in zip(column, overlap.known, strict=True)]
        for column in columns
    ]


def _lists(hashes: Sequence[NDArray[np.uint64]]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in hashes])]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, np.concatenate(hashes))


def _hashes(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], ...] | None:
    if column.null_count:
        return None
    return tuple(each.values.to_numpy(zero_copy_only=False) for each in column)


def _table(columns: Sequence[object], schema: pa.Schema) -> pa.Table:
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
