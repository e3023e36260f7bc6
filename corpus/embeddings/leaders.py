"""The rows that may be among a concept's nearest, while a shard is looked through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.embeddings.exact import Pairs
from corpus.embeddings.screen import Sighting

_SPARE = 4
"""The list is pruned when it holds so many times what is wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Rows with bounds of their cosines, which are equal once the cosine is known exactly."""

    owners: NDArray[np.int32]
    rows: NDArray[np.int64]
    lower: NDArray[np.float32]
    upper: NDArray[np.float32]

    def take(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> _Candidates:
        return _Candidates(self.owners[places], self.rows[places], self.lower[places], self.upper[places])

    @classmethod
    def together(cls, parts: list[_Candidates]) -> _Candidates:
        columns = zip(*((part.owners, part.rows, part.lower, part.upper) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


class Leaders:
    """Candidates for each concept's k nearest rows.

    A row stays while the upper bound of its cosine reaches the k-th largest lower bound: whatever the true
    cosines are, the k nearest rows are among those that stay.

    Attributes:
        floors: Cosine (with the screen's error) from which a row is a candidate, shape (number of concepts,).
    """

    def __init__(
        self, concepts: int, size: int, error: float, exact: Callable[[Pairs], NDArray[np.float32]]
    ) -> None:
        """Begin with no row.

        Args:
            concepts: Number of concepts.
            size: Rows wanted for each, k >= 0.
            error: Of the cosines that will be offered.
            exact: Returns exact cosines; asked at the end, and when too many rows are as near as each other.
        """
        self.floors = np.full(concepts, -1.5 if size else np.inf, np.float32)
        self._size, self._error, self._exact = size, np.float32(error), exact
        none = np.empty(0, np.float32)
        self._kept = _Candidates(np.empty(0, np.int32), np.empty(0, np.int64), none, none)
        self._waiting: list[_Candidates] = []
        self._room = _SPARE * concepts * size
        self._held = 0

    def offer(self, sighting: Sighting, start: int) -> None:
        """Take a block's candidates; its first row is the shard's row `start`."""
        there = sighting.cosines >= self.floors[sighting.concepts]
        if not there.any():
            return
        rows, cosines = sighting.rows[there].astype(np.int64) + start, sighting.cosines[there]
        bounds = cosines - self._error, cosines + self._error
        self._waiting.append(_Candidates(sighting.concepts[there], rows, *bounds))
        self._held += len(rows)
        if self._held > self._room or start == 0:
            self._prune()
            if self._held > self._room:
                self._settle()

    def nearest(self) -> tuple[Pairs, NDArray[np.float32]]:
        """Return each concept's k nearest rows and their exact cosines.

        They stand by concept, then from the largest cosine to the smallest, then by row.
        """
        self._prune()
        self._settle()
        return Pairs(self._kept.owners, self._kept.rows), self._kept.lower

    def _prune(self) -> None:
        """Let go of what can no longer be among the nearest, and raise the floors."""
        kept = self._ordered(_Candidates.together([self._kept, *self._waiting]))
        starts = np.searchsorted(kept.owners, np.arange(len(self.floors) + 1))
        full = np.flatnonzero(np.diff(starts) >= max(self._size, 1))
        last = np.full(len(self.floors), -2, np.float32)
        last[full] = kept.lower[starts[full] + self._size - 1]
        self._keep(kept.take(kept.upper >= last[kept.owners]))
        # A new array: threads may be looking at the old one.
        self.floors = np.maximum(self.floors, last - self._error)

    def _settle(self) -> None:
        """Learn the exact cosine of every candidate, and keep as many as are wanted."""
        open_ = np.flatnonzero(self._kept.lower < self._kept.upper)
        cosines = self._kept.lower.copy()
        cosines[open_] = self._exact(Pairs(self._kept.owners[open_], self._kept.rows[open_]))
        kept = self._ordered(_Candidates(self._kept.owners, self._kept.rows, cosines, cosines))
        starts = np.searchsorted(kept.owners, np.arange(len(self.floors) + 1))
        rank = np.arange(len(kept.owners)) - starts[kept.owners]
        self._keep(kept.take(rank < self._size))

    def _keep(self, candidates: _Candidates) -> None:
        self._kept, self._waiting, self._held = candidates, [], len(candidates.rows)

    @staticmethod
    def _ordered(candidates: _Candidates) -> _Candidates:
        return candidates.take(np.lexsort((candidates.rows, -candidates.lower, candidates.owners)))
