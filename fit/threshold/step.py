"""The step model: two means and one change between distinct frequencies, found in O(n) by prefix sums."""

from dataclasses import dataclass

import numpy as np

from fit.threshold.curve import ImitationCurve
from fit.threshold.sample import MIN_SEGMENT, weights


@dataclass(frozen=True)
class StepFit:
    """The upward step with the smallest weighted residual squares.

    Attributes:
        below: largest frequency below the change, images.
        above: smallest frequency above it, images; the change lies in (below, above].
        baseline: mean score below.
        ceiling: mean score above, > `baseline`.
    """

    below: float
    above: float
    baseline: float
    ceiling: float


def fit_step(curve: ImitationCurve, min_segment: int = MIN_SEGMENT) -> StepFit | None:
    """Fit a step upwards.

    Args:
        curve: any number of concepts.
        min_segment: fewest concepts on either side.

    Returns:
        The fit, or None when no change between distinct frequencies leaves enough concepts on both sides, or
        every such change is downwards.
    """
    weight = weights(curve)
    below = np.cumsum(weight)[:-1]
    lower = np.cumsum(weight * curve.score)[:-1]
    above, upper = weight.sum() - below, (weight * curve.score).sum() - lower
    low_mean, high_mean = lower / below, upper / above
    concepts = np.arange(1, len(curve))
    allowed = (np.diff(curve.frequency) > 0) & (high_mean > low_mean)
    allowed &= (concepts >= min_segment) & (len(curve) - concepts >= min_segment)
    if not bool(allowed.any()):
        return None
    between = below * above * (high_mean - low_mean) ** 2
    i = int(np.argmax(np.where(allowed, between, -1.0)))
    return StepFit(
        below=float(curve.frequency[i]),
        above=float(curve.frequency[i + 1]),
        baseline=float(low_mean[i]),
        ceiling=float(high_mean[i]),
    )
