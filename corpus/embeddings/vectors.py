"""Stored vectors, float16 or float32, made float32; which of them can be compared at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.embeddings.rows import Stored

SHORTEST, LONGEST = 1e-15, 1e15
"""Lengths between which float32 computes with a vector safely; embeddings have lengths near 1 or 10."""

CERTAIN = 1e10
"""Between this length and one over it a float32 sum leaves no doubt that a row is usable."""

_STEP = 256
"""Rows read and widened at a time: with 768 dimensions they stay in a core's second-level cache."""
_EXPONENT_GAP = np.float32(2.0**112)
_KEPT_BITS = np.int32(-1879056384)  # 0x8FFFE000: sign, exponent and mantissa of a half, moved up
_NOT_HALF = 65536.0
"""What an infinite or undefined half becomes at least; the largest finite half is 65504."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows of a shard, ready to be compared.

    Attributes:
        vectors: Shape (n, d), float32; unusable rows are zero.
        inverse: One over each row's length, shape (n,), float32; 0 for unusable rows.
        zero: Rows of length zero, ascending.
        invalid: Rows with NaN or infinite numbers, or a length outside [1e-15, 1e15], ascending.
    """

    vectors: NDArray[np.float32]
    inverse: NDArray[np.float32]
    zero: NDArray[np.int64]
    invalid: NDArray[np.int64]


def block_of(stored: Stored, out: NDArray[np.float32] | None = None) -> Block:
    """Widen stored rows and measure their lengths.

    Args:
        stored: Shape (n, d).
        out: Where the float32 rows go, shape (n, d); None: new memory.
    """
    vectors = np.empty(stored.shape, np.float32) if out is None else out
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        widen(stored, vectors)
        squares = np.einsum("ij,ij->i", vectors, vectors)
        inverse = np.float32(1) / np.sqrt(squares)
        largest = _NOT_HALF if stored.dtype == np.float16 else CERTAIN
        certain = (squares >= CERTAIN**-2) & (squares < largest**2)
    zero, invalid = unusable_rows(stored, np.flatnonzero(~certain))
    for rows in (zero, invalid):
        vectors[rows] = 0
        inverse[rows] = 0
    return Block(vectors, inverse, zero, invalid)


def unusable_rows(stored: Stored, suspects: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, of some rows, those of length zero and those that are no vectors otherwise.

    Args:
        stored: Shape (n, d).
        suspects: Rows that may be unusable, ascending.
    """
    if not len(suspects):
        return suspects, suspects
    size = lengths(np.asarray(stored)[suspects])
    zero = size == 0
    fit = (size >= SHORTEST) & (size <= LONGEST)  # false for NaN
    return suspects[zero], suspects[~zero & ~fit]


def widen(stored: Stored, out: NDArray[np.float32]) -> None:
    """Write stored rows as float32.

    Halves are moved by integer operations, 2.5 times as fast as NumPy's own conversion: their bits are put
    at float32's places and the exponent is set right by a multiplication, exact for every finite half. An
    infinite or undefined one becomes a number of at least 65536.
    """
    for start in range(0, len(stored), _STEP):
        part, numbers = np.asarray(stored[start : start + _STEP]), out[start : start + _STEP]
        if part.dtype != np.float16:
            np.copyto(numbers, part)
            continue
        moved = numbers.view(np.int32)
        np.copyto(moved, part.view(np.int16))
        np.left_shift(moved, 13, out=moved)
        np.bitwise_and(moved, _KEPT_BITS, out=moved)
        np.multiply(numbers, _EXPONENT_GAP, out=numbers)


def error_of_float32(dimensions: int) -> float:
    """Return the largest error of a cosine that is computed in float32.

    Of the sum of d products (d units of rounding of the sum of their sizes, which is at most 1 for unit
    vectors, in any order of summation: Higham 2002, section 3.1), of the row's squared length (half of it
    again), and some more for the root, the quotient and the rounding of the reference and of the result.
    """
    return (1.5 * dimensions + 8) * 2.0**-24


def lengths(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Return the lengths of vectors (n, d) in float64, the same whatever stands beside a vector."""
    wide = vectors.astype(np.float64)
    with np.errstate(invalid="ignore"):  # of NaN and infinite numbers
        length: NDArray[np.float64] = np.sqrt((wide * wide).sum(axis=1))
    return length
