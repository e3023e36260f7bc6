"""The definition of a count by embeddings, slow and obvious: one row, one reference at a time, in float64.

A row counts for a concept when its largest cosine to any of the concept's references, rounded to float32,
is at least the cut. Rows that are zero, or hold NaN or infinite numbers, count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def largest_cosine(row: np.ndarray, references: Sequence[np.ndarray]) -> float | None:
    """Return the statistic of one row, None for a row that is no vector."""
    numbers = [float(number) for number in row]
    if not all(map(math.isfinite, numbers)) or not any(numbers):
        return None
    return max(float(np.float32(cosine(numbers, [float(x) for x in each]))) for each in references)


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    dot = math.fsum(a * b for a, b in zip(left, right, strict=True))
    return dot / math.sqrt(math.fsum(a * a for a in left)) / math.sqrt(math.fsum(b * b for b in right))


def rows_at_or_above(rows: np.ndarray, references: Sequence[np.ndarray], cut: float) -> list[int]:
    """Return the numbers of the rows that count for a concept."""
    found = [largest_cosine(row, references) for row in rows]
    return [i for i, value in enumerate(found) if value is not None and value >= np.float32(cut)]


def nearest(rows: np.ndarray, references: Sequence[np.ndarray], top: int) -> list[tuple[float, int]]:
    """Return (cosine, row) of the nearest rows, ties by row."""
    found = [(largest_cosine(row, references), i) for i, row in enumerate(rows)]
    return sorted(((v, i) for v, i in found if v is not None), key=lambda each: (-each[0], each[1]))[:top]
