"""What a Parquet file's footer says, from its last bytes alone."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError
from corpus.sources.faults import told
from corpus.sources.ranges import TAIL, Read

_END = struct.Struct("<I4s")
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"


@dataclass(frozen=True, slots=True)
class Footer:
    """What a footer says.

    Attributes:
        schema: The columns.
        rows: How many rows there are.
        digest: SHA-256 (hex) of the file's size and footer, the same wherever a copy lies.
    """

    schema: pa.Schema
    rows: int
    digest: str


def read_footer(read: Read, size: int, place: str) -> Footer:
    """Read a file's footer, in one read for most files.

    Args:
        read: Returns bytes of the file.
        size: Its length in bytes.
        place: Where it lies, for messages.

    Raises:
        CorpusError: It is no Parquet file, is truncated or damaged.
    """
    raw = _footer(read, size, place)
    try:
        with pq.ParquetFile(pa.BufferReader(_MAGIC + raw)) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{place}: its Parquet footer cannot be read ({told(error)}); fetch it again"
        ) from error
    return Footer(schema, rows, hashlib.sha256(struct.pack("<Q", size) + raw).hexdigest())


def _footer(read: Read, size: int, place: str) -> bytes:
    """Return the footer's bytes (metadata, its length, the closing magic)."""
    shortest = len(_MAGIC) + _END.size
    tail = read(max(0, size - TAIL), size)
    head = tail[: len(_MAGIC)] if size <= TAIL else b""
    if len(tail) < shortest or head not in {b"", _MAGIC, _ENCRYPTED}:
        raise CorpusError(f"{place}: not a Parquet file ({size} bytes); give Parquet shards")
    length, magic = _END.unpack(tail[-_END.size :])
    if magic == _ENCRYPTED:
        raise CorpusError(f"{place}: an encrypted Parquet file; decrypt it first")
    if magic != _MAGIC or length > size - shortest:
        if (head or read(0, len(_MAGIC))) != _MAGIC:
            raise CorpusError(f"{place}: not a Parquet file ({size} bytes); give Parquet shards")
        raise CorpusError(f"{place}: truncated ({size} bytes, no Parquet footer at its end); fetch it again")
    start = size - _END.size - length
    return tail[-_END.size - length :] if start >= size - len(tail) else read(start, size)
