"""Numbers of one column in some rows of shards, addressed as samples are: by file and row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from concepts.errors import CorpusError
from corpus.reading import arrow_batches
from corpus.shards import Shard
from corpus.sources.faults import told

BATCH_ROWS = 65_536

Place = tuple[str, int]
"""The name of a shard, and the number of a row in it, from 0."""


def row_numbers(shards: Sequence[Shard], column: str, places: Iterable[Place]) -> dict[Place, float]:
    """Return the number that stands in a column, for each row; NaN where the column is null.

    Args:
        shards: The shards; those without a wanted row are not read.
        column: The column's name, in any case.
        places: The rows.

    Raises:
        CorpusError: A shard of these rows is not there, cannot be read, has no such column or too few rows.
    """
    wanted: dict[str, list[int]] = {}
    for name, row in set(places):
        wanted.setdefault(name, []).append(row)
    by_name: Mapping[str, Shard] = {shard.name: shard for shard in shards}
    found: dict[Place, float] = {}
    for name, rows in sorted(wanted.items()):
        if name not in by_name:
            raise CorpusError(f"{name}: no longer among the shards of the corpus; count its captions again")
        ordered = np.array(sorted(rows), np.int64)
        numbers = numbers_in(by_name[name], column, ordered)
        found |= {(name, int(row)): float(number) for row, number in zip(ordered, numbers, strict=True)}
    return found


def column_of(shard: Shard, column: str) -> str | None:
    """Return a column's name as the shard spells it, None where it has none of that name."""
    exact = column if column in shard.columns else None
    return exact or next((name for name in shard.columns if name.casefold() == column.casefold()), None)


def numbers_in(shard: Shard, column: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the numbers that stand in a column of one shard; NaN where it is null. Shape (n,).

    Args:
        shard: The shard.
        column: The column's name, in any case.
        rows: Numbers of rows, ascending, shape (n,).

    Raises:
        CorpusError: It cannot be read, has no such column or too few rows.
    """
    if not len(rows):
        return np.zeros(0)
    name = column_of(shard, column)
    if name is None:
        raise CorpusError(f"{shard.place}: no column {column!r}; the columns are: {', '.join(shard.columns)}")
    pieces: list[NDArray[np.float64]] = []
    start = 0
    try:
        for batch in arrow_batches(shard, [name], BATCH_ROWS):
            inside = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
            if len(inside):
                pieces.append(_floats(batch.column(0).take(pa.array(inside)), shard, name))
            start += batch.num_rows
            if start > rows[-1]:
                break
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{shard.place}: cannot be read ({told(error)}); fetch it again") from error
    numbers = np.concatenate([np.zeros(0), *pieces])
    if len(numbers) < len(rows):
        raise CorpusError(f"{shard.place}: has no row {int(rows[-1])}; count its captions again")
    return numbers


def _floats(values: pa.Array, shard: Shard, column: str) -> NDArray[np.float64]:
    kind = values.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise CorpusError(f"{shard.place}: the column {column!r} holds {kind}, not numbers; name another")
    numbers: NDArray[np.float64] = pc.fill_null(values.cast(pa.float64()), np.nan).to_numpy(
        zero_copy_only=False
    )
    return numbers
