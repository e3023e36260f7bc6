"""The ramp model: a score linear in x = log10(1 + frequency), without plateaus."""

from dataclasses import dataclass

import numpy as np

from fit.threshold.curve import Floats
from fit.threshold.sample import Sample


@dataclass(frozen=True)
class RampFit:
    """A weighted least-squares line.

    Attributes:
        intercept: score at frequency 0.
        slope: score per decade of 1 + frequency.
    """

    intercept: float
    slope: float

    def at(self, x: Floats) -> Floats:
        """Mean score at x = log10(1 + frequency), any shape."""
        return self.intercept + self.slope * x


def fit_ramp(sample: Sample) -> RampFit:
    """Fit a line; the sample must have at least two distinct frequencies."""
    weight, sums = sample.cell_weight, sample.per_cell(sample.weight * sample.score)
    mean_x = float(np.average(sample.x, weights=weight))
    centred = sample.x - mean_x
    slope = float(centred @ sums / (centred**2 @ weight))
    return RampFit(intercept=float(sums.sum() / weight.sum()) - slope * mean_x, slope=slope)
