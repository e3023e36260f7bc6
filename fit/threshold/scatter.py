"""Noise like that of a curve, drawn anew: what the likelihood-ratio tests are calibrated with.

Every draw is a standardised residual of some concept, scaled to the spread of the scores around its own
place. The residual of the concept itself will not do, not even with a random sign: the best change was chosen
so that the scores beside it lie on its two sides, so their own residuals are too small to let it move.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fit.threshold.curve import Floats
from fit.threshold.family import Family, heights
from fit.threshold.sample import Sample
from fit.threshold.signs import Singles

_BLOCK_VALUES: Final = 4_000_000
_WINDOW_SHARE: Final = 0.125
_WINDOW_LEAST: Final = 12


@dataclass(frozen=True, eq=False)
class Scatter:
    """R draws of noise, pooled.

    Attributes:
        sums: sums within cells of weight x noise. Shape (K, R), single precision.
        squares: weighted sums of squares of the noise about its weighted mean. Shape (R,).
    """

    sums: Singles
    squares: Floats


def residuals(sample: Sample, family: Family) -> Floats:
    """Scores about the best curve of the family, scaled up for its four parameters. Shape (n,)."""
    height = heights(family, sample)
    best = int(np.argmax(height))
    mean = float(np.average(sample.score, weights=sample.weight))
    fitted = mean + max(float(height[best]), 0.0) * sample.spread(family.basis[best])
    n = sample.score.size
    scaled: Floats = (sample.score - fitted) * np.sqrt(n / max(n - 4.0, 1.0))
    return scaled


def local_spread(values: Floats) -> Floats:
    """Root mean square over an eighth of the concepts to either side in rank, at least twelve. Shape (n,)."""
    n = values.size
    reach = max(_WINDOW_LEAST, int(np.ceil(_WINDOW_SHARE * n)))
    running = np.concatenate(([0.0], np.cumsum(values**2)))
    first, last = np.maximum(np.arange(n) - reach, 0), np.minimum(np.arange(n) + reach + 1, n)
    spread: Floats = np.sqrt(np.maximum(running[last] - running[first], 0.0) / (last - first))
    return spread


def draw_scatter(sample: Sample, residual: Floats, replicates: int, seed: int) -> Scatter:
    """Draw noise.

    Args:
        sample: gives weights and cells.
        residual: scores about a fitted curve. Shape (n,).
        replicates: number R of draws.
        seed: of the draws.
    """
    root = np.sqrt(sample.weight)
    spread = local_spread(residual * root)
    pool = np.where(spread > 0, residual * root / np.where(spread > 0, spread, 1.0), 0.0)
    pool = pool - pool.mean()
    scale = float(np.sqrt(np.mean(pool**2)))
    pool = (pool / scale if scale > 0 else pool).astype(np.float32)
    summing, squaring = sample.summing(root * spread), (spread**2).astype(np.float32)
    rng = np.random.default_rng([seed, 1])
    sums = np.empty((sample.x.size, replicates), dtype=np.float32)
    squares = np.empty(replicates)
    n, done = residual.size, 0
    while done < replicates:
        columns = min(max(8, _BLOCK_VALUES // n), replicates - done)
        noise = pool[rng.integers(0, n, size=(n, columns), dtype=np.int32)]
        sums[:, done : done + columns] = summing @ noise
        squares[done : done + columns] = squaring @ (noise * noise)
        done += columns
    squares -= sums.sum(axis=0, dtype=np.float64) ** 2 / sample.weight.sum()
    return Scatter(sums=sums, squares=squares)
