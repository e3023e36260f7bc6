"""Addresses and captions of single rows, from the Parquet file beside the embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import CorpusError
from corpus.shards import CAPTION_COLUMNS, URL_COLUMNS

_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file hold texts.

    Attributes:
        url: The images' addresses, None where there are none.
        caption: The captions, None where there are none.
    """

    url: str | None
    caption: str | None


def text_columns(path: Path | None) -> Columns:
    """Return the columns with addresses and captions; none where there is no file.

    Raises:
        CorpusError: The file cannot be read.
    """
    if path is None:
        return Columns(None, None)
    try:
        names = pq.read_schema(path).names
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a whole Parquet file; fetch it again") from error
    return Columns(
        *(next((n for n in usual if n in names), None) for usual in (URL_COLUMNS, CAPTION_COLUMNS))
    )


def read_texts(path: Path, column: str, rows: NDArray[np.int64]) -> list[str | None]:
    """Return the texts of some rows; bytes that are not UTF-8 become U+FFFD.

    Args:
        path: The Parquet file.
        column: The column.
        rows: Numbers of rows, ascending.

    Raises:
        CorpusError: The file cannot be read to its end, or the column holds no text.
    """
    texts: list[str | None] = []
    if not len(rows):
        return texts
    try:
        with pq.ParquetFile(path) as file:
            start = 0
            for batch in file.iter_batches(_BATCH, columns=[column]):
                first, last = np.searchsorted(rows, (start, start + batch.num_rows))
                texts += _decoded(batch.column(0).take(pa.array(rows[first:last] - start)))
                start += batch.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{path}: the column {column!r} cannot be read ({reason})") from error
    return texts


def _decoded(column: pa.Array) -> list[str | None]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    raw = column.cast(pa.large_binary()).to_pylist()
    return [None if text is None else text.decode("utf-8", "replace") for text in raw]
