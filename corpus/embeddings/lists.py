"""Arrow columns of lists of numbers as matrices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.embeddings.rows import Numbers

NAMES = ("embedding", "image_embedding", "img_emb", "vector")
"""What a column of embeddings is called, the first one that there is."""

_NUMBERS = (pa.float16(), pa.float32(), pa.float64())


class Unequal(ValueError):  # noqa: N818 (a situation, not a fault)
    """The lists of a column have different lengths."""


def pick(schema: pa.Schema, given: str = "") -> str | None:
    """Return the column of embeddings: the one given, else the first that is called so, and once."""
    return next((name for name in ((given,) if given else NAMES) if schema.names.count(name) == 1), None)


def is_vectors(kind: pa.DataType) -> bool:
    """Tell whether a column holds lists of floating-point numbers."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(kind) for is_kind in lists) and kind.value_type in _NUMBERS


def matrix(column: pa.Array, dimensions: int = 0) -> Numbers:
    """Return a column of lists as one row each, float16 as it is and anything else as float32.

    Args:
        column: Lists as `is_vectors` takes them; a null, and a null inside a list, becomes NaN.
        dimensions: The length that each list has to have; 0: that of the first.

    Returns:
        Shape (n, d); (0, dimensions) for an empty column.

    Raises:
        Unequal: A list has another length.
    """
    there = column.drop_null()
    sizes = pc.list_value_length(there).to_numpy(zero_copy_only=False)
    wanted = dimensions or (int(sizes[0]) if len(sizes) else 0)
    wrong = np.flatnonzero(sizes != wanted)
    if len(wrong):
        raise Unequal(f"lists of {wanted} and of {sizes[wrong[0]]} numbers")
    flat = there.flatten().to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):  # a double too large becomes infinite, and is told as such
        rows = flat.astype(np.float16 if column.type.value_type == pa.float16() else np.float32, copy=False)
    rows = rows.reshape(len(there), wanted)
    whole: Numbers = rows
    if column.null_count:
        whole = np.full((len(column), wanted), np.nan, rows.dtype)
        whole[column.is_valid().to_numpy(zero_copy_only=False)] = rows
    return whole
