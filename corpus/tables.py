"""Counts as Arrow tables whose columns say what they mean and in which unit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from concepts.errors import MalformedFile
from corpus.counts import CaptionCounts, CaptionTally
from corpus.sampling import SampleRow


def described(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    """Return a field with its unit and meaning as metadata."""
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


_CONCEPT = described("concept", pa.string(), "-", "name of the concept")
_CAPTION_COUNT = described("caption_count", pa.int64(), "captions", "captions that name the concept")
_DISTINCT = described(
    "distinct_url_count",
    pa.int64(),
    "images",
    "distinct image addresses of those captions; null without a URL column",
)
_KEY = described("key", pa.uint64(), "-", "digest of (seed, concept, file, row) that the sample is drawn by")
_FILE = described("file", pa.string(), "-", "the shard's name")
_ROW = described("row", pa.int64(), "-", "the row's number in the file, from 0")
_URL = described("url", pa.string(), "-", "the image's address")
_CAPTION = described("caption", pa.string(), "-", "the caption")
_SAMPLED = (_KEY, _FILE, _ROW, _URL, _CAPTION)

COUNTS = pa.schema([_CONCEPT, _CAPTION_COUNT, _DISTINCT])
SAMPLES = pa.schema([_CONCEPT, *_SAMPLED])
SHARD = pa.schema(
    [
        _CONCEPT,
        _CAPTION_COUNT,
        described("url_hashes", pa.list_(pa.uint64()), "-", "64-bit digests of the distinct addresses"),
        described("sample", pa.list_(pa.struct(_SAMPLED)), "-", "sampled rows, by ascending key"),
    ]
)
_SUMMARY = b"counts"


def counts_table(counts: CaptionCounts) -> pa.Table:
    """Return one row per concept: ``concept``, ``caption_count``, ``distinct_url_count``."""
    distinct = counts.distinct_url_counts
    columns = [
        counts.concepts,
        counts.caption_counts,
        [None] * len(counts.concepts) if distinct is None else distinct,
    ]
    return _table(columns, COUNTS)


def samples_table(counts: CaptionCounts) -> pa.Table:
    """Return one row per sampled row, by concept and key: a concept's first n rows are a random sample."""
    pairs = zip(counts.concepts, counts.samples, strict=True)
    rows = [(concept, *row) for concept, sampled in pairs for row in sampled]
    return _table([[row[column] for row in rows] for column in range(len(SAMPLES))], SAMPLES)


def shard_table(counts: CaptionCounts) -> pa.Table:
    """Return counts as one table, one row per concept, from which `counts_of` makes them again.

    The tally and the sample size stand in the schema's metadata.
    """
    hashes = counts.url_hashes
    columns = [
        counts.concepts,
        counts.caption_counts,
        [None] * len(counts.concepts) if hashes is None else list(hashes),
        [[row._asdict() for row in sampled] for sampled in counts.samples],
    ]
    summary = json.dumps({"tally": asdict(counts.tally), "sample": counts.sample}, sort_keys=True)
    return _table(columns, SHARD).replace_schema_metadata({_SUMMARY: summary})


def counts_of(table: pa.Table) -> CaptionCounts:
    """Return the counts that `shard_table` wrote.

    Raises:
        MalformedFile: The table is of another kind.
    """
    summary = (table.schema.metadata or {}).get(_SUMMARY)
    if summary is None or table.schema.names != SHARD.names:
        raise MalformedFile(
            f"no table of counts: columns {', '.join(table.schema.names)}; count the shard again"
        )
    facts = json.loads(summary)
    hashes = table["url_hashes"].to_pylist()
    without_urls = any(each is None for each in hashes)
    return CaptionCounts(
        concepts=tuple(table["concept"].to_pylist()),
        tally=CaptionTally(**facts["tally"]),
        caption_counts=table["caption_count"].to_numpy(),
        url_hashes=None if without_urls else tuple(np.array(each, np.uint64) for each in hashes),
        samples=tuple(tuple(SampleRow(**row) for row in sampled) for sampled in table["sample"].to_pylist()),
        sample=facts["sample"],
    )


def _table(columns: Sequence[object], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
