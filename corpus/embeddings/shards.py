"""A file of embeddings, checked: its rows in blocks, and single ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from tokenize import TokenError

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import CorpusError
from corpus.embeddings import lists
from corpus.embeddings.files import PARQUET, EmbeddingFile
from corpus.embeddings.rows import STORED, FileRows, Numbers, OpenFile, Stored

# What NumPy raises at a header that is none: it is Python's syntax, parsed without being run.
_NO_HEADER = (ValueError, SyntaxError, TypeError, TokenError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class EmbeddingShard:
    """A file of embeddings whose layout is in order.

    Attributes:
        file: The file.
        rows: How many rows it has.
        dimensions: Numbers in a row; 0 for a Parquet file whose lists have no fixed size.
        dtype: How they are stored, ``float16`` or ``float32``.
        offset: Where the numbers begin in an ``.npy`` file, in bytes.
        column: The column of lists of a Parquet file, empty otherwise.
    """

    file: EmbeddingFile
    rows: int
    dimensions: int
    dtype: str
    offset: int = 0
    column: str = ""


def open_embeddings(file: EmbeddingFile, dimensions: int, column: str = "") -> EmbeddingShard:
    """Read a file's header and check it.

    Args:
        file: The file.
        dimensions: Numbers in a reference, which the rows have to have too.
        column: The column of lists of a Parquet file; empty: found by its name.

    Raises:
        CorpusError: It is no such file, truncated, of another type, shape or number of dimensions, or its
            metadata has another number of rows.
    """
    shard = _open_parquet(file, column) if file.path.suffix == PARQUET else _open_npy(file)
    known = shard.dimensions > 0 or not shard.column
    if shard.rows and known and shard.dimensions != dimensions:
        raise CorpusError(
            f"{file.path}: {shard.dimensions} dimensions, but the references have {dimensions}; "
            "both have to come from one encoder"
        )
    if file.metadata not in (None, file.path):
        _check_length(file, shard.rows)
    return shard


def read_blocks(shard: EmbeddingShard, dimensions: int, most: int) -> Iterator[tuple[int, Stored]]:
    """Yield (number of the first row, rows) from the first to the last row.

    Args:
        shard: The shard.
        dimensions: Numbers in a row.
        most: Rows of a block at most.

    Raises:
        CorpusError: The file cannot be read to its end, or a list has another length.
    """
    if shard.column:
        yield from _parquet_blocks(shard, dimensions, most, None)
        return
    rows = _npy_rows(shard)
    for start in range(0, shard.rows, most):
        yield start, rows[start : start + most]


def read_rows(shard: EmbeddingShard, dimensions: int, rows: NDArray[np.int64]) -> Numbers:
    """Return single rows, shape (len(rows), dimensions).

    Args:
        shard: The shard.
        dimensions: Numbers in a row.
        rows: Their numbers, ascending, each once.

    Raises:
        CorpusError: The file cannot be read.
    """
    if not shard.column:
        return _npy_rows(shard).single(rows)
    found = [
        block[wanted - start]
        for start, block in _parquet_blocks(shard, dimensions, 4096, rows)
        if len(wanted := rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + len(block))])
    ]
    return np.concatenate(found) if found else np.empty((0, dimensions), np.float32)


def _open_npy(file: EmbeddingFile) -> EmbeddingShard:
    """Check the header that says what follows; nothing in the file is ever unpickled."""
    try:
        with file.path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if version not in read:
                raise ValueError(f"version {version} of the format")
            shape, by_column, dtype = read[version](stream)
            offset = stream.tell()
        size = file.path.stat().st_size
    except OSError as error:
        raise CorpusError(f"{file.path}: cannot be read ({error.strerror or error})") from error
    except _NO_HEADER as error:
        raise CorpusError(f"{file.path}: no NumPy file ({' '.join(str(error).split())[:120]})") from error
    if dtype not in STORED:
        raise CorpusError(f"{file.path}: holds {dtype}; embeddings have to be float16 or float32")
    if len(shape) != 2 or by_column or min(shape) < 0:
        told = f"shape {shape}{' by columns' if by_column else ''}"
        raise CorpusError(f"{file.path}: {told}; it has to be (rows, dimensions), row by row")
    expected = offset + shape[0] * shape[1] * dtype.itemsize
    if size < expected:
        raise CorpusError(
            f"{file.path}: truncated ({size:,} bytes where its header tells of {expected:,}); fetch it again"
        )
    return EmbeddingShard(file, shape[0], shape[1], dtype.name, offset)


def _open_parquet(file: EmbeddingFile, column: str) -> EmbeddingShard:
    try:
        with pq.ParquetFile(file.path) as opened:
            schema, rows = opened.schema_arrow, opened.metadata.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{file.path}: not a whole Parquet file ({_line(error)}); fetch it again"
        ) from error
    chosen = lists.pick(schema, column)
    if chosen is None:
        wanted = repr(column) if column else f"called {', '.join(lists.NAMES)}"
        raise CorpusError(
            f"{file.path}: no column of embeddings {wanted}; the columns are: {', '.join(schema.names)}"
        )
    kind = schema.field(chosen).type
    if not lists.is_vectors(kind):
        raise CorpusError(f"{file.path}: the column {chosen!r} holds {kind}, not lists of numbers")
    fixed = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    dtype = "float16" if kind.value_type == pa.float16() else "float32"
    return EmbeddingShard(file, rows, fixed, dtype, column=chosen)


def _check_length(file: EmbeddingFile, rows: int) -> None:
    try:
        beside = pq.read_metadata(file.metadata).num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{file.metadata}: not a whole Parquet file ({_line(error)})") from error
    if beside != rows:
        raise CorpusError(
            f"{file.path}: {rows:,} rows, but {file.metadata} has {beside:,}; they do not belong together"
        )


def _npy_rows(shard: EmbeddingShard) -> FileRows:
    try:
        file = OpenFile(shard.file.path)
    except OSError as error:
        raise CorpusError(f"{shard.file.path}: cannot be read ({error.strerror or error})") from error
    return FileRows(file, shard.offset, (shard.rows, shard.dimensions), np.dtype(shard.dtype))


def _parquet_blocks(
    shard: EmbeddingShard, dimensions: int, most: int, wanted: NDArray[np.int64] | None
) -> Iterator[tuple[int, Numbers]]:
    """Yield blocks of a Parquet file; with rows that are wanted, of the row groups that hold one alone."""
    path = shard.file.path
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
            for group, end in enumerate(ends.tolist()):
                start = end - file.metadata.row_group(group).num_rows
                if wanted is not None and np.searchsorted(wanted, start) == np.searchsorted(wanted, end):
                    continue
                for batch in file.iter_batches(most, row_groups=[group], columns=[shard.column]):
                    yield start, lists.matrix(batch.column(0), dimensions)
                    start += batch.num_rows
    except lists.Unequal as error:
        raise CorpusError(f"{path}: {error} in the column {shard.column!r}; all have to be alike") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read to its end ({_line(error)}); fetch it again") from error


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
