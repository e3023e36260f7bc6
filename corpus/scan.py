"""Reading a shard: row numbers, captions and addresses in Arrow batches, memory bounded by the batch.

DuckDB scans the Parquet file and reads only the columns that are needed. It refuses a text column with bytes
that are not UTF-8; such a shard is read again by `repaired`, which puts U+FFFD in their place (no letter, so
that it ends a word) and counts the captions concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.errors import CorpusError, FitError, SettingsError
from corpus.reading import arrow_batches, opened
from corpus.session import open_session
from corpus.shards import Shard
from corpus.sources.columns import ROW_COLUMN, is_text
from corpus.sources.faults import told
from corpus.where import Condition, check_columns

BATCH_ROWS = 32_768
"""Rows per batch: some megabytes of captions, long enough to make the per-batch costs vanish."""

_REPAIRED_COLUMN = "caption was not utf-8"
_BAD_TEXT = "is not valid UTF8"
_OF_A_CONDITION = ("Binder Error", "Conversion Error", "Out of Range Error")


class UndecodableText(CorpusError):  # noqa: N818 (a situation, not a fault)
    """A text column holds bytes that are not UTF-8: `repaired` can read the shard."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions on the rows; each is told of every row, none leaves one out.

    Attributes:
        kept: Which rows count; None: all.
        phases: Which rows each phase of a model's training saw.
    """

    kept: Condition | None = None
    phases: tuple[Condition | None, ...] = ()

    @property
    def all(self) -> tuple[Condition | None, ...]:
        """The condition of the rows that count, then those of the phases."""
        return (self.kept, *self.phases)


ALL_ROWS = Conditions()


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows of a shard, in the order of the file.

    Attributes:
        rows: Their numbers in the file, from 0, shape (n,).
        captions: Arrow strings (64-bit offsets), null where the file has none, length n.
        meets: Which rows meet each of the conditions, shape (1 + phases, n).
        urls: Arrow strings; None when the shard has no URL column, or when `addresses` is to be asked for
            those that are needed.
        repaired: Which captions were not UTF-8 and hold U+FFFD now, shape (n,); None where none was.
    """

    rows: NDArray[np.int64]
    captions: pa.LargeStringArray
    meets: NDArray[np.bool_]
    urls: pa.LargeStringArray | None = None
    repaired: NDArray[np.bool_] | None = None


def scan(shard: Shard, conditions: Conditions = ALL_ROWS) -> Iterator[RowBatch]:
    """Yield the rows of a shard, without their addresses: they are long, and few are needed.

    A streamed shard, which cannot be asked for some addresses later, comes as from `repaired`, with them.

    Raises:
        UndecodableText: Some text is not UTF-8, perhaps after some batches; read the shard with `repaired`.
        CorpusError: The file cannot be read to its end.
        SettingsError: A condition does not suit the shard's columns.
    """
    if shard.streamed:
        yield from repaired(shard, conditions)
        return
    _check(conditions, shard)
    with _told(shard, conditions), opened(shard) as source:
        yield from _batches(source.rows, shard, conditions, {"caption": shard.caption_column})


def addresses(shard: Shard, rows: NDArray[np.int64]) -> pa.LargeStringArray:
    """Return the addresses of some rows of a shard that has a URL column.

    Args:
        shard: The shard.
        rows: Numbers of rows, ascending, none twice, shape (n,).

    Raises:
        UndecodableText: Some address is not UTF-8.
        CorpusError: The file cannot be read to its end.
    """
    with _told(shard, ALL_ROWS), opened(shard) as source:
        every = source.rows.select(
            duckdb.ColumnExpression(ROW_COLUMN).alias("row"),
            duckdb.ColumnExpression(str(shard.url_column)).alias("url"),
        )
        wanted = source.session.from_arrow(pa.table({"row": rows}))
        found = every.join(wanted, "row").to_arrow_table().sort_by("row")["url"].combine_chunks()
    if not _is_string(found.type):
        raise UndecodableText(f"{shard.place}: the column {shard.url_column!r} is not stored as text")
    return found.cast(pa.large_string())


def repaired(shard: Shard, conditions: Conditions = ALL_ROWS) -> Iterator[RowBatch]:
    """Yield the rows of a shard whose texts may hold any bytes, with their addresses; slower than `scan`.

    Raises:
        CorpusError: The file cannot be read to its end.
        SettingsError: A condition does not suit the shard's columns.
    """
    _check(conditions, shard)
    needed = [name for condition in conditions.all if condition for name in condition.columns]
    wanted = {shard.caption_column, shard.url_column, *needed}
    folded = {name.casefold() for name in wanted if name}
    columns = [name for name in shard.columns if name in wanted or name.casefold() in folded]
    with _told(shard, conditions) as reasons, open_session() as session:
        batches = _remembering(reasons, arrow_batches(shard, columns, BATCH_ROWS))
        tables = _repaired_tables(batches, shard.caption_column)
        first = next(tables, None)
        if first is None:
            return
        source = session.from_arrow(pa.RecordBatchReader.from_batches(first.schema, _chain(first, tables)))
        texts = {"caption": shard.caption_column, "repaired": _REPAIRED_COLUMN}
        texts |= {"url": shard.url_column} if shard.url_column else {}
        yield from _batches(source, shard, conditions, texts)


def _check(conditions: Conditions, shard: Shard) -> None:
    for condition in filter(None, conditions.all):
        check_columns(condition, shard.columns, shard.name)


def _batches(
    source: duckdb.DuckDBPyRelation, shard: Shard, conditions: Conditions, columns: dict[str, str]
) -> Iterator[RowBatch]:
    """Select columns, under new names, and what the conditions say, batch by batch."""
    tested = {f"meets {i}": condition for i, condition in enumerate(conditions.all) if condition is not None}
    wanted = {"row": ROW_COLUMN, **columns}
    selected = source.select(
        *(duckdb.ColumnExpression(column).alias(name) for name, column in wanted.items()),
        *(_truth(condition).alias(name) for name, condition in tested.items()),
    )
    reader = selected.to_arrow_reader(BATCH_ROWS)
    for name in ("caption", "url"):
        if name in wanted and not _is_string(reader.schema.field(name).type):
            raise UndecodableText(f"{shard.place}: the column {wanted[name]!r} is not stored as text")
    for batch in reader:
        meets = np.ones((len(conditions.all), batch.num_rows), np.bool_)
        for name in tested:
            meets[int(name.removeprefix("meets "))] = batch.column(name).to_numpy(zero_copy_only=False)
        yield RowBatch(
            rows=batch.column("row").to_numpy(zero_copy_only=False),
            captions=batch.column("caption").cast(pa.large_string()),
            meets=meets,
            urls=batch.column("url").cast(pa.large_string()) if "url" in wanted else None,
            repaired=batch.column("repaired").to_numpy(zero_copy_only=False)
            if "repaired" in wanted
            else None,
        )


def _truth(condition: Condition) -> duckdb.Expression:
    """Return whether a condition is true of a row: where it is null, it is not."""
    return duckdb.CaseExpression(
        duckdb.SQLExpression(condition.text), duckdb.ConstantExpression(True)
    ).otherwise(duckdb.ConstantExpression(False))


def _repaired_tables(batches: Iterable[pa.RecordBatch], caption: str) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches:
        arrays: dict[str, pa.Array] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            text, was_bad = repair(column) if is_text(column.type) else (column, None)
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


@contextmanager
def _told(shard: Shard, conditions: Conditions) -> Iterator[list[FitError]]:
    """Raise our error for DuckDB's (Arrow's once batches flow), or the one that was its reason."""
    reasons: list[FitError] = []
    try:
        yield reasons
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise (reasons[0] if reasons else _situation(error, shard, conditions)) from error


def _remembering(reasons: list[FitError], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches to DuckDB, which makes a text of our errors: they are kept."""
    try:
        yield from batches
    except FitError as error:
        reasons.append(error)
        raise


def _situation(error: Exception, shard: Shard, conditions: Conditions) -> CorpusError | SettingsError:
    """Return our error for DuckDB's or Arrow's."""
    line = told(error)
    if _BAD_TEXT in str(error):
        return UndecodableText(f"{shard.place}: holds text that is not UTF-8")
    texts = [condition.text for condition in conditions.all if condition]
    if texts and line.startswith(_OF_A_CONDITION):
        return SettingsError(f"where: {' or '.join(map(repr, texts))} does not suit {shard.name} ({line})")
    return CorpusError(f"{shard.place}: cannot be read ({line}); fetch it again")
