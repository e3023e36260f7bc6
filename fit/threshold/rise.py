"""Is there a rise? A one-sided sup test whose null flips the signs of centred scores.

The statistic is the largest, over all changes that leave five concepts on either side, of the difference of
the two weighted means over its standard error, where the variance is built from the squared centred scores
themselves (White 1980). Flipping signs keeps each concept's own squared deviation in place, so the null keeps
noise that changes with frequency, which permuting scores does not (sign-flipped scores: Hemerik, Goeman &
Finos 2020; wild bootstrap: Liu 1988). As a sum divided by the root of the sum of its squares, the statistic
is light in the tails however few concepts stand on one side and however heavy-tailed the scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fit.threshold.curve import Floats
from fit.threshold.sample import MIN_SEGMENT, Sample
from fit.threshold.signs import Singles


@dataclass(frozen=True)
class RiseTest:
    """Result of the test.

    Attributes:
        statistic: largest standardised difference upwards.
        fall: largest standardised difference downwards.
        p_value: of the rise; at least 1 / (replicates + 1).
        p_fall: of the fall, likewise.
        critical: value that the statistic exceeds in 1 - level of the replicates without a rise.
    """

    statistic: float
    fall: float
    p_value: float
    p_fall: float
    critical: float

    def shows_rise(self, level: float) -> bool:
        """Whether a rise is shown at the level, and is not outdone by a fall."""
        return self.p_value <= 1.0 - level + 1e-12 and self.statistic > self.fall


def centred(sample: Sample) -> Floats:
    """Scores about their weighted mean; what is only rounding error is 0. Shape (n,)."""
    deviations: Floats = sample.score - np.average(sample.score, weights=sample.weight)
    deviations[np.abs(deviations) <= 1e-14 * np.abs(sample.score).max()] = 0.0
    return deviations


def rise_test(sample: Sample, flipped: Singles, level: float) -> RiseTest:
    """Test for a rise.

    Args:
        sample: at least one change must leave five concepts on either side.
        flipped: sums within cells of weight x centred score with flipped signs. Shape (K, R).
        level: confidence level in (0, 1), for `critical`.
    """
    contrast = _Contrasts.of(sample)
    sums = sample.per_cell(sample.weight * centred(sample)).astype(np.float32)
    observed = contrast.standardised(sums[:, None])
    null = contrast.standardised(flipped)
    up, down = float(observed.max()), float((-observed).max())
    null_up, null_down = null.max(axis=0), (-null).max(axis=0)
    draws = null_up.size + 1
    # Single precision: equal sums must count as equal.
    return RiseTest(
        statistic=up,
        fall=down,
        p_value=float((1.0 + np.count_nonzero(null_up >= up * (1 - 1e-5))) / draws),
        p_fall=float((1.0 + np.count_nonzero(null_down >= down * (1 - 1e-5))) / draws),
        critical=float(np.quantile(null_up, level)),
    )


def rise_statistic(sample: Sample) -> float:
    """Largest standardised difference upwards, the statistic of `rise_test`."""
    sums = sample.per_cell(sample.weight * centred(sample)).astype(np.float32)
    return float(_Contrasts.of(sample).standardised(sums[:, None]).max())


def smallest_detectable_rise(sample: Sample, critical: float) -> float | None:
    """Smallest step that would have been found in 80 % of samples like this one, were it at the middle rank.

    With variance s2 about the two means, n concepts and half of them above, the statistic is near
    d sqrt(n) / 2 / sqrt(s2 + d2 / 4); it has to exceed the critical value by 0.84.

    Returns:
        The rise in units of the score, or None when no rise could be found among so few concepts.
    """
    n = sample.weight.sum() ** 2 / np.sum(sample.weight**2)
    needed = (critical + 0.8416) ** 2
    if n <= needed:
        return None
    variance = float(np.sum(sample.weight * centred(sample) ** 2) / (sample.weight.sum() - 1.0))
    return float(np.sqrt(4.0 * needed * variance / (n - needed)))


@dataclass(frozen=True, eq=False)
class _Contrasts:
    """Upper mean minus lower mean at every admissible change, as sums over cells."""

    split: NDArray[np.intp]
    below: Floats
    above: Floats
    error: Floats

    @classmethod
    def of(cls, sample: Sample) -> "_Contrasts":
        count = np.cumsum(sample.count)[:-1]
        admissible = (count >= MIN_SEGMENT) & (sample.score.size - count >= MIN_SEGMENT)
        split = np.flatnonzero(admissible)
        weight = np.cumsum(sample.cell_weight)
        squares = np.cumsum(sample.per_cell((sample.weight * centred(sample)) ** 2))
        below, above = weight[split], weight[-1] - weight[split]
        variance = squares[split] / below**2 + (squares[-1] - squares[split]) / above**2
        error = np.sqrt(np.maximum(variance, 0.0))
        return cls(split=split, below=below, above=above, error=error)

    def standardised(self, sums: Singles) -> Singles:
        """Standardised differences from sums within cells: (K, R) to (changes, R)."""
        running = np.cumsum(sums, axis=0)
        lower = running[self.split]
        scale = np.where(self.error > 0, 1.0 / np.where(self.error > 0, self.error, 1.0), 0.0)
        to_upper = (scale / self.above).astype(np.float32)[:, None]
        to_lower = (scale / self.below + scale / self.above).astype(np.float32)[:, None]
        standardised: Singles = running[-1] * to_upper - lower * to_lower
        return standardised
