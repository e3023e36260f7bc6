"""Looks: points of a continuous space that make two invented concepts differ; styles and faces are such."""

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Looks(Protocol):
    """A batch of looks."""

    def __len__(self) -> int:
        """How many."""

    def take(self, index: npt.NDArray[np.int64], /) -> Self:
        """The looks at `index`, shape (m,), repeats allowed."""

    def joined(self, other: Self, /) -> Self:
        """These, then those."""

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """All coordinates by name, each of shape (n,), for the truth's table."""


L = TypeVar("L", bound=Looks)
Distance = Callable[[L, L], FloatArray]


def spread(n: int, candidates: L, distance: Distance[L]) -> L:
    """`n` of the candidates, each the farthest from those already taken (a greedy maximin design)."""
    taken = [0]
    nearest = distance(candidates.take(np.array([0])), candidates)[0]
    while len(taken) < n:
        taken.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distance(candidates.take(np.array(taken[-1:])), candidates)[0])
    return candidates.take(np.array(taken))


def far_from(n: int, pool: L, chosen: L, margin: float, distance: Distance[L]) -> L:
    """The first `n` of the pool that are no nearer than `margin` to any chosen look.

    Raises:
        ValueError: There are not so many.
    """
    far = np.flatnonzero(distance(pool, chosen).min(axis=1) >= margin)
    if len(far) < n:
        raise ValueError(f"only {len(far)} of {n} looks keep a margin of {margin}")
    return pool.take(far[:n])
