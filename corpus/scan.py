"""Reading a shard: row numbers, captions and URLs in Arrow batches, memory bounded by the batch.

DuckDB scans the Parquet file and reads only the columns that are needed. It refuses a text column with bytes
that are not UTF-8; such a shard is read again by `repaired`, which puts U+FFFD in their place (no letter, so
that it ends a word) and counts the captions concerned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from numpy import int64
from numpy.typing import NDArray

from concepts.errors import CorpusError, SettingsError
from corpus.session import open_session, sql
from corpus.shards import Shard
from corpus.where import Condition, check_columns

BATCH_ROWS = 16_384
"""Rows per batch: some megabytes of captions, long enough to make the per-batch costs vanish."""

ROW_COLUMN = "file_row_number"
_REPAIRED_COLUMN = "caption was not utf-8"
_BAD_TEXT = "is not valid UTF8"


class UndecodableText(CorpusError):  # noqa: N818 (a situation, not a fault)
    """A text column holds bytes that are not UTF-8: `repaired` can read the shard."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows of a shard that meet the condition.

    Attributes:
        rows: Their numbers in the file, from 0, shape (n,).
        captions: Arrow strings (64-bit offsets), null where the file has none, length n.
        urls: Arrow strings, or None when the shard has no URL column.
        repaired: How many of the captions were not UTF-8 and hold U+FFFD now.
    """

    rows: NDArray[int64]
    captions: pa.LargeStringArray
    urls: pa.LargeStringArray | None
    repaired: int = 0


def scan(shard: Shard, condition: Condition | None = None) -> Iterator[RowBatch]:
    """Yield the rows of a shard that meet a condition.

    Raises:
        UndecodableText: Some text is not UTF-8, perhaps after some batches; read the shard with `repaired`.
        CorpusError: The file cannot be read to its end.
        SettingsError: The condition does not suit the shard's columns.
    """
    if condition is not None:
        check_columns(condition, shard.columns, shard.name)
    with open_session(shard.path) as session:
        try:
            source = session.sql(sql("scan"), params={"path": str(shard.path)})
            yield from _batches(source, shard, condition, repaired=False)
        except duckdb.Error as error:
            raise _situation(error, shard, condition) from error


def repaired(shard: Shard, condition: Condition | None = None) -> Iterator[RowBatch]:
    """Yield the same as `scan` from a shard whose texts may hold any bytes; slower.

    Raises:
        CorpusError: The file cannot be read to its end.
        SettingsError: The condition does not suit the shard's columns.
    """
    if condition is not None:
        check_columns(condition, shard.columns, shard.name)
    wanted = {shard.caption_column, shard.url_column, *(condition.columns if condition else ())}
    folded = {name.casefold() for name in wanted if name}
    columns = [name for name in shard.columns if name in wanted or name.casefold() in folded]
    try:
        with pq.ParquetFile(shard.path) as file, open_session() as session:
            tables = _repaired_tables(file, columns, shard.caption_column)
            first = next(tables, None)
            if first is None:
                return
            source = session.from_arrow(
                pa.RecordBatchReader.from_batches(first.schema, _chain(first, tables))
            )
            yield from _batches(source, shard, condition, repaired=True)
    except duckdb.Error as error:
        raise _situation(error, shard, condition) from error
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{shard.path}: cannot be read ({_first_line(error)}); fetch it again") from error


def _batches(
    source: duckdb.DuckDBPyRelation, shard: Shard, condition: Condition | None, *, repaired: bool
) -> Iterator[RowBatch]:
    """Select the columns of the rows that meet the condition, batch by batch."""
    if condition is not None:
        source = source.filter(condition.text)
    wanted = {"row": ROW_COLUMN, "caption": shard.caption_column}
    if shard.url_column is not None:
        wanted["url"] = shard.url_column
    if repaired:
        wanted["repaired"] = _REPAIRED_COLUMN
    selected = source.select(
        *(duckdb.ColumnExpression(column).alias(name) for name, column in wanted.items())
    )
    reader = selected.to_arrow_reader(BATCH_ROWS)
    for name in ("caption", "url"):
        if name in wanted and not _is_string(reader.schema.field(name).type):
            raise UndecodableText(f"{shard.path}: the column {wanted[name]!r} is not stored as text")
    for batch in reader:
        yield RowBatch(
            rows=batch.column("row").to_numpy(zero_copy_only=False),
            captions=batch.column("caption").cast(pa.large_string()),
            urls=batch.column("url").cast(pa.large_string()) if "url" in wanted else None,
            repaired=batch.column("repaired").true_count if repaired else 0,
        )


def _repaired_tables(file: pq.ParquetFile, columns: list[str], caption: str) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
        arrays: dict[str, pa.Array] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            text, was_bad = repair(column) if _is_text(column.type) else (column, None)
            arrays[name] = text
            if name == caption:
                arrays[_REPAIRED_COLUMN] = was_bad
        arrays[ROW_COLUMN] = pa.array(range(start, start + batch.num_rows), pa.int64())
        start += batch.num_rows
        yield pa.RecordBatch.from_pydict(arrays)


def repair(column: pa.Array) -> tuple[pa.LargeStringArray, pa.BooleanArray]:
    """Return texts with U+FFFD in place of what is not UTF-8, and which of them were concerned.

    Args:
        column: Strings or bytes, also dictionary encoded, also all null.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    raw = column.cast(pa.large_binary())
    try:
        return raw.cast(pa.large_string()), pa.repeat(pa.scalar(False), len(raw))
    except pa.ArrowInvalid:
        values: list[bytes | None] = raw.to_pylist()
    texts = [None if value is None else value.decode("utf-8", "replace") for value in values]
    was_bad = [
        value is not None and text is not None and text.encode() != value
        for value, text in zip(values, texts, strict=True)
    ]
    return pa.array(texts, pa.large_string()), pa.array(was_bad, pa.bool_())


def _chain(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        _is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_null(kind)
    )


def _situation(error: duckdb.Error, shard: Shard, condition: Condition | None) -> CorpusError | SettingsError:
    """Return our error for DuckDB's."""
    line = _first_line(error)
    if _BAD_TEXT in str(error):
        return UndecodableText(f"{shard.path}: holds text that is not UTF-8")
    from_condition = (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException)
    if condition is not None and isinstance(error, from_condition):
        return SettingsError(f"where: {condition.text!r} does not suit {shard.name} ({line})")
    return CorpusError(f"{shard.path}: cannot be read ({line}); fetch it again")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
