"""Schemas of the tables of counts: their columns say what they mean and in which unit."""

from __future__ import annotations

import pyarrow as pa


def described(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    """Return a field with its unit and meaning as metadata."""
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


_POSITION = described("position", pa.int32(), "-", "the concept's place in the list, from 0")
_CONCEPT = described("concept", pa.string(), "-", "name of the concept")
_CAPTION_COUNT = described("caption_count", pa.int64(), "captions", "captions that name the concept")
_UNFILTERED = described(
    "unfiltered_count", pa.int64(), "captions", "the same without the condition on the rows"
)
_PHASES = described(
    "phase_counts", pa.list_(pa.int64()), "captions", "the same of the rows that each training phase saw"
)
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

SAMPLED = pa.struct([_KEY, _FILE, _ROW, _URL, _CAPTION])

COUNTS = pa.schema([_CONCEPT, _CAPTION_COUNT, _DISTINCT, _UNFILTERED])
SAMPLES = pa.schema([_CONCEPT, _KEY, _FILE, _ROW, _URL, _CAPTION])
SHARD = pa.schema(
    [
        _POSITION,
        _CONCEPT,
        _CAPTION_COUNT,
        _UNFILTERED,
        _PHASES,
        described("url_hashes", pa.list_(pa.uint64()), "-", "64-bit digests of the distinct addresses"),
        described("sample", pa.list_(SAMPLED), "-", "sampled rows, by ascending key"),
    ]
)
NAMING = pa.schema(
    [
        _ROW,
        _URL,
        described("owners", pa.list_(pa.int32()), "-", "places in the list of the concepts that it names"),
    ]
)
EXPOSURE = pa.schema(
    [
        _CONCEPT,
        described("phase", pa.string(), "-", "name of the training phase"),
        described("caption_count", pa.int64(), "captions", "captions that name the concept and were seen"),
        described("passes", pa.float64(), "-", "how often the phase went over its rows; null where unknown"),
    ]
)
WORDS = pa.schema(
    [
        _CONCEPT,
        described("word", pa.string(), "-", "a word, folded, that is none of the concept's names"),
        described("captions", pa.int64(), "captions", "sampled captions of the concept that hold it"),
        described("sampled", pa.int64(), "captions", "sampled captions of the concept"),
        described("share", pa.float64(), "-", "the first over the second, in [0, 1]"),
        described(
            "share_of_others", pa.float64(), "-", "the same of the other concepts; null without others"
        ),
    ]
)
