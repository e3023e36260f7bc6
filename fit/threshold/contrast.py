"""How many times as many images the threshold of one curve takes as that of another, with an interval.

The interval is worked out from those of the two thresholds (MOVER, Zou & Donner 2008,
doi:10.1002/sim.3095): on x = log10(1 + f) the distances from each estimate to the ends of its interval are
added as squares. So it holds where they hold, skew ones included, and where the curves' noise goes together,
as it does for two models on the same concepts, it is wider than it had to be.
"""

from dataclasses import dataclass

import numpy as np

from fit.threshold.verdict import Threshold, Verdict


@dataclass(frozen=True)
class Contrast:
    """Two thresholds compared.

    Attributes:
        factor: (1 + threshold of the second) / (1 + threshold of the first), > 0.
        interval: bounds of the factor at the level of the thresholds' intervals; None for an end that the
            data leave open.
    """

    factor: float
    interval: tuple[float | None, float | None]


@dataclass(frozen=True)
class NoContrast:
    """Two thresholds that cannot be compared.

    Attributes:
        reason: why, as half a sentence.
    """

    reason: str


def contrast(first: Verdict, second: Verdict) -> Contrast | NoContrast:
    """Compare the thresholds of two verdicts at the same level."""
    if not isinstance(first, Threshold) or not isinstance(second, Threshold):
        return NoContrast("not every run has a threshold")
    if first.interval is None or second.interval is None:
        return NoContrast("not every threshold has an interval")
    one, other = _distances(first), _distances(second)
    between = float(np.log10(1.0 + second.frequency) - np.log10(1.0 + first.frequency))
    low = None if first.open_above or second.open_below else between - float(np.hypot(other[0], one[1]))
    high = None if first.open_below or second.open_above else between + float(np.hypot(other[1], one[0]))
    return Contrast(10**between, (None if low is None else 10**low, None if high is None else 10**high))


def _distances(threshold: Threshold) -> tuple[float, float]:
    """How far the ends of the interval lie from the estimate, in decades; both >= 0."""
    low, high = threshold.interval or (threshold.frequency, threshold.frequency)
    at, *ends = np.log10(1.0 + np.array([threshold.frequency, low, high]))
    return max(float(at - ends[0]), 0.0), max(float(ends[1] - at), 0.0)
