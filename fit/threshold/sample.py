"""The curve as the fits see it: weights, and concepts pooled into cells of equal frequency.

Change points lie only between distinct frequencies, and every fit is linear in the sums over concepts of
equal frequency, so all the work is done on cells; that is what makes thousands of replicates cheap.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fit.threshold.curve import Floats, ImitationCurve

MIN_SEGMENT: Final = 5
"""Fewest concepts on either side of a change."""

MAX_CELLS: Final = 1024
"""More distinct frequencies than this are pooled with their neighbours for the replicates."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Scores with weights, pooled into K cells of neighbouring frequencies.

    Attributes:
        score: scores in canonical order. Shape (n,).
        weight: least-squares weights with mean 1. Shape (n,).
        start: index of the first concept of each cell. Shape (K,).
        x: mean of log10(1 + frequency) in each cell. Shape (K,), ascending.
        x_first: its smallest value in each cell. Shape (K,).
        x_last: its largest value in each cell; equal to `x_first` unless frequencies were pooled. Shape (K,).
        x_sd: uncertainty of x, 0 where the frequencies are exact. Shape (K,).
        pooled: whether a cell may hold several distinct frequencies.
    """

    score: Floats
    weight: Floats
    start: NDArray[np.intp]
    x: Floats
    x_first: Floats
    x_last: Floats
    x_sd: Floats
    pooled: bool

    @property
    def count(self) -> Floats:
        """Concepts in each cell. Shape (K,)."""
        return np.diff(np.append(self.start, self.score.size)).astype(np.float64)

    @property
    def cell_weight(self) -> Floats:
        """Sum of the weights in each cell. Shape (K,)."""
        return self.per_cell(self.weight)

    def per_cell(self, values: Floats) -> Floats:
        """Sum values of concepts within cells. Shape (n, ...) to (K, ...)."""
        sums: Floats = np.add.reduceat(values, self.start, axis=0)
        return sums

    def summing(self, values: Floats) -> csr_array:
        """Matrix that weighs concepts by values and sums within cells, single precision. Shape (K, n)."""
        n = self.score.size
        ends = np.append(self.start, n)
        return csr_array((values.astype(np.float32), np.arange(n), ends), shape=(self.x.size, n))

    def spread(self, values: Floats) -> Floats:
        """Repeat values of cells for their concepts. Shape (K,) to (n,)."""
        return np.repeat(values, self.count.astype(np.intp))


def pool(curve: ImitationCurve, max_cells: int = MAX_CELLS) -> Sample:
    """Weigh the concepts and pool those of equal frequency.

    Args:
        curve: at least one concept.
        max_cells: when there are more distinct frequencies, neighbours are pooled into about so many cells of
            equal numbers of concepts; changes are then located between cells.
    """
    x = curve.x
    start = np.flatnonzero(np.diff(curve.frequency, prepend=-1.0) > 0)
    pooled = start.size > max_cells
    if pooled:
        wanted = np.linspace(0, x.size, max_cells, endpoint=False)
        start = np.unique(start[np.searchsorted(start, wanted, side="right") - 1])
    last = np.append(start[1:], x.size) - 1
    size = (last - start + 1).astype(np.float64)
    sd = curve.x_sd
    return Sample(
        score=curve.score,
        weight=weights(curve),
        start=start,
        x=np.add.reduceat(x, start) / size,
        x_first=x[start],
        x_last=x[last],
        x_sd=np.zeros(start.size) if sd is None else np.add.reduceat(sd, start) / size,
        pooled=bool(pooled),
    )


def weights(curve: ImitationCurve) -> Floats:
    """Least-squares weights with mean 1: inverse variance of a score around the mean curve. Shape (n,).

    A standard error tells how well a concept's score was measured, not how much concepts of equal frequency
    differ. The total variance is taken from differences of neighbours (Rice 1984); what exceeds the mean
    squared standard error is the variance between concepts, as in a random-effects meta-analysis.
    """
    n = len(curve)
    if curve.score_se is None or n < 2:
        return np.ones(n)
    squared = curve.score_se**2
    total = float(np.mean(np.diff(curve.score) ** 2)) / 2.0
    between = max(0.0, total - float(squared.mean()))
    variance = squared + between
    # One concept with a standard error near zero must not outweigh all others together.
    variance = np.maximum(variance, 0.05 * float(variance.mean()))
    if not float(variance.mean()) > 0:
        return np.ones(n)
    inverse = 1.0 / variance
    return inverse / float(inverse.mean())
