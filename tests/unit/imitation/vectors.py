"""Unit vectors for the tests of likeness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def anywhere(rng: np.random.Generator, n: int, dimensions: int) -> Vectors:
    """Directions drawn uniformly, shape (n, dimensions)."""
    drawn = rng.standard_normal((n, dimensions))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def at_cosines(cosines: Sequence[float]) -> Vectors:
    """Vectors in the plane at the given cosines to (1, 0), shape (n, 2)."""
    x = np.asarray(cosines, dtype=float)
    return np.stack([x, np.sqrt(1 - x**2)], axis=1).astype(np.float32)
